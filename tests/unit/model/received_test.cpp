// SPDX-License-Identifier: Apache-2.0
// The words of trust and ways in, and the name by which reporters are told apart.
#include "model/received.h"

#include <gmock/gmock.h>

#include <set>

namespace mailtight::model {
namespace {

TEST(received, words_are_read_back) {
    std::set<std::string_view> words;
    for (const auto t : {trust::rejected, trust::unverified, trust::authorised, trust::verified})
        words.insert(to_string(t));
    EXPECT_EQ(words.size(), 4u);
    EXPECT_FALSE(words.contains(""));
    for (const auto w : {way_in::smtp, way_in::lmtp, way_in::https, way_in::imap, way_in::maildir,
                         way_in::mbox, way_in::file}) {
        EXPECT_NE(to_string(w), "");
        EXPECT_EQ(parse_way_in(to_string(w)), w);
    }
    EXPECT_EQ(to_string(trust::authorised), "authorised"); // a contract with scripts
    EXPECT_EQ(parse_way_in("pigeon"), std::nullopt);
}

TEST(received, trust_grows) {
    EXPECT_LT(trust::rejected, trust::unverified);
    EXPECT_LT(trust::unverified, trust::authorised);
    EXPECT_LT(trust::authorised, trust::verified);
}

struct reporter {
    const char *submitter, *organization, *name, *why;
};
TEST(received, the_name_of_a_reporter) {
    const reporter rows[] = {
        {"google.com", "Google Inc.", "google.com", "the submitter comes first"},
        {"mail-out.Google.com.", "Google LLC", "google.com", "its organisational domain"},
        {"a.b.example.co.uk", "", "example.co.uk", "by the list of public suffixes"},
        {" google.com ", "", "google.com", "blanks around it"},
        {"", "Google  Inc.", "google inc", "then the organisation, without case, blanks and a last dot"},
        {"", "\tGOOGLE Inc", "google inc", "the same one"},
        {"no domain at all", "Company-X", "company-x", "what is no domain does not count"},
        {"", "", "unknown", "nobody said"},
        {"", " \r\n. ", "unknown", "that is nobody"},
        {"\x01\x02", "a\x1b[31mb", "a [31mb", "no control characters in a name"},
    };
    for (const auto& row : rows) {
        received_report r;
        r.submitter = row.submitter;
        r.report.organization_name = row.organization;
        EXPECT_EQ(reporter_of(r), row.name) << row.why;
    }
}

TEST(received, a_long_name_is_cut_between_characters) {
    received_report r;
    for (int i = 0; i < 200; ++i)
        r.report.organization_name += "\xC3\xA4"; // two bytes each
    r.report.organization_name.insert(0, "xx");
    const auto name = reporter_of(r);
    EXPECT_EQ(name.size(), 254u);
    EXPECT_EQ(name.substr(252), "\xC3\xA4");
}

} // namespace
} // namespace mailtight::model
