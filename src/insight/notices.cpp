// SPDX-License-Identifier: Apache-2.0
// Notices of alarms: as a mail, and as JSON for webhooks. The JSON's keys are a contract.
#include "advise/words.h"
#include "base/text.h"
#include "insight/json_text.h"
#include "insight/letter_page.h"
#include "insight/letters.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace mailtight::insight {

namespace {

std::string_view word_of(notice::kind what) {
    switch (what) {
    case notice::kind::raised:
        return "raised";
    case notice::kind::reminder:
        return "reminder";
    case notice::kind::resolved:
        return "resolved";
    }
    return "";
}

std::string head_of(const notice& one) {
    switch (one.what) {
    case notice::kind::raised:
        return fmt::format("{}: {}", one.alarm.domain, one.alarm.title);
    case notice::kind::reminder:
        return fmt::format("{}: still so: {}", one.alarm.domain, one.alarm.title);
    case notice::kind::resolved:
        return fmt::format("{}: over: {}", one.alarm.domain, one.alarm.title);
    }
    return {};
}

std::size_t number_of(std::span<const notice> notices, notice::kind what) {
    return static_cast<std::size_t>(std::ranges::count(notices, what, &notice::what));
}

} // namespace

std::string subject_line(std::string_view text) {
    return base::printable(text, 200);
}

void fix_lines(advise::page& to, std::string_view first, std::string_view fix) {
    const std::string later(first.size(), ' ');
    bool begin = true;
    for (const auto line : base::split(fix, '\n'))
        if (!line.empty())
            to.wrapped(std::exchange(begin, false) ? std::string(first) : later, base::printable(line));
}

letter write_notices(std::span<const notice> notices) {
    letter made;
    if (notices.size() == 1)
        made.subject = subject_line(head_of(notices.front()));
    else {
        std::vector<std::string> counts;
        const auto add = [&](notice::kind what, std::string_view one, std::string_view many) {
            if (const auto n = number_of(notices, what))
                counts.push_back(advise::count(n, one, many));
        };
        add(notice::kind::raised, "new alarm", "new alarms");
        add(notice::kind::reminder, "still so", "still so");
        add(notice::kind::resolved, "over", "over");
        made.subject = subject_line("TLS reports: " + advise::list(counts));
    }
    advise::page to(letter_style);
    bool first = true;
    // What is new first, what is over last.
    for (const auto what : {notice::kind::raised, notice::kind::reminder, notice::kind::resolved})
        for (const auto& one : notices) {
            if (one.what != what)
                continue;
            if (!std::exchange(first, false))
                to.line();
            to.wrapped("", advise::shown(head_of(one)));
            to.wrapped("  ", base::printable(one.alarm.text, 2000));
            if (what != notice::kind::resolved)
                fix_lines(to, "  To do: ", one.alarm.fix);
            if (what != notice::kind::raised)
                to.wrapped("  ", fmt::format("It began on {}.", advise::day_words(one.since)));
        }
    made.text = to.take();
    return made;
}

std::string notice_json(const notice& what) {
    return boost::json::serialize(boost::json::object{
        {"version", 1},
        {"event", word_of(what.what)},
        {"key", safe(what.alarm.key)},
        {"kind", safe(what.alarm.kind)},
        {"domain", safe(what.alarm.domain)},
        {"severity", to_string(what.alarm.weight)},
        {"title", safe(what.alarm.title)},
        {"text", safe(what.alarm.text)},
        {"fix", safe(what.alarm.fix)},
        {"since", base::format_utc(what.since)},
    });
}

} // namespace mailtight::insight
