// SPDX-License-Identifier: Apache-2.0
#include "wire/dns_answer.h"

#include "base/limits.h"

#include <algorithm>
#include <utility>

namespace mailtight::wire {

namespace {

constexpr std::uint32_t no_ttl_yet = 0x7fffffff;

/// The CNAME at `name`; of several (which RFC 2181 §10.1 forbids) the first.
const dns_record* cname_at(const dns_message& message, std::string_view name) {
    const auto found = std::ranges::find_if(message.answers, [&](const dns_record& record) {
        return record.type == dns_type::cname && record.owner == name;
    });
    return found == message.answers.end() ? nullptr : &*found;
}

/// RFC 2308 §5: the smaller of the SOA's own TTL and its MINIMUM.
const dns_record* take_negative_ttl(const dns_message& message, dns_answer& into) {
    for (const auto& record : message.authority)
        if (record.type == dns_type::soa) {
            into.ttl = std::min({into.ttl, record.ttl, std::get<dns_soa>(record.data).minimum});
            return &record;
        }
    return nullptr;
}

bool is_referral(const dns_message& message) {
    return !message.authoritative && !message.recursion_available &&
           std::ranges::any_of(message.authority, [](const auto& r) { return r.type == dns_type::ns; });
}

} // namespace

dns_answer read_dns_answer(dns_message message, const dns_question& question,
                           const std::vector<std::string>& chain_so_far) {
    dns_answer answer;
    if (message.rcode != dns_rcode::no_error && message.rcode != dns_rcode::nx_domain)
        return answer;
    answer.ttl = no_ttl_yet;
    std::string name = question.name;
    if (question.type != dns_type::cname) { // 8461-3.1-t
        while (const auto* alias = cname_at(message, name)) {
            const auto& target = std::get<dns_target>(alias->data).name;
            answer.ttl = std::min(answer.ttl, alias->ttl);
            const bool seen = target == question.name ||
                              std::ranges::find(answer.chain, target) != answer.chain.end() ||
                              std::ranges::find(chain_so_far, target) != chain_so_far.end();
            if (seen || answer.chain.size() + chain_so_far.size() >=
                            static_cast<std::size_t>(base::limits::cname_hops)) {
                answer.result = dns_answer::kind::loop;
                return answer;
            }
            answer.chain.push_back(target);
            name = target;
        }
    }
    for (auto& record : message.answers)
        if (record.type == question.type && record.owner == name) {
            answer.ttl = std::min(answer.ttl, record.ttl);
            answer.records.push_back(std::move(record));
        }
    if (!answer.records.empty()) {
        answer.result = dns_answer::kind::found;
        return answer;
    }
    const auto* soa = take_negative_ttl(message, answer);
    if (soa)
        answer.zone = soa->owner;
    if (message.rcode == dns_rcode::nx_domain)
        answer.result = dns_answer::kind::nx_domain;
    else if (soa)
        answer.result = dns_answer::kind::no_data;
    else if (!answer.chain.empty())
        answer.result = dns_answer::kind::goes_on;
    else if (is_referral(message))
        answer.result = dns_answer::kind::lame;
    else
        answer.result = dns_answer::kind::no_data;
    if (!soa && answer.result != dns_answer::kind::goes_on)
        answer.ttl = 0; // RFC 2308 §5: without SOA it should not be cached
    return answer;
}

} // namespace mailtight::wire
