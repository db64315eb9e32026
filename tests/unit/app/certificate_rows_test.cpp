// SPDX-License-Identifier: Apache-2.0
// The list of certificates: of each name the one that is served, from the database or from a folder, of
// policy hosts and of the pages, with what went wrong last.
#include "app/certificate_rows.h"

#include "publish/name_certificates.h"
#include "support/certificates.h"
#include "support/domain_store_fake.h"
#include "support/scratch.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace mailtight::app {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;

const base::utc_seconds now = base::parse_utc("2026-06-01T00:00:00Z").value();

class CertificateRows : public testing::Test {
protected:
    void keep(const std::string& name, base::utc_seconds from, base::utc_seconds to) {
        const auto lease = kept.take_lease("test/" + name, "test", 60s).value().value();
        ASSERT_TRUE(kept.save_certificate({.name = name,
                                           .chain = "chain",
                                           .sealed_key = "sealed",
                                           .not_before = from,
                                           .not_after = to,
                                           .renew_at = to - 24h,
                                           .issuer = "https://ca.example/dir",
                                           .proven = true},
                                          lease.fence)
                        .value());
    }
    void fail(std::string_view kind, const std::string& domain, const std::string& error) {
        kept.plan_work(kind, domain, now).value();
        auto work = kept.take_work(kind, now, "test", 60s, 1).value().at(0);
        work.last_error = error;
        work.tries = 1;
        ASSERT_TRUE(kept.done_work(work, now + 1h).value());
    }
    tests::domain_store_fake kept;
};

TEST_F(CertificateRows, AreOfPolicyHostsAndOfThePagesAndOfThoseThatCouldNotBeHad) {
    keep("mta-sts.a.example", now - 24h, now + 60 * 24h);
    keep("pages.example", now - 24h, now + 50 * 24h);
    fail("certificate", "b.example", "no address");
    fail(publish::name_work, "second.example", "no CAA");
    const auto rows = certificate_rows(kept, {}, now).value();
    using row = certificate_row;
    EXPECT_THAT(rows,
                ElementsAre(AllOf(Field(&row::name, "mta-sts.a.example"), Field(&row::domain, "a.example"),
                                  Field(&row::in_use, true), Field(&row::file, "")),
                            AllOf(Field(&row::name, "mta-sts.b.example"), Field(&row::trouble, "no address"),
                                  Field(&row::not_after, std::nullopt)),
                            AllOf(Field(&row::name, "pages.example"), Field(&row::domain, ""),
                                  Field(&row::not_after, std::optional(now + 50 * 24h))),
                            AllOf(Field(&row::name, "second.example"), Field(&row::trouble, "no CAA"))));
}

TEST_F(CertificateRows, OfTheFolderStandWhereTheyAreServed) {
    keep("mta-sts.a.example", now - 48h, now + 60 * 24h); // issued before that of the folder
    keep("mta-sts.b.example", now - 1h, now + 60 * 24h);  // and this after it
    const std::vector<folder_certificate> folder = {
        {"mta-sts.a.example", "/live/a/fullchain.pem", now - 24h, now + 6 * 24h},
        {"mta-sts.b.example", "/live/b/fullchain.pem", now - 24h, now + 89 * 24h},
        {"mta-sts.c.example", "/live/c/fullchain.pem", now - 24h, now + 89 * 24h}};
    const auto rows = certificate_rows(kept, folder, now).value();
    ASSERT_EQ(rows.size(), 3u);
    EXPECT_EQ(rows[0].file, "/live/a/fullchain.pem");
    EXPECT_EQ(rows[0].not_after, now + 6 * 24h) << "the one that is served, though it ends earlier";
    EXPECT_FALSE(rows[0].renew_at) << "another program renews it";
    EXPECT_EQ(rows[1].file, "");
    EXPECT_EQ(rows[1].issuer, "https://ca.example/dir");
    EXPECT_TRUE(rows[2].in_use);
    const auto json = certificates_json(rows);
    EXPECT_EQ(json[0].at("file"), "/live/a/fullchain.pem");
    EXPECT_EQ(json[0].at("issuer"), "");
    EXPECT_TRUE(json[1].at("file").is_null());
    EXPECT_TRUE(json[2].at("renew_at").is_null());
}

TEST_F(CertificateRows, ANameThatThePagesHadIsForgottenAWeekAfterItsCertificateEnded) {
    keep("old.example", now - 90 * 24h, now - 8 * 24h);
    keep("just.example", now - 90 * 24h, now - 6 * 24h);
    keep("mta-sts.a.example", now - 90 * 24h, now - 8 * 24h); // of a policy host it stays a fault
    const auto rows = certificate_rows(kept, {}, now).value();
    EXPECT_THAT(rows, ElementsAre(Field(&certificate_row::name, "just.example"),
                                  Field(&certificate_row::name, "mta-sts.a.example")));
}

TEST(CertificateFolderRows, AreReadForPolicyHostsAndWhatCannotBeReadIsTold) {
    const tests::scratch_folder scratch;
    const auto root = tests::make_root();
    const auto put = [&](const std::string& name, const tests::identity& one, const std::string& key) {
        std::filesystem::create_directories(scratch.path() / name);
        std::ofstream(scratch.path() / name / "fullchain.pem") << one.pem();
        std::ofstream(scratch.path() / name / "privkey.pem") << key;
    };
    const auto host = tests::make_leaf(root, {"mta-sts.a.example"});
    const auto wild = tests::make_leaf(root, {"b.example", "*.b.example"});
    const auto mail = tests::make_leaf(root, {"mx.c.example"});
    const auto damaged = tests::make_leaf(root, {"mta-sts.d.example"});
    put("a", host, host.key_pem());
    put("b", wild, wild.key_pem());
    put("c", mail, mail.key_pem());
    put("d", damaged, host.key_pem());
    std::vector<std::string> trouble;
    const auto found = read_certificate_folder(scratch.path().string(), trouble);
    EXPECT_THAT(found, ElementsAre(AllOf(Field(&folder_certificate::name, "mta-sts.a.example"),
                                         Field(&folder_certificate::file, HasSubstr("/a/fullchain.pem"))),
                                   Field(&folder_certificate::name, "mta-sts.b.example")));
    EXPECT_THAT(trouble, ElementsAre(HasSubstr("/d/")));
    EXPECT_EQ(policy_host_of("*.example.com"), "mta-sts.example.com");
    EXPECT_EQ(policy_host_of("www.example.com"), "");
}

} // namespace
} // namespace mailtight::app
