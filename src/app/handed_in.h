// SPDX-License-Identifier: Apache-2.0
// Reports that a person hands in about a domain that is looked after, and whose record leads elsewhere than
// to [reports]: they were kept apart, since no report makes a domain known. Here the domain is known, and the
// person says that these are its reports: it is one of ours from now on. Lives on the loop; the stores are
// asked on the keeper's thread. What fails leaves them kept apart.
#pragma once

#include "app/import_batch.h"
#include "intake/keeper.h"

#include <string>
#include <vector>

namespace mailtight::app {

/// Counts those of these reports that were kept apart for want of such a domain, and says so in the outcomes.
/// `place`: of the database. True where a domain became one of ours. `kept` outlives the call.
io::task<bool> count_handed_in(intake::keeper& into, std::string place, std::vector<imported>& kept,
                               base::utc_seconds now);

} // namespace mailtight::app
