// SPDX-License-Identifier: Apache-2.0
// Authentication-Results (RFC 8601) of one's own mail servers: which DKIM domains passed there. Read only for
// servers that the operator named, who must see to it that they remove foreign fields of their name (RFC 8601
// §5). The room's own; pure; takes any bytes.
#pragma once

#include "mail/message.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::intake {

struct own_result {
    std::string domain; ///< of a signature that passed, lower case
    std::string server; ///< that says so
};
std::vector<own_result> own_dkim_passes(const mail::message& of,
                                        std::span<const std::string> trusted_servers);

/// One field's value; nothing where the server is not one of those.
std::vector<own_result> read_own_result(std::string_view value, std::span<const std::string> trusted_servers);

} // namespace mailtight::intake
