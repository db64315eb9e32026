// SPDX-License-Identifier: Apache-2.0
// `report send`: what is owed for a day, now; by the daemon where one runs, else from here. A dry run writes
// files and changes nothing, beside a daemon too.
#include "api/outbox_documents.h"
#include "app/control_client.h"
#include "app/policy_time.h"
#include "app/reporting.h"
#include "app/sending_commands.h"
#include "app/store_access.h"
#include "app/terminal.h"
#include "base/text.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <cerrno>
#include <filesystem>

#include <unistd.h>

namespace mailtight::app {

namespace {

int failed(const std::string& why) {
    complain(why);
    return not_done;
}

std::uint64_t number(const boost::json::object& from, std::string_view key) {
    const auto* value = from.if_contains(key);
    if (!value || !(value->is_int64() || value->is_uint64()))
        return 0;
    return value->to_number<std::uint64_t>();
}

constexpr int unprocessable = 422; ///< what was asked for is wrong, not the daemon

std::string counted(std::uint64_t n, std::string_view what) {
    return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
}

/// "" : files can be written there. Made where it is missing.
std::string why_not_writable(const std::string& folder) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (!error && ::access(folder.c_str(), W_OK | X_OK) != 0)
        error = std::error_code(errno, std::generic_category());
    return error ? fmt::format("{}: {}", base::printable(folder), error.message()) : std::string();
}

int show(const common_options& common, const own_report_options& options, const boost::json::value& said) {
    if (!said.is_object())
        return failed("the daemon's answer cannot be read");
    const auto& done = said.as_object();
    if (common.json)
        print(boost::json::serialize(done) + "\n");
    std::vector<std::string> troubles;
    if (const auto* list = done.if_contains("troubles"); list && list->is_array())
        for (const auto& each : list->as_array())
            if (each.is_string())
                troubles.emplace_back(each.as_string());
    if (!common.json) {
        const auto made = number(done, "filed"), unasked = number(done, "nobody_asks"),
                   not_made = number(done, "not_made"),
                   delivered = number(done, "sent") + number(done, "waiting") + number(done, "refused") +
                               number(done, "suppressed");
        if (made + unasked + not_made + delivered == 0 && troubles.empty()) {
            print(fmt::format(
                "{}: nothing is owed: no session of that day is counted, or all of them are dealt "
                "with\n",
                options.day));
            return fine;
        }
        print(fmt::format("{}: {} {}, {} not ask for one, {} not made\n", options.day,
                          counted(made, "report"), options.dry_run.empty() ? "made" : "written",
                          unasked == 1 ? "1 domain does" : fmt::format("{} domains do", unasked), not_made));
        if (!options.dry_run.empty())
            print(fmt::format("the files are in {}\n", base::printable(options.dry_run)));
        else
            print(fmt::format("deliveries: {} sent, {} wait, {} refused, {} suppressed; mailtight report "
                              "outbox --day {} shows each\n",
                              number(done, "sent"), number(done, "waiting"), number(done, "refused"),
                              number(done, "suppressed"), options.day));
        for (const auto& each : troubles)
            say(each);
    }
    return troubles.empty() && number(done, "refused") == 0 ? fine : problems_found;
}

int send_from_here(const common_options& common, const own_report_options& options,
                   std::chrono::sys_days day) {
    auto wanted = sender_options_of(common.set);
    if (!wanted) // the contact was looked at: it is the keys
        return failed(wanted.error() + "; run this as root or as the daemon's user");
    wanted->machine += " (report send)"; // a daemon that starts takes back what its own machine had
    wanted->dry_run = options.dry_run.empty() ? wanted->dry_run : options.dry_run;
    std::optional<write_lock> lock;
    if (options.dry_run.empty()) {
        auto taken = write_lock::take(common.set);
        if (!taken)
            return failed(taken.error());
        lock.emplace(std::move(*taken));
    }
    auto with = world::make(common.set, {});
    if (!with) {
        complain(with.error());
        return wrong_usage;
    }
    const auto why = why_no_mail(common.set, *wanted->keys);
    auto out = ways_out_of(**with, common.set, [why] { return why; });
    if (!out) {
        complain(out.error());
        return wrong_usage;
    }
    deliver::sender sender((*with)->loop, std::move(*out), policy_time(), (*with)->clock, std::move(*wanted));
    auto done = (*with)->loop.block_on(sender.send_day(day));
    if (!done)
        return failed(words(done.error()));
    if (options.dry_run.empty() && common.set.deliver_mail && !why.empty())
        done->troubles.push_back(why);
    return show(common, options, api::day_document(day, *done));
}

} // namespace

int cmd_report_send(const common_options& common, const own_report_options& options) {
    const auto day = api::parse_day(options.day);
    if (!day) {
        complain(fmt::format("--day takes a day such as 2026-01-31, not '{}'", base::printable(options.day)));
        return wrong_usage;
    }
    if (!sends_reports(common.set)) {
        complain("deliver.contact says who reports; it is not set");
        return wrong_usage;
    }
    if (const auto who = reporter_of(common.set); !who) {
        complain(who.error());
        return wrong_usage;
    }
    if (!options.dry_run.empty()) {
        if (const auto why = why_not_writable(options.dry_run); !why.empty())
            return failed(why);
        return send_from_here(common, options, *day);
    }
    io::loop loop;
    auto said = call_daemon(loop, common.set, "/api/v1/days/" + options.day + "/send", "", "POST",
                            std::chrono::hours(1));
    if (said)
        return show(common, options, *said);
    if (said.error().status == unprocessable) {
        complain(said.error().message);
        return wrong_usage;
    }
    if (said.error().what != control_error::kind::absent)
        return failed(said.error().message);
    if (base::utc_seconds(*day + std::chrono::days(1)) > policy_time().now()) {
        complain("this day is not over: its reports are made when it is (UTC); mailtight report preview "
                 "shows what is counted so far");
        return wrong_usage;
    }
    return send_from_here(common, options, *day);
}

} // namespace mailtight::app
