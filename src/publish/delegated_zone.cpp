// SPDX-License-Identifier: Apache-2.0
#include "publish/delegated_zone.h"

#include "base/encode.h"
#include "base/text.h"
#include "mail/domain_name.h"
#include "wire/dns_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace mailtight::publish {

namespace {

constexpr unsigned record_ttl = 300; ///< RFC 8461 §8.1 wants changes of the id to be seen soon

/// RFC 1035 §5.1: quoted strings of at most 255 octets, anything special as \DDD.
std::string quoted(std::string_view value) {
    constexpr std::size_t string_max = 255;
    std::string out;
    do {
        out += out.empty() ? "\"" : " \"";
        for (const char c : value.substr(0, string_max)) {
            const auto byte = static_cast<unsigned char>(c);
            if (byte < 0x20 || byte > 0x7e || c == '"' || c == '\\')
                fmt::format_to(std::back_inserter(out), "\\{:03}", static_cast<unsigned>(byte));
            else
                out += c;
        }
        out += '"';
        value.remove_prefix(std::min(value.size(), string_max));
    } while (!value.empty());
    return out;
}

bool is_id(std::string_view text) {
    return !text.empty() && text.size() <= 32 && std::ranges::all_of(text, base::is_alnum);
}

/// A URI with the characters that would end it in the record escaped (RFC 8460 §3).
std::string record_uri(std::string_view uri) {
    std::string out;
    for (const char c : uri)
        if (c == ',' || c == '!' || c == ';')
            fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned>(c));
        else
            out += c;
    return out;
}

bool is_report_address(std::string_view uri) {
    return (uri.starts_with("mailto:") || uri.starts_with("https:")) &&
           std::ranges::all_of(uri, [](char c) { return c > 0x20 && c < 0x7f; });
}

/// Letters, digits, hyphens and underscores alone: nothing that a zone file takes for something else.
std::string or_root(std::string_view name) {
    return mail::canonical_name(name).value_or("") + ".";
}

/// A mail address as the owner of a zone: a@b.c is a.b.c, a dot before the @ is escaped (RFC 1035 §8).
std::string mailbox_name(std::string_view address) {
    const auto at = address.find('@');
    if (at == std::string_view::npos)
        return or_root(address);
    std::string local;
    for (const char c : address.substr(0, at)) {
        if (c == '.')
            local += '\\';
        if (c == '.' || c == '-' || c == '_' || c == '+' || base::is_alnum(c))
            local += c;
    }
    return (local.empty() ? "hostmaster" : local) + "." + or_root(address.substr(at + 1));
}

} // namespace

std::string delegated_target(std::string_view domain, std::string_view zone) {
    constexpr std::size_t label = 26; // 130 bits
    const auto name = wire::canonical_dns_name(domain).value_or(std::string(domain));
    return base::base32(base::sha256(name)).substr(0, label) + "." +
           wire::canonical_dns_name(zone).value_or(std::string(zone));
}

std::string tlsrpt_target(std::string_view target) {
    return "_smtp._tls." + std::string(target);
}

std::string zone_of_delegated(std::string_view zone, const std::vector<delegated_names>& names,
                              std::string_view primary, std::string_view mailbox, std::uint32_t serial,
                              const std::vector<std::string>& name_servers) {
    std::string out;
    const auto apex = or_root(zone);
    const auto line = [&out](const std::string& text) { out += text + "\n"; };
    line(fmt::format("$ORIGIN {}", apex));
    line(fmt::format("$TTL {}", record_ttl));
    line(fmt::format("@ 3600 IN SOA {} {} {} 3600 600 1209600 300", or_root(primary), mailbox_name(mailbox),
                     serial));
    for (const auto& server : name_servers)
        if (mail::canonical_name(server))
            line(fmt::format("@ 3600 IN NS {}", or_root(server)));
    auto sorted = names;
    std::ranges::sort(sorted, {}, &delegated_names::target);
    std::string last;
    for (const auto& one : sorted) {
        const auto target = mail::canonical_name(one.target);
        if (!target || !mail::is_within(*target, zone) || *target == last ||
            (!one.id.empty() && !is_id(one.id)))
            continue;
        last = *target;
        if (!one.id.empty()) // 8461-8.2-a, 8461-3.1-s
            line(fmt::format("{}. IN TXT {}", *target, quoted("v=STSv1; id=" + one.id + ";")));
        std::vector<std::string> rua;
        for (const auto& uri : one.rua)
            if (is_report_address(uri))
                rua.push_back(record_uri(uri));
        const auto reports = mail::canonical_name(tlsrpt_target(*target));
        if (!rua.empty() && reports)
            line(fmt::format("{}. IN TXT {}", *reports,
                             quoted("v=TLSRPTv1; rua=" + base::join(rua, ",") + ";")));
    }
    return out;
}

std::uint32_t next_serial(std::uint32_t before, base::utc_seconds now) {
    const auto wanted = static_cast<std::uint32_t>(now.time_since_epoch().count());
    const bool later = static_cast<std::int32_t>(wanted - before) > 0;
    return later ? wanted : before + 1;
}

} // namespace mailtight::publish
