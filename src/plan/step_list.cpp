// SPDX-License-Identifier: Apache-2.0
#include "plan/step_list.h"

#include <fmt/format.h>

namespace mailtight::plan {

/// We could do it, and may not.
bool step_list::is_left_to_a_person(const step& one) const {
    using enum step_kind;
    if (one.by != step_actor::person || !one.blocked.empty() || !one.how.empty())
        return false; // `how` says that it is for a person alone
    switch (one.kind) {
    case serve_policy:
    case stop_serving:
        return p_.hosted_here();
    case certificate:
    case remove_certificate:
        return p_.wish.host == model::hosting::here;
    case publish_tlsrpt:
    case point_host:
    case publish_record:
    case remove_record:
    case remove_host:
        return p_.wish.dns != model::dns_way::by_hand && !one.records.empty();
    default:
        return false;
    }
}

void step_list::add(step one, so how, bool aside) {
    if (how != so::done && is_left_to_a_person(one)) {
        one.on_word = true;
        one.how = fmt::format("Run: mailtight plan {} --do\n"
                              "To leave it to serve: mailtight domain set {} --leave {}",
                              p_.wish.domain, p_.wish.domain,
                              p_.wish.leave == model::leave::nothing ? "records" : "all");
    }
    if (how == so::done) {
        one.state = step_state::done;
        one.blocked.clear();
        steps_.push_back(std::move(one));
        return;
    }
    const bool early = one.not_before && *one.not_before > p_.now;
    if (!open_ && !aside)
        one.state = step_state::later;
    else
        one.state = how == so::waits || early ? step_state::waiting : step_state::now;
    if (!aside)
        open_ = false;
    steps_.push_back(std::move(one));
}

step_actor step_list::who_writes_dns() const {
    const bool by_us = p_.wish.dns != model::dns_way::by_hand && p_.wish.leave != model::leave::nothing;
    return by_us ? step_actor::us : step_actor::person;
}

step_actor step_list::who_serves() const {
    const bool by_us = p_.hosted_here() && p_.wish.leave != model::leave::nothing;
    return by_us ? step_actor::us : step_actor::person;
}

step_actor step_list::who_decides(step_actor else_by) const {
    return p_.wish.leave == model::leave::all ? else_by : step_actor::person;
}

} // namespace mailtight::plan
