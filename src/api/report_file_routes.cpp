// SPDX-License-Identifier: Apache-2.0
// Files of reports that somebody hands in, and the synthetic report that tries the way in.
#include "api/json_body.h"
#include "api/query_values.h"
#include "api/received_documents.h"
#include "api/received_sight.h"
#include "api/reply_with.h"
#include "base/text.h"
#include "mail/domain_name.h"

#include <fmt/format.h>

namespace mailtight::api {

namespace {

constexpr std::size_t upload_bytes = 20u << 20; ///< as what reporters may POST

wire::http_reply refusal(upload_refusal why) {
    auto reply = why == upload_refusal::busy
                     ? wire::problem(503, "Service Unavailable", "other files are being read; try again")
                     : wire::problem(503, "Service Unavailable", "the database is away; try again later");
    reply.fields.emplace_back("Retry-After", "5");
    return reply;
}

/// The file of the body, or why it is none.
std::expected<upload, wire::http_reply> upload_of(call& asked) {
    if (asked.body.empty())
        return std::unexpected(bad_request("the body is the file: JSON, gzip, zip, a mail or an mbox"));
    if (asked.body.size() > upload_bytes)
        return std::unexpected(
            wire::problem(413, "Content Too Large",
                          fmt::format("a file of at most {} MiB is taken here; mailtight report import takes "
                                      "larger ones",
                                      upload_bytes >> 20)));
    auto name = base::printable(text_of(asked, "name"), 200);
    return upload{.name = name.empty() ? std::string("file") : std::move(name),
                  .bytes = std::move(asked.body)};
}

io::task<wire::http_reply> read(context& with, call asked) {
    auto file = upload_of(asked);
    if (!file)
        co_return std::move(file.error());
    auto found = co_await with.received->read(std::move(*file));
    if (!found)
        co_return refusal(found.error());
    co_return json_reply(read_document(std::move(*found)));
}

io::task<wire::http_reply> import(context& with, call asked) {
    auto file = upload_of(asked);
    if (!file)
        co_return std::move(file.error());
    auto done = co_await with.received->import(std::move(*file));
    if (!done)
        co_return refusal(done.error());
    co_return json_reply(imported_document(*done));
}

// ---- the synthetic report ----

io::task<wire::http_reply> begin_test(context& with, call asked) {
    constexpr std::size_t body_bytes = 4'096;
    const auto from = read_object(asked.body, body_bytes);
    const auto* typed = from && from->size() == 1 ? from->if_contains("domain") : nullptr;
    const auto domain = typed && typed->is_string()
                            ? mail::canonical_name(std::string_view(typed->as_string()))
                            : std::nullopt;
    if (!domain)
        co_return unprocessable("the body takes domain, the name of one");
    const auto may = co_await sight_of(with, asked.by);
    if (!may)
        co_return store_problem(may.error());
    if (!may->sees(*domain))
        co_return not_looked_after();
    const auto begun = co_await with.received->begin_test(*domain);
    if (!begun)
        co_return store_problem(begun.error());
    if (!*begun && begun->error() == test_refusal::not_ours)
        co_return not_looked_after();
    if (!*begun)
        co_return wire::problem(409, "Conflict", "a test of this domain is on its way, or too many are");
    co_return json_reply(report_test_document(**begun));
}

io::task<wire::http_reply> show_test(context& with, call asked) {
    const auto may = co_await sight_of(with, asked.by);
    if (!may)
        co_return store_problem(may.error());
    const auto found = co_await with.received->test(asked.item);
    if (!found)
        co_return store_problem(found.error());
    if (!*found || !may->sees((*found)->domain))
        co_return wire::problem(404, "Not Found", "there is no such test, or it is long ago");
    co_return json_reply(report_test_document(**found));
}

} // namespace

std::vector<route> report_file_routes() {
    const std::vector<query_parameter> name{{.name = "name", .description = "The file's name."}};
    return {
        {.method = "POST",
         .path = "/reports/read",
         .operation = "readReports",
         .summary = "Read and explain a file; nothing is stored",
         .description = "JSON, gzip, zip, a mail or an mbox of at most 20 MiB; every report in it.",
         .query = name,
         .request = "report-file",
         .answer = "read-answer",
         .problems = {413, 503},
         .tenants = true,
         .handle = read},
        {.method = "POST",
         .path = "/reports",
         .operation = "importReports",
         .summary = "Take a file of reports into the store",
         .description = "By the word of whoever hands it in; a mail is judged by its signature all the same.",
         .query = name,
         .request = "report-file",
         .answer = "reports-imported",
         .problems = {413, 503},
         .changes = true,
         .needs = role::operates,
         .handle = import},
        {.method = "POST",
         .path = "/report-tests",
         .operation = "testReportWay",
         .summary = "Send a synthetic report to each report address of a domain",
         .description = "It is not counted. The answer comes when each address was tried, or after some "
                        "seconds.",
         .request = "report-test-request",
         .answer = "report-test",
         .problems = {404, 409, 422, 503},
         .changes = true,
         .needs = role::operates,
         .tenants = true,
         .handle = begin_test},
        {.method = "GET",
         .path = "/report-tests/{token}",
         .operation = "getReportTest",
         .summary = "How far a synthetic report came",
         .answer = "report-test",
         .problems = {404, 503},
         .tenants = true,
         .handle = show_test},
    };
}

} // namespace mailtight::api
