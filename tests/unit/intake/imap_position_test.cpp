// SPDX-License-Identifier: Apache-2.0
#include "intake/imap_position.h"

#include "io/imap.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>

namespace mailtight::intake {
namespace {

TEST(imap_position, goes_on_after_the_last_mail_and_starts_anew_in_a_mailbox_made_anew) {
    const imap_position at{7, 41};
    EXPECT_EQ(at.next(7), 42U);
    EXPECT_EQ(at.next(8), 1U);
    EXPECT_EQ(imap_position{}.next(8), 1U);
}

TEST(imap_position, text_reads_back_and_nothing_else_does) {
    const auto back = imap_position::parse(imap_position{7, 41}.to_text());
    ASSERT_TRUE(back);
    EXPECT_EQ(back->uid_validity, 7U);
    EXPECT_EQ(back->last_uid, 41U);
    for (const char* bad : {"", "7", "7 ", " 7 1", "7 1 2", "7 x", "-1 2", "99999999999999999999999 1"})
        EXPECT_FALSE(imap_position::parse(bad)) << bad;
}

// Whatever the gaps between UIDs, every mail is seen once, and no window is listed without end.
RC_GTEST_PROP(uid_windows, see_every_mail_once, ()) {
    const auto gaps = *rc::gen::container<std::vector<std::uint32_t>>(rc::gen::weightedOneOf<std::uint32_t>(
        {{8, rc::gen::inRange<std::uint32_t>(1, 4)}, {1, rc::gen::inRange<std::uint32_t>(1, 100'000)}}));
    std::set<std::uint64_t> mailbox;
    std::uint64_t uid = 0;
    for (const auto gap : gaps)
        mailbox.insert(uid += gap);
    std::vector<std::uint64_t> seen;
    std::size_t asked = 0;
    for (uid_windows windows(1, uid + 1); !windows.done(); ++asked) {
        RC_ASSERT(windows.last() - windows.first() < io::imap_session::list_span);
        const auto end = mailbox.upper_bound(windows.last());
        const auto before = seen.size();
        seen.insert(seen.end(), mailbox.lower_bound(windows.first()), end);
        windows.advance(seen.size() == before);
    }
    RC_ASSERT(asked <= 1 + mailbox.size() * 5 + uid / 1000);
    RC_ASSERT(seen == std::vector<std::uint64_t>(mailbox.begin(), mailbox.end()));
}

TEST(uid_set, joins_neighbours) {
    EXPECT_EQ(io::uid_set({}), "");
    EXPECT_EQ(io::uid_set({5}), "5");
    EXPECT_EQ(io::uid_set({5, 6, 7, 9, 11, 12}), "5:7,9,11:12");
}

} // namespace
} // namespace mailtight::intake
