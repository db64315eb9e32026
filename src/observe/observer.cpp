// SPDX-License-Identifier: Apache-2.0
// One look at a domain. First what everything else hangs on (both records, MX, policy host), then the rest at
// once.
#include "base/limits.h"
#include "observe/state.h"
#include "tlsrpt/record.h"

namespace mailtight::observe {

observer::observer(io::loop& on, io::resolver& dns, probe::context probes, observe_options options)
    : state_(std::make_unique<state>(on, dns, probes, std::move(options))) {}
observer::~observer() = default;
observer::counters observer::counted() const {
    return state_->counted;
}

io::task<model::observation> observer::glance(std::string domain) {
    auto& with = *state_;
    model::observation seen;
    seen.domain = domain;
    seen.display = domain;
    seen.checked_at = with.probe.clock.now();
    auto sts = io::start(with.loop, with.dns.txt("_mta-sts." + domain));
    auto tlsrpt = io::start(with.loop, with.dns.txt("_smtp._tls." + domain));
    auto mx = io::start(with.loop, with.dns.mx(domain));
    seen.sts_txt = co_await sts.get();
    seen.tlsrpt_txt = co_await tlsrpt.get();
    seen.mx_set = co_await mx.get();
    seen.null_mx = seen.mx_set.records.size() == 1 && seen.mx_set.records.front().host.empty();
    co_return seen;
}

io::task<model::observation> observer::look(std::string domain, std::string display, progress_fn progress,
                                            wanted_fn wanted) {
    auto& with = *state_;
    auto say = [&](std::string_view stage, const std::string& words) {
        if (progress)
            progress(domain, std::string(stage), words);
    };
    say(stage_dns, "");
    auto policy_host = io::start(with.loop, with.dns.addresses("mta-sts." + domain));
    auto seen = co_await glance(domain);
    seen.display = std::move(display);
    seen.policy_host = co_await policy_host.get();
    if (seen.policy_host.addresses.size() > base::limits::addresses_per_host)
        seen.policy_host.addresses.resize(base::limits::addresses_per_host);
    if (with.options.pitfalls) {
        co_await look_for_alias_loop(with, seen.sts_txt);
        co_await look_for_alias_loop(with, seen.tlsrpt_txt);
    }
    const auto words = [](const model::dns_fact& fact) {
        return fact.ok() ? "found" : std::string(model::to_string(fact.status));
    };
    say(stage_dns, "_mta-sts: " + words(seen.sts_txt));
    say(stage_tlsrpt, "_smtp._tls: " + words(seen.tlsrpt_txt));

    if (!is_wanted(wanted))
        co_return seen;
    // Nobody may be asked anything more where DNS gives no answer at all.
    auto zone = io::start(with.loop, look_at_zone(with, seen));
    auto pitfalls = io::start(with.loop, look_for_pitfalls(with, seen));
    auto fetches = io::start(with.loop, look_at_policy_host(with, seen, progress, wanted));
    auto mail = io::start(with.loop, look_at_mail_servers(with, seen, progress, wanted));
    auto reports = io::start(with.loop, look_at_report_addresses(with, seen));
    co_await zone.get();
    co_await pitfalls.get();
    co_await fetches.get();
    co_await mail.get();
    co_await reports.get();
    say(stage_done, "");
    co_return seen;
}

} // namespace mailtight::observe
