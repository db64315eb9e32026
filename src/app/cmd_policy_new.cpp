// SPDX-License-Identifier: Apache-2.0
// `policy new`: the file alone on stdout, so that it can be redirected; on stderr where it must be reachable
// and what comes next.
#include "advise/render.h"
#include "app/options.h"
#include "app/terminal.h"
#include "app/typed.h"
#include "app/world.h"
#include "base/limits.h"
#include "base/text.h"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace mailtight::app {

namespace {

/// Without --mx the domain is looked at as `check` does, so that mode and MX come from evidence.
std::optional<model::observation> look(const common_options& common, const mail::typed_domain& domain,
                                       bool offline) {
    if (offline) {
        model::observation seen;
        seen.domain = domain.name;
        seen.display = domain.display;
        seen.checked_at = base::system_clock().now();
        return seen;
    }
    observe::observe_options what;
    what.every_server = false;
    auto made = world::make(common.set, what);
    if (!made) {
        complain(made.error());
        return {};
    }
    auto& with = **made;
    progress_line line;
    line.show(fmt::format("looking at {}…", domain.display));
    auto seen = with.loop.block_on(
        with.observer->look(domain.name, domain.display,
                            [&](const std::string& name, const std::string& stage, const std::string& words) {
                                line.show(fmt::format("{} · {}: {}", name, stage, words));
                            }));
    line.clear();
    return seen;
}

} // namespace

int cmd_policy_new(const common_options& common, const policy_options& options) {
    auto domain = take_domain(options.domain);
    auto mode = take_mode(options.mode);
    auto rua = take_rua(options.rua);
    if (!domain || !mode || !rua)
        return wrong_usage;
    if (options.max_age && *options.max_age > base::limits::max_age_max) {
        complain(fmt::format("--max-age is at most {} seconds (about a year)", base::limits::max_age_max));
        return wrong_usage;
    }
    advise::suggestion_options wanted;
    wanted.mode = *mode;
    wanted.max_age = options.max_age;
    wanted.keep_mx = options.keep_mx;
    wanted.rua = *rua;
    for (const auto& typed : options.mx) {
        const bool wildcard = typed.starts_with("*.");
        auto host = mail::to_ascii(wildcard ? typed.substr(2) : typed);
        const std::string pattern = (wildcard ? "*." : "") + base::lower(host.value_or(typed));
        const std::string plain = pattern.ends_with('.') ? pattern.substr(0, pattern.size() - 1) : pattern;
        if (!sts::valid_mx_pattern(plain)) {
            complain(fmt::format("--mx '{}' is no MX host and no pattern like *.example.com",
                                 base::printable(typed)));
            return wrong_usage;
        }
        wanted.mx.push_back(plain);
    }
    auto seen = look(common, *domain, !options.mx.empty());
    if (!seen)
        return wrong_usage;
    if (wanted.mx.empty() && model::is_dns_error(seen->mx_set.status)) {
        complain(fmt::format("the MX records of {} cannot be looked up ({}): give them with --mx",
                             domain->name, model::to_string(seen->mx_set.status)));
        return not_done;
    }
    const auto made = advise::suggest(*seen, wanted);
    if (made.policy.empty()) {
        complain(made.remarks.empty() ? std::string("no policy can be suggested for this domain")
                                      : base::printable(made.remarks.front()));
        return problems_found;
    }
    if (common.json) {
        print(boost::json::serialize(advise::suggestion_json(made)) + "\n");
        return fine;
    }
    print(made.policy);
    say(fmt::format("this file must be reachable at https://mta-sts.{}/.well-known/mta-sts.txt",
                    domain->name));
    say("as text/plain, without a redirect, under a certificate for mta-sts." + domain->name);
    for (const auto& remark : made.remarks)
        say(base::printable(remark));
    say(fmt::format("next: mailtight dns {}", domain->name));
    return fine;
}

} // namespace mailtight::app
