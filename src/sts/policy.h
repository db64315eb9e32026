// SPDX-License-Identifier: Apache-2.0
// The policy body (RFC 8461 §3.2): parse, judge byte for byte, write canonical bytes. Pure; takes any bytes.
// Grammar: RFC 8461 §3.2; decisions A1, A3-A8, A10.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mailtight::sts {

enum class mode { enforce, testing, none };
std::string_view to_string(mode m);
std::optional<mode> parse_mode(std::string_view word);

struct policy {
    sts::mode mode = sts::mode::none;
    std::uint64_t max_age = 0;   ///< seconds, as written (may exceed the maximum: see effective_max_age())
    std::vector<std::string> mx; ///< patterns as written
    std::vector<std::pair<std::string, std::string>> extensions;
    /// What a sender uses: clamped to 31557600 (A4).
    std::uint64_t effective_max_age() const;
    friend bool operator==(const policy&, const policy&) = default;
};

/// What can be wrong with, or odd about, a policy body. The comment says what breaks: G the grammar, W only
/// wisdom.
enum class policy_problem {
    empty,        ///< G no bytes, or nothing but blanks
    too_large,    ///< G more than 65536 bytes (A10)
    not_a_policy, ///< G HTML, JSON or other content that never meant to be one
    encoding,     ///< G a byte that is no UTF-8, or a control character (NUL, bare CR excepted: line_ending)
    bom,          ///< G begins with a byte order mark
    bare_cr,      ///< G a CR without LF
    mixed_line_endings,   ///< W CRLF and LF in one body
    trailing_blank_lines, ///< G blank lines after the last field: tolerated by senders that read leniently
                          ///< (A7)
    blank_line,           ///< G a blank line elsewhere
    leading_space,        ///< G a line that begins with space or tab
    syntax,            ///< G any other line that is no field (`version : STSv1`, a comment, an empty value)
    version_missing,   ///< G
    version_invalid,   ///< G a value other than STSv1
    version_not_first, ///< W the administrator guides and some senders want it in the first line
    mode_missing,      ///< G
    mode_invalid,      ///< G
    max_age_missing,   ///< G
    max_age_invalid,   ///< G not 1 to 10 digits
    max_age_too_large, ///< W for the grammar, beyond 31557600: senders clamp or reject (A4)
    mx_missing,        ///< G no mx although the mode is enforce or testing
    mx_syntax,         ///< G
    mx_null,           ///< G `mx: .`, a null MX that leaked into the policy
    mx_unicode,        ///< G a U-label: detail holds it as written
    mx_address,        ///< W an IP address where a name belongs
    duplicate_field,   ///< W the first one counts (A3)
    key_case,          ///< W a known key in the wrong case: it counts as unknown (8461-3.2-p)
    unknown_field,     ///< W ignored by senders
};
std::string_view explain(policy_problem problem);
/// True where the strict grammar and cardinality of RFC 8461 §3.2 are broken by it.
bool breaks_grammar(policy_problem problem);

struct policy_issue {
    policy_problem problem;
    std::size_t line = 0;   ///< 1-based, 0 for the whole body
    std::size_t offset = 0; ///< byte offset in the body
    std::string detail;     ///< the bytes concerned, unescaped
    friend bool operator==(const policy_issue&, const policy_issue&) = default;
};

struct policy_judgement {
    std::optional<policy>
        value;          ///< what a sender reading as A7 decides would use; nothing where it must not be used
    bool valid = false; ///< strictly valid (3.G2)
    std::vector<policy_issue> issues; ///< in the order of the body, those of the whole body last
};
/// Judges a body byte for byte. Blank lines after the last field are the only deviation from the grammar
/// that still gives a value (A7); `valid` is false then.
policy_judgement judge_policy(std::string_view body);
/// The policy as a sending server uses it (lenient as A7 decides), or the first problem that makes it
/// unusable.
std::expected<policy, policy_issue> parse_policy(std::string_view body);

enum class write_error { mx_missing, mx_invalid, max_age_too_large, too_large, extension_invalid };
std::string_view explain(write_error error);
/// Canonical bytes: version, mode, mx lines in the given order, max_age; lower case, CRLF after each line and
/// nothing else. Refuses what RFC 8461 forbids, and anything beyond 65536 bytes. Extensions are written last.
std::expected<std::string, write_error> format_policy(const policy& value);

/// True where the text is `[*.]DOMAIN` of 3.G2 (a single label and an all-numeric name are grammatical).
bool valid_mx_pattern(std::string_view pattern);

} // namespace mailtight::sts
