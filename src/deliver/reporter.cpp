// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "deliver/compose.h"
#include "mail/domain_name.h"

namespace mailtight::deliver {

std::string reporter::submitter() const { // 8460-5.1-c
    const auto at = contact.rfind('@');
    if (at == std::string::npos)
        return "";
    const auto domain = base::trim(std::string_view(contact).substr(at + 1));
    const auto ascii = mail::to_ascii(domain);
    return base::lower(ascii ? *ascii : domain);
}

std::string reporter::address() const {
    const auto at = contact.rfind('@');
    if (at == std::string::npos)
        return contact;
    return std::string(base::trim(std::string_view(contact).substr(0, at))) + "@" + submitter();
}

} // namespace mailtight::deliver
