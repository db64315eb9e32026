// SPDX-License-Identifier: Apache-2.0
// Who hears of attempts that an answer stops: told of answers to mail servers, of nobody else's looks.
#include "resolve/facts.h"
#include "service_world.h"
#include "support/front_talk.h"
#include "support/proves.h"

#include <gtest/gtest.h>

namespace mailtight::resolve {
namespace {

std::string net(std::string_view text) {
    std::string out;
    wire::append_netstring(out, text);
    return out;
}

struct told_world : tests::service_world {
    std::vector<std::string> stopped;
    std::shared_ptr<talk> client, exim;
    std::unique_ptr<front> at;

    told_world() {
        options.budget = std::chrono::milliseconds(500);
        dns.domain("none.loc", {"mx1.none.loc", "mx2.none.loc"}, "1");
        hosts.serve("none.loc", sts::mode::enforce, {"elsewhere.loc"});
        dns.domain("good.loc", {"mx.good.loc"}, "1");
        hosts.serve("good.loc", sts::mode::enforce, {"mx.good.loc"});
        dns.domain("bogus.loc", {"mx.bogus.loc"});
        dns.failing["MX bogus.loc"] = model::dns_status::bogus;
        dns.domain("down.loc", {"mx.down.loc"});
        dns.failing["MX down.loc"] = model::dns_status::servfail;
        begin();
        service->on_stopped([this](const model::session_seen& attempt) {
            EXPECT_EQ(attempt.tls, model::tls_reached::not_tried);
            stopped.push_back(attempt.domain + " " + attempt.mx_host);
        });
        at = std::make_unique<front>(loop, *service, clock, front_options{});
        client = talk::with(at->socketmap());
        exim = talk::with(at->lines());
    }
    ~told_world() {
        client.reset();
        exim.reset();
        at.reset();
        end();
    }
    std::string ask(const std::string& domain) {
        client->say(net("postfix " + domain));
        EXPECT_TRUE(eventually([&] { return client->session->idle(); }));
        return client->take();
    }
    std::string ask_line(const std::string& line) {
        exim->say(line + "\n");
        EXPECT_TRUE(eventually([&] { return exim->session->idle(); }));
        return exim->take();
    }
    std::vector<std::string> heard() { return std::exchange(stopped, {}); }
};

TEST(stopped_hook, tells_of_what_a_mail_server_was_answered) {
    PROVES("A32", "8460-4.3.2-b", "8460-4.3.4-a");
    told_world w;
    EXPECT_TRUE(w.ask("none.loc").find("TEMP ") != std::string::npos);
    EXPECT_EQ(w.heard(), (std::vector<std::string>{"none.loc mx1.none.loc", "none.loc mx2.none.loc"}));
    EXPECT_TRUE(w.ask("bogus.loc").find("OK dane") != std::string::npos)
        << "the mail server looks for itself, and finds the same";
    EXPECT_EQ(w.heard(), (std::vector<std::string>{"bogus.loc "}));
    w.ask("down.loc");
    w.ask("good.loc");
    EXPECT_EQ(w.heard(), std::vector<std::string>{});
}

TEST(stopped_hook, counts_an_answer_that_is_repeated_too) {
    told_world w;
    const std::vector<std::string> both{"none.loc mx1.none.loc", "none.loc mx2.none.loc"};
    for (int asked = 0; asked < 3; ++asked) {
        w.ask("none.loc");
        EXPECT_EQ(w.heard(), both) << asked;
    }
}

// Exim asks how to route, then about each host before it connects: only the host that is shut out is an
// attempt.
TEST(stopped_hook, where_each_host_is_asked_about_each_is_counted_once) {
    PROVES("A32");
    told_world w;
    for (int mails = 0; mails < 2; ++mails) {
        EXPECT_TRUE(w.ask_line("POLICY none.loc").starts_with("enforce"));
        EXPECT_EQ(w.heard(), std::vector<std::string>{});
        EXPECT_TRUE(w.ask_line("MX none.loc mx2.none.loc").starts_with("deny"));
        EXPECT_EQ(w.heard(), std::vector<std::string>{"none.loc mx2.none.loc"});
    }
    w.ask_line("POLICY good.loc");
    w.ask_line("MX good.loc mx.good.loc");
    EXPECT_EQ(w.heard(), std::vector<std::string>{});
    EXPECT_TRUE(w.ask_line("MX good.loc other.good.loc").starts_with("deny"));
    EXPECT_EQ(w.heard(), std::vector<std::string>{"good.loc other.good.loc"})
        << "the others are not shut out";
}

TEST(stopped_hook, is_silent_for_who_delivers_nothing) {
    told_world w;
    EXPECT_EQ(w.service_world::ask("none.loc")->what, decision::enforce);
    EXPECT_EQ(w.known("none.loc")->what, decision::enforce);
    EXPECT_EQ(w.loop.block_on(w.service->look_live("none.loc"))->what, decision::enforce);
    EXPECT_EQ(w.heard(), std::vector<std::string>{});
}

} // namespace
} // namespace mailtight::resolve
