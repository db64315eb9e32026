// SPDX-License-Identifier: Apache-2.0
// The machine forms; the one for people is dns_table.cpp. Each writer takes the records that are to be
// published.
#include "advise/dns_forms.h"

#include "advise/dns_quote.h"
#include "advise/dns_table.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace mailtight::advise {
namespace {

using records = std::vector<suggested_record>;

constexpr std::array names{
    std::pair{dns_format::table, std::string_view("table")},
    std::pair{dns_format::bind, std::string_view("bind")},
    std::pair{dns_format::nsupdate, std::string_view("nsupdate")},
    std::pair{dns_format::dnscontrol, std::string_view("dnscontrol")},
    std::pair{dns_format::octodns, std::string_view("octodns")},
    std::pair{dns_format::terraform, std::string_view("terraform")},
    std::pair{dns_format::cloudflare, std::string_view("cloudflare")},
    std::pair{dns_format::route53, std::string_view("route53")},
};

/// The value in a zone file.
std::string zone_value(const suggested_record& record) {
    if (record.type == "TXT")
        return zone_text(record.value);
    return record.type == "CNAME" ? zone_name(record.value) : record.value;
}

/// A CNAME's target with a final dot, everything else as it is.
std::string dotted(const suggested_record& record) {
    return record.type == "CNAME" && !record.value.ends_with('.') ? record.value + "." : record.value;
}

std::string before_record(const suggested_record& record, std::string_view comment, std::string_view domain) {
    if (record.step != 4)
        return "";
    return fmt::format("{} The policy has to be served at mta-sts.{} before the next record is published.\n",
                       comment, base::printable(domain));
}

std::string bind(const records& all, const dns_place& where) {
    std::string out;
    for (const suggested_record& r : all)
        out += before_record(r, ";", where.domain) +
               fmt::format("{} {} IN {} {}\n", zone_name(r.name), r.ttl, r.type, zone_value(r));
    return out;
}

std::string nsupdate(const records& all, const dns_place& where) {
    std::string out = fmt::format("zone {}\n", zone_name(where.zone));
    for (const suggested_record& r : all) {
        out += before_record(r, ";", where.domain);
        // One by one, never the whole RRset: a foreign record at the name stays (RFC 2136 §2.5.4).
        for (const auto& [type, value] : r.replaces) {
            suggested_record old = r;
            old.type = type;
            old.value = value;
            out += fmt::format("update delete {} {} {}\n", zone_name(r.name), type, zone_value(old));
        }
        out += fmt::format("update add {} {} {} {}\nsend\n", zone_name(r.name), r.ttl, r.type, zone_value(r));
    }
    return out;
}

std::string dnscontrol(const records& all, const dns_place& where) {
    std::string out = fmt::format("D_EXTEND({},\n", json_string(where.zone));
    for (const suggested_record& r : all)
        out += fmt::format("  {}({}, {}, TTL({})),\n", r.type, json_string(relative_name(r.name, where.zone)),
                           json_string(dotted(r)), r.ttl);
    return out + ");\n";
}

std::string octodns(const records& all, const dns_place& where) {
    std::string out = "---\n";
    for (const suggested_record& r : all) {
        std::string value = dotted(r);
        if (r.type == "TXT") { // OctoDNS wants the semicolons of a TXT value escaped
            value.clear();
            for (const char c : r.value)
                value += c == ';' ? std::string("\\;") : std::string(1, c);
        }
        out += fmt::format("{}:\n  type: {}\n  ttl: {}\n  value: {}\n",
                           json_string(relative_name(r.name, where.zone)), r.type, r.ttl, json_string(value));
    }
    return out;
}

/// A resource name: letters, digits and underscores.
std::string identifier(const suggested_record& record) {
    if (const auto key = record.name.find("._domainkey."); key != std::string::npos) {
        std::string name = "dkim_" + record.name.substr(0, key);
        std::ranges::replace_if(name, [](char c) { return c == '-' || c == '.'; }, '_');
        return name;
    }
    return record.step == 1 ? "smtp_tls" : record.step == 2 ? "mta_sts_host" : "mta_sts";
}

std::string terraform(const records& all, const dns_place& where) {
    std::string out;
    const std::string_view provider = where.provider ? where.provider->name : "";
    for (const suggested_record& r : all) {
        const std::string relative = hcl_string(relative_name(r.name, where.zone));
        if (provider == "Cloudflare") {
            out += fmt::format(
                "resource \"cloudflare_dns_record\" \"{}\" {{\n  zone_id = var.zone_id\n  name    = {}\n"
                "  type    = \"{}\"\n  content = {}\n  ttl     = {}\n  proxied = false\n}}\n\n",
                identifier(r), hcl_string(r.name), r.type,
                hcl_string(r.type == "TXT" ? zone_text(r.value) : r.value), r.ttl);
        } else if (provider == "Amazon Route 53") {
            out += fmt::format(
                "resource \"aws_route53_record\" \"{}\" {{\n  zone_id = var.zone_id\n  name    = {}\n"
                "  type    = \"{}\"\n  ttl     = {}\n  records = [{}]\n}}\n\n",
                identifier(r), hcl_string(r.name), r.type, r.ttl, hcl_string(r.value));
        } else {
            const std::string kind = r.type == "TXT"     ? "dns_txt_record_set"
                                     : r.type == "CNAME" ? "dns_cname_record"
                                     : r.type == "A"     ? "dns_a_record_set"
                                                         : "dns_aaaa_record_set";
            const std::string value = r.type == "TXT" ? fmt::format("txt  = [{}]", hcl_string(r.value))
                                      : r.type == "CNAME"
                                          ? fmt::format("cname = {}", hcl_string(dotted(r)))
                                          : fmt::format("addresses = [{}]", hcl_string(r.value));
            out +=
                fmt::format("resource \"{}\" \"{}\" {{\n  zone = {}\n  name = {}\n  {}\n  ttl  = {}\n}}\n\n",
                            kind, identifier(r), hcl_string(where.zone + "."), relative, value, r.ttl);
        }
    }
    return out;
}

/// The body of Cloudflare's batch call for DNS records.
std::string cloudflare(const records& all) {
    std::string out = "{\n  \"posts\": [\n";
    for (std::size_t i = 0; i < all.size(); ++i)
        out += fmt::format(
            "    {{\"type\": \"{}\", \"name\": {}, \"content\": {}, \"ttl\": {}, \"proxied\": false}}{}\n",
            all[i].type, json_string(all[i].name),
            json_string(all[i].type == "TXT" ? zone_text(all[i].value) : all[i].value),
            std::max<std::uint32_t>(all[i].ttl, 120), i + 1 < all.size() ? "," : "");
    return out + "  ]\n}\n";
}

/// The change batch of `aws route53 change-resource-record-sets`.
std::string route53(const records& all) {
    std::string out = "{\n  \"Changes\": [\n";
    for (std::size_t i = 0; i < all.size(); ++i)
        out += fmt::format(
            "    {{\"Action\": \"UPSERT\", \"ResourceRecordSet\": {{\"Name\": {}, \"Type\": \"{}\", "
            "\"TTL\": {}, \"ResourceRecords\": [{{\"Value\": {}}}]}}}}{}\n",
            json_string(zone_name(all[i].name)), all[i].type, all[i].ttl, json_string(zone_value(all[i])),
            i + 1 < all.size() ? "," : "");
    return out + "  ]\n}\n";
}

} // namespace

std::string_view to_string(dns_format format) {
    for (const auto& [value, name] : names)
        if (value == format)
            return name;
    return "table";
}

std::optional<dns_format> parse_dns_format(std::string_view word) {
    for (const auto& [value, name] : names)
        if (name == word)
            return value;
    return std::nullopt;
}

dns_place place_of(const model::observation& seen) {
    dns_place place{.domain = seen.domain, .zone = seen.zone_soa.name, .servers = seen.zone_ns.hosts};
    // A zone that is not known, or not above the domain, is taken to be the domain itself.
    if (place.zone.empty() || (place.zone != seen.domain && !base::iends_with(seen.domain, "." + place.zone)))
        place.zone = seen.domain;
    place.provider = dns_provider_of(place.servers);
    return place;
}

std::string dns_document(const suggestion& what, const dns_place& where, dns_format format,
                         std::size_t width) {
    if (format == dns_format::table)
        return dns_table(what, where, width);
    records all;
    for (const suggested_record& record : what.records)
        if (!record.already_right) {
            all.push_back(record);
            if (where.provider)
                all.back().ttl = std::max(record.ttl, where.provider->min_ttl);
        }
    switch (format) {
    case dns_format::table:
        break;
    case dns_format::bind:
        return bind(all, where);
    case dns_format::nsupdate:
        return nsupdate(all, where);
    case dns_format::dnscontrol:
        return dnscontrol(all, where);
    case dns_format::octodns:
        return octodns(all, where);
    case dns_format::terraform:
        return terraform(all, where);
    case dns_format::cloudflare:
        return cloudflare(all);
    case dns_format::route53:
        return route53(all);
    }
    return "";
}

} // namespace mailtight::advise
