// SPDX-License-Identifier: Apache-2.0
// What is wrong between the name `mta-sts.D` and a complete answer, address by address. Entry:
// policy_host_rules(). Each fetch becomes a set of faults (code and words); faults that all addresses share
// are told by their code, others as a disagreement.
#include "advise/rules.h"
#include "advise/tls_faults.h"
#include "advise/words.h"
#include "base/limits.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace mailtight::advise {
namespace {

using findings::severity;
using model::connect_outcome;
using model::fetch_outcome;
using namespace std::chrono_literals;

constexpr auto comfortable = 2000ms; // some senders wait no longer (A11)

fault http_fault(const model::fetch_fact& fetch) {
    switch (fetch.outcome) {
    case fetch_outcome::redirect: // 8461-3.3-i
        return {"policy-host.redirect", fmt::format("status {} leads to {}", fetch.status,
                                                    fetch.location.empty() ? "nowhere" : fetch.location)};
    case fetch_outcome::http_status: // 8461-3.3-h, A50
        return {"policy-host.http-status", fmt::format("status {}", fetch.status)};
    case fetch_outcome::too_large: // 8461-3.3-m
        return {"policy-host.too-large", fmt::format("more than {} bytes", base::limits::policy_bytes)};
    case fetch_outcome::timeout:
        return {"policy-host.slow",
                fmt::format("no complete answer within {} s; {}", fetch.took.count() / 1000, fetch.detail),
                severity::error};
    case fetch_outcome::http_invalid:
        return {"policy-host.http-status",
                fetch.detail.empty() ? std::string("the answer is no proper HTTP") : fetch.detail};
    default:
        return {};
    }
}

/// Everything wrong with one fetch. Unreachable addresses are not for here: see reach_rules().
std::vector<fault> faults_of(const model::fetch_fact& fetch, base::utc_seconds now) {
    std::vector<fault> faults;
    if (fetch.outcome == fetch_outcome::tls_failed || fetch.outcome == fetch_outcome::fetched) {
        faults = tls_faults(fetch.tls, "policy-host", now);
        if (fetch.outcome == fetch_outcome::tls_failed && faults.empty())
            faults.push_back(
                {"policy-host.unreachable", "the TLS handshake fails: " + tls_words(fetch.tls) +
                                                (fetch.detail.empty() ? "" : "; " + fetch.detail)});
    }
    if (fetch.outcome == fetch_outcome::fetched) {
        if (!fetch.is_plain_text()) // 8461-3.2-b, 8461-3.2-c
            faults.push_back({"policy-host.content-type", fetch.content_type.empty()
                                                              ? std::string("no Content-Type is sent")
                                                              : "Content-Type: " + fetch.content_type});
        if (fetch.body.size() > base::limits::policy_bytes_comfortable)
            faults.push_back({"policy-host.too-large",
                              fmt::format("{} bytes; one sender reads no more than {}", fetch.body.size(),
                                          base::limits::policy_bytes_comfortable),
                              severity::warning});
    } else if (fault http = http_fault(fetch); !http.code.empty()) {
        faults.push_back(std::move(http));
    }
    return faults;
}

bool connected(const model::fetch_fact& fetch) {
    return fetch.outcome != fetch_outcome::not_tried && fetch.outcome != fetch_outcome::blocked &&
           fetch.outcome != fetch_outcome::connect_failed;
}

std::string address_of(const model::fetch_fact& fetch) {
    return fetch.address.to_string();
}

/// Addresses that nobody can connect to.
void reach_rules(const reading& r, collector& out) {
    std::vector<std::string> dead_v4, dead_v6, blocked;
    bool any_connected = false;
    for (const auto* fetch : r.by_address) {
        const std::string words = fmt::format(
            "{}: {}", address_of(*fetch),
            fetch->detail.empty() ? std::string(model::to_string(fetch->connect)) : fetch->detail);
        if (connected(*fetch))
            any_connected = true;
        else if (fetch->outcome == fetch_outcome::blocked)
            blocked.push_back(words);
        else if (fetch->outcome == fetch_outcome::connect_failed)
            (fetch->address.is_v6() ? dead_v6 : dead_v4).push_back(words);
    }
    if (!blocked.empty())
        out.emit("policy-host.blocked-address",
                 {.subject = r.policy_host, .evidence = base::join(blocked, "; ")});
    if (any_connected && dead_v4.empty() && !dead_v6.empty()) {
        out.emit("policy-host.ipv6-unreachable",
                 {.subject = r.policy_host, .evidence = base::join(dead_v6, "; ")});
    } else if (!dead_v4.empty() || !dead_v6.empty()) {
        dead_v4.insert(dead_v4.end(), dead_v6.begin(), dead_v6.end());
        out.emit("policy-host.unreachable",
                 {.subject = r.policy_host,
                  .message = any_connected ? "the policy host does not answer on every address" : "",
                  .evidence = base::join(dead_v4, "; "),
                  .severity = any_connected ? std::optional(severity::warning) : std::nullopt});
    }
}

/// What the reachable addresses answered: shared faults by code, others as a disagreement (rules.h, 4).
void answer_rules(const reading& r, collector& out) {
    std::vector<const model::fetch_fact*> answered;
    for (const auto* fetch : r.by_address)
        if (connected(*fetch))
            answered.push_back(fetch);
    if (answered.empty())
        return;
    std::vector<std::vector<fault>> faults;
    std::vector<std::string> addresses;
    bool some_good = false, some_bad = false;
    for (const auto* fetch : answered) {
        addresses.push_back(address_of(*fetch));
        faults.push_back(faults_of(*fetch, r.seen.checked_at));
        (blocking(faults.back()) ? some_bad : some_good) = true;
    }
    const bool bodies_differ = std::ranges::any_of(answered, [&](const auto* fetch) {
        return some_good && !some_bad && fetch->body != answered.front()->body;
    });
    if ((some_good && some_bad) || bodies_differ) {
        std::vector<std::string> evidence;
        for (std::size_t i = 0; i < answered.size(); ++i)
            evidence.push_back(fmt::format(
                "{}: {}", address_of(*answered[i]),
                blocking(faults[i])
                    ? fault_words(faults[i])
                    : fmt::format("a policy of {} bytes{}", answered[i]->body.size(),
                                  r.primary && answered[i]->body == r.primary->body ? ""
                                                                                    : ", another text")));
        out.emit("policy-host.addresses-disagree",
                 {.subject = r.policy_host, .evidence = base::join(evidence, "; ")});
        return;
    }
    for (const shared_fault& s : by_code(faults, addresses))
        out.emit(s.what.code, {.subject = r.policy_host,
                               .message = s.what.message,
                               .evidence = s.evidence(),
                               .severity = s.what.severity});
}

void speed_rules(const reading& r, collector& out) {
    const model::fetch_fact* slowest = nullptr;
    for (const auto* fetch : r.by_address)
        if (fetch->outcome == fetch_outcome::fetched && (!slowest || fetch->took > slowest->took))
            slowest = fetch;
    if (!slowest || slowest->took <= comfortable)
        return;
    std::vector<std::string> stages;
    for (const model::stage_time& stage : slowest->stages)
        stages.push_back(fmt::format("{} {} ms", stage.stage, stage.took.count()));
    out.emit("policy-host.slow", // 8461-3.3-n
             {.subject = r.policy_host,
              .message = fmt::format("the policy host took {:.1f} s to answer",
                                     std::chrono::duration<double>(slowest->took).count()),
              .evidence = fmt::format("{}: {}", address_of(*slowest), base::join(stages, ", "))});
}

void agent_rules(const reading& r, collector& out) {
    if (!r.fetched)
        return;
    std::vector<std::string> differing;
    for (const auto* fetch : r.by_agent) {
        if (!connected(*fetch))
            continue; // a network's mood, not the answer to an agent
        const std::string agent = fetch->agent.empty() ? "no User-Agent" : "User-Agent " + fetch->agent;
        if (fetch->outcome != fetch_outcome::fetched)
            differing.push_back(fmt::format("{}: {}", agent,
                                            fetch->status ? fmt::format("status {}", fetch->status)
                                                          : std::string(model::to_string(fetch->outcome))));
        else if (fetch->body != r.primary->body)
            differing.push_back(agent + ": another text");
    }
    if (!differing.empty())
        out.emit("policy-host.agent-dependent",
                 {.subject = r.policy_host, .evidence = base::join(differing, "; ")});
}

} // namespace

bool half_delegated(const reading& r) {
    const bool record_elsewhere = r.sts == record_state::valid && !r.seen.sts_txt.chain.empty();
    const auto& host = r.seen.policy_host;
    return record_elsewhere && host.a.absent() && host.aaaa.absent() && host.a.chain.empty() &&
           host.aaaa.chain.empty();
}

void policy_host_rules(const reading& r, collector& out) {
    if (!r.published)
        return;
    const auto& host = r.seen.policy_host;
    if (host.addresses.empty()) {
        if (host.a.status == model::dns_status::not_asked && host.aaaa.status == model::dns_status::not_asked)
            return;
        if (half_delegated(r))
            return; // told by delegation.half
        out.emit("policy-host.no-address",
                 {.subject = r.policy_host,
                  .message = host.any_error() ? "the address of the policy host could not be looked up" : "",
                  .evidence = lookup_words(host.a) + "; " + lookup_words(host.aaaa)});
        return;
    }
    reach_rules(r, out);
    answer_rules(r, out);
    speed_rules(r, out);
    agent_rules(r, out);
}

} // namespace mailtight::advise
