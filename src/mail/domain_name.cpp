// SPDX-License-Identifier: Apache-2.0
// Names from remote sides, and IDNA 2008 by libidn2.
#include "mail/domain_name.h"

#include "base/host_name.h"
#include "base/limits.h"
#include "base/text.h"

#include <idn2.h>

#include <algorithm>
#include <cstdint>
#include <memory>

namespace mailtight::mail {
namespace {

namespace limits = base::limits;

struct idn_deleter {
    void operator()(char* text) const { idn2_free(text); }
};
using idn_text = std::unique_ptr<char, idn_deleter>;

// libidn2 works on whole names of any length, at a cost that grows with it: longer ones are none anyway. Four
// bytes a character, and characters that the mapping drops, leave room.
constexpr std::size_t unicode_bytes_max = 4 * limits::dns_name_text_max;

bool is_a_label(std::string_view label) {
    return label.size() > 4 && base::iequals(label.substr(0, 4), "xn--");
}

std::optional<std::string> label_to_ascii(std::string_view label) {
    const bool ascii =
        std::ranges::all_of(label, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    // Plain labels are not IDNA's business: it would refuse `_mta-sts` and `r3---sn` in use since ever.
    if (ascii && !is_a_label(label))
        return base::lower(label);
    char* out = nullptr;
    if (idn2_to_ascii_8z(std::string(label).c_str(), &out, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT) != IDN2_OK)
        return std::nullopt;
    const idn_text mapped(out);
    if (!is_a_label(mapped.get()))
        return std::string(mapped.get());
    // The mapping lets pass what IDNA 2008 itself refuses, such as U+2260, which decomposes to "=" and a
    // mark.
    std::uint8_t* strict = nullptr;
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(mapped.get());
    if (idn2_lookup_u8(bytes, &strict, IDN2_NO_TR46) != IDN2_OK)
        return std::nullopt;
    const idn_text checked(reinterpret_cast<char*>(strict));
    return std::string(checked.get());
}

} // namespace

std::optional<std::string> canonical_name(std::string_view name) {
    if (name.ends_with('.'))
        name.remove_suffix(1);
    if (!base::is_host_name(name))
        return std::nullopt;
    return base::lower(name);
}

std::optional<std::string> to_ascii(std::string_view name) {
    if (name.size() > unicode_bytes_max || name.find('\0') != std::string_view::npos || !base::is_utf8(name))
        return std::nullopt;
    std::string out;
    for (const auto label : base::split(name, '.')) {
        const auto converted = label_to_ascii(label);
        if (!converted)
            return std::nullopt;
        if (label.data() != name.data())
            out += '.';
        out += *converted;
    }
    return canonical_name(out); // the mapping may yield characters that no host name has
}

std::string with_plain_dots(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const bool dot =
            text.starts_with("\u3002") || text.starts_with("\uff0e") || text.starts_with("\uff61");
        out += dot ? '.' : text.front();
        text.remove_prefix(dot ? 3 : 1);
    }
    return out;
}

std::string to_unicode(std::string_view name) {
    if (name.size() > unicode_bytes_max || name.find('\0') != std::string_view::npos)
        return std::string(name);
    std::string out;
    for (const auto label : base::split(name, '.')) {
        if (label.data() != name.data())
            out += '.';
        char* decoded = nullptr;
        int result = IDN2_INVALID_ALABEL;
        if (is_a_label(label))
            result = idn2_to_unicode_8z8z(std::string(label).c_str(), &decoded, IDN2_NONTRANSITIONAL);
        const idn_text guard(decoded);
        // Only what leads back to the same A-label is shown decoded: else two names would look alike.
        if (result == IDN2_OK && label_to_ascii(decoded) == base::lower(label))
            out += decoded;
        else
            out += label;
    }
    return out;
}

bool is_within(std::string_view name, std::string_view ancestor) {
    if (ancestor.empty() || !base::iends_with(name, ancestor))
        return false;
    return name.size() == ancestor.size() || name[name.size() - ancestor.size() - 1] == '.';
}

std::string_view parent(std::string_view name) {
    const auto dot = name.find('.');
    return dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
}

} // namespace mailtight::mail
