// SPDX-License-Identifier: Apache-2.0
// DKIM keys from a file in place of the DNS; and the lock that lets one writer alone.
#include "app/key_source.h"
#include "app/store_access.h"
#include "support/fixed_resolver.h"
#include "support/scratch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace mailtight::app {
namespace {

/// Answers nothing, and remembers what it was asked.
class silent_resolver final : public tests::fixed_resolver {
public:
    std::vector<std::string> asked;
    io::task<model::txt_fact> txt(std::string name) override {
        asked.push_back(name);
        model::txt_fact fact;
        fact.status = model::dns_status::nx_domain;
        co_return fact;
    }
};

TEST(key_file, answers_for_keys_and_leaves_the_rest_to_the_dns) {
    io::loop loop;
    silent_resolver dns;
    auto keys = intake::key_file::parse("# back-fill\ns1._domainkey.example.org v=DKIM1; p=AAAA\n");
    ASSERT_TRUE(keys) << keys.error();
    const auto both = with_key_file(dns, std::move(*keys));
    const auto known = loop.block_on(both->txt("s1._domainkey.example.org"));
    EXPECT_TRUE(known.ok());
    EXPECT_EQ(known.texts, std::vector<std::string>{"v=DKIM1; p=AAAA"});
    const auto unknown = loop.block_on(both->txt("s2._domainkey.example.org"));
    EXPECT_TRUE(model::is_dns_error(unknown.status)) << "not in the file says nothing about the DNS";
    EXPECT_TRUE(dns.asked.empty());
    EXPECT_TRUE(loop.block_on(both->txt("_smtp._tls.example.org")).absent());
    EXPECT_EQ(dns.asked, std::vector<std::string>{"_smtp._tls.example.org"});
    EXPECT_FALSE(with_key_file(dns, std::string("/does/not/exist")));
}

TEST(looked_up_keys, are_asked_for_once) {
    io::loop loop;
    silent_resolver dns;
    looked_up_keys keys;
    using status = mail::dkim_key_answer::status;
    EXPECT_EQ(keys.find("s1._domainkey.example.org").what, status::unavailable);
    for (int i = 0; i < 2; ++i)
        loop.block_on(keys.look_up(loop, dns, {"s1._domainkey.example.org"}));
    EXPECT_EQ(keys.find("s1._domainkey.example.org").what, status::absent);
    EXPECT_EQ(dns.asked.size(), 1u);
}

TEST(write_lock, is_had_by_one_at_a_time) {
    const tests::scratch_folder scratch;
    const std::string folder = scratch.path().string();
    settings set;
    set.store_where = folder + "/deep/store.db";
    {
        auto one = write_lock::take(set);
        ASSERT_TRUE(one) << one.error();
        auto other = write_lock::take(set);
        ASSERT_FALSE(other);
        EXPECT_THAT(other.error(), testing::HasSubstr("another mailtight writes to"));
        write_lock moved = std::move(*one);
        EXPECT_FALSE(write_lock::take(set)) << "moved, still held";
    }
    EXPECT_TRUE(write_lock::take(set));
    set.store_where = "postgresql://db.example/reports";
    const auto first = write_lock::take(set), second = write_lock::take(set);
    EXPECT_TRUE(first && second) << "many machines may write there";
}

} // namespace
} // namespace mailtight::app
