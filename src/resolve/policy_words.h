// SPDX-License-Identifier: Apache-2.0
// Why no policy was had, in a sentence for a person. Remote text in it is made harmless and short.
#pragma once

#include "model/probe_facts.h"
#include "sts/policy.h"

#include <string>
#include <string_view>

namespace mailtight::resolve {

/// Of a fetch that brought no body to judge.
std::string words_of_fetch(const model::fetch_fact& seen, std::string_view policy_host);
/// The same in a word, for reports (A33): `http-status-404`, `tcp-timeout`.
std::string reason_of_fetch(const model::fetch_fact& seen);
/// Of a body that is no policy.
std::string words_of_problem(const sts::policy_issue& problem);

} // namespace mailtight::resolve
