// SPDX-License-Identifier: Apache-2.0
// Addresses, the first alias where it matters, then TLSA at one candidate after the other; each answer ends
// the walk or names the next question.
#include "resolve/dane_walk.h"

#include "base/ip.h"
#include "base/limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace mailtight::resolve {

namespace {

bool secure(const model::dns_fact& seen) {
    return seen.security == model::dnssec::secure;
}

/// The answer that the walk goes on with: one with addresses, a secure one before others, so that a family
/// that fails or is unsigned hides nothing of the other.
const model::dns_fact* way_to(const model::address_fact& seen) {
    const model::dns_fact* way = nullptr;
    for (const auto* fact : {&seen.a, &seen.aaaa})
        if (fact->ok() && !unanswered(*fact) && (!way || (secure(*fact) && !secure(*way))))
            way = fact;
    return way;
}

/// Why none of these records can be used, each reason once.
std::string why_unusable(const std::vector<dane::tlsa>& records) {
    std::vector<dane::usability> told;
    std::string words = "no sender can use its TLSA records";
    for (const auto& record : records) {
        const auto reason = dane::judge(record);
        if (std::ranges::find(told, reason) != told.end())
            continue;
        told.push_back(reason);
        words += fmt::format("{}{}", told.size() == 1 ? ": " : " ", dane::explain(reason));
    }
    return words;
}

} // namespace

dane_walk::dane_walk(mail_host host, std::uint16_t port)
    : port_(port) {
    standing_.host = std::move(host.name); // 7672-2.2.1-d: the MX record's name, never what it expands to
    standing_.preference = host.preference;
    if (base::ip_address::parse(standing_.host)) { // 7672-2.2-e
        end(host_class::none, "the MX record holds an address, where DANE does not apply");
        return;
    }
    // 7672-2.2.2-a: the addresses first
    next_ = question{question::kind::addresses, standing_.host};
}

dane_walk dane_walk::without_dane(mail_host host, std::string why) {
    dane_walk walk(std::move(host), 25);
    walk.end(host_class::none, std::move(why));
    return walk;
}

std::optional<dane_walk::question> dane_walk::next() const {
    return next_;
}

void dane_walk::end(host_class as, std::string reason) {
    standing_.dane = as;
    standing_.reason = std::move(reason);
    next_.reset();
}

void dane_walk::end_unanswered(const model::dns_fact& seen) {
    standing_.bogus = means_bogus(seen);
    end(host_class::error, words_of_failure(seen));
}

void dane_walk::rests_on(const model::dns_fact& seen) {
    const auto holds = unanswered(seen) ? ttl_of_failure : seen.ttl;
    ttl_ = std::min(ttl_.value_or(holds), holds);
}

void dane_walk::give_up(std::string why) {
    ttl_ = ttl_of_failure;
    end(host_class::error, std::move(why));
}

void dane_walk::addresses_seen(const model::address_fact& seen) {
    const auto* way = way_to(seen);
    if (!way) {
        rests_on(seen.a);
        rests_on(seen.aaaa);
        for (const auto* fact : {&seen.a, &seen.aaaa})
            if (unanswered(*fact)) // 7672-2.1.2-b, 7672-2.2-d: this host is out of reach, the others are not
                return end_unanswered(*fact);
        return end(host_class::no_address, "it has no address");
    }
    rests_on(*way);
    if (secure(*way)) {
        // 7672-2.2.2-c: the full expansion before the name itself, never a name between them
        std::vector<std::string> candidates;
        if (!way->chain.empty())
            candidates.push_back(way->chain.back());
        candidates.push_back(standing_.host);
        return ask_tlsa_of(std::move(candidates));
    }
    // 7672-2.2.2-b: name servers of unsigned zones need not even answer a TLSA question.
    if (way->chain.empty())
        return end(host_class::none, "its addresses are not signed");
    // 7672-2.2.2-c: the expansion is insecure; the name itself counts where its own CNAME is secure.
    next_ = question{question::kind::first_alias, standing_.host};
}

void dane_walk::first_alias_seen(const model::dns_fact& seen) {
    rests_on(seen);
    if (unanswered(seen))
        return end_unanswered(seen);
    if (!seen.ok() || !secure(seen))
        return end(host_class::none, "its addresses are not signed");
    ask_tlsa_of({standing_.host});
}

void dane_walk::ask_tlsa_of(std::vector<std::string> candidates) {
    candidates_ = std::move(candidates);
    std::ranges::reverse(candidates_);
    next_candidate();
}

void dane_walk::next_candidate() {
    while (!candidates_.empty()) {
        // 7672-2.2.3-a: the port that is really used
        auto name = fmt::format("_{}._tcp.{}", port_, candidates_.back());
        if (name.size() <= base::limits::dns_name_text_max) {
            next_ = question{question::kind::tlsa, std::move(name)};
            return;
        }
        candidates_.pop_back(); // no such name can exist
    }
    end(host_class::none, "it has no TLSA records"); // 7672-2.2-c
}

void dane_walk::tlsa_seen(const model::tlsa_fact& seen) {
    rests_on(seen);
    if (unanswered(seen)) // 7672-2.1.2-c, 7672-2.2-d: nobody may connect to it
        return end_unanswered(seen);
    auto candidate = std::move(candidates_.back());
    candidates_.pop_back();
    // 7672-2.2-c: an unsigned TLSA RRset is none at all
    if (seen.records.empty() || !secure(seen))
        return next_candidate();
    // 7672-2.2.3-b: a CNAME at `_25._tcp` was followed, and the base domain stays what was asked
    standing_.base = std::move(candidate);
    for (const auto& entry : seen.records)
        standing_.records.push_back({entry.usage, entry.selector, entry.matching, entry.data});
    // 7671-9-a, 6698-4.1-a, 7672-3.1.3-a
    if (!dane::effective(standing_.records).empty())
        return end(host_class::usable, "");                          // 7672-2.2-a
    end(host_class::unusable_only, why_unusable(standing_.records)); // 7672-2.2-b, 7672-2.2.3-c
}

} // namespace mailtight::resolve
