// SPDX-License-Identifier: Apache-2.0
// When two reports are the same one (A28): the key says which report it is, the content what it says. Pure.
#pragma once

#include "model/received.h"

#include <string>

namespace mailtight::store {

/// 32 bytes over reporter, report-id, period and the set of policy domains. The synthetic report of a test
/// has a key of its own, so that it never stands in the way of a real one.
std::string key_of(const model::received_report& report, const std::string& reporter);
/// 32 bytes over everything the normalised report says: the same for a copy packed or indented otherwise.
std::string content_of(const tlsrpt::report& report);

/// The same report with what an engine cannot keep as text (U+0000, broken UTF-8) replaced by U+FFFD; nothing
/// where all of it can be kept, which is nearly always.
std::optional<model::received_report> mended(const model::received_report& report);
/// One text, likewise.
std::string storable(std::string_view text);

} // namespace mailtight::store
