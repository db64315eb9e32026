// SPDX-License-Identifier: Apache-2.0
#include "api/access.h"

namespace mailtight::api {

std::string_view to_string(role r) {
    switch (r) {
    case role::viewer:
        return "viewer";
    case role::operates:
        return "operator";
    case role::administrator:
        return "administrator";
    }
    return "viewer";
}

std::optional<role> parse_role(std::string_view word) {
    for (const auto each : {role::viewer, role::operates, role::administrator})
        if (word == to_string(each))
            return each;
    return {};
}

} // namespace mailtight::api
