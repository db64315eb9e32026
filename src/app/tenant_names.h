// SPDX-License-Identifier: Apache-2.0
// Which names a tenant may add: those that the operator allowed them, and those that they prove to be theirs
// by a record in DNS. The decision is pure; the record is bound to installation, owner and domain, so that
// one that was seen is of no use to anybody else.
#pragma once

#include "api/domain_desk.h"
#include "store/access.h"
#include "store/domains.h"

#include <string>
#include <string_view>

namespace mailtight::app {

/// What the store knows of a name that a tenant wants to add.
struct name_facts {
    store::name_right right = store::name_right::none;
    bool others_above = false; ///< another tenant has a domain above it
    bool others_past = false;  ///< what is kept here of it (reports, policies, changes) was another's
};
/// `reports_kept`: the installation has reports of the domain, or waits for them.
store::result<name_facts> facts_of(store::access_store& access, store::domain_store& kept,
                                   const std::string& owner, const std::string& domain, bool reports_kept);

enum class name_answer {
    yes,
    on_proof,    ///< where the record stands
    by_operator, ///< by name; a proof does not show that the past is theirs too
};
/// What may be said before DNS was asked, and after it.
name_answer may_add(const name_facts& facts, bool proven);

/// What is to be published: `_mailtight.DOMAIN TXT "mailtight-owner=…"`. `key` is the installation's secret.
api::refusal::dns_record owner_record(std::string_view key, std::string_view owner, std::string_view domain);

} // namespace mailtight::app
