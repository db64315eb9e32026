// SPDX-License-Identifier: Apache-2.0
// The weekly mail: the result in the subject; one line a domain where all is well; more only where something
// is to be done. Domains with work come first.
#include "advise/words.h"
#include "base/text.h"
#include "insight/letter_page.h"
#include "insight/letters.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace mailtight::insight {

namespace {

using namespace std::chrono;
using advise::grouped;
using advise::page;

constexpr std::size_t failures_told = 5; // of a domain

struct sums {
    std::uint64_t success = 0, failure = 0;
    std::uint64_t all() const { return success + failure; }
};
sums sum(const std::vector<store::day_row>& rows, day from, day to) {
    sums total;
    for (const auto& row : rows)
        if (row.day >= from && row.day <= to) {
            total.success += row.success;
            total.failure += row.failure;
        }
    return total;
}

/// The general words; where on the server at hand only if it is known: a letter is short.
std::string short_fix(const std::string& fix) {
    return std::ranges::count(fix, '\n') > 1 ? fix.substr(0, fix.find('\n')) : fix;
}

/// Reporters that wrote in the period.
std::size_t reporters_in(const digest_domain& of, day from, day to) {
    return static_cast<std::size_t>(std::ranges::count_if(of.reporters, [&](const auto& one) {
        return one.reports > 0 && one.last >= from && one.first <= to;
    }));
}

/// Something on this side is wrong, or sessions fail and nobody says why.
bool to_be_done(const digest_domain& of, const sums& now) {
    return (now.failure > 0 && of.failures.empty()) ||
           std::ranges::any_of(of.failures, [](const auto& group) { return group.diagnosis.ours; });
}

std::string change(const sums& now, const sums& before) {
    if (before.all() == 0)
        return {};
    if (now.failure == before.failure)
        return now.failure == 0 ? std::string() : " As many failed the week before.";
    return fmt::format(" The week before, {} of {} failed.",
                       before.failure == 0 ? "none" : grouped(before.failure), grouped(before.all()));
}

void quiet_line(page& to, const digest_domain& of, const sums& now, day from, day to_day) {
    if (now.all() == 0) {
        const bool ever = std::ranges::any_of(of.reporters, [](const auto& one) { return one.reports > 0; });
        to.wrapped("  ", fmt::format("{}: no reports{}", of.domain,
                                     ever ? " this week, though there were some before."
                                          : fmt::format(". To try it: mailtight report test {}", of.domain)));
        return;
    }
    const std::size_t reporters = reporters_in(of, from, to_day);
    to.wrapped("  ", fmt::format("{}: {} {}{}, {}", of.domain, grouped(now.all()),
                                 now.all() == 1 ? "session" : "sessions",
                                 reporters ? " from " + advise::count(reporters, "reporter") : "",
                                 now.failure == 0
                                     ? "none failed."
                                     : fmt::format("{} failed; nothing to do here.", grouped(now.failure))));
}

void busy_part(page& to, const digest_domain& of, const sums& now, const sums& before) {
    to.line();
    to.wrapped("", fmt::format("{}: {} of {} sessions failed ({}).{}", of.domain, grouped(now.failure),
                               grouped(now.all()), advise::share_words(now.failure, now.all()),
                               change(now, before)));
    advise::failed_fate fate;
    for (const auto& group : of.failures) {
        fate.held_back += group.held_back;
        fate.delivered += group.delivered;
        fate.unknown += group.unknown;
    }
    if (const auto words = advise::fate_words(fate); !words.empty())
        to.wrapped("  ", "What became of them: " + words + ".");
    if (of.failures.empty())
        to.wrapped("  ",
                   fmt::format("No reporter says why. Look at the domain as a whole: mailtight check {}",
                               of.domain));
    std::size_t told = 0;
    for (const auto& group : of.failures) {
        if (!group.diagnosis.ours || told++ >= failures_told)
            continue;
        to.line();
        to.wrapped(fmt::format("  {}. ", told),
                   fmt::format("{}{}", advise::shown(group.diagnosis.title),
                               group.mx.empty() ? "" : ": " + advise::shown(group.mx)));
        to.wrapped("     ", fmt::format("{}, {}, reported by {}.", advise::count(group.count, "session"),
                                        days_words(group.first, group.last),
                                        advise::shown(advise::list(group.reporters, 3))));
        to.wrapped("     ", advise::shown(group.diagnosis.cause));
        fix_lines(to, "     To do: ", short_fix(group.diagnosis.fix));
    }
    if (told > failures_told)
        to.wrapped("     ", fmt::format("And {} more: mailtight report failures", told - failures_told));
}

} // namespace

letter write_digest(std::span<const digest_domain> domains, day from, day to) {
    std::vector<const digest_domain*> busy, quiet;
    sums total;
    for (const auto& one : domains) {
        const sums now = sum(one.days, from, to);
        total.success += now.success;
        total.failure += now.failure;
        (to_be_done(one, now) ? busy : quiet).push_back(&one);
    }
    letter made;
    const std::string when = days_words(from, to);
    if (busy.empty())
        made.subject = total.all() == 0 ? fmt::format("TLS reports {}: none came", when)
                                        : fmt::format("TLS reports {}: nothing to do", when);
    else if (busy.size() == 1)
        made.subject = fmt::format("TLS reports {}: {} needs a look", when, busy.front()->domain);
    else
        made.subject =
            fmt::format("TLS reports {}: {} of {} domains need a look", when, busy.size(), domains.size());
    made.subject = subject_line(made.subject);

    page text(letter_style);
    text.wrapped("", fmt::format("{} {} for {}, {}, {}", total.all() == 0 ? "No" : grouped(total.all()),
                                 total.all() == 1 ? "session" : "sessions",
                                 advise::count(domains.size(), "domain"), when,
                                 total.failure == 0
                                     ? (total.all() == 0 ? "reported." : "none failed.")
                                     : fmt::format("{} failed ({}).", grouped(total.failure),
                                                   advise::share_words(total.failure, total.all()))));
    if (total.failure > 0)
        text.wrapped("", "Sessions are connections, not messages: a sender that fails tries again.");
    const auto length = to - from + days(1);
    for (const auto* one : busy)
        busy_part(text, *one, sum(one->days, from, to), sum(one->days, from - length, from - days(1)));
    if (!quiet.empty()) {
        text.line();
        text.line(busy.empty() ? "All domains:" : "Nothing to do:");
        for (const auto* one : quiet)
            quiet_line(text, *one, sum(one->days, from, to), from, to);
    }
    bool head = false;
    for (const auto& one : domains)
        if (one.readiness.ready == true) {
            if (!std::exchange(head, true))
                text.line();
            text.wrapped(
                "", fmt::format(
                        "{}: {} Set mode: enforce in the policy and change the id of the _mta-sts record.",
                        one.domain, one.readiness.sentence));
        }
    made.text = text.take();
    return made;
}

} // namespace mailtight::insight
