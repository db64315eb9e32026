// SPDX-License-Identifier: Apache-2.0
// `check`: look at each domain, judge, show. Several domains are looked at simultaneously and shown in the
// order given (with --json: as each is done).
#include "advise/render.h"
#include "advise/text.h"
#include "app/domain_access.h"
#include "app/last_run.h"
#include "app/live_look.h"
#include "app/names_below.h"
#include "app/options.h"
#include "app/publish_commands.h"
#include "app/store_access.h"
#include "app/terminal.h"
#include "app/typed.h"
#include "app/world.h"
#include "base/text.h"
#include "publish/history.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace mailtight::app {

namespace {

constexpr std::size_t domains_simultaneously = 20;

struct outcome {
    bool done = false;
    model::observation seen;
    advise::judgement judged;
};

/// What happens now, on one line: the last stage done, how many domains are, and the time so far.
class live {
public:
    live(progress_line& line, std::size_t total, std::string first)
        : line_(line)
        , total_(total)
        , words_("looking at " + std::move(first)) {}

    void stage(const std::string& domain, const std::string& stage, const std::string& words) {
        if (stage == "done")
            ++done_;
        else
            words_ = domain + " · " + stage + (words.empty() ? "" : ": " + words);
        draw();
    }

    /// Shows that time goes by while a slow server keeps everybody waiting.
    io::task<> tick(io::loop& on) {
        while (line_.active() && done_ < total_) {
            draw();
            co_await on.sleep_for(std::chrono::milliseconds(200));
        }
    }

private:
    void draw() {
        if (done_ == total_)
            return;
        const auto took = std::chrono::steady_clock::now() - begun_;
        std::string text = words_;
        if (total_ > 1)
            text = fmt::format("{} of {} done · {}", done_, total_, text);
        line_.show(
            fmt::format("{} · {} s", text, std::chrono::duration_cast<std::chrono::seconds>(took).count()));
    }

    progress_line& line_;
    std::size_t total_, done_ = 0;
    std::string words_;
    std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

int worse(int a, int b) {
    // Problems found outrank what could not be done: a broken domain is broken whatever else failed.
    if (a == problems_found || b == problems_found)
        return problems_found;
    return std::max(a, b);
}

} // namespace

int cmd_check(const common_options& common, const check_options& options) {
    if (options.domains.empty())
        return cmd_check_all(common, options);
    std::vector<mail::typed_domain> domains;
    for (const auto& typed : options.domains) {
        auto domain = take_domain(typed);
        if (!domain)
            return wrong_usage;
        domains.push_back(*domain);
    }
    if (options.wait) {
        if (domains.size() != 1) {
            complain("--wait takes one domain");
            return wrong_usage;
        }
        return cmd_wait(common, options, domains.front().name);
    }
    observe::observe_options what;
    what.smtp = !options.no_smtp;
    auto made = world::make(common.set, what);
    if (!made) {
        complain(made.error());
        return wrong_usage;
    }
    auto& with = **made;

    progress_line line;
    live now(line, domains.size(), domains.front().display);
    std::vector<outcome> all(domains.size());
    const advise::judge_options judging{.without = {options.without.begin(), options.without.end()}};
    const advise::style style{.colour = stdout_colour(), .width = terminal_width()};
    int status = fine;
    std::size_t shown = 0;

    auto show = [&](outcome& result) {
        line.clear();
        if (common.json)
            print(boost::json::serialize(advise::check_json(result.seen, result.judged)) + "\n");
        else
            print((shown ? "\n" : "") + advise::check_text(result.seen, result.judged, style));
        ++shown;
        if (options.changed) {
            const auto changes = compare_with_last_run(common.set, result.seen, result.judged);
            for (const auto& change : changes) {
                say(fmt::format("{}: {}", result.seen.domain, change));
                status = problems_found;
            }
        }
        status = worse(status, result.judged.exit_status());
        result = {.done = true}; // shown: its certificates need no memory any more
    };

    const auto kept = open_if_there(common.set);
    const auto looked_after = open_domains_if_there(common.set);
    std::vector<std::string> names;
    for (const auto& each : domains)
        names.push_back(each.name);
    const auto below = names_below_here::make(common.set, with, std::move(names));
    io::semaphore gate(with.loop, domains_simultaneously);
    std::size_t next = 0;
    auto one = [&](std::size_t index) -> io::task<> {
        auto permit = co_await gate.acquire();
        auto& result = all[index];
        result.seen =
            co_await with.observer->look(domains[index].name, domains[index].display,
                                         [&](const std::string& domain, const std::string& stage,
                                             const std::string& words) { now.stage(domain, stage, words); });
        if (looked_after) // what changed since, of those that we look after
            static_cast<void>(publish::add_history(result.seen, *looked_after));
        if (below) // of those that we look after
            result.seen.unprotected_below = co_await below->names().unprotected_below(domains[index].name);
        result.judged = advise::judge(result.seen, judging);
        if (kept) { // what reports tell is judged with today's look, which may show that a failure is mended
            auto told = report_evidence(*kept, known_from({result.seen, result.judged}), result.seen.domain,
                                        result.seen.checked_at);
            if (told && *told) {
                result.seen.reports = std::move(*told);
                result.judged = advise::judge(result.seen, judging);
            }
        }
        result.done = true;
        if (common.json) {
            show(result);
            co_return;
        }
        while (next < all.size() && all[next].done)
            show(all[next++]);
    };
    for (std::size_t i = 0; i < domains.size(); ++i)
        with.loop.spawn(one(i));
    with.loop.spawn(now.tick(with.loop));
    with.loop.run();
    return status;
}

} // namespace mailtight::app
