// SPDX-License-Identifier: Apache-2.0
// `resolve`: what a sender does for a destination. The daemon is asked where one runs, since mail servers get
// its answers; with network options of one's own, or without a daemon, the same service looks from here.
#include "app/control_client.h"
#include "app/local_sending.h"
#include "app/sending_commands.h"
#include "app/terminal.h"
#include "base/text.h"
#include "mail/next_hop.h"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace mailtight::app {

namespace {

std::string text(const boost::json::object& from, std::string_view key) {
    const auto* value = from.if_contains(key);
    return value && value->is_string() ? std::string(value->as_string()) : std::string();
}

/// The decision as the API has it, from the daemon or from here.
std::expected<boost::json::object, int> ask(const common_options& common, const resolve_options& options) {
    std::string query = fmt::format("?explain=1&width={}", terminal_width());
    if (options.live)
        query += "&live=1";
    if (!options.dialect.empty())
        query += "&dialect=" + path_segment(options.dialect);
    if (!options.own_network) {
        io::loop loop;
        auto said = call_daemon(loop, common.set, "/api/v1/policy/" + path_segment(options.domain) + query);
        if (said && said->is_object())
            return said->as_object();
        if (said || said.error().what == control_error::kind::broken)
            say(fmt::format("the daemon: {}; looking from here",
                            said ? "its answer cannot be read" : said.error().message));
    }
    std::vector<std::string> notes;
    auto here = local_sending::make(common.set, options.domain, notes);
    if (!here) {
        complain(here.error());
        return std::unexpected(static_cast<int>(wrong_usage));
    }
    for (const auto& note : notes)
        say(note);
    const auto said = (*here)->decide(options.domain, options.live);
    boost::system::error_code error;
    auto value = boost::json::parse(resolve::to_json(*said, (*here)->replies(), (*here)->now()), error);
    if (error || !value.is_object())
        return std::unexpected(static_cast<int>(not_done));
    auto& out = value.as_object();
    out["explanation"] = resolve::explain(*said, (*here)->replies(), (*here)->now(), terminal_width());
    if (const auto in = resolve::dialect_of(options.dialect)) {
        const auto reply = resolve::render(*in, *said, (*here)->replies());
        constexpr std::string_view first[] = {"OK", "NOTFOUND", "TEMP", "PERM"};
        out["reply"] = boost::json::object{{"dialect", resolve::to_string(*in)},
                                           {"status", first[static_cast<std::size_t>(reply.what)]},
                                           {"text", reply.text}};
    }
    return std::move(out);
}

} // namespace

int cmd_resolve(const common_options& common, const resolve_options& options) {
    if (!options.dialect.empty() && !resolve::dialect_of(options.dialect)) {
        complain(fmt::format("--dialect takes postfix, postfix-legacy, postfix-3.10, sts, QUERY or "
                             "QUERYwithTLSRPT, not '{}'",
                             base::printable(options.dialect)));
        return wrong_usage;
    }
    const auto hop = mail::parse_next_hop(options.domain);
    if (!hop.can_have_policy()) {
        complain(fmt::format("'{}': {}", base::printable(options.domain, 253), mail::explain(hop.what)));
        return wrong_usage;
    }
    auto said = ask(common, options);
    if (!said)
        return said.error();
    if (!common.json && !options.dialect.empty()) {
        const auto* reply = said->if_contains("reply");
        if (!reply || !reply->is_object())
            return not_done;
        print(fmt::format("{} {}\n", text(reply->as_object(), "status"), text(reply->as_object(), "text")));
    } else if (common.json) {
        auto shown = *said;
        if (!options.explain)
            shown.erase("explanation");
        print(boost::json::serialize(shown) + "\n");
    } else {
        print(text(*said, "explanation"));
    }
    if (text(*said, "decision") == "unknown")
        return not_done;
    const auto* errors = said->if_contains("errors");
    return errors && errors->is_array() && !errors->as_array().empty() ? problems_found : fine;
}

} // namespace mailtight::app
