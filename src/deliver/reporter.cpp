// SPDX-License-Identifier: Apache-2.0
#include "deliver/compose.h"

#include "mail/domain_name.h"

namespace mailtight::deliver {

std::string reporter::submitter() const {
    const auto at = contact.rfind('@');
    return at == std::string::npos ? std::string() : contact.substr(at + 1);
}

} // namespace mailtight::deliver
