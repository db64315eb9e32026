// SPDX-License-Identifier: Apache-2.0
#include "insight/render_answers.h"

#include "advise/diagnose.h"
#include "advise/page.h"
#include "insight/json_text.h"

#include <fmt/format.h>

namespace mailtight::insight {

namespace {

namespace json = boost::json;
using advise::ink;
using advise::padded;
using advise::page;
using advise::shown;

/// A domain's name in the commands that a text holds as DOMAIN.
std::string with_domain(std::string text, std::string_view domain) {
    constexpr std::string_view stand_in = "DOMAIN";
    for (auto at = text.find(stand_in); at != std::string::npos; at = text.find(stand_in, at + domain.size()))
        text.replace(at, stand_in.size(), domain);
    return text;
}

json::value date_or_null(const std::optional<day>& d) {
    return d ? json::value(base::format_date(*d)) : json::value(nullptr);
}

/// "3.7 % warning", "3.7 % over" where a shorter window is clean, "0 %", "-" without sessions.
std::string window_words(const window& of) {
    const auto all = of.success + of.failure;
    if (all == 0)
        return "-";
    std::string words = advise::share_words(of.failure, all);
    if (of.failure > 0)
        words += of.silenced ? " over" : fmt::format(" {}", to_string(of.weight));
    return words;
}

} // namespace

std::string readiness_text(std::string_view domain, const readiness& said, const advise::style& how) {
    page to(how);
    const ink colour = said.ready == true ? ink::green : ink::yellow;
    to.wrapped(to.paint(ink::bold, shown(domain)) + ": ", shown(said.sentence), colour);
    for (const auto& reason : said.reasons) {
        const auto word = reason.met     ? to.paint(ink::green, "ok       ")
                          : reason.known ? to.paint(ink::red, "missing  ")
                                         : to.paint(ink::dim, "unknown  ");
        to.wrapped("  " + word, shown(reason.text));
    }
    return to.take();
}

json::object readiness_json(std::string_view domain, const readiness& said) {
    json::array reasons;
    for (const auto& reason : said.reasons)
        reasons.push_back(json::object{{"code", reason.code},
                                       {"met", reason.met},
                                       {"known", reason.known},
                                       {"text", safe(reason.text)}});
    return {{"domain", safe(domain)},
            {"ready", said.ready ? json::value(*said.ready) : json::value(nullptr)},
            {"sentence", safe(said.sentence)},
            {"reasons", std::move(reasons)}};
}

std::string silence_text(std::string_view domain, std::span<const silence_cause> causes,
                         const advise::style& how) {
    page to(how);
    to.wrapped("", fmt::format("Why no reports about {} arrive, in the order to try:", shown(domain)));
    int number = 0;
    for (const auto& cause : causes) {
        const std::string first = fmt::format("  {}. ", ++number);
        to.wrapped(first, shown(cause.text), cause.certain ? ink::yellow : ink::plain);
        to.wrapped(std::string(first.size(), ' ') + (cause.certain ? "To do: " : "To try: "),
                   with_domain(cause.fix, shown(domain)));
    }
    return to.take();
}

json::object silence_json(std::string_view domain, std::span<const silence_cause> causes) {
    json::array all;
    for (const auto& cause : causes)
        all.push_back(json::object{{"code", cause.code},
                                   {"certain", cause.certain},
                                   {"text", safe(cause.text)},
                                   {"fix", safe(with_domain(cause.fix, domain))}});
    return {{"domain", safe(domain)}, {"causes", std::move(all)}};
}

table trends_table(std::span<const reporter_trend> trends) {
    table made{{{"domain", "Domain", column::kind::whole},
                {"reporter", "", {}},
                {"organization_name", "Reporter", {}}},
               {},
               "No reporter has written in the last 90 days."};
    for (const int length : windows_of_days) {
        made.columns.push_back({"", fmt::format("{} days", length), column::kind::number});
        made.columns.push_back({fmt::format("success_{}", length), "", column::kind::number});
        made.columns.push_back({fmt::format("failure_{}", length), "", column::kind::number});
        made.columns.push_back({fmt::format("weight_{}", length), "", {}});
    }
    made.columns.push_back({"weight", "", {}});
    made.columns.push_back({"last", "Last day", column::kind::whole});
    made.columns.push_back({"next_expected", "", {}});
    made.columns.push_back({"late", "", {}});
    made.columns.push_back({"", "Next report", column::kind::whole});
    for (const auto& one : trends) {
        auto& row = made.rows.emplace_back();
        row.emplace_back(safe(one.domain));
        row.emplace_back(safe(one.reporter));
        row.emplace_back(safe(one.organization.empty() ? one.reporter : one.organization));
        for (const auto& window : one.windows) {
            row.emplace_back(window_words(window));
            row.emplace_back(window.success);
            row.emplace_back(window.failure);
            row.emplace_back(window.silenced ? "over" : to_string(window.weight));
        }
        row.emplace_back(to_string(one.weight));
        row.push_back(date_or_null(one.last));
        row.push_back(date_or_null(one.next_expected));
        row.emplace_back(one.late);
        row.emplace_back(!one.next_expected ? std::string()
                         : one.late         ? "late: " + base::format_date(*one.next_expected)
                                            : base::format_date(*one.next_expected));
    }
    return made;
}

} // namespace mailtight::insight
