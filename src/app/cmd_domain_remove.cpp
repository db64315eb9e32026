// SPDX-License-Identifier: Apache-2.0
// `domain remove`: no longer looked after. Refused while senders may hold a policy of it, for then nobody
// would keep the promise that the policy makes.
#include "app/domain_access.h"
#include "app/publish_commands.h"
#include "app/sending.h"
#include "app/store_access.h"
#include "app/terminal.h"
#include "app/typed.h"
#include "base/text.h"
#include "publish/carrier.h"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace mailtight::app {

namespace {

constexpr auto lease_time = std::chrono::seconds(60);

/// Why it must stay; "" : it may go.
store::result<std::string> why_not(store::domain_store& kept, const model::looked_after& domain,
                                   base::utc_seconds now) {
    auto past = publish::recall(kept, domain);
    if (!past)
        return std::unexpected(past.error());
    const bool serves = past->publication && !past->publication->body.empty();
    if (past->served.empty() && !serves)
        return std::string();
    const auto until = plan::bound_until(*past, now);
    if (serves && until <= now)
        return std::string("its policy of mode none is still served");
    if (serves)
        return fmt::format("its policy is still served, and senders may hold it until {}",
                           base::format_date(until));
    if (until > now)
        return fmt::format("senders may hold its policy until {}", base::format_date(until));
    return std::string();
}

} // namespace

int cmd_domain_remove(const common_options& common, const domain_options& options) {
    if (options.names.empty()) {
        complain("which domain? For example: mailtight domain remove example.com");
        return wrong_usage;
    }
    if (options.force && base::trim(options.wishes.why).empty()) {
        complain("--force needs a reason that is kept: --why 'the domain was sold'");
        return wrong_usage;
    }
    auto kept = open_domains_to_change(common.set);
    if (!kept) {
        complain(kept.error());
        return not_done;
    }
    const auto now = policy_now(common.set);
    int status = fine;
    for (const auto& typed : options.names) {
        const auto domain = take_domain(typed);
        if (!domain)
            return wrong_usage;
        const auto& name = domain->name;
        auto failed = [](const store::store_error& error) {
            complain(words(error));
            return not_done;
        };
        auto found = (*kept)->find(name);
        if (!found)
            return failed(found.error());
        if (!*found) {
            complain(fmt::format("{} is not looked after", name));
            status = problems_found;
            continue;
        }
        auto held = why_not(**kept, **found, now);
        if (!held)
            return failed(held.error());
        if (!held->empty() && !options.force) {
            complain(fmt::format("{} stays: {}", name, *held));
            say(fmt::format("the safe way is mailtight plan {} --to off --do, which ends in removing it; "
                            "--force --why REASON removes it now, and its policy is no longer served",
                            name));
            status = problems_found;
            continue;
        }
        auto lease =
            (*kept)->take_lease("plan/" + name, "command on " + machine_name_of(common.set), lease_time);
        if (!lease)
            return failed(lease.error());
        if (!*lease) {
            complain(fmt::format("the daemon works on {} just now; try again in a minute", name));
            status = problems_found;
            continue;
        }
        const auto published = (*kept)->published(name);
        if (!published)
            return failed(published.error());
        if (*published && !(*published)->body.empty()) {
            auto withdrawn = (*kept)->publish({.domain = name, .body = "", .id = "", .since = now}, **lease,
                                              person(), std::chrono::seconds(5));
            if (!withdrawn)
                return failed(withdrawn.error());
        }
        auto removed = (*kept)->remove(name, person(), options.wishes.why, now);
        static_cast<void>((*kept)->release_lease(**lease));
        if (!removed)
            return failed(removed.error());
        if (common.json)
            print(boost::json::serialize(boost::json::object{{"domain", name}, {"removed", true}}) + "\n");
        else
            print(
                fmt::format("{} is no longer looked after. Its log of policies and changes stays.\n", name));
        wake_daemon(common.set, std::span(&name, 1));
    }
    return status;
}

} // namespace mailtight::app
