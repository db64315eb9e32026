// SPDX-License-Identifier: Apache-2.0
#include "tally/read_datagram.h"

namespace mailtight::tally {

std::string_view to_string(read_error::kind code) {
    using kind = read_error::kind;
    switch (code) {
    case kind::too_large:
        return "too-large";
    case kind::not_json:
        return "not-json";
    case kind::not_an_object:
        return "not-an-object";
    case kind::version:
        return "version";
    case kind::no_domain:
        return "no-domain";
    case kind::no_policies:
        return "no-policies";
    case kind::field:
        return "field";
    }
    return "";
}

} // namespace mailtight::tally
