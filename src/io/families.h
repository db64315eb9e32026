// SPDX-License-Identifier: Apache-2.0
// Which addresses of a host a client tries, and in which order.
#pragma once

#include "model/outgoing.h"

namespace mailtight::io {

enum class families {
    any,      ///< IPv6 and IPv4 in turn
    v4_first, ///< IPv6 where no IPv4 address would do
    v4_only,
    v6_only,
};

/// For a delivery of ours. Over IPv6 a mail is refused wherever the address has no PTR or is not in the SPF
/// record, so IPv4 comes first where nothing else was decided, unless this host is known to be `fit_for_v6`.
constexpr families families_for(model::address_family next, bool fit_for_v6 = false) {
    return next == model::address_family::v4   ? families::v4_only
           : next == model::address_family::v6 ? families::v6_only
           : fit_for_v6                        ? families::any
                                               : families::v4_first;
}

} // namespace mailtight::io
