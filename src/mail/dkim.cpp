// SPDX-License-Identifier: Apache-2.0
#include "mail/dkim.h"

#include "mail/domain_name.h"

namespace mailtight::mail {

std::string_view to_string(dkim_result r) {
    switch (r) {
    case dkim_result::pass:
        return "pass";
    case dkim_result::none:
        return "none";
    case dkim_result::fail:
        return "fail";
    case dkim_result::neutral:
        return "neutral";
    case dkim_result::temperror:
        return "temperror";
    case dkim_result::permerror:
        return "permerror";
    case dkim_result::expired:
        return "expired";
    }
    return "none";
}

// 8460-3-j, A37
bool dkim_aligned(std::string_view signing_domain, std::string_view reporter_domain) {
    const auto signing = to_ascii(signing_domain);
    const auto reporter = to_ascii(reporter_domain);
    if (!signing || !reporter)
        return false;
    return *signing == *reporter || organizational_domain(*signing) == organizational_domain(*reporter);
}

} // namespace mailtight::mail
