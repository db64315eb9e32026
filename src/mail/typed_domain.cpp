// SPDX-License-Identifier: Apache-2.0
// understand_domain(): peels what people paste around a domain (quotes, a URL, a mail address, the owner
// names of the records), then judges what is left.
#include "base/ip.h"
#include "base/limits.h"
#include "base/text.h"
#include "base/utf8.h"
#include "mail/domain_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace mailtight::mail {
namespace {

namespace limits = base::limits;
using failure = std::unexpected<domain_error>;

// The longest thing worth understanding; a URL may be long.
constexpr std::size_t typed_max = 4096;
// `_smtp._tls.` is the longest owner name that the product needs in front (standards: RFC 8460 §3).
constexpr std::size_t longest_owner_prefix = std::string_view("_smtp._tls.").size();

bool remove_prefix(std::string_view& text, std::string_view prefix) {
    if (text.size() < prefix.size() || !base::iequals(text.substr(0, prefix.size()), prefix))
        return false;
    text.remove_prefix(prefix.size());
    return true;
}

// Spaces that do not look like spaces come along when copying from pages and documents.
std::string_view trim_wide(std::string_view text) {
    constexpr std::array<std::string_view, 6> blanks{"\u00a0", "\u200b", "\u200e",
                                                     "\u200f", "\ufeff", "\u3000"};
    for (bool changed = true; changed;) {
        text = base::trim(text);
        changed = false;
        for (const auto blank : blanks) {
            if (text.starts_with(blank)) {
                text.remove_prefix(blank.size());
                changed = true;
            }
            if (text.ends_with(blank)) {
                text.remove_suffix(blank.size());
                changed = true;
            }
        }
    }
    return text;
}

std::string_view unquote(std::string_view text) {
    struct pair {
        std::string_view open, close;
    };
    constexpr std::array<pair, 8> pairs{{{"\"", "\""},
                                         {"'", "'"},
                                         {"`", "`"},
                                         {"<", ">"},
                                         {"(", ")"},
                                         {"\u201c", "\u201d"},
                                         {"\u2018", "\u2019"},
                                         {"\u00ab", "\u00bb"}}};
    for (bool changed = true; changed;) {
        changed = false;
        text = trim_wide(text);
        for (const auto& [open, close] : pairs)
            if (text.size() >= open.size() + close.size() && text.starts_with(open) &&
                text.ends_with(close)) {
                text = text.substr(open.size(), text.size() - open.size() - close.size());
                changed = true;
            }
    }
    return text;
}

/// True for IPv4 and IPv6 in any dress, and for names that end in a number, which no domain does (RFC 3696
/// §2).
bool is_address(std::string_view text) {
    if (text.starts_with('[')) // an address literal of mail (RFC 5321 §4.1.3) or of a URL
        return true;
    if (text.ends_with('.'))
        text.remove_suffix(1);
    if (base::ip_address::parse(text.substr(0, text.find_first_of("/%"))))
        return true;
    const auto last = text.substr(text.rfind('.') + 1); // npos + 1 is 0: the whole text
    return !last.empty() && std::ranges::all_of(last, base::is_digit) && text.size() > last.size();
}

/// Without port, path, query and fragment; true where something was dropped.
bool cut_after_host(std::string_view& text) {
    const auto end = text.find_first_of("/?#\\");
    bool cut = end != std::string_view::npos;
    text = text.substr(0, end);
    if (const auto colon = text.rfind(':'); colon != std::string_view::npos && !is_address(text) &&
                                            std::ranges::all_of(text.substr(colon + 1), base::is_digit)) {
        text = text.substr(0, colon);
        cut = true;
    }
    return cut;
}

/// Takes the domain out of a URL or a mail address, and says so.
std::string_view peel(std::string_view text, std::vector<std::string>& notes) {
    const auto scheme_end = text.find("://");
    const bool is_url = scheme_end != std::string_view::npos || text.starts_with("//");
    if (is_url) {
        text.remove_prefix(scheme_end != std::string_view::npos ? scheme_end + 3 : 2);
        cut_after_host(text);
        text = text.substr(text.rfind('@') + 1); // user information, if any
        cut_after_host(text);
        notes.push_back(fmt::format("took the host of the URL: {}", base::printable(text, 300)));
        return text;
    }
    bool is_mail = remove_prefix(text, "mailto:") || text.find('@') != std::string_view::npos;
    if (is_mail) {
        // `Name <user@example.com>` as mail programs copy it
        if (const auto open = text.rfind('<'); open != std::string_view::npos && text.ends_with('>'))
            text = text.substr(open + 1, text.size() - open - 2);
        text = text.substr(text.rfind('@') + 1);
        text = text.substr(0, text.find('?')); // the header fields of a mailto URI
        notes.push_back(fmt::format("took the domain of the mail address: {}", base::printable(text, 300)));
        return text;
    }
    if (!is_address(text) && cut_after_host(text))
        notes.push_back(fmt::format("took the host before the port or path: {}", base::printable(text, 300)));
    return text;
}

std::optional<domain_error> wrong_with(std::string_view name) {
    if (name.size() > limits::dns_name_text_max)
        return domain_error::too_long;
    const auto labels = base::split(name, '.');
    for (const auto label : labels) {
        if (label.empty())
            return domain_error::empty_label;
        if (label.size() > limits::dns_label_max)
            return domain_error::label_too_long;
        const auto allowed = [](char c) { return base::is_alnum(c) || c == '-' || c == '_'; };
        if (!std::ranges::all_of(label, allowed) || label.front() == '-' || label.back() == '-')
            return domain_error::bad_character;
    }
    if (labels.size() == 1)
        return domain_error::single_label;
    return std::nullopt;
}

/// `mta-sts.example.com` is where the parts of a domain live, not the domain (RFC 8461 §3.1, §3.2; RFC 8460
/// §3). What stays must be able to be a domain: `mta-sts.com` and `mta-sts.co.uk` are domains themselves.
void drop_owner_prefix(std::string& name, std::vector<std::string>& notes) {
    constexpr std::array<std::string_view, 5> prefixes{"_mta-sts.", "mta-sts.", "_smtp._tls.", "_dmarc.",
                                                       "_25._tcp."};
    for (bool changed = true; changed;) {
        changed = false;
        for (const auto prefix : prefixes) {
            const std::string_view rest = std::string_view(name).substr(std::min(name.size(), prefix.size()));
            if (name.starts_with(prefix) && !wrong_with(rest) && !is_public_suffix(rest)) {
                notes.push_back(fmt::format("took {} without {} in front", rest, prefix));
                name = std::string(rest);
                changed = true;
            }
        }
    }
}

bool is_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// DNS holds them (emoji domains), and mail servers ask for them as for any ASCII name: so do we.
void note_odd_a_labels(std::string_view name, std::vector<std::string>& notes) {
    for (const auto label : base::split(name, '.'))
        if (label.starts_with("xn--") && !to_ascii(label))
            notes.push_back(fmt::format("{} is no international name that IDNA 2008 knows: taken as it is",
                                        base::printable(label, 80)));
}

domain_error why_not_ascii(std::string_view name) {
    if (name.starts_with('.') || name.find("..") != std::string_view::npos)
        return domain_error::empty_label;
    return name.size() > limits::dns_name_text_max ? domain_error::too_long : domain_error::idna;
}

} // namespace

std::string_view explain(domain_error error) {
    switch (error) {
    case domain_error::empty:
        return "no domain was given";
    case domain_error::too_long:
        return "the name is longer than the 253 characters that DNS allows";
    case domain_error::label_too_long:
        return "a part between two dots is longer than the 63 characters that DNS allows";
    case domain_error::empty_label:
        return "there is nothing between two dots, or before the first";
    case domain_error::bad_character:
        return "a domain has letters, digits, hyphens (not at the ends of a part) and dots; something else "
               "is in it";
    case domain_error::idna:
        return "its international characters are not allowed in domain names (IDNA 2008), or an xn-- part is "
               "broken";
    case domain_error::single_label:
        return "one word without a dot is not a mail domain; give it in full, such as example.com";
    case domain_error::address:
        return "an IP address (or a name that ends in a number) has no MTA-STS policy; give the domain, such "
               "as "
               "example.com";
    case domain_error::too_long_for_sts:
        return "the name is too long to have the records: _smtp._tls. and the name together exceed 253 "
               "characters";
    }
    return "unknown";
}

std::expected<typed_domain, domain_error> understand_domain(std::string_view typed) {
    typed = unquote(typed);
    if (typed.empty())
        return failure(domain_error::empty);
    if (typed.size() > typed_max)
        return failure(domain_error::too_long);
    if (!base::is_utf8(typed))
        return failure(domain_error::bad_character);

    typed_domain out;
    std::string name = with_plain_dots(unquote(peel(typed, out.notes)));
    if (is_address(name))
        return failure(domain_error::address);
    if (name.ends_with('.'))
        name.pop_back();
    if (name.empty())
        return failure(typed == "." ? domain_error::single_label : domain_error::empty);

    name = base::lower(name);
    if (is_ascii(name)) {
        note_odd_a_labels(name, out.notes);
    } else {
        auto converted = to_ascii(name);
        if (!converted)
            return failure(why_not_ascii(name));
        name = std::move(*converted);
        if (is_address(name)) // fullwidth digits are digits after the mapping
            return failure(domain_error::address);
    }
    if (const auto error = wrong_with(name))
        return failure(*error);
    drop_owner_prefix(name, out.notes);
    // 1C.9: a longer Policy Domain can have no TLSRPT record.
    if (name.size() + longest_owner_prefix > limits::dns_name_text_max)
        return failure(domain_error::too_long_for_sts);
    out.display = to_unicode(name);
    out.name = std::move(name);
    return out;
}

} // namespace mailtight::mail
