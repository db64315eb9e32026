// SPDX-License-Identifier: Apache-2.0
// What a person types: files up to a limit, modes, report addresses, domains in every disguise.
#include "app/typed.h"
#include "support/proves.h"
#include "support/scratch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace mailtight::tests {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class typed_file : public testing::Test {
protected:
    std::string file(const std::string& bytes) {
        std::ofstream(directory_ / "file", std::ios::binary | std::ios::trunc) << bytes;
        return (directory_ / "file").string();
    }
    const scratch_folder scratch_;
    const fs::path directory_ = scratch_.path();
};

TEST_F(typed_file, is_read_byte_for_byte_up_to_one_beyond_the_limit) {
    const std::string odd("a\0\r\n\xff", 5);
    EXPECT_EQ(app::read_bytes(file(odd), 100), odd);
    EXPECT_EQ(app::read_bytes(file(""), 100), "");
    EXPECT_EQ(app::read_bytes(file(std::string(100, 'x')), 100)->size(), 100u);
    EXPECT_EQ(app::read_bytes(file(std::string(101, 'x')), 100)->size(), 101u)
        << "one more, so that the reader sees that it is too much";
    EXPECT_EQ(app::read_bytes(file(std::string(1'000'000, 'x')), 100)->size(), 101u);
}

TEST_F(typed_file, without_an_end_is_no_danger) {
    EXPECT_EQ(app::read_bytes("/dev/zero", 65536)->size(), 65537u);
}

TEST_F(typed_file, that_cannot_be_read_is_named) {
    for (const std::string& bad : {(directory_ / "gone").string(), directory_.string(), std::string()}) {
        const auto read = app::read_bytes(bad, 100);
        ASSERT_FALSE(read) << bad;
        EXPECT_THAT(read.error(), HasSubstr(bad));
    }
}

TEST(typed, modes) {
    const auto none_typed = app::take_mode("");
    ASSERT_TRUE(none_typed);
    EXPECT_FALSE(none_typed->has_value()) << "as the evidence allows";
    EXPECT_EQ(app::take_mode("testing").value(), sts::mode::testing);
    EXPECT_EQ(app::take_mode("ENFORCE").value(), sts::mode::enforce);
    EXPECT_EQ(app::take_mode("none").value(), sts::mode::none);
    for (const char* bad : {"report", "off", "enforce ", "testing,none"}) {
        testing::internal::CaptureStderr();
        EXPECT_EQ(app::take_mode(bad), std::nullopt) << bad;
        EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("testing, enforce or none"));
    }
}

TEST(typed, report_addresses_keep_their_order) {
    PROVES("G2-21", "G3-42");
    const auto taken = app::take_rua({"tls@example.com", "mailto:b@example.com", "https://r.example.com/v1"});
    ASSERT_TRUE(taken);
    std::vector<std::string> texts;
    for (const auto& uri : *taken)
        texts.push_back(uri.text);
    EXPECT_THAT(texts, testing::ElementsAre("mailto:tls@example.com", "mailto:b@example.com",
                                            "https://r.example.com/v1"));
    EXPECT_EQ(app::take_rua({})->size(), 0u);
    for (const char* bad : {"", "http://example.com/", "nobody", "ftp:x", "a@b@c"}) {
        testing::internal::CaptureStderr();
        EXPECT_FALSE(app::take_rua({"good@example.com", bad})) << bad;
        EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("--rua '" + std::string(bad) + "'"));
    }
}

TEST(typed, domains_are_understood_with_a_word_about_it) {
    struct row {
        const char *typed, *name;
        bool remark;
    };
    for (const row& r : {row{"example.com", "example.com", false}, row{"Example.COM.", "example.com", false},
                         row{"postmaster@example.com", "example.com", true},
                         row{"https://example.com/contact", "example.com", true},
                         row{"b\u00fccher.example", "xn--bcher-kva.example", false}}) {
        testing::internal::CaptureStderr();
        const auto taken = app::take_domain(r.typed);
        const std::string said = testing::internal::GetCapturedStderr();
        ASSERT_TRUE(taken) << r.typed;
        EXPECT_EQ(taken->name, r.name);
        if (r.remark)
            EXPECT_THAT(said, HasSubstr("mailtight: ")) << r.typed;
    }
}

TEST(typed, no_domain_is_said_without_what_a_terminal_would_obey) {
    for (const std::string& bad :
         {std::string("not a domain"), std::string(""), std::string(300, 'a') + ".com",
          std::string("a\x1b[31m.com"), std::string("..")}) {
        testing::internal::CaptureStderr();
        EXPECT_FALSE(app::take_domain(bad)) << bad;
        const std::string said = testing::internal::GetCapturedStderr();
        EXPECT_THAT(said, HasSubstr("mailtight: error: '"));
        EXPECT_EQ(said.find('\x1b'), std::string::npos);
    }
}

} // namespace
} // namespace mailtight::tests
