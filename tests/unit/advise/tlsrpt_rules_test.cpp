// SPDX-License-Identifier: Apache-2.0
#include "support/proves.h"
#include "unit/advise/codes.h"

namespace mailtight::tests {
namespace {

using model::dns_status;
using model::observation;

auto record(std::vector<std::string> texts) {
    return [texts](observation& o) {
        o.tlsrpt_txt = txt("_smtp._tls.example.com", texts);
        o.rua.clear();
    };
}

TEST(tlsrpt_rules, never_break_the_verdict) {
    PROVES("8460-3-b", "8460-3-c", "8460-3-p", "8460-3-s", "8460-3-v", "G2-8", "G2-21", "G2-22", "G3-42",
           "G4-4", "G4-19");
    const auto rows = std::vector<change>{
        {"no record", {"tlsrpt.absent"}, record({}), "protected"},
        {"unrelated text", {"tlsrpt.absent"}, record({"v=spf1 -all"}), "protected"},
        {"two records",
         {"tlsrpt.multiple"},
         record({"v=TLSRPTv1; rua=mailto:a@example.com", "v=TLSRPTv1; rua=mailto:b@example.com"}),
         "protected"},
        {"wrong case", {"tlsrpt.syntax"}, record({"v=tlsrptv1; rua=mailto:a@example.com"}), "protected"},
        {"a space for a comma",
         {"tlsrpt.syntax"},
         record({"v=TLSRPTv1; rua=mailto:a@example.com mailto:b@example.com"}),
         "protected"},
        {"no address", {"tlsrpt.rua-missing"}, record({"v=TLSRPTv1; foo=bar"}), "protected"},
        {"RUA is another field",
         {"tlsrpt.rua-missing"},
         record({"v=TLSRPTv1; RUA=mailto:a@example.com"}),
         "protected"},
        {"http", {"tlsrpt.rua-scheme"}, record({"v=TLSRPTv1; rua=http://example.com/r"}), "protected"},
        {"no mailto:", {"tlsrpt.rua-scheme"}, record({"v=TLSRPTv1; rua=a@example.com"}), "protected"},
        {"a size limit",
         {"tlsrpt.rua-unescaped"},
         record({"v=TLSRPTv1; rua=mailto:a@example.com!10m"}),
         "protected"},
        {"two addresses",
         {"tlsrpt.rua-many"},
         record({"v=TLSRPTv1; rua=mailto:a@example.com,mailto:b@example.com"}),
         "protected"},
        {"an escaped character is right",
         {},
         record({"v=TLSRPTv1; rua=mailto:a%21b@example.com"}),
         "protected"},
        {"an extension is allowed", {}, record({"v=TLSRPTv1; rua=mailto:a@example.com; x=1"}), "protected"},
        {"the look-up failed: nothing is known",
         {},
         [](observation& o) {
             o.tlsrpt_txt = answer<model::txt_fact>("_smtp._tls.example.com", "TXT", dns_status::servfail);
         },
         "protected"},
        {"a doubled name alone",
         {"tlsrpt.doubled-name"},
         [](observation& o) {
             record({})(o);
             o.tlsrpt_doubled = txt(o.tlsrpt_doubled.name, {"v=TLSRPTv1; rua=mailto:a@example.com"});
         },
         "protected"},
    };
    expect_exactly(rows);
}

TEST(tlsrpt_rules, destinations) {
    PROVES("G2-7", "G2-10");
    const auto mail = [](std::function<void(model::rua_fact&)> change) {
        return [change](observation& o) { change(o.rua.at(0)); };
    };
    const auto https = [](std::function<void(model::rua_fact&)> change) {
        return [change](observation& o) {
            model::rua_fact rua;
            rua.uri = "https://reports.example.net/v1";
            rua.addresses = addresses("reports.example.net", {"192.0.2.99"});
            rua.connect = model::connect_outcome::connected;
            rua.tls = tls("reports.example.net");
            change(rua);
            o.rua = {rua};
        };
    };
    expect_exactly({
        {"null MX",
         {"tlsrpt.rua-mail-undeliverable"},
         mail([](model::rua_fact& r) { r.mx.records = {{0, ""}}; }),
         "protected"},
        {"no such domain",
         {"tlsrpt.rua-mail-undeliverable"},
         mail([](model::rua_fact& r) {
             r.mx = answer<model::mx_set_fact>("example.com", "MX", dns_status::nx_domain);
             r.addresses = addresses("example.com", {});
         }),
         "protected"},
        {"no MX, but an address",
         {},
         mail([](model::rua_fact& r) {
             r.mx = answer<model::mx_set_fact>("example.com", "MX", dns_status::no_data);
             r.addresses = addresses("example.com", {"192.0.2.25"});
         }),
         "protected"},
        {"the look-up failed",
         {},
         mail([](model::rua_fact& r) {
             r.mx = answer<model::mx_set_fact>("example.com", "MX", dns_status::timeout);
         }),
         "protected"},
        {"upload works", {}, https([](model::rua_fact&) {}), "protected"},
        {"nothing listens",
         {"tlsrpt.rua-https-failed"},
         https([](model::rua_fact& r) { r.connect = model::connect_outcome::refused; }),
         "protected"},
        {"no such host",
         {"tlsrpt.rua-https-failed"},
         https([](model::rua_fact& r) { r.addresses = addresses("reports.example.net", {}); }),
         "protected"},
        {"an expired certificate",
         {"tlsrpt.rua-https-failed"},
         https([](model::rua_fact& r) { r.tls.faults = {model::cert_fault::expired}; }),
         "protected"},
        {"not tried",
         {},
         https([](model::rua_fact& r) { r.connect = model::connect_outcome::not_tried; }),
         "protected"},
    });
}

TEST(tlsrpt_rules, an_invalid_part_makes_the_status_1) {
    observation seen = healthy();
    record({"v=TLSRPTv1; foo=bar"})(seen);
    EXPECT_EQ(advise::judge(seen).exit_status(), 1);
    EXPECT_EQ(advise::judge(seen).tlsrpt_record, advise::part_state::invalid);
    observation absent = healthy();
    record({})(absent);
    EXPECT_EQ(advise::judge(absent).exit_status(), 0);
    EXPECT_EQ(advise::judge(absent).tlsrpt_record, advise::part_state::missing);
}

} // namespace
} // namespace mailtight::tests
