// SPDX-License-Identifier: Apache-2.0
// A DKIM key record (RFC 6376 §3.6.1, RFC 8301, RFC 8463), read once and kept. Pure; takes any bytes.
#pragma once

#include "base/crypto/keys.h"
#include "mail/dkim.h"

#include <list>
#include <optional>
#include <string>
#include <unordered_map>

namespace mailtight::mail {

struct dkim_key_record {
    std::optional<base::public_key> key; ///< nothing where `problem` says why
    std::string problem;                 ///< in words: revoked, too short, unreadable
    bool is_key = false;         ///< the text is meant as a key record at all; else other texts may be
    bool in_test = false;        ///< t=y
    bool exact_identity = false; ///< t=s: i= must have the very domain of d=
    bool takes_sha256 = true;    ///< h= names it, or is absent
    bool for_email = true;       ///< s= holds `*` or `email`, or is absent
    bool for_tlsrpt = true;      ///< s= holds `*` or `tlsrpt`, or is absent
};
dkim_key_record read_dkim_key(std::string_view text);

/// Least recently used out first.
struct dkim_key_cache::state {
    explicit state(std::size_t entries)
        : entries_max(entries) {}
    /// Valid until the next call.
    const dkim_key_record& get(const std::string& text);

    std::size_t entries_max;
    std::list<std::pair<std::string, dkim_key_record>> entries; ///< last used first
    std::unordered_map<std::string_view, decltype(entries)::iterator> places;
};

} // namespace mailtight::mail
