// SPDX-License-Identifier: Apache-2.0
// Which names a tenant may add: the decision, what the store knows of a name, the record that proves one; and
// the desk with a name server that answers as an owner publishes.
#include "app/daemon_core.h"
#include "app/domain_desk.h"
#include "app/tenant_names.h"
#include "support/scratch.h"
#include "unit/io/fake_dns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <set>

namespace mailtight::app {
namespace {

using namespace std::chrono_literals;
using api::refusal;
using store::name_right;
using testing::HasSubstr;
using testing::Not;
using tests::answer_bytes;
using tests::fake_dns;

TEST(tenant_names, what_decides) {
    using enum name_answer;
    struct row {
        name_right right;
        bool others_above, others_past, proven;
        name_answer is;
        const char* why;
    };
    for (const auto& each : {
             row{name_right::none, false, false, false, on_proof, "nobody said anything of it"},
             row{name_right::none, false, false, true, yes, "shown to be theirs"},
             row{name_right::none, true, false, true, yes, "below another's, and proven at that very name"},
             row{name_right::none, false, true, false, on_proof, "a stranger hears nothing of its past"},
             row{name_right::none, false, true, true, by_operator, "theirs now; its past is another's"},
             row{name_right::below, false, false, false, yes, "allowed with all that lies there"},
             row{name_right::below, true, false, false, on_proof,
                 "a wildcard does not reach below another's"},
             row{name_right::below, true, false, true, yes, "proven"},
             row{name_right::below, false, true, false, by_operator, "a wildcard knows of no past"},
             row{name_right::itself, true, true, false, yes, "the operator named it"},
         })
        EXPECT_EQ(
            may_add({.right = each.right, .others_above = each.others_above, .others_past = each.others_past},
                    each.proven),
            each.is)
            << each.why;
}

TEST(tenant_names, the_record_is_bound_to_installation_owner_and_domain) {
    const auto one = owner_record("secret", "ann", "example.com");
    EXPECT_EQ(one.name, "_mailtight.example.com");
    EXPECT_EQ(one.type, "TXT");
    EXPECT_THAT(one.value, testing::MatchesRegex("mailtight-owner=[a-z2-7]{32}"));
    EXPECT_EQ(owner_record("secret", "ann", "example.com").value, one.value) << "the same each time";
    std::set<std::string> values{one.value};
    for (const auto& [key, owner, domain] :
         std::vector<std::array<const char*, 3>>{{"other", "ann", "example.com"},
                                                 {"secret", "bob", "example.com"},
                                                 {"secret", "ann", "example.org"},
                                                 {"secret", "ann\nexample.com", ""}, // nothing runs together
                                                 {"secret", "an", "nexample.com"}})
        EXPECT_TRUE(values.insert(owner_record(key, owner, domain).value).second) << owner << " " << domain;
}

TEST(tenant_names, what_the_store_knows_of_a_name) {
    const tests::scratch_folder folder;
    const auto access = store::open_access({.where = folder / "store.db"}).value();
    const auto kept = store::open_domains({.where = folder / "store.db"}).value();
    const auto add = [&](const std::string& domain, const std::string& owner) {
        model::looked_after wish;
        wish.domain = domain;
        wish.owner = owner;
        ASSERT_EQ(kept->save(wish, "x", "", {}), store::domain_store::saved::yes);
    };
    add("bob.example", "bob");
    add("ours.example", "");
    add("ann.example", "ann");
    const auto facts = [&](const std::string& domain, bool reports = false) {
        return *facts_of(*access, *kept, "ann", domain, reports);
    };
    EXPECT_TRUE(facts("a.b.bob.example").others_above);
    EXPECT_FALSE(facts("a.ours.example").others_above) << "the operator's own";
    EXPECT_FALSE(facts("a.ann.example").others_above);
    EXPECT_FALSE(facts("notbob.example").others_above);
    EXPECT_FALSE(facts("bob.example").others_above) << "the name itself is taken; that is another answer";
    EXPECT_FALSE(facts("new.example").others_past);
    EXPECT_TRUE(facts("new.example", true).others_past) << "its reports are kept for the installation";
    ASSERT_TRUE(kept->remove("ann.example", "x", "", {}));
    EXPECT_FALSE(facts("ann.example", true).others_past) << "their own past";
    ASSERT_TRUE(kept->remove("ours.example", "x", "", {}));
    EXPECT_TRUE(facts("ours.example").others_past);
    ASSERT_TRUE(access->allow_names("ann", std::vector<std::string>{"*.bob.example", "x.example"}, {}));
    EXPECT_EQ(facts("a.bob.example").right, name_right::below);
    EXPECT_EQ(facts("x.example").right, name_right::itself);
}

/// The resolver and every authoritative server in one: a zone `example` with one server, and what was
/// published in it.
class owners_dns {
public:
    void publish(const std::string& name, const std::string& text) {
        const std::scoped_lock hold(lock_);
        texts_[name] = text;
    }
    void alias(const std::string& name, const std::string& target) {
        const std::scoped_lock hold(lock_);
        aliases_[name] = target;
    }
    io::endpoint at() const { return server_.at(); }

private:
    std::vector<std::string> answer(const fake_dns::question& asked) {
        const std::scoped_lock hold(lock_);
        const auto& question = *asked.message.question;
        answer_bytes reply(asked.bytes, 0x8580);
        const auto alias = aliases_.find(question.name);
        if (alias != aliases_.end())
            reply.answer(question.name, 5, answer_bytes::name(alias->second));
        const auto& name = alias == aliases_.end() ? question.name : alias->second;
        if (question.type == wire::dns_type::txt && texts_.contains(name))
            return {reply.answer(name, 16, answer_bytes::text(texts_.at(name)))};
        if (question.type == wire::dns_type::soa && name == "example")
            return {reply.answer("example", 6, answer_bytes::soa_data(60))};
        if (question.type == wire::dns_type::ns && name == "example")
            return {reply.answer("example", 2, answer_bytes::name("ns.example"))};
        if (question.type == wire::dns_type::a && name == "ns.example")
            return {reply.answer("ns.example", 1, std::string("\x7f\x00\x00\x01", 4))};
        if (alias != aliases_.end())
            return {reply};
        return {reply.soa("example", 60)};
    }
    std::mutex lock_;
    std::map<std::string, std::string> texts_, aliases_;
    fake_dns server_{[this](const fake_dns::question& asked) { return answer(asked); }};
};

class tenants_add : public testing::Test {
protected:
    tenants_add() {
        core_.set.store_where = folder_ / "store.db";
        core_.set.dns_servers = {dns_.at().to_string()};
        core_.set.dns_port = dns_.at().port;
        core_.set.dns_timeout = 1s;
        core_.set.allow_net = {"127.0.0.0/8"};
        core_.with = std::move(*world::make(core_.set, {}));
        EXPECT_TRUE(store::open({.where = core_.set.store_where}));
        desk_ = std::move(*make_domain_desk(core_));
    }
    ~tenants_add() override { desk_.reset(); }

    api::told<api::domain_file> add(const std::string& domain, const std::string& owner) {
        return core_.with->loop.block_on(desk_->add({.domain = domain}, tenant(owner)));
    }
    static api::caller tenant(const std::string& owner) {
        return {.name = "token " + owner, .role = api::role::operates, .tenant = owner};
    }
    refusal::dns_record record_for(const std::string& domain, const std::string& owner) {
        const auto said = add(domain, owner);
        EXPECT_FALSE(said);
        EXPECT_EQ(said.error().what, refusal::kind::unproven) << said.error().words;
        return said.error().record.value_or(refusal::dns_record{});
    }
    bool remove(const std::string& domain, const api::caller& by) {
        return core_.with->loop.block_on(desk_->remove(domain, false, "", by)).has_value();
    }

    tests::scratch_folder folder_;
    owners_dns dns_;
    daemon_core core_;
    std::unique_ptr<api::domain_desk> desk_;
    api::caller everybody_{.name = "root", .role = api::role::operates};
};

TEST_F(tenants_add, what_they_publish_the_record_for) {
    const auto first = add("Shop.example", "ann");
    ASSERT_FALSE(first);
    ASSERT_EQ(first.error().what, refusal::kind::unproven) << first.error().words;
    EXPECT_THAT(first.error().words, HasSubstr("does not yet say so"));
    const auto record = *first.error().record;
    EXPECT_EQ(record.name, "_mailtight.shop.example");
    EXPECT_NE(record_for("shop.example", "bob").value, record.value) << "each owner has another";
    EXPECT_EQ(record_for("shop.example", "ann").value, record.value);

    dns_.publish(record.name, "mailtight-owner=something else");
    EXPECT_EQ(record_for("shop.example", "ann").value, record.value);
    dns_.publish(record.name, record.value);
    const auto made = add("shop.example", "ann");
    ASSERT_TRUE(made) << made.error().words;
    EXPECT_EQ(made->wish.owner, "ann");
    record_for("shop.example", "bob"); // who proves nothing is not told that it is here
    EXPECT_EQ(add("shop.example", "ann").error().what, refusal::kind::conflict);
    record_for("www.shop.example", "ann"); // it holds for that very name
}

TEST_F(tenants_add, what_they_gave_up_again_while_the_record_stands) {
    const auto record = record_for("shop.example", "ann");
    dns_.publish(record.name, record.value);
    ASSERT_TRUE(add("shop.example", "ann"));
    ASSERT_TRUE(remove("shop.example", tenant("ann")));
    EXPECT_TRUE(add("shop.example", "ann")) << "nobody else's past";
    ASSERT_TRUE(remove("shop.example", tenant("ann")));
    const auto bobs = record_for("shop.example", "bob");
    dns_.publish(bobs.name, bobs.value);
    const auto refused = add("shop.example", "bob");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().what, refusal::kind::forbidden) << "its past is ann's";
    EXPECT_FALSE(refused.error().record);
    record_for("shop.example", "ann"); // the record went
    const auto access = store::open_access({.where = core_.set.store_where}).value();
    ASSERT_TRUE(access->allow_names("bob", std::vector<std::string>{"shop.example"}, {}));
    EXPECT_TRUE(add("shop.example", "bob")) << "the operator gave it, past and all";
}

TEST_F(tenants_add, what_was_allowed_and_nothing_of_others) {
    const auto access = store::open_access({.where = core_.set.store_where}).value();
    ASSERT_TRUE(
        access->allow_names("ann", std::vector<std::string>{"*.hosting.example", "named.example"}, {}));
    ASSERT_TRUE(access->allow_names("bob", std::vector<std::string>{"*.hosting.example"}, {}));
    EXPECT_TRUE(add("named.example", "ann"));
    EXPECT_TRUE(add("one.hosting.example", "ann"));
    record_for("hosting.example", "ann");
    const auto record = record_for("mail.one.hosting.example", "bob"); // below ann's
    dns_.publish(record.name, record.value);
    EXPECT_TRUE(add("mail.one.hosting.example", "bob")) << "proven at that very name";
    record_for("one.hosting.example", "ann2");
    EXPECT_EQ(add("one.hosting.example", "bob").error().words, "one.hosting.example cannot be added");
}

TEST_F(tenants_add, nothing_by_an_alias_that_covers_all_names) {
    const auto record = record_for("victim.example", "ann");
    dns_.publish("anybody.example", record.value);
    dns_.alias(record.name, "anybody.example");
    const auto said = add("victim.example", "ann");
    ASSERT_FALSE(said);
    EXPECT_EQ(said.error().what, refusal::kind::unproven);
    EXPECT_THAT(said.error().words, HasSubstr("alias"));
}

TEST_F(tenants_add, nothing_that_is_kept_for_the_installation) {
    core_.domains = {{.name = "ours.example", .token = "t", .added_at = {}}};
    const auto record = record_for("ours.example", "ann");
    dns_.publish(record.name, record.value);
    EXPECT_EQ(add("ours.example", "ann").error().what, refusal::kind::forbidden);
    EXPECT_TRUE(core_.with->loop.block_on(
        desk_->add({.domain = "ours.example", .wish = {.owner = "ann"}}, everybody_)))
        << "who sees all gives it";
}

} // namespace
} // namespace mailtight::app
