// SPDX-License-Identifier: Apache-2.0
// What becomes of a report on its way: taken, later, refused, given up; by one address or by all of them.
#include "sender_world.h"
#include "support/proves.h"

#include <fmt/format.h>

namespace mailtight::deliver {
namespace {

using namespace tests;
using enum model::delivery_state;
using kind = sender_event::kind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

class delivering_reports : public testing::Test, public sender_world {
protected:
    void one_report(const std::string& rua) {
        count({sessions("a.example", 5, 1)});
        world.asks("a.example", rua);
        begin();
    }
    void always(const std::string& where, int code, std::string enhanced = {},
                std::string stage = "message") {
        world.mail_answers[where] = [=](auto) { return outside::smtp(code, enhanced, stage); };
    }
    void always_http(const std::string& url, int status) {
        world.post_answers[url] = [=](const auto&) { return outside::http(status); };
    }
};

TEST_F(delivering_reports, tried_for_a_day_with_growing_waits_and_then_given_up) {
    PROVES("8460-5.5-a", "8460-5.5-b");
    always("a@r.example", 451);
    one_report("mailto:a@r.example");
    while (state_of("a@r.example") == waiting && clock.at < next_morning + 48h)
        pass(60s);
    EXPECT_EQ(state_of("a@r.example"), given_up);
    ASSERT_GE(world.mails.size(), 6u);
    EXPECT_LE(world.mails.size(), 20u);
    EXPECT_EQ(world.mails.front().at, next_morning);
    EXPECT_GE(world.mails.back().at, next_morning + 24h) << "up to the last minute";
    EXPECT_LT(world.mails.back().at, next_morning + 24h + 60s);
    for (std::size_t i = 2; i < 5; ++i)
        EXPECT_GT(world.mails[i].at - world.mails[i - 1].at, world.mails[i - 1].at - world.mails[i - 2].at);
    EXPECT_EQ(told(kind::given_up), 1u);
    EXPECT_EQ(sender->counted().given_up, 1u);
    const auto tries = world.mails.size();
    pass(48h);
    EXPECT_EQ(world.mails.size(), tries);
}

TEST_F(delivering_reports, waits_and_tries_outlive_the_process) {
    always("a@r.example", 451);
    one_report("mailto:a@r.example");
    for (int i = 0; i < 30; ++i) { // a new process every hour
        end();
        clock.at += 1h;
        begin();
    }
    EXPECT_EQ(state_of("a@r.example"), given_up);
    EXPECT_LE(delivery("a@r.example").ended_at, next_morning + 26h);
    EXPECT_LE(world.mails.size(), 20u);
}

TEST_F(delivering_reports, whats_of_an_answer) {
    PROVES("8460-5.4-d", "8460-5.4-b");
    struct row {
        int status;
        model::delivery_state becomes;
    };
    std::string rua;
    const std::vector<row> rows{{200, sent},    {201, sent},    {202, sent},    {204, sent},
                                {301, refused}, {302, refused}, {307, refused}, {308, refused},
                                {400, refused}, {403, refused}, {404, refused}, {410, refused},
                                {413, refused}, {408, waiting}, {429, waiting}, {500, waiting},
                                {502, waiting}, {503, waiting}, {0, waiting}};
    const auto url = [](int status) { return fmt::format("https://h{}.example/", status); };
    options.rails.addresses = 100;
    for (const auto& each : rows) {
        rua += (rua.empty() ? "" : ",") + url(each.status);
        always_http(url(each.status), each.status);
    }
    one_report(rua);
    for (const auto& each : rows) {
        EXPECT_EQ(state_of(url(each.status)), each.becomes) << each.status;
        EXPECT_EQ(world.tried(url(each.status)), 1) << each.status;
    }
    for (const auto& each : world.posts) {
        EXPECT_THAT(each.call.fields,
                    testing::Contains(testing::Pair("Content-Type", "application/tlsrpt+gzip")));
        EXPECT_THAT(each.call.fields, testing::Not(testing::Contains(testing::Key("Content-Encoding"))));
        EXPECT_TRUE(each.call.body.starts_with("\x1f\x8b"));
        EXPECT_FALSE(each.call.exempt);
    }
}

TEST_F(delivering_reports, retry_after_is_waited_for) {
    world.post_answers["https://r.example/"] = [&](const auto&) {
        return world.posts.empty() ? outside::http(429, {{"retry-after", "7200"}}) : outside::http(200);
    };
    one_report("https://r.example/");
    pass(7199s);
    EXPECT_THAT(world.posts, SizeIs(1));
    pass(2h);
    EXPECT_EQ(world.taken("https://r.example/"), 1);
}

TEST_F(delivering_reports, all_addresses_each_for_itself) {
    PROVES("8460-3-x");
    always("b@r.example", 550, "5.7.1", "MAIL");
    always_http("https://r.example/", 503);
    one_report("mailto:a@r.example,mailto:b@r.example,https://r.example/");
    EXPECT_EQ(state_of("a@r.example"), sent);
    EXPECT_EQ(state_of("b@r.example"), refused);
    EXPECT_EQ(state_of("https://r.example/"), waiting);
    world.post_answers.clear();
    pass(1h);
    EXPECT_EQ(state_of("https://r.example/"), sent);
    EXPECT_EQ(world.tried("a@r.example"), 1);
    EXPECT_EQ(world.tried("b@r.example"), 1);
}

TEST_F(delivering_reports, the_first_that_works) {
    PROVES("8460-3-y", "8460-3-z");
    options.first_that_works = true;
    always_http("https://one.example/", 500);
    one_report("https://one.example/,mailto:two@r.example,mailto:three@r.example");
    EXPECT_THAT(world.accepted, ElementsAre("two@r.example")) << "the first is down, the second is enough";
    EXPECT_EQ(state_of("https://one.example/"), skipped);
    EXPECT_EQ(state_of("three@r.example"), skipped);
    world.post_answers.clear();
    pass(30h);
    EXPECT_THAT(world.accepted, SizeIs(1));
    EXPECT_EQ(world.tried("three@r.example"), 0);
}

TEST_F(delivering_reports, not_delivered_until_one_has_taken_it) {
    PROVES("8460-3-z");
    options.first_that_works = true;
    always_http("https://one.example/", 500);
    always("two@r.example", 451);
    one_report("https://one.example/,mailto:two@r.example");
    EXPECT_EQ(world.tried("https://one.example/"), 1);
    EXPECT_EQ(world.tried("two@r.example"), 1);
    for (int i = 0; i < 30; ++i)
        pass(60s);
    EXPECT_GE(world.tried("https://one.example/"), 2);
    EXPECT_GE(world.tried("two@r.example"), 2);
    world.post_answers.clear();
    for (int i = 0; i < 60; ++i)
        pass(60s);
    EXPECT_THAT(world.accepted, ElementsAre("https://one.example/"));
    EXPECT_EQ(state_of("two@r.example"), skipped);
}

TEST_F(delivering_reports, a_refusal_over_ipv6_is_tried_over_ipv4) {
    world.mail_answers["a@r.example"] = [](model::address_family family) {
        return family == model::address_family::v4
                   ? outside::smtp(250)
                   : outside::smtp(550, "5.7.1", "RCPT", "mx (" + std::string("[2001:db8::1]:25)"));
    };
    one_report("mailto:a@r.example");
    pass(1s);
    EXPECT_EQ(state_of("a@r.example"), sent);
    ASSERT_THAT(world.mails, SizeIs(2));
    EXPECT_EQ(world.mails[0].family, model::address_family::any);
    EXPECT_EQ(world.mails[1].family, model::address_family::v4);
}

TEST_F(delivering_reports, who_is_not_there_gets_nothing_for_a_month) {
    always("gone@r.example", 550, "5.1.1", "RCPT");
    always("bare@r.example", 550, "", "RCPT");
    always("policy@r.example", 550, "5.7.1", "RCPT");
    always("full@r.example", 452, "4.2.2", "RCPT");
    always("large@r.example", 552, "5.3.4", "message");
    one_report("mailto:gone@r.example,mailto:bare@r.example,mailto:policy@r.example,mailto:full@r.example,"
               "mailto:large@r.example");
    const auto list = database->open()->suppressed().value();
    std::vector<std::string> who;
    for (const auto& each : list) {
        who.push_back(each.who);
        EXPECT_EQ(each.until, clock.at + std::chrono::days(30));
    }
    EXPECT_THAT(who, UnorderedElementsAre("gone@r.example", "bare@r.example"));
    EXPECT_EQ(told(kind::suppressed), 2u);
    count({sessions("b.example", 3)});
    world.asks("b.example", "mailto:gone@r.example,mailto:policy@r.example");
    world.mail_answers.clear();
    pass(1h);
    EXPECT_EQ(world.taken("gone@r.example"), 0);
    EXPECT_EQ(world.taken("policy@r.example"), 1);
}

TEST_F(delivering_reports, the_operator_has_a_copy_that_changes_nothing) {
    options.copy_to = "ops@sender.example";
    always("ops@sender.example", 550, "5.1.1", "RCPT");
    always("a@r.example", 451);
    one_report("mailto:a@r.example");
    EXPECT_EQ(state_of("ops@sender.example"), refused);
    EXPECT_THAT(database->open()->suppressed().value(), IsEmpty());
    world.mail_answers.clear();
    pass(1h);
    EXPECT_EQ(state_of("a@r.example"), sent);
    count({sessions("b.example", 5)});
    world.asks("b.example", "mailto:b@r.example");
    pass(1h);
    EXPECT_EQ(world.taken("ops@sender.example"), 1);
    EXPECT_THAT(world.mails.back().message, HasSubstr("TLS-Report-Domain: b.example"));
}

TEST_F(delivering_reports, a_copy_is_no_first_that_works) {
    options.copy_to = "ops@sender.example";
    options.first_that_works = true;
    always("a@r.example", 550, "5.7.1", "MAIL");
    one_report("mailto:a@r.example,mailto:b@r.example,mailto:c@r.example");
    EXPECT_THAT(world.accepted, UnorderedElementsAre("ops@sender.example", "b@r.example"));
    pass(2h);
    EXPECT_THAT(world.accepted, SizeIs(2));
    EXPECT_EQ(state_of("c@r.example"), skipped);
}

TEST_F(delivering_reports, mails_come_from_the_contact_and_say_what_they_are) {
    one_report("mailto:a@r.example");
    ASSERT_THAT(world.mails, SizeIs(1));
    EXPECT_THAT(world.mails[0].message, testing::AllOf(HasSubstr("TLS-Required: No\r\n"),
                                                       HasSubstr("TLS-Report-Submitter: sender.example\r\n"),
                                                       HasSubstr("To: <a@r.example>\r\n")));
}

TEST_F(delivering_reports, a_database_that_is_away_loses_nothing) {
    count({sessions("a.example", 5)});
    world.asks("a.example", "mailto:a@r.example");
    watched.away = true;
    make();
    sender->start();
    ASSERT_TRUE(eventually([&] { return told(kind::trouble) > 0; }));
    loop.block_on(loop.sleep_for(50ms));
    EXPECT_EQ(told(kind::trouble), 1u) << "once an outage";
    EXPECT_THAT(sender->counted().last_error, HasSubstr("away"));
    watched.away = false;
    settle();
    EXPECT_EQ(world.taken("a@r.example"), 1);
}

TEST_F(delivering_reports, a_success_is_kept_until_it_can_be_written) {
    watched.once_only = true;
    world.mail_answers["a@r.example"] = [&](auto) {
        watched.away = true; // between the try and its record
        return outside::smtp(250);
    };
    count({sessions("a.example", 5)});
    world.asks("a.example", "mailto:a@r.example");
    make();
    sender->start();
    ASSERT_TRUE(eventually([&] { return !world.accepted.empty(); }));
    clock.at += 5h; // longer than any lease
    loop.block_on(loop.sleep_for(50ms));
    EXPECT_FALSE(sender->idle());
    watched.away = false;
    settle();
    EXPECT_EQ(world.taken("a@r.example"), 1);
    EXPECT_EQ(state_of("a@r.example"), sent);
}

TEST_F(delivering_reports, a_stop_gives_back_what_was_not_begun) {
    count({sessions("a.example", 5)});
    std::string rua;
    options.rails.addresses = 50;
    options.first_that_works = true;
    for (int i = 0; i < 10; ++i)
        rua += fmt::format("{}mailto:a{}@r.example", i == 0 ? "" : ",", i);
    world.asks("a.example", rua);
    world.mail_answers["a0@r.example"] = [&](auto) {
        sender->stop();
        return outside::smtp(451);
    };
    make();
    sender->start();
    ASSERT_TRUE(eventually([&] { return sender->idle() && !world.mails.empty(); }));
    EXPECT_THAT(world.mails, SizeIs(1));
    end();
    begin(); // another process, at once
    EXPECT_EQ(world.taken("a1@r.example"), 1);
}

TEST_F(delivering_reports, many_at_once_but_no_more) {
    options.at_once = 4;
    std::size_t now = 0, most = 0;
    for (int i = 0; i < 40; ++i) {
        const auto domain = fmt::format("d{}.example", i);
        count({sessions(domain, 1)});
        world.asks(domain, fmt::format("mailto:{}@r.example", domain));
    }
    make();
    auto out = ways();
    out.mail = [&](wire::outgoing_mail mail, model::address_family) -> io::task<io::mail_sent> {
        most = std::max(most, ++now);
        co_await loop.sleep_for(5ms);
        --now;
        world.accepted.push_back(mail.recipients.at(0));
        co_return outside::smtp(250);
    };
    options.look_every = 3'600s; // what comes next does not wait for the beat
    sender = std::make_unique<deliver::sender>(loop, out, clock, real_clock, options);
    sender->start();
    EXPECT_TRUE(eventually([&] { return world.accepted.size() == 40 && sender->idle(); }));
    EXPECT_EQ(most, 4u);
}

TEST_F(delivering_reports, what_is_old_goes) {
    options.keep = 10 * 24h;
    one_report("mailto:a@r.example");
    pass(9 * 24h);
    EXPECT_THAT(outbox(), SizeIs(1));
    pass(3 * 24h);
    EXPECT_TRUE(eventually([&] { return outbox().empty(); }));
}

std::string bounce_of(const std::string& report_mail, const std::string& recipient,
                      const std::string& status) {
    const auto from = report_mail.find("Message-ID: ");
    const auto id = report_mail.substr(from, report_mail.find("\r\n", from) - from);
    return "From: MAILER-DAEMON@mx.example\r\nTo: tls-report@sender.example\r\nSubject: Undelivered\r\n"
           "MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; "
           "boundary=b\r\n\r\n"
           "--b\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered.\r\n"
           "--b\r\nContent-Type: message/delivery-status\r\n\r\n"
           "Reporting-MTA: dns; mx.example\r\n\r\n"
           "Final-Recipient: rfc822; " +
           recipient + "\r\nAction: " + (status[0] == '5' ? "failed" : "delayed") + "\r\nStatus: " + status +
           "\r\nDiagnostic-Code: smtp; 550 no such user\r\n\r\n"
           "--b\r\nContent-Type: text/rfc822-headers\r\n\r\n" +
           id + "\r\n\r\n--b--\r\n";
}

TEST_F(delivering_reports, a_bounce_suppresses_only_whom_we_wrote_to) {
    one_report("mailto:a@r.example,mailto:b@r.example");
    ASSERT_THAT(world.mails, SizeIs(2));
    const auto& mail = world.mails[0].to == "a@r.example" ? world.mails[0].message : world.mails[1].message;
    const auto list = [&] {
        std::vector<std::string> who;
        for (const auto& each : database->open()->suppressed().value())
            who.push_back(each.who);
        return who;
    };
    const auto& other = world.mails[0].to == "a@r.example" ? world.mails[1].message : world.mails[0].message;
    const auto guessed = [&](const std::string& tag) {
        auto text = mail;
        const auto begin = text.find("Message-ID: <") + 13;
        return text.replace(begin, text.find('.', begin) - begin, tag);
    };
    loop.block_on(sender->bounced("no mail at all"));
    // Who has another copy of the report, or only knows how its id is made, tells nothing of this address.
    loop.block_on(sender->bounced(bounce_of(other, "a@r.example", "5.1.1")));
    for (const std::string tag : {"d1", "d2", "d1-0000000000000000", "d2-0000000000000000"})
        loop.block_on(sender->bounced(bounce_of(guessed(tag), "a@r.example", "5.1.1")));
    loop.block_on(sender->bounced(bounce_of(mail, "victim@elsewhere.example", "5.1.1")));
    loop.block_on(
        sender->bounced(bounce_of("Message-ID: <made.up@sender.example>\r\n", "a@r.example", "5.1.1")));
    loop.block_on(sender->bounced(bounce_of(mail, "a@r.example", "4.4.1")));
    EXPECT_THAT(list(), IsEmpty());
    loop.block_on(sender->bounced(bounce_of(mail, "A@r.example", "5.1.1")));
    EXPECT_THAT(list(), ElementsAre("a@r.example"));
    EXPECT_EQ(told(kind::suppressed), 1u);
    EXPECT_EQ(state_of("a@r.example"), sent) << "taken was taken: it is not sent again";
    ASSERT_TRUE(
        database->open()->suppress({.who = "a@r.example", .why = "they asked", .since = {}, .until = {}}));
    loop.block_on(sender->bounced(bounce_of(mail, "a@r.example", "5.1.1")));
    EXPECT_EQ(database->open()->suppressed()->front().why, "they asked") << "for ever is not made a month";
}

} // namespace
} // namespace mailtight::deliver
