// SPDX-License-Identifier: Apache-2.0
// What deliveries came to: destinations, answers, results, reports of ours, in one page's figures.
#include "api/reply_with.h"
#include "api/route.h"
#include "api/system_desk.h"
#include "base/text.h"

namespace mailtight::api {

namespace {

namespace json = boost::json;

constexpr std::size_t words_bytes = 300;

json::object document(const sending_view& of) {
    json::object said;
    for (const auto& [word, count] : of.said)
        said[word] = count;
    json::array days, failures;
    for (const auto& each : of.days)
        days.push_back(json::object{
            {"day", base::format_date(each.day)}, {"success", each.success}, {"failure", each.failure}});
    for (const auto& each : of.failures)
        failures.push_back(json::object{{"domain", base::printable(each.domain, words_bytes)},
                                        {"result_type", tlsrpt::to_string(each.type)},
                                        {"mx", base::printable(each.mx, words_bytes)},
                                        {"reason", base::printable(each.reason, words_bytes)},
                                        {"count", each.count},
                                        {"day", base::format_date(each.day)}});
    return {
        {"destinations", of.destinations},
        {"decisions",
         json::object{
             {"enforce", of.enforce}, {"testing", of.testing}, {"none", of.none}, {"without", of.without}}},
        {"answers", of.answers},
        {"said", std::move(said)},
        {"days", std::move(days)},
        {"failures", std::move(failures)},
        {"outbox", json::object{{"waiting", of.outbox.waiting},
                                {"sent", of.outbox.sent},
                                {"refused", of.outbox.refused},
                                {"given_up", of.outbox.given_up}}},
        {"parts", json::object{{"policies", of.policies}, {"results", of.results}, {"reports", of.reports}}}};
}

io::task<wire::http_reply> show(context& with, call) {
    const auto seen = co_await with.system->sending();
    if (!seen)
        co_return store_problem(seen.error());
    co_return json_reply(document(*seen));
}

} // namespace

std::vector<route> sending_routes() {
    return {{.method = "GET",
             .path = "/sending",
             .operation = "getSending",
             .summary = "What deliveries came to",
             .description = "Destinations remembered, answers to mail servers, results of 30 days, the "
                            "worst failures of two days, and how reports of ours get out. Results are "
                            "summed up every few minutes.",
             .answer = "sending",
             .problems = {404, 503},
             .handle = show}};
}

} // namespace mailtight::api
