// SPDX-License-Identifier: Apache-2.0
// What an authority's problem document means for a person, and what mends it. Pure.
#pragma once

#include "wire/acme.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace mailtight::publish {

/// One or two sentences: what the authority said, and the fix where there is one.
std::string words_of(const wire::acme_problem& problem, std::string_view host);

/// Whose turn it is.
enum class blame {
    passing,   ///< nobody's: the authority stumbled or asks us to wait
    ours,      ///< this side's configuration: asking again without a change is no use
    name,      ///< the name's DNS or what answers there: another kind of challenge would see the same
    challenge, ///< what answered the challenge: another kind may do
};
blame blame_of(const wire::acme_problem& problem);

} // namespace mailtight::publish
