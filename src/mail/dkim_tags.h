// SPDX-License-Identifier: Apache-2.0
// The tag lists of DKIM (RFC 6376 §3.2), as they stand in signatures and in key records. Pure; takes any
// bytes; the values are views.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::mail {

struct dkim_tag {
    std::string_view name;
    std::string_view value; ///< without blanks and foldings around it
    std::size_t begin = 0;  ///< of the bytes between `=` and `;` in the text, blanks included
    std::size_t end = 0;
};

class dkim_tags {
public:
    /// Nothing where the text is no tag list: no `=`, a name that is none, a name twice, more than 64 tags.
    static std::optional<dkim_tags> read(std::string_view text);
    /// The tag of that name (case matters), or nullptr.
    const dkim_tag* find(std::string_view name) const;
    /// Its value, or the given default where it is not there.
    std::string_view value(std::string_view name, std::string_view otherwise = "") const;
    const std::vector<dkim_tag>& all() const { return tags_; }

private:
    std::vector<dkim_tag> tags_;
};

/// The items of a colon list, without the blanks and foldings around each.
std::vector<std::string_view> colon_list(std::string_view value);
/// True where the colon list holds the word, ASCII case-insensitively.
bool colon_list_has(std::string_view value, std::string_view word);
/// Base64 with blanks and foldings anywhere in it; nothing where it is none or empty.
std::optional<std::string> folded_base64(std::string_view value);

} // namespace mailtight::mail
