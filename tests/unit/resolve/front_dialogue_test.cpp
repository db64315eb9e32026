// SPDX-License-Identifier: Apache-2.0
// Whole conversations with everything behind them: front, service, state machine, DANE, replies, over a world
// of good and bad domains, as a mail server has them in its queue. Each in four read sizes, all questions
// sent before the first answer.
#include "service_world.h"
#include "sts/policy.h"
#include "support/front_talk.h"
#include "support/proves.h"

#include <gtest/gtest.h>

namespace mailtight::resolve {

namespace {

/// `_mta-sts.NAME` and the policy file of a domain, as they are.
void publish(tests::service_world& world, const std::string& domain, std::vector<std::string> texts,
             const std::string& body) {
    world.dns.domain(domain, {"mail." + domain, "mx2." + domain});
    if (!texts.empty())
        world.dns.texts["_mta-sts." + domain] = std::move(texts);
    const auto read = sts::parse_policy(body);
    if (read)
        world.hosts.answers[domain] = {.value = *read, .body = body};
    else
        world.hosts.fail(domain, sts::policy_fault::invalid, std::string(explain(read.error().problem)));
}

const std::vector<std::string> record{"v=STSv1; id=20260101000000Z;"};

std::string enforce(const std::string& mx, const std::string& max_age = "604800") {
    return "version: STSv1\r\nmode: enforce\r\nmx: " + mx + "\r\nmax_age: " + max_age + "\r\n";
}

void publish_all(tests::service_world& world) {
    publish(world, "good.loc", record, enforce("*.good.loc"));
    publish(world, "two.loc", record,
            "version: STSv1\nmode: enforce\nmx: mx2.two.loc\nmx: mail.two.loc\nmax_age: 86400\n");
    publish(world, "relay.loc", record, enforce("relay.loc"));
    world.dns.with_address.insert("relay.loc");
    publish(world, "other-mx.loc", record, enforce("mail.elsewhere.loc"));
    publish(world, "testing.loc", record,
            "version: STSv1\nmode: testing\nmx: mail.testing.loc\nmax_age: 86400\n");
    publish(world, "valid-none.loc", record, "version: STSv1\nmode: none\nmax_age: 86400\n");
    publish(world, "beside.loc", {"google-site-verification=x", record[0]}, enforce("mail.beside.loc"));
    publish(world, "bad-record1.loc", {record[0], record[0]}, enforce("mail.bad-record1.loc"));
    publish(world, "bad-record2.loc", {"v=STSv1"}, enforce("mail.bad-record2.loc"));
    publish(world, "bad-record3.loc", {"v=STSv2; id=1"}, enforce("mail.bad-record3.loc"));
    publish(world, "no-record.loc", {}, enforce("mail.no-record.loc"));
    publish(world, "bad-policy1.loc", record, "mode: enforce\nmx: mail.bad-policy1.loc\nmax_age: 86400\n");
    publish(world, "bad-policy2.loc", record,
            "version: STSv1\nmode: strict\nmx: mail.bad-policy2.loc\nmax_age: 86400\n");
    publish(world, "bad-policy3.loc", record, "version: STSv1\nmode: enforce\nmx: mail.bad-policy3.loc\n");
    publish(world, "bad-policy4.loc", record, "version: STSv1\nmode: enforce\nmax_age: 86400\n");
    publish(world, "bad-policy5.loc", record, enforce("mail.bad-policy5.loc", "eternal"));
    publish(world, "bad-policy6.loc", record, "<html><body>404</body></html>\n");
    publish(world, "bad-policy7.loc", record,
            "version: STSv1\nmode: enforce\nmx: a b servername=evil\nmax_age: 86400\n");
    publish(world, "bad-policy8.loc", record, enforce("mail.bad-policy8.loc") + "\x01\n");
    publish(world, "long-lived.loc", record, enforce("mail.long-lived.loc", "31557601"));
    publish(world, "bad-cert.loc", record, "");
    world.hosts.fail("bad-cert.loc", sts::policy_fault::webpki_invalid, "another name");
    publish(world, "overlength.loc", record, "");
    world.hosts.fail("overlength.loc", sts::policy_fault::fetch_error, "more than 65536 bytes");
    publish(world, "servfail.loc", {}, "");
    world.dns.failing["TXT _mta-sts.servfail.loc"] = model::dns_status::servfail;
    publish(world, "blackhole.loc", record, "");
    world.dns.hanging.hang("TXT _mta-sts.blackhole.loc");
    publish(world, "slow-host.loc", record, enforce("mail.slow-host.loc"));
    world.hosts.hanging.hang("slow-host.loc");
    world.dns.domain("mx-fails.loc", {"mail.mx-fails.loc"});
    world.dns.failing["MX mx-fails.loc"] = model::dns_status::servfail;
}

struct row {
    std::string asked, answered;
};
const std::string none = "NOTFOUND ";

const std::vector<row> dialogue{
    {"postfix good.loc", "OK secure match=mail.good.loc:mx2.good.loc servername=hostname"},
    {"postfix GOOD.loc.", "OK secure match=mail.good.loc:mx2.good.loc servername=hostname"},
    {"postfix-legacy good.loc", "OK secure match=mail.good.loc:mx2.good.loc"},
    {"QUERY good.loc", "OK secure match=.good.loc servername=hostname"},
    {"sts good.loc", "OK secure match=.good.loc servername=hostname"},
    {"QUERYwithTLSRPT good.loc",
     "OK secure match=.good.loc servername=hostname policy_type=sts policy_domain=good.loc "
     "mx_host_pattern=*.good.loc { policy_string = version: STSv1 } { policy_string = mode: enforce } "
     "{ policy_string = mx: *.good.loc } { policy_string = max_age: 604800 }"},
    {"postfix two.loc", "OK secure match=mail.two.loc:mx2.two.loc servername=hostname"},
    {"QUERY two.loc", "OK secure match=mx2.two.loc:mail.two.loc servername=hostname"},
    {"postfix [relay.loc]:123", "OK secure match=relay.loc servername=hostname"},
    {"postfix [relay.loc]", "OK secure match=relay.loc servername=hostname"},
    {"postfix good.loc:587", "OK secure match=mail.good.loc:mx2.good.loc servername=hostname"},
    {"postfix other-mx.loc",
     "TEMP MTA-STS policy of other-mx.loc is enforced and admits none of its MX hosts "
     "(mail.other-mx.loc, mx2.other-mx.loc); it names mail.elsewhere.loc"},
    {"QUERY other-mx.loc", "OK secure match=mail.elsewhere.loc servername=hostname"},
    {"postfix beside.loc", "OK secure match=mail.beside.loc servername=hostname"},
    {"postfix long-lived.loc", "OK secure match=mail.long-lived.loc servername=hostname"}, // A4: clamped
    {"postfix testing.loc", none},
    {"postfix-3.10 testing.loc", none},
    {"postfix valid-none.loc", none},
    {"postfix bad-record1.loc", none},
    {"postfix bad-record2.loc", none},
    {"postfix bad-record3.loc", none},
    {"postfix no-record.loc", none},
    {"postfix bad-policy1.loc", none},
    {"postfix bad-policy2.loc", none},
    {"postfix bad-policy3.loc", none},
    {"postfix bad-policy4.loc", none},
    {"postfix bad-policy5.loc", none},
    {"postfix bad-policy6.loc", none},
    {"postfix bad-policy7.loc", none},
    {"postfix bad-policy8.loc", none},
    {"postfix bad-cert.loc", none},
    {"postfix overlength.loc", none},
    {"postfix servfail.loc", none},  // A14
    {"postfix blackhole.loc", none}, // the same, at the end of the budget
    {"postfix slow-host.loc", none}, // 8461-3.3-o, while the fetch goes on
    {"postfix mx-fails.loc", "OK dane"},
    {"postfix .good.loc", none},
    {"postfix mail.good.loc", none},
    {"postfix [192.0.2.1]", none},
    {"postfix [IPv6:2001:db8::1]:25", none},
    {"postfix localhost", none},
    {"postfix /run/lmtp.sock", none},
    {"postfix ", none},
};

TEST(front_dialogue, good_and_bad_domains) {
    PROVES("8461-3.4-a", "8461-3.4-b", "8461-3.4-c", "8461-4.1-b", "8461-5-a", "8461-5-c");
    std::string asked, answered;
    for (const auto& one : dialogue) {
        asked += net(one.asked);
        answered += net(one.answered);
    }
    for (const std::size_t piece : {1u, 13u, 4'096u, 100'000u}) {
        tests::service_world world;
        publish_all(world);
        world.begin();
        front at(world.loop, *world.service, world.clock, {});
        const auto client = talk::with(at.socketmap());
        for (int again = 0; again < 2; ++again) { // the second time from memory
            client->say(asked, piece);
            EXPECT_TRUE(world.eventually([&] { return client->session->idle(); }));
            const auto heard = client->take();
            EXPECT_EQ(heard, answered) << "read size " << piece;
        }
        world.dns.hanging.let_go();
        world.hosts.hanging.let_go();
    }
}

TEST(front_dialogue, a_policy_that_ends_soon) {
    tests::service_world world;
    publish(world, "fast-expire.loc", record, enforce("mail.fast-expire.loc", "100"));
    world.begin();
    front at(world.loop, *world.service, world.clock, {});
    const auto client = talk::with(at.socketmap());
    const auto ask = [&] {
        client->say(net("postfix fast-expire.loc"));
        EXPECT_TRUE(world.eventually([&] { return client->session->idle(); }));
        return client->take();
    };
    const auto secure = net("OK secure match=mail.fast-expire.loc servername=hostname");
    EXPECT_EQ(ask(), secure);
    world.hosts.fail("fast-expire.loc", sts::policy_fault::fetch_error, "gone");
    world.clock.at += std::chrono::seconds{99};
    EXPECT_EQ(ask(), secure) << "a policy in force outlives its host";
    world.clock.at += std::chrono::seconds{2};
    EXPECT_EQ(ask(), net("NOTFOUND ")) << "and ends with its max_age, ready replies included";
}

TEST(front_dialogue, an_exception_changes_the_next_answer) {
    tests::service_world world;
    publish(world, "good.loc", record, enforce("mail.good.loc"));
    world.begin();
    front at(world.loop, *world.service, world.clock, {});
    const auto client = talk::with(at.socketmap());
    const auto ask = [&] {
        client->say(net("postfix good.loc"));
        EXPECT_TRUE(world.eventually([&] { return client->session->idle(); }));
        return client->take();
    };
    EXPECT_EQ(ask(), net("OK secure match=mail.good.loc servername=hostname"));
    EXPECT_EQ(ask(), net("OK secure match=mail.good.loc servername=hostname"));
    model::policy_override made;
    made.domain = "good.loc";
    made.what = model::policy_override::kind::exempt;
    EXPECT_TRUE(world.loop.block_on(world.service->set_override(made)).has_value());
    EXPECT_EQ(ask(), net("OK may"));
    EXPECT_TRUE(world.loop.block_on(world.service->remove_override("good.loc")).has_value());
    EXPECT_EQ(ask(), net("OK secure match=mail.good.loc servername=hostname"));
}

TEST(front_dialogue, ready_replies_are_counted_by_the_service) {
    tests::service_world world;
    publish(world, "good.loc", record, enforce("mail.good.loc"));
    world.begin();
    front at(world.loop, *world.service, world.clock, {});
    const auto client = talk::with(at.socketmap());
    for (int i = 0; i < 10; ++i) {
        client->say(net("postfix good.loc"));
        EXPECT_TRUE(world.eventually([&] { return client->session->idle(); }));
    }
    const auto counted = world.service->counted();
    EXPECT_EQ(counted.answers, 10u);
    EXPECT_EQ(counted.decisions[static_cast<std::size_t>(decision::enforce)], 10u);
}

} // namespace

} // namespace mailtight::resolve
