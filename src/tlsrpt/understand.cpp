// SPDX-License-Identifier: Apache-2.0
// What a person types as a report address, turned into what a record may hold.
#include "base/text.h"
#include "tlsrpt/report_uri.h"

namespace mailtight::tlsrpt {
namespace {
constexpr std::string_view hex_digits = "0123456789ABCDEF";

// Encodes every byte that `keep` does not let through.
template<class Keep>
std::string percent_encoded(std::string_view text, Keep keep) {
    std::string out;
    for (char c : text) {
        if (keep(c)) {
            out += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out += '%';
            out += hex_digits[byte >> 4];
            out += hex_digits[byte & 15];
        }
    }
    return out;
}
// 8460-3-s: the three that divide records and lists.
std::string without_dividers(std::string_view uri) {
    return percent_encoded(uri, [](char c) { return c != ',' && c != '!' && c != ';'; });
}
std::string mailto_of(std::string_view local, std::string_view domain) {
    constexpr std::string_view plain = "-._~$'*+";
    return "mailto:" +
           percent_encoded(local, [&](char c) { return base::is_alnum(c) || plain.find(c) != plain.npos; }) +
           "@" + std::string(domain);
}
bool is_ascii(std::string_view text) {
    for (char c : text)
        if (c < 0)
            return false;
    return true;
}
} // namespace

std::expected<report_uri, std::string> understand_rua(std::string_view typed) {
    const std::string_view text = base::trim(typed);
    if (text.empty())
        return std::unexpected("the report address is empty");
    const std::size_t colon = text.find(':');
    const std::size_t at = text.rfind('@');
    const std::string_view scheme = colon == text.npos ? "" : text.substr(0, colon);
    const bool https = base::iequals(scheme, "https");
    const bool mailto = base::iequals(scheme, "mailto");
    if (base::iequals(scheme, "http"))
        return std::unexpected("senders deliver reports to mailto and https only: write https");

    std::string uri;
    if (https || mailto) {
        for (std::string_view next : {",mailto:", ",https:"})
            if (base::lower(text).find(next) != std::string::npos)
                return std::unexpected("give one report address at a time");
        uri = without_dividers(text);
    } else if (at != text.npos) {
        if (text.find('@') != at && text.find('"') == text.npos)
            return std::unexpected("give one report address at a time");
        uri = mailto_of(text.substr(0, at), text.substr(at + 1));
    } else {
        return std::unexpected("a report address is a mail address, mailto:ADDRESS or https://HOST/PATH");
    }

    if (auto out = read_report_uri(uri))
        return std::move(*out);
    if (!is_ascii(at == text.npos ? text : text.substr(at + 1)))
        return std::unexpected("write the domain of the report address in its xn-- form");
    return std::unexpected(https ? "this is no https URI with a host name: https://HOST/PATH"
                                 : "this is no mail address: NAME@DOMAIN");
}

std::string format_record(std::span<const report_uri> rua) {
    std::string out = "v=TLSRPTv1; rua=";
    for (std::size_t i = 0; i < rua.size(); ++i) {
        if (i > 0)
            out += ',';
        out += rua[i].text;
    }
    return out;
}

} // namespace mailtight::tlsrpt
