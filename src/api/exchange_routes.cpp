// SPDX-License-Identifier: Apache-2.0
// Policies taken out and put in: what exchange.h reads and writes.
#include "api/query_values.h"
#include "api/reply_with.h"
#include "api/route.h"
#include "base/text.h"
#include "resolve/exchange.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <deque>
#include <memory>
#include <optional>

namespace mailtight::api {

namespace {

constexpr std::size_t rows_of_a_page = 1'000, rows_most = 10'000;
constexpr std::size_t refusals_shown = 100;
constexpr std::size_t looks_at_once = 20;
constexpr std::size_t looks_most = 100'000;

io::task<wire::http_reply> out(context& with, call asked) {
    auto page = co_await with.stored(text_of(asked, "after"), rows_of(asked, rows_of_a_page, rows_most), "");
    if (!page)
        co_return store_problem(page.error());
    wire::http_reply reply;
    reply.media_type = "application/x-ndjson";
    reply.body = resolve::exchange_header(with.clock.now());
    for (const auto& row : page->rows)
        reply.body += resolve::exchange_line(row);
    if (page->more && !page->rows.empty())
        reply.fields.emplace_back("Link", fmt::format("<{}/export?after={}&limit={}>; rel=\"next\"", root,
                                                      page->rows.back().domain, page->rows.size()));
    co_return reply;
}

io::task<> look_up(context* with, std::shared_ptr<std::deque<std::string>> domains) {
    while (!domains->empty()) {
        auto domain = std::move(domains->front());
        domains->pop_front();
        co_await with->policies->decide(std::move(domain));
    }
}

io::task<wire::http_reply> in(context& with, call asked) {
    std::vector<model::kept_policy> policies;
    auto domains = std::make_shared<std::deque<std::string>>();
    boost::json::array refused;
    std::uint64_t refused_lines = 0;
    std::optional<resolve::exchange_error> whole; // nothing of it could be read
    resolve::read_exchange(asked.body, with.clock.now(),
                           {.policy = [&](model::kept_policy one) { policies.push_back(std::move(one)); },
                            .look_up =
                                [&](std::string domain) {
                                    if (domains->size() < looks_most)
                                        domains->push_back(std::move(domain));
                                },
                            .refused =
                                [&](const resolve::exchange_error& error) {
                                    ++refused_lines;
                                    if (error.fault == resolve::exchange_fault::unknown_format ||
                                        error.fault == resolve::exchange_fault::version)
                                        whole = error;
                                    if (refused.size() < refusals_shown)
                                        refused.push_back(boost::json::object{
                                            {"line", error.line},
                                            {"why", fmt::format("{}{}{}", resolve::explain(error.fault),
                                                                error.detail.empty() ? "" : ": ",
                                                                base::printable(error.detail, 200))}});
                                }});
    asked.body.clear();
    if (whole)
        co_return unprocessable(resolve::explain(whole->fault));
    const auto taken = co_await with.policies->adopt(std::move(policies));
    const auto look_ups = domains->size();
    for (std::size_t i = 0; i < std::min(looks_at_once, look_ups); ++i)
        with.loop.spawn(look_up(&with, domains));
    co_return json_reply(boost::json::object{{"taken", taken},
                                             {"look_ups", look_ups},
                                             {"refused_lines", refused_lines},
                                             {"refused", std::move(refused)}});
}

} // namespace

std::vector<route> exchange_routes() {
    return {
        {.method = "GET",
         .path = "/export",
         .operation = "exportPolicies",
         .summary = "What is remembered, to be taken elsewhere",
         .description = "In pages: the Link field of an answer names the next one.",
         .query = {{.name = "after", .description = "Begin behind this domain."},
                   {.name = "limit",
                    .takes = query_parameter::type::number,
                    .description = "Destinations of a page, 1 to 10000; 1000 where it is left out."}},
         .answer = "export",
         .media = "application/x-ndjson",
         .problems = {503},
         .handle = out},
        {.method = "POST",
         .path = "/policies",
         .operation = "importPolicies",
         .summary = "Take policies over",
         .description = "What is held and was fetched later stays. Lines that cannot be used are refused one "
                        "by one.",
         .request = "import-request",
         .answer = "imported",
         .problems = {413, 422},
         .changes = true,
         .needs = role::operates,
         .handle = in},
    };
}

} // namespace mailtight::api
