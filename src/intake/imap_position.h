// SPDX-License-Identifier: Apache-2.0
// How far a mailbox was read: the highest UID up to which everything is committed, under the mailbox's
// UIDVALIDITY (RFC 9051 §2.3.1.1). Kept as a fact in the store, in the same order as the reports themselves.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mailtight::intake {

struct imap_position {
    std::uint64_t uid_validity = 0, last_uid = 0;
    std::string to_text() const; ///< "VALIDITY LAST"
    static std::optional<imap_position> parse(std::string_view text);
    /// Where to go on in a mailbox of this validity: after the last, or from the start where it was made
    /// anew.
    std::uint64_t next(std::uint64_t validity) const { return validity == uid_validity ? last_uid + 1 : 1; }
};

/// The windows of UIDs in which a mailbox is listed: small where mails are dense, growing over gaps, so that
/// neither a mailbox of 100,000 mails nor one with a few mails among millions of UIDs costs much.
class uid_windows {
public:
    uid_windows(std::uint64_t first, std::uint64_t next)
        : at_(first)
        , next_(next) {}
    bool done() const { return at_ >= next_; }
    std::uint64_t first() const { return at_; }
    std::uint64_t last() const;
    /// To the next window; a larger one where this one held nothing.
    void advance(bool empty);

private:
    static constexpr std::uint64_t least = 1'000, most = 8'000;
    std::uint64_t at_, next_, width_ = least;
};

} // namespace mailtight::intake
