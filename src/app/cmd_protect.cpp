// SPDX-License-Identifier: Apache-2.0
// `protect`: a person is led from wherever the domain is to where it should be, one step at a time, each
// asked about before it is done. Nothing of the way is kept but what was done, so it may be left at any
// point and taken up again.
#include "advise/advise.h"
#include "app/domain_access.h"
#include "app/domain_wish.h"
#include "app/plan_bench.h"
#include "app/publish_commands.h"
#include "app/publish_marks.h"
#include "app/report_domains.h"
#include "app/sending.h"
#include "app/store_access.h"
#include "app/typed.h"
#include "base/text.h"
#include "publish/export.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>

#include <unistd.h>

namespace mailtight::app {

namespace {

constexpr auto lease_time = std::chrono::seconds(60);

int failed(const std::string& why, int status = not_done) {
    complain(why);
    return status;
}

void paragraph(const std::string& text, std::size_t indent = 0) {
    const std::string space(indent, ' ');
    for (const auto& line : base::wrap(text, terminal_width() - indent))
        print(space + line + "\n");
}

/// A line of the person's; nothing where standard input ended.
std::optional<std::string> ask(const std::string& question) {
    print(question);
    std::fflush(stdout);
    std::string line;
    if (!std::getline(std::cin, line)) {
        print("\n");
        return {};
    }
    return std::string(base::trim(line));
}

enum class reply { yes, no, leave };
/// Enter means `otherwise`.
reply ask_yes(const std::string& question, reply otherwise) {
    for (;;) {
        const auto line = ask(fmt::format("{} [{}/q] ", question, otherwise == reply::yes ? "Y/n" : "y/N"));
        if (!line)
            return reply::leave;
        const std::string word = base::lower(*line);
        if (word.empty())
            return otherwise;
        if (word == "y" || word == "yes")
            return reply::yes;
        if (word == "n" || word == "no")
            return reply::no;
        if (word == "q" || word == "quit")
            return reply::leave;
        print("  y for yes, n for no, q to leave (mailtight protect goes on from here)\n");
    }
}

void show_records(const plan::step& step) {
    for (const auto& change : step.records) {
        for (const bool adding : {false, true})
            for (const auto& value : adding ? change.add : change.remove) {
                print(fmt::format("    {}\n", adding ? "Publish" : "Delete"));
                print(fmt::format("      Name   {}\n      Type   {}\n      Value  {}\n", change.name,
                                  change.type, base::printable(value)));
                if (adding)
                    print(fmt::format("      TTL    {}\n", change.ttl));
            }
    }
}

void show_step(const plan::step& step, base::utc_seconds now) {
    print("\n");
    paragraph(step.title);
    if (!step.why.empty())
        paragraph(step.why, 2);
    if (!step.blocked.empty())
        paragraph("In the way: " + step.blocked, 2);
    if (step.not_before && *step.not_before > now)
        paragraph(fmt::format("Not before {} (in {}){}.", base::format_utc(*step.not_before),
                              base::format_duration(*step.not_before - now),
                              step.until_words.empty() ? "" : ": " + step.until_words),
                  2);
    if (step.records.empty() && !step.how.empty() && !step.on_word)
        for (const auto line : base::split(step.how, '\n'))
            paragraph(std::string(line), 4);
    show_records(step);
}

void show_timers(const std::string& domain) {
    print(fmt::format(
        "\nNo daemon runs here, so let a timer remind you. For systemd, mailtight-check.service:\n"
        "    [Service]\n    Type=oneshot\n    ExecStart=/usr/bin/mailtight check --changed\n"
        "and mailtight-check.timer:\n"
        "    [Timer]\n    OnCalendar=daily\n    RandomizedDelaySec=4h\n    Persistent=true\n"
        "    [Install]\n    WantedBy=timers.target\n"
        "Or for cron, which mails what it prints:\n"
        "    23 6 * * *  /usr/bin/mailtight check --changed\n"
        "It tells what changed at {} and when its next step is due.\n",
        domain));
}

class guide {
public:
    guide(const common_options& common, plan_bench& bench, std::string domain)
        : common_(common)
        , bench_(bench)
        , domain_(std::move(domain)) {}

    int run() {
        auto found = bench_.find(domain_);
        if (!found)
            return failed(found.error());
        if (!*found) {
            if (const int status = begin(); status != fine || !added_)
                return status;
        }
        for (;;) {
            auto wish = bench_.find(domain_);
            if (!wish)
                return failed(wish.error());
            if (!*wish)
                return failed(fmt::format("{} is no longer looked after", domain_));
            auto planned = bench_.plan_for(**wish, line_);
            if (!planned)
                return failed(planned.error());
            if (const auto status = step(**wish, *planned))
                return *status;
        }
    }

private:
    /// The domain is new: what is wanted of it is asked.
    int begin() {
        model::looked_after wish;
        wish.domain = domain_;
        wish.leave = bench_.say().leave;
        wish.host = bench_.say().policy_host.empty() ? model::hosting::elsewhere : model::hosting::here;
        auto planned = bench_.plan_for(wish, line_);
        if (!planned)
            return failed(planned.error());
        const auto& judged = planned->look.judged;
        print(fmt::format("{} is {} now.\n", domain_, advise::to_string(judged.verdict)));
        const auto errors =
            std::ranges::count(judged.findings, findings::severity::error, &findings::finding::severity);
        if (errors > 0)
            print(fmt::format("mailtight check {} explains the {} problem{} that it has.\n", domain_, errors,
                              errors == 1 ? "" : "s"));
        print("\n");
        paragraph(fmt::format("From here each step is shown with its reason, and nothing is changed before "
                              "you say so. Leave with q whenever you like; mailtight protect {} goes on "
                              "where you left.",
                              domain_));
        domain_wishes said;
        if (const auto done = ask_hosting(said); done != reply::yes)
            return fine;
        if (const auto done = ask_dns(said); done != reply::yes)
            return fine;
        if (const auto done = ask_reports(said, planned->past.rua); done != reply::yes)
            return fine;
        auto made = new_domain(domain_, said, bench_.say(), bench_.now());
        if (!made)
            return failed(made.error(), wrong_usage);
        made->aim = model::aim::enforce;
        made->leave = model::leave::nothing; // a daemon does no step of its own while a person is asked
        const auto saved = bench_.kept()->save(*made, person(), "protect", bench_.now());
        if (!saved)
            return failed(words(saved.error()));
        const std::vector<std::string> names = {domain_};
        if (auto begun = begin_work(common_.set, *bench_.kept(), names, bench_.now()); !begun)
            return failed(begun.error());
        if (auto known = tell_reports_of(common_.set, std::span(&*made, 1)); !known)
            say(known.error());
        print(fmt::format("\n{} is looked after from now on: {}.\n", domain_, summary_of(*made)));
        added_ = true;
        return fine;
    }

    reply ask_hosting(domain_wishes& said) {
        const auto& host = bench_.say().policy_host;
        print("\nWho shall serve the policy file?\n");
        print(host.empty()
                  ? "  1  this program (needs publish.listen and publish.policy-host in the configuration)\n"
                  : fmt::format("  1  this program, at {}\n", host));
        print("  2  a web server of yours\n  3  a provider, by CNAME\n");
        for (;;) {
            const auto line = ask(fmt::format("Which? [{}/q] ", host.empty() ? "2" : "1"));
            if (!line || base::lower(*line) == "q")
                return reply::leave;
            const std::string word = line->empty() ? (host.empty() ? "2" : "1") : *line;
            if (word == "1" && host.empty()) {
                print("  set publish.listen and publish.policy-host first, then start again\n");
                continue;
            }
            if (word != "1" && word != "2" && word != "3")
                continue;
            said.hosting = word == "1" ? "here" : word == "2" ? "elsewhere" : "delegated";
            return reply::yes;
        }
    }
    reply ask_dns(domain_wishes& said) {
        const auto& say_of = bench_.say();
        said.dns = "hand";
        if (say_of.servers.empty() && !say_of.hook)
            return reply::yes;
        const std::string way = say_of.servers.empty()
                                    ? "the command of dns-update.hook"
                                    : fmt::format("dynamic update to {}", say_of.servers.front().name);
        const auto answer = ask_yes(fmt::format("\nMay the DNS records be written by {}?", way), reply::yes);
        if (answer == reply::yes)
            said.dns = say_of.servers.empty() ? "hook" : "update";
        return answer == reply::leave ? reply::leave : reply::yes;
    }
    reply ask_reports(domain_wishes& said, const std::vector<std::string>& known) {
        const std::string offered = known.empty() ? "mailto:tls-reports@" + domain_ : base::join(known, ", ");
        for (;;) {
            const auto line = ask(fmt::format("\nWhere shall reports about {} go? [{}] ", domain_, offered));
            if (!line || base::lower(*line) == "q")
                return reply::leave;
            if (line->empty()) {
                if (known.empty())
                    said.rua = {offered};
                return reply::yes;
            }
            if (auto uri = tlsrpt::understand_rua(*line)) {
                said.rua = {uri->text};
                return reply::yes;
            } else {
                print(fmt::format("  {}\n", uri.error()));
            }
        }
    }

    /// One step; the exit status where the way ends here for now.
    std::optional<int> step(const model::looked_after& wish, const plan_bench::planned& planned) {
        const auto* next = planned.next.next();
        const auto& seen = planned.look.told.seen;
        published_ = seen.policy && seen.sts.state == plan::record_seen::what::one;
        for (const auto& warning : planned.next.warnings)
            if (std::ranges::find(told_, warning) == told_.end()) {
                told_.push_back(warning);
                paragraph("Note: " + warning);
            }
        if (planned.next.finished || !next) {
            print(fmt::format("\n{} is where it should be: {}.\n", domain_, planned.next.to));
            return end(planned.next);
        }
        const auto& to_do = *next;
        if (to_do.state == plan::step_state::waiting || to_do.state == plan::step_state::later) {
            show_step(to_do, bench_.now());
            if (to_do.kind == plan::step_kind::report_way)
                return report_way(to_do);
            return end(planned.next);
        }
        show_step(to_do, bench_.now());
        if (to_do.kind == plan::step_kind::report_way)
            return report_way(to_do);
        if (to_do.kind == plan::step_kind::come_back)
            return end(planned.next);
        if (to_do.by == plan::step_actor::us || to_do.on_word)
            return ours(planned.next);
        if (to_do.kind == plan::step_kind::serve_policy && !to_do.policy.empty())
            if (const auto left = offer_file(to_do))
                return left;
        return theirs(planned.next, wish);
    }

    std::optional<int> report_way(const plan::step& what) {
        static_cast<void>(what);
        print(fmt::format("  mailtight report test {} proves the way once the record is published.\n",
                          domain_));
        switch (ask_yes("Is the mailbox or endpoint there?", reply::no)) {
        case reply::yes: {
            const model::mark said{.at = bench_.now(), .by = person(), .text = "said in protect"};
            if (auto set = bench_.kept()->set_mark(domain_, report_way_mark, said); !set)
                return failed(words(set.error()));
            return {};
        }
        case reply::no:
            print(fmt::format("Make it first; then mailtight protect {} goes on.\n", domain_));
            return fine;
        case reply::leave:
            return fine;
        }
        return fine;
    }

    std::optional<int> ours(const plan::plan& next) {
        switch (ask_yes("Do this now?", reply::yes)) {
        case reply::no:
        case reply::leave:
            return end(next);
        case reply::yes:
            break;
        }
        auto done = bench_.carry_out(domain_, line_);
        if (!done)
            return failed(done.error().words, done.error().status);
        if (!done->did.empty())
            print(fmt::format("Done: {}.\n", done->did));
        if (!done->failed.empty())
            paragraph("That did not succeed: " + done->failed);
        if (done->did.empty() && ask_yes("Try again?", reply::yes) != reply::yes)
            return end(next);
        return {};
    }

    std::optional<int> theirs(const plan::plan& next, const model::looked_after&) {
        switch (ask_yes("Press Enter when that is done, to look again.", reply::yes)) {
        case reply::yes:
            return {};
        case reply::no:
        case reply::leave:
            return end(next);
        }
        return {};
    }

    /// The policy for a web server of the person's own.
    std::optional<int> offer_file(const plan::step& what) {
        const std::string folder = "mta-sts." + domain_;
        const auto line = ask(fmt::format(
            "Write the file and the steps for your web server into a folder? [{}, n, q] ", folder));
        if (!line || base::lower(*line) == "q")
            return fine;
        if (base::lower(*line) == "n")
            return {};
        namespace fs = std::filesystem;
        const fs::path into = line->empty() ? folder : *line;
        for (const auto& [name, bytes] : publish::export_policy(
                 {.domain = domain_, .body = what.policy, .id = what.id, .directory_url = {}},
                 publish::export_form::directory)) {
            std::error_code error;
            fs::create_directories((into / name).parent_path(), error);
            std::ofstream out(into / name, std::ios::binary | std::ios::trunc);
            out << bytes;
            if (!out.flush())
                return failed(fmt::format("{} cannot be written", (into / name).string()));
            print(fmt::format("  {}\n", (into / name).string()));
        }
        return {};
    }

    /// The date to come back, kept for `check --changed`.
    int end(const plan::plan& next) {
        if (next.come_back) {
            keep_date(*next.come_back);
            print(fmt::format("\nCome back on {}: mailtight protect {}\n", base::format_utc(*next.come_back),
                              domain_));
        } else if (!next.finished) {
            print(fmt::format("\nWhen it is time, mailtight protect {} goes on from here.\n", domain_));
        }
        if (daemon_carries_out(common_.set))
            return hand_over();
        show_timers(domain_);
        return fine;
    }

    /// Once the record is there, the daemon may do from now on what the configuration leaves to it.
    int hand_over() {
        print("The daemon watches the domain meanwhile, and tells of trouble.\n");
        auto wish = bench_.find(domain_);
        if (!wish || !*wish)
            return fine;
        const auto more = bench_.say().leave;
        if ((*wish)->leave != model::leave::nothing || more == model::leave::nothing || !published_)
            return fine;
        if (ask_yes(more == model::leave::all
                        ? "May it do the steps to come by itself, each at its time?"
                        : "May it keep the policy, the certificate and the records in order by itself?",
                    reply::yes) != reply::yes)
            return fine;
        (*wish)->leave = more;
        (*wish)->changed_at = bench_.now();
        const auto saved = bench_.kept()->save(**wish, person(), "said in protect", bench_.now());
        if (!saved)
            return failed(words(saved.error()));
        if (*saved != store::domain_store::saved::yes)
            return failed("somebody else changed the domain just now: look again");
        return fine;
    }

    void keep_date(base::utc_seconds at) {
        auto& kept = *bench_.kept();
        auto lease =
            kept.take_lease("plan/" + domain_, "command on " + machine_name_of(common_.set), lease_time);
        if (!lease || !*lease)
            return; // the daemon works on it, and keeps the date itself
        auto work = kept.work("plan", domain_);
        if (work && *work) {
            (*work)->fence = (*lease)->fence;
            static_cast<void>(kept.done_work(**work, at));
        }
        static_cast<void>(kept.release_lease(**lease));
    }

    const common_options& common_;
    plan_bench& bench_;
    std::string domain_;
    progress_line line_;
    std::vector<std::string> told_;
    bool added_ = false;
    bool published_ = false; ///< record and policy are there for everybody
};

} // namespace

int cmd_protect(const common_options& common, const protect_options& options) {
    const auto domain = take_domain(options.domain);
    if (!domain)
        return wrong_usage;
    const bool can_ask = ::isatty(STDIN_FILENO) == 1;
    const bool print_only = options.print_only || !can_ask || common.json;
    auto made = plan_bench::make(common, !print_only);
    if (!made)
        return failed(made.error().words, made.error().status);
    auto& bench = **made;
    if (!print_only)
        return guide(common, bench, domain->name).run();
    if (!options.print_only)
        say("there is nobody to ask here: nothing is changed, as with --print");
    auto found = bench.find(domain->name);
    if (!found)
        return failed(found.error());
    model::looked_after wish;
    wish.domain = domain->name;
    wish.aim = model::aim::enforce;
    wish.leave = bench.say().leave;
    wish.host = bench.say().policy_host.empty() ? model::hosting::elsewhere : model::hosting::here;
    if (*found)
        wish = **found;
    progress_line line(!common.json);
    auto planned = bench.plan_for(wish, line);
    if (!planned)
        return failed(planned.error());
    if (common.json) {
        print(plan::render_json(planned->next) + "\n");
        return fine;
    }
    print(plan::render_text(planned->next, bench.now(), terminal_width(), stdout_colour()));
    if (planned->next.come_back)
        print(fmt::format("\nCome back on {}: mailtight protect {}\n",
                          base::format_utc(*planned->next.come_back), domain->name));
    if (!daemon_carries_out(common.set))
        show_timers(domain->name);
    return fine;
}

} // namespace mailtight::app
