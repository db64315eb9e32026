// SPDX-License-Identifier: Apache-2.0
// Observations written by hand. healthy() is a domain in enforce without any fault; a test takes it and
// breaks one thing.
#pragma once

#include "base/encode.h"
#include "base/time.h"
#include "model/observation.h"

#include <string>
#include <utility>
#include <vector>

namespace mailtight::tests {

inline base::utc_seconds at(std::string_view text) {
    return base::parse_utc(text).value();
}
inline base::utc_seconds look_time() {
    return at("2026-01-02T03:04:05Z");
}
inline base::ip_address ip(std::string_view text) {
    return base::ip_address::parse(text).value();
}

/// An answer of the given status; `chain` holds the CNAME targets.
template<class Fact = model::dns_fact>
Fact answer(std::string name, std::string type, model::dns_status status = model::dns_status::ok,
            std::vector<std::string> chain = {}) {
    Fact fact;
    fact.name = std::move(name);
    fact.type = std::move(type);
    fact.status = status;
    fact.security = model::dnssec::insecure;
    fact.ttl = 300;
    fact.chain = std::move(chain);
    return fact;
}
inline model::txt_fact txt(std::string name, std::vector<std::string> texts,
                           std::vector<std::string> chain = {}) {
    auto fact = answer<model::txt_fact>(std::move(name), "TXT",
                                        texts.empty() ? model::dns_status::nx_domain : model::dns_status::ok,
                                        std::move(chain));
    fact.texts = std::move(texts);
    return fact;
}
inline model::address_fact addresses(const std::string& name, std::vector<std::string> texts,
                                     std::vector<std::string> chain = {}) {
    model::address_fact fact;
    bool v4 = false, v6 = false;
    for (const std::string& text : texts) {
        fact.addresses.push_back(ip(text));
        (fact.addresses.back().is_v4() ? v4 : v6) = true;
    }
    const auto status = [&](bool has) {
        return has             ? model::dns_status::ok
               : texts.empty() ? model::dns_status::nx_domain
                               : model::dns_status::no_data;
    };
    fact.a = answer(name, "A", status(v4), chain);
    fact.aaaa = answer(name, "AAAA", status(v6), chain);
    return fact;
}

/// A certificate for these names: 90 days long, 60 of them left.
inline base::certificate certificate(std::vector<std::string> names) {
    base::certificate cert;
    cert.common_name = names.empty() ? "" : names.front();
    cert.dns_names = std::move(names);
    cert.subject = "CN=" + cert.common_name;
    cert.issuer = "CN=R11,O=Let's Encrypt,C=US";
    cert.issuer_organization = "Let's Encrypt";
    cert.not_before = look_time() - std::chrono::days(30);
    cert.not_after = look_time() + std::chrono::days(60);
    cert.key = "EC P-256";
    cert.spki_der = "spki of " + cert.common_name;
    cert.der = "der of " + cert.common_name;
    return cert;
}
inline model::tls_fact tls(std::string name) {
    model::tls_fact fact;
    fact.outcome = model::handshake_outcome::completed;
    fact.version = "TLSv1.3";
    fact.trusted = true;
    fact.chain = {certificate({std::move(name)})};
    return fact;
}
inline model::fetch_fact fetch(const std::string& domain, std::string_view address, std::string body,
                               std::string agent = "mailtight") {
    model::fetch_fact fact;
    fact.address = ip(address);
    fact.agent = std::move(agent);
    fact.outcome = model::fetch_outcome::fetched;
    fact.connect = model::connect_outcome::connected;
    fact.tls = tls("mta-sts." + domain);
    fact.status = 200;
    fact.content_type = "text/plain; charset=utf-8";
    fact.body = std::move(body);
    fact.took = std::chrono::milliseconds(120);
    return fact;
}
inline model::smtp_fact smtp(const std::string& host, std::string_view address) {
    model::smtp_fact fact;
    fact.host = host;
    fact.address = ip(address);
    fact.outcome = model::smtp_outcome::tls;
    fact.connect = model::connect_outcome::connected;
    fact.tls = tls(host);
    fact.tried_without_sni = true;
    fact.without_sni = tls(host);
    return fact;
}
/// An MX host that passes everything, at one address.
inline model::mx_host_fact mx_host(const std::string& host, std::uint16_t preference,
                                   std::string_view address) {
    model::mx_host_fact fact;
    fact.host = host;
    fact.preference = preference;
    fact.addresses = addresses(host, {std::string(address)});
    fact.probes = {smtp(host, address)};
    fact.tlsa = answer<model::tlsa_fact>("_25._tcp." + host, "TLSA", model::dns_status::nx_domain);
    return fact;
}
inline void set_mx(model::observation& seen, std::vector<model::mx_host_fact> hosts) {
    seen.mx_set = answer<model::mx_set_fact>(
        seen.domain, "MX", hosts.empty() ? model::dns_status::no_data : model::dns_status::ok);
    for (const auto& host : hosts)
        seen.mx_set.records.push_back({host.preference, host.host});
    seen.mx = std::move(hosts);
}
inline void set_policy(model::observation& seen, const std::string& body) {
    for (auto& one : seen.fetches)
        one.body = body;
}

inline const std::string healthy_policy = "version: STSv1\r\nmode: enforce\r\nmx: mx1.example.com\r\n"
                                          "mx: mx2.example.com\r\nmax_age: 2419200\r\n";
inline const std::string healthy_record = "v=STSv1; id=20260101000000";

inline model::observation healthy() {
    model::observation seen;
    seen.domain = seen.display = "example.com";
    seen.checked_at = look_time();
    seen.sts_txt = txt("_mta-sts.example.com", {healthy_record});
    seen.sts_by_server = {
        {"ns1.example.net", ip("192.0.2.53"), model::dns_status::ok, {healthy_record}, 300, ""},
        {"ns2.example.net", ip("198.51.100.53"), model::dns_status::ok, {healthy_record}, 300, ""}};
    seen.tlsrpt_txt = txt("_smtp._tls.example.com", {"v=TLSRPTv1; rua=mailto:tls-report@example.com"});
    seen.sts_doubled = txt("_mta-sts.example.com.example.com", {});
    seen.tlsrpt_doubled = txt("_smtp._tls.example.com.example.com", {});
    seen.sts_obsolete = txt("_smtp-sts.example.com", {});
    seen.wildcard_txt = txt("_x7f3k.example.com", {});
    seen.apex_txt = txt("example.com", {"v=spf1 mx -all"});
    seen.dmarc_txt = txt("_dmarc.example.com", {"v=DMARC1; p=none"});
    seen.zone_soa = answer("example.com", "SOA");
    seen.zone_ns = answer<model::ns_fact>("example.com", "NS");
    seen.zone_ns.hosts = {"ns1.example.net", "ns2.example.net"};
    seen.policy_host = addresses("mta-sts.example.com", {"192.0.2.80", "2001:db8::80"});
    seen.policy_host_sibling = addresses("x7f3k.example.com", {});
    seen.fetches = {fetch("example.com", "192.0.2.80", healthy_policy),
                    fetch("example.com", "2001:db8::80", healthy_policy),
                    fetch("example.com", "192.0.2.80", healthy_policy, "")};
    seen.caa = answer<model::caa_fact>("mta-sts.example.com", "CAA", model::dns_status::no_data);
    set_mx(seen,
           {mx_host("mx1.example.com", 10, "192.0.2.25"), mx_host("mx2.example.com", 20, "198.51.100.25")});
    seen.smtp_tried = true;
    model::rua_fact rua;
    rua.uri = "mailto:tls-report@example.com";
    rua.mailto = true;
    rua.mx = seen.mx_set;
    seen.rua = {rua};
    return seen;
}

/// The same domain without any MTA-STS.
inline model::observation without_sts() {
    model::observation seen = healthy();
    seen.sts_txt = txt("_mta-sts.example.com", {});
    seen.sts_by_server.clear();
    seen.policy_host = addresses("mta-sts.example.com", {});
    seen.fetches.clear();
    return seen;
}

} // namespace mailtight::tests
