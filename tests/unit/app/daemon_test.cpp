// SPDX-License-Identifier: Apache-2.0
// The daemon as a whole, in this process, over unix sockets: what comes in is in the store once, the control
// socket does what it may, reload is all or nothing, SIGTERM ends it in order.
#include "app/access_keeping.h"
#include "app/import_batch.h"
#include "base/crypto/password.h"
#include "running_daemon.h"
#include "store/policies.h"
#include "support/policies.h"
#include "support/proves.h"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace mailtight::app {
namespace {

using testing::HasSubstr;

std::string report(const std::string& domain, const std::string& id, int good) {
    return fmt::format(
        R"({{"organization-name":"Google Inc.","date-range":{{"start-datetime":"2026-01-01T00:00:00Z",)"
        R"("end-datetime":"2026-01-01T23:59:59Z"}},"contact-info":"a@google.com","report-id":"{}",)"
        R"("policies":[{{"policy":{{"policy-type":"sts","policy-string":["version: STSv1"],)"
        R"("policy-domain":"{}","mx-host":["mx.{}"]}},"summary":{{"total-successful-session-count":{},)"
        R"("total-failure-session-count":0}}}}]}})",
        id, domain, domain, good);
}

TEST_F(running, a_posted_report_is_counted_once) {
    begin();
    const std::string secret = token("example.com");
    ASSERT_FALSE(secret.empty());
    const auto first = post("/tlsrpt/" + secret, report("example.com", "1", 40));
    ASSERT_TRUE(first) << first.error().message;
    const auto again = post("/tlsrpt/" + secret, report("example.com", "1", 40));
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(sessions("example.com"), 40u);
    EXPECT_FALSE(post("/tlsrpt/guessed", report("example.com", "2", 40)));
    EXPECT_EQ(sessions("example.com"), 40u);
    const auto status = ask("/status")->as_object();
    EXPECT_EQ(status.at("reports").at("added").to_number<int>(), 1);
    EXPECT_EQ(status.at("reports").at("duplicates").to_number<int>(), 1);
    end();
    EXPECT_EQ(status_, fine);
    EXPECT_FALSE(std::filesystem::exists(folder_ + "/control.sock")) << "nothing is left listening";
}

TEST_F(running, mail_is_taken_for_our_addresses_alone) {
    begin();
    const std::string body = "From: a@google.com\r\nContent-Type: application/tlsrpt+json\r\n\r\n" +
                             report("example.com", "3", 7) + "\r\n";
    const auto foreign = mail("nobody@reports.example.com", body);
    EXPECT_FALSE(foreign.accepted);
    EXPECT_EQ(foreign.stage, "RCPT");
    const auto ours = mail("tls-report+" + token("example.com") + "@reports.example.com", body);
    EXPECT_TRUE(ours.accepted) << ours.text;
    EXPECT_EQ(sessions("example.com"), 0u) << "unsigned: kept apart";
    const auto status = ask("/status")->as_object();
    EXPECT_EQ(status.at("reports").at("kept_apart").to_number<int>(), 1);
}

TEST_F(running, an_import_goes_through_the_daemon_and_again_changes_nothing) {
    begin();
    std::string batch;
    pack(batch, {.name = "one.json", .bytes = report("example.com", "4", 5)});
    pack(batch, {.name = "two.json", .bytes = report("other.example", "5", 5)});
    pack(batch, {.name = "none.txt", .bytes = "hello"});
    const auto first = ask("/import", batch, "POST");
    ASSERT_TRUE(first) << first.error().message;
    const auto& rows = first->as_array();
    ASSERT_EQ(rows.size(), 3u);
    EXPECT_EQ(rows[0].at("reports").at(0).at("fate").as_string(), "added");
    EXPECT_EQ(rows[1].at("reports").at(0).at("fate").as_string(), "quarantined");
    EXPECT_EQ(rows[2].at("state").as_string(), "none");
    const auto again = ask("/import", batch, "POST");
    EXPECT_EQ(again->as_array()[0].at("reports").at(0).at("fate").as_string(), "duplicate");
    EXPECT_EQ(sessions("example.com"), 5u);
    EXPECT_FALSE(ask("/import", "no batch", "POST"));
    EXPECT_FALSE(open_to_write(common_.set)) << "nobody else writes while it runs";
}

TEST_F(running, only_mutes_are_set_from_outside) {
    begin();
    EXPECT_TRUE(ask("/fact", R"({"name":"mute/new-failure/","value":"2030-01-31T23:59:59Z why"})", "POST"));
    for (const char* wrong : {R"({"name":"alarm/x","value":"y"})", R"({"name":"mute/x","value":"some day"})",
                              R"({"name":"mute/x"})", "[]", "{"})
        EXPECT_FALSE(ask("/fact", wrong, "POST")) << wrong;
    EXPECT_FALSE(ask("/nonsense", "", "POST"));
    EXPECT_FALSE(ask("/nonsense"));
}

TEST_F(running, who_may_change_everything_at_the_control_socket_gets_a_link_there) {
    begin();
    const auto made = ask("/login-link", R"({"role":"operator","owner":"shop","minutes":5})", "POST");
    ASSERT_TRUE(made) << made.error().message;
    const auto secret = std::string(made->at("secret").as_string());
    auto kept = open_access_to_change(common_.set);
    ASSERT_TRUE(kept) << kept.error();
    EXPECT_EQ((*kept)->audit(0, 10)->front().what, "login-link");
    const auto now = base::system_clock().now();
    const auto late = ask("/login-link", R"({"role":"operator","owner":"shop","minutes":5})", "POST");
    ASSERT_TRUE(late) << late.error().message;
    EXPECT_FALSE(*(*kept)->use_link(base::digest_of_secret(std::string(late->at("secret").as_string())),
                                    now + std::chrono::minutes(6)));
    const auto to = *(*kept)->use_link(base::digest_of_secret(secret), now);
    ASSERT_TRUE(to);
    EXPECT_EQ(to->to.role, "operator");
    EXPECT_EQ(to->to.tenant, "shop");
    for (const char* wrong :
         {R"({"role":"boss","minutes":5})", R"({"role":"viewer","minutes":0})",
          R"({"role":"viewer","minutes":100000})", R"({"minutes":5})", "[]", "{",
          R"({"role":"viewer","minutes":5,"owner":""})", R"({"role":"viewer","minutes":5,"owner":7})"})
        EXPECT_FALSE(ask("/login-link", wrong, "POST")) << wrong;
    EXPECT_FALSE(ask("/login-link")) << "a GET makes nothing";
}

TEST_F(running, a_reload_takes_new_domains_and_says_what_waits_for_a_restart) {
    begin();
    EXPECT_EQ(token("new.example"), "");
    fresh_.domains.emplace_back("new.example");
    fresh_.lmtp_listen.clear();
    fresh_.keep_bodies = 30; // looked up each time
    fresh_.keep_watched = 100;
    const auto done = ask("/reload", "", "POST");
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_EQ(boost::json::serialize(done->at("needs_restart")), R"(["lmtp.listen"])");
    ASSERT_TRUE(post("/tlsrpt/" + token("new.example"), report("new.example", "6", 9)));
    EXPECT_EQ(sessions("new.example"), 9u);
}

TEST_F(running, a_reload_that_cannot_be_done_changes_nothing) {
    begin();
    fresh_.domains = {"new.example"};
    fresh_.tls_certificates = {folder_ + "/none.pem"};
    const auto done = ask("/reload", "", "POST");
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().message, HasSubstr("none.pem"));
    EXPECT_EQ(token("new.example"), "");
    EXPECT_TRUE(post("/tlsrpt/" + token("example.com"), report("example.com", "7", 1)));
}

TEST_F(running, an_alarm_is_remembered_and_its_letter_waits_until_it_can_go_out) {
    common_.set.alarm_mail = {"admin@example.com"};
    common_.set.mail_port = 1; // nobody listens there
    begin();
    const base::system_clock clock;
    const std::string day = base::format_date(clock.now() - std::chrono::days(1));
    const auto posted = post(
        "/tlsrpt/" + token("example.com"),
        fmt::format(
            R"({{"organization-name":"Google Inc.","date-range":{{"start-datetime":"{0}T00:00:00Z",)"
            R"("end-datetime":"{0}T23:59:59Z"}},"contact-info":"a@google.com","report-id":"bad",)"
            R"("policies":[{{"policy":{{"policy-type":"sts","policy-string":["version: STSv1","mode: enforce"],)"
            R"("policy-domain":"example.com"}},"summary":{{"total-successful-session-count":10,)"
            R"("total-failure-session-count":90}},"failure-details":[{{"result-type":"certificate-expired",)"
            R"("receiving-mx-hostname":"mx.example.com","failed-session-count":90}}]}}]}})",
            day));
    ASSERT_TRUE(posted) << posted.error().message;
    EXPECT_THAT(alarms(), HasSubstr("failure-share/example.com"));
    auto from = open_to_ask(common_.set);
    ASSERT_TRUE(from);
    const auto waiting = (*from)->facts("outbox/mail/");
    ASSERT_TRUE(waiting);
    ASSERT_EQ(waiting->size(), 1u) << "one letter for all that is new";
    EXPECT_THAT(waiting->front().second, HasSubstr("mx.example.com"));
    EXPECT_FALSE((*from)->facts("alarm/")->empty());
    end();
    begin(); // a new process goes on where the old one was: the alarm is not told again
    EXPECT_THAT(alarms(), HasSubstr("failure-share/example.com"));
    EXPECT_EQ((*from)->facts("outbox/mail/")->size(), 1u);
}

/// One question over the socketmap protocol.
std::string ask_map(const std::string& path, const std::string& question) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    std::strncpy(to.sun_path, path.c_str(), sizeof to.sun_path - 1);
    std::string got;
    if (::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0) {
        const std::string bytes = fmt::format("{}:{},", question.size(), question);
        EXPECT_EQ(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
        char part[4096];
        for (ssize_t n = 1; n > 0 && !got.ends_with(',');) {
            n = ::recv(fd, part, sizeof part, 0);
            if (n > 0)
                got.append(part, static_cast<std::size_t>(n));
        }
    }
    ::close(fd);
    return got;
}

class sending : public running {
protected:
    void SetUp() override {
        running::SetUp();
        common_.set.lmtp_listen.clear();
        common_.set.plain_listen.clear();
        common_.set.domains.clear();
        common_.set.socketmap_listen = {"unix:" + folder_ + "/policy.sock,mode=0666"};
        common_.set.policy_http_listen = {"unix:" + folder_ + "/api.sock"};
        common_.set.answer_budget = std::chrono::milliseconds(500);
        fresh_ = common_.set;
    }
    std::expected<boost::json::value, control_error>
    api(const std::string& path, const std::string& body = {}, const std::string& method = "GET") {
        settings to = common_.set;
        to.control_socket = folder_ + "/api.sock";
        io::loop loop;
        return call_daemon(loop, to, path, body, method);
    }
};

TEST_F(sending, it_serves_policies_where_no_reports_are_taken_in) {
    begin();
    EXPECT_EQ(ask_map(folder_ + "/policy.sock", "postfix localhost"), "9:NOTFOUND ,");
    const auto over_http = api("/api/v1/policy/localhost");
    ASSERT_TRUE(over_http) << over_http.error().message;
    EXPECT_EQ(over_http->at("decision").as_string(), "no-policy");
    const auto status = ask("/status")->as_object();
    EXPECT_EQ(status.at("sending").at("listeners").as_array().size(), 2u);
    EXPECT_GE(status.at("sending").at("answers").to_number<int>(), 1);
    EXPECT_FALSE(status.at("sending").at("store").at("away").as_bool());
}

TEST_F(sending, begins_without_its_database) {
    common_.set.store_where = "postgresql://nobody@127.0.0.1:1/none"; // nobody listens there
    begin();
    EXPECT_EQ(ask_map(folder_ + "/policy.sock", "postfix localhost"), "9:NOTFOUND ,");
    const auto status = ask("/status");
    ASSERT_TRUE(status) << status.error().message;
    EXPECT_FALSE(status->at("store").at("writable").as_bool());
    EXPECT_THAT(std::string(status->at("store").at("last_error").as_string()), HasSubstr("PostgreSQL"));
    EXPECT_TRUE(status->at("sending").at("store").at("away").as_bool());
    fresh_ = common_.set;
    fresh_.answer_budget = std::chrono::milliseconds(400);
    EXPECT_TRUE(ask("/reload", "", "POST")) << "what it can do without the database, it does";
    EXPECT_EQ(ask_map(folder_ + "/policy.sock", "postfix localhost"), "9:NOTFOUND ,");
    end();

    common_.set.lmtp_listen = {"unix:" + folder_ + "/lmtp.sock"};
    const auto made = daemon::make(common_);
    ASSERT_FALSE(made) << "a report that cannot be kept must not be taken in";
    EXPECT_THAT(made.error(), HasSubstr("PostgreSQL"));
}

TEST_F(sending, who_looks_after_it_hears_of_refreshes_that_keep_failing) {
    PROVES("8461-3.3-r", "8461-10.2-c", "8461-10.2-d");
    common_.set.alarm_mail = {"admin@example.com"};
    common_.set.mail_port = 1; // nobody listens there: what is to go out stays where it can be read
    common_.set.webhook = "https://127.0.0.1:1/hook";
    const base::system_clock clock;
    const auto now = clock.now();
    std::vector<model::kept_policy> kept;
    for (const auto mode : {sts::mode::enforce, sts::mode::testing, sts::mode::none}) {
        auto row = tests::held_policy(fmt::format("{}.example", sts::to_string(mode)), 0);
        auto& state = row.state;
        state.held->value.mode = mode;
        if (mode == sts::mode::none)
            state.held->value.mx.clear();
        state.held->body = sts::format_policy(state.held->value).value();
        state.held->fetched_at = state.record_at = row.used_at = now - std::chrono::days(2);
        state.failed = sts::failed_fetch{.id = "1",
                                         .at = now - std::chrono::hours(1),
                                         .fault = sts::policy_fault::webpki_invalid,
                                         .detail = "certificate expired"};
        state.failing_since = now - std::chrono::days(2);
        state.failures = 3;
        state.refresh_at = now - std::chrono::minutes(1);
        kept.push_back(std::move(row));
    }
    ASSERT_TRUE(store::open(store::open_options{.where = common_.set.store_where}));
    ASSERT_TRUE((*store::open_policies({.where = common_.set.store_where}))->put(kept));
    begin();
    std::string shown; // all three are looked at in vain on the first beats; DNS gives no answer here
    for (int i = 0; i < 400 && !(shown.contains("policy-refresh/enforce.example") &&
                                 shown.contains("policy-refresh/testing.example"));
         ++i)
        shown = alarms();
    EXPECT_THAT(shown, HasSubstr("policy-refresh/enforce.example"));
    EXPECT_THAT(shown, HasSubstr("policy-refresh/testing.example"));
    EXPECT_THAT(shown, testing::Not(HasSubstr("none.example")))
        << "mode none protects nothing that could run out";
    auto from = open_to_ask(common_.set);
    ASSERT_TRUE(from);
    for (const auto* way : {"outbox/mail/", "outbox/hook/"}) {
        std::string told;
        for (const auto& [name, text] : *(*from)->facts(way))
            told += text;
        EXPECT_THAT(told, HasSubstr("enforce.example cannot be refreshed")) << way;
        EXPECT_THAT(told, HasSubstr("testing.example cannot be refreshed")) << way;
        EXPECT_THAT(told, testing::Not(HasSubstr("none.example"))) << way;
    }
}

TEST_F(sending, what_changes_something_answers_on_the_control_socket_alone) {
    begin();
    const char* body = R"({"as":"exempt","why":"a test"})";
    const auto refused = api("/api/v1/override/example.com", body, "PUT");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().what, control_error::kind::refused);
    const auto made = ask("/api/v1/override/example.com", body, "PUT");
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ(api("/api/v1/overrides")->at("overrides").as_array().size(), 1u);
    EXPECT_EQ(api("/api/v1/policy/example.com")->at("source").as_string(), "override");
    EXPECT_EQ(ask_map(folder_ + "/policy.sock", "postfix example.com"), "9:NOTFOUND ,");
    end();
    begin(); // a new process still knows it
    EXPECT_EQ(api("/api/v1/overrides")->at("overrides").as_array().size(), 1u);
    EXPECT_TRUE(ask("/api/v1/override/example.com", "", "DELETE"));
    EXPECT_EQ(api("/api/v1/overrides")->at("overrides").as_array().size(), 0u);
}

TEST_F(sending, a_reload_exchanges_listeners_and_drops_no_connection) {
    begin();
    const int held = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    std::strncpy(to.sun_path, (folder_ + "/policy.sock").c_str(), sizeof to.sun_path - 1);
    ASSERT_EQ(::connect(held, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
    const auto talk = [held] {
        const std::string_view question = "17:postfix localhost,";
        EXPECT_EQ(::send(held, question.data(), question.size(), MSG_NOSIGNAL), 21);
        char answer[64];
        const auto n = ::recv(held, answer, sizeof answer, 0);
        return std::string(answer, static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    };
    EXPECT_EQ(talk(), "9:NOTFOUND ,");
    fresh_.socketmap_listen.push_back("unix:" + folder_ + "/second.sock,mode=0666");
    fresh_.map_names = {"older=postfix"};
    fresh_.cache_domains = 5;
    const auto done = ask("/reload", "", "POST");
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_EQ(boost::json::serialize(done->at("needs_restart")), R"(["resolve.cache-domains"])");
    EXPECT_EQ(talk(), "9:NOTFOUND ,") << "the connection goes on";
    ::close(held);
    EXPECT_EQ(ask_map(folder_ + "/second.sock", "older localhost"), "9:NOTFOUND ,");
    fresh_.socketmap_listen = {"unix:" + folder_ + "/second.sock,mode=0666"};
    ASSERT_TRUE(ask("/reload", "", "POST"));
    EXPECT_EQ(ask_map(folder_ + "/policy.sock", "postfix localhost"), "") << "nobody listens there any more";
    EXPECT_EQ(ask_map(folder_ + "/second.sock", "postfix localhost"), "9:NOTFOUND ,");
    fresh_.socketmap_listen.emplace_back("nowhere");
    fresh_.map_names = {"third=postfix"};
    ASSERT_FALSE(ask("/reload", "", "POST")) << "all or nothing";
    EXPECT_EQ(ask("/status")->at("sending").at("listeners").as_array().size(), 2u);
}

TEST_F(running, a_configuration_that_cannot_work_is_refused_at_the_start) {
    struct row {
        const char* what;
        std::function<void(settings&)> change;
        const char* says;
    };
    const row rows[] = {
        {"no domain", [](settings& s) { s.domains = {"not a domain"}; }, "reports.domains: 'not a domain'"},
        {"no address", [](settings& s) { s.lmtp_listen = {"everywhere"}; }, "lmtp.listen: "},
        {"TLS without certificate", [](settings& s) { s.https_listen = {"127.0.0.1:0"}; },
         "https.listen needs serve.tls-certificates"},
        {"the same for mail",
         [](settings& s) {
             s.smtp_listen = {"127.0.0.1:0"};
             s.smtp_require_tls = true;
         },
         "smtp.require-tls needs serve.tls-certificates"},
        {"no key file", [](settings& s) { s.dkim_keys_file = "/does/not/exist"; }, "reports.dkim-keys-file"},
        {"a mailbox without name", [](settings& s) { s.imap_host = "imap.example.com"; }, "imap.user"},
        {"two ways to log in",
         [](settings& s) {
             s.imap_host = "imap.example.com";
             s.imap_user = "u";
             s.imap_password = "p";
             s.imap_oauth_token_url = "https://login.example.com/";
         },
         "one way to log in"},
        {"no listener", [](settings& s) { s.socketmap_listen = {"somewhere"}; },
         "resolve.socketmap-listen: "},
        {"no dialect",
         [](settings& s) {
             s.socketmap_listen = {"127.0.0.1:0"};
             s.map_names = {"old=latin"};
         },
         "resolve.map-names: there is no dialect 'latin'"},
        {"no prefetch list",
         [](settings& s) {
             s.socketmap_listen = {"127.0.0.1:0"};
             s.prefetch_file = "/does/not/exist";
         },
         "resolve.prefetch-file"},
        {"no such user", [](settings& s) { s.user = "no-such-user-here"; }, "no-such-user-here"},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.what);
        common_options wrong = common_;
        row.change(wrong.set);
        auto made = daemon::make(wrong);
        ASSERT_FALSE(made);
        EXPECT_THAT(made.error(), HasSubstr(row.says));
    }
}

} // namespace
} // namespace mailtight::app
