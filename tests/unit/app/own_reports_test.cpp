// SPDX-License-Identifier: Apache-2.0
// The commands about our own reports without a daemon and without DNS: what they read, print and change.
#include "app/cli.h"
#include "app/options.h"
#include "app/policy_time.h"
#include "store/results.h"
#include "support/scratch.h"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace mailtight::app {
namespace {

using testing::HasSubstr;
using testing::Not;

class own_reports : public testing::Test {
protected:
    struct ended {
        int status;
        std::string out, err;
        boost::json::object json() const {
            boost::system::error_code error;
            auto value = boost::json::parse(out.substr(0, out.find('\n')), error);
            EXPECT_FALSE(error) << out;
            return error ? boost::json::object{} : value.as_object();
        }
    };
    void SetUp() override { configure("tls-reports@example.org"); }
    void configure(const std::string& contact) {
        std::ofstream(folder_ / "mailtight.toml")
            << fmt::format("[store]\nwhere = '{0}/mailtight.db'\n[serve]\ncontrol-socket = 'off'\n"
                           "[dns]\nservers = ['127.0.0.1:1']\ntimeout = '100ms'\n"
                           "[deliver]\ncontact = '{1}'\n",
                           folder_.path().string(), contact);
    }
    ended run(std::vector<std::string> words) {
        words.insert(words.begin(), "mailtight");
        words.insert(words.end(), {"--config", folder_ / "mailtight.toml"});
        std::vector<char*> raw;
        for (auto& word : words)
            raw.push_back(word.data());
        testing::internal::CaptureStdout();
        testing::internal::CaptureStderr();
        const int status = command_line{}.run(static_cast<int>(raw.size()), raw.data());
        std::fflush(stdout);
        return {status, testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr()};
    }
    /// Sessions of a day, as the collector writes them.
    void count(std::chrono::sys_days day, std::uint64_t success, std::uint64_t failure) {
        auto opened = store::open_results({.where = folder_ / "mailtight.db"});
        ASSERT_TRUE(opened) << opened.error().message;
        model::counted_result row{.day = day, .domain = "rcpt.example"};
        row.policy = {.type = tlsrpt::policy_type::sts,
                      .domain = "rcpt.example",
                      .strings = {"version: STSv1", "mode: enforce", "mx: mx.rcpt.example", "max_age: 86400"},
                      .mx_patterns = {"mx.rcpt.example"}};
        row.success = success;
        row.failure = failure;
        if (failure > 0)
            row.faults.push_back({.what = {.type = tlsrpt::result_type::certificate_expired,
                                           .receiving_mx = "mx.rcpt.example"},
                                  .count = failure});
        const std::vector<model::counted_result> rows = {row};
        auto added = (*opened)->add({.machine = "here", .number = ++batch_, .results = rows, .marks = {}},
                                    std::chrono::hours(4), 1'000);
        ASSERT_TRUE(added) << added.error().message;
    }
    const std::chrono::sys_days today_ = std::chrono::floor<std::chrono::days>(policy_time().now());
    const tests::scratch_folder folder_;
    std::int64_t batch_ = 0;
};

TEST_F(own_reports, a_preview_is_the_report_with_who_would_get_it) {
    EXPECT_EQ(run({"report", "preview", "rcpt.example"}).status, not_done) << "there is no store";
    count(today_, 40, 2);
    const auto done = run({"report", "preview", "rcpt.example", "--json"});
    EXPECT_EQ(done.status, not_done) << "DNS is away, and that is said";
    const auto said = done.json();
    EXPECT_EQ(said.at("success").to_number<int>(), 40);
    EXPECT_EQ(said.at("failure").to_number<int>(), 2);
    EXPECT_EQ(said.at("already_reported").to_number<int>(), 0);
    EXPECT_THAT(std::string(said.at("why_not").as_string()), HasSubstr("DNS"));
    const auto& policy = said.at("report").at("policies").at(0);
    EXPECT_EQ(policy.at("summary").at("total-successful-session-count").to_number<int>(), 40);
    EXPECT_EQ(policy.at("failure-details").at(0).at("result-type").as_string(), "certificate-expired");
    EXPECT_EQ(said.at("report").at("contact-info").as_string(), "tls-reports@example.org");
    EXPECT_THAT(run({"report", "preview", "rcpt.example"}).out, HasSubstr("42 sessions, 2 of them failed"));
    const auto none = run({"report", "preview", "other.example"});
    EXPECT_EQ(none.status, problems_found);
    EXPECT_THAT(none.err, HasSubstr("no session"));
}

TEST_F(own_reports, a_day_that_is_not_over_is_not_sent) {
    count(today_, 1, 0);
    const auto refused = run({"report", "send", "--day", base::format_date(base::utc_seconds(today_))});
    EXPECT_EQ(refused.status, wrong_usage);
    EXPECT_THAT(refused.err, HasSubstr("not over"));
}

TEST_F(own_reports, a_preview_needs_no_contact_and_says_that_there_is_none) {
    count(today_, 3, 0);
    configure("");
    const auto done = run({"report", "preview", "rcpt.example", "--json"});
    EXPECT_EQ(done.json().at("success").to_number<int>(), 3) << done.err;
    EXPECT_THAT(std::string(done.json().at("report").at("contact-info").as_string()),
                HasSubstr("YOUR-CONTACT"));
    const auto day = base::format_date(base::utc_seconds(today_ - std::chrono::days(1)));
    const auto refused = run({"report", "send", "--day", day});
    EXPECT_EQ(refused.status, wrong_usage);
    EXPECT_THAT(refused.err, HasSubstr("deliver.contact"));
    configure("nobody");
    EXPECT_EQ(run({"report", "preview", "rcpt.example"}).status, wrong_usage);
}

TEST_F(own_reports, what_is_reported_is_not_announced_again) {
    const auto yesterday = today_ - std::chrono::days(1);
    const auto day = base::format_date(base::utc_seconds(yesterday));
    count(yesterday, 5, 0);
    EXPECT_THAT(run({"report", "outbox"}).err, HasSubstr("the first ones are made after midnight UTC"));
    EXPECT_THAT(run({"report", "outbox", "--day", day}).err, HasSubstr("fits that"));
    {
        auto opened = store::open_results({.where = folder_ / "mailtight.db"});
        ASSERT_TRUE(opened);
        auto& store = **opened;
        const auto later = base::utc_seconds(today_ + std::chrono::days(1));
        const auto due = store.take_due(later, "m", std::chrono::minutes(1), 10);
        ASSERT_TRUE(due && due->size() == 1);
        const auto filed = store.file(due->front(), [&](auto, std::uint32_t part) {
            model::outgoing_report made{.day = yesterday, .domain = "rcpt.example", .part = part};
            made.report_id = "one@example.org";
            made.success = 5;
            return std::optional(made);
        });
        ASSERT_TRUE(filed && *filed);
    }
    const auto done = run({"report", "preview", "rcpt.example", "--day", day});
    EXPECT_THAT(done.out, HasSubstr("all of them are in one")) << done.err;
    EXPECT_THAT(done.out, HasSubstr("report outbox --domain rcpt.example --day " + day));
    const auto again = run({"report", "send", "--day", day});
    EXPECT_EQ(again.status, fine);
    EXPECT_THAT(again.out, HasSubstr("nothing is owed"));
}

TEST_F(own_reports, a_folder_that_cannot_be_written_is_said_with_the_reason) {
    const auto day = base::format_date(base::utc_seconds(today_));
    count(today_, 5, 0);
    std::ofstream(folder_ / "file") << "in the way";
    const auto done = run({"report", "send", "--day", day, "--dry-run", folder_ / "file/out"});
    EXPECT_EQ(done.status, not_done);
    EXPECT_THAT(done.err, HasSubstr("file/out: Not a directory"));
}

TEST_F(own_reports, where_dns_gives_no_answer_nothing_is_sent_and_nothing_lost) {
    const auto yesterday = today_ - std::chrono::days(1);
    const auto day = base::format_date(base::utc_seconds(yesterday));
    count(yesterday, 5, 0);
    const auto done = run({"report", "send", "--day", day, "--json"});
    EXPECT_EQ(done.json().at("filed").to_number<int>(), 0) << done.out << done.err;
    const auto dry = run({"report", "send", "--day", day, "--dry-run", folder_ / "out", "--json"});
    EXPECT_EQ(dry.json().at("sent").to_number<int>(), 0);
    const auto still = run({"report", "preview", "rcpt.example", "--day", day, "--json"}).json();
    EXPECT_EQ(still.at("success").to_number<int>(), 5);
    EXPECT_EQ(still.at("already_reported").to_number<int>(), 0);
}

TEST_F(own_reports, the_outbox_is_listed_and_addresses_are_suppressed) {
    for (const bool kept : {false, true}) { // no store, then one without a report
        SCOPED_TRACE(kept);
        for (const auto* list : {"", "suppressed"}) {
            std::vector<std::string> words{"report", "outbox"};
            if (*list)
                words.emplace_back(list);
            const auto none = run(words);
            EXPECT_EQ(none.status, fine) << none.err;
            EXPECT_EQ(none.out, "");
            EXPECT_THAT(none.err, HasSubstr(*list ? "no address is suppressed" : "no report of ours yet"));
        }
        EXPECT_EQ(run({"report", "outbox", "--json"}).err, "");
        if (!kept)
            EXPECT_EQ(run({"report", "outbox", "17"}).status, not_done) << "nothing is counted";
        count(today_, 1, 0);
    }
    EXPECT_EQ(run({"report", "outbox", "--json"}).out, "") << "one line a report, and there is none";
    EXPECT_EQ(run({"report", "outbox", "17"}).status, problems_found);
    const auto set =
        run({"report", "outbox", "suppress", "TLS@Rcpt.example", "--why", "they asked", "--json"});
    EXPECT_EQ(set.status, fine) << set.err;
    EXPECT_EQ(set.json().at("who").as_string(), "tls@rcpt.example");
    EXPECT_THAT(run({"report", "outbox", "suppressed"}).out, HasSubstr("tls@rcpt.example"));
    EXPECT_THAT(run({"report", "outbox", "suppressed"}).out, HasSubstr("they asked"));
    EXPECT_EQ(run({"report", "outbox", "allow", "tls@rcpt.example"}).status, fine);
    EXPECT_EQ(run({"report", "outbox", "allow", "tls@rcpt.example"}).status, problems_found);
    EXPECT_THAT(run({"report", "outbox", "suppressed"}).out, Not(HasSubstr("tls@rcpt.example")));
}

TEST_F(own_reports, keys_are_made_once_and_their_records_printed_in_every_form) {
    const auto none = run({"report", "keys"});
    EXPECT_EQ(none.status, problems_found);
    EXPECT_THAT(none.err, HasSubstr("report keys make"));
    const auto made = run({"report", "keys", "make", "--selector", "s2026"});
    EXPECT_EQ(made.status, fine) << made.err;
    EXPECT_THAT(made.out, HasSubstr("s2026-rsa._domainkey.example.org"));
    EXPECT_THAT(made.out, HasSubstr("s2026-ed._domainkey.example.org"));
    EXPECT_THAT(made.out, HasSubstr("v=DKIM1"));
    EXPECT_THAT(made.out, Not(HasSubstr("PRIVATE")));
    const auto again = run({"report", "keys", "make", "--selector", "s2026"});
    EXPECT_EQ(again.out, made.out) << "a key is never replaced";
    for (const char* format :
         {"bind", "nsupdate", "dnscontrol", "octodns", "terraform", "cloudflare", "route53"}) {
        const auto shown = run({"report", "keys", "--format", format});
        EXPECT_EQ(shown.status, problems_found) << format << ": they are not published";
        EXPECT_THAT(shown.out, HasSubstr("s2026-rsa._domainkey")) << format;
        EXPECT_THAT(shown.out, HasSubstr("v=DKIM1")) << format;
    }
    for (const auto& file : std::filesystem::directory_iterator(folder_ / "dkim"))
        EXPECT_EQ(file.status().permissions() & std::filesystem::perms(0077), std::filesystem::perms::none)
            << file.path();
}

} // namespace
} // namespace mailtight::app
