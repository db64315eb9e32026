// SPDX-License-Identifier: Apache-2.0
// What `plan` and the pages try on a wish before it is one.
#include "app/domain_wish.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::app {

namespace {

using done = std::expected<void, wish_fault>;

std::unexpected<wish_fault> fault(std::string option, std::string words) {
    return std::unexpected(wish_fault{std::move(option), std::move(words)});
}

void add_once(std::vector<std::string>& to, const std::string& name) {
    if (std::ranges::find(to, name) == to.end())
        to.push_back(name);
}

/// Those named are to come, or to go, and not the other way round.
done move_hosts(const std::string& option, const std::vector<std::string>& typed,
                std::vector<std::string>& to, std::vector<std::string>& from) {
    for (const auto& each : typed) {
        const auto host = mail_host(each);
        if (!host)
            return fault(
                option, fmt::format("takes the name of a mail server, not '{}'", base::printable(each, 300)));
        add_once(to, *host);
        std::erase(from, *host);
    }
    return {};
}

} // namespace

done try_on(const plan_request& said, model::looked_after& to) {
    if (!said.to.empty()) {
        const std::string word = base::lower(said.to);
        const auto aim = model::parse_aim(word == "none" ? "off" : word);
        if (!aim)
            return fault(
                "to", fmt::format("takes testing, enforce or off, not '{}'", base::printable(said.to, 300)));
        to.aim = *aim;
        to.paused = to.paused && *aim != model::aim::off;
    }
    if (!said.by.empty()) {
        const auto way = model::parse_off_way(base::lower(said.by));
        if (!way)
            return fault("by", fmt::format("takes none or expiry, not '{}'", base::printable(said.by, 300)));
        if (to.aim != model::aim::off)
            return fault("by", "says how a domain is switched off: give --to off with it");
        to.off = *way;
    }
    if (said.keep_mx)
        to.keep_mx = true;
    if (auto moved = move_hosts("add-mx", said.add_mx, to.mx_adding, to.mx_removing); !moved)
        return moved;
    return move_hosts("remove-mx", said.remove_mx, to.mx_removing, to.mx_adding);
}

} // namespace mailtight::app
