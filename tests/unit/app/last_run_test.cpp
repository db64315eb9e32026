// SPDX-License-Identifier: Apache-2.0
// What `check --changed` says from one run to the next: every change that needs a hand, and nothing else.
#include "app/last_run.h"
#include "support/observations.h"
#include "support/proves.h"
#include "support/scratch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>

namespace mailtight::tests {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class last_run : public testing::Test {
protected:
    void SetUp() override { set_.state_directory = directory_.string(); }

    /// One run of `check --changed` over the healthy domain with `change` made to it.
    std::vector<std::string> run(const std::function<void(model::observation&)>& change = {}) {
        model::observation seen = healthy();
        if (change)
            change(seen);
        return app::compare_with_last_run(set_, seen, advise::judge(seen));
    }
    fs::path file() const { return directory_ / "checked" / "example.com.json"; }
    std::string content() const {
        std::ifstream in(file(), std::ios::binary);
        return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    }

    const scratch_folder scratch_;
    const fs::path directory_ = scratch_.path();
    app::settings set_;
};

void third_host(model::observation& seen) {
    auto hosts = seen.mx;
    hosts.push_back(mx_host("mx3.example.com", 30, "203.0.113.25"));
    set_mx(seen, std::move(hosts));
}
void other_policy(model::observation& seen) {
    set_policy(seen, "version: STSv1\r\nmode: enforce\r\nmx: *.example.com\r\nmax_age: 2419200\r\n");
}
void other_id(model::observation& seen) {
    seen.sts_txt.texts = {"v=STSv1; id=20260201000000"};
    for (auto& server : seen.sts_by_server)
        server.texts = seen.sts_txt.texts;
}

TEST_F(last_run, the_first_run_and_an_unchanged_one_say_nothing) {
    EXPECT_THAT(run(), IsEmpty());
    EXPECT_TRUE(fs::exists(file()));
    EXPECT_THAT(run(), IsEmpty());
    EXPECT_THAT(run(), IsEmpty());
}

TEST_F(last_run, a_new_mail_server_asks_for_a_new_policy) {
    PROVES("G1-15", "G3-20");
    run();
    const auto changes = run(third_host);
    ASSERT_FALSE(changes.empty());
    EXPECT_EQ(changes.front(),
              "MX changed: update the policy and its id (was: 10 mx1.example.com, 20 mx2.example.com; is: "
              "10 mx1.example.com, 20 mx2.example.com, 30 mx3.example.com)");
    EXPECT_THAT(changes, testing::Contains("the verdict changed from protected to broken"));
    EXPECT_THAT(run(third_host), IsEmpty()) << "a change is told once";
}

TEST_F(last_run, the_order_in_which_a_server_gives_records_is_no_change) {
    const auto in_order = [](std::vector<std::string> texts) {
        return [texts = std::move(texts)](model::observation& seen) { seen.tlsrpt_txt.texts = texts; };
    };
    const std::string record = "v=TLSRPTv1; rua=mailto:tls@example.com", other = "a wildcard's text";
    run(in_order({record, other}));
    EXPECT_THAT(run(in_order({other, record})), IsEmpty());
    EXPECT_THAT(run(in_order({other})), testing::Contains(testing::StartsWith("the TLSRPT record changed")));
}

TEST_F(last_run, policy_and_id_change_together_or_it_is_said) {
    PROVES("G2-27", "G2-28", "G3-46");
    run();
    EXPECT_THAT(
        run(other_policy),
        ElementsAre("the policy changed, its id did not: publish a new id, or senders keep the old policy"));
    fs::remove(file());
    run();
    EXPECT_THAT(run(other_id), ElementsAre("the id changed (was 20260101000000, is 20260201000000), the "
                                           "policy did not"));
    fs::remove(file());
    run();
    EXPECT_THAT(run([](model::observation& seen) {
                    other_policy(seen);
                    other_id(seen);
                }),
                ElementsAre("the policy and its id changed (id was 20260101000000, is 20260201000000)"));
}

TEST_F(last_run, another_report_address_is_said) {
    run();
    EXPECT_THAT(run([](model::observation& seen) {
                    seen.tlsrpt_txt.texts = {"v=TLSRPTv1; rua=mailto:other@example.com"};
                }),
                ElementsAre("the TLSRPT record changed (was: v=TLSRPTv1; rua=mailto:tls-report@example.com; "
                            "is: v=TLSRPTv1; rua=mailto:other@example.com)"));
}

TEST_F(last_run, an_outage_is_no_change_and_hides_none) {
    const auto dead = [](model::observation& seen) {
        seen.mx_set = answer<model::mx_set_fact>(seen.domain, "MX", model::dns_status::servfail);
        seen.mx.clear();
        seen.sts_txt = answer<model::txt_fact>("_mta-sts.example.com", "TXT", model::dns_status::servfail);
        seen.tlsrpt_txt =
            answer<model::txt_fact>("_smtp._tls.example.com", "TXT", model::dns_status::timeout);
        seen.fetches.clear();
    };
    run();
    EXPECT_THAT(run(dead), testing::IsEmpty()) << "what could not be looked up is no change";
    const auto after = run([](model::observation& seen) {
        third_host(seen);
        other_policy(seen);
    });
    EXPECT_THAT(after, testing::Contains(HasSubstr("MX changed: ")));
    EXPECT_THAT(after, testing::Contains(HasSubstr("the policy changed, its id did not")));
}

TEST_F(last_run, a_state_that_cannot_be_read_is_a_first_run) {
    for (const std::string& bytes :
         {std::string("not json"), std::string(), std::string("[1,2]"), std::string(100000, '[')}) {
        run();
        std::ofstream(file(), std::ios::binary | std::ios::trunc) << bytes;
        testing::internal::CaptureStderr();
        EXPECT_THAT(run(third_host), IsEmpty()) << bytes.substr(0, 20);
        EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("this run starts afresh"));
        EXPECT_FALSE(run().empty()) << "and the next one compares again";
    }
}

TEST_F(last_run, values_of_an_unexpected_kind_are_no_fault) {
    run();
    std::ofstream(file(), std::ios::binary | std::ios::trunc) << R"({"mx":7,"id":null,"verdict":["x"]})";
    const auto changes = run();
    EXPECT_THAT(changes, testing::Each(HasSubstr("changed")));
    EXPECT_THAT(run(), IsEmpty());
}

TEST_F(last_run, nothing_of_a_stranger_reaches_the_terminal_unescaped) {
    run();
    const auto changes = run([](model::observation& seen) {
        seen.tlsrpt_txt.texts = {"v=TLSRPTv1; rua=mailto:a@example.com; x=\x1b]0;owned\x07"};
    });
    ASSERT_FALSE(changes.empty());
    for (const auto& change : changes)
        EXPECT_EQ(change.find('\x1b'), std::string::npos) << change;
}

TEST_F(last_run, a_place_that_cannot_be_written_is_said) {
    set_.state_directory = "/proc/nowhere";
    testing::internal::CaptureStderr();
    EXPECT_THAT(run(), IsEmpty());
    EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("cannot be written"));
}

TEST_F(last_run, nothing_is_left_beside_the_state) {
    run();
    run(other_id);
    std::size_t files = 0;
    for ([[maybe_unused]] const auto& entry : fs::directory_iterator(directory_ / "checked"))
        ++files;
    EXPECT_EQ(files, 1u);
    EXPECT_THAT(content(), HasSubstr("\"id\":\"20260201000000\""));
}

} // namespace
} // namespace mailtight::tests
