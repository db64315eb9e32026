// SPDX-License-Identifier: Apache-2.0
// Reads an observation once for all rules.
#include "advise/reading.h"

#include "advise/advise.h"
#include "base/text.h"

#include <algorithm>
#include <span>

namespace mailtight::advise {
namespace {

using model::dns_status;
using model::fetch_outcome;

bool same_texts(std::vector<std::string> a, std::vector<std::string> b) {
    std::ranges::sort(a);
    std::ranges::sort(b);
    return a == b;
}

/// The outcomes of looking at a name, before its texts are judged.
std::optional<record_state> state_of_lookup(const model::txt_fact& fact) {
    if (fact.status == dns_status::not_asked)
        return record_state::not_asked;
    if (fact.status == dns_status::cname_loop)
        return record_state::loop;
    if (model::is_dns_error(fact.status) || fact.security == model::dnssec::bogus)
        return record_state::failed;
    if (fact.absent() || fact.texts.empty())
        return fact.chain.empty() ? record_state::absent : record_state::dangling;
    return std::nullopt;
}

template<class Set>
record_state state_of_set(const Set& set, const std::vector<std::string>& texts, std::string_view word) {
    using outcome = typename Set::outcome;
    switch (set.result) {
    case outcome::valid:
        return record_state::valid;
    case outcome::invalid:
        return record_state::invalid;
    case outcome::multiple:
        return record_state::multiple;
    case outcome::absent:
        break;
    }
    const bool attempted =
        std::ranges::any_of(texts, [&](const std::string& t) { return meant_as_record(t, word); });
    return attempted ? record_state::invalid : record_state::absent;
}

bool accepted(const model::fetch_fact& fetch) {
    return fetch.outcome == fetch_outcome::fetched && fetch.tls.faults.empty();
}

/// What the file meant to say, for the weight of findings: also where the text cannot be used.
findings::situation situation_of(const reading& r) {
    if (!r.published)
        return findings::situation::absent;
    if (const sts::policy* policy = r.readable())
        switch (policy->mode) {
        case sts::mode::enforce:
            return findings::situation::enforce;
        case sts::mode::testing:
            return findings::situation::testing;
        case sts::mode::none:
            return findings::situation::none;
        }
    return findings::situation::enforce;
}

void read_fetches(reading& r) {
    const auto& fetches = r.seen.fetches;
    if (fetches.empty())
        return;
    for (const model::fetch_fact& fetch : fetches)
        (fetch.agent == fetches.front().agent ? r.by_address : r.by_agent).push_back(&fetch);
    for (const auto* fetch : r.by_address)
        if (accepted(*fetch)) {
            r.primary = fetch;
            r.fetched = true;
            break;
        }
    if (!r.primary)
        for (const auto* fetch : r.by_address)
            if (!fetch->body.empty()) {
                r.primary = fetch;
                break;
            }
    if (r.primary)
        r.policy = sts::judge_policy(r.primary->body);
}

} // namespace

bool meant_as_record(std::string_view text, std::string_view version_word) {
    const std::string lowered = base::lower(text.substr(0, 4096));
    const std::string word = base::lower(version_word);
    const auto at = lowered.find(word);
    if (at == std::string::npos)
        return false;
    // `v=STSv10` is a later version, and none of our business.
    const auto after = at + word.size();
    return after >= lowered.size() || !base::is_alnum(lowered[after]);
}

// RFC 8020: what NXDOMAIN is said of has nothing below it either. Some servers say it of an empty
// non-terminal, though, so that whatever was found at or below the name speaks against it.
bool no_such_domain(const model::observation& seen) {
    if (seen.mx_set.status != dns_status::nx_domain || !seen.mx_set.chain.empty())
        return false;
    const auto silent = [](const model::dns_fact& fact) {
        return (fact.absent() && fact.chain.empty()) || fact.status == dns_status::not_asked;
    };
    const auto below = [&](const model::dns_fact& fact) {
        return silent(fact) || !fact.name.ends_with("." + seen.domain);
    };
    const bool apex_there = !silent(seen.apex_txt) || seen.apex_txt.status == dns_status::no_data ||
                            (seen.zone_soa.ok() && seen.zone_soa.name == seen.domain);
    return !apex_there && silent(seen.sts_txt) && silent(seen.tlsrpt_txt) && silent(seen.policy_host.a) &&
           silent(seen.policy_host.aaaa) && silent(seen.sts_doubled) && silent(seen.tlsrpt_doubled) &&
           silent(seen.sts_obsolete) && silent(seen.wildcard_txt) && below(seen.dmarc_txt) &&
           std::ranges::all_of(seen.mx, [&](const auto& host) {
               return silent(host.addresses.a) && silent(host.addresses.aaaa);
           });
}

const sts::policy* reading::readable() const {
    return policy && policy->value ? &*policy->value : nullptr;
}

const sts::policy* reading::followed() const {
    return sts == record_state::valid && fetched ? readable() : nullptr;
}

bool reading::active() const {
    const sts::policy* value = readable();
    return published && value && value->mode != sts::mode::none;
}

reading read(const model::observation& seen) {
    reading r{.seen = seen};
    r.policy_host = "mta-sts." + seen.domain; // 8461-3.2-a
    r.policy_url = "https://" + r.policy_host + "/.well-known/mta-sts.txt";

    if (const auto looked = state_of_lookup(seen.sts_txt)) {
        r.sts = *looked;
    } else {
        r.sts_set = sts::judge_rrset(seen.sts_txt.texts);
        r.sts = state_of_set(r.sts_set, seen.sts_txt.texts, "STSv1");
        r.sts_by_wildcard = seen.wildcard_txt.ok() && same_texts(seen.wildcard_txt.texts, seen.sts_txt.texts);
    }
    if (const auto looked = state_of_lookup(seen.tlsrpt_txt)) {
        r.tlsrpt = *looked;
    } else {
        r.tlsrpt_set = tlsrpt::judge_rrset(seen.tlsrpt_txt.texts);
        r.tlsrpt = state_of_set(r.tlsrpt_set, seen.tlsrpt_txt.texts, "TLSRPTv1");
    }

    read_fetches(r);
    switch (r.sts) {
    case record_state::not_asked:
    case record_state::absent:
        break;
    case record_state::failed:
        r.published = r.fetched && r.readable() != nullptr;
        break;
    default:
        r.published = true;
    }
    r.situation = situation_of(r);
    r.no_such_domain = !r.published && no_such_domain(seen);
    for (const auto& host : seen.mx)
        if (!host.is_address_literal)
            r.hosts.push_back(host.host);
    return r;
}

} // namespace mailtight::advise
