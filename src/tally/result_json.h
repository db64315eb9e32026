// SPDX-License-Identifier: Apache-2.0
// A whole result out of a JSON object: libtlsrpt's short names and numbers, or the words of RFC 8460 §4.4.
// Private to the readers of this room.
#pragma once

#include "tally/json_input.h"

namespace mailtight::tally {

/// Of a member that stands twice the first counts (8460-4-a); unknown members are passed over.
std::expected<model::delivery_result, read_error> read_result(simdjson::dom::object from,
                                                              const datagram_limits& limits);
/// A result type by word or number. An unknown one is a validation failure, and `reason` then says which.
std::expected<tlsrpt::result_type, read_error> read_result_type(simdjson::dom::element value, const place& at,
                                                                std::string& reason);

} // namespace mailtight::tally
