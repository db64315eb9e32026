// SPDX-License-Identifier: Apache-2.0
// gzip and zip: what is whole comes out, and everything else is refused by its name before it costs memory.
#include "base/compress.h"

#include "support/proves.h"

#include <rapidcheck/gtest.h>

#include <gtest/gtest.h>
#include <zip.h>

namespace mailtight::base {
namespace {

constexpr inflate_limits generous{.bytes = 8 << 20};

struct zip_entry {
    std::string name, bytes;
    bool encrypted = false;
    zip_uint32_t unix_mode = 0;
};
std::string make_zip(const std::vector<zip_entry>& entries) {
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t* sink = zip_source_buffer_create(nullptr, 0, 0, &error);
    zip_source_keep(sink);
    zip_t* archive = zip_open_from_source(sink, ZIP_TRUNCATE, &error);
    for (const auto& e : entries) {
        const auto at = static_cast<zip_uint64_t>(
            e.name.ends_with('/')
                ? zip_dir_add(archive, e.name.c_str(), 0)
                : zip_file_add(archive, e.name.c_str(),
                               zip_source_buffer(archive, e.bytes.data(), e.bytes.size(), 0), 0));
        if (e.encrypted)
            EXPECT_EQ(zip_file_set_encryption(archive, at, ZIP_EM_AES_256, "secret"), 0);
        if (e.unix_mode)
            zip_file_set_external_attributes(archive, at, 0, ZIP_OPSYS_UNIX, e.unix_mode << 16U);
    }
    EXPECT_EQ(zip_close(archive), 0);
    zip_stat_t about;
    zip_source_stat(sink, &about);
    std::string out(about.size, '\0');
    zip_source_open(sink);
    zip_source_read(sink, out.data(), out.size());
    zip_source_close(sink);
    zip_source_free(sink);
    return out;
}
// A stored gzip header with the field FNAME, around the stream of `packed`.
std::string with_name(std::string packed, std::string_view name) {
    packed[3] = 8; // FLG.FNAME
    return packed.insert(10, std::string(name) + '\0');
}

RC_GTEST_PROP(gzip, comes_back, (std::string bytes, std::uint8_t level)) {
    const auto back = gunzip(gzip(bytes, level), generous);
    RC_ASSERT(back.has_value());
    RC_ASSERT(back->bytes == bytes);
    RC_ASSERT(back->members == 1 && !back->trailing_garbage);
}

TEST(gunzip, reads_what_is_whole) {
    PROVES("A43", "8460-6.3-a");
    struct {
        std::string what, bytes, out;
        std::size_t members;
        bool garbage;
    } const rows[] = {
        {"one member", gzip("report"), "report", 1, false},
        {"an empty one", gzip(""), "", 1, false},
        {"two members", gzip("re") + gzip("port"), "report", 2, false},
        {"bytes behind it", gzip("report") + "\n-- \nlist footer", "report", 1, true},
        {"padding", gzip("report") + std::string(7, '\0'), "report", 1, true},
        {"a path for a name, which nobody reads", with_name(gzip("report"), "../../etc/passwd"), "report", 1,
         false},
        {"much that is alike", gzip(std::string(900'000, 'a')), std::string(900'000, 'a'), 1, false},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.what);
        const auto read = gunzip(row.bytes, generous);
        ASSERT_TRUE(read);
        EXPECT_EQ(read->bytes, row.out);
        EXPECT_EQ(read->members, row.members);
        EXPECT_EQ(read->trailing_garbage, row.garbage);
    }
}

std::string changed(std::string bytes, std::size_t at, char to) {
    bytes.at(at) = to;
    return bytes;
}
// The trailer's claim of the size that comes out.
std::string claiming(std::string packed, std::uint32_t size) {
    for (std::size_t i = 0; i < 4; ++i)
        packed[packed.size() - 4 + i] = static_cast<char>(size >> (8 * i));
    return packed;
}

TEST(gunzip, says_why_not) {
    PROVES("A43");
    const std::string text = "a report of some length, with 0123456789 in it";
    const std::string packed = gzip(text), zeros = gzip(std::string(6 << 20, '\0'));
    std::string many;
    for (int i = 0; i < 11; ++i)
        many += gzip("");
    struct {
        std::string what, bytes;
        inflate_problem problem;
        inflate_limits limits = generous;
    } const rows[] = {
        {"nothing", "", inflate_problem::not_compressed},
        {"JSON", "{}", inflate_problem::not_compressed},
        {"the magic alone", "\x1f\x8b", inflate_problem::cut},
        {"cut in the header", packed.substr(0, 9), inflate_problem::cut},
        {"cut in the middle", packed.substr(0, packed.size() / 2), inflate_problem::cut},
        {"cut before the last byte", packed.substr(0, packed.size() - 1), inflate_problem::cut},
        {"the second member cut", packed + packed.substr(0, 30), inflate_problem::cut},
        {"another checksum", changed(packed, packed.size() - 8, '!'), inflate_problem::damaged},
        {"a size that is a lie", claiming(packed, 0xFFFF'FFFF), inflate_problem::damaged},
        {"an unknown method", changed(packed, 2, 7), inflate_problem::damaged},
        {"an impossible block", changed(packed, 10, '\x07'), inflate_problem::damaged},
        {"larger than allowed", gzip(std::string(5000, 'x')), inflate_problem::too_large, {.bytes = 4999}},
        {"a bomb", zeros, inflate_problem::bomb},
        {"a bomb in two parts", gzip(std::string(600'000, '\0')) + gzip(std::string(600'000, '\0')),
         inflate_problem::bomb},
        {"a bomb that claims to be small", claiming(zeros, 10), inflate_problem::bomb},
        {"members without end", many, inflate_problem::too_many, {.bytes = 100, .members = 10}},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.what);
        const auto read = gunzip(row.bytes, row.limits);
        ASSERT_FALSE(read);
        EXPECT_EQ(read.error(), row.problem) << explain(read.error());
        EXPECT_FALSE(explain(row.problem).empty());
    }
}

TEST(gunzip, allows_as_much_as_the_limit_says) {
    EXPECT_TRUE(gunzip(gzip(std::string(5000, 'x')), {.bytes = 5000}));
    EXPECT_TRUE(gunzip(gzip(std::string(1 << 20, 'x')), {.bytes = 2 << 20})); // whatever the ratio
    EXPECT_FALSE(gunzip(gzip(std::string((1 << 20) + 1, 'x')), {.bytes = 2 << 20}));
}

TEST(unzip, gives_every_regular_member) {
    PROVES("8460-6.3-a");
    const auto read = unzip(make_zip({{"reports/", ""},
                                      {"reports/a.json", "{}"},
                                      {"../../etc/passwd", "text"},
                                      {"link", "/etc/passwd", false, 0120777},
                                      {"empty", ""}}),
                            generous);
    ASSERT_TRUE(read);
    ASSERT_EQ(read->size(), 3U);
    EXPECT_EQ(read->at(0).name, "reports/a.json");
    EXPECT_EQ(read->at(0).bytes, "{}");
    EXPECT_EQ(read->at(1).name, "../../etc/passwd"); // a text like any other
    EXPECT_EQ(read->at(1).bytes, "text");
    EXPECT_EQ(read->at(2).bytes, "");
}

TEST(unzip, says_why_not) {
    PROVES("A43");
    const std::string packed = make_zip({{"a.json", std::string(3000, 'a')}});
    std::vector<zip_entry> many;
    for (int i = 0; i < 11; ++i)
        many.push_back({"member" + std::to_string(i), ""});
    std::vector<zip_entry> bombs;
    for (int i = 0; i < 3; ++i)
        bombs.push_back({"bomb" + std::to_string(i), std::string(600'000, '\0')});
    std::string another_checksum = packed;
    another_checksum[14] = static_cast<char>(another_checksum[14] + 1); // in the local header
    const auto central = another_checksum.find("PK\1\2");
    another_checksum[central + 16] =
        static_cast<char>(another_checksum[central + 16] + 1); // and in the directory
    struct {
        std::string what, bytes;
        inflate_problem problem;
        inflate_limits limits = generous;
    } const rows[] = {
        {"gzip", gzip("x"), inflate_problem::not_compressed},
        {"no directory", packed.substr(0, packed.size() - 60), inflate_problem::cut},
        {"another checksum", another_checksum, inflate_problem::damaged},
        {"a password", make_zip({{"a.json", "{}", true}}), inflate_problem::encrypted},
        {"larger than allowed", packed, inflate_problem::too_large, {.bytes = 2999}},
        {"a bomb in parts", make_zip(bombs), inflate_problem::bomb},
        {"too many members", make_zip(many), inflate_problem::too_many, {.bytes = 100, .members = 10}},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.what);
        const auto read = unzip(row.bytes, row.limits);
        ASSERT_FALSE(read);
        EXPECT_EQ(read.error(), row.problem) << explain(read.error());
    }
}

} // namespace
} // namespace mailtight::base
