// SPDX-License-Identifier: Apache-2.0
// The sender on a real loop over a real database, with everything outside made up: names that answer or are
// silent, mail servers and endpoints that count what they took, a clock that stands still until it is told.
// Between every two steps the process can die.
#pragma once

#include "deliver/sender.h"
#include "store/results.h"
#include "support/postgres.h"
#include "support/scratch.h"
#include "watched_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

namespace mailtight::tests {

using namespace std::chrono_literals;

inline constexpr std::chrono::sys_days report_day = std::chrono::year{2026} / 1 / 2;
/// Some hours after the day's end: everything of it is due.
inline const base::utc_seconds next_morning = report_day + 30h;

struct settable_clock final : base::clock {
    base::utc_seconds at = next_morning;
    base::utc_seconds now() const override { return at; }
};

/// A database of its own, gone at the end.
class result_database {
public:
    explicit result_database(bool postgres = false) {
        if (postgres)
            name_ = private_postgres::create_database();
    }
    ~result_database() {
        if (!name_.empty())
            private_postgres::drop_database(name_);
    }
    result_database(const result_database&) = delete;
    result_database& operator=(const result_database&) = delete;

    std::unique_ptr<store::result_store> open() const {
        store::open_options options;
        options.where =
            name_.empty() ? (folder_.path() / "store.db").string() : private_postgres::where(name_);
        options.relaxed = name_.empty(); // what these tests kill is a process, not a machine
        auto opened = store::open_results(options);
        if (!opened)
            throw std::runtime_error(opened.error().message);
        return std::move(*opened);
    }

private:
    scratch_folder folder_;
    std::string name_;
};

/// Sessions to a recipient's domain, under MTA-STS.
inline model::counted_result sessions(const std::string& domain, std::uint64_t success,
                                      std::uint64_t failure = 0, std::string record_seen = {}) {
    model::counted_result out;
    out.day = report_day;
    out.domain = domain;
    out.policy.type = tlsrpt::policy_type::sts;
    out.policy.domain = domain;
    out.policy.strings = {"version: STSv1", "mode: enforce", "mx: mx." + domain, "max_age: 604800"};
    out.policy.mx_patterns = {"mx." + domain};
    out.success = success;
    out.failure = failure;
    if (failure > 0)
        out.faults.push_back(
            {.what = {.type = tlsrpt::result_type::certificate_expired, .receiving_mx = "mx." + domain},
             .count = failure});
    out.record_seen = std::move(record_seen);
    return out;
}
/// Sessions to a recipient's domain whose MX host has TLSA records.
inline model::counted_result dane_sessions(const std::string& domain, const std::string& base,
                                           std::uint64_t success) {
    model::counted_result out;
    out.day = report_day;
    out.domain = domain;
    out.policy.type = tlsrpt::policy_type::tlsa;
    out.policy.domain = base;
    out.policy.strings = {"3 1 1 " + std::string(64, 'A')};
    out.success = success;
    return out;
}

/// Everything outside, shared by the senders of a test.
struct outside {
    struct taken_mail {
        std::string to, message;
        model::address_family family = model::address_family::any;
        base::utc_seconds at{};
    };
    struct taken_call {
        io::http_call call;
        base::utc_seconds at{};
    };
    std::map<std::string, std::vector<std::string>> texts; ///< at `_smtp._tls.`; others have none
    std::set<std::string> silent;                          ///< names without an answer
    /// How a try to an address, or a POST to a URL, is answered; else it is taken.
    std::map<std::string, std::function<io::mail_sent(model::address_family)>> mail_answers;
    std::map<std::string, std::function<io::http_answer(const io::http_call&)>> post_answers;
    std::map<std::string, unsigned> asked;
    std::vector<taken_mail> mails; ///< every try
    std::vector<taken_call> posts;
    std::vector<std::string> accepted; ///< addresses and URLs, once for each report taken

    void asks(const std::string& domain, const std::string& rua) {
        texts[domain] = {"v=TLSRPTv1; rua=" + rua};
    }
    std::ptrdiff_t taken(const std::string& where) const { return std::ranges::count(accepted, where); }
    std::ptrdiff_t tried(const std::string& where) const {
        return std::ranges::count(mails, where, &taken_mail::to) +
               std::ranges::count(posts, where, [](const taken_call& each) { return each.call.url; });
    }

    static io::mail_sent smtp(int code, std::string enhanced = {}, std::string stage = "message",
                              std::string server = "mx (192.0.2.1:25)") {
        io::mail_sent out;
        out.outcome = {.accepted = code / 100 == 2,
                       .temporary = code == 0 || code / 100 == 4,
                       .code = code,
                       .enhanced = std::move(enhanced),
                       .text = "made up",
                       .stage = std::move(stage)};
        out.server = std::move(server);
        out.over_v6 = out.server.find('[') != std::string::npos;
        return out;
    }
    static io::http_answer http(int status, std::vector<std::pair<std::string, std::string>> fields = {}) {
        io::http_answer out;
        out.status = status;
        out.fields = std::move(fields);
        out.address = "192.0.2.2";
        return out;
    }
};

struct sender_world {
    io::loop loop;
    settable_clock clock, real_clock;
    std::shared_ptr<result_database> database;
    outside world;
    watch_state watched;
    std::vector<deliver::sender_event> events;
    deliver::sender_options options;
    std::unique_ptr<deliver::sender> sender;

    explicit sender_world(std::shared_ptr<result_database> on = std::make_shared<result_database>())
        : database(std::move(on)) {
        options.who = {.organization = "Sender Example", .contact = "tls-report@sender.example"};
        options.machine = "this";
        options.look_every = 1ms;
    }
    ~sender_world() { end(); }

    /// Counts results of the day.
    void count(const std::vector<model::counted_result>& results) {
        const auto to = database->open();
        static std::int64_t batch = 0;
        const auto added = to->add({.machine = "counter", .number = ++batch, .results = results}, 0s, 1000);
        ASSERT_TRUE(added) << added.error().message;
    }
    deliver::ways_out ways() {
        return {.mail = [this](wire::outgoing_mail mail,
                               model::address_family family) { return take_mail(std::move(mail), family); },
                .post = [this](io::http_call call) { return take_post(std::move(call)); },
                .record = [this](std::string domain) { return say_record(std::move(domain)); }};
    }
    void make() {
        options.open = [this]() -> store::result<std::unique_ptr<store::result_store>> {
            return std::make_unique<watched_store>(database->open(), watched);
        };
        sender = std::make_unique<deliver::sender>(
            loop, ways(), clock, real_clock, options,
            [this](const deliver::sender_event& what) { events.push_back(what); });
    }
    void begin() {
        make();
        sender->start();
        settle();
    }
    void end() {
        if (!sender)
            return;
        sender->stop();
        sender.reset();
        loop.block_on(loop.sleep_for(1ms));
    }
    bool eventually(const std::function<bool()>& holds, std::chrono::milliseconds within = 60s) {
        return loop.block_on(
            [](io::loop& on, std::function<bool()> what, std::chrono::milliseconds most) -> io::task<bool> {
                const auto until = on.now() + most;
                while (!what() && on.now() < until)
                    co_await on.sleep_for(1ms);
                co_return what();
            }(loop, holds, within));
    }
    /// Until there is nothing to do at this time, found twice by whole looks (or the process is dead).
    void settle() {
        watched.empty_looks = 0;
        EXPECT_TRUE(
            eventually([this] { return watched.dead || (watched.empty_looks >= 4 && sender->idle()); }));
    }
    void pass(std::chrono::seconds how_long) {
        clock.at += how_long;
        real_clock.at += how_long;
        settle();
    }
    std::size_t told(deliver::sender_event::kind what) const {
        return static_cast<std::size_t>(
            std::ranges::count(events, what, [](const auto& each) { return each.what; }));
    }
    std::vector<model::outgoing_report> outbox() const {
        auto all = database->open()->outbox({});
        EXPECT_TRUE(all);
        return all.value_or(std::vector<model::outgoing_report>());
    }
    /// The delivery to an address or URL; the test fails where there is none.
    model::outgoing_delivery delivery(const std::string& where) const {
        for (const auto& report : outbox())
            for (const auto& each : report.deliveries)
                if (each.address == where || each.uri == where)
                    return each;
        ADD_FAILURE() << "nothing for " << where;
        return {};
    }
    model::delivery_state state_of(const std::string& where) const { return delivery(where).state; }
    store::result_store::figures stored() const {
        return database->open()->figures_of(clock.at).value_or(store::result_store::figures{});
    }

private:
    io::task<std::optional<std::vector<std::string>>> say_record(std::string domain) {
        ++world.asked[domain];
        if (!watched.step() || world.silent.contains(domain))
            co_return std::nullopt;
        const auto found = world.texts.find(domain);
        co_return found == world.texts.end() ? std::vector<std::string>() : found->second;
    }
    io::task<io::mail_sent> take_mail(wire::outgoing_mail mail, model::address_family family) {
        if (!watched.step())
            co_return outside::smtp(0, {}, "connect");
        const auto to = mail.recipients.at(0);
        world.mails.push_back({to, std::move(mail.message), family, clock.at});
        const auto found = world.mail_answers.find(to);
        auto answer = found == world.mail_answers.end() ? outside::smtp(250) : found->second(family);
        if (answer.outcome.accepted)
            take(to);
        if (!watched.step()) // the answer comes to a dead process
            co_return outside::smtp(0, {}, "connect");
        co_return answer;
    }
    io::task<io::http_answer> take_post(io::http_call call) {
        if (!watched.step())
            co_return io::http_answer{};
        const auto found = world.post_answers.find(call.url);
        auto answer = found == world.post_answers.end() ? outside::http(201) : found->second(call);
        const auto url = call.url;
        world.posts.push_back({std::move(call), clock.at});
        if (answer.status / 100 == 2)
            take(url);
        if (!watched.step())
            co_return io::http_answer{};
        co_return answer;
    }
    void take(const std::string& where) {
        EXPECT_FALSE(watched.recorded(where)) << where << " got a report again after the success was written";
        world.accepted.push_back(where);
    }
};

} // namespace mailtight::tests
