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
    table made{{{"domain", "Domain", {}}, {"reporter", "", {}}, {"organization_name", "Reporter", {}}},
               {},
               "No reporter has written in this period."};
    if (!trends.empty())
        for (const auto& window : trends.front().windows) {
            made.columns.push_back({"", fmt::format("{} days", window.days), column::kind::number});
            made.columns.push_back({fmt::format("success_{}", window.days), "", column::kind::number});
            made.columns.push_back({fmt::format("failure_{}", window.days), "", column::kind::number});
        }
    for (const auto& [key, heading] :
         {std::pair{"weight", "Weight"}, {"last", "Last day"}, {"next_expected", "Next"}, {"late", "Late"}})
        made.columns.push_back({key, heading, {}});
    for (const auto& one : trends) {
        auto& row = made.rows.emplace_back();
        row.emplace_back(safe(one.domain));
        row.emplace_back(safe(one.reporter));
        row.emplace_back(safe(one.organization.empty() ? one.reporter : one.organization));
        for (const auto& window : one.windows) {
            const auto all = window.success + window.failure;
            row.emplace_back(all == 0 ? std::string("-") : advise::share_words(window.failure, all));
            row.emplace_back(window.success);
            row.emplace_back(window.failure);
        }
        row.emplace_back(to_string(one.weight));
        row.push_back(date_or_null(one.last));
        row.push_back(date_or_null(one.next_expected));
        row.emplace_back(one.late);
    }
    return made;
}

} // namespace mailtight::insight
