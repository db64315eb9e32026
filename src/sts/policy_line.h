// SPDX-License-Identifier: Apache-2.0
// The lines of a policy body (RFC 8461 §3.2): where each ends, and which field it is. Views into the caller's
// bytes, no allocation. The room's own: policy.h and policy_view.h are its faces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace mailtight::sts {

enum class line_end { none, lf, crlf, cr };

struct policy_line {
    std::string_view text; ///< without its terminator
    std::size_t number = 0;
    std::size_t offset = 0;
    line_end end = line_end::none;
};

/// Splits a body. A CR without LF ends a line as well, so that each line can be judged; it is `line_end::cr`,
/// which the grammar forbids.
class policy_line_reader {
public:
    explicit policy_line_reader(std::string_view body)
        : body_(body) {}
    bool read(policy_line& out);

private:
    std::string_view body_;
    std::size_t next_ = 0;
    std::size_t number_ = 0;
};

enum class policy_key { version, mode, max_age, mx, other };
/// The key of a name, case-sensitively (8461-3.2-p).
policy_key key_of(std::string_view name);

/// `NAME ":" {WSP} VALUE {WSP}`: the name well formed, the value unchecked and without the blanks around it.
struct policy_field {
    policy_key key = policy_key::other;
    std::string_view name;
    std::string_view value;
};
std::optional<policy_field> split_field(std::string_view line);

/// Nothing but spaces and tabs.
bool is_blank(std::string_view line);
/// The value of an extension field, or of a repeated one: printable UTF-8, spaces inside, not empty.
bool is_extension_text(std::string_view value);
/// 1 to 10 digits (8461-3.2-r).
std::optional<std::uint64_t> read_max_age(std::string_view value);

} // namespace mailtight::sts
