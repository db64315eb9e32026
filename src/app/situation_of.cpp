// SPDX-License-Identifier: Apache-2.0
// What was not seen stays unknown: the planner then takes the careful side.
#include "app/situation_of.h"

#include "base/encode.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

namespace mailtight::app {

namespace {

using texts_set = std::multiset<std::string>;

/// What the authoritative servers say, where all that answered say the same; they know before any cache.
struct servers_say {
    bool agree = true;
    std::optional<std::vector<std::string>> texts;
    std::uint32_t ttl = 0;
};

servers_say ask_servers(const std::vector<model::server_answer>& answers) {
    servers_say said;
    std::optional<texts_set> first;
    for (const auto& answer : answers) {
        if (model::is_dns_error(answer.status) || answer.status == model::dns_status::not_asked)
            continue;
        texts_set now(answer.texts.begin(), answer.texts.end());
        if (!first) {
            first = std::move(now);
            said.ttl = answer.ttl;
        } else if (*first != now) {
            said.agree = false;
        }
    }
    if (first && said.agree)
        said.texts.emplace(first->begin(), first->end());
    return said;
}

template<class Judged>
plan::record_seen record_of(const Judged& judged, const std::vector<std::string>& texts) {
    using outcome = decltype(judged.result);
    using what = plan::record_seen::what;
    plan::record_seen out;
    out.state = judged.result == outcome::absent  ? what::absent
                : judged.result == outcome::valid ? what::one
                                                  : what::invalid;
    if (judged.chosen)
        out.text = texts.at(*judged.chosen);
    out.foreign = judged.unrelated.size();
    return out;
}

plan::record_seen sts_seen(const model::observation& seen) {
    const auto& fact = seen.sts_txt;
    const auto servers = fact.chain.empty() ? ask_servers(seen.sts_by_server) : servers_say{};
    const bool by_servers = servers.texts.has_value();
    if (!by_servers && (model::is_dns_error(fact.status) || fact.status == model::dns_status::not_asked))
        return {.on_all_servers = false};
    const auto& texts = by_servers ? *servers.texts : fact.texts;
    const auto judged = sts::judge_rrset(texts);
    auto out = record_of(judged, texts);
    if (judged.judgement.value)
        out.id = judged.judgement.value->id;
    // Whoever cached the record did so with the TTL that the servers give; the resolver's may be the rest.
    out.ttl = std::max(fact.ttl, by_servers ? servers.ttl : 0);
    out.on_all_servers = servers.agree;
    out.chain = fact.chain;
    return out;
}

plan::record_seen tlsrpt_seen(const model::observation& seen) {
    const auto& fact = seen.tlsrpt_txt;
    if (model::is_dns_error(fact.status) || fact.status == model::dns_status::not_asked)
        return {.on_all_servers = false};
    const auto judged = tlsrpt::judge_rrset(fact.texts);
    auto out = record_of(judged, fact.texts);
    if (judged.judgement.value)
        for (const auto& uri : judged.judgement.value->rua)
            out.rua.push_back(uri.text);
    out.ttl = fact.ttl;
    out.chain = fact.chain;
    return out;
}

/// Whether this fetch says what every sender would get.
bool conclusive(const model::fetch_fact& fetch) {
    using outcome = model::fetch_outcome;
    switch (fetch.outcome) {
    case outcome::fetched:
    case outcome::tls_failed:
    case outcome::redirect:
    case outcome::http_status:
    case outcome::too_large:
    case outcome::http_invalid:
        return true;
    case outcome::connect_failed:
        return fetch.connect == model::connect_outcome::refused;
    case outcome::not_tried:
    case outcome::blocked:
    case outcome::timeout:
        return false;
    }
    return false;
}

std::string fault_of(const model::fetch_fact& fetch) {
    std::string words = fmt::format("{}: {}", fetch.address.to_string(), model::to_string(fetch.outcome));
    if (fetch.status != 0 && fetch.status != 200)
        words += fmt::format(" {}", fetch.status);
    if (!fetch.detail.empty())
        words += " (" + base::printable(fetch.detail, 200) + ")";
    return words;
}

void policy_seen(const model::observation& seen, plan::situation& out) {
    if (seen.policy_host.addresses.empty()) {
        out.policy_known =
            !seen.policy_host.any_error() && seen.policy_host.a.status != model::dns_status::not_asked;
        out.policy_fault = out.policy_known ? fmt::format("mta-sts.{} has no address", seen.domain)
                                            : fmt::format("mta-sts.{} could not be looked up", seen.domain);
        return;
    }
    std::set<std::string> asked; // the first fetch from each address is the default agent's
    std::optional<std::string> body;
    bool all = true, differs = false;
    for (const auto& fetch : seen.fetches) {
        if (!asked.insert(fetch.address.to_string()).second)
            continue;
        all = all && conclusive(fetch);
        if (fetch.tls.completed())
            out.certificate_valid = out.certificate_valid.value_or(true) && fetch.tls.certificate_ok();
        else if (fetch.outcome == model::fetch_outcome::tls_failed)
            out.certificate_valid = false;
        if (fetch.outcome != model::fetch_outcome::fetched) {
            if (out.policy_fault.empty())
                out.policy_fault = fault_of(fetch);
            continue;
        }
        if (!fetch.is_plain_text() && out.policy_fault.empty())
            out.policy_fault = fmt::format("{}: the media type is {}, not text/plain",
                                           fetch.address.to_string(), base::printable(fetch.content_type));
        differs = differs || (body && *body != fetch.body);
        if (!body)
            body = fetch.body;
    }
    if (differs)
        out.policy_fault = "the addresses of the policy host give different policies";
    out.policy = std::move(body);
    out.policy_known = all && !asked.empty();
}

void host_seen(const model::observation& seen, const our_place& ours, plan::situation& out) {
    const auto& host = seen.policy_host;
    out.host_resolves = !host.addresses.empty();
    out.host_ttl = std::max(host.a.ttl, host.aaaa.ttl);
    const auto& chain = !host.a.chain.empty() ? host.a.chain : host.aaaa.chain;
    if (!chain.empty())
        out.host_records.push_back({"CNAME", chain.front()});
    else
        for (const auto& address : host.addresses)
            out.host_records.push_back({address.is_v4() ? "A" : "AAAA", address.to_string()});
    const bool by_name = !ours.name.empty() && std::ranges::any_of(host.a.chain, [&](const auto& target) {
        return base::iequals(target, ours.name);
    });
    out.host_points_here =
        out.host_resolves &&
        (ours.addresses.empty()
             ? by_name
             : std::ranges::all_of(host.addresses, [&](const base::ip_address& address) {
                   return std::ranges::find(ours.addresses, address) != ours.addresses.end();
               }));
}

/// What a criterion that is not met comes to; its own name says what should be.
std::string_view fault_of(std::string_view criterion) {
    constexpr std::array<std::array<std::string_view, 2>, 5> words{
        {{"accepts mail over TLS", "it takes no mail over TLS"},
         {"TLS 1.2 or later", "its TLS is too old"},
         {"the certificate names the MX host", "its certificate is for another name"},
         {"chain to a public root", "its certificate comes from no public authority"},
         {"not expired", "its certificate is not in its dates"}}};
    const auto found = std::ranges::find(words, criterion, [](const auto& each) { return each[0]; });
    return found == words.end() ? criterion : (*found)[1];
}

plan::mx_seen mx_of(const advise::mx_judgement& judged) {
    plan::mx_seen out{.host = judged.host, .passes = {}, .why = {}};
    std::optional<std::string> untested;
    for (const auto& each : judged.criteria) {
        if (each.state == advise::criterion_state::fail) {
            out.passes = false;
            out.why = fmt::format("{}: {}", fault_of(each.name), each.why);
            return out;
        }
        if (each.state == advise::criterion_state::not_tested && !untested)
            untested = fmt::format("{}: {}", each.name, each.why.empty() ? "not tested" : each.why);
    }
    if (untested || judged.criteria.empty())
        out.why = untested.value_or("not tested");
    else
        out.passes = true;
    return out;
}

} // namespace

plan::situation situation_of(const model::observation& seen, const advise::judgement& judged,
                             const our_place& ours, base::utc_seconds now) {
    plan::situation out;
    out.looked_at = now;
    out.sts = sts_seen(seen);
    out.tlsrpt = tlsrpt_seen(seen);
    policy_seen(seen, out);
    host_seen(seen, ours, out);
    out.mx_known = seen.mx_set.ok() || seen.mx_set.absent();
    out.null_mx = seen.null_mx;
    for (const auto& host : judged.mx)
        out.mx.push_back(mx_of(host));
    out.mx_ttl = seen.mx_set.ttl;
    if (out.mx_known && !seen.null_mx && !out.mx.empty())
        out.suggested_mx = advise::suggest(seen, {.mode = sts::mode::testing}).policy_value.mx;
    return out;
}

model::watched_state state_of(const model::observation& seen, const advise::judgement& judged,
                              base::utc_seconds now, bool full) {
    model::watched_state out;
    out.domain = seen.domain;
    out.first = out.last = now;
    out.verdict = advise::to_string(judged.verdict);
    if (judged.sts_value)
        out.record_id = judged.sts_value->id;
    out.policy = judged.policy_text;
    if (!out.policy.empty())
        out.policy_sha256 = base::hex(base::sha256(out.policy));
    for (const auto& host : judged.mx)
        out.mx.push_back(host.host);
    std::ranges::sort(out.mx);
    std::set<std::string> codes;
    for (const auto& found : judged.findings)
        if (found.severity >= findings::severity::warning)
            codes.insert(fmt::format("{} {}", found.code, found.subject));
    out.findings.assign(codes.begin(), codes.end());
    out.full = full;
    return out;
}

model::shown shown_of(const model::observation& seen, const advise::judgement& judged,
                      base::utc_seconds now) {
    model::shown out;
    out.domain = seen.domain;
    out.looked_at = now;
    out.verdict = advise::to_string(judged.verdict);
    if (judged.mode)
        out.mode = sts::to_string(*judged.mode);
    out.parts = {.sts_record = std::string(advise::to_string(judged.sts_record)),
                 .policy_file = std::string(advise::to_string(judged.policy_file)),
                 .tlsrpt_record = std::string(advise::to_string(judged.tlsrpt_record)),
                 .mail_servers = std::string(advise::to_string(judged.mail_servers))};
    for (const auto& found : judged.findings) {
        out.errors += found.severity == findings::severity::error;
        out.warnings += found.severity == findings::severity::warning;
    }
    return out;
}

} // namespace mailtight::app
