// SPDX-License-Identifier: Apache-2.0
// Which names a tenant may add, as the operator said.
#include "store/result_rows.h"
#include "store/sql_access.h"

#include "mail/domain_name.h"

#include <fmt/format.h>

namespace mailtight::store {
namespace {

constexpr std::string_view below = "*.";

std::optional<store_error> refused_name(std::string_view owner, std::string_view name) {
    const auto wrong = [](std::string message) {
        return store_error{.what = store_error::kind::wrong, .message = std::move(message)};
    };
    if (owner.empty())
        return wrong("an owner is a text of 1 to 255 bytes");
    if (auto problem = refused_grant({.name = "a", .role = "viewer", .tenant = std::string(owner)}))
        return problem;
    const auto plain = name.starts_with(below) ? name.substr(below.size()) : name;
    if (mail::canonical_name(plain) != plain)
        return wrong("a name that is allowed is a domain, or *. before one");
    return {};
}

} // namespace

result<std::size_t> sql_access::allow_names(std::string_view owner, std::span<const std::string> names,
                                            base::utc_seconds now) {
    for (const auto& name : names)
        if (auto problem = refused_name(owner, name))
            return std::unexpected(*problem);
    return writing([&] {
        std::size_t fresh = 0;
        for (const auto& name : names)
            fresh += on_->number("insert into access_allowed (owner, name, at) values ($1, $2, $3) "
                                 "on conflict do nothing returning 1",
                                 {owner, name, now})
                         ? 1
                         : 0;
        return fresh;
    });
}

result<std::size_t> sql_access::disallow_names(std::string_view owner, std::span<const std::string> names) {
    return writing([&] {
        std::size_t gone = 0;
        for (const auto& name : names)
            gone += on_->number("delete from access_allowed where owner = $1 and name = $2 returning 1",
                                {owner, name})
                        ? 1
                        : 0;
        return gone;
    });
}

result<std::vector<allowed_name>> sql_access::allowed_names(const std::optional<std::string>& owner,
                                                            const allowed_name& after, std::size_t limit) {
    return reading([&] {
        std::vector<allowed_name> out;
        const auto select = [&](std::string_view condition, const sql::values& with) {
            on_->query(
                fmt::format("select owner, name, at from access_allowed where (owner, name) > ($1, $2) "
                            "{} order by owner, name limit $3",
                            condition),
                with, [&](const sql::row& r) {
                    out.push_back({.owner = r.string(0), .name = r.string(1), .at = r.at(2)});
                });
        };
        if (owner)
            select("and owner = $4", {after.owner, after.name, std::uint64_t{limit}, *owner});
        else
            select("", {after.owner, after.name, std::uint64_t{limit}});
        return out;
    });
}

result<name_right> sql_access::right_to(std::string_view owner, std::string_view domain) {
    return reading([&] {
        const auto is_allowed = [&](std::string_view name) {
            return on_->number("select 1 from access_allowed where owner = $1 and name = $2", {owner, name})
                .has_value();
        };
        if (is_allowed(domain))
            return name_right::itself;
        for (auto dot = domain.find('.'); dot != domain.npos; dot = domain.find('.', dot + 1))
            if (is_allowed(fmt::format("*{}", domain.substr(dot))))
                return name_right::below;
        return name_right::none;
    });
}

} // namespace mailtight::store
