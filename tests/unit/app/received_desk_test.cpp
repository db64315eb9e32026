// SPDX-License-Identifier: Apache-2.0
// Reports received through a whole daemon's API: a file is read without a trace, taken in, listed, summed up,
// its failures explained and silenced; the status is the command's.
#include "running_daemon.h"

#include "base/compress.h"

namespace mailtight::app {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

constexpr const char* report = R"({"organization-name":"Example Mail","date-range":{
"start-datetime":"2026-05-03T00:00:00Z","end-datetime":"2026-05-03T23:59:59Z"},
"contact-info":"tls@reporter.example","report-id":"one","policies":[{"policy":{"policy-type":"sts",
"policy-string":["version: STSv1","mode: enforce","mx: mx1.example.com","max_age: 604800"],
"policy-domain":"example.com"},"summary":{"total-successful-session-count":90,"total-failure-session-count":10},
"failure-details":[{"result-type":"certificate-expired","sending-mta-ip":"192.0.2.9",
"receiving-mx-hostname":"mx1.example.com","receiving-ip":"198.51.100.1","failed-session-count":10}]}]})";

class pages_of_reports : public running {
protected:
    boost::json::object good(const std::string& method, const std::string& path,
                             const std::string& body = {}) {
        const auto said = ask("/api/v1" + path, body, method);
        EXPECT_TRUE(said) << method << " " << path << ": " << said.error().message;
        return said && said->is_object() ? said->as_object() : boost::json::object{};
    }
};

TEST_F(pages_of_reports, from_a_file_to_a_silenced_failure) {
    begin();
    const auto read = good("POST", "/reports/read?name=r.json.gz", base::gzip(report));
    EXPECT_EQ(read.at("reports").at(0).at("headline").at("failure").to_number<int>(), 10);
    EXPECT_THAT(std::string(read.at("reports")
                                .at(0)
                                .at("policies")
                                .at(0)
                                .at("details")
                                .at(0)
                                .at("diagnosis")
                                .at("fix")
                                .as_string()),
                testing::Not(testing::IsEmpty()));
    EXPECT_THAT(good("GET", "/reports?what=all").at("reports").as_array(), SizeIs(0)) << "nothing is stored";
    EXPECT_EQ(good("POST", "/reports/read", "no report").at("errors").as_array().size(), 1u);

    EXPECT_EQ(good("POST", "/reports?name=r.json", report).at("added").to_number<int>(), 1);
    EXPECT_EQ(good("POST", "/reports", base::gzip(report)).at("duplicates").to_number<int>(), 1);
    const auto list = good("GET", "/reports?domain=example.com&failures=1").at("reports").as_array();
    ASSERT_THAT(list, SizeIs(1));
    const auto number = std::to_string(list[0].at("number").to_number<int>());
    const auto shown = good("GET", "/reports/" + number);
    EXPECT_TRUE(shown.at("raw").as_bool());
    EXPECT_EQ(good("GET", "/reports/" + number + "/raw").at("report-id").as_string(), "one");
    EXPECT_FALSE(ask("/api/v1/reports/99"));

    const auto period = good("GET", "/report-summary?from=2026-05-01&to=2026-05-10");
    EXPECT_EQ(period.at("headline").at("success").to_number<int>(), 90);
    EXPECT_EQ(period.at("by_reporter").as_array().size(), 1u);
    EXPECT_EQ(period.at("silence").as_array().size(), 1u) << "nothing came for a long time";

    const std::string failures = "/failures?from=2026-05-01&to=2026-05-10";
    EXPECT_TRUE(good("GET", failures).at("groups").at(0).at("muted").is_null());
    const auto mute = good("POST", "/mutes", R"({"domain":"example.com","why":"known"})");
    EXPECT_EQ(good("GET", failures).at("groups").at(0).at("muted").at("why").as_string(), "known");
    auto from = open_to_ask(common_.set);
    ASSERT_TRUE(from);
    EXPECT_THAT(*(*from)->facts("mute/"), SizeIs(1)) << "as `report mute` keeps it";
    good("DELETE", "/mutes/" + std::string(mute.at("name").as_string()));
    EXPECT_THAT(good("GET", "/mutes").at("mutes").as_array(), SizeIs(0));
}

TEST_F(pages_of_reports, what_is_handed_in_about_a_domain_looked_after_counts_wherever_its_record_leads) {
    common_.set.domains.clear();
    common_.set.mailboxes.clear(); // as without any configuration: no report comes by itself
    fresh_ = common_.set;
    begin();
    const auto strange = good("POST", "/reports?name=r.json", report);
    EXPECT_EQ(strange.at("quarantined").to_number<int>(), 1) << "no report makes a domain known";
    EXPECT_EQ(strange.at("reports").at(0).at("why").as_string(), "not one of our domains");

    good("POST", "/domains", R"({"domain":"example.com"})");
    std::string second = report;
    second.replace(second.find("\"one\""), 5, "\"two\"");
    const auto known = good("POST", "/reports?name=r.json", second);
    EXPECT_EQ(known.at("added").to_number<int>(), 1);
    EXPECT_EQ(known.at("quarantined").to_number<int>(), 0);
    EXPECT_EQ(known.at("reports").at(0).at("why").as_string(), "");
    EXPECT_THAT(good("GET", "/reports?domain=example.com").at("reports").as_array(), SizeIs(2))
        << "the one that waited too";
    EXPECT_EQ(good("GET", "/status").at("domains").to_number<int>(), 1);
}

TEST_F(pages_of_reports, a_test_report_without_a_record_says_so) {
    begin();
    const auto begun = good("POST", "/report-tests", R"({"domain":"example.com"})");
    EXPECT_TRUE(begun.at("finished").as_bool());
    EXPECT_THAT(std::string(begun.at("trouble").as_string()), HasSubstr("could not be looked up"));
    const auto again = good("GET", "/report-tests/" + std::string(begun.at("token").as_string()));
    EXPECT_TRUE(again.at("arrived").is_null());
}

TEST_F(pages_of_reports, the_system_is_the_command_s_status_and_this_host) {
    begin();
    const auto status = good("GET", "/status"), control = ask("/status")->as_object();
    EXPECT_EQ(status.at("pid"), control.at("pid"));
    EXPECT_EQ(status.at("parts").as_array().size(), control.at("parts").as_array().size());
    EXPECT_THAT(good("GET", "/certificates").at("certificates").as_array(), SizeIs(0));
    const auto sending = good("GET", "/sending");
    EXPECT_FALSE(sending.at("parts").at("policies").as_bool());
    auto host = good("GET", "/doctor");
    for (int i = 0; i < 20 && host.at("looked_at").is_null(); ++i)
        host = good("GET", "/doctor");
    EXPECT_FALSE(host.at("looked_at").is_null());
    EXPECT_EQ(host.at("checks").at(1).at("check").as_string(), "resolver answers");
    EXPECT_EQ(host.at("checks").at(1).at("state").as_string(), "problem") << "nobody answers there";
}

} // namespace
} // namespace mailtight::app
