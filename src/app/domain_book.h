// SPDX-License-Identifier: Apache-2.0
// What commands and pages do to domains looked after, in the database alone: what follows in the world is the
// work that is made due here. Blocks; on the thread of the store. Errors are those of the store; what is
// refused for a reason comes back as words for a person.
#pragma once

#include "app/settings.h"
#include "store/domains.h"

#include <span>
#include <string>
#include <string_view>

namespace mailtight::app {

/// Why a domain must stay; "" : it may go, since no sender holds a policy of it any more.
store::result<std::string> why_it_stays(store::domain_store& kept, const model::looked_after& domain,
                                        base::utc_seconds now);

struct given_up {
    enum class fate { gone, absent, held, busy } what = fate::gone;
    std::string words; ///< held: why
};
/// No longer looked after; what is served of it is withdrawn. `force`: although senders may hold it.
/// `machine`: who takes the domain's lease for that.
store::result<given_up> give_up(store::domain_store& kept, const std::string& domain, bool force,
                                std::string_view who, std::string_view why, const std::string& machine,
                                base::utc_seconds now);

/// Makes the work of these domains due: planned and looked at now.
store::result<void> make_due(const settings& from, store::domain_store& kept,
                             std::span<const std::string> domains, base::utc_seconds now);

} // namespace mailtight::app
