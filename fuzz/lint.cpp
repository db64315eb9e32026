// SPDX-License-Identifier: Apache-2.0
// Both lints and the whole judgement over any bytes: first byte chooses, lines are TXT records. What is
// promised besides not crashing: an invalid text has a finding, and what is printed is printable.
#include "advise/advise.h"
#include "advise/dns_forms.h"
#include "advise/render.h"
#include "advise/text.h"
#include "base/text.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace mailtight;

void require(bool holds) {
    if (!holds)
        std::abort();
}

void show(const advise::lint_result& result) {
    require(result.valid || !result.findings.empty());
    const std::string text = advise::lint_text(result, {.colour = false, .width = 80});
    for (const char c : text)
        require(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
    require(base::is_utf8(text));
}

/// A domain whose every remote text is the fuzzer's.
model::observation domain_of(std::string_view body, const std::vector<std::string>& lines) {
    model::observation seen;
    seen.domain = seen.display = "example.com";
    const auto txt = [&](const char* name) {
        model::txt_fact fact;
        fact.name = name;
        fact.type = "TXT";
        fact.status = lines.empty() ? model::dns_status::nx_domain : model::dns_status::ok;
        fact.texts = lines;
        return fact;
    };
    seen.sts_txt = txt("_mta-sts.example.com");
    seen.tlsrpt_txt = txt("_smtp._tls.example.com");
    seen.zone_ns.hosts = lines;
    model::fetch_fact fetch;
    fetch.address = base::ip_address::v4({192, 0, 2, 1});
    fetch.outcome = model::fetch_outcome::fetched;
    fetch.tls.outcome = model::handshake_outcome::completed;
    fetch.status = 200;
    fetch.content_type = lines.empty() ? "" : lines.front();
    fetch.body = body;
    seen.policy_host.addresses = {fetch.address};
    seen.policy_host.a.status = model::dns_status::ok;
    seen.fetches = {fetch};
    seen.mx_set.status = model::dns_status::ok;
    for (const std::string& line : lines) {
        model::mx_host_fact host;
        host.host = line;
        model::smtp_fact probe;
        probe.outcome = model::smtp_outcome::banner_refused;
        probe.reply_code = 554;
        probe.reply_text = line;
        host.addresses.addresses = {fetch.address};
        host.probes = {probe};
        seen.mx.push_back(host);
    }
    return seen;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view all(reinterpret_cast<const char*>(data), size);
    if (all.empty())
        return 0;
    const std::string_view body = all.substr(1);
    std::vector<std::string> lines;
    for (const std::string_view line : base::split(body, '\n'))
        if (lines.size() < 20)
            lines.emplace_back(line);
    switch (all.front() % 3) {
    case 0:
        show(advise::lint_policy(body));
        break;
    case 1:
        show(advise::lint_records(lines));
        break;
    default: {
        const model::observation seen = domain_of(body, lines);
        const advise::judgement judged = advise::judge(seen);
        const std::string text = advise::check_text(seen, judged, {.colour = false, .width = 80});
        for (const char c : text)
            require(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
        const auto place = advise::place_of(seen);
        for (const auto format :
             {advise::dns_format::table, advise::dns_format::bind, advise::dns_format::nsupdate,
              advise::dns_format::dnscontrol, advise::dns_format::octodns, advise::dns_format::terraform,
              advise::dns_format::cloudflare, advise::dns_format::route53})
            require(base::is_utf8(advise::dns_document(judged.suggestion, place, format)));
    }
    }
    return 0;
}
