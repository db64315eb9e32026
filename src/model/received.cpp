// SPDX-License-Identifier: Apache-2.0
// Words for trust and ways in, and the one name by which a reporter is compared.
#include "model/received.h"

#include "base/text.h"
#include "mail/domain_name.h"

#include <algorithm>
#include <array>
#include <utility>

namespace mailtight::model {
namespace {

template<class Enum, std::size_t N>
using words = std::array<std::pair<Enum, std::string_view>, N>;

constexpr words<trust, 4> trust_words{{{trust::rejected, "rejected"},
                                       {trust::unverified, "unverified"},
                                       {trust::authorised, "authorised"},
                                       {trust::verified, "verified"}}};
constexpr words<way_in, 7> way_words{{{way_in::smtp, "smtp"},
                                      {way_in::lmtp, "lmtp"},
                                      {way_in::https, "https"},
                                      {way_in::imap, "imap"},
                                      {way_in::maildir, "maildir"},
                                      {way_in::mbox, "mbox"},
                                      {way_in::file, "file"}}};

template<class Enum, std::size_t N>
std::string_view word_of(const words<Enum, N>& table, Enum e) {
    const auto found = std::ranges::find(table, e, &std::pair<Enum, std::string_view>::first);
    return found == table.end() ? std::string_view() : found->second;
}
template<class Enum, std::size_t N>
std::optional<Enum> enum_of(const words<Enum, N>& table, std::string_view word) {
    const auto found = std::ranges::find(table, word, &std::pair<Enum, std::string_view>::second);
    if (found == table.end())
        return std::nullopt;
    return found->first;
}

constexpr std::size_t name_bytes = 255; // longer names are cut: nobody's real one is

// "  Google\tInc. " and "GOOGLE INC." are one organisation: case, blanks and control characters don't count.
std::string normalised(std::string_view name) {
    std::string out;
    for (const char c : name) {
        const bool blank = static_cast<unsigned char>(c) <= ' ' || c == '\x7f';
        if (!blank)
            out += base::to_lower(c);
        else if (!out.empty() && out.back() != ' ')
            out += ' ';
    }
    if (out.size() > name_bytes) {
        std::size_t end = name_bytes;
        while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xC0) == 0x80) // not inside a character
            --end;
        out.resize(end);
    }
    while (!out.empty() && (out.back() == ' ' || out.back() == '.'))
        out.pop_back();
    return out;
}

} // namespace

std::string_view to_string(trust t) {
    return word_of(trust_words, t);
}
std::string_view to_string(way_in w) {
    return word_of(way_words, w);
}
std::optional<way_in> parse_way_in(std::string_view word) {
    return enum_of(way_words, word);
}

std::string reporter_of(const received_report& from) {
    if (const auto name = mail::canonical_name(base::trim(from.submitter)))
        return mail::organizational_domain(*name);
    if (auto name = normalised(from.report.organization_name); !name.empty())
        return name;
    return "unknown";
}

} // namespace mailtight::model
