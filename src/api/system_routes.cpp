// SPDX-License-Identifier: Apache-2.0
// The system: the daemon's parts, what this host lacks, certificates. Of the whole installation, so not for
// who sees the domains of one owner alone.
#include "api/reply_with.h"
#include "api/route.h"
#include "api/system_desk.h"

#include <utility>

namespace mailtight::api {

namespace {

io::task<wire::http_reply> status(context& with, call) {
    co_return json_reply(co_await with.system->status());
}

io::task<wire::http_reply> doctor(context& with, call asked) {
    const auto again = asked.query.find("again");
    auto seen = co_await with.system->doctor(again != asked.query.end() &&
                                             (again->second == "1" || again->second == "true"));
    boost::json::object out{{"looked_at", nullptr}, {"looking", seen.looking}};
    if (seen.looked_at)
        out["looked_at"] = base::format_utc(*seen.looked_at);
    out["checks"] = std::move(seen.checks);
    co_return json_reply(out);
}

io::task<wire::http_reply> certificates(context& with, call) {
    auto rows = co_await with.system->certificates();
    if (!rows)
        co_return store_problem(rows.error());
    co_return json_reply(boost::json::object{{"certificates", std::move(*rows)}});
}

} // namespace

std::vector<route> system_routes() {
    return {
        {.method = "GET",
         .path = "/status",
         .operation = "getStatus",
         .summary = "The daemon, part by part",
         .description = "As `mailtight status --json`.",
         .answer = "status",
         .problems = {404},
         .needs = role::operates,
         .handle = status},
        {.method = "GET",
         .path = "/doctor",
         .operation = "getDoctor",
         .summary = "What this host has and lacks",
         .description = "As `mailtight doctor --json`, of the last minutes. While the first look is under "
                        "way, `looked_at` is null: ask again.",
         .query = {{.name = "again",
                    .takes = query_parameter::type::yes,
                    .description = "Look now, however fresh the last look is."}},
         .answer = "doctor",
         .problems = {404},
         .needs = role::operates,
         .handle = doctor},
        {.method = "GET",
         .path = "/certificates",
         .operation = "listCertificates",
         .summary = "Certificates of policy hosts",
         .description = "As `mailtight certificate list --json`.",
         .answer = "certificate-list",
         .problems = {404, 503},
         .needs = role::operates,
         .handle = certificates},
    };
}

} // namespace mailtight::api
