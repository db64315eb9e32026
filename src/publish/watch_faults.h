// SPDX-License-Identifier: Apache-2.0
// What is wrong in what one look saw, compared with the looks before it; for watch_*.cpp. Damping comes
// after. Pure.
#pragma once

#include "publish/watch.h"

#include <map>
#include <span>
#include <string>

namespace mailtight::publish {

struct fault {
    change_kind what = change_kind::new_finding;
    std::string subject;
    std::string detail; ///< for the text: what was, what is
    bool error = false;
    bool at_once = false; ///< told at the first look that sees it
};
using faults = std::map<std::string, fault, std::less<>>; ///< by key
std::string key_of(std::string_view domain, const fault& of);

/// One look of many in the order of time; a state that lasted is two: its first and its last look.
struct look_at {
    base::utc_seconds at{};
    const model::watched_state* state = nullptr;
};
std::vector<look_at> in_order(const std::vector<model::watched_state>& states, bool full_only);

/// Of DNS and the file, by the last of `looks`.
void faults_of_facts(const watch_memory& memory, std::span<const look_at> looks, faults& into);
/// Of the findings of check, by the last of `looks`; all of them full.
void faults_of_findings(const watch_memory& memory, std::span<const look_at> looks, faults& into);
/// Title, text and what to do, for a person.
watch_alarm in_words(std::string_view domain, const fault& of, base::utc_seconds since, unsigned changes);

} // namespace mailtight::publish
