// SPDX-License-Identifier: Apache-2.0
// A maildir: what in it is unread, and what becomes of a mail once its reports are committed. Blocking calls.
// The room's own.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace mailtight::intake {

bool is_maildir(const std::string& path); ///< has new/ and cur/

struct maildir_mail {
    std::string sub;            ///< "new" or "cur"
    std::string name;           ///< file name
    std::string unique() const; ///< the part of the name that stays
};
/// Everything in new/, and in cur/ what is not marked as seen, by name; without what is passed over.
std::expected<std::vector<maildir_mail>, std::string>
unread_mails(const std::string& maildir, const std::unordered_set<std::string>& passed_over,
             std::size_t limit);

enum class after_commit { mark_seen, remove, move };
struct maildir_end {
    after_commit what = after_commit::mark_seen;
    std::string folder; ///< move: ".Name" within the maildir
};
/// Understands "seen", "delete" and ".Folder"; the error is for a person.
std::expected<maildir_end, std::string> parse_maildir_end(std::string_view text);

/// One rename or unlink: after a crash the mail is at the one place or at the other. Already gone is fine.
std::expected<void, std::string> settle_mail(const std::string& maildir, const maildir_mail& mail,
                                             const maildir_end& end);

} // namespace mailtight::intake
