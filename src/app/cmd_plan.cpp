// SPDX-License-Identifier: Apache-2.0
// `plan`: the steps from where a domain is to where it should be. What is said on the command line is tried
// on the plan alone; with --do it becomes what is wanted, and the next step is carried out.
#include "app/domain_access.h"
#include "app/domain_wish.h"
#include "app/plan_bench.h"
#include "app/publish_commands.h"
#include "app/publish_marks.h"
#include "app/store_access.h"
#include "app/typed.h"
#include "base/text.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace mailtight::app {

namespace {

int failed(const bench_error& why) {
    complain(why.words);
    return why.status;
}

} // namespace

int cmd_plan(const common_options& common, const plan_request& options) {
    const auto domain = take_domain(options.domain);
    if (!domain)
        return wrong_usage;
    if (options.force && base::trim(options.why).empty()) {
        complain("--force needs a reason that is kept: --why 'the reports are read elsewhere'");
        return wrong_usage;
    }
    if (!options.said.empty() && options.said != report_way_mark && options.said != checked_mx_mark) {
        complain(fmt::format("--said takes {} (the report mailbox is there) or {} (mail servers that cannot "
                             "be tested from here are in order), not '{}'",
                             report_way_mark, checked_mx_mark, base::printable(options.said)));
        return wrong_usage;
    }
    auto made = plan_bench::make(common, options.act || !options.said.empty());
    if (!made)
        return failed(made.error());
    auto& bench = **made;
    auto found = bench.find(domain->name);
    if (!found)
        return failed({not_done, found.error()});
    const bool ours = found->has_value();
    model::looked_after wish;
    if (ours) {
        wish = **found;
    } else {
        wish.domain = domain->name;
        wish.host = bench.say().policy_host.empty() ? model::hosting::elsewhere : model::hosting::here;
        wish.leave = bench.say().leave;
    }
    const auto before = wish;
    if (auto tried = try_on(options, wish); !tried) {
        complain(tried.error().text());
        return wrong_usage;
    }
    if (options.force)
        wish.marks["forced"] = {.at = bench.now(), .by = person(), .text = options.why};
    if (!ours && (options.act || !options.said.empty())) {
        complain(fmt::format("{} is not looked after: mailtight domain add {}", domain->name, domain->name));
        return wrong_usage;
    }
    const model::mark said{.at = bench.now(), .by = person(), .text = base::printable(options.why, 300)};
    if (!options.said.empty()) {
        wish.marks[options.said] = said;
        if (auto set = bench.kept()->set_mark(domain->name, options.said, said); !set)
            return failed({not_done, words(set.error())});
        if (auto due = bench.kept()->plan_work("plan", domain->name, store::person_asks); !due)
            return failed({not_done, words(due.error())});
        wake_daemon(common.set, std::span(&domain->name, 1));
    }
    progress_line line(!common.json);
    const auto show = [&](const plan::plan& next) {
        if (common.json)
            print(plan::render_json(next) + "\n");
        else
            print(plan::render_text(next, bench.now(), terminal_width(), stdout_colour()));
    };
    if (!options.act) {
        auto planned =
            !ours && options.to.empty() ? bench.plan_onwards(wish, line) : bench.plan_for(wish, line);
        if (!planned)
            return failed({not_done, planned.error()});
        show(planned->next);
        if (!common.json && !ours)
            say(fmt::format(
                "nothing is known of the past of {}, so the plan is careful; mailtight domain add "
                "{} looks after it",
                domain->name, domain->name));
        else if (!common.json && wish != before && options.said.empty())
            say("this is a preview; with --do it is wanted, and the next step is done");
        return fine;
    }
    if (wish != before) {
        wish.changed_at = bench.now();
        if (options.force)
            if (auto set = bench.kept()->set_mark(domain->name, "forced", wish.marks["forced"]); !set)
                return failed({not_done, words(set.error())});
        auto saved = bench.kept()->save(wish, person(), options.why, bench.now());
        if (!saved)
            return failed({not_done, words(saved.error())});
        if (*saved != store::domain_store::saved::yes)
            return failed({not_done, "somebody else changed the domain just now: look again"});
        if (auto planned = bench.kept()->plan_work("plan", domain->name, store::person_asks); !planned)
            return failed({not_done, words(planned.error())});
    }
    auto done = bench.carry_out(domain->name, line);
    if (!done)
        return failed(done.error());
    if (done->busy &&
        wish != before) { // what is wanted is in the store: whoever has it now goes on with that
        if (common.json) {
            auto planned = bench.plan_for(wish, line);
            if (!planned)
                return failed({not_done, planned.error()});
            show(planned->next);
        }
        say(fmt::format("saved; {} is being worked on, and what you want is carried out after that",
                        domain->name));
        return fine;
    }
    if (common.json) {
        boost::system::error_code error;
        auto document =
            boost::json::parse(done->by_daemon ? done->json : plan::render_json(done->next), error);
        if (!error && document.is_object()) {
            document.as_object()["did"] = done->did;
            document.as_object()["failed"] = done->failed;
        }
        print(boost::json::serialize(document) + "\n");
    } else {
        print(done->by_daemon
                  ? done->text
                  : plan::render_text(done->next, bench.now(), terminal_width(), stdout_colour()));
        if (!done->did.empty())
            say("done: " + done->did);
    }
    if (!done->failed.empty()) {
        complain(done->failed);
        return not_done;
    }
    if (done->did.empty() && !common.json)
        say("nothing can be done for you just now: the plan says what waits, and for whom");
    return fine;
}

} // namespace mailtight::app
