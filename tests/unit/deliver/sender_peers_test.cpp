// SPDX-License-Identifier: Apache-2.0
// The sender with real names, a real mail server and real endpoints on loopback, over the very functions that
// the program uses.
#include "base/compress.h"
#include "io/families.h"
#include "sender_world.h"
#include "support/dkim.h"
#include "support/proves.h"
#include "support/tls_server.h"
#include "tlsrpt/read_report.h"
#include "unit/io/fake_dns.h"

#include <fmt/format.h>

#include <mutex>

namespace mailtight::deliver {
namespace {

using namespace tests;
using enum model::delivery_state;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

/// The names of the world: every host is 127.0.0.1, but for one that is private.
class name_server {
public:
    name_server()
        : server_([this](const fake_dns::question& q) { return answers(q); }) {}
    /// The strings of one TXT record at `_smtp._tls.DOMAIN`, for each record.
    void record(const std::string& domain, std::vector<std::vector<std::string>> strings) {
        const std::scoped_lock held(guard_);
        texts_["_smtp._tls." + domain] = std::move(strings);
    }
    io::endpoint at() const { return server_.at(); }

private:
    std::vector<std::string> answers(const fake_dns::question& q) {
        const std::scoped_lock held(guard_);
        const auto name = q.message.question.value().name;
        const auto type = q.message.question.value().type;
        answer_bytes reply(q.bytes);
        if (type == wire::dns_type::txt && texts_.contains(name)) {
            for (const auto& strings : texts_.at(name)) {
                std::string rdata;
                for (const auto& each : strings)
                    rdata += answer_bytes::text(each);
                reply.answer(name, 16, std::move(rdata));
            }
        } else if (type == wire::dns_type::a && name == "private.example") {
            reply.answer(name, 1, std::string("\x0a\x00\x00\x01", 4));
        } else if (type == wire::dns_type::a && !name.starts_with("_")) {
            reply.answer(name, 1, std::string("\x7f\x00\x00\x01", 4));
        } else {
            reply.soa("example", 60);
        }
        return {reply};
    }
    std::mutex guard_;
    std::map<std::string, std::vector<std::vector<std::string>>> texts_;
    fake_dns server_;
};

struct authority {
    identity root = make_root();
    identity good = make_leaf(root, {"r.example"});
    identity expired = issue({.common_name = "r.example",
                              .dns_names = {"r.example"},
                              .not_after = std::chrono::sys_days{std::chrono::year{2021} / 1 / 1}},
                             &root);
    root_file trusted{{&root}};
    io::tls_client client{trusted.path()};
};
authority& ca() {
    static authority all;
    return all;
}

/// An endpoint that answers one status after the other, the last for ever.
class endpoint {
public:
    explicit endpoint(std::vector<std::string> answers, const identity& as = ca().good)
        : answers_(std::move(answers))
        , tls_(as)
        , server_([this](peer& client) { serve(client); }) {}
    std::string url() const { return fmt::format("https://r.example:{}/in", server_.port()); }
    std::vector<std::string> heads() const {
        const std::scoped_lock held(guard_);
        return heads_;
    }
    std::vector<std::string> bodies() const {
        const std::scoped_lock held(guard_);
        return bodies_;
    }
    int handshakes_that_failed() const { return refused_; }

private:
    void serve(peer& client) {
        if (!client.start_tls(tls_)) {
            ++refused_;
            return;
        }
        auto head = client.head();
        if (head.empty()) { // the client did not like the certificate
            ++refused_;
            return;
        }
        const auto at = head.find("Content-Length: ");
        auto body = client.bytes(at == head.npos ? 0 : std::stoul(head.substr(at + 16)));
        std::string answer;
        {
            const std::scoped_lock held(guard_);
            answer = answers_[std::min(heads_.size(), answers_.size() - 1)];
            heads_.push_back(std::move(head));
            bodies_.push_back(std::move(body));
        }
        client.send("HTTP/1.1 " + answer + "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
    mutable std::mutex guard_;
    std::vector<std::string> answers_, heads_, bodies_;
    std::atomic<int> refused_ = 0;
    server_tls tls_;
    test_server server_;
};

/// A mail server that takes what it is given, or says no to a recipient.
class mail_server {
public:
    mail_server()
        : server_([this](peer& client) { serve(client); }) {}
    std::uint16_t port() const { return server_.port(); }
    std::vector<std::string> messages() const {
        const std::scoped_lock held(guard_);
        return messages_;
    }
    std::vector<std::string> commands() const {
        const std::scoped_lock held(guard_);
        return commands_;
    }

private:
    void serve(peer& client) {
        client.send("220 mx.example ESMTP\r\n");
        for (auto line = client.line(); !line.empty(); line = client.line()) {
            {
                const std::scoped_lock held(guard_);
                commands_.push_back(line.substr(0, line.find("\r\n")));
            }
            const auto verb = line.substr(0, 4);
            if (verb == "EHLO") {
                client.send("250-mx.example\r\n250 ENHANCEDSTATUSCODES\r\n");
            } else if (verb == "RCPT" && line.find("gone@") != line.npos) {
                client.send("550 5.1.1 no such user\r\n");
            } else if (verb == "DATA") {
                client.send("354 go\r\n");
                std::string message;
                for (auto text = client.line(); !text.empty() && text != ".\r\n"; text = client.line())
                    message += text.starts_with("..") ? text.substr(1) : text;
                {
                    const std::scoped_lock held(guard_);
                    messages_.push_back(std::move(message));
                }
                client.send("250 2.0.0 queued\r\n");
            } else if (verb == "QUIT") {
                client.send("221 bye\r\n");
                return;
            } else {
                client.send("250 2.0.0 ok\r\n");
            }
        }
    }
    mutable std::mutex guard_;
    std::vector<std::string> messages_, commands_;
    test_server server_;
};

class real_peers : public testing::Test, public sender_world {
protected:
    name_server names;
    mail_server smart_host;
    base::address_guard guard{{*base::ip_network::parse("127.0.0.0/8")}};
    base::system_clock wall;
    std::unique_ptr<io::resolver> dns;

    void SetUp() override {
        io::resolver_options how;
        how.how = io::resolver_options::mode::forwarding;
        how.servers = {names.at()};
        dns = io::make_resolver(loop, how);
    }
    deliver::ways_out real_ways() {
        return {.mail =
                    [this](wire::outgoing_mail mail, model::address_family family) {
                        io::mail_route by;
                        by.port = smart_host.port();
                        by.helo = "sender.example";
                        by.over = io::families_for(family);
                        return io::send_mail(loop, *dns, ca().client, guard, wall, by, std::move(mail));
                    },
                .post =
                    [this](io::http_call call) {
                        call.time = 30s;
                        return io::http_request(loop, *dns, ca().client, guard, wall, std::move(call));
                    },
                .record = [this](std::string domain) { return look_up(std::move(domain)); }};
    }
    io::task<std::optional<std::vector<std::string>>> look_up(std::string domain) {
        auto found = co_await dns->txt("_smtp._tls." + domain);
        if (!found.ok() && found.status != model::dns_status::no_data &&
            found.status != model::dns_status::nx_domain)
            co_return std::nullopt;
        co_return std::move(found.texts);
    }
    void run() {
        make();
        sender = std::make_unique<deliver::sender>(
            loop, real_ways(), clock, real_clock, options,
            [this](const deliver::sender_event& what) { events.push_back(what); });
        sender->start();
        settle();
    }
    void one_report(const std::string& rua) {
        count({sessions("a.example", 5, 1)});
        names.record("a.example", {{"v=TLSRPTv1; rua=" + rua}});
        run();
    }
};

TEST_F(real_peers, a_record_in_several_strings) {
    PROVES("8460-3-w");
    count({sessions("a.example", 5)});
    names.record("a.example", {{"v=TLSRPTv1; rua=mailto:first@r.exa", "mple,mailto:second", "@r.example"}});
    run();
    EXPECT_EQ(state_of("first@r.example"), sent);
    EXPECT_EQ(state_of("second@r.example"), sent);
    EXPECT_THAT(smart_host.messages(), SizeIs(2));
}

TEST_F(real_peers, a_mail_is_signed_by_the_reporting_domain) {
    PROVES("8460-3-f", "8460-3-j", "8460-3-l", "8460-5.3-g");
    scratch_folder folder;
    auto ring = make_keys(folder.path().string(), "sender.example", "mt");
    ASSERT_TRUE(ring) << ring.error();
    fixed_keys published;
    for (const auto& each : ring->entries)
        published.add(each.record_name, each.record_value);
    options.keys = std::make_shared<const key_ring>(std::move(*ring));
    real_clock.at = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    one_report("mailto:tls%2Breports@r.example");
    ASSERT_THAT(smart_host.messages(), SizeIs(1));
    const auto message = smart_host.messages()[0];
    EXPECT_THAT(smart_host.commands(),
                testing::IsSupersetOf({testing::StartsWith("MAIL FROM:<tls-report@sender.example>"),
                                       testing::StartsWith("RCPT TO:<tls+reports@r.example>")}));
    mail::dkim_key_cache cache;
    const auto verdict = mail::verify_dkim(message, published, real_clock.at + 10s, cache);
    ASSERT_THAT(verdict.signatures, SizeIs(2)) << "RSA and Ed25519";
    for (const auto& each : verdict.signatures) {
        EXPECT_EQ(each.result, mail::dkim_result::pass) << each.reason;
        EXPECT_EQ(each.domain, "sender.example");
        EXPECT_FALSE(each.uses_length);
        EXPECT_TRUE(each.covers_report_headers);
    }
}

TEST_F(real_peers, a_recipient_who_is_not_there) {
    one_report("mailto:gone@r.example");
    EXPECT_EQ(state_of("gone@r.example"), refused);
    EXPECT_THAT(delivery("gone@r.example").words, HasSubstr("no such user"));
    EXPECT_THAT(database->open()->suppressed().value(), SizeIs(1));
}

TEST_F(real_peers, a_post_is_the_gzip_file_itself) {
    PROVES("8460-3-d", "8460-5.4-b", "A42");
    endpoint at({"201 Created"});
    one_report(at.url());
    EXPECT_EQ(state_of(at.url()), sent);
    ASSERT_THAT(at.heads(), SizeIs(1));
    EXPECT_THAT(at.heads()[0], AllOf(HasSubstr("POST /in HTTP/1.1\r\n"),
                                     HasSubstr("Content-Type: application/tlsrpt+gzip\r\n"),
                                     HasSubstr("User-Agent: mailtight"), Not(HasSubstr("Content-Encoding"))));
    const auto json = base::gunzip(at.bodies()[0], {.bytes = 1 << 20});
    ASSERT_TRUE(json);
    EXPECT_THAT(json->bytes, HasSubstr("\"total-failure-session-count\""));
}

TEST_F(real_peers, an_error_first_and_then_a_yes) {
    PROVES("8460-5.4-d", "A41");
    endpoint at({"500 Internal Server Error", "429 Too Many Requests\r\nRetry-After: 3600", "200 OK"});
    one_report(at.url());
    EXPECT_EQ(state_of(at.url()), waiting);
    pass(10min);
    EXPECT_THAT(at.heads(), SizeIs(2));
    pass(59min);
    EXPECT_THAT(at.heads(), SizeIs(2)) << "Retry-After";
    pass(30min);
    EXPECT_THAT(at.heads(), SizeIs(3));
    EXPECT_EQ(state_of(at.url()), sent);
    EXPECT_EQ(at.bodies()[0], at.bodies()[2]) << "the same report each time";
}

TEST_F(real_peers, a_redirect_is_not_followed) {
    PROVES("A41");
    endpoint elsewhere({"200 OK"});
    endpoint at({"302 Found\r\nLocation: " + elsewhere.url()});
    one_report(at.url());
    pass(30h);
    EXPECT_EQ(state_of(at.url()), refused);
    EXPECT_THAT(delivery(at.url()).words, AllOf(HasSubstr("302"), HasSubstr("redirect")));
    EXPECT_THAT(at.heads(), SizeIs(1));
    EXPECT_THAT(elsewhere.heads(), IsEmpty());
}

TEST_F(real_peers, an_expired_certificate_is_borne_and_noted) {
    PROVES("8460-3-e");
    endpoint at({"200 OK"}, ca().expired);
    one_report(at.url());
    EXPECT_EQ(state_of(at.url()), sent);
    EXPECT_THAT(delivery(at.url()).words, AllOf(HasSubstr("certificate"), HasSubstr("expired")));
    EXPECT_EQ(at.handshakes_that_failed(), 1) << "validated first";
    EXPECT_THAT(at.heads(), SizeIs(1));
}

TEST_F(real_peers, an_expired_certificate_is_not_borne_where_that_is_switched_off) {
    options.ignore_certificate = false;
    endpoint at({"200 OK"}, ca().expired);
    one_report(at.url());
    EXPECT_EQ(state_of(at.url()), waiting);
    EXPECT_THAT(delivery(at.url()).words, HasSubstr("expired"));
    EXPECT_THAT(at.heads(), IsEmpty());
}

TEST_F(real_peers, nothing_goes_into_private_networks) {
    PROVES("8460-7-d");
    one_report("https://private.example/in,https://10.0.0.1/in");
    EXPECT_EQ(state_of("https://private.example/in"), suppressed);
    EXPECT_THAT(delivery("https://private.example/in").words, HasSubstr("private"));
}

TEST_F(real_peers, loopback_is_refused_as_well_unless_it_is_allowed) {
    guard = base::address_guard();
    endpoint at({"200 OK"});
    one_report(at.url());
    EXPECT_EQ(state_of(at.url()), suppressed);
    EXPECT_THAT(at.heads(), IsEmpty());
}

} // namespace
} // namespace mailtight::deliver
