// SPDX-License-Identifier: Apache-2.0
// One change of the policy as the steps that make it: the body, then a look at it over the public path, then
// the record under a new id, then a look at every name server. RFC 8461 §8.1. Pure; the room's own.
#pragma once

#include "plan/patterns.h"
#include "plan/step_list.h"

#include <string>

namespace mailtight::plan {

struct change {
    sts::policy policy;
    std::string body;
    std::string id;         ///< of the record that announces it
    bool served = false;    ///< it is what our host serves, or what was uploaded
    bool verified = false;  ///< it comes back over the public path
    bool announced = false; ///< and the record has its id
};
/// The policy that is wanted, measured against what is there. An unchanged policy keeps its bytes and its id.
change want(const picture& p, sts::policy policy, const mx_choice& mx);

void add_change_steps(const picture& p, step_list& list, const change& what, const mx_choice& mx);
/// The body alone, where there is no record to be changed.
void add_quiet_change(const picture& p, step_list& list, const change& what);
bool done(const picture& p, const change& what);

/// What `_mta-sts` is to be changed into, or, with an empty id, taken out.
std::vector<record_change> sts_records(const picture& p, const std::string& id);

} // namespace mailtight::plan
