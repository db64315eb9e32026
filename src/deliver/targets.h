// SPDX-License-Identifier: Apache-2.0
// Where a report goes, and where it must not: the addresses of the record against the guard rails. A record
// may name anybody as its target (8460-7-d), so each address, host and day has its cap. Pure.
#pragma once

#include "model/outgoing.h"
#include "store/results.h"
#include "tlsrpt/record.h"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace mailtight::deliver {

struct guard_rails {
    bool mail = true, https = true;
    std::size_t addresses = 10;                                           ///< of one record
    std::uint64_t per_address = 100, per_host = 1'000, per_day = 200'000; ///< deliveries begun on a day
    std::uint64_t minimum_sessions = 1;
    bool success_only = true;             ///< A36: reports without a failure too
    std::vector<std::string> own_domains; ///< ours: no report to ourselves unless `to_self`
    bool to_self = true;
};
/// Whether a report is made of these at all; "" : yes, else why not. `reports_there`: mails with reports that
/// we handed over on that day for recipients of this domain; where the sessions are no more than those, they
/// are most likely our own reports, and answering would never end (8460-3-h).
std::string why_not(const guard_rails& rails, std::uint64_t success, std::uint64_t failure,
                    std::uint64_t reports_there);
/// One delivery for each distinct address of a supported scheme, in the record's order; those that may not
/// get it are `suppressed` with the reason. First tries begin at `now`.
std::vector<model::outgoing_delivery>
targets_of(const tlsrpt::record& asks, const guard_rails& rails,
           std::span<const store::suppressed_address> suppressed,
           const std::function<store::result_store::sent_so_far(const std::string& address,
                                                                const std::string& host)>& so_far,
           base::utc_seconds now);

} // namespace mailtight::deliver
