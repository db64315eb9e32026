// SPDX-License-Identifier: Apache-2.0
#include "support/proves.h"
#include "unit/advise/codes.h"

namespace mailtight::tests {
namespace {

using model::dns_status;
using model::observation;

void record(observation& seen, std::vector<std::string> texts) {
    seen.sts_txt = txt("_mta-sts.example.com", std::move(texts));
    seen.sts_by_server.clear();
}

TEST(sts_record_rules, a_healthy_domain_has_no_finding) {
    EXPECT_EQ(codes_of(healthy()), codes{});
    EXPECT_EQ(advise::judge(healthy()).verdict, advise::verdict::protected_);
}

TEST(sts_record_rules, one_fault_one_code) {
    PROVES("8461-3.1-d", "8461-3.1-j", "8461-3.1-o", "8461-3.1-p", "8461-3.1-t", "G2-25", "G3-45");
    expect_exactly({
        {"two records count: as if there were none",
         {"sts-record.multiple"},
         [](observation& o) { record(o, {healthy_record, "v=STSv1; id=2"}); }},
        {"a field without a value",
         {"sts-record.syntax"},
         [](observation& o) { record(o, {"v=STSv1; id=1; nonsense"}); }},
        {"wrong case of the version",
         {"sts-record.syntax"},
         [](observation& o) { record(o, {"V=stsv1; id=1"}); }},
        {"literal quotes", {"sts-record.syntax"}, [](observation& o) { record(o, {"\"v=STSv1; id=1\""}); }},
        {"a space first", {"sts-record.syntax"}, [](observation& o) { record(o, {" v=STSv1; id=1"}); }},
        {"no id", {"sts-record.id-missing"}, [](observation& o) { record(o, {"v=STSv1; foo=bar"}); }},
        {"a hyphen in the id",
         {"sts-record.id-invalid"},
         [](observation& o) { record(o, {"v=STSv1; id=2020-01-01"}); }},
        {"33 characters of id",
         {"sts-record.id-invalid"},
         [](observation& o) { record(o, {"v=STSv1; id=" + std::string(33, 'a')}); }},
        {"an alias without a record at its end",
         {"sts-record.cname-dangling"},
         [](observation& o) { o.sts_txt = txt("_mta-sts.example.com", {}, {"_mta-sts.gone.example.net"}); }},
        {"an alias in a circle",
         {"sts-record.cname-loop"},
         [](observation& o) {
             o.sts_txt = answer<model::txt_fact>("_mta-sts.example.com", "TXT", dns_status::cname_loop,
                                                 {"a.example.com"});
         }},
        {"the look-up fails, the policy is there",
         {"sts-record.lookup-failed"},
         [](observation& o) {
             o.sts_txt = answer<model::txt_fact>("_mta-sts.example.com", "TXT", dns_status::servfail);
         }},
        {"broken signatures",
         {"sts-record.lookup-failed"},
         [](observation& o) {
             o.sts_txt = answer<model::txt_fact>("_mta-sts.example.com", "TXT", dns_status::bogus);
         }},
    });
}

TEST(sts_record_rules, oddities_leave_the_domain_protected) {
    PROVES("8461-3.1-h", "8461-3.1-n");
    expect_exactly({
        {"an unrelated text beside it",
         {"sts-record.unrelated-txt"},
         [](observation& o) { record(o, {healthy_record, "site-verification=x"}); },
         "protected"},
        {"a space before the first semicolon (A2)",
         {"sts-record.syntax"},
         [](observation& o) { record(o, {"v=STSv1 ; id=1"}); },
         "protected"},
        {"an extension field",
         {},
         [](observation& o) { record(o, {"v=STSv1; id=1; x-note=hello"}); },
         "protected"},
        {"a wildcard gives the same answer",
         {"sts-record.wildcard"},
         [](observation& o) {
             for (auto* fact : {&o.wildcard_txt, &o.sts_doubled, &o.tlsrpt_doubled, &o.sts_obsolete})
                 *fact = txt(fact->name, {healthy_record});
         },
         "protected"},
        {"a wildcard with other text, hidden by the record",
         {},
         [](observation& o) { o.wildcard_txt = txt("_x7f3k.example.com", {"v=spf1 -all"}); },
         "protected"},
        {"the record stands at a doubled name too",
         {"sts-record.doubled-name"},
         [](observation& o) { o.sts_doubled = txt("_mta-sts.example.com.example.com", {healthy_record}); },
         "protected"},
        {"the name of an old draft beside the right one",
         {"sts-record.obsolete-name"},
         [](observation& o) { o.sts_obsolete = txt("_smtp-sts.example.com", {healthy_record}); },
         "protected"},
        {"one name server shows an older id",
         {"sts-record.servers-disagree"},
         [](observation& o) { o.sts_by_server.at(1).texts = {"v=STSv1; id=1"}; },
         "protected"},
        {"one name server has no record",
         {"sts-record.servers-disagree"},
         [](observation& o) {
             o.sts_by_server.at(1).texts.clear();
             o.sts_by_server.at(1).status = dns_status::nx_domain;
         },
         "protected"},
        {"one name server was silent: nothing is known of it",
         {},
         [](observation& o) {
             o.sts_by_server.at(1).texts.clear();
             o.sts_by_server.at(1).status = dns_status::timeout;
         },
         "protected"},
    });
}

TEST(sts_record_rules, nothing_published) {
    PROVES("8461-3.4-c", "G0-2", "G2-2", "G2-3", "G3-36");
    const auto absent = [](std::function<void(observation&)> more) {
        return [more](observation& o) {
            o = without_sts();
            more(o);
        };
    };
    expect_exactly({
        {"no record at all", {"sts-record.absent"}, absent([](observation&) {}), "absent"},
        {"neither record",
         {"sts-record.absent", "tlsrpt.absent"},
         absent([](observation& o) {
             o.tlsrpt_txt = txt("_smtp._tls.example.com", {});
             o.rua.clear();
         }),
         "absent"},
        {"unrelated text alone",
         {"sts-record.absent"},
         absent([](observation& o) { record(o, {"v=spf1 -all"}); }),
         "absent"},
        {"a later version is none of ours",
         {"sts-record.absent"},
         absent([](observation& o) { record(o, {"v=STSv10; id=1"}); }),
         "absent"},
        {"the record stands at a doubled name",
         {"sts-record.doubled-name"},
         absent([](observation& o) {
             o.sts_doubled = txt("_mta-sts.example.com.example.com", {healthy_record});
         }),
         "absent"},
        {"only the name of an old draft",
         {"sts-record.obsolete-name"},
         absent([](observation& o) { o.sts_obsolete = txt("_smtp-sts.example.com", {"v=STSv1; id=1;"}); }),
         "absent"},
        {"the parent is protected",
         {"subdomain.unprotected"},
         absent([](observation& o) {
             o.parent = {.domain = "example.org", .sts_txt = txt("_mta-sts.example.org", {healthy_record})};
         }),
         "absent"},
        {"a policy without a record",
         {"policy.absent-without-record"},
         [](observation& o) { record(o, {}); },
         "absent"},
        {"a broken policy host of nothing published is no fault",
         {"sts-record.absent"},
         [](observation& o) {
             record(o, {});
             for (auto& f : o.fetches) {
                 f.outcome = model::fetch_outcome::tls_failed;
                 f.tls.faults = {model::cert_fault::name_mismatch};
             }
         },
         "absent"},
        {"no mail at all",
         {"sts-record.absent", "mx.null"},
         absent([](observation& o) {
             set_mx(o, {});
             o.mx_set.status = dns_status::ok;
             o.mx_set.records = {{0, ""}};
             o.null_mx = true;
         }),
         "absent"},
    });
}

TEST(sts_record_rules, silence_of_dns_is_one_cause) {
    model::observation seen;
    seen.domain = "example.com";
    seen.checked_at = look_time();
    const auto silent = [](const char* name, const char* type) {
        return answer<model::txt_fact>(name, type, dns_status::timeout);
    };
    seen.sts_txt = silent("_mta-sts.example.com", "TXT");
    seen.tlsrpt_txt = silent("_smtp._tls.example.com", "TXT");
    seen.mx_set = answer<model::mx_set_fact>("example.com", "MX", dns_status::timeout);
    seen.policy_host.a = seen.policy_host.aaaa = answer("mta-sts.example.com", "A", dns_status::timeout);
    const auto judged = advise::judge(seen);
    EXPECT_EQ(codes_of(judged.findings), codes{"sts-record.lookup-failed"});
    EXPECT_EQ(judged.verdict, advise::verdict::unreachable);
    EXPECT_EQ(judged.exit_status(), 3);
}

TEST(sts_record_rules, nothing_looked_for_is_nothing_found) {
    model::observation seen;
    seen.domain = "example.com";
    seen.checked_at = look_time();
    EXPECT_EQ(codes_of(seen), codes{});
}

} // namespace
} // namespace mailtight::tests
