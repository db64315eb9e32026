// SPDX-License-Identifier: Apache-2.0
// An authorization judged: which challenge to answer, whether to wait, and what its failure means for the
// other kinds.
#include "publish/acme_order.h"
#include "publish/acme_words.h"

#include "base/crypto/certificate.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::publish {

namespace {

const wire::acme_challenge* find(const wire::acme_authorization& in, std::string_view type) {
    const auto at = std::ranges::find(in.challenges, type, &wire::acme_challenge::type);
    return at == in.challenges.end() ? nullptr : &*at;
}

} // namespace

void acme_order::only(const std::vector<challenge_kind>& possible) {
    if (possible.empty())
        return;
    std::erase_if(wish_.kinds,
                  [&](auto kind) { return std::ranges::find(possible, kind) == possible.end(); });
    if (wish_.kinds.empty())
        wish_.kinds = possible;
}

bool acme_order::has_failed(challenge_kind kind) const {
    return std::ranges::any_of(memory_.failed, [&](const auto& one) { return one.first == kind; });
}

/// The challenge that we answer or answered.
const wire::acme_challenge* acme_order::answered(const wire::acme_authorization& seen) const {
    const auto* one = find(seen, memory_.answer_kind);
    return one != nullptr && one->token == memory_.answer_token ? one : nullptr;
}

void acme_order::on_authorization(const wire::acme_authorization& seen, const order_reply& reply,
                                  base::utc_seconds now) {
    authorization_seen_ = true;
    if (seen.name != wish_.host)
        return give_up(
            fmt::format("the authority asks for proof of another name: {}", base::printable(seen.name, 100)),
            false);
    if (seen.status == "valid") {
        const bool first = !proven_;
        proven_ = true;
        return first ? go(place::order) : poll(place::order, reply, now);
    }
    if (seen.status != "pending")
        return on_failed(seen);
    // An error beside a status that is not final is news of a try of the authority's, which goes on (erratum
    // 5732 of RFC 8555).
    const auto* ours = answered(seen);
    if (ours != nullptr && (ours->status == "processing" || (told_ && ours->status != "invalid")))
        return poll(place::authorization, reply, now);
    if (ours != nullptr && ours->status == "invalid")
        return on_failed(seen);
    choose(seen);
}

void acme_order::choose(const wire::acme_authorization& seen) {
    std::vector<std::string> offered;
    for (const auto& one : seen.challenges)
        offered.push_back(base::printable(one.type, 40));
    for (const auto kind : wish_.kinds) {
        const auto* one = find(seen, to_string(kind));
        if (one == nullptr || one->token.empty() || has_failed(kind))
            continue;
        challenge_url_ = one->url;
        memory_.answer_kind = to_string(kind);
        memory_.answer_token = one->token;
        told_ = false;
        step_ = {.what = order_step::kind::put, .challenge = kind, .token = one->token};
        return;
    }
    if (memory_.failed.empty())
        return give_up(fmt::format("the authority takes no proof that is switched on here; it offers {}",
                                   base::join(offered, ", ")),
                       true);
    std::string words;
    for (const auto& [kind, why] : memory_.failed)
        if (words.find(why) == words.npos)
            words += fmt::format("{}{}: {}", words.empty() ? "" : "; ", to_string(kind), why);
    give_up(std::move(words), false);
}

void acme_order::on_failed(const wire::acme_authorization& seen) {
    const auto at = std::ranges::find_if(seen.challenges, [](const wire::acme_challenge& one) {
        return one.status == "invalid" && one.error.has_value();
    });
    if (at == seen.challenges.end()) {
        // Expired, deactivated, revoked: no fault of an answer.
        if (++lost_ > 1)
            return give_up(
                fmt::format("the authority ended the authorization ({})", base::printable(seen.status, 40)),
                false);
        return begin_anew();
    }
    const auto words = words_of(*at->error, wish_.host);
    const auto which = parse_challenge_kind(at->type);
    const bool look_up = at->error->type == "dns";
    if (!which || (!look_up && blame_of(*at->error) != blame::challenge))
        return give_up(words, false);
    if (!has_failed(*which))
        memory_.failed.emplace_back(*which, words);
    // A look-up that failed concerns every kind but dns-01, which asks for another name.
    if (look_up && *which != challenge_kind::dns_01)
        for (const auto kind : wish_.kinds)
            if (kind != challenge_kind::dns_01 && !has_failed(kind))
                memory_.failed.emplace_back(kind, words);
    // Which kinds a new order offers is not known: this authorization may name the one that failed alone.
    const auto left = std::ranges::any_of(wish_.kinds, [&](auto kind) { return !has_failed(kind); });
    // A failed challenge ends its order (RFC 8555 §7.1.6): the next kind needs a new one.
    if (left)
        return begin_anew();
    choose({}); // nothing is left: says what failed
}

std::string fault_of_chain(std::string_view chain, const base::ec_key& key, std::string_view host,
                           base::utc_seconds now) {
    const auto certificates = base::parse_pem_chain(chain);
    if (!certificates)
        return fmt::format("the authority sent no certificate: {}", certificates.error());
    const auto& leaf = certificates->front();
    if (leaf.dns_names.size() != 1 || !leaf.ip_addresses.empty() ||
        base::lower(leaf.dns_names.front()) != host)
        return fmt::format("the authority's certificate is not for {} alone: {}", host,
                           base::printable(base::join(leaf.dns_names, ", "), 200));
    if (leaf.not_after <= now)
        return fmt::format("the authority's certificate ended on {}; is the clock of this machine right?",
                           base::format_utc(leaf.not_after));
    if (!base::is_key_of(chain, key))
        return "the authority's certificate is not for the key that it was asked for";
    return {};
}

} // namespace mailtight::publish
