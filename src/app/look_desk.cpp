// SPDX-License-Identifier: Apache-2.0
#include "app/look_desk.h"

#include "advise/advise.h"
#include "advise/render.h"
#include "app/daemon_core.h"
#include "app/domain_access.h"
#include "app/live_look.h"
#include "mail/domain_name.h"
#include "publish/history.h"

#include <utility>

namespace mailtight::app {

namespace {

using api::look_stage;

/// A stage as the observer tells it: words where it is done, none where it begins.
look_stage stage_of(const std::string& domain, const std::string& stage, const std::string& words) {
    using enum look_stage::kind;
    look_stage out{.what = mail_server, .done = !words.empty(), .subject = stage, .words = words};
    if (stage == observe::stage_dns)
        out.what = dns, out.subject = domain;
    else if (stage == observe::stage_policy)
        out.what = policy, out.subject = "mta-sts." + domain;
    else if (stage == observe::stage_tlsrpt)
        out.what = tlsrpt, out.subject = "_smtp._tls." + domain;
    return out;
}

/// What is known here of a domain that is looked after, or that reports came about.
io::task<> add_known(daemon_core& core, model::observation& seen, const advise::judgement& judged) {
    const auto today = known_from({seen, judged});
    auto told = co_await core.ask<std::optional<model::report_evidence>>(
        [today, domain = seen.domain, at = seen.checked_at](store::store& from) {
            return report_evidence(from, today, domain, at);
        });
    if (told && *told)
        seen.reports = std::move(*told);
    auto with_history = co_await core.asker->run<model::observation>([set = core.set, copy = seen]() mutable {
        if (const auto kept = open_domains_if_there(set))
            static_cast<void>(publish::add_history(copy, *kept)); // what is not known is left out
        return std::move(copy);
    });
    seen = std::move(with_history);
}

io::task<boost::json::object> look(daemon_core& core, std::string domain, bool whole,
                                   std::function<void(look_stage)> told, std::function<bool()> wanted) {
    auto seen = co_await core.with->observer->look(
        domain, mail::to_unicode(domain),
        [&](const std::string& of, const std::string& stage, const std::string& words) {
            if (stage != observe::stage_done)
                told(stage_of(of, stage, words));
        },
        wanted);
    if (!wanted())
        co_return boost::json::object();
    told({.what = look_stage::kind::judge, .done = false, .subject = domain, .words = {}});
    auto judged = advise::judge(seen);
    if (whole) {
        co_await add_known(core, seen, judged);
        judged = advise::judge(seen);
    }
    told({.what = look_stage::kind::judge,
          .done = true,
          .subject = domain,
          .words = std::string(advise::to_string(judged.verdict))});
    auto said = advise::check_json(seen, judged);
    if (whole) // the pages of reports say by it whether a failure is still so
        core.looks.remember({std::move(seen), std::move(judged)});
    co_return said;
}

} // namespace

std::unique_ptr<api::look_desk> make_look_desk(daemon_core& core) {
    return std::make_unique<api::look_desk>(core.loop(), [&core](std::string domain, bool whole,
                                                                 std::function<void(look_stage)> told,
                                                                 std::function<bool()> wanted) {
        return look(core, std::move(domain), whole, std::move(told), std::move(wanted));
    });
}

} // namespace mailtight::app
