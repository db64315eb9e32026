// SPDX-License-Identifier: Apache-2.0
// Single values of a report's JSON, read tolerantly: names of members, texts, lists of texts, counts. What is
// well formed costs no more than its copy. Private to the reader.
#pragma once

#include "tlsrpt/eight_bytes.h"
#include "tlsrpt/read_report.h"
#include "tlsrpt/remarks.h"

#include <simdjson.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::tlsrpt {

inline constexpr std::uint64_t safe_integer = 9'007'199'254'740'991; // 2^53-1, RFC 7493 §2.2

/// What one report's reading shares.
struct reading {
    const read_limits& limits;
    report& into;
    remarks& notes;
    std::size_t details_left;           ///< of the limit
    bool all_plain = false;             ///< is_plain() holds for every text of the JSON
    std::size_t texts_left = 1'000'000; ///< elements of lists of texts: each costs more than its bytes
};

/// Another name of a member, as index into the registered ones.
struct other_name {
    std::string_view name;
    unsigned index;
};
/// The member that a name in another spelling means: letter case and `_` for `-` aside, or one of `others`.
std::optional<unsigned> find_other_name(std::string_view name, const std::string_view* names,
                                        std::size_t count, const other_name* others, std::size_t other_count);

/// JSON null, or an empty text: as good as not there.
inline bool is_blank(simdjson::dom::element value) {
    return value.is_null() || (value.is_string() && value.get_string().value_unsafe().empty());
}

/// Calls `read(index, value, place)` once for each known member of an object, by its index in `Names`. Of a
/// member that stands twice the first counts that holds anything; `unknown(name, value)` gets the rest.
template<std::size_t N, std::size_t M, class Read, class Unknown>
void each_member(simdjson::dom::object object, const std::array<std::string_view, N>& names,
                 const std::array<other_name, M>& others, const place& at, reading& r, Read read,
                 Unknown unknown) {
    unsigned seen = 0;
    std::array<simdjson::dom::element, N> taken; // of those seen
    unsigned expected = 0;                       // reporters write them in much the same order
    for (const auto field : object) {
        unsigned index = N;
        for (unsigned i = 0; i < N; ++i) {
            const unsigned candidate = (expected + i) % N;
            if (same_name(names[candidate], field.key)) {
                index = candidate;
                break;
            }
        }
        const place here{&at, field.key};
        if (index == N) {
            const auto other = find_other_name(field.key, names.data(), N, others.data(), M);
            if (!other) {
                unknown(field.key, field.value);
                continue;
            }
            index = *other;
            r.notes.add(quirk::other_member_name, here, field.key);
        }
        expected = index + 1;
        const unsigned bit = 1U << index;
        if (seen & bit) { // 8460-4-a
            r.notes.add(quirk::duplicate_member, here, simdjson::minify(field.value));
            if (!is_blank(taken[index]))
                continue;
        }
        seen |= bit;
        taken[index] = field.value;
        read(index, field.value, here);
    }
}

/// A text; "" where it is null. Numbers and truth values become their text, lists of texts are joined. True
/// where it is plain: a line of printable ASCII.
void read_odd_text(simdjson::dom::element value, const place& at, reading& r, std::string& into);
inline bool read_text(simdjson::dom::element value, const place& at, reading& r, std::string& into) {
    if (value.is_string()) {
        const std::string_view text = value.get_string().value_unsafe();
        if (text.size() <= r.limits.text_bytes && (r.all_plain || is_plain(text))) {
            into = std::string(text);
            return true;
        }
    }
    read_odd_text(value, at, r, into);
    return false;
}
/// Adds the elements of a list of texts; false where it was a single text or another value (which is added).
bool read_texts(simdjson::dom::element value, const place& at, reading& r, std::vector<std::string>& into);
/// A count of sessions.
std::uint64_t read_count(simdjson::dom::element value, const place& at, reading& r);

} // namespace mailtight::tlsrpt
