// SPDX-License-Identifier: Apache-2.0
// What a scan resumes from: rows that are whole count, a row cut off by a kill does not.
#include "app/scan_list.h"
#include "support/scratch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

using namespace mailtight::app;

namespace {

class ScanList : public testing::Test {
protected:
    std::string file(const std::string& name, const std::string& bytes) {
        const auto path = directory_ / name;
        std::ofstream(path, std::ios::binary) << bytes;
        return path.string();
    }
    std::string content(const std::string& path) {
        std::ifstream in(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    }
    const mailtight::tests::scratch_folder scratch_;
    const std::filesystem::path directory_ = scratch_.path();
};

TEST_F(ScanList, LinesAreTrimmedAndCommentsSkippedAndNumbersKept) {
    auto list = list_reader::open(
        file("list", "a.example\n\n# a comment\n  b.example  \r\nc.example,4711,x\nlast.example"));
    ASSERT_TRUE(list);
    const auto surveyed = list->survey({});
    ASSERT_TRUE(surveyed);
    EXPECT_EQ(surveyed->total, 4u);
    EXPECT_TRUE(surveyed->fits);
    std::vector<std::pair<std::size_t, std::string>> all;
    while (auto line = list->next())
        all.emplace_back(line->number, line->text);
    EXPECT_THAT(all, testing::ElementsAre(std::pair(1u, "a.example"), std::pair(4u, "b.example"),
                                          std::pair(5u, "c.example"), std::pair(6u, "last.example")));
}

TEST_F(ScanList, AMissingResultsFileIsAnEmptyOne) {
    auto done = done_lines::read((directory_ / "nothing").string(), false);
    ASSERT_TRUE(done);
    EXPECT_EQ(done->count(), 0u);
}

TEST_F(ScanList, ARowCutOffByAKillIsRemovedAndDoneAgain) {
    const auto path = file("out", "{\"line\":1,\"listed\":\"a.example\",\"domain\":\"a.example\"}\n"
                                  "{\"line\":7,\"listed\":\"b.example\",\"x\":1}\n"
                                  "{\"line\":8,\"listed\":\"c.exa");
    auto done = done_lines::read(path, false);
    ASSERT_TRUE(done) << done.error();
    EXPECT_EQ(done->count(), 2u);
    bool mismatch = false;
    EXPECT_TRUE(done->has({1, "a.example"}, mismatch));
    EXPECT_TRUE(done->has({7, "b.example"}, mismatch));
    EXPECT_FALSE(done->has({8, "c.example"}, mismatch));
    EXPECT_FALSE(done->has({2, "z.example"}, mismatch));
    EXPECT_FALSE(mismatch);
    EXPECT_TRUE(content(path).ends_with("\"x\":1}\n")) << "the half row is gone from the file";
}

TEST_F(ScanList, AnotherDomainOnADoneLineIsNoticed) {
    const auto path = file("out", "{\"line\":1,\"listed\":\"a.example\"}\n");
    auto done = done_lines::read(path, false);
    ASSERT_TRUE(done);
    bool mismatch = false;
    EXPECT_TRUE(done->has({1, "other.example"}, mismatch));
    EXPECT_TRUE(mismatch);
}

TEST_F(ScanList, TheSurveyTellsWhetherTheResultsAreOfThisList) {
    const auto results = file("out", "{\"line\":2,\"listed\":\"b.example\"}\n");
    const auto done = done_lines::read(results, false);
    ASSERT_TRUE(done);
    const struct {
        std::string_view why, list;
        bool fits;
    } rows[] = {
        {"the same list", "a.example\nb.example\nc.example\n", true},
        {"it has grown at its end", "a.example\nb.example\nc.example\nd.example\n", true},
        {"other lines that are not done yet", "z.example\nb.example\n", true},
        {"another domain on the done line", "a.example\nz.example\n", false},
        {"a line put in front", "z.example\na.example\nb.example\n", false},
        {"the done line is gone", "a.example\n", false},
        {"the done line is a comment now", "a.example\n#b.example\nc.example\n", false},
    };
    for (const auto& row : rows) {
        auto list = list_reader::open(file("list", std::string(row.list)));
        ASSERT_TRUE(list);
        const auto surveyed = list->survey(*done);
        ASSERT_TRUE(surveyed);
        EXPECT_EQ(surveyed->fits, row.fits) << row.why;
        EXPECT_EQ(list->next()->number, 1u) << "the list is read from its beginning again: " << row.why;
    }
}

TEST_F(ScanList, CsvRowsAreReadBackAsTheyWereListed) {
    const auto path =
        file("out", "line,domain,verdict\n1,a.example,absent\n2,'=x,error,,\n3,\"q\"\"q\",error,,\n"
                    "4,''x,error,,\n5,''=x,error,,\n");
    auto done = done_lines::read(path, true);
    ASSERT_TRUE(done) << done.error();
    EXPECT_EQ(done->count(), 5u);
    EXPECT_TRUE(done->has_header());
    bool mismatch = false;
    EXPECT_TRUE(done->has({1, "a.example"}, mismatch));
    EXPECT_TRUE(done->has({2, "=x"}, mismatch));
    EXPECT_TRUE(done->has({3, "q\"q"}, mismatch));
    EXPECT_TRUE(done->has({4, "'x"}, mismatch));
    EXPECT_TRUE(done->has({5, "'=x"}, mismatch));
    EXPECT_FALSE(mismatch);
}

TEST_F(ScanList, AFileThatHoldsNoResultsIsNeverCut) {
    const std::string bytes = "precious\nwords";
    const auto path = file("letter", bytes);
    EXPECT_FALSE(done_lines::read(path, false));
    EXPECT_FALSE(done_lines::read(path, true));
    EXPECT_EQ(content(path), bytes);
}

} // namespace
