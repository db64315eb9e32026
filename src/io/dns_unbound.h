// SPDX-License-Identifier: Apache-2.0
// Answers by libunbound, validated by ourselves: forwarding to named servers, or recursive from the root.
#pragma once

#include "io/dns_lookup.h"
#include "io/resolver.h"

#include <memory>
#include <vector>

namespace mailtight::io {

/// Throws std::runtime_error where it cannot start (no anchor, an unreadable file). `servers` is not used in
/// recursive mode.
std::unique_ptr<dns_backend> make_unbound_backend(loop& on, const resolver_options& options,
                                                  std::vector<endpoint> servers);

} // namespace mailtight::io
