// SPDX-License-Identifier: Apache-2.0
// Entries: plan_updates() and as_wanted(). Each name is planned alone; the message holds them all.
#include "publish/plan_update.h"

#include "base/limits.h"
#include "base/text.h"
#include "mail/domain_name.h"
#include "publish/dns_push.h"
#include "wire/dns_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <utility>

namespace mailtight::publish {

namespace {

using wire::dns_type;
using wire::update_record;
using records = std::vector<update_record>;

struct wish {
    std::set<std::string> add, remove;
    std::uint32_t ttl = 0;
};
using wishes_at_name = std::map<dns_type, wish>;

/// std::ranges::contains, which this standard library does not have yet.
template<class Range, class Value, class Projection = std::identity>
bool contains(const Range& all, const Value& value, Projection of = {}) {
    return std::ranges::find(all, value, of) != std::ranges::end(all);
}

std::string shown(const update_record& record) {
    return fmt::format("{} \"{}\"", wire::to_string(record.type), base::printable(record.value, 120));
}

/// "v=STSv1" or "v=TLSRPTv1", where a text begins with it; else "".
std::string_view kind_of(std::string_view text) {
    for (const std::string_view kind : {"v=STSv1", "v=TLSRPTv1"})
        if (text.starts_with(kind))
            return kind;
    return "";
}

bool wants_kind(const wish& of, std::string_view kind) {
    const auto is = [kind](const std::string& value) { return kind_of(value) == kind; };
    return std::ranges::any_of(of.add, is) || std::ranges::any_of(of.remove, is);
}

/// Plans one name into the message.
class name_planner {
public:
    name_planner(std::string name, const wishes_at_name& wanted, const records& standing,
                 wire::dns_update& into)
        : name_(std::move(name))
        , wanted_(wanted)
        , into_(into) {
        for (const auto& record : standing)
            if (record.name == name_)
                here_[record.type].push_back(record);
    }

    /// Why not; "" : planned.
    std::string plan() {
        for (const auto& [type, of] : wanted_) {
            remove(type, of);
            if (auto why = stopped_by_foreign(type, of); !why.empty())
                return why;
            add(type, of);
        }
        if (auto why = stopped_by_alias(); !why.empty())
            return why;
        if (!removed_.empty() || !added_.empty())
            require();
        into_.remove.insert(into_.remove.end(), removed_.begin(), removed_.end());
        into_.add.insert(into_.add.end(), added_.begin(), added_.end());
        return {};
    }

private:
    const records& standing(dns_type type) const {
        static const records none;
        const auto found = here_.find(type);
        return found == here_.end() ? none : found->second;
    }
    void remove(dns_type type, const wish& of) {
        for (const auto& record : standing(type)) {
            const bool goes = of.remove.contains(record.value) && !of.add.contains(record.value);
            (goes ? removed_ : kept_).push_back(record);
        }
    }
    // Senders that find two such records act as if there were none (RFC 8461 §3.1, RFC 8460 §3).
    std::string stopped_by_foreign(dns_type type, const wish& of) const {
        if (type != dns_type::txt)
            return {};
        for (const auto& record : kept_) {
            const auto kind = record.type == type ? kind_of(record.value) : "";
            if (kind.empty() || of.add.contains(record.value) || !wants_kind(of, kind))
                continue;
            return fmt::format("{} has a record that is not ours, {}; beside it, senders would take neither. "
                               "Nothing was changed. If nobody needs it, remove it; if it is an older one of "
                               "yours, say so, and it is replaced.",
                               name_, shown(record));
        }
        return {};
    }
    void add(dns_type type, const wish& of) {
        for (const auto& value : of.add) {
            // An identical record is no change, whatever its TTL (RFC 2136 §1.1.1).
            if (contains(standing(type), value, &update_record::value))
                continue;
            // All records of a set have one TTL (RFC 2181 §5.2): that of others is not ours to change.
            auto ttl = of.ttl;
            for (const auto& record : kept_)
                if (record.type == type && !of.add.contains(record.value))
                    ttl = record.ttl;
            added_.push_back({name_, type, ttl, value});
        }
    }
    /// What stands at the name afterwards.
    std::map<dns_type, records> afterwards() const {
        std::map<dns_type, records> after;
        for (const auto& [type, all] : here_)
            for (const auto& record : all)
                if (!contains(removed_, record))
                    after[type].push_back(record);
        for (const auto& record : added_)
            after[record.type].push_back(record);
        return after;
    }
    // A server would add nothing, and not say so (erratum 4469 of RFC 2136).
    std::string stopped_by_alias() const {
        if (added_.empty())
            return {};
        const auto after = afterwards();
        const auto alias = after.find(dns_type::cname);
        if (alias == after.end())
            return {};
        if (alias->second.size() > 1)
            return fmt::format(
                "{} is already an alias ({}) that is not ours, and a name has only one. Nothing "
                "was changed: remove that CNAME, or leave the name to who set it.",
                name_, shown(alias->second.front()));
        for (const auto& [type, all] : after)
            if (type != dns_type::cname)
                return fmt::format("{} cannot be an alias ({}) and have other records ({}). Nothing was "
                                   "changed: one of them has to go first.",
                                   name_, shown(alias->second.front()), shown(all.front()));
        return {};
    }
    void require() {
        std::set<dns_type> types;
        for (const auto& record : removed_)
            types.insert(record.type);
        bool alias = false;
        for (const auto& record : added_) {
            types.insert(record.type);
            types.insert(dns_type::cname); // none may have come meanwhile
            alias = alias || record.type == dns_type::cname;
        }
        if (alias && here_.empty()) {
            into_.unused.push_back(name_);
            return;
        }
        if (alias)
            types.insert(std::begin(change_types), std::end(change_types));
        for (const auto type : types) {
            const auto& all = standing(type);
            into_.as_it_is.insert(into_.as_it_is.end(), all.begin(), all.end());
            if (all.empty())
                into_.none_of.emplace_back(name_, type);
        }
    }

    std::string name_;
    const wishes_at_name& wanted_;
    wire::dns_update& into_;
    std::map<dns_type, records> here_;
    records kept_, removed_, added_;
};

std::string canonical_or_same(std::string_view name) {
    return wire::canonical_dns_name(name).value_or(std::string(name));
}

std::map<std::string, wishes_at_name> by_name(const std::vector<plan::record_change>& wanted) {
    std::map<std::string, wishes_at_name> names;
    for (const auto& change : wanted) {
        const auto type = change_type(change.type).value_or(dns_type::txt);
        auto& of = names[canonical_or_same(change.name)][type];
        of.ttl = change.ttl;
        for (const auto& value : change.add)
            of.add.insert(canonical_value(type, value).value_or(value));
        for (const auto& value : change.remove)
            of.remove.insert(canonical_value(type, value).value_or(value));
    }
    return names;
}

} // namespace

std::optional<dns_type> change_type(std::string_view word) {
    const auto type = wire::dns_type_named(word);
    if (type && contains(change_types, *type))
        return type;
    return {};
}

std::optional<std::string> canonical_value(dns_type type, std::string_view value) {
    switch (type) {
    case dns_type::txt:
        return value.size() <= base::limits::txt_bytes ? std::optional(std::string(value)) : std::nullopt;
    case dns_type::cname: {
        auto name = wire::canonical_dns_name(value);
        return name && !name->empty() ? name : std::nullopt;
    }
    case dns_type::a:
    case dns_type::aaaa: {
        const auto address = base::ip_address::parse(value);
        if (!address || address->is_v4() != (type == dns_type::a))
            return {};
        return address->to_string();
    }
    default:
        return {};
    }
}

std::string wrong_with(const std::vector<plan::record_change>& wanted) {
    constexpr std::uint32_t ttl_max = 0x7fff'ffff; // RFC 2181 §8
    for (const auto& change : wanted) {
        const auto name = wire::canonical_dns_name(change.name);
        if (!name || name->empty())
            return fmt::format("'{}' is no name that a record can have", base::printable(change.name, 300));
        const auto type = change_type(change.type);
        if (!type)
            return fmt::format("{}: records of type {} are not written from here", *name,
                               base::printable(change.type, 40));
        if (change.ttl > ttl_max)
            return fmt::format("{}: a TTL of {} s is longer than DNS has", *name, change.ttl);
        for (const auto* values : {&change.add, &change.remove})
            for (const auto& value : *values)
                if (!canonical_value(*type, value))
                    return fmt::format("{}: '{}' cannot be the value of a record of type {}", *name,
                                       base::printable(value, 120), change.type);
        if (*type == dns_type::cname && change.add.size() > 1)
            return fmt::format("{}: a name is an alias of one other name, not of {}", *name,
                               change.add.size());
    }
    return {};
}

std::expected<wire::dns_update, std::string> plan_updates(const std::vector<plan::record_change>& wanted,
                                                          std::string zone,
                                                          const std::vector<update_record>& standing) {
    if (auto why = wrong_with(wanted); !why.empty())
        return std::unexpected(std::move(why));
    wire::dns_update update;
    update.zone = canonical_or_same(zone);
    for (const auto& [name, wishes] : by_name(wanted)) {
        if (!update.zone.empty() && !mail::is_within(name, update.zone))
            return std::unexpected(fmt::format("{} lies outside the zone {}", name, update.zone));
        if (auto why = name_planner(name, wishes, standing, update).plan(); !why.empty())
            return std::unexpected(std::move(why));
    }
    return update;
}

std::expected<wire::dns_update, std::string> plan_update(const plan::record_change& wanted, std::string zone,
                                                         const std::vector<update_record>& at_name) {
    return plan_updates({wanted}, std::move(zone), at_name);
}

bool as_wanted(const std::vector<plan::record_change>& wanted, const std::vector<update_record>& standing) {
    for (const auto& [name, wishes] : by_name(wanted)) {
        for (const auto& [type, of] : wishes) {
            std::set<std::string> values;
            for (const auto& record : standing)
                if (record.name == name && record.type == type)
                    values.insert(record.value);
            if (!std::ranges::includes(values, of.add))
                return false;
            for (const auto& value : of.remove)
                if (!of.add.contains(value) && values.contains(value))
                    return false;
        }
    }
    return true;
}

} // namespace mailtight::publish
