// SPDX-License-Identifier: Apache-2.0
// `cache refresh`, `cache purge`, `cache override`: through the daemon where one runs, else on the store.
#include "api/documents.h"
#include "app/control_client.h"
#include "app/local_sending.h"
#include "app/sending_commands.h"
#include "app/terminal.h"
#include "base/text.h"
#include "mail/next_hop.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <span>

#include <pwd.h>
#include <unistd.h>

namespace mailtight::app {

namespace {

int failed(const std::string& why) {
    complain(why);
    return not_done;
}

std::optional<mail::next_hop> take_hop(const std::string& typed) {
    auto hop = mail::parse_next_hop(typed);
    if (hop.can_have_policy())
        return hop;
    complain(fmt::format("'{}': {}", base::printable(typed, 253), mail::explain(hop.what)));
    return {};
}

/// What the daemon answered; an outer nothing where none runs.
std::optional<std::expected<boost::json::value, std::string>> tell_daemon(const common_options& common,
                                                                          const std::string& method,
                                                                          const std::string& path,
                                                                          const std::string& body = {}) {
    io::loop loop;
    auto said = call_daemon(loop, common.set, "/api/v1" + path, body, method);
    if (said)
        return std::expected<boost::json::value, std::string>(std::move(*said));
    if (said.error().what == control_error::kind::absent)
        return std::nullopt;
    return std::expected<boost::json::value, std::string>(std::unexpected(said.error().message));
}

std::string user_name() {
    if (const char* sudo = std::getenv("SUDO_USER"); sudo && *sudo)
        return base::printable(sudo, 64);
    const passwd* user = ::getpwuid(::geteuid());
    return user ? user->pw_name : fmt::format("uid {}", ::geteuid());
}

std::string text(const boost::json::value& from, std::string_view key) {
    const auto* object = from.if_object();
    const auto* value = object ? object->if_contains(key) : nullptr;
    return value && value->is_string() ? std::string(value->as_string()) : std::string();
}

bool flag(const boost::json::value& from, std::string_view key) {
    const auto* object = from.if_object();
    const auto* value = object ? object->if_contains(key) : nullptr;
    return value && value->is_bool() && value->as_bool();
}

int show_refreshed(const common_options& common, const boost::json::value& said) {
    if (common.json) {
        print(boost::json::serialize(said) + "\n");
        return fine;
    }
    const auto words = text(said, "words");
    if (!flag(said, "looked"))
        print(fmt::format("Not looked: {}\n", words.empty() ? "the last look was just now" : words));
    else
        print(fmt::format("{}{}\n", flag(said, "changed") ? "Changed: " : "",
                          words.empty() ? "it is as it was" : words));
    return fine;
}

/// Looks from here, and writes down what was seen.
int refresh_here(const common_options& common, const mail::next_hop& hop, const std::string& key) {
    auto to = policies_to_write(common.set);
    if (!to)
        return failed(to.error());
    std::vector<std::string> notes;
    auto here = local_sending::make(common.set, key, notes);
    if (!here) {
        complain(here.error());
        return wrong_usage;
    }
    const auto done = (*here)->refresh(key);
    if (const auto kept = (*here)->kept(hop.domain))
        if (auto written = to->opened->put(std::span(&*kept, 1)); !written)
            return failed(words(written.error()));
    return show_refreshed(common, boost::json::object{{"looked", done.looked},
                                                      {"changed", done.changed},
                                                      {"words", base::printable(done.words, 1'000)}});
}

} // namespace

int cmd_cache_refresh(const common_options& common, const cache_options& options) {
    const auto hop = take_hop(options.domain);
    if (!hop)
        return wrong_usage;
    const auto path = "/policy/" + path_segment(options.domain);
    if (!options.own_network) {
        const auto said =
            options.failed.empty()
                ? tell_daemon(common, "POST", path + "/refresh")
                : tell_daemon(common, "POST", path + "/failed",
                              boost::json::serialize(boost::json::object{{"words", options.failed}}));
        if (said && !*said)
            return failed(said->error());
        if (said && options.failed.empty())
            return show_refreshed(common, **said);
        if (said) {
            if (common.json)
                print(boost::json::serialize(**said) + "\n");
            else
                say(flag(**said, "looked") ? "it is being looked at" : "the last look was just now");
            return fine;
        }
    }
    return refresh_here(common, *hop, options.domain);
}

int cmd_cache_purge(const common_options& common, const cache_options& options) {
    if (options.all == !options.domain.empty()) {
        complain("say which domain, or --all");
        return wrong_usage;
    }
    std::optional<mail::next_hop> hop;
    if (!options.all && !(hop = take_hop(options.domain)))
        return wrong_usage;
    const auto said =
        tell_daemon(common, "DELETE", options.all ? "/policies" : "/policy/" + path_segment(options.domain));
    std::uint64_t removed = 0;
    if (said) {
        if (!*said)
            return failed(said->error());
        const auto* object = (*said)->if_object();
        const auto* count = object ? object->if_contains("removed") : nullptr;
        if (count && (count->is_int64() || count->is_uint64()))
            removed = count->to_number<std::uint64_t>();
    } else {
        auto to = policies_to_write(common.set);
        if (!to)
            return failed(to.error());
        std::vector<std::string> names;
        if (hop) {
            auto kept = to->opened->get(hop->domain);
            if (!kept)
                return failed(words(kept.error()));
            if (*kept)
                names.push_back(hop->domain);
        } else if (auto read = to->opened->each([&names](const model::kept_policy& row) {
                       names.push_back(row.domain);
                       return true;
                   });
                   !read) {
            return failed(words(read.error()));
        }
        if (auto gone = to->opened->remove(names); !gone)
            return failed(words(gone.error()));
        removed = names.size();
    }
    if (common.json)
        print(boost::json::serialize(boost::json::object{{"removed", removed}}) + "\n");
    else
        say(removed == 0   ? "nothing was remembered"
            : removed == 1 ? "forgotten; the next mail looks again"
                           : fmt::format("{} destinations are forgotten", removed));
    return fine;
}

int cmd_cache_override(const common_options& common, const cache_options& options) {
    const auto hop = take_hop(options.domain);
    if (!hop)
        return wrong_usage;
    if (options.remove == !options.as.empty()) {
        complain("say --as exempt, pin, testing or require, or --remove");
        return wrong_usage;
    }
    const auto path = "/override/" + path_segment(hop->domain);
    if (options.remove) {
        const auto said = tell_daemon(common, "DELETE", path);
        if (said && !*said)
            return failed(said->error());
        if (!said) {
            auto to = policies_to_write(common.set);
            if (!to)
                return failed(to.error());
            auto removed = to->opened->remove_override(hop->domain);
            if (!removed)
                return failed(words(removed.error()));
            if (!*removed)
                return failed(fmt::format("there is no exception for {}", hop->domain));
        }
        if (common.json)
            print(boost::json::serialize(boost::json::object{{"removed", 1}}) + "\n");
        else
            say(fmt::format("{} is treated as it asks for again", hop->domain));
        return fine;
    }
    const base::system_clock clock;
    auto made = api::make_override(hop->domain, options.as, options.mx, options.why, options.until,
                                   user_name(), clock.now());
    if (!made) {
        complain(made.error());
        return wrong_usage;
    }
    boost::json::object body{{"as", options.as}, {"why", options.why}, {"by", made->by}};
    if (!options.mx.empty())
        body["mx"] = boost::json::value_from(options.mx);
    if (!options.until.empty())
        body["until"] = options.until;
    const auto said = tell_daemon(common, "PUT", path, boost::json::serialize(body));
    if (said && !*said)
        return failed(said->error());
    if (!said) {
        auto to = policies_to_write(common.set);
        if (!to)
            return failed(to.error());
        if (auto written = to->opened->set_override(*made); !written)
            return failed(words(written.error()));
    }
    if (common.json)
        print(boost::json::serialize(api::override_document(*made, clock.now())) + "\n");
    else
        say(fmt::format("{} is {} now{}", hop->domain,
                        made->what == model::policy_override::kind::exempt    ? "exempt"
                        : made->what == model::policy_override::kind::pin     ? "pinned"
                        : made->what == model::policy_override::kind::testing ? "in testing"
                                                                              : "required to have a policy",
                        made->until ? ", until " + base::format_utc(*made->until) : ""));
    return fine;
}

} // namespace mailtight::app
