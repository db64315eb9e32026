// SPDX-License-Identifier: Apache-2.0
// The loop: a delivery failed, or a person asked, so look again now, past every cache of ours (8461-5-d,
// 8461-5.1-c). No more often than the state machine allows for one domain, and than a rate over all of them.
#include "resolve/service_state.h"

#include <algorithm>

namespace mailtight::resolve {

/// The look that began, or nothing where it is too soon.
std::shared_ptr<policy_look> service::state::look_again(const mail::next_hop& hop, sts::occasion why) {
    const auto now = clock.now();
    const auto known = remembered(hop.domain).state;
    const auto next =
        why == sts::occasion::request ? sts::on_request(known, now) : sts::on_failed_delivery(known, now);
    const auto rate = static_cast<double>(options.looks_after_failures);
    const auto passed = std::chrono::duration<double>(loop.now() - failure_tokens_at).count();
    failure_tokens = std::min(10 * rate, failure_tokens + passed * rate);
    failure_tokens_at = loop.now();
    if (next.what == sts::ask::nothing || stopping || looking.contains(hop.domain) || failure_tokens < 1)
        return nullptr;
    failure_tokens -= 1;
    dns.forget("_mta-sts." + hop.domain);
    auto mine = look_for_policy(hop.domain, why, next.what);
    look_at_hosts_of(hop.domain); // the MX may have moved with the policy
    return mine;
}

void service::state::look_at_hosts_of(const std::string& domain) {
    dns.forget(domain);
    if (const auto of = places_of.find(domain); of != places_of.end())
        for (const auto& at : of->second)
            look_at_hosts(at);
}

io::task<> service::state::tell_of_failure(std::shared_ptr<state> self, std::string domain, std::string words,
                                           std::shared_ptr<policy_look> mine) {
    const auto who = std::make_shared<asker>(self->loop, self->loop.now());
    mine->join(who);
    co_await who->done;
    self->say({.what = service_event::kind::failed_delivery,
               .domain = std::move(domain),
               .detail = words.empty() ? mine->words : words + ": " + mine->words,
               .fault = {}});
}

io::task<service::refreshed> service::state::refresh(std::shared_ptr<state> self, std::string key) {
    refreshed out;
    const auto hop = mail::parse_next_hop(key);
    if (!hop.can_have_policy()) {
        out.words = mail::explain(hop.what);
        out.now = co_await decide(self, std::move(key));
        co_return out;
    }
    const auto at = self->place_of(key, hop);
    const auto before = self->remembered(hop.domain).state.held;
    if (at->looking) { // begun before the request, it may show the hosts as they were
        const auto who = std::make_shared<asker>(self->loop, self->loop.now());
        at->looking->join(who);
        co_await who->done;
    }
    auto mine = self->look_again(hop, sts::occasion::request);
    if (const auto under_way = self->looking.find(hop.domain); !mine && under_way != self->looking.end()) {
        mine = under_way->second; // somebody else's look at the policy shows the same
        self->look_at_hosts_of(hop.domain);
    }
    if (mine) {
        const auto who = std::make_shared<asker>(self->loop, self->loop.now());
        mine->join(who);
        if (at->looking)
            at->looking->join(who);
        co_await who->done;
        out.looked = true;
        out.words = mine->words;
    } else {
        out.words = "it was looked at just now";
    }
    const auto after = self->remembered(hop.domain).state.held;
    out.changed = before.has_value() != after.has_value() ||
                  (before && (before->id != after->id || before->body != after->body));
    out.now = co_await decide(self, std::move(key));
    co_return out;
}

} // namespace mailtight::resolve
