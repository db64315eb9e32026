// SPDX-License-Identifier: Apache-2.0
// `report outbox`: reports of ours from the store, whether a daemon runs or not; the list of addresses that
// get nothing, changed by the daemon where one runs.
#include "api/outbox_documents.h"
#include "app/control_client.h"
#include "app/local_sending.h"
#include "app/policy_time.h"
#include "app/reporting.h"
#include "app/sending_commands.h"
#include "app/store_access.h"
#include "app/terminal.h"
#include "base/text.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <charconv>

namespace mailtight::app {

namespace {

constexpr std::uint64_t most_shown = 100'000;
constexpr int not_found = 404, unprocessable = 422; ///< answers of the daemon

int failed(const std::string& why) {
    complain(why);
    return not_done;
}

void show_delivery(const model::outgoing_delivery& of) {
    std::string when;
    if (of.state == model::delivery_state::waiting)
        when = ", next " + base::format_utc(of.next_at);
    else if (of.ended_at != base::utc_seconds{})
        when = ", " + base::format_utc(of.ended_at);
    print(fmt::format(
        "  {:<10} {}{}\n", model::to_string(of.state), base::printable(of.uri, 300),
        of.tries == 0 ? when : fmt::format(" ({} {}{})", of.tries, of.tries == 1 ? "try" : "tries", when)));
    constexpr std::size_t before = 13;
    if (!of.words.empty())
        for (const auto& line : base::wrap(base::printable(of.words, 1'000), terminal_width() - before))
            print(fmt::format("{:<{}}{}\n", "", before, line));
}

void show_report(const model::outgoing_report& of) {
    print(fmt::format("{:<6} {} {}{}: {} session{}, {} failed\n", of.number,
                      base::format_date(base::utc_seconds(of.day)), base::printable(of.domain, 253),
                      of.audience == model::report_audience::tlsa_base ? " (as TLSA base domain)"
                      : of.part > 0 ? fmt::format(" (supplement {})", of.part)
                                    : std::string(),
                      of.success + of.failure, of.success + of.failure == 1 ? "" : "s", of.failure));
    for (const auto& each : of.deliveries)
        show_delivery(each);
}

int show_one(const common_options& common, const std::string& typed) {
    std::int64_t number = 0;
    const auto* end = typed.data() + typed.size();
    const auto [stop, error] = std::from_chars(typed.data(), end, number);
    if (error != std::errc{} || stop != end || number <= 0) {
        complain(fmt::format("'{}' is no number of a report, and none of suppress, allow and suppressed",
                             base::printable(typed, 60)));
        return wrong_usage;
    }
    const auto from = results_to_ask(common.set);
    if (!from)
        return failed(from.error());
    const auto found = (*from)->report(number);
    if (!found)
        return failed(words(found.error()));
    if (!*found) {
        complain(fmt::format("there is no report {}; mailtight report outbox shows the numbers", number));
        return problems_found;
    }
    if (common.json) {
        print(boost::json::serialize(api::outgoing_document(**found)) + "\n");
        return fine;
    }
    show_report(**found);
    print(fmt::format("  file       {}\n  report-id  {}\n", base::printable((*found)->file_name, 300),
                      base::printable((*found)->report_id, 300)));
    return fine;
}

int list(const common_options& common, const own_report_options& options) {
    store::result_store::outbox_question which;
    if (!options.state.empty() && !(which.state = model::parse_delivery_state(options.state))) {
        complain(fmt::format(
            "--state takes waiting, sent, refused, given-up, suppressed, skipped or copied, not '{}'",
            base::printable(options.state, 60)));
        return wrong_usage;
    }
    if (!options.day.empty() && !(which.day = api::parse_day(options.day))) {
        complain(fmt::format("--day takes a day such as 2026-01-31, not '{}'", base::printable(options.day)));
        return wrong_usage;
    }
    which.domain = base::lower(options.domain);
    const auto from = results_if_any(common.set);
    if (!from)
        return failed(from.error());
    std::uint64_t left = std::min(std::max<std::uint64_t>(options.limit, 1), most_shown), shown = 0;
    while (*from && left > 0) {
        which.limit = std::min<std::size_t>(left, 1'000);
        const auto rows = (*from)->outbox(which);
        if (!rows)
            return failed(words(rows.error()));
        for (const auto& each : *rows) {
            if (common.json)
                print(boost::json::serialize(api::outgoing_document(each)) + "\n");
            else
                show_report(each);
            which.before = each.number;
        }
        shown += rows->size();
        left -= rows->size();
        if (rows->size() < which.limit)
            break;
    }
    if (shown == 0 && !common.json) // stdout is the list, and that is empty
        say(which.state || which.day || !which.domain.empty()
                ? "no report of ours fits that"
                : "no report of ours yet: the first ones are made after midnight UTC, about the day before; "
                  "mailtight report preview DOMAIN shows what is counted so far");
    return fine;
}

int list_suppressed(const common_options& common) {
    const auto from = results_if_any(common.set);
    if (!from)
        return failed(from.error());
    const auto all = *from ? (*from)->suppressed() : std::vector<store::suppressed_address>{};
    if (!all)
        return failed(words(all.error()));
    for (const auto& each : *all)
        print(common.json
                  ? boost::json::serialize(api::suppressed_document(each)) + "\n"
                  : fmt::format("{:<40} {}{}: {}\n", base::printable(each.who, 320),
                                base::format_date(each.since),
                                each.until ? " until " + base::format_utc(*each.until) : std::string(),
                                base::printable(each.why, 500)));
    if (all->empty() && !common.json)
        say("no address is suppressed: every one that asks for reports gets them");
    return fine;
}

/// What the daemon answered; an outer nothing where none runs.
std::optional<std::expected<boost::json::value, control_error>> tell_daemon(const common_options& common,
                                                                            const std::string& method,
                                                                            const std::string& address,
                                                                            const std::string& body) {
    io::loop loop;
    auto said = call_daemon(loop, common.set, "/api/v1/suppressed/" + path_segment(address), body, method);
    if (said)
        return std::expected<boost::json::value, control_error>(std::move(*said));
    if (said.error().what == control_error::kind::absent)
        return std::nullopt;
    return std::expected<boost::json::value, control_error>(std::unexpected(said.error()));
}

/// For a change from here: with the lock, since no daemon runs.
std::expected<std::pair<write_lock, std::unique_ptr<store::result_store>>, std::string>
open_to_change(const settings& set) {
    auto lock = write_lock::take(set);
    if (!lock)
        return std::unexpected(lock.error());
    auto opened = results_opener(set)();
    if (!opened)
        return std::unexpected(words(opened.error()));
    return std::pair(std::move(*lock), std::move(*opened));
}

int suppress(const common_options& common, const own_report_options& options, const std::string& who) {
    store::suppressed_address value{
        .who = who, .why = options.why, .since = policy_time().now(), .until = {}};
    boost::json::object body;
    if (!options.why.empty())
        body["why"] = options.why;
    if (!options.until.empty()) {
        const auto day = api::parse_day(options.until);
        if (!day) {
            complain(fmt::format("--until takes a day such as 2030-01-31, not '{}'",
                                 base::printable(options.until, 60)));
            return wrong_usage;
        }
        value.until = base::utc_seconds(*day + std::chrono::days(1)); // the day is included
        body["until"] = options.until;
    }
    const auto said = tell_daemon(common, "PUT", who, boost::json::serialize(body));
    if (said && !*said) {
        complain(said->error().message);
        return said->error().status == unprocessable ? wrong_usage : not_done;
    }
    if (!said) {
        auto to = open_to_change(common.set);
        if (!to)
            return failed(to.error());
        if (value.why.empty())
            value.why = "by hand";
        if (auto kept = to->second->suppress(value); !kept)
            return failed(words(kept.error()));
    }
    if (common.json)
        print(boost::json::serialize(said ? **said : boost::json::value(api::suppressed_document(value))) +
              "\n");
    else
        say(fmt::format("{} gets no more reports{}", who,
                        options.until.empty() ? "" : " until the end of " + options.until));
    return fine;
}

int not_listed(const std::string& who) {
    complain(fmt::format("{} is not on the list; mailtight report outbox suppressed shows it", who));
    return problems_found;
}

int allow(const common_options& common, const std::string& who) {
    const auto said = tell_daemon(common, "DELETE", who, "");
    if (said && !*said && said->error().status == not_found)
        return not_listed(who);
    if (said && !*said)
        return failed(said->error().message);
    if (!said) {
        auto to = open_to_change(common.set);
        if (!to)
            return failed(to.error());
        auto removed = to->second->allow_again(who);
        if (!removed)
            return failed(words(removed.error()));
        if (!*removed)
            return not_listed(who);
    }
    if (common.json)
        print(boost::json::serialize(boost::json::object{{"removed", 1}}) + "\n");
    else
        say(fmt::format("{} gets reports again", who));
    return fine;
}

} // namespace

int cmd_report_outbox(const common_options& common, const own_report_options& options) {
    const bool changes = options.what == "suppress" || options.what == "allow";
    if (changes != !options.address.empty()) {
        complain(changes ? "say which address" : "an address goes with suppress and allow alone");
        return wrong_usage;
    }
    if (options.what.empty())
        return list(common, options);
    if (options.what == "suppressed")
        return list_suppressed(common);
    if (!changes)
        return show_one(common, options.what);
    const auto who = api::read_address(options.address);
    if (!who) {
        complain(fmt::format("'{}': {}", base::printable(options.address, 320), who.error()));
        return wrong_usage;
    }
    return options.what == "suppress" ? suppress(common, options, *who) : allow(common, *who);
}

} // namespace mailtight::app
