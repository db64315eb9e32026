// SPDX-License-Identifier: Apache-2.0
// What changes after reports have come, in both engines: domains, the rule for unverified ones, what expires.
#include "support/reports.h"
#include "unit/store/engines.h"

#include <gmock/gmock.h>
#include <sqlite3.h>

namespace mailtight::store {
namespace {
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using tests::day_in_may;
using tests::report;
using fate = add_outcome::fate;

class changing : public conformance {
protected:
    std::unique_ptr<store> s = open_store();
    void own(const std::vector<std::string>& names) {
        const auto done = s->add_domains(names, day_in_may(1));
        ASSERT_TRUE(done) << done.error().message;
    }
    add_outcome add(const model::received_report& r) {
        const auto out = s->add(std::span(&r, 1));
        EXPECT_TRUE(out) << out.error().message;
        return out ? out->at(0) : add_outcome{.what = fate::test};
    }
    std::uint64_t sessions() {
        std::uint64_t out = 0;
        for (const auto& r : *s->days({}))
            out += r.success + r.failure;
        return out;
    }
};

TEST_P(changing, a_domain_added_later_counts_what_came_before) {
    const auto early = add(report("id1", "example.com", 3, 100, 2));
    EXPECT_EQ(early.what, fate::quarantined);
    EXPECT_THAT(*s->domains(), IsEmpty());
    own({"example.com"});
    EXPECT_EQ(sessions(), 102u);
    EXPECT_EQ((*s->show(early.number))->row.state, "counted");
    EXPECT_EQ((*s->show(early.number))->row.why, "");
    EXPECT_THAT((*s->show(early.number))->report.report.policies[0].strings, SizeIs(4));
    EXPECT_THAT(*s->failures({}), SizeIs(1));
    EXPECT_THAT(*s->policies({}), SizeIs(1));
    ASSERT_TRUE(s->remove_domain("example.com"));
    EXPECT_EQ(sessions(), 0u);
    EXPECT_EQ((*s->show(early.number))->row.state, "quarantined");
    EXPECT_EQ((*s->show(early.number))->row.why, "not one of our domains");
    EXPECT_THAT(*s->failures({}), IsEmpty());
    EXPECT_THAT(*s->policies({}), IsEmpty());
    EXPECT_THAT(*s->reporters({}), IsEmpty());
    own({"example.com"});
    EXPECT_EQ(sessions(), 102u);
}

TEST_P(changing, a_removed_domain_is_not_told_of_though_its_totals_outlive_its_reports) {
    own({"example.com", "example.org"});
    add(report("id1", "example.com", 3, 100, 9));
    add(report("id2", "example.org", 2, 100, 2));
    ASSERT_TRUE(s->expire(day_in_may(30), day_in_may(30)));
    EXPECT_THAT(*s->list({}, {}), IsEmpty());
    EXPECT_THAT(*s->worst_domains({}, 10), SizeIs(2));
    EXPECT_THAT(s->worst_failures({}, 10)->rows, SizeIs(2));
    ASSERT_TRUE(s->remove_domain("example.com"));
    ASSERT_THAT(*s->worst_domains({}, 10), SizeIs(1));
    EXPECT_EQ(s->worst_domains({}, 10)->at(0).domain, "example.org");
    EXPECT_THAT(*s->worst_domains({.result_type = "certificate-expired"}, 10), SizeIs(1));
    ASSERT_THAT(s->worst_failures({}, 10)->rows, SizeIs(1));
    EXPECT_EQ(s->worst_failures({}, 10)->rows[0].domain, "example.org");
    EXPECT_EQ(s->worst_failures({}, 1)->left_out, 0u);
    EXPECT_EQ(*s->newest_day({}), std::chrono::floor<std::chrono::days>(day_in_may(2)));
    own({"example.com"});
    ASSERT_THAT(*s->worst_domains({}, 10), SizeIs(2)) << "and again when it comes back";
    EXPECT_EQ(s->worst_domains({}, 10)->at(0).failure, 9u);
    EXPECT_EQ(s->worst_failures({}, 1)->left_out, 1u);
    EXPECT_EQ(*s->newest_day({}), std::chrono::floor<std::chrono::days>(day_in_may(3)));
}

TEST_P(changing, tokens_are_kept_and_nobody_guesses_them) {
    own({"example.com"});
    const auto before = *s->domains();
    own({"EXAMPLE.com.", "example.org"});
    const auto after = *s->domains();
    ASSERT_THAT(after, SizeIs(2));
    EXPECT_EQ(after[0].name, "example.com");
    EXPECT_EQ(after[0].token, before[0].token);
    EXPECT_EQ(after[0].added_at, day_in_may(1));
    EXPECT_NE(after[1].token, after[0].token);
    EXPECT_EQ(after[1].token.size(), 16u);
    EXPECT_EQ(after[1].token.find_first_not_of("abcdefghijklmnopqrstuvwxyz234567"), std::string::npos);
    EXPECT_FALSE(s->add_domains(std::vector<std::string>{"no domain at all"}, day_in_may(1)));
    ASSERT_TRUE(s->remove_domain("never.example"));
}

TEST_P(changing, a_report_domain_added_later_takes_over_from_the_policy_domain) {
    own({"example.org"});
    auto to_a_host = report("id1", "mx.example.com", 3, 0);
    to_a_host.report.policies = {tests::policy("sts", "example.org", 10)};
    EXPECT_EQ(add(to_a_host).what, fate::added);
    EXPECT_EQ(s->days({})->at(0).domain, "example.org");
    own({"mx.example.com"});
    ASSERT_THAT(*s->days({}), SizeIs(1));
    EXPECT_EQ(s->days({})->at(0).domain, "mx.example.com");
    ASSERT_TRUE(s->remove_domain("mx.example.com"));
    EXPECT_EQ(s->days({})->at(0).domain, "example.org");
}

TEST_P(changing, unverified_reports_count_where_the_administrator_says_so) {
    own({"example.com"});
    auto unverified = report("id1", "example.com", 3, 100), rejected = report("id2", "example.com", 3, 50);
    unverified.trust = model::trust::unverified;
    rejected.trust = model::trust::rejected;
    add(unverified);
    add(rejected);
    ASSERT_TRUE(s->count_unverified(true));
    EXPECT_EQ(sessions(), 100u); // the rejected one never
    unverified.report.report_id = "id3";
    EXPECT_EQ(add(unverified).what, fate::added);
    EXPECT_EQ(sessions(), 200u);
    EXPECT_EQ(open_store()->days({})->at(0).success, 200u); // it is kept in the database
    ASSERT_TRUE(s->count_unverified(false));
    EXPECT_EQ(sessions(), 0u);
    EXPECT_THAT(*s->quarantine({}), SizeIs(2)); // unverified and rejected
}

TEST_P(changing, a_reporter_is_called_as_those_reports_say_that_are_believed_most) {
    own({"example.com", "example.org"});
    ASSERT_TRUE(s->count_unverified(true));
    const auto named = [](std::string id, std::string name, unsigned day, model::trust trust,
                          std::string domain = "example.com") {
        auto out = report(std::move(id), std::move(domain), day, 10);
        out.report.organization_name = std::move(name);
        out.trust = trust;
        return out;
    };
    const auto called = [&] { return s->reporters({.domains = {"example.com"}})->at(0).organization; };
    using enum model::trust;
    add(named("id1", "Gogle", 3, unverified));
    EXPECT_EQ(called(), "Gogle") << "there is no better name yet";
    add(named("id2", "Google", 3, verified));
    EXPECT_EQ(called(), "Google");
    add(named("id3", "Click here", 5, unverified));
    EXPECT_EQ(called(), "Google") << "what is not verified changes nothing, however new";
    add(named("id4", "An import", 6, authorised));
    EXPECT_EQ(called(), "Google");
    EXPECT_EQ(s->reporter_days({})->at(0).organization, "Google");
    add(named("id5", "Elsewhere", 7, unverified, "example.org"));
    EXPECT_EQ(s->reporter_days({})->at(0).organization, "Google") << "nor by way of another domain";
    const std::vector both{named("id6", "Google Inc.", 8, verified), named("id7", "Evil", 9, unverified)};
    ASSERT_TRUE(s->add(both));
    EXPECT_EQ(called(), "Google Inc.") << "nor together with one that is";
    EXPECT_EQ(open_store()->reporters({.domains = {"example.com"}})->at(0).organization, "Google Inc.");
    ASSERT_TRUE(s->count_unverified(false)); // all is taken back and looked at anew
    EXPECT_EQ(called(), "Google Inc.");
    ASSERT_TRUE(s->count_unverified(true));
    EXPECT_EQ(called(), "Google Inc.");
}

TEST_P(changing, a_day_tells_how_many_reporters_are_left) {
    own({"example.com"});
    auto doubtful = report("id1", "example.com", 3, 100, 0, "yahoo.com");
    doubtful.trust = model::trust::unverified;
    ASSERT_TRUE(s->count_unverified(true));
    add(doubtful);
    add(report("id1", "example.com", 3, 10));
    add(report("id2", "example.com", 3, 10));
    EXPECT_EQ(s->days({})->at(0).reporters, 2u);
    ASSERT_TRUE(s->count_unverified(false));
    EXPECT_EQ(s->days({})->at(0).reporters, 1u);
    EXPECT_EQ(s->days({})->at(0).reports, 2u);
    EXPECT_THAT(*s->reporters({}), SizeIs(1));
}

TEST_P(changing, another_process_learns_of_it) {
    const auto other = open_store();
    const auto first = report("id1", "example.com", 3, 100);
    EXPECT_EQ(other->add(std::span(&first, 1))->at(0).what, fate::quarantined);
    own({"example.com"});
    const auto second = report("id2", "example.com", 3, 10);
    EXPECT_EQ(other->add(std::span(&second, 1))->at(0).what, fate::added);
    EXPECT_EQ(sessions(), 110u);
}

TEST_P(changing, what_is_taken_back_leaves_the_last_example_of_what_stays) {
    own({"example.com"});
    const auto kept = add(report("id1", "example.com", 3, 100, 2));
    const auto doomed = add(report("id2", "example.com", 3, 100, 3));
    EXPECT_EQ(s->failures({})->at(0).last_report, doomed.number);
    add(report("id2", "example.com", 3, 103)); // corrected: no failures
    const auto rows = s->failures({});
    ASSERT_THAT(*rows, SizeIs(1));
    EXPECT_EQ(rows->at(0).count, 2u);
    EXPECT_EQ(rows->at(0).last_report, kept.number);
    EXPECT_THAT(rows->at(0).sending_ips, ElementsAre("192.0.2.9"));
}

TEST_P(changing, bodies_expire_before_reports_and_totals_stay) {
    own({"example.com"});
    const auto old = add(report("old", "example.com", 3, 100, 2));
    const auto young = add(report("young", "example.com", 20, 10));
    ASSERT_EQ(*s->expire(day_in_may(10), day_in_may(1)), false);
    EXPECT_EQ((*s->show(old.number))->report.json, "");
    EXPECT_NE((*s->show(young.number))->report.json, "");
    EXPECT_EQ((*s->show(old.number))->report.report.policies[0].details.size(), 1u);
    ASSERT_EQ(*s->expire(day_in_may(10), day_in_may(10)), false);
    EXPECT_EQ(*s->show(old.number), std::nullopt);
    EXPECT_THAT(*s->list({}, {}), SizeIs(1));
    EXPECT_EQ(sessions(), 112u);
    const auto failures = s->failures({});
    ASSERT_THAT(*failures, SizeIs(1));
    EXPECT_EQ(failures->at(0).count, 2u);
    EXPECT_EQ(failures->at(0).last_report, 0); // there is none to look at any more
    // The same report comes back: it was counted, and isn't counted again.
    const auto again = add(report("old", "example.com", 3, 100, 2));
    EXPECT_EQ(again.what, fate::duplicate);
    EXPECT_EQ(sessions(), 112u);
}

TEST_P(changing, what_outlived_its_reports_leaves_the_whole_with_its_domain) {
    own({"example.com", "example.org"});
    add(report("old", "example.com", 3, 100, 2));
    add(report("other", "example.org", 3, 10, 1));
    ASSERT_EQ(*s->expire(day_in_may(10), day_in_may(10)), false);
    const auto whole = [&] {
        std::uint64_t sum = 0;
        for (const auto& row : *s->reporter_days({}))
            sum += row.success + row.failure;
        return sum;
    };
    const auto failed = [&] {
        std::uint64_t sum = 0;
        for (const auto& row : *s->results({}))
            sum += row.count;
        return sum;
    };
    EXPECT_EQ(whole(), 113u);
    EXPECT_EQ(failed(), 3u);
    ASSERT_TRUE(s->remove_domain("example.com"));
    EXPECT_EQ(whole(), 11u);
    EXPECT_EQ(failed(), 1u);
    ASSERT_TRUE(s->remove_domain("example.org"));
    EXPECT_THAT(*s->reporter_days({}), IsEmpty());
    EXPECT_THAT(*s->results({}), IsEmpty());
    own({"example.com"});
    EXPECT_EQ(whole(), 102u) << "one of ours again, with all that is known of it";
    EXPECT_EQ(failed(), 2u);
}

TEST_P(changing, a_name_that_is_taken_back_is_shown_no_more) {
    own({"example.com"});
    auto other = report("second", "example.com", 4, 1);
    other.report.organization_name = "A stranger";
    other.received_at += std::chrono::hours(48);
    other.trust = model::trust::unverified;
    ASSERT_TRUE(s->count_unverified(true));
    add(other);
    EXPECT_EQ(s->reporter_days({})->at(0).organization, "A stranger");
    ASSERT_TRUE(s->count_unverified(false));
    EXPECT_TRUE(s->reporter_days({})->empty());
    add(report("first", "example.com", 3, 100));
    EXPECT_EQ(s->reporter_days({})->at(0).organization, "Google Inc.");
    ASSERT_TRUE(s->count_unverified(true)); // it counts again, and changes no name that is believed
    EXPECT_EQ(s->reporter_days({})->at(0).organization, "Google Inc.");
}

TEST_P(changing, expiry_goes_in_steps) {
    std::vector<model::received_report> many;
    for (int i = 0; i < 450; ++i)
        many.push_back(report("id" + std::to_string(i), "example.net", 3, 1));
    ASSERT_TRUE(s->add(many));
    int steps = 0;
    for (bool more = true; more; ++steps) {
        const auto done = s->expire(day_in_may(10), day_in_may(10));
        ASSERT_TRUE(done) << done.error().message;
        more = *done;
        ASSERT_LT(steps, 10);
    }
    EXPECT_EQ(steps, 3);
    EXPECT_EQ(s->size()->reports, 0u);
}

TEST_P(changing, facts_that_belong_together_are_kept_together) {
    using list = std::vector<std::pair<std::string, std::string>>;
    ASSERT_TRUE(s->set_facts(list{{"alarm/a", "told"}, {"alarm/b", "told"}, {"outbox/1", "letter"}}));
    EXPECT_EQ(s->facts("").value_or(list{}),
              (list{{"alarm/a", "told"}, {"alarm/b", "told"}, {"outbox/1", "letter"}}));
    ASSERT_TRUE(s->set_facts(list{{"alarm/a", ""}, {"outbox/1", "\xff"}, {"outbox/2", "more"}}));
    EXPECT_EQ(s->facts("").value_or(list{}),
              (list{{"alarm/b", "told"}, {"outbox/1", "\xEF\xBF\xBD"}, {"outbox/2", "more"}}));
    EXPECT_TRUE(s->set_facts(list{}));
}

// An alarm counts as told from the moment at which its letter lies in the outbox, and not before.
TEST(Facts, are_all_kept_or_none) {
    const database db(engine::sqlite);
    auto s = db.open();
    ASSERT_TRUE(s);
    sqlite3* other = nullptr;
    sqlite3_open(db.where().c_str(), &other);
    ASSERT_EQ(sqlite3_exec(other,
                           "create trigger full before insert on fact when new.name like 'outbox/%' "
                           "begin select raise(abort, 'no room'); end",
                           nullptr, nullptr, nullptr),
              SQLITE_OK);
    sqlite3_close(other);
    using list = std::vector<std::pair<std::string, std::string>>;
    EXPECT_FALSE(s->set_facts(list{{"alarm/a", "told"}, {"outbox/1", "letter"}}));
    EXPECT_THAT(s->facts("").value_or(list{{"?", ""}}), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(engines, changing, testing::Values(engine::sqlite, engine::postgres),
                         [](const auto& info) {
                             return info.param == engine::sqlite ? "sqlite" : "postgres";
                         });

} // namespace
} // namespace mailtight::store
