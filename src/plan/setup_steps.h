// SPDX-License-Identifier: Apache-2.0
// What has to stand before a policy can be fetched: the way for reports, `_smtp._tls`, the policy host and
// its certificate. RFC 8461 §3.3, §8.2; RFC 8460 §3. Pure; the room's own.
#pragma once

#include "plan/step_list.h"

namespace mailtight::plan {

/// `aside`: the domain is protected already, so nothing waits for them.
void add_report_steps(const picture& p, step_list& list, bool aside);
void add_host_steps(const picture& p, step_list& list, bool aside);

/// The record that leads to the policy host, as it is to be; empty where nobody said where to.
std::vector<record_change> host_records(const picture& p);

} // namespace mailtight::plan
