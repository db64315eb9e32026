// SPDX-License-Identifier: Apache-2.0
#include "support/proves.h"
#include "unit/advise/codes.h"
#include "unit/dane/lab_chain.h"

namespace mailtight::tests {
namespace {

using model::cert_fault;
using model::dns_status;
using model::handshake_outcome;
using model::observation;
using model::smtp_fact;
using model::smtp_outcome;

/// Changes the second MX host, at its only address.
auto second(std::function<void(smtp_fact&)> change) {
    return [change](observation& o) { change(o.mx.at(1).probes.front()); };
}
auto faulty(std::vector<cert_fault> faults) {
    return second([faults](smtp_fact& f) { f.tls.faults = faults; });
}
auto ended(smtp_outcome outcome) {
    return second([outcome](smtp_fact& f) {
        f.outcome = outcome;
        f.tls = {};
    });
}

TEST(mx_rules, one_fault_of_a_server_one_code) {
    PROVES("8461-4.2-a", "8461-4.2-b", "8461-4.2-c", "8461-7.2-a", "G1-3", "G1-4", "G3-3");
    using enum cert_fault;
    expect_exactly({
        {"no STARTTLS", {"mx.no-starttls"}, ended(smtp_outcome::no_starttls)},
        {"STARTTLS refused", {"mx.starttls-refused"}, ended(smtp_outcome::starttls_refused)},
        {"plain text after the 220", {"mx.starttls-refused"}, ended(smtp_outcome::injected)},
        {"no handshake", {"mx.starttls-refused"}, ended(smtp_outcome::handshake_failed)},
        {"TLS 1.1 only", {"mx.tls-too-old"}, second([](smtp_fact& f) {
             f.outcome = smtp_outcome::handshake_failed;
             f.tls = {};
             f.tls.outcome = handshake_outcome::protocol_too_old;
             f.tls.version = "TLSv1.1";
         })},
        {"expired", {"mx.cert-expired"}, faulty({expired})},
        {"not yet valid", {"mx.cert-not-yet-valid"}, faulty({not_yet_valid})},
        {"another name", {"mx.cert-name-mismatch"}, faulty({name_mismatch})},
        {"the common name alone", {"mx.cert-cn-only"}, faulty({name_mismatch, cn_only})},
        {"a private root", {"mx.cert-untrusted"}, faulty({untrusted})},
        {"a weak key", {"mx.cert-untrusted"}, faulty({weak})},
        {"no intermediate", {"mx.cert-chain-incomplete"}, faulty({chain_incomplete, untrusted})},
        {"self-signed", {"mx.cert-self-signed"}, faulty({self_signed, untrusted})},
        {"expired and for another name: two causes",
         {"mx.cert-expired", "mx.cert-name-mismatch"},
         faulty({expired, name_mismatch})},
        {"one of two addresses is at fault",
         {"mx.addresses-disagree"},
         [](observation& o) {
             o.mx.at(1).addresses = addresses("mx2.example.com", {"198.51.100.25", "198.51.100.26"});
             o.mx.at(1).probes.push_back(smtp("mx2.example.com", "198.51.100.26"));
             o.mx.at(1).probes.back().tls.faults = {expired};
         }},
        {"both addresses share the fault",
         {"mx.cert-expired"},
         [](observation& o) {
             o.mx.at(1).addresses = addresses("mx2.example.com", {"198.51.100.25", "198.51.100.26"});
             o.mx.at(1).probes.push_back(smtp("mx2.example.com", "198.51.100.26"));
             for (auto& probe : o.mx.at(1).probes)
                 probe.tls.faults = {expired};
         }},
    });
}

TEST(mx_rules, names_and_addresses) {
    expect_exactly({
        {"the host does not exist",
         {"mx.no-address"},
         [](observation& o) {
             o.mx.at(1).addresses = addresses("mx2.example.com", {});
             o.mx.at(1).probes.clear();
         }},
        {"the host cannot be looked up",
         {"mx.lookup-failed"},
         [](observation& o) {
             o.mx.at(1).addresses = addresses("mx2.example.com", {});
             o.mx.at(1).addresses.a.status = dns_status::servfail;
             o.mx.at(1).probes.clear();
         }},
        {"the MX records cannot be looked up",
         {"mx.lookup-failed"},
         [](observation& o) {
             set_mx(o, {});
             o.mx_set.status = dns_status::servfail;
         }},
        {"an alias",
         {"mx.is-cname"},
         [](observation& o) {
             o.mx.at(1).addresses = addresses("mx2.example.com", {"198.51.100.25"}, {"real.example.net"});
         }},
        {"an address in place of a name",
         {"mx.is-address"},
         [](observation& o) {
             o.mx.at(1) = {.host = "198.51.100.25", .preference = 20, .is_address_literal = true};
             set_policy(o, "version: STSv1\r\nmode: enforce\r\nmx: mx1.example.com\r\nmax_age: 2419200\r\n");
         }},
        {"no MX record and no address", {"mx.none"}, [](observation& o) { set_mx(o, {}); }},
        {"no MX record, the domain itself takes mail",
         {"mx.none"},
         [](observation& o) {
             set_mx(o, {mx_host("example.com", 0, "192.0.2.25")});
             o.mx_set.status = dns_status::no_data;
             o.mx_set.records.clear();
             o.implicit_mx = true;
             set_policy(o, "version: STSv1\r\nmode: enforce\r\nmx: example.com\r\nmax_age: 2419200\r\n");
         },
         "protected"},
        {"no mail at all, under a policy",
         {"mx.null"},
         [](observation& o) {
             set_mx(o, {});
             o.mx_set.status = dns_status::ok;
             o.null_mx = true;
         },
         "protected"},
    });
}

TEST(mx_rules, what_could_not_be_tested_is_no_error) {
    PROVES("8461-B-a");
    const std::vector<smtp_outcome> silent{smtp_outcome::connect_failed, smtp_outcome::banner_timeout,
                                           smtp_outcome::banner_refused, smtp_outcome::timeout,
                                           smtp_outcome::closed,         smtp_outcome::protocol_error,
                                           smtp_outcome::blocked};
    for (const smtp_outcome outcome : silent) {
        expect_exactly(
            {{std::string(model::to_string(outcome)), {"mx.unreachable"}, ended(outcome), "unverified"}});
        observation seen = healthy();
        ended(outcome)(seen);
        const auto judged = advise::judge(seen);
        EXPECT_EQ(judged.ready_to_enforce, std::nullopt);
        EXPECT_EQ(judged.exit_status(), 3);
    }
    expect_exactly({
        {"port 25 is closed from here",
         {"mx.untestable"},
         [](observation& o) {
             o.port25_closed = true;
             for (auto& host : o.mx)
                 for (auto& probe : host.probes) {
                     probe.outcome = smtp_outcome::connect_failed;
                     probe.connect = model::connect_outcome::timeout;
                     probe.tls = {};
                 }
         },
         "unverified"},
        {"not asked for",
         {},
         [](observation& o) {
             o.smtp_tried = false;
             for (auto& host : o.mx)
                 host.probes.clear();
         },
         "unverified"},
        {"IPv6 of one host is dead, IPv4 passes",
         {"mx.unreachable"},
         [](observation& o) {
             o.mx.at(0).addresses = addresses("mx1.example.com", {"192.0.2.25", "2001:db8::25"});
             o.mx.at(0).probes.push_back(smtp("mx1.example.com", "2001:db8::25"));
             o.mx.at(0).probes.back().outcome = smtp_outcome::connect_failed;
             o.mx.at(0).probes.back().tls = {};
         },
         "protected"},
    });
}

TEST(mx_rules, warnings) {
    PROVES("8461-7.1-g", "8461-7.1-h");
    expect_exactly({
        {"no handshake without SNI",
         {"mx.requires-sni"},
         second([](smtp_fact& f) {
             f.without_sni = {};
             f.without_sni.outcome = handshake_outcome::alert;
         }),
         "protected"},
        {"the second conversation was not tried",
         {},
         second([](smtp_fact& f) {
             f.tried_without_sni = false;
             f.without_sni = {};
         }),
         "protected"},
        {"the second conversation met a limit",
         {},
         second([](smtp_fact& f) {
             f.without_sni = {};
             f.without_sni.outcome = handshake_outcome::timeout;
         }),
         "protected"},
        {"another certificate without SNI is allowed",
         {},
         second([](smtp_fact& f) { f.without_sni.faults = {cert_fault::name_mismatch}; }),
         "protected"},
        {"ends in three days",
         {"mx.cert-expires-soon"},
         second([](smtp_fact& f) { f.tls.chain.front().not_after = look_time() + std::chrono::days(3); }),
         "protected"},
    });
}

TEST(mx_rules, weigh_less_without_a_policy_to_obey) {
    const auto weight = [](observation seen) {
        seen.mx.at(1).probes.front().tls.faults = {cert_fault::expired};
        const auto judged = advise::judge(seen);
        const auto* found = find(judged, "mx.cert-expired");
        return found ? found->severity : findings::severity::ok;
    };
    observation testing = healthy();
    set_policy(testing, "version: STSv1\nmode: testing\nmx: *.example.com\nmax_age: 604800\n");
    observation none = healthy();
    set_policy(none, "version: STSv1\nmode: none\nmax_age: 86400\n");
    EXPECT_EQ(weight(healthy()), findings::severity::error);
    EXPECT_EQ(weight(testing), findings::severity::error);
    EXPECT_EQ(weight(none), findings::severity::warning);
    EXPECT_EQ(weight(without_sts()), findings::severity::warning);
}

model::tlsa_fact tlsa(const std::string& host, std::vector<model::tlsa_fact::entry> records,
                      model::dnssec security = model::dnssec::secure) {
    auto fact = answer<model::tlsa_fact>("_25._tcp." + host, "TLSA");
    fact.security = security;
    fact.records = std::move(records);
    return fact;
}
model::tlsa_fact::entry key_of(const observation& o, std::size_t host) {
    return {3, 1, 1, base::sha256(o.mx.at(host).probes.front().tls.chain.front().spki_der)};
}

TEST(dane_rules, one_fault_one_code) {
    PROVES("8461-2-a", "8461-2-b", "7672-2.2-c", "7672-3.1.3-a", "7671-10.1-a");
    const auto both = [](observation& o,
                         std::function<model::tlsa_fact(const observation&, std::size_t)> make) {
        for (std::size_t i = 0; i < o.mx.size(); ++i)
            o.mx.at(i).tlsa = make(o, i);
    };
    const auto good = [](const observation& o, std::size_t i) {
        return tlsa(o.mx.at(i).host, {key_of(o, i)});
    };
    expect_exactly({
        {"both match", {"dane.present"}, [&](observation& o) { both(o, good); }, "protected"},
        {"the next key stands beside the present one",
         {"dane.present"},
         [&](observation& o) {
             both(o, [](const observation& seen, std::size_t i) {
                 return tlsa(seen.mx.at(i).host, {{3, 1, 1, std::string(32, 'n')}, key_of(seen, i)});
             });
         },
         "protected"},
        {"one host alone",
         {"dane.partial"},
         [&](observation& o) { o.mx.at(0).tlsa = good(o, 0); },
         "protected"},
        {"another key",
         {"dane.mismatch"},
         [](observation& o) {
             o.mx.at(0).tlsa = tlsa("mx1.example.com", {{3, 1, 1, std::string(32, 'x')}});
         }},
        {"usages that SMTP does not use",
         {"dane.invalid"},
         [](observation& o) {
             o.mx.at(0).tlsa = tlsa("mx1.example.com", {{1, 1, 1, std::string(32, 'x')}});
         }},
        {"broken signatures",
         {"dane.invalid"},
         [](observation& o) {
             o.mx.at(0).addresses.a.security = model::dnssec::secure;
             o.mx.at(0).tlsa.status = dns_status::bogus;
         }},
        {"the addresses are not secure: no sender asks for TLSA there, whatever the server says to it",
         {},
         [](observation& o) {
             o.mx.at(0).addresses.a.security = model::dnssec::insecure;
             o.mx.at(0).tlsa.status = dns_status::servfail;
         },
         "protected"},
        {"an unsigned zone",
         {"dane.insecure"},
         [](observation& o) {
             o.mx.at(0).tlsa = tlsa("mx1.example.com", {key_of(o, 0)}, model::dnssec::insecure);
         },
         "protected"},
        {"nobody validated: nothing is said",
         {},
         [](observation& o) {
             o.mx.at(0).tlsa =
                 tlsa("mx1.example.com", {{3, 1, 1, std::string(32, 'x')}}, model::dnssec::unknown);
         },
         "protected"},
        {"not probed: nothing is said of the match",
         {},
         [](observation& o) {
             o.mx.at(0).tlsa = tlsa("mx1.example.com", {{3, 1, 1, std::string(32, 'x')}});
             o.smtp_tried = false;
             for (auto& host : o.mx)
                 host.probes.clear();
         },
         "unverified"},
        {"the whole key is published: it matches, and the answer is large",
         {"dane.present", "dane.discouraged"},
         [&](observation& o) {
             both(o, good);
             o.mx.at(0).tlsa.records.push_back({3, 1, 0, lab_chain::leaf.spki_der});
         },
         "protected"},
        {"a usage that SMTP does not use stands beside a usable record",
         {"dane.present", "dane.discouraged"},
         [&](observation& o) {
             both(o, good);
             o.mx.at(0).tlsa.records.push_back({1, 1, 1, std::string(32, 'x')});
         },
         "protected"},
        {"the whole key in an unsigned zone: it has no effect, and that alone is told",
         {"dane.insecure"},
         [](observation& o) {
             o.mx.at(0).tlsa =
                 tlsa("mx1.example.com", {{3, 1, 0, lab_chain::leaf.spki_der}}, model::dnssec::insecure);
         },
         "protected"},
        {"the whole key, not probed: the form is told all the same",
         {"dane.discouraged"},
         [](observation& o) {
             o.mx.at(0).tlsa = tlsa("mx1.example.com", {{3, 1, 0, lab_chain::leaf.spki_der}});
             o.smtp_tried = false;
             for (auto& host : o.mx)
                 host.probes.clear();
         },
         "unverified"},
        {"self-signed and right by DANE: Gmail refuses, Outlook delivers",
         {"dane.present", "dane.disagrees-with-sts"},
         [&](observation& o) {
             both(o, good);
             o.mx.at(0).probes.front().tls.faults = {cert_fault::self_signed};
         }},
    });
    const auto judged = advise::judge([&] {
        observation o = healthy();
        both(o, good);
        return o;
    }());
    EXPECT_EQ(judged.findings.front().severity, findings::severity::ok);
    EXPECT_EQ(judged.mx.front().dane, "matches");
}

/// The key of a mail server changes while senders hold the records of before: step by step, and in the wrong
/// order.
TEST(dane_rules, a_key_changes_under_both_records) {
    PROVES("7672-4-a");
    observation before = healthy(), after = healthy();
    const model::tlsa_fact::entry old_key = key_of(before, 0);
    after.mx.at(0).probes.front().tls.chain.front().spki_der += "another key";
    const model::tlsa_fact::entry new_key = key_of(after, 0);
    ASSERT_NE(old_key.data, new_key.data);
    const auto dane = [](observation seen, std::vector<model::tlsa_fact::entry> records) {
        seen.mx.at(0).tlsa = tlsa(seen.mx.at(0).host, std::move(records));
        return advise::judge(seen);
    };
    for (const auto& both : {std::vector{old_key, new_key}, std::vector{new_key, old_key}}) {
        EXPECT_EQ(dane(before, both).mx.front().dane, "matches")
            << "the new record is there, the old key serves";
        EXPECT_EQ(dane(after, both).mx.front().dane, "matches") << "the server has switched";
    }
    EXPECT_EQ(dane(after, {new_key}).mx.front().dane, "matches") << "the old record has gone";
    // Switched before the new record stands: nobody with DANE delivers, and it is said what was forgotten.
    const auto early = dane(after, {old_key});
    EXPECT_EQ(early.mx.front().dane, "mismatch");
    const auto* found = find(early, "dane.mismatch");
    ASSERT_NE(found, nullptr);
    EXPECT_NE(found->fix.find("publish the new record at least two TTLs before"), std::string::npos)
        << found->fix;
    // Removed before the switch: the same.
    EXPECT_NE(find(dane(before, {new_key}), "dane.mismatch"), nullptr);
}

TEST(dane_rules, starttls_is_for_every_client_where_tlsa_records_promise_it) {
    PROVES("7672-9.2-a");
    const auto message = [](model::dnssec security, bool published) {
        observation seen = healthy();
        auto& host = seen.mx.at(0);
        if (published)
            host.tlsa = tlsa(host.host, {key_of(seen, 0)}, security);
        host.probes.front() = smtp(host.host, "192.0.2.25");
        host.probes.front().outcome = model::smtp_outcome::no_starttls;
        host.probes.front().tls = {};
        const auto judged = advise::judge(seen);
        const auto* found = find(judged, "mx.no-starttls");
        return found ? found->message : std::string("not found");
    };
    const std::string_view words = "although TLSA records promise it to every client";
    EXPECT_NE(message(model::dnssec::secure, true).find(words), std::string::npos);
    EXPECT_EQ(message(model::dnssec::insecure, true).find(words), std::string::npos) << "nobody uses those";
    EXPECT_EQ(message(model::dnssec::secure, false).find(words), std::string::npos);
    EXPECT_NE(message(model::dnssec::secure, false), "not found");
}

} // namespace
} // namespace mailtight::tests
