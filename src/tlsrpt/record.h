// SPDX-License-Identifier: Apache-2.0
// The `_smtp._tls` TXT record (RFC 8460 §3): parse, judge, write. Pure; takes any bytes.
// Grammar: RFC 8460 §3; decisions A2, A44.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mailtight::tlsrpt {

enum class record_problem {
    not_a_record,           ///< does not begin with `v=TLSRPTv1` and a delimiter
    syntax,                 ///< breaks the grammar
    rua_missing,            ///< no `rua`
    rua_syntax,             ///< a rua item that is no URI (a bare address, an empty item)
    rua_scheme,             ///< a scheme other than mailto and https
    rua_unescaped,          ///< `!`, or another character that must be percent-encoded (8460-3-s)
    rua_many,               ///< more than one URI: some senders use only the first
    rua_duplicate,          ///< the same URI twice
    space_before_delimiter, ///< see sts::record_problem
    duplicate_field,        ///< a second `rua=`: the URIs are added (A44)
    unknown_field,          ///< ignored by senders; `id=` and `ruf=` are copied from other records
};
std::string_view explain(record_problem problem);

struct record_issue {
    record_problem problem;
    std::size_t offset = 0;
    std::string detail;
    friend bool operator==(const record_issue&, const record_issue&) = default;
};

/// One place that reports go to.
struct report_uri {
    enum class scheme_type { mailto, https, other } scheme = scheme_type::other;
    std::string text;    ///< as written
    std::string address; ///< mailto: the decoded address, `?...` header fields dropped (RFC 6068); else ""
    std::string host;    ///< the mail domain or the https host, lower case
    friend bool operator==(const report_uri&, const report_uri&) = default;
};

struct record {
    std::vector<report_uri> rua; ///< the URIs that are well-formed, of any scheme, in order
    std::vector<std::pair<std::string, std::string>> extensions;
    friend bool operator==(const record&, const record&) = default;
};

struct record_judgement {
    std::optional<record> value; ///< where at least one URI can be used, even if another is broken (A44)
    bool valid = false;          ///< strictly by the grammar, with at least one rua of a supported scheme
    std::vector<record_issue> issues;
};
record_judgement judge_record(std::string_view text);

/// What a sender needs of a strictly valid record, pointing into the text.
struct record_view {
    std::string_view first_uri; ///< the first one of a supported scheme
    std::size_t usable = 0;     ///< how many there are
};
/// The fast path: the grammar alone, without allocation. Says yes exactly where judge_record() says valid.
std::optional<record_view> read_record_view(std::string_view text);

bool claims_record(std::string_view text);

struct rrset_judgement {
    enum class outcome { absent, valid, invalid, multiple } result = outcome::absent;
    std::optional<std::size_t> chosen;
    std::vector<std::size_t> counted;
    std::vector<std::size_t> unrelated;
    record_judgement judgement;
};
rrset_judgement judge_rrset(std::span<const std::string> texts);

/// Reads what a person gives as a report address: `mailto:` or `https:` URI, or a bare mail address (becomes
/// mailto). Percent-encodes `,`, `!` and `;`; the error says what is wrong with it.
std::expected<report_uri, std::string> understand_rua(std::string_view text);
/// The canonical text `v=TLSRPTv1; rua=URI,URI`. At least one URI.
std::string format_record(std::span<const report_uri> rua);

} // namespace mailtight::tlsrpt
