// SPDX-License-Identifier: Apache-2.0
// What `dns` suggests for a domain that is looked after: what its owner said and what our host serves, in
// place of guesses. Pure.
#pragma once

#include "advise/advise.h"
#include "advise/dns_forms.h"
#include "app/publish_settings.h"
#include "model/looked_after.h"

#include <optional>
#include <string>
#include <vector>

namespace mailtight::app {

/// `report_addresses`: of the reports kept here, where neither the domain nor the configuration names any.
advise::suggestion_options wished_records(const model::looked_after& wish,
                                          const std::optional<model::publication>& served,
                                          const publish_settings& say,
                                          const std::vector<std::string>& report_addresses);

/// The records of a domain as it was seen.
struct records_made {
    advise::suggestion what;
    advise::dns_place place;
    bool nothing_left = false; ///< every record is right already
};
records_made make_records(const model::observation& seen, const advise::suggestion_options& wanted);

/// As if nothing were published yet: a document made of it holds the records that are right already, too.
advise::suggestion with_those_that_are_right(advise::suggestion made);

} // namespace mailtight::app
