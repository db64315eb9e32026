// SPDX-License-Identifier: Apache-2.0
// A record by itself: its text, whether a sender can use it, and what of an RRset is left after digest
// agility.
#include "dane/tlsa.h"

#include "base/crypto/signature.h"
#include "base/encode.h"
#include "dane/agility.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::dane {
namespace {
constexpr std::uint8_t full_data = 0;
constexpr std::uint8_t sha256 = 1;
constexpr std::uint8_t sha512 = 2;
} // namespace

std::string tlsa::to_string() const { // A25
    std::string digits = base::hex(data);
    std::ranges::transform(digits, digits.begin(),
                           [](char c) { return c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c; });
    return fmt::format("{} {} {} {}", usage, selector, matching, digits);
}

// 6698-4.1-a, 7672-3.1.3-a
usability judge(const tlsa& record) {
    if (record.usage <= 1)
        return usability::pkix_usage;
    if (record.usage > 3)
        return usability::unknown_usage;
    if (record.selector > 1)
        return usability::unknown_selector;
    switch (record.matching) {
    case full_data: {
        const bool readable = record.selector == 0 ? base::parse_certificate(record.data).has_value()
                                                   : base::is_public_key(record.data);
        return readable ? usability::usable : usability::malformed;
    }
    case sha256:
        return record.data.size() == 32 ? usability::usable : usability::wrong_length;
    case sha512:
        return record.data.size() == 64 ? usability::usable : usability::wrong_length;
    default:
        return usability::unknown_matching;
    }
}

std::string_view explain(usability reason) {
    switch (reason) {
    case usability::usable:
        return "Senders can use the record.";
    case usability::pkix_usage:
        return "Usages 0 and 1 are not for mail servers; senders treat the record as unusable.";
    case usability::unknown_usage:
        return "The usage is unknown; only 2 and 3 serve mail servers.";
    case usability::unknown_selector:
        return "The selector is unknown; 0 is the certificate, 1 its public key.";
    case usability::unknown_matching:
        return "The matching type is unknown; 1 is SHA-256, 2 is SHA-512, 0 the whole data.";
    case usability::wrong_length:
        return "The data has not the length of its digest: 32 bytes for SHA-256, 64 for SHA-512.";
    case usability::malformed:
        return "The data is no certificate or public key in DER.";
    }
    return "";
}

std::optional<std::string_view> discouraged_because(const tlsa& record) {
    if (record.usage <= 1) // 7672-3.1.3-a
        return "Usages 0 and 1 should not be published for mail servers: use 3 1 1, or 2 0 1.";
    if (record.matching == full_data) // 7671-10.1-a
        return "A whole certificate or key makes the DNS answer large, and some resolvers drop it: publish a "
               "digest.";
    return std::nullopt;
}

// 7671-9-a
std::vector<std::size_t> effective_indexes(std::span<const tlsa> rrset) {
    std::uint8_t strongest[4][2] = {};
    std::vector<std::size_t> usable;
    for (std::size_t i = 0; i < rrset.size(); ++i) {
        if (judge(rrset[i]) != usability::usable)
            continue;
        usable.push_back(i);
        auto& known = strongest[rrset[i].usage][rrset[i].selector];
        known = std::max(known, rrset[i].matching); // the higher number is the stronger digest
    }
    std::erase_if(usable, [&](std::size_t i) {
        const tlsa& r = rrset[i];
        return r.matching != full_data && r.matching < strongest[r.usage][r.selector];
    });
    return usable;
}

std::vector<tlsa> effective(std::span<const tlsa> rrset) {
    std::vector<tlsa> out;
    for (std::size_t i : effective_indexes(rrset))
        out.push_back(rrset[i]);
    return out;
}

} // namespace mailtight::dane
