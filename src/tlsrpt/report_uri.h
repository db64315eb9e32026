// SPDX-License-Identifier: Apache-2.0
// One item of a `rua` list: is it a URI (RFC 3986) with the escapes that RFC 8460 §3 demands, and where does
// it lead. The room's own; record.h is its face. Pure; takes any bytes.
#pragma once

#include "tlsrpt/record.h"

namespace mailtight::tlsrpt {

/// The URI, or rua_syntax or rua_unescaped. A scheme other than mailto and https is well formed here.
std::expected<report_uri, record_problem> read_report_uri(std::string_view text);

/// Allocation-free: would read_report_uri() accept the text, and as which scheme.
std::expected<report_uri::scheme_type, record_problem> check_report_uri(std::string_view text);

} // namespace mailtight::tlsrpt
