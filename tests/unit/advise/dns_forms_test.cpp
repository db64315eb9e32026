// SPDX-License-Identifier: Apache-2.0
// Records in every form: the exact text that a person pastes or a tool reads.
#include "advise/dns_forms.h"
#include "advise/dns_quote.h"
#include "base/text.h"
#include "support/proves.h"
#include "unit/advise/codes.h"

namespace mailtight::tests {
namespace {

using advise::dns_format;

advise::dns_place place(std::vector<std::string> servers, std::string zone = "example.com",
                        std::string domain = "example.com") {
    return {.domain = std::move(domain),
            .zone = std::move(zone),
            .servers = servers,
            .provider = advise::dns_provider_of(servers)};
}
advise::suggested_record record(std::string name, std::string type, std::string value, std::uint32_t ttl,
                                int step) {
    return {.step = step,
            .name = std::move(name),
            .type = std::move(type),
            .value = std::move(value),
            .ttl = ttl,
            .already_right = false,
            .why = {}};
}
const advise::suggested_record sts_record = record("_mta-sts.example.com", "TXT", "v=STSv1; id=1", 300, 4);
const advise::suggested_record host_record =
    record("mta-sts.example.com", "CNAME", "policy.example.net", 300, 2);
const advise::suggested_record report_record =
    record("_smtp._tls.example.com", "TXT", "v=TLSRPTv1; rua=mailto:r@example.com", 3600, 1);

TEST(dns_forms, each_provider_has_its_own_form) {
    PROVES("G2-17", "G2-35", "G2-36", "G2-37", "G2-38");
    struct row {
        std::string server, provider, txt, cname;
    };
    const row rows[] = {
        {"ns71.domaincontrol.com", "GoDaddy",
         "Type: TXT\nTXT Name: _mta-sts\nTXT Value: v=STSv1; id=1\nTTL: 600\n",
         "Type: CNAME\nName: mta-sts\nValue: policy.example.net\nTTL: 600\n"},
        {"dns1.easydns.com", "EasyDNS",
         "Type: TXT\nDNS Host name: _mta-sts.example.com\nTXT record value: v=STSv1; id=1\nTTL: 300\n",
         "Type: CNAME\nDNS Host name: mta-sts.example.com\nValue: policy.example.net\nTTL: 300\n"},
        {"ns1abc.name.com", "name.com",
         "Type: TXT\nRecord Host: _mta-sts\nRecord Answer: v=STSv1; id=1\nTTL: 300\n",
         "Type: CNAME\nRecord Host: mta-sts\nRecord Answer: policy.example.net\nTTL: 300\n"},
        {"ada.ns.cloudflare.com", "Cloudflare",
         "Type: TXT\nName: _mta-sts\nContent: v=STSv1; id=1\nTTL: 300\n",
         "Type: CNAME\nName: mta-sts\nTarget: policy.example.net\nTTL: 300\n"},
        {"ns-1234.awsdns-12.org", "Amazon Route 53",
         "Type: TXT\nRecord name: _mta-sts\nValue: \"v=STSv1; id=1\"\nTTL: 300\n",
         "Type: CNAME\nRecord name: mta-sts\nValue: policy.example.net\nTTL: 300\n"},
        {"ns1.desec.io", "deSEC", "Type: TXT\nSubname: _mta-sts\nContent: v=STSv1; id=1\nTTL: 3600\n",
         "Type: CNAME\nSubname: mta-sts\nContent: policy.example.net\nTTL: 3600\n"},
        {"dns1.registrar-servers.com", "Namecheap",
         "Type: TXT\nHost: _mta-sts\nValue: v=STSv1; id=1\nTTL: 300\n",
         "Type: CNAME\nHost: mta-sts\nValue: policy.example.net\nTTL: 300\n"},
        {"ns1.unknown.example", "", "Type: TXT\nName: _mta-sts\nValue: v=STSv1; id=1\nTTL: 300\n",
         "Type: CNAME\nName: mta-sts\nValue: policy.example.net\nTTL: 300\n"},
    };
    for (const row& r : rows) {
        SCOPED_TRACE(r.server);
        const auto where = place({r.server});
        EXPECT_EQ(where.provider ? where.provider->name : "", r.provider);
        EXPECT_EQ(advise::web_form(sts_record, where), r.txt);
        EXPECT_EQ(advise::web_form(host_record, where), r.cname);
    }
}

TEST(dns_forms, providers_are_recognised_by_their_servers) {
    struct row {
        std::string server, provider;
    };
    const row rows[] = {{"ns-cloud-a1.googledomains.com", "Google Cloud DNS"},
                        {"ns1045.ui-dns.org", "IONOS"},
                        {"hydrogen.ns.hetzner.com", "Hetzner"},
                        {"dns104.ovh.net", "OVHcloud"},
                        {"ns-12-b.gandi.net", "Gandi"},
                        {"ns2.digitalocean.com", "DigitalOcean"},
                        {"ns1-03.azure-dns.com", "Azure DNS"},
                        {"maceio.ns.porkbun.com", "Porkbun"},
                        {"ns3.linode.com", "Linode"},
                        {"root-dns.netcup.net", "netcup"},
                        {"ns.inwx.de", "INWX"},
                        {"ns1.dns-parking.com", "Hostinger"},
                        {"ns6.wixdns.net", "Wix"},
                        {"NS71.DOMAINCONTROL.COM", "GoDaddy"},
                        {"ns1.notname.com", ""},
                        {"domaincontrol.com.evil.example", ""}};
    for (const row& r : rows) {
        const auto* provider = advise::dns_provider_of({r.server});
        EXPECT_EQ(provider ? provider->name : "", r.provider) << r.server;
    }
}

TEST(dns_forms, names_relative_to_the_zone) {
    PROVES("G2-18", "G2-23", "G2-19");
    EXPECT_EQ(advise::relative_name("_mta-sts.example.com", "example.com"), "_mta-sts");
    EXPECT_EQ(advise::relative_name("_mta-sts.sub.example.com", "example.com"), "_mta-sts.sub");
    EXPECT_EQ(advise::relative_name("example.com", "example.com"), "@");
    EXPECT_EQ(advise::relative_name("_mta-sts.example.org", "example.com"), "_mta-sts.example.org");
    EXPECT_EQ(advise::relative_name("_mta-sts.notexample.com", "example.com"), "_mta-sts.notexample.com");
}

TEST(dns_forms, zone_of_a_sub_domain_is_its_parent) {
    model::observation seen = healthy();
    seen.domain = "sub.example.com";
    seen.zone_soa.name = "example.com";
    EXPECT_EQ(advise::place_of(seen).zone, "example.com");
    seen.zone_soa.name = "example.org";
    EXPECT_EQ(advise::place_of(seen).zone, "sub.example.com")
        << "a zone that cannot hold the name is not believed";
    seen.zone_soa.name = "";
    EXPECT_EQ(advise::place_of(seen).zone, "sub.example.com");
}

advise::suggestion three() {
    advise::suggestion all;
    all.policy = "version: STSv1\r\nmode: testing\r\nmx: mx.example.com\r\nmax_age: 604800\r\n";
    all.records = {report_record, host_record, sts_record};
    return all;
}

TEST(dns_forms, exact_documents) {
    PROVES("G2-12", "G2-15", "G3-35");
    struct row {
        dns_format format;
        std::string text;
    };
    const row rows[] = {
        {dns_format::bind,
         "_smtp._tls.example.com. 3600 IN TXT \"v=TLSRPTv1; rua=mailto:r@example.com\"\n"
         "mta-sts.example.com. 300 IN CNAME policy.example.net.\n"
         "; The policy has to be served at mta-sts.example.com before the next record is published.\n"
         "_mta-sts.example.com. 300 IN TXT \"v=STSv1; id=1\"\n"},
        {dns_format::nsupdate,
         "zone example.com.\n"
         "update add _smtp._tls.example.com. 3600 TXT \"v=TLSRPTv1; rua=mailto:r@example.com\"\nsend\n"
         "update add mta-sts.example.com. 300 CNAME policy.example.net.\nsend\n"
         "; The policy has to be served at mta-sts.example.com before the next record is published.\n"
         "update add _mta-sts.example.com. 300 TXT \"v=STSv1; id=1\"\nsend\n"},
        {dns_format::dnscontrol,
         "D_EXTEND(\"example.com\",\n"
         "  TXT(\"_smtp._tls\", \"v=TLSRPTv1; rua=mailto:r@example.com\", TTL(3600)),\n"
         "  CNAME(\"mta-sts\", \"policy.example.net.\", TTL(300)),\n"
         "  TXT(\"_mta-sts\", \"v=STSv1; id=1\", TTL(300)),\n"
         ");\n"},
        {dns_format::octodns,
         "---\n"
         "\"_smtp._tls\":\n  type: TXT\n  ttl: 3600\n  value: \"v=TLSRPTv1\\\\; rua=mailto:r@example.com\"\n"
         "\"mta-sts\":\n  type: CNAME\n  ttl: 300\n  value: \"policy.example.net.\"\n"
         "\"_mta-sts\":\n  type: TXT\n  ttl: 300\n  value: \"v=STSv1\\\\; id=1\"\n"},
        {dns_format::cloudflare,
         "{\n  \"posts\": [\n"
         "    {\"type\": \"TXT\", \"name\": \"_smtp._tls.example.com\", \"content\": "
         "\"\\\"v=TLSRPTv1; rua=mailto:r@example.com\\\"\", \"ttl\": 3600, \"proxied\": false},\n"
         "    {\"type\": \"CNAME\", \"name\": \"mta-sts.example.com\", \"content\": \"policy.example.net\", "
         "\"ttl\": 300, "
         "\"proxied\": false},\n"
         "    {\"type\": \"TXT\", \"name\": \"_mta-sts.example.com\", \"content\": \"\\\"v=STSv1; "
         "id=1\\\"\", \"ttl\": "
         "300, \"proxied\": false}\n"
         "  ]\n}\n"},
    };
    for (const row& r : rows)
        EXPECT_EQ(advise::dns_document(three(), place({}), r.format), r.text) << advise::to_string(r.format);
    const std::string route53 = advise::dns_document(three(), place({}), dns_format::route53);
    EXPECT_NE(
        route53.find(
            "\"Name\": \"_mta-sts.example.com.\", \"Type\": \"TXT\", \"TTL\": 300, \"ResourceRecords\": "
            "[{\"Value\": \"\\\"v=STSv1; id=1\\\"\"}]"),
        std::string::npos)
        << route53;
    const std::string terraform = advise::dns_document(three(), place({}), dns_format::terraform);
    EXPECT_NE(terraform.find("resource \"dns_txt_record_set\" \"mta_sts\" {\n  zone = \"example.com.\"\n"
                             "  name = \"_mta-sts\"\n  txt  = [\"v=STSv1; id=1\"]\n  ttl  = 300\n}\n"),
              std::string::npos)
        << terraform;
}

TEST(dns_forms, leaves_out_what_is_right) {
    auto made = three();
    made.records.at(0).already_right = made.records.at(1).already_right = true;
    EXPECT_EQ(advise::dns_document(made, place({}), dns_format::dnscontrol),
              "D_EXTEND(\"example.com\",\n  TXT(\"_mta-sts\", \"v=STSv1; id=1\", TTL(300)),\n);\n");
    made.records.at(2).already_right = made.policy_already_right = true;
    EXPECT_EQ(advise::dns_document(made, place({}), dns_format::table),
              "Nothing to do: every record is published as it should be.\n");
}

TEST(dns_forms, the_table_numbers_what_it_shows) {
    const auto numbers = [](const advise::suggestion& made) {
        std::string found;
        const std::string text = advise::dns_document(made, place({}), dns_format::table);
        for (const std::string_view line : base::split(text, '\n'))
            if (line.size() > 2 && line.substr(1, 2) == ". ")
                found += line.front();
        return found;
    };
    const auto says = [](const advise::suggestion& made, std::string_view words) {
        return advise::dns_document(made, place({}), dns_format::table, 400).find(words) != std::string::npos;
    };
    auto made = three();
    EXPECT_EQ(numbers(made), "1234");
    EXPECT_FALSE(says(made, "Correct already"));
    made.records.at(0).already_right = true;
    EXPECT_EQ(numbers(made), "123") << "no gap where a step is done";
    EXPECT_TRUE(says(made, "Correct already, and left out here: _smtp._tls.example.com."));
    made.policy_already_right = true;
    EXPECT_EQ(numbers(made), "12");
    EXPECT_TRUE(says(made, "left out here: _smtp._tls.example.com and the policy file."));
    made.policy_already_right = false;
    made.records.at(1).already_right = made.records.at(2).already_right = true;
    EXPECT_EQ(numbers(made), "1") << "the policy file alone";
    made.records.at(1).already_right = false;
    EXPECT_EQ(numbers(made), "12");
    EXPECT_FALSE(says(made, "before the next record")) << "there is none";
}

TEST(dns_forms, the_table_says_where_and_in_which_order) {
    PROVES("G2-14", "G2-16", "G2-32", "G2-34", "G3-37");
    const std::string text =
        advise::dns_document(three(), place({"ns71.domaincontrol.com"}), dns_format::table, 200);
    EXPECT_NE(text.find("GoDaddy"), std::string::npos);
    EXPECT_NE(text.find("not in the console of your mail provider"), std::string::npos) << text;
    const auto at = [&](std::string_view what) {
        const auto found = text.find(what);
        EXPECT_NE(found, std::string::npos) << what;
        return found;
    };
    EXPECT_LT(at("TXT Name: _smtp._tls"), at("Name: mta-sts\n"));
    EXPECT_LT(at("Name: mta-sts\n"), at("/.well-known/mta-sts.txt"));
    EXPECT_LT(at("/.well-known/mta-sts.txt"), at("TXT Name: _mta-sts"));
    EXPECT_NE(text.find("_mta-sts.example.com.   _mta-sts.example.com   _mta-sts\n"), std::string::npos)
        << text;
    const std::string sub = advise::dns_document(three(), place({}, "com", "example.com"), dns_format::table);
    EXPECT_NE(sub.find("its records belong to com"), std::string::npos);
    EXPECT_NE(sub.find("Name: _mta-sts.example\n"), std::string::npos) << sub;
}

TEST(dns_quoting, keeps_hostile_text_inside_its_string) {
    const std::string hostile = "a\"; id=\\1\n${x}%{y}\x1b[31m\xff";
    EXPECT_EQ(advise::zone_text("a\"b\\c"), "\"a\\\"b\\\\c\"");
    EXPECT_EQ(advise::zone_text("a\nb\xff"), "\"a\\010b\\255\"");
    EXPECT_EQ(advise::zone_text(std::string(256, 'a')), "\"" + std::string(255, 'a') + "\" \"a\"");
    EXPECT_EQ(advise::zone_text(""), "\"\"");
    EXPECT_EQ(advise::zone_name("a b;c"), "a\\032b\\059c.");
    EXPECT_EQ(advise::json_string("a\"\\\n\x7f"), "\"a\\\"\\\\\\u000a\\u007f\"");
    EXPECT_EQ(advise::json_string("a\xe2\x80\xae\xe2\x80\xa8"), "\"a\\\\u202e\\\\u2028\"")
        << "visible, and no escape";
    EXPECT_EQ(advise::hcl_string("${x} %{y} $ {"), "\"$${x} %%{y} $ {\"");
    auto made = three();
    made.records.at(2).value = hostile;
    made.records.at(1).value = "x.example\nupdate delete example.com. MX";
    for (const auto format :
         {dns_format::bind, dns_format::nsupdate, dns_format::dnscontrol, dns_format::octodns,
          dns_format::terraform, dns_format::cloudflare, dns_format::route53, dns_format::table}) {
        const std::string text = advise::dns_document(made, place({}), format);
        EXPECT_EQ(text.find('\x1b'), std::string::npos) << advise::to_string(format);
        EXPECT_EQ(text.find('\xff'), std::string::npos) << advise::to_string(format);
        EXPECT_EQ(text.find("\nupdate delete example.com. MX"), std::string::npos)
            << advise::to_string(format);
    }
    EXPECT_EQ(advise::dns_document(made, place({}), dns_format::terraform).find("\"${"), std::string::npos);
}

TEST(dns_forms, every_format_has_a_word) {
    for (const auto* word :
         {"table", "bind", "nsupdate", "dnscontrol", "octodns", "terraform", "cloudflare", "route53"}) {
        ASSERT_TRUE(advise::parse_dns_format(word)) << word;
        EXPECT_EQ(advise::to_string(*advise::parse_dns_format(word)), word);
    }
    EXPECT_FALSE(advise::parse_dns_format("zone"));
}

} // namespace
} // namespace mailtight::tests
