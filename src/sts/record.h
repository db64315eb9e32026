// SPDX-License-Identifier: Apache-2.0
// The `_mta-sts` TXT record (RFC 8461 §3.1): parse, judge, write. Pure; takes any bytes.
// The strict grammar is that of RFC 8461 §3.1; which of several texts counts is A2.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mailtight::sts {

/// What can be wrong with, or odd about, one text at `_mta-sts`.
enum class record_problem {
    not_a_record,           ///< does not begin with `v=STSv1` and a delimiter: no STS record at all
    syntax,                 ///< begins as one, breaks the grammar: the whole record is invalid
    id_missing,             ///< grammatical, without an `id`
    id_invalid,             ///< an `id` that is not 1 to 32 letters and digits (so the record has none)
    space_before_delimiter, ///< grammatical, but senders that filter for the text `v=STSv1;` drop it (A2)
    duplicate_field,        ///< the first one counts (A3)
    unknown_field,          ///< an extension; ignored by senders
};
/// One sentence for a person, without names or values.
std::string_view explain(record_problem problem);

struct record_issue {
    record_problem problem;
    std::size_t offset = 0; ///< in the text, bytes
    std::string detail;     ///< the field or bytes concerned, unescaped
    friend bool operator==(const record_issue&, const record_issue&) = default;
};

struct record {
    std::string id;
    std::vector<std::pair<std::string, std::string>> extensions;
    friend bool operator==(const record&, const record&) = default;
};

/// A judged text: `value` where the record is valid by the strict grammar, and everything worth saying in
/// `issues`.
struct record_judgement {
    std::optional<record> value;
    std::vector<record_issue> issues;
    bool valid() const { return value.has_value(); }
};
/// Judges one TXT record, its character-strings already joined (8461-3.1-r).
record_judgement judge_record(std::string_view text);
/// The record, or the first thing that makes it invalid.
std::expected<record, record_issue> parse_record(std::string_view text);

/// What a sender needs of a valid record, pointing into the text.
struct record_view {
    std::string_view id;
    std::size_t other_fields = 0; ///< extensions and repeated fields
};
/// The fast path: the grammar alone, without allocation. Says yes exactly where judge_record() gives a value.
std::optional<record_view> read_record_view(std::string_view text);

/// True where the text claims to be an STS record: it begins with `v=STSv1` followed by a delimiter (A2).
bool claims_record(std::string_view text);

/// The whole TXT RRset at the name, as a sender sees it.
struct rrset_judgement {
    enum class outcome {
        absent,   ///< no text claims to be a record
        valid,    ///< exactly one counts, and it is valid
        invalid,  ///< exactly one counts, and it is not
        multiple, ///< more than one counts: behave as if there were none (8461-3.1-o)
    } result = outcome::absent;
    std::optional<std::size_t> chosen;  ///< index of the one that counts
    std::vector<std::size_t> counted;   ///< indexes of every text that counts as a record
    std::vector<std::size_t> unrelated; ///< indexes of texts that senders throw away
    record_judgement judgement;         ///< of `chosen`
};
rrset_judgement judge_rrset(std::span<const std::string> texts);

/// The canonical text: `v=STSv1; id=ID`. The id must be valid (valid_id()); anything else is a programmer's
/// error.
std::string format_record(std::string_view id);

} // namespace mailtight::sts
