// SPDX-License-Identifier: Apache-2.0
#include "app/tenant_names.h"

#include "base/crypto/issuing.h"
#include "base/encode.h"

#include <fmt/format.h>

namespace mailtight::app {

namespace {

constexpr std::size_t proof_bytes = 20; ///< of the HMAC: 32 characters, which nobody guesses

} // namespace

store::result<name_facts> facts_of(store::access_store& access, store::domain_store& kept,
                                   const std::string& owner, const std::string& domain, bool reports_kept) {
    name_facts out;
    auto right = access.right_to(owner, domain);
    if (!right)
        return std::unexpected(right.error());
    out.right = *right;
    for (auto dot = domain.find('.'); dot != domain.npos; dot = domain.find('.', dot + 1)) {
        auto above = kept.find(domain.substr(dot + 1));
        if (!above)
            return std::unexpected(above.error());
        // The operator's own is no obstacle: they allowed what lies below it.
        out.others_above |= *above && !(*above)->owner.empty() && (*above)->owner != owner;
    }
    auto left = kept.last_owner(domain);
    if (!left)
        return std::unexpected(left.error());
    out.others_past = left->known ? left->owner != owner : reports_kept;
    return out;
}

name_answer may_add(const name_facts& facts, bool proven) {
    using enum store::name_right;
    if (facts.right == itself) // the operator named it, knowing what is kept of it
        return name_answer::yes;
    // What is above another tenant's domain is no word about what is below it.
    const bool holds = proven || (facts.right == below && !facts.others_above);
    if (!holds)
        return name_answer::on_proof;
    return facts.others_past ? name_answer::by_operator : name_answer::yes;
}

api::refusal::dns_record owner_record(std::string_view key, std::string_view owner, std::string_view domain) {
    const auto bound =
        base::hmac_sha256(key, fmt::format("mailtight-owner\n{}\n{}\n{}", owner.size(), owner, domain));
    return {.name = fmt::format("_mailtight.{}", domain),
            .type = "TXT",
            .value = fmt::format("mailtight-owner={}",
                                 base::base32(std::string_view(bound).substr(0, proof_bytes)))};
}

} // namespace mailtight::app
