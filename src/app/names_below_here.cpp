// SPDX-License-Identifier: Apache-2.0
// The names below a domain for commands: the databases are asked at once, where they are.
#include "app/domain_access.h"
#include "app/names_below.h"
#include "app/report_facts.h"
#include "app/store_access.h"

namespace mailtight::app {

std::unique_ptr<names_below_here> names_below_here::make(const settings& from, world& with,
                                                         std::vector<std::string> domains) {
    auto kept = open_domains_if_there(from);
    auto say = kept ? publish_settings_of(from) : std::unexpected(std::string());
    if (!say)
        return nullptr;
    auto made = std::make_unique<names_below_here>();
    made->say_ = std::move(*say);
    made->kept_ = std::move(kept);
    made->reports_ = open_if_there(from);
    made->domains_ = std::move(domains);
    auto* all = made.get();
    names_below_needs needs{.loop = with.loop,
                            .dns = *with.dns,
                            .clock = with.clock,
                            .say = all->say_,
                            .find = {},
                            .reported = {},
                            .known = {},
                            .transfer = {}};
    needs.find = [all](std::string domain) -> io::task<std::optional<model::looked_after>> {
        auto found = all->kept_->find(domain);
        co_return found ? std::move(*found) : std::nullopt;
    };
    needs.reported = [all, &with]() -> io::task<std::optional<std::vector<std::string>>> {
        if (!all->reports_)
            co_return std::nullopt;
        auto found = all->reports_->names_below(
            all->domains_, day_of(with.clock.now()) - names_in_reports_since, names_in_reports);
        co_return found ? std::optional(std::move(*found)) : std::nullopt;
    };
    if (auto ours = our_domains(from))
        needs.known = [ours = std::move(*ours)] { return ours; };
    made->names_ = std::make_unique<names_below>(std::move(needs));
    return made;
}

} // namespace mailtight::app
