// SPDX-License-Identifier: Apache-2.0
// Reports received: lists, totals, failures with their causes, mutes, files read. Who sees the domains of one
// owner alone is asked for no others here: the question is narrowed to theirs, and an answer about something
// else is "not found".
#include "api/query_values.h"
#include "api/received_documents.h"
#include "api/reply_with.h"
#include "api/report_part.h"
#include "api/route.h"
#include "base/text.h"
#include "mail/domain_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace mailtight::api {

namespace {

constexpr std::size_t page_rows = 100, page_rows_most = 1'000, offset_most = 1'000'000;
constexpr int usual_days = 30, days_most = 3'660;
constexpr std::size_t upload_bytes = 20u << 20; ///< as what reporters may POST
constexpr std::size_t domains_most = 20'000;    ///< of one owner in one question

wire::http_reply bad_request(const std::string& why) {
    return wire::problem(400, "Bad Request", why);
}
wire::http_reply no_such_report() {
    return wire::problem(404, "Not Found", "there is no report of this number");
}
wire::http_reply no_such_domain() {
    return wire::problem(404, "Not Found", "this domain is not looked after here");
}

/// What a caller may see of the reports.
struct sight {
    bool all = true;
    std::vector<std::string> theirs; ///< in order; where not all
    own_domains told() const { return all ? std::nullopt : own_domains(theirs); }
    bool sees(std::string_view domain) const {
        return all || std::ranges::binary_search(theirs, base::lower(domain));
    }
    /// A report of theirs that tells of nothing but theirs and what lies below: some reporters put several
    /// domains, which may be several owners', into one. Of those the desk gives the part.
    bool sees(const std::string& report_domain, const std::vector<std::string>& named) const {
        return sees(report_domain) && std::ranges::all_of(named, [this](std::string_view name) {
                   return all || !theirs_of(name, theirs).empty();
               });
    }
};

io::task<store::result<sight>> sight_of(context& with, const caller& by) {
    sight made;
    if (!by.tenant)
        co_return made;
    made.all = false;
    auto names = co_await with.received->domains_of(*by.tenant);
    if (!names)
        co_return std::unexpected(names.error());
    made.theirs = std::move(*names);
    co_return made;
}

/// The question as it may be asked; `nothing`: there is nothing that it could find.
struct narrowed {
    store::filter of;
    sight may;
    bool nothing = false;
};

io::task<std::expected<narrowed, wire::http_reply>> narrow(context& with, const call& asked, int days) {
    auto of = read_filter(asked.query, std::chrono::floor<std::chrono::days>(with.received->now()), days);
    if (!of)
        co_return std::unexpected(bad_request(of.error()));
    if (of->from && of->to && days > 0 && (*of->to - *of->from).count() >= days_most)
        co_return std::unexpected(bad_request("ask about ten years at most"));
    auto may = co_await sight_of(with, asked.by);
    if (!may)
        co_return std::unexpected(store_problem(may.error()));
    narrowed made{.of = std::move(*of), .may = std::move(*may)};
    if (made.may.all)
        co_return made;
    if (!made.of.domains.empty()) {
        if (!made.may.sees(made.of.domains.front()))
            co_return std::unexpected(no_such_domain());
        co_return made;
    }
    made.nothing = made.may.theirs.empty(); // no names at all would be every domain
    if (made.may.theirs.size() > domains_most)
        co_return std::unexpected(
            bad_request(fmt::format("these are {} domains; name one by `domain`", made.may.theirs.size())));
    made.of.domains = made.may.theirs;
    co_return made;
}

// ---- reports ----

io::task<wire::http_reply> list(context& with, call asked) {
    auto to_ask = co_await narrow(with, asked, 0);
    if (!to_ask)
        co_return std::move(to_ask.error());
    const auto limit = rows_of(asked, page_rows, page_rows_most);
    const auto offset = static_cast<std::size_t>(number_of(asked, "offset", 0));
    if (offset > offset_most)
        co_return bad_request("no page begins so late: narrow the question by days");
    std::vector<store::report_row> rows;
    if (!to_ask->nothing) {
        auto found = co_await with.received->list(to_ask->of, {.limit = limit + 1, .offset = offset},
                                                  to_ask->may.told());
        if (!found)
            co_return store_problem(found.error());
        rows = std::move(*found);
    }
    auto out = report_list_document(rows, offset, limit);
    auto& shown = out.at("reports").as_array();
    for (std::size_t i = 0; i < shown.size(); ++i)
        shown[i].as_object()["part"] = !to_ask->may.all && rows[i].several;
    if (!to_ask->may.all) // whatever the desk says
        for (auto row = shown.begin(); row != shown.end();)
            row = to_ask->may.sees(row->at("report_domain").as_string()) ? row + 1 : shown.erase(row);
    co_return json_reply(out);
}

/// The report of the path, where there is one that the caller may see; else the answer.
template<class Report>
io::task<std::expected<Report, wire::http_reply>>
report_of(context& with, const call& asked,
          io::task<store::result<std::optional<Report>>> (received_desk::*look_up)(store::report_number,
                                                                                   own_domains)) {
    const auto wanted = number_in(asked.item, 0);
    if (wanted <= 0)
        co_return std::unexpected(no_such_report());
    const auto may = co_await sight_of(with, asked.by);
    if (!may)
        co_return std::unexpected(store_problem(may.error()));
    auto found = co_await ((*with.received).*look_up)(wanted, may->told());
    if (!found)
        co_return std::unexpected(store_problem(found.error()));
    if (!*found || !may->sees((*found)->report_domain, (*found)->named))
        co_return std::unexpected(no_such_report());
    co_return std::move(**found);
}

io::task<wire::http_reply> show(context& with, call asked) {
    auto found = co_await report_of(with, asked, &received_desk::show);
    if (!found)
        co_return std::move(found.error());
    co_return json_reply(std::move(found->document));
}

io::task<wire::http_reply> raw(context& with, call asked) {
    auto found = co_await report_of(with, asked, &received_desk::raw);
    if (!found)
        co_return std::move(found.error());
    if (found->json.empty())
        co_return wire::problem(404, "Not Found", "the body of this report is no longer kept");
    wire::http_reply reply;
    reply.media_type = "application/json";
    // The bytes are a stranger's: they are to be saved, not shown as a page of ours.
    reply.fields = {
        {"Content-Disposition", fmt::format("attachment; filename=\"report-{}.json\"", asked.item)},
        {"X-Content-Type-Options", "nosniff"}};
    reply.body = std::move(found->json);
    co_return reply;
}

// ---- totals ----

io::task<wire::http_reply> summary(context& with, call asked) {
    auto to_ask = co_await narrow(with, asked, usual_days);
    if (!to_ask)
        co_return std::move(to_ask.error());
    report_period found;
    if (!to_ask->nothing) {
        auto said = co_await with.received->summary(to_ask->of);
        if (!said)
            co_return store_problem(said.error());
        found = std::move(*said);
    }
    found.sums.from = to_ask->of.from;
    found.sums.to = to_ask->of.to;
    co_return json_reply(period_document(found));
}

io::task<wire::http_reply> failures(context& with, call asked) {
    auto to_ask = co_await narrow(with, asked, usual_days);
    if (!to_ask)
        co_return std::move(to_ask.error());
    failing_list found;
    if (!to_ask->nothing) {
        auto said = co_await with.received->failures(to_ask->of);
        if (!said)
            co_return store_problem(said.error());
        found = std::move(*said);
    }
    const auto silent = co_await with.received->mutes();
    if (!silent)
        co_return store_problem(silent.error());
    co_return json_reply(failing_document(found, *silent, with.received->now()));
}

// ---- mutes ----

io::task<wire::http_reply> list_mutes(context& with, call asked) {
    const auto may = co_await sight_of(with, asked.by);
    if (!may)
        co_return store_problem(may.error());
    const auto found = co_await with.received->mutes();
    if (!found)
        co_return store_problem(found.error());
    boost::json::array all;
    for (const auto& each : *found)
        if (may->sees(domain_of(each)))
            all.push_back(mute_document(each));
    co_return json_reply(boost::json::object{{"mutes", std::move(all)}});
}

io::task<wire::http_reply> set_mute(context& with, call asked) {
    auto wanted = read_mute(asked.body, asked.who, with.received->now());
    if (!wanted)
        co_return unprocessable(wanted.error());
    const auto may = co_await sight_of(with, asked.by);
    if (!may)
        co_return store_problem(may.error());
    if (!may->sees(domain_of(*wanted)))
        co_return no_such_domain();
    const auto document = mute_document(*wanted);
    if (auto kept = co_await with.received->set_mute(std::move(*wanted)); !kept)
        co_return store_problem(kept.error());
    co_return json_reply(document);
}

io::task<wire::http_reply> end_mute(context& with, call asked) {
    const auto may = co_await sight_of(with, asked.by);
    if (!may)
        co_return store_problem(may.error());
    const auto found = co_await with.received->mutes();
    if (!found)
        co_return store_problem(found.error());
    const auto one = std::ranges::find_if(*found, [&](const insight::mute& each) {
        return mute_name(each.key) == asked.item && may->sees(domain_of(each));
    });
    if (one == found->end())
        co_return wire::problem(404, "Not Found", "there is no such mute");
    if (auto ended = co_await with.received->end_mute(one->key); !ended)
        co_return store_problem(ended.error());
    co_return json_reply(boost::json::object{{"removed", 1}});
}

// ---- files ----

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
    boost::system::error_code error;
    const auto body =
        asked.body.size() > body_bytes ? boost::json::value() : boost::json::parse(asked.body, error);
    const auto* from = error ? nullptr : body.if_object();
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
        co_return no_such_domain();
    const auto begun = co_await with.received->begin_test(*domain);
    if (!begun)
        co_return store_problem(begun.error());
    if (!*begun && begun->error() == test_refusal::not_ours)
        co_return no_such_domain();
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

// ---- the table ----

constexpr query_parameter domain_parameter{.name = "domain", .description = "Only about this domain."};
std::vector<query_parameter> narrowing(std::vector<query_parameter> more) {
    std::vector<query_parameter> all{
        domain_parameter,
        {.name = "reporter", .description = "Only of this reporter, as lists name it."},
        {.name = "result", .description = "Only with failures of this result type."},
        {.name = "mx", .description = "Only with failures at this MX host."},
        {.name = "from", .description = "The first day, by the begin of the reports' periods."},
        {.name = "to", .description = "The last day, which is included."}};
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

std::vector<route> report_routes() {
    using enum query_parameter::type;
    return {
        {.method = "GET",
         .path = "/reports",
         .operation = "listReports",
         .summary = "Reports received, newest first",
         .description = "",
         .query = narrowing(
             {{.name = "what", .description = "counted (as usual), quarantined, tests or all."},
              {.name = "failures", .takes = yes, .description = "Only those with failed sessions."},
              {.name = "offset", .takes = number, .description = "For pages: what `next` said."},
              {.name = "limit", .takes = number, .description = "1 to 1000; 100 where it is left out."}}),
         .request = "",
         .answer = "report-list",
         .problems = {404, 503},
         .tenants = true,
         .handle = list},
        {.method = "GET",
         .path = "/reports/{number}",
         .operation = "getReport",
         .summary = "One report, each failure with its cause and fix",
         .description = "Of a very large report the first thousand rows are shown; `left_out` counts the "
                        "others.",
         .query = {},
         .request = "",
         .answer = "stored-report",
         .problems = {404, 503},
         .tenants = true,
         .handle = show},
        {.method = "GET",
         .path = "/reports/{number}/raw",
         .operation = "getRawReport",
         .summary = "The JSON text of a report as it came",
         .description = "What its reporter wrote, right or wrong; 404 where it is no longer kept.",
         .query = {},
         .request = "",
         .answer = "raw-report",
         .problems = {404, 503},
         .tenants = true,
         .handle = raw},
        {.method = "GET",
         .path = "/report-summary",
         .operation = "summariseReports",
         .summary = "What the reports of a period say together",
         .description = "The last 30 days where no period is said.",
         .query = narrowing({}),
         .request = "",
         .answer = "report-summary",
         .problems = {404, 503},
         .tenants = true,
         .handle = summary},
        {.method = "GET",
         .path = "/failures",
         .operation = "listFailures",
         .summary = "Failures by kind, each with its cause and fix",
         .description = "The last 30 days where no period is said. What a look at the domain showed in the "
                        "last minutes is joined with them.",
         .query = narrowing({}),
         .request = "",
         .answer = "failure-list",
         .problems = {404, 503},
         .tenants = true,
         .handle = failures},
    };
}

std::vector<route> mute_routes() {
    return {
        {.method = "GET",
         .path = "/mutes",
         .operation = "listMutes",
         .summary = "What no alarm tells of for now",
         .description = "",
         .query = {},
         .request = "",
         .answer = "mute-list",
         .problems = {503},
         .tenants = true,
         .handle = list_mutes},
        {.method = "POST",
         .path = "/mutes",
         .operation = "mute",
         .summary = "Silence the alarms of a kind of failure",
         .description = "They are still counted and shown.",
         .query = {},
         .request = "mute-request",
         .answer = "mute",
         .problems = {404, 422, 503},
         .changes = true,
         .needs = role::operates,
         .tenants = true,
         .handle = set_mute},
        {.method = "DELETE",
         .path = "/mutes/{name}",
         .operation = "endMute",
         .summary = "Let alarms speak again",
         .description = "",
         .query = {},
         .request = "",
         .answer = "removed",
         .problems = {404, 503},
         .changes = true,
         .needs = role::operates,
         .tenants = true,
         .handle = end_mute},
    };
}

std::vector<route> file_routes() {
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
         .query = {},
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
         .description = "",
         .query = {},
         .request = "",
         .answer = "report-test",
         .problems = {404, 503},
         .tenants = true,
         .handle = show_test},
    };
}

} // namespace

std::vector<route> received_routes() {
    auto all = report_routes();
    for (auto&& some : {mute_routes(), file_routes()})
        all.insert(all.end(), some.begin(), some.end());
    return all;
}

} // namespace mailtight::api
