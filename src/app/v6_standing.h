// SPDX-License-Identifier: Apache-2.0
// Whether mail of ours is fit to go out over IPv6: receivers there want a name for the address and an SPF
// record that covers it, and refuse what has neither. Where one is missing, reports go over IPv4 first.
#pragma once

#include "app/doctor.h"
#include "app/world.h"

#include <optional>
#include <string>
#include <vector>

namespace mailtight::app {

/// What was seen of it.
struct v6_facts {
    std::optional<base::ip_address> source; ///< nothing: no way out over IPv6
    std::vector<std::string> names;         ///< of the PTR records
    std::string confirmed;                  ///< the one of them that has the address; "" : none
    std::string spf;                        ///< of the sender's domain for the address: "pass", "none", …
};
/// All that receivers ask of an address is there.
bool fits(const v6_facts& seen);
check_row judge_v6(const v6_facts& seen, const std::string& domain);

io::task<v6_facts> look_at_v6(io::resolver& dns, std::optional<base::ip_address> source, std::string domain);
/// The address that this host would send from over IPv6.
std::optional<base::ip_address> v6_source();

} // namespace mailtight::app
