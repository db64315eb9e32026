// SPDX-License-Identifier: Apache-2.0
// `report preview`: the report that a domain would get for a day, who would get it, or why nobody. Reads the
// store and DNS; nothing is written or sent.
#include "api/outbox_documents.h"
#include "app/policy_time.h"
#include "app/reporting.h"
#include "app/sending_commands.h"
#include "app/store_access.h"
#include "app/terminal.h"
#include "app/typed.h"
#include "base/text.h"
#include "tlsrpt/record.h"
#include "tlsrpt/write_report.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <unistd.h>

namespace mailtight::app {

namespace {

struct preview {
    std::string domain, why_not;
    std::chrono::sys_days day{};
    std::uint64_t success = 0, failure = 0;  ///< each session once, as the outbox has it
    std::uint64_t counted = 0, reported = 0; ///< results; reported: or dropped, since nobody asked
    bool filed = false;                      ///< there is a report of that day
    std::string report;                      ///< JSON, "" : there is nothing to report
    std::vector<std::string> record;
    bool dns_failed = false;
    std::vector<model::outgoing_delivery> to;
};

/// Before it is decided who reports: what a report would say can be looked at.
std::expected<deliver::reporter, std::string> nobody_yet() {
    deliver::reporter who;
    who.contact = "YOUR-CONTACT@YOUR-DOMAIN";
    who.organization = "YOUR-ORGANIZATION";
    return who;
}

store::result<void> count(store::result_store& from, const deliver::reporter& who, preview& into) {
    const auto audience = model::report_audience::recipient_domain;
    auto all = from.results(into.day, into.domain, audience, true);
    if (!all)
        return std::unexpected(all.error());
    auto fresh = from.results(into.day, into.domain, audience, false);
    if (!fresh)
        return std::unexpected(fresh.error());
    std::uint64_t unreported = 0;
    for (const auto& each : *all)
        into.counted += each.success + each.failure;
    for (const auto& each : *fresh)
        unreported += each.success + each.failure;
    into.reported = into.counted - std::min(unreported, into.counted);
    const auto made = from.outbox({.domain = into.domain, .day = into.day, .limit = 1});
    if (!made)
        return std::unexpected(made.error());
    into.filed = !made->empty();
    if (all->empty())
        return {};
    const auto report =
        deliver::make_report(who, {.day = into.day, .domain = into.domain, .audience = audience}, 0, *all);
    const auto sessions = tlsrpt::headline(report);
    into.success = sessions.success;
    into.failure = sessions.failure;
    into.report = tlsrpt::write_report(report);
    return {};
}

void find_targets(world& with, store::result_store& from, const deliver::guard_rails& rails, preview& into) {
    using outcome = tlsrpt::rrset_judgement::outcome;
    const auto found = with.loop.block_on(with.dns->txt("_smtp._tls." + into.domain));
    into.record = found.texts;
    into.dns_failed = model::is_dns_error(found.status);
    const auto judged = tlsrpt::judge_rrset(found.texts);
    if (into.reported > 0 && into.reported == into.counted) {
        into.why_not = into.filed ? fmt::format("all of them are in one: mailtight report outbox --domain {} "
                                                "--day {}",
                                                into.domain, base::format_date(base::utc_seconds(into.day)))
                                  : "that day is over, and nobody asked then";
        return;
    }
    const auto sent_there = from.sent_on(into.day, {}, into.domain);
    into.why_not = deliver::why_not(rails, into.success, into.failure, sent_there ? sent_there->to_host : 0);
    if (into.dns_failed) {
        const std::string status(model::to_string(found.status));
        const bool more = !found.detail.empty() && !base::iequals(found.detail, status);
        into.why_not =
            fmt::format("DNS gives no answer for _smtp._tls.{} ({}{}): asked again for a day", into.domain,
                        status, more ? ", " + base::printable(found.detail, 200) : std::string());
        return;
    }
    if (judged.result != outcome::valid || !judged.judgement.value) {
        into.why_not = judged.result == outcome::absent
                           ? "the domain publishes no TLSRPT record: nobody asks for one"
                       : judged.result == outcome::multiple
                           ? "it has more than one TLSRPT record, which counts as none"
                           : fmt::format("its TLSRPT record is not valid; mailtight record lint says why: {}",
                                         judged.counted.empty()
                                             ? std::string()
                                             : base::printable(found.texts[judged.counted.front()], 300));
        return;
    }
    const auto suppressed = from.suppressed();
    into.to = deliver::targets_of(
        *judged.judgement.value, rails, suppressed ? *suppressed : std::vector<store::suppressed_address>(),
        [&](const std::string& address, const std::string& host) {
            const auto today = std::chrono::floor<std::chrono::days>(policy_time().now());
            return from.sent_on(today, address, host).value_or(store::result_store::sent_so_far());
        },
        policy_time().now());
}

boost::json::object to_json(const preview& of) {
    boost::json::array to;
    for (const auto& each : of.to)
        to.push_back(boost::json::object{{"to", base::printable(each.uri, 500)},
                                         {"state", model::to_string(each.state)},
                                         {"words", base::printable(each.words, 500)}});
    boost::json::array record;
    for (const auto& text : of.record)
        record.emplace_back(base::printable(text, 2'000));
    boost::json::object out{{"domain", of.domain},
                            {"day", base::format_date(base::utc_seconds(of.day))},
                            {"success", of.success},
                            {"failure", of.failure},
                            {"already_reported", of.reported},
                            {"record", std::move(record)},
                            {"why_not", of.why_not},
                            {"deliveries", std::move(to)},
                            {"report", nullptr}};
    boost::system::error_code error;
    if (auto report = boost::json::parse(of.report, error); !of.report.empty() && !error)
        out["report"] = std::move(report);
    return out;
}

void show(const preview& of) {
    const auto sessions = of.success + of.failure;
    print(fmt::format(
        "{} on {}: {} session{}, {} of them failed{}\n", of.domain,
        base::format_date(base::utc_seconds(of.day)), sessions, sessions == 1 ? "" : "s", of.failure,
        of.reported == 0 || !of.filed ? std::string() : fmt::format("; {} reported already", of.reported)));
    if (!of.why_not.empty())
        print(fmt::format("no report: {}\n", base::printable(of.why_not, 500)));
    for (const auto& each : of.to)
        print(fmt::format("{} {}{}\n", each.state == model::delivery_state::suppressed ? "not to" : "to    ",
                          base::printable(each.uri, 300),
                          each.words.empty() ? "" : ": " + base::printable(each.words, 300)));
    print("\n" + of.report + (of.report.ends_with('\n') ? "" : "\n"));
}

} // namespace

int cmd_report_preview(const common_options& common, const own_report_options& options) {
    const auto domain = take_domain(options.domain);
    if (!domain)
        return wrong_usage;
    preview made{.domain = domain->name, .day = std::chrono::floor<std::chrono::days>(policy_time().now())};
    if (!options.day.empty()) {
        const auto day = api::parse_day(options.day);
        if (!day) {
            complain(
                fmt::format("--day takes a day such as 2026-01-31, not '{}'", base::printable(options.day)));
            return wrong_usage;
        }
        made.day = *day;
    }
    const bool sends = sends_reports(common.set);
    const auto who = sends ? reporter_of(common.set) : nobody_yet();
    if (!who) {
        complain(who.error());
        return wrong_usage;
    }
    auto from = results_to_ask(common.set);
    if (!from) {
        complain(from.error());
        return not_done;
    }
    if (auto counted = count(**from, *who, made); !counted) {
        complain(words(counted.error()));
        return not_done;
    }
    if (made.success + made.failure == 0 && made.report.empty()) {
        complain(fmt::format("no session to {} is counted on {}", made.domain,
                             base::format_date(base::utc_seconds(made.day))));
        return problems_found;
    }
    auto with = world::make(common.set, {});
    if (!with) {
        complain(with.error());
        return wrong_usage;
    }
    find_targets(**with, **from, rails_of(common.set), made);
    if (!sends && made.why_not.empty())
        made.why_not = "deliver.contact is not set: nobody reports here yet; who would is in capitals";
    if (common.json)
        print(boost::json::serialize(to_json(made)) + "\n");
    else
        show(made);
    return made.dns_failed ? not_done : fine;
}

} // namespace mailtight::app
