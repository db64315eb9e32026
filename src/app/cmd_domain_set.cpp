// SPDX-License-Identifier: Apache-2.0
// `domain set`: changes what is wanted; each change is kept with who made it and why.
#include "app/domain_access.h"
#include "app/domain_wish.h"
#include "app/report_domains.h"
#include "app/store_access.h"
#include "app/terminal.h"
#include "app/typed.h"
#include "base/text.h"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace mailtight::app {

int cmd_domain_set(const common_options& common, const domain_options& options) {
    if (options.names.empty()) {
        complain("which domain? For example: mailtight domain set example.com --mode enforce");
        return wrong_usage;
    }
    const auto with = publish_settings_of(common.set);
    if (!with) {
        complain(with.error());
        return wrong_usage;
    }
    std::vector<std::string> names;
    for (const auto& typed : options.names) {
        const auto domain = take_domain(typed);
        if (!domain)
            return wrong_usage;
        names.push_back(domain->name);
    }
    auto kept = open_domains_to_change(common.set);
    if (!kept) {
        complain(kept.error());
        return not_done;
    }
    const auto now = policy_now(common.set);
    int status = fine;
    std::vector<std::string> changed;
    std::vector<model::looked_after> all;
    for (const auto& name : names) {
        for (bool again = true; again;) {
            again = false;
            auto found = (*kept)->find(name);
            if (!found) {
                complain(words(found.error()));
                return not_done;
            }
            if (!*found) {
                complain(fmt::format("{} is not looked after: mailtight domain add {}", name, name));
                status = problems_found;
                continue;
            }
            auto next = **found;
            if (auto taken = apply(options.wishes, next, *with); !taken) {
                complain(taken.error());
                return wrong_usage;
            }
            if (next != **found) {
                next.changed_at = now;
                auto saved = (*kept)->save(next, person(), options.wishes.why, now);
                if (!saved) {
                    complain(words(saved.error()));
                    return not_done;
                }
                again = *saved == store::domain_store::saved::outdated; // somebody was faster: once more
                if (again)
                    continue;
                changed.push_back(name);
            }
            if (common.json)
                print(boost::json::serialize(to_json(next)) + "\n");
            else
                print(
                    fmt::format("{}: {}{}\n", name, summary_of(next), next == **found ? " (as before)" : ""));
            all.push_back(std::move(next));
        }
    }
    if (changed.empty())
        return status;
    if (auto begun = begin_work(common.set, **kept, changed, now); !begun) {
        complain(begun.error());
        return not_done;
    }
    if (auto known = tell_reports_of(common.set, all); !known)
        say(known.error());
    if (!common.json)
        say(fmt::format("mailtight plan {} shows what follows", changed.front()));
    return status;
}

} // namespace mailtight::app
