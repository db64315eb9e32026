// SPDX-License-Identifier: Apache-2.0
// `domain remove`: no longer looked after. Refused while senders may hold a policy of it, for then nobody
// would keep the promise that the policy makes.
#include "app/domain_access.h"
#include "app/domain_book.h"
#include "app/publish_commands.h"
#include "app/sending.h"
#include "app/store_access.h"
#include "app/terminal.h"
#include "app/typed.h"
#include "base/text.h"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace mailtight::app {

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
        const auto done = give_up(**kept, name, options.force, person(), options.wishes.why,
                                  "command on " + machine_name_of(common.set), now);
        if (!done)
            return failed(done.error());
        if (done->what != given_up::fate::gone) {
            status = problems_found;
            switch (done->what) {
            case given_up::fate::absent:
                complain(fmt::format("{} is not looked after", name));
                break;
            case given_up::fate::held:
                complain(fmt::format("{} stays: {}", name, done->words));
                say(fmt::format("the safe way is mailtight plan {} --to off --do, which ends in removing it; "
                                "--force --why REASON removes it now, and its policy is no longer served",
                                name));
                break;
            default:
                complain(fmt::format("the daemon works on {} just now; try again in a minute", name));
                break;
            }
            continue;
        }
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
