// SPDX-License-Identifier: Apache-2.0
// Containers: what they are is decided by their bytes; each body has its report or its error.
#include "base/compress.h"
#include "support/proves.h"
#include "unit/tlsrpt/report_texts.h"

#include <zip.h>

namespace mailtight::tlsrpt {
namespace {
using tests::codes;
using tests::has;
using tests::tidy_report;

std::string make_zip(const std::vector<std::pair<std::string, std::string>>& members) {
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t* sink = zip_source_buffer_create(nullptr, 0, 0, &error);
    zip_source_keep(sink);
    zip_t* archive = zip_open_from_source(sink, ZIP_TRUNCATE, &error);
    for (const auto& [name, bytes] : members)
        zip_file_add(archive, name.c_str(), zip_source_buffer(archive, bytes.data(), bytes.size(), 0), 0);
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

TEST(report_container, bytes_decide_and_labels_do_not) {
    PROVES("8460-6.4-a", "8460-5.3-h", "A42", "A45");
    const std::string packed = base::gzip(tidy_report), archive = make_zip({{"a.json", tidy_report}});
    struct {
        std::string what, bytes, label;
        body_format format;
        bool lies;
    } const rows[] = {
        {"as registered", packed, "application/tlsrpt+gzip", body_format::gzip, false},
        {"as registered, plain", tidy_report, "application/tlsrpt+json", body_format::json, false},
        {"without suffix", packed, "application/tlsrpt", body_format::gzip, false},
        {"octets", archive, "application/octet-stream", body_format::zip, false},
        {"with parameters", packed, "application/gzip; name=x", body_format::gzip, false},
        {"plain called gzip", tidy_report, "application/tlsrpt+gzip", body_format::json, true},
        {"gzip called plain", packed, "Application/JSON", body_format::gzip, true},
        {"zip called gzip", archive, "application/gzip", body_format::zip, true},
        {"gzip called zip", packed, "application/zip", body_format::gzip, true},
    };
    report_reader reader;
    for (const auto& row : rows) {
        SCOPED_TRACE(row.what);
        const auto read = reader.read(row.bytes, {.media_type = row.label});
        ASSERT_EQ(read.size(), 1U);
        ASSERT_TRUE(read[0].result);
        EXPECT_EQ(read[0].format, row.format);
        EXPECT_EQ(read[0].json, tidy_report);
        EXPECT_EQ(codes(*read[0].result), row.lies ? "label-disagrees@" : "");
    }
}

TEST(report_container, each_member_of_a_zip_is_a_body) {
    PROVES("8460-6.3-a");
    report_reader reader;
    const auto read = reader.read(make_zip(
        {{"../a.json", tidy_report}, {"readme.txt", "hello"}, {"b.json.gz", base::gzip(tidy_report)}}));
    ASSERT_EQ(read.size(), 3U);
    EXPECT_EQ(read[0].name, "../a.json"); // shown, never opened
    ASSERT_TRUE(read[0].result && read[2].result);
    EXPECT_EQ(codes(*read[0].result), "several-bodies@");
    ASSERT_FALSE(read[1].result);
    EXPECT_EQ(read[1].result.error().code, read_problem::not_json);
    EXPECT_EQ(read[2].json, tidy_report);
    for (const auto& body : read)
        EXPECT_EQ(to_string(body.format), "zip");
}

TEST(report_container, says_why_not) {
    PROVES("A43", "8460-7-a");
    const std::string packed = base::gzip(tidy_report);
    const std::string twice = base::gzip(packed);
    struct {
        std::string what, bytes;
        read_problem problem;
    } const rows[] = {
        {"nothing", "", read_problem::empty},
        {"a cut gzip", packed.substr(0, 100), read_problem::damaged},
        {"a bomb", base::gzip(std::string(3 << 20, ' ')), read_problem::bomb},
        {"gzip three times", base::gzip(twice), read_problem::bomb},
        {"a cut zip", make_zip({{"a", tidy_report}}).substr(0, 100), read_problem::damaged},
        {"a zip without members", std::string("PK\5\6", 4) + std::string(18, '\0'), read_problem::empty},
        {"no report in the gzip", base::gzip("{}"), read_problem::not_a_report},
        {"a zip in a gzip", base::gzip(make_zip({{"a", tidy_report}})), read_problem::not_json},
    };
    report_reader reader;
    for (const auto& row : rows) {
        SCOPED_TRACE(row.what);
        const auto read = reader.read(row.bytes);
        ASSERT_EQ(read.size(), 1U);
        ASSERT_FALSE(read[0].result);
        EXPECT_EQ(read[0].result.error().code, row.problem) << read[0].result.error().message;
        EXPECT_FALSE(to_string(row.problem).empty() || read[0].result.error().message.empty());
    }
    read_limits limits;
    limits.json_bytes = tidy_report.size() - 1;
    EXPECT_EQ(report_reader(limits).read(packed).at(0).result.error().code, read_problem::too_large);
    EXPECT_EQ(report_reader(limits).read(tidy_report).at(0).result.error().code, read_problem::too_large);
    limits = {};
    limits.bodies = 1;
    EXPECT_EQ(report_reader(limits).read(make_zip({{"a", "{}"}, {"b", "{}"}})).at(0).result.error().code,
              read_problem::too_large);
}

TEST(report_container, a_reader_is_used_again_after_anything) {
    report_reader reader;
    const auto before = reader.read(base::gzip(tidy_report)).at(0).result;
    reader.read("\x1f\x8b garbage");
    reader.read(
        tests::with("Example Mail", std::string(5 << 20, 'x'))); // the buffers grow, and are given back
    reader.read(std::string(100'000, '{'));
    EXPECT_EQ(*reader.read(base::gzip(tidy_report)).at(0).result, *before);
}

} // namespace
} // namespace mailtight::tlsrpt
