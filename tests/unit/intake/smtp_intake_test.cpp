// SPDX-License-Identifier: Apache-2.0
// SMTP and LMTP over real sockets: who may write, what the sender is told, and what is safe when.
#include "intake_world.h"

#include "intake/ways_in.h"
#include "support/proves.h"
#include "support/scratch.h"
#include "support/tls_server.h"

#include <gmock/gmock.h>

#include <future>

namespace mailtight::intake {
namespace {

using namespace std::chrono_literals;
using namespace tests;
using mood = memory_database::mood;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

struct mail_world : intake_world {
    std::optional<smtp_intake> way;

    explicit mail_world(smtp_intake_options options = {}, keeper_options keeping = {})
        : intake_world(std::move(keeping)) {
        if (!options.at.tcp && options.at.unix_path.empty())
            options.at = *io::parse_listen_address("127.0.0.1:0", 0);
        options.protocol.host_name = "reports.example";
        way.emplace(loop, *keeper, book, clock, std::move(options));
        const auto started = way->start();
        EXPECT_TRUE(started) << started.error();
    }
    ~mail_world() {
        way->stop();
        EXPECT_TRUE(eventually(loop, [this] { return way->status().open == 0; }));
    }
    std::uint16_t port() const {
        const auto address = way->address();
        return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
    }
    /// Runs a blocking client beside the loop.
    template<class Client>
    auto with(Client client) {
        auto result = std::async(std::launch::async, std::move(client));
        EXPECT_TRUE(eventually(loop, [&] { return result.wait_for(0s) == std::future_status::ready; }, 60s));
        return result.get();
    }
    std::string talk(const std::string& script) {
        return with([port = port(), script] {
            const auto client = raw_client::tcp(port);
            client.until("\r\n");
            client.send(script);
            return client.rest();
        });
    }
};
smtp_intake_options smtp() {
    smtp_intake_options options;
    options.lmtp = false;
    return options;
}

std::string stuffed(const std::string& mail) {
    std::string out;
    std::size_t at = 0;
    while (at < mail.size()) {
        const auto end = mail.find('\n', at);
        const auto line = mail.substr(at, end == mail.npos ? mail.npos : end + 1 - at);
        out += line.starts_with('.') ? "." + line : line;
        at += line.size();
    }
    return out + ".\r\n";
}
std::string envelope(const std::vector<std::string>& to, const std::string& from = "tls@reporter.example") {
    std::string out = "MAIL FROM:<" + from + ">\r\n";
    for (const auto& recipient : to)
        out += "RCPT TO:<" + recipient + ">\r\n";
    return out;
}
const std::string ours = "tls-report@reports.example",
                  ours_with_token = "tls-report+tokena2345@reports.example";

TEST(smtp_intake, takes_a_report_by_smtp_and_by_lmtp) {
    for (const bool lmtp : {false, true}) {
        auto options = smtp();
        options.lmtp = lmtp;
        mail_world world(options);
        const auto said =
            world.talk(std::string(lmtp ? "LHLO" : "EHLO") + " mx.reporter.example\r\n" +
                       envelope({ours_with_token}) + "DATA\r\n" + stuffed(signed_mail("one")) + "QUIT\r\n");
        EXPECT_THAT(said, HasSubstr("\r\n250 2.6.0 report kept\r\n")) << said;
        ASSERT_EQ(world.database->count(), 1U);
        const auto& kept_one = world.database->reports.at(0);
        EXPECT_EQ(kept_one.trust, model::trust::verified) << kept_one.trust_reason;
        EXPECT_EQ(kept_one.way, lmtp ? model::way_in::lmtp : model::way_in::smtp);
        EXPECT_EQ(kept_one.recipient, ours_with_token);
        EXPECT_THAT(kept_one.source, HasSubstr("127.0.0.1"));
        EXPECT_EQ(world.way->status().accepted, 1U);
        EXPECT_EQ(world.way->status().name, lmtp ? "lmtp" : "smtp");
    }
}

TEST(smtp_intake, listens_at_a_unix_socket) {
    const scratch_folder folder;
    smtp_intake_options options;
    options.at = *io::parse_listen_address("unix:" + (folder / "lmtp.sock"), 0);
    mail_world world(options);
    const auto said = world.with([path = folder / "lmtp.sock"] {
        const auto client = raw_client::local(path);
        client.until("\r\n");
        client.send("LHLO here\r\n" + envelope({ours}) + "DATA\r\n" + stuffed(signed_mail("one")) +
                    "QUIT\r\n");
        return client.rest();
    });
    EXPECT_THAT(said, HasSubstr("250 2.6.0")) << said;
    EXPECT_EQ(world.way->address(), options.at.to_string());
}

TEST(smtp_intake, knows_only_our_addresses) {
    mail_world world(smtp());
    const auto said = world.talk("EHLO x\r\n" +
                                 envelope({"root@reports.example", "tls-report+wrong@reports.example",
                                           "tls-report@elsewhere.example"}) +
                                 "DATA\r\nQUIT\r\n");
    std::size_t refused = 0;
    for (auto at = said.find("550 5.1.1"); at != said.npos; at = said.find("550 5.1.1", at + 1))
        ++refused;
    EXPECT_EQ(refused, 3U) << said;
    EXPECT_THAT(said, Not(HasSubstr("354"))) << said;
    EXPECT_EQ(world.way->status().refused, 3U);
}

TEST(smtp_intake, lmtp_answers_for_each_recipient) {
    mail_world world;
    const auto said = world.talk("LHLO x\r\n" + envelope({ours, "nobody@reports.example", ours_with_token}) +
                                 "DATA\r\n" + stuffed(signed_mail("one")) + "QUIT\r\n");
    std::size_t answers = 0;
    for (auto at = said.find("250 2.6.0"); at != said.npos; at = said.find("250 2.6.0", at + 1))
        ++answers;
    EXPECT_EQ(answers, 2U) << said;
    EXPECT_EQ(world.database->count(), 1U); // once, although two of our addresses got it
}

TEST(smtp_intake, a_mail_without_a_report_is_refused_and_a_bounce_is_dropped) {
    mail_world world(smtp());
    mail_wish letter;
    letter.type = "multipart/mixed; boundary=cut";
    letter.parts = {text_part("Hello?")};
    const auto person =
        world.talk("EHLO x\r\n" + envelope({ours}) + "DATA\r\n" + stuffed(make_mail(letter)) + "QUIT\r\n");
    EXPECT_THAT(person, HasSubstr("554 5.6.0 this address takes TLS reports only")) << person;
    const auto bounce = world.talk("EHLO x\r\n" + envelope({ours}, "") + "DATA\r\n" +
                                   stuffed(make_mail(letter)) + "QUIT\r\n");
    EXPECT_THAT(bounce, HasSubstr("250 2.0.0 no report in it")) << bounce;
    EXPECT_EQ(world.database->count(), 0U);
    EXPECT_EQ(world.keeper->counters().refused, 2U);
}

TEST(smtp_intake, a_store_that_cannot_is_451_and_the_next_try_succeeds) {
    for (const auto trouble : {mood::full, mood::unreachable}) {
        mail_world world;
        const auto script =
            "LHLO x\r\n" + envelope({ours}) + "DATA\r\n" + stuffed(signed_mail("one")) + "QUIT\r\n";
        world.database->behaves = trouble;
        EXPECT_THAT(world.talk(script), HasSubstr("451 4.3.0"));
        EXPECT_EQ(world.database->count(), 0U);
        world.database->behaves = mood::fine;
        EXPECT_THAT(world.talk(script), HasSubstr("250 2.6.0"));
        EXPECT_EQ(world.database->count(), 1U);
    }
}

TEST(smtp_intake, a_key_that_the_dns_does_not_say_just_now_is_waited_for) {
    mail_world world;
    const auto script =
        "LHLO x\r\n" + envelope({ours}) + "DATA\r\n" + stuffed(signed_mail("one")) + "QUIT\r\n";
    const auto sent =
        base::utc_seconds(std::chrono::sys_days(std::chrono::year(2026) / 5 / 4)) + 6h; // its Date
    world.clock.set(sent + 1h);
    world.dns.down = true;
    EXPECT_THAT(world.talk(script), HasSubstr("451 4.7.5"));
    EXPECT_EQ(world.database->count(), 0U) << "it would count nowhere, and nobody would bring it again";
    EXPECT_EQ(world.keeper->counters().later, 1U);
    EXPECT_EQ(world.keeper->counters().failed_writes, 0U);
    world.clock.set(sent + 25h);
    EXPECT_THAT(world.talk(script), HasSubstr("250 2.6.0")) << "a day is enough: it is kept, and shown";
    EXPECT_EQ(world.database->reports.at(0).trust, model::trust::unverified);
}

TEST(smtp_intake, says_250_only_after_the_commit) {
    mail_world world;
    world.database->hold(true);
    auto talking = std::async(std::launch::async, [port = world.port()] {
        const auto client = raw_client::tcp(port);
        client.until("\r\n");
        client.send("LHLO x\r\n" + envelope({ours}) + "DATA\r\n" + stuffed(signed_mail("one")));
        return client.until("250 2.6.0");
    });
    EXPECT_TRUE(eventually(world.loop, [&] { return world.keeper->counters().queued == 1; }));
    world.loop.block_on(world.loop.sleep_for(50ms));
    EXPECT_EQ(talking.wait_for(0s), std::future_status::timeout); // no answer yet
    world.database->hold(false);
    EXPECT_TRUE(eventually(world.loop, [&] { return talking.wait_for(0s) == std::future_status::ready; }));
    EXPECT_THAT(talking.get(), HasSubstr("250 2.6.0"));
}

TEST(smtp_intake, one_source_may_send_only_so_much) {
    PROVES("8460-7-a");
    auto options = smtp();
    options.mails_per_minute = 3;
    mail_world world(options);
    std::string script = "EHLO x\r\n";
    for (int i = 0; i < 5; ++i)
        script += envelope({ours}) + "DATA\r\n" + stuffed(signed_mail(std::to_string(i)));
    const auto said = world.talk(script + "QUIT\r\n");
    EXPECT_EQ(world.database->count(), 3U);
    EXPECT_THAT(said, HasSubstr("450 4.7.1"));

    options.no_limit = {*base::ip_network::parse("127.0.0.0/8")};
    mail_world exempt(options);
    exempt.talk(script + "QUIT\r\n");
    EXPECT_EQ(exempt.database->count(), 5U);

    options.no_limit.clear();
    options.lmtp = true; // the mail server of this machine
    mail_world local(options);
    auto by_lmtp = script;
    by_lmtp.replace(0, 4, "LHLO");
    local.talk(by_lmtp + "QUIT\r\n");
    EXPECT_EQ(local.database->count(), 5U);
}

TEST(smtp_intake, a_mail_that_is_too_large_is_refused) {
    PROVES("8460-7-a");
    auto options = smtp();
    options.protocol.message_bytes = 10'000;
    mail_world world(options);
    const auto said = world.talk("EHLO x\r\n" + envelope({ours}) + "DATA\r\n" + std::string(20'000, 'x') +
                                 "\r\n.\r\nQUIT\r\n");
    EXPECT_THAT(said, HasSubstr("552")) << said;
    EXPECT_EQ(world.database->count(), 0U);
    EXPECT_EQ(world.keeper->counters().inputs, 0U);
}

TEST(smtp_intake, the_silent_and_the_slow_are_sent_away) {
    PROVES("8460-7-a");
    auto options = smtp();
    options.command_time = 150ms;
    options.data_time = 300ms;
    mail_world world(options);
    const auto silent = world.with([port = world.port()] { return raw_client::tcp(port).rest(); });
    EXPECT_THAT(silent, HasSubstr("421 4.3.2 too slow"));
    // A byte now and then wins no time.
    const auto slow = world.with([port = world.port()] {
        const auto client = raw_client::tcp(port);
        client.until("\r\n");
        client.send("EHLO x\r\n" + envelope({ours}) + "DATA\r\n");
        client.until("354");
        const auto start = std::chrono::steady_clock::now();
        while (client.send("x") && std::chrono::steady_clock::now() - start < 10s)
            std::this_thread::sleep_for(20ms);
        return std::chrono::steady_clock::now() - start;
    });
    EXPECT_LT(slow, 5s);
}

TEST(smtp_intake, many_large_mails_at_once_do_not_fill_the_memory) {
    PROVES("8460-7-a");
    auto options = smtp();
    options.arriving_bytes = 1'000'000;
    mail_world world(options);
    auto clients = world.with([port = world.port()] {
        std::vector<raw_client> all;
        for (int i = 0; i < 10; ++i) { // each holds its mail open
            all.push_back(raw_client::tcp(port));
            all.back().until("220 ");
            all.back().send("EHLO x\r\n" + envelope({ours}) + "DATA\r\n");
            all.back().until("354");
            all.back().send(std::string(300'000, 'x') + "\r\n");
        }
        return all;
    });
    EXPECT_TRUE(eventually(world.loop, [&] { return world.way->status().open == 3; })); // the others are gone
    clients.clear();
    EXPECT_TRUE(eventually(world.loop, [&] { return world.way->status().open == 0; }));
    const auto after =
        world.talk("EHLO x\r\n" + envelope({ours}) + "DATA\r\n" + stuffed(signed_mail("one")) + "QUIT\r\n");
    EXPECT_THAT(after, HasSubstr("250 2.6.0")); // and nothing is left of it
}

TEST(smtp_intake, two_hundred_at_once) {
    auto options = smtp();
    options.listening.per_source = 500;
    mail_world world(options);
    world.database->hold(true); // the first commit takes until all the others wait
    auto senders = std::async(std::launch::async, [port = world.port()] {
        std::vector<raw_client> clients;
        for (int i = 0; i < 200; ++i)
            clients.push_back(raw_client::tcp(port));
        for (std::size_t i = 0; i < clients.size(); ++i)
            clients[i].send("EHLO x\r\n" + envelope({ours}) + "DATA\r\n" +
                            stuffed(signed_mail(std::to_string(i))) + "QUIT\r\n");
        std::size_t good = 0;
        for (auto& client : clients)
            good += client.rest().find("250 2.6.0") != std::string::npos ? 1U : 0U;
        return good;
    });
    EXPECT_TRUE(eventually(world.loop, [&] { return world.keeper->counters().queued == 200; }));
    world.database->hold(false);
    EXPECT_TRUE(eventually(world.loop, [&] { return senders.wait_for(0s) == std::future_status::ready; }));
    const auto accepted = senders.get();
    EXPECT_EQ(accepted, 200U);
    EXPECT_EQ(world.database->count(), 200U);
    EXPECT_LT(world.keeper->counters().commits, 10U); // many shared one
}

TEST(smtp_intake, stop_ends_the_idle_and_lets_a_mail_finish) {
    mail_world world;
    world.database->hold(true);
    auto idle =
        std::async(std::launch::async, [port = world.port()] { return raw_client::tcp(port).rest(); });
    auto busy = std::async(std::launch::async, [port = world.port()] {
        const auto client = raw_client::tcp(port);
        client.until("\r\n");
        client.send("LHLO x\r\n" + envelope({ours}) + "DATA\r\n" + stuffed(signed_mail("one")));
        return client.rest();
    });
    EXPECT_TRUE(eventually(
        world.loop, [&] { return world.keeper->counters().queued == 1 && world.way->status().open == 2; }));
    world.way->stop();
    EXPECT_TRUE(eventually(world.loop, [&] { return idle.wait_for(0s) == std::future_status::ready; }));
    EXPECT_THAT(idle.get(), HasSubstr("421 4.3.2 going down"));
    EXPECT_EQ(busy.wait_for(0s), std::future_status::timeout);
    world.database->hold(false);
    EXPECT_TRUE(eventually(world.loop, [&] { return busy.wait_for(0s) == std::future_status::ready; }));
    const auto said = busy.get();
    EXPECT_THAT(said, HasSubstr("250 2.6.0"));
    EXPECT_THAT(said, HasSubstr("421 4.3.2 going down"));
    EXPECT_FALSE(world.way->status().running);
}

TEST(smtp_intake, a_hang_up_in_the_middle_keeps_nothing) {
    mail_world world;
    world.with([port = world.port()] {
        auto client = raw_client::tcp(port);
        client.until("\r\n");
        client.send("LHLO x\r\n" + envelope({ours}) + "DATA\r\n");
        client.until("354");
        const auto mail = signed_mail("one");
        client.send(mail.substr(0, mail.size() / 2));
        client.close();
        return true;
    });
    EXPECT_TRUE(eventually(world.loop, [&] { return world.way->status().open == 0; }));
    EXPECT_EQ(world.keeper->counters().inputs, 0U);
}

} // namespace
} // namespace mailtight::intake
