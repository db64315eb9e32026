// SPDX-License-Identifier: Apache-2.0
// The pages and the API of a whole daemon: where it listens and where it must not, the first start, and what
// web.read-only leaves.
#include "app/first_access.h"
#include "running_daemon.h"
#include "support/certificates.h"
#include "support/sockets.h"
#include "support/tls_client.h"

#include <fstream>
#include <functional>
#include <iterator>

#include <sys/stat.h>

namespace mailtight::app {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using tests::raw_client;

class web : public running {
protected:
    void SetUp() override {
        running::SetUp();
        common_.set.web_listen = {"127.0.0.1:0"};
        fresh_ = common_.set;
    }
    void start() {
        begin();
        const auto status = ask("/status");
        ASSERT_TRUE(status);
        address_ = std::string(status->at("web").at("address").as_string());
        port_ = static_cast<std::uint16_t>(std::stoi(address_.substr(address_.rfind(':') + 1)));
    }
    std::string talk(const std::string& line, const std::string& fields = {}, const std::string& body = {},
                     const std::string& host = "127.0.0.1") {
        const auto client = raw_client::tcp(port_);
        client.send(line + " HTTP/1.1\r\nHost: " + host + "\r\n" + fields + "Connection: close\r\n" +
                    (body.empty() ? "" : "Content-Length: " + std::to_string(body.size()) + "\r\n") + "\r\n" +
                    body);
        return client.rest();
    }
    /// The token that the first start left.
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
    std::string bearer() { return "Authorization: Bearer " + token() + "\r\n"; }
    std::string refusal() {
        const auto made = daemon::make(common_);
        return made ? "" : made.error();
    }
    std::string address_;
    std::uint16_t port_ = 0;
};

TEST_F(web, pages_are_for_everybody_here_and_the_api_for_whom_it_knows) {
    start();
    EXPECT_THAT(address_, StartsWith("http://127.0.0.1:"));
    const auto page = talk("GET /domains/example.com");
    EXPECT_THAT(page,
                AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr("<!doctype html>"),
                      HasSubstr("Content-Security-Policy: default-src 'none'; script-src 'self'"),
                      HasSubstr("X-Content-Type-Options: nosniff"), HasSubstr("Referrer-Policy: no-referrer"),
                      HasSubstr("Cross-Origin-Opener-Policy: same-origin"),
                      Not(HasSubstr("Strict-Transport-Security"))));
    EXPECT_THAT(talk("GET /api/v1/session"), StartsWith("HTTP/1.1 401 "));
    EXPECT_THAT(talk("GET /api/v1/look/example.com"), StartsWith("HTTP/1.1 401 "));
    EXPECT_THAT(talk("GET /api/v1/look/example.com", "Accept: text/event-stream\r\n"),
                StartsWith("HTTP/1.1 401 "));
    EXPECT_THAT(talk("GET /api/v1/openapi.json", bearer()), StartsWith("HTTP/1.1 200 "));
}

TEST_F(web, a_name_of_somebody_elses_that_leads_here_is_turned_away) {
    start();
    for (const char* host : {"127.0.0.1", "localhost", "[::1]:8460", "localhost:1234"})
        EXPECT_THAT(talk("GET /", "", "", host), StartsWith("HTTP/1.1 200 ")) << host;
    for (const char* host : {"evil.example", "localhost.evil.example", "127.0.0.1.evil.example"})
        EXPECT_THAT(talk("GET /", "", "", host), StartsWith("HTTP/1.1 421 ")) << host;
}

TEST_F(web, with_hosts_addresses_stay_ours_and_other_names_hear_that_they_are_not) {
    common_.set.web_hosts = {"Pages.Example", "*.apps.example"};
    start();
    for (const char* host :
         {"pages.example", "PAGES.example:8443", "a.apps.example", "127.0.0.1", "localhost"}) {
        EXPECT_THAT(talk("GET /", "", "", host), StartsWith("HTTP/1.1 200 ")) << host;
        EXPECT_THAT(talk("GET /api/v1/session", bearer(), "", host), StartsWith("HTTP/1.1 200 ")) << host;
    }
    for (const char* host :
         {"evil.example", "b.a.apps.example", "apps.example", "pages.example.evil.example"}) {
        EXPECT_THAT(talk("GET /", "", "", host), StartsWith("HTTP/1.1 421 ")) << host;
        EXPECT_THAT(talk("GET /api/v1/session", bearer(), "", host), StartsWith("HTTP/1.1 421 ")) << host;
    }
}

TEST_F(web, what_would_do_nothing_or_let_nobody_in_is_an_error) {
    struct row {
        std::function<void(settings&)> change;
        const char* error; ///< nullptr: it starts
    };
    const std::vector<std::string> proxies = {"192.0.2.7"};
    for (const auto& [change, error] : std::vector<row>{
             {[](settings& s) { s.web_hosts = {"a b"}; }, "web.hosts"},
             {[](settings& s) { s.web_hosts = {"https://pages.example"}; }, "web.hosts"},
             {[](settings& s) { s.web_hosts = {"pages.example:443"}; }, "web.hosts"},
             {[](settings& s) { s.web_hosts = {"pages.example", "*.apps.example", "192.0.2.1"}; }, nullptr},
             {[](settings& s) { s.web_proxy_field = "X-Remote-User"; }, "web.trusted-proxies"},
             {[&](settings& s) { s.web_proxy_field = "X-Remote-User", s.web_proxies = proxies; }, nullptr},
             {[&](settings& s) { s.web_proxy_field = "Host", s.web_proxies = proxies; }, "proxy-user-field"},
             {[&](settings& s) { s.web_proxy_field = "cookie", s.web_proxies = proxies; },
              "proxy-user-field"},
             {[&](settings& s) { s.web_proxy_field = "X Y", s.web_proxies = proxies; }, "proxy-user-field"},
             {[](settings& s) { s.web_session_hours = 0; }, "web.session-hours"},
             {[](settings& s) { s.web_session_hours = ~0ull; }, "web.session-hours"},
             {[](settings& s) { s.web_audit_days = 0; }, "web.audit-days"},
         }) {
        common_.set = fresh_;
        change(common_.set);
        if (error)
            EXPECT_THAT(refusal(), HasSubstr(error));
        else
            EXPECT_EQ(refusal(), "");
    }
}

TEST_F(web, the_first_start_leaves_a_token_for_its_owner_alone_and_only_the_first) {
    start();
    const auto first = token();
    EXPECT_THAT(first, StartsWith("mt_"));
    struct stat is{};
    ASSERT_EQ(::stat((folder_ + "/administrator.token").c_str(), &is), 0);
    EXPECT_EQ(is.st_mode & 0777, 0600u);
    end();
    start();
    EXPECT_THAT(talk("GET /api/v1/session", "Authorization: Bearer " + first + "\r\n"),
                AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr("administrator")));
    EXPECT_EQ(token(), first);
    const auto again = begin_access(common_.set, base::system_clock().now(), false);
    ASSERT_TRUE(again);
    EXPECT_FALSE(again->made);
    EXPECT_EQ(again->link, "");
}

TEST_F(web, a_link_logs_in_once) {
    start();
    token(); // the first start is over
    auto in = store::open_access({.where = common_.set.store_where});
    ASSERT_TRUE(in);
    const auto secret = make_login_link(**in, base::system_clock().now());
    ASSERT_TRUE(secret);
    EXPECT_EQ(login_url(address_, *secret), address_ + "/login#" + *secret);
    const auto body = R"({"link":")" + *secret + "\"}";
    const std::string fields =
        "Content-Type: application/json\r\nSec-Fetch-Site: same-origin\r\nOrigin: " + address_ + "\r\n";
    const auto host = address_.substr(7);
    EXPECT_THAT(talk("POST /api/v1/session", fields, body, host),
                AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr("Set-Cookie: "), HasSubstr("HttpOnly"),
                      HasSubstr("SameSite=Strict")));
    EXPECT_THAT(talk("POST /api/v1/session", fields, body, host), StartsWith("HTTP/1.1 401 "));
}

TEST_F(web, pages_that_only_show_change_nothing_yet_one_may_come_and_go) {
    common_.set.web_read_only = true;
    start();
    EXPECT_THAT(talk("GET /api/v1/tokens", bearer()), StartsWith("HTTP/1.1 200 "));
    EXPECT_THAT(talk("POST /api/v1/tokens", bearer() + "Content-Type: application/json\r\n",
                     R"({"name":"another","role":"viewer"})"),
                AllOf(StartsWith("HTTP/1.1 403 "), HasSubstr("web.read-only")));
}

TEST_F(web, beyond_this_machine_there_is_tls_or_a_proxy_or_nothing) {
    struct row {
        std::vector<std::string> listen, proxies;
        const char* error; ///< nullptr: it starts
        const char* why;
    };
    for (const auto& [listen, proxies, error, why] : std::vector<row>{
             {{"0.0.0.0:0"}, {}, "passwords would cross the network in the clear", "every address"},
             {{"[::]:0"}, {}, "passwords would cross the network in the clear", "every address"},
             {{"127.0.0.1:0", "192.0.2.1:80"}, {}, "web.listen: 192.0.2.1:80", "one of several"},
             {{"0.0.0.0:0"}, {"192.0.2.7"}, nullptr, "a proxy in front"},
             {{"127.0.0.2:0"}, {}, nullptr, "this machine has 2^24 addresses of its own"},
             {{"unix:" + folder_ + "/web.sock"}, {}, nullptr, "a socket in the file system"},
             {{"nonsense"}, {}, "web.listen", "no address"},
             {{"127.0.0.1:0"}, {"proxy.example"}, "web.trusted-proxies", "no network"},
         }) {
        common_.set.web_listen = listen;
        common_.set.web_proxies = proxies;
        if (error)
            EXPECT_THAT(refusal(), HasSubstr(error)) << why;
        else
            EXPECT_EQ(refusal(), "") << why;
    }
}

TEST_F(web, an_address_that_somebody_has_is_an_error_where_it_was_asked_for) {
    start();
    auto other = common_;
    other.set.store_where = folder_ + "/other.db";
    other.set.control_socket = folder_ + "/other.sock";
    other.set.lmtp_listen = {"unix:" + folder_ + "/other-lmtp.sock"};
    other.set.plain_listen.clear();
    other.set.web_listen = {"127.0.0.1:" + std::to_string(port_)};
    const auto made = daemon::make(other);
    ASSERT_FALSE(made);
    EXPECT_THAT(made.error(), HasSubstr(std::to_string(port_)));
}

TEST_F(web, over_tls_it_says_so_for_good_and_a_reload_brings_the_new_certificate) {
    const auto root = tests::make_root();
    const auto write = [this](const tests::identity& leaf) {
        std::ofstream(folder_ + "/web.pem") << leaf.key_pem() << leaf.pem();
    };
    write(tests::make_leaf(root, {"pages.example"}));
    common_.set.web_certificates = {folder_ + "/web.pem"};
    common_.set.web_hosts = {"Pages.Example"};
    fresh_ = common_.set;
    start();
    EXPECT_THAT(address_, StartsWith("https://pages.example:"));
    const auto hear = [this] {
        return tests::speak_tls(port_, {.server_name = "pages.example",
                                        .say = "GET / HTTP/1.1\r\nHost: pages.example\r\nConnection: "
                                               "close\r\n\r\n"});
    };
    const auto heard = hear();
    EXPECT_THAT(heard.said, AllOf(StartsWith("HTTP/1.1 200 "),
                                  HasSubstr("Strict-Transport-Security: max-age=31536000\r\n")));
    EXPECT_THAT(heard.names, testing::ElementsAre("pages.example"));
    write(tests::make_leaf(root, {"pages.example", "second.example"}));
    EXPECT_TRUE(ask("/reload", "{}", "POST"));
    EXPECT_EQ(hear().names.size(), 2u);
    std::ofstream(folder_ + "/web.pem") << "nonsense";
    EXPECT_FALSE(ask("/reload", "{}", "POST")) << "what cannot be read changes nothing";
    EXPECT_EQ(hear().names.size(), 2u);
    fresh_.web_certificates.clear();
    fresh_.web_read_only = true;
    const auto plain = ask("/reload", "{}", "POST");
    ASSERT_TRUE(plain) << "whatever lies in a file that is used no more";
    EXPECT_EQ(boost::json::serialize(plain->at("needs_restart")), "[\"web.tls-certificates\"]")
        << "that they speak plainly needs a restart";
    EXPECT_EQ(hear().names.size(), 2u);
    const auto status = ask("/status");
    ASSERT_TRUE(status);
    EXPECT_TRUE(status->at("web").at("read_only").as_bool()) << "the rest is applied";
}

TEST_F(web, its_end_leaves_one_file_with_everything_in_it) {
    start();
    ASSERT_FALSE(token().empty());
    EXPECT_THAT(talk("GET /api/v1/overview", bearer()), HasSubstr(" 200 ")) << "with connections of its own";
    end();
    EXPECT_TRUE(std::filesystem::exists(folder_ + "/store.db"));
    EXPECT_FALSE(std::filesystem::exists(folder_ + "/store.db-wal"));
    EXPECT_FALSE(std::filesystem::exists(folder_ + "/store.db-shm"));
}

} // namespace
} // namespace mailtight::app
