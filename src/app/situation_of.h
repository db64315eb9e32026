// SPDX-License-Identifier: Apache-2.0
// A look at a domain, put into the planner's words and into those of the history and of the
// table of all domains. Pure.
#pragma once

#include "advise/advise.h"
#include "model/shown.h"
#include "model/watched.h"
#include "plan/situation.h"

#include <span>
#include <string>
#include <string_view>

namespace mailtight::app {

/// Where policy hosts of ours are to be found.
struct our_place {
    std::string name;                        ///< that mta-sts.DOMAIN points at; "" : none is configured
    std::vector<base::ip_address> addresses; ///< configured, or what the name resolves to
};

/// `now` is policy time, whatever clock the look was taken by.
plan::situation situation_of(const model::observation& seen, const advise::judgement& judged,
                             const our_place& ours, base::utc_seconds now);

/// `full`: mail servers were looked at too.
model::watched_state state_of(const model::observation& seen, const advise::judgement& judged,
                              base::utc_seconds now, bool full);

/// A full look for the table of all domains; without what changed, which one look cannot tell.
model::shown shown_of(const model::observation& seen, const advise::judgement& judged, base::utc_seconds now);

} // namespace mailtight::app
