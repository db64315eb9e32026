// SPDX-License-Identifier: Apache-2.0
// The operator's exceptions: in force at once, kept by the keeper, read again now and then, since commands
// and other machines write them too.
#include "resolve/service_state.h"

#include "sts/policy.h"

#include <algorithm>

namespace mailtight::resolve {

namespace {

bool same(const model::policy_override& a, const model::policy_override& b) {
    return a.what == b.what && a.mx == b.mx && a.why == b.why && a.by == b.by && a.since == b.since &&
           a.until == b.until;
}

std::string fault_of(const model::policy_override& value) {
    if (mail::parse_next_hop(value.domain).what != mail::next_hop::kind::domain)
        return "an exception is for a mail domain";
    if (value.what != model::policy_override::kind::pin)
        return "";
    if (value.mx.empty())
        return "a pin needs the MX hosts, at least one";
    const bool fine = std::ranges::all_of(value.mx, [](const auto& mx) { return sts::valid_mx_pattern(mx); });
    return fine ? "" : "a pin's MX is a host name, or *. and a name";
}

store::store_error refused(std::string why) {
    return {store::store_error::kind::wrong, std::move(why)};
}

} // namespace

const model::policy_override* service::state::exception_of(std::string_view domain,
                                                           base::utc_seconds now) const {
    if (exceptions.empty())
        return nullptr;
    const auto found = exceptions.find(domain);
    return found != exceptions.end() && found->second.holds(now) ? &found->second : nullptr;
}

void service::state::take_exceptions(std::vector<model::policy_override> all) {
    by_text<model::policy_override> next;
    for (auto& each : all) {
        if (!fault_of(each).empty())
            continue;
        auto name = mail::parse_next_hop(each.domain).domain;
        each.domain = name;
        next.emplace(std::move(name), std::move(each));
    }
    std::swap(exceptions, next);
    for (const auto& [domain, was] : next) {
        const auto now_is = exceptions.find(domain);
        if (now_is == exceptions.end() || !same(now_is->second, was))
            settle(domain, false);
    }
    for (const auto& [domain, now_is] : exceptions)
        if (!next.contains(domain))
            settle(domain, false);
}

io::task<> service::state::read_exceptions(std::shared_ptr<state> self) {
    self->reading_exceptions = true;
    auto all = co_await self->keep.overrides();
    if (all && !self->stopping)
        self->take_exceptions(std::move(*all));
    self->reading_exceptions = false;
}

io::task<store::result<void>> service::state::set_exception(std::shared_ptr<state> self,
                                                            model::policy_override value) {
    if (auto fault = fault_of(value); !fault.empty())
        co_return std::unexpected(refused(std::move(fault)));
    value.domain = mail::parse_next_hop(value.domain).domain;
    if (value.since == base::utc_seconds{})
        value.since = self->clock.now();
    auto kept = co_await self->keep.set_override(value);
    if (kept) {
        const auto domain = value.domain;
        self->exceptions.insert_or_assign(domain, std::move(value));
        self->settle(domain, false);
    }
    co_return kept;
}

io::task<store::result<bool>> service::state::remove_exception(std::shared_ptr<state> self,
                                                               std::string domain) {
    const auto name = mail::parse_next_hop(domain).domain;
    auto removed = co_await self->keep.remove_override(name);
    if (removed && self->exceptions.erase(name) > 0)
        self->settle(name, false);
    co_return removed;
}

} // namespace mailtight::resolve
