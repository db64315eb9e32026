// SPDX-License-Identifier: Apache-2.0
// The shape that the TXT records of RFC 8461 §3.1 and RFC 8460 §3 share:
//   VERSION ( DELIM name "=" value )+ [ DELIM ]      DELIM = {WSP} ";" {WSP}
// A reader over the caller's bytes: nothing is copied, nothing is allocated, any bytes are taken. What a
// value may hold is the caller's business, except for tag::is_extension().
#pragma once

#include "base/text.h"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::base {

inline constexpr std::size_t tag_name_max = 32; ///< RFC 8461 §3.1, RFC 8460 §3

/// A name of an extension field: a letter or digit, then up to 31 of letters, digits, `_`, `-`, `.`.
constexpr bool is_tag_name(std::string_view name) {
    if (name.empty() || name.size() > tag_name_max || !is_alnum(name.front()))
        return false;
    for (char c : name)
        if (!is_alnum(c) && c != '_' && c != '-' && c != '.')
            return false;
    return true;
}
/// A value of an extension field: printable ASCII without `=`, `;` and space; not empty.
constexpr bool is_tag_value(std::string_view value) {
    for (char c : value)
        if (c < '!' || c > '~' || c == '=' || c == ';')
            return false;
    return !value.empty();
}

/// One field, as found between two delimiters.
struct tag {
    enum class shape {
        field,  ///< `name=value`, the name well formed; the value is unchecked
        broken, ///< anything else: an empty field, no `=`, a bad name, blanks after the last field
    } shape = shape::broken;
    std::string_view name;  ///< "" where broken
    std::string_view value; ///< "" where broken
    std::string_view text;  ///< the whole field without the delimiters' blanks
    std::size_t offset = 0; ///< of `text` in the record

    constexpr bool is_extension() const { return shape == shape::field && is_tag_value(value); }
};

/// How a text relates to a version word.
enum class tag_version {
    foreign, ///< another text: does not begin with the word, or the word goes on (`v=STSv10`)
    alone,   ///< the word without a delimiter behind it (`v=STSv1`, `v=STSv1, id=1`)
    exact,   ///< the word and `;`
    spaced,  ///< the word, blanks, `;`
};
constexpr tag_version version_of(std::string_view text, std::string_view version) {
    if (!text.starts_with(version))
        return tag_version::foreign;
    text.remove_prefix(version.size());
    if (text.starts_with(';'))
        return tag_version::exact;
    if (!text.empty() && is_alnum(text.front()))
        return tag_version::foreign;
    const std::size_t after = text.find_first_not_of(" \t");
    return after != text.npos && text[after] == ';' ? tag_version::spaced : tag_version::alone;
}

/// Which texts of an RRset count as records of a version. A single text is judged by the grammar; of several,
/// only those with the exact beginning count (8461-3.1-n, 8460-3-u; A2).
struct tag_selection {
    std::vector<std::size_t> counted;   ///< indexes
    std::vector<std::size_t> unrelated; ///< indexes of those that senders throw away
};
inline tag_selection select_tagged(std::span<const std::string> texts, std::string_view version) {
    tag_selection out;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        const auto how = version_of(texts[i], version);
        const bool counts = texts.size() == 1 ? how != tag_version::foreign : how == tag_version::exact;
        (counts ? out.counted : out.unrelated).push_back(i);
    }
    return out;
}

/// Walks the fields behind the version word. Construct it only for a text that version_of() calls exact or
/// spaced. A field at least is required: a text that ends after the first delimiter yields one broken, empty
/// field.
class tag_reader {
public:
    constexpr tag_reader(std::string_view text, std::string_view version)
        : text_(text)
        , next_(text.find(';', version.size()) + 1) {}

    /// The next field, or false at the end. One pass over the bytes, whatever they are.
    constexpr bool read(tag& out) {
        if (done_)
            return false;
        std::size_t begin = next_;
        while (begin < text_.size() && is_wsp(text_[begin]))
            ++begin;
        if (begin == text_.size() && any_) // the optional delimiter at the end
            return false;
        any_ = true;
        std::size_t end = text_.find(';', begin);
        if (end == text_.npos) {
            end = text_.size(); // blanks at the very end belong to no delimiter, and break the field
            done_ = true;
        } else {
            next_ = end + 1;
            while (end > begin && is_wsp(text_[end - 1]))
                --end;
        }
        out = {};
        out.text = text_.substr(begin, end - begin);
        out.offset = begin;
        const std::size_t equals = out.text.find('=');
        if (equals == out.text.npos || !is_tag_name(out.text.substr(0, equals)) ||
            (done_ && is_wsp(out.text.back())))
            return true;
        out.shape = tag::shape::field;
        out.name = out.text.substr(0, equals);
        out.value = out.text.substr(equals + 1);
        return true;
    }

private:
    std::string_view text_;
    std::size_t next_;
    bool any_ = false;
    bool done_ = false;
};

} // namespace mailtight::base
