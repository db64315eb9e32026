// SPDX-License-Identifier: Apache-2.0
// Sealed secrets: only the key that sealed them opens them, only under their name, only unaltered; and no
// error ever shows what is secret.
#include "base/crypto/sealed.h"

#include "base/encode.h"
#include "support/scratch.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <sstream>

namespace mailtight::base {
namespace {
using testing::HasSubstr;
using testing::Not;

const std::string secret = "-----BEGIN PRIVATE KEY-----\nVERYSECRETVERYSECRET\n-----END PRIVATE KEY-----\n";

std::string read(const std::string& file) {
    const std::ifstream in(file);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}
void write(const std::string& file, const std::string& text, unsigned mode = 0600) {
    std::ofstream(file) << text;
    ASSERT_EQ(::chmod(file.c_str(), mode), 0);
}

class sealed : public testing::Test {
protected:
    tests::scratch_folder folder;
    std::string file = folder / "key";
    sealing_key key = make(file);

    static sealing_key make(const std::string& name) {
        auto made = sealing_key::make(name);
        if (!made)
            throw std::runtime_error(made.error());
        return std::move(*made);
    }
    void refuses(std::string_view name, std::string_view text) const {
        const auto opened = key.open(name, text);
        ASSERT_FALSE(opened) << text;
        EXPECT_THAT(opened.error(), Not(HasSubstr("SECRET")));
        EXPECT_LT(opened.error().size(), 120u);
    }
};

TEST_F(sealed, opens_what_it_sealed) {
    for (const std::string& text :
         {secret, std::string(), std::string("\0\xff\n", 3), std::string(100'000, 'x')}) {
        const auto closed = key.seal("acme/account", text);
        EXPECT_EQ(key.open("acme/account", closed), text);
        EXPECT_TRUE(std::ranges::all_of(closed, [](char c) { return c > 0x20 && c < 0x7f; }));
        EXPECT_TRUE(closed.starts_with("s1." + key.id() + ".")) << closed.substr(0, 20);
        EXPECT_THAT(closed, Not(HasSubstr("SECRET")));
    }
}

TEST_F(sealed, is_sealed_differently_each_time) {
    std::set<std::string> seen;
    for (int i = 0; i < 1'000; ++i)
        EXPECT_TRUE(seen.insert(key.seal("n", "the same")).second);
}

TEST_F(sealed, every_altered_or_missing_byte_is_noticed) {
    const auto good = key.seal("acme/account", secret);
    for (std::size_t i = 0; i < good.size(); ++i)
        for (const int flip : {1, 2, 0x20, 0x80}) {
            auto bad = good;
            bad[i] = static_cast<char>(bad[i] ^ flip);
            refuses("acme/account", bad);
        }
    for (std::size_t length = 0; length < good.size(); ++length)
        refuses("acme/account", std::string_view(good).substr(0, length));
    for (const auto& end :
         {std::string("="), std::string("A"), std::string("AAAA"), std::string("\n"), std::string(1, '\0')})
        refuses("acme/account", good + end);
    const auto raw = *unbase64(good.substr(12)); // the bytes themselves, tag and nonce included
    for (std::size_t i = 0; i < raw.size(); ++i)
        for (int bit = 0; bit < 8; ++bit) {
            auto bad = raw;
            bad[i] = static_cast<char>(bad[i] ^ (1 << bit));
            refuses("acme/account", good.substr(0, 12) + base64(bad));
        }
}

TEST_F(sealed, opens_under_its_own_name_only) {
    const auto one = key.seal("tsig/one", "1"), two = key.seal("tsig/two", "2");
    refuses("tsig/two", one);
    refuses("tsig/one", two);
    refuses("", one);
    refuses("tsig/one ", one);
    refuses(std::string_view("tsig/one\0", 9), one);
    refuses(std::string(5'000, 'x'), one);
}

TEST_F(sealed, another_key_is_named_and_does_not_open) {
    const auto other = make(folder / "other");
    EXPECT_NE(other.id(), key.id());
    const auto closed = other.seal("n", secret);
    refuses("n", closed);
    EXPECT_THAT(key.open("n", closed).error(), HasSubstr(other.id()));
    EXPECT_THAT(key.open("n", closed).error(), HasSubstr(key.id()));
    // One that claims to be of this key.
    refuses("n", "s1." + key.id() + closed.substr(11));
}

TEST_F(sealed, what_is_no_seal_is_refused) {
    for (const std::string& text :
         {std::string(), std::string("s1"), std::string("s1."), "s1." + key.id(), "s1." + key.id() + ".",
          "s1." + key.id() + ".AAAA", "s2" + key.seal("n", "x").substr(2), secret,
          "s1." + key.id() + "." + base64(std::string(27, 'x')), std::string(30u << 20, 'A')})
        refuses("n", text);
}

TEST_F(sealed, the_key_lives_in_its_file) {
    const auto closed = key.seal("n", secret);
    auto again = sealing_key::load(file);
    ASSERT_TRUE(again) << again.error();
    EXPECT_EQ(again->id(), key.id());
    EXPECT_EQ(again->open("n", closed), secret);
    struct stat of{};
    ASSERT_EQ(::stat(file.c_str(), &of), 0);
    EXPECT_EQ(of.st_mode & 07777, 0600u);
    const auto moved = std::move(*again);
    EXPECT_EQ(moved.open("n", closed), secret);
    EXPECT_THAT(key.id(), testing::MatchesRegex("[0-9a-f]{8}"));
    EXPECT_THAT(read(file), Not(HasSubstr(key.id()))) << "the id is no part of the key";
}

TEST_F(sealed, making_never_touches_an_existing_file) {
    const auto before = read(file);
    const auto made = sealing_key::make(file);
    ASSERT_FALSE(made);
    EXPECT_THAT(made.error(), HasSubstr("exists"));
    EXPECT_EQ(read(file), before);
    EXPECT_FALSE(sealing_key::make(folder / "nowhere/key"));
    std::size_t files = 0; // nothing half made is left
    for (const auto& each : std::filesystem::directory_iterator(folder.path()))
        files += each.exists() ? 1 : 0;
    EXPECT_EQ(files, 1u);
}

TEST_F(sealed, a_file_that_others_may_use_is_refused) {
    for (const unsigned mode : {0604u, 0640u, 0660u, 0606u, 0610u, 0601u, 0644u, 0777u}) {
        ASSERT_EQ(::chmod(file.c_str(), mode), 0);
        const auto got = sealing_key::load(file);
        ASSERT_FALSE(got) << mode;
        EXPECT_THAT(got.error(), HasSubstr("chmod 600"));
    }
    for (const unsigned mode : {0600u, 0400u, 0700u}) {
        ASSERT_EQ(::chmod(file.c_str(), mode), 0);
        EXPECT_TRUE(sealing_key::load(file)) << mode;
    }
}

TEST_F(sealed, what_is_no_key_file_is_refused_without_showing_it) {
    const auto good = read(file);
    const auto name = folder / "bad";
    for (const std::string& text :
         {std::string(), std::string("\n"), std::string("mailtight-sealing-key-1 "),
          good.substr(0, good.size() - 2), "x" + good, good + good,
          "mailtight-sealing-key-2" + good.substr(23), secret,
          "mailtight-sealing-key-1 " + base64(std::string(31, 'x')) + "\n",
          "mailtight-sealing-key-1 " + base64(std::string(33, 'x')) + "\n", std::string(1u << 20, 'A')}) {
        write(name, text);
        const auto got = sealing_key::load(name);
        ASSERT_FALSE(got);
        EXPECT_THAT(got.error(), HasSubstr("no key of this program"));
        EXPECT_THAT(got.error(), Not(HasSubstr("SECRET")));
    }
    write(name, good.substr(0, good.size() - 1) + "\r\n"); // an editor was there
    EXPECT_EQ(sealing_key::load(name)->id(), key.id());
    EXPECT_THAT(sealing_key::load(folder / "none").error(), HasSubstr("No such file"));
    EXPECT_THAT(sealing_key::load(folder.path().string()).error(), HasSubstr("not a file"));
    ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0); // would be waited for
    EXPECT_THAT(sealing_key::load(folder / "pipe").error(), HasSubstr("not a file"));
}

TEST_F(sealed, a_key_made_by_root_is_the_services_to_read) {
    if (::geteuid() != 0)
        GTEST_SKIP() << "only root can give files away";
    ASSERT_EQ(::chown(folder.path().c_str(), 12'345, 12'345), 0);
    const auto given = make(folder / "given");
    struct stat of{};
    ASSERT_EQ(::stat((folder / "given").c_str(), &of), 0);
    EXPECT_EQ(of.st_uid, 12'345u);
    EXPECT_EQ(of.st_mode & 07777, 0600u);
    EXPECT_EQ(sealing_key::load(folder / "given")->id(), given.id()) << "and still root's";
}

RC_GTEST_PROP(sealed_property, any_bytes_come_back_under_any_name,
              (const std::string& name, const std::string& text)) {
    static const tests::scratch_folder folder;
    static const auto key = sealing_key::make(folder / "key");
    RC_ASSERT(key.has_value());
    RC_ASSERT(*key->open(name, key->seal(name, text)) == text);
    RC_ASSERT(!key->open(name + "x", key->seal(name, text)));
    RC_ASSERT(!key->open(name, text));
}

} // namespace
} // namespace mailtight::base
