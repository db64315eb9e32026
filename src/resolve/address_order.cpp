// SPDX-License-Identifier: Apache-2.0
#include "resolve/address_order.h"

namespace mailtight::resolve {

std::vector<base::ip_address> in_order_of_trial(std::span<const base::ip_address> addresses,
                                                std::size_t most) {
    std::vector<base::ip_address> families[2], order;
    for (const auto& address : addresses)
        families[address.is_v4() ? 1 : 0].push_back(address);
    for (std::size_t i = 0; i < addresses.size(); ++i)
        for (const auto& family : families)
            if (i < family.size() && order.size() < most)
                order.push_back(family[i]);
    return order;
}

} // namespace mailtight::resolve
