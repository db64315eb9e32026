// SPDX-License-Identifier: Apache-2.0
// Which domain a report is about, from the body and from what stood around it. The room's own; pure.
#pragma once

#include "tlsrpt/read_report.h"

#include <string>
#include <string_view>

namespace mailtight::intake {

/// A domain from outside, however written (U-labels, a trailing dot, spaces, brackets): A-labels, lower case,
/// or
/// "" where it is none.
std::string domain_from(std::string_view text);
/// The domain of a mail address (`contact-info`): what follows its last `@`.
std::string domain_of_address(std::string_view address);

/// Whether the signature that decides covers each TLS-Report-Domain of the mail.
enum class header_signed { no, yes };

/// A22: the header, then the address's token, then the only policy domain; "" where all are silent. A token
/// gives way to a body that names other domains only: one `rua` may serve several domains by CNAME. So does a
/// header that is not signed: whoever sends a genuine report on, about a domain of his own, may put another
/// name on top of it.
std::string attributed_domain(const tlsrpt::report& report, const tlsrpt::report_hints& around,
                              header_signed header);

} // namespace mailtight::intake
