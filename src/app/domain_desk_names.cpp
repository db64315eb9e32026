// SPDX-License-Identifier: Apache-2.0
// Which names a tenant may add, asked of the store and of DNS.
#include "app/domain_desk_state.h"
#include "app/tenant_names.h"
#include "base/crypto/password.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::app {

namespace {

using api::refusal;
using api::told;

constexpr std::size_t proofs_at_once = 8; ///< each asks a stranger's name servers

} // namespace

io::task<told<void>> daemon_domain_desk::may_have(std::string domain, std::string owner) {
    using enum refusal::kind;
    auto known = co_await ask<std::optional<model::looked_after>>(
        [domain](store::domain_store& from) { return from.find(domain); });
    if (!known)
        co_return std::unexpected(store_away(known.error()));
    if (*known && (*known)->owner == owner)
        co_return std::unexpected(refuse(conflict, fmt::format("{} is looked after already", domain)));
    struct found {
        name_facts facts;
        std::string key;
    };
    const bool reports_kept =
        std::ranges::find(core_.domains, domain, &store::own_domain::name) != core_.domains.end();
    const auto look = [&, kept = kept_]() -> store::result<found> {
        if (!access_) {
            auto opened = store::open_access({.where = store_place(core_.set)});
            if (!opened)
                return std::unexpected(opened.error());
            access_ = std::move(*opened);
        }
        auto facts = facts_of(*access_, *kept, owner, domain, reports_kept);
        if (!facts)
            return std::unexpected(facts.error());
        auto key = access_->shared_key("owner-record", base::random_secret());
        if (!key)
            return std::unexpected(key.error());
        return found{*facts, std::move(*key)};
    };
    auto seen = co_await worker_.run<store::result<found>>([&] {
        auto out = look();
        if (!out && out.error().again())
            access_.reset(); // opened anew by the next who asks
        return out;
    });
    if (!seen)
        co_return std::unexpected(store_away(seen.error()));
    auto answer = may_add(seen->facts, false);
    if (answer == name_answer::on_proof) {
        if (proving_.size() >= proofs_at_once || !proving_.insert(owner).second)
            co_return std::unexpected(refuse(busy, "another record is being looked for just now"));
        struct holding {
            std::set<std::string>& of;
            const std::string& owner;
            ~holding() { of.erase(owner); }
        } const until{proving_, owner};
        const auto record = owner_record(seen->key, owner, domain);
        const auto why = co_await why_unproven(record);
        if (!why.empty()) {
            auto no =
                refuse(unproven, fmt::format("{} is not known to be yours: publish the record, then ask "
                                             "again, or ask the operator to allow you the name. Seen "
                                             "now: {}",
                                             domain, why));
            no.record = record;
            co_return std::unexpected(std::move(no));
        }
        answer = may_add(seen->facts, true);
    }
    if (*known) // whose it is is nobody's business, theirs who may have it neither
        co_return std::unexpected(refuse(conflict, fmt::format("{} cannot be added", domain)));
    if (answer == name_answer::by_operator)
        co_return std::unexpected(refuse(
            forbidden, fmt::format("{} was looked after here before, and what is kept of it is another's: "
                                   "the operator has to allow you this very name",
                                   domain)));
    co_return told<void>{};
}

io::task<std::string> daemon_domain_desk::why_unproven(refusal::dns_record wanted) {
    auto& dns = *core_.with->dns;
    dns.forget(wanted.name);
    // An alias that covers many names (`*.example.com CNAME host.example`) would give them all to whoever
    // writes at its target.
    const auto alias = co_await dns.cname(wanted.name);
    if (alias.ok())
        co_return fmt::format("{} is an alias of {}; the record has to stand at the name itself", wanted.name,
                              alias.chain.empty() ? "another name" : alias.chain.front());
    if (alias.status == model::dns_status::bogus)
        co_return fmt::format("the signatures of {} are not valid (DNSSEC)", wanted.name);
    plan::record_change change;
    change.name = wanted.name;
    change.type = wanted.type;
    change.add = {wanted.value};
    const auto seen = co_await hands_->pusher().verify({std::move(change)});
    if (seen.what == publish::pushed::fate::done)
        co_return "";
    co_return base::printable(seen.words, 500);
}

} // namespace mailtight::app
