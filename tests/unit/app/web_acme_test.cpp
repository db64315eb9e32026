// SPDX-License-Identifier: Apache-2.0
// The pages with a certificate that the daemon gets by itself (web.acme), before a real authority: what is
// answered before it is there and after, how it is renewed while the listener goes on, and what a
// configuration that cannot work is told.
#include "app/domain_access.h"
#include "publish/name_certificates.h"
#include "running_daemon.h"
#include "support/fixed_resolver.h"
#include "support/pebble.h"
#include "support/sockets.h"
#include "support/tls_client.h"

#include "io/http_client.h"

#include <fstream>
#include <functional>

#include <netinet/in.h>

namespace mailtight::app {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* name = "pages.example";
constexpr int unrecognized_name = 112;

/// Ports that nobody has just now.
std::vector<std::uint16_t> free_ports(std::size_t count) {
    std::vector<int> held;
    std::vector<std::uint16_t> ports;
    for (std::size_t i = 0; i < count; ++i) {
        const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof at;
        ::bind(fd, reinterpret_cast<sockaddr*>(&at), size);
        ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size);
        held.push_back(fd);
        ports.push_back(ntohs(at.sin_port));
    }
    for (const int fd : held)
        ::close(fd);
    return ports;
}

std::string local(std::uint16_t port) {
    return "127.0.0.1:" + std::to_string(port);
}

class web_acme : public running {
protected:
    void SetUp() override {
        running::SetUp();
        const auto ports = free_ports(3);
        http_ = ports[0];
        tls_ = ports[1];
        other_ = ports[2];
        auto& set = common_.set;
        set.web_listen = {local(tls_)};
        set.web_hosts = {name};
        set.web_acme = set.acme_agree = true;
        set.acme_directory = "https://localhost:1/dir";
        fresh_ = set;
    }
    /// An authority that looks for challenges at our ports.
    void with_authority() {
        authority_ = std::make_unique<tests::private_pebble>("--own " + std::to_string(http_) + " " +
                                                             std::to_string(tls_));
        auto& set = common_.set;
        set.acme_directory = (*authority_)["directory"];
        set.acme_ca_file = (*authority_)["ca"];
        set.dns_servers = {(*authority_)["dns"]};
        set.dns_timeout = std::chrono::milliseconds(2'000);
        fresh_ = set;
        const io::tls_client its((*authority_)["ca"]);
        std::ofstream(folder_ + "/root.pem") << get((*authority_)["roots"], its).body;
    }
    io::http_answer get(const std::string& url, const io::tls_client& trust, const std::string& bearer = {}) {
        io::loop on;
        tests::fixed_resolver dns;
        const base::address_guard guard;
        const base::system_clock clock;
        dns.hosts["localhost"] = {*base::ip_address::parse("127.0.0.1")};
        dns.hosts[name] = {*base::ip_address::parse("127.0.0.1")};
        io::http_call call;
        call.method = "GET";
        call.url = url;
        call.exempt = true;
        if (!bearer.empty())
            call.fields.emplace_back("Authorization", "Bearer " + bearer);
        return on.block_on(io::http_request(on, dns, trust, guard, clock, std::move(call)));
    }
    /// As a browser or a program: by name, and judged by the authority's root.
    io::http_answer fetch(const std::string& path, std::uint16_t port) {
        const io::tls_client trust(folder_ + "/root.pem");
        return get("https://" + std::string(name) + ":" + std::to_string(port) + path, trust, token());
    }
    std::string token() {
        std::string text;
        for (int i = 0; i < 500 && text.empty(); ++i) {
            std::ifstream file(folder_ + "/administrator.token");
            std::getline(file, text);
            if (text.empty())
                std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
        return text;
    }
    boost::json::object row() {
        const auto status = ask("/status");
        return status ? status->at("web").at("acme").as_array().at(0).as_object() : boost::json::object();
    }
    bool until(const std::function<bool()>& so) {
        for (int i = 0; i < 1'200; ++i) {
            if (so())
                return true;
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
        return false;
    }
    std::optional<store::kept_certificate> kept() {
        auto from = open_domains_to_ask(common_.set);
        auto found = from ? (*from)->certificate(name) : std::unexpected(store::store_error{});
        return found ? *found : std::nullopt;
    }
    std::string refusal() {
        const auto made = daemon::make(common_);
        return made ? "" : made.error();
    }
    std::unique_ptr<tests::private_pebble> authority_;
    std::uint16_t http_ = 0, tls_ = 0, other_ = 0;
};

TEST_F(web_acme, before_the_first_certificate_nothing_is_answered_and_it_is_said_what_is_missing) {
    begin();
    ASSERT_TRUE(until([&] { return !row().at("trouble").is_null(); }));
    EXPECT_EQ(row().at("name"), name);
    EXPECT_EQ(row().at("state"), "waiting");
    EXPECT_TRUE(row().at("not_after").is_null());
    for (const char* asked : {name, "", "strange.example"}) {
        const auto heard = tests::speak_tls(tls_, {.server_name = asked, .alpn = {}});
        EXPECT_FALSE(heard.shaken) << asked;
        EXPECT_EQ(heard.alert, unrecognized_name) << asked;
    }
    const auto acme = tests::speak_tls(tls_, {.server_name = name, .alpn = {"acme-tls/1"}});
    EXPECT_FALSE(acme.shaken) << "no order is under way";
    const auto plain = tests::raw_client::tcp(tls_);
    plain.send("GET / HTTP/1.1\r\nHost: pages.example\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(plain.rest(), Not(HasSubstr("HTTP/1.1")));
}

TEST_F(web_acme, the_daemon_gets_it_by_tls_alpn_01_on_its_own_listener_and_renews_while_it_answers) {
    with_authority();
    begin();
    ASSERT_TRUE(until([&] { return row().at("state") == "served"; })) << boost::json::serialize(row());
    const auto answer = fetch("/api/v1/session", tls_);
    EXPECT_EQ(answer.status, 200) << answer.error;
    EXPECT_FALSE(answer.certificate_fault);
    EXPECT_THAT(answer.fields, Contains(testing::Pair("strict-transport-security", testing::_)));
    const auto list = fetch("/api/v1/certificates", tls_);
    EXPECT_THAT(list.body, AllOf(HasSubstr("\"name\":\"pages.example\""), HasSubstr("\"domain\":\"\""),
                                 HasSubstr("\"file\":null"), HasSubstr("/dir\"")));
    EXPECT_TRUE(until([&] { return kept() && kept()->proven; })) << "in use";
    const auto first = kept()->chain;

    // `certificate renew`: who asks meanwhile is always answered, and none is turned away at the end.
    auto to = open_domains_to_change(common_.set);
    ASSERT_TRUE(to);
    ASSERT_TRUE((*to)->plan_work(publish::name_work, name, store::person_asks));
    std::size_t answered = 0, failed = 0;
    ASSERT_TRUE(until([&] {
        ++(fetch("/api/v1/session", tls_).status == 200 ? answered : failed);
        return kept() && kept()->chain != first && kept()->proven;
    }));
    EXPECT_GT(answered, 0u);
    EXPECT_EQ(failed, 0u);
    EXPECT_EQ(fetch("/api/v1/session", tls_).status, 200);
}

TEST_F(web_acme, by_http_01_where_port_443_is_somebody_elses_and_browsers_are_led_to_https) {
    with_authority();
    common_.set.web_listen = {local(other_)};
    common_.set.web_http_listen = {local(http_)};
    common_.set.acme_challenges = {"http-01"};
    begin();
    ASSERT_TRUE(until([&] { return row().at("state") == "served"; })) << boost::json::serialize(row());
    EXPECT_EQ(fetch("/api/v1/session", other_).status, 200);
    const auto talk = [&](const std::string& first, const std::string& host) {
        const auto client = tests::raw_client::tcp(http_);
        client.send(first + " HTTP/1.1\r\nHost: " + host +
                    "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        return client.rest();
    };
    const auto place = "Location: https://pages.example:" + std::to_string(other_);
    EXPECT_THAT(talk("GET /domains?x=1", name),
                AllOf(StartsWith("HTTP/1.1 301 "), HasSubstr(place + "/domains?x=1\r\n")));
    EXPECT_THAT(talk("GET /", "127.0.0.1"), AllOf(StartsWith("HTTP/1.1 301 "), HasSubstr(place + "/\r\n")));
    EXPECT_THAT(talk("GET //evil.example/", name), Not(HasSubstr("Location")));
    EXPECT_THAT(talk("GET http://evil.example/", name), Not(HasSubstr("https://evil.example")));
    EXPECT_THAT(talk("GET /", "evil.example"), StartsWith("HTTP/1.1 421 "));
    EXPECT_THAT(talk("POST /api/v1/session", name), StartsWith("HTTP/1.1 403 "));
    EXPECT_THAT(talk("GET /.well-known/acme-challenge/none", name), StartsWith("HTTP/1.1 404 "));
    EXPECT_THAT(talk("GET /api/v1/session", name), Not(StartsWith("HTTP/1.1 200 "))) << "no API without TLS";
}

TEST_F(web_acme, with_a_policy_host_beside_it_that_has_port_443) {
    with_authority();
    common_.set.web_listen = {local(other_)};
    common_.set.publish_listen = {local(tls_)};
    begin();
    ASSERT_TRUE(until([&] { return row().at("state") == "served"; })) << boost::json::serialize(row());
    EXPECT_EQ(fetch("/api/v1/session", other_).status, 200);
    const auto there = tests::speak_tls(tls_, {.server_name = name, .alpn = {}});
    EXPECT_EQ(there.alert, unrecognized_name) << "the policy host answers for policy hosts alone";
    const auto status = ask("/status");
    EXPECT_EQ(status->at("publish").at("certificates"), 0);
}

TEST_F(web_acme, names_and_lengths_change_on_reload_and_what_does_not_is_named) {
    begin();
    fresh_.web_hosts = {name, "second.example"};
    fresh_.web_session_hours = 1;
    fresh_.web_http_listen = {local(http_)};
    const auto done = ask("/reload", "{}", "POST");
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_THAT(boost::json::serialize(done->at("needs_restart")), "[\"web.http-listen\"]");
    const auto status = ask("/status");
    ASSERT_TRUE(status);
    ASSERT_EQ(status->at("web").at("acme").as_array().size(), 2u);
    EXPECT_EQ(status->at("web").at("acme").as_array()[1].at("name"), "second.example");
    fresh_.web_hosts = {};
    const auto bad = ask("/reload", "{}", "POST");
    ASSERT_FALSE(bad);
    EXPECT_THAT(bad.error().message, HasSubstr("web.acme needs web.hosts"));
}

TEST_F(web_acme, what_cannot_work_is_an_error_at_the_start_that_names_what_is_missing) {
    struct row {
        std::function<void(settings&)> change;
        const char* error; ///< nullptr: it starts
    };
    const auto usual = common_.set;
    for (const auto& [change, error] : std::vector<row>{
             {[](settings&) {}, nullptr},
             {[](settings& s) { s.web_listen = {"0.0.0.0:0"}; },
              nullptr}, // TLS is there, or nothing is answered
             {[](settings& s) { s.web_hosts.clear(); }, "web.acme needs web.hosts"},
             {[](settings& s) { s.web_hosts = {"192.0.2.1", "localhost"}; }, "web.acme needs web.hosts"},
             {[](settings& s) { s.web_hosts = {"*.apps.example"}; }, "write out each name"},
             {[](settings& s) { s.acme_agree = false; }, "certificates.agree-to-terms = true"},
             {[](settings& s) { s.web_certificates = {"/a.pem"}; }, "take one out"},
             {[](settings& s) { s.acme_directory = "nowhere"; }, "certificates.directory"},
             {[](settings& s) { s.acme_challenges = {"magic"}; }, "certificates.challenges"},
             {[](settings& s) { s.web_acme = false, s.web_http_listen = {"127.0.0.1:0"}; },
              "web.http-listen leads to https"},
         }) {
        common_.set = usual;
        change(common_.set);
        if (error)
            EXPECT_THAT(refusal(), HasSubstr(error));
        else
            EXPECT_EQ(refusal(), "");
    }
}

} // namespace
} // namespace mailtight::app
