// SPDX-License-Identifier: Apache-2.0
// The policy, fetched from each address of the policy host by itself, then with other User-Agents from the
// first good one.
#include "observe/state.h"

namespace mailtight::observe {

io::task<bool> look_at_policy_host(observer::state& with, model::observation& seen,
                                   const progress_fn& progress, const wanted_fn& wanted) {
    if (!with.options.https || !is_wanted(wanted))
        co_return false;
    // A scan fetches as a sender does: no record, no request (8461-3-a). A check looks whether a file waits
    // without one.
    if (!with.options.pitfalls && !seen.sts_txt.ok())
        co_return false;
    if (progress)
        progress(seen.domain, std::string(stage_policy), "");
    const std::string host = "mta-sts." + seen.domain;
    std::vector<io::task<model::fetch_fact>> work;
    work.reserve(seen.policy_host.addresses.size());
    for (const auto& address : seen.policy_host.addresses)
        work.push_back(with.fetch_politely(host, address, probe::own_agent));
    seen.fetches = co_await io::when_all(with.loop, std::move(work));
    for (const auto& fetch : seen.fetches)
        if (fetch.tls.completed())
            ++with.counted.handshakes;

    if (with.options.pitfalls) {
        // From an address that serves the policy, else from one that answers at all: what the agents get
        // there is held against what we got there. Nobody waits for a host that let the time pass already.
        base::ip_address good;
        bool found = false;
        for (const bool whole : {true, false})
            for (const auto& fetch : seen.fetches)
                if (!found && fetch.connect == model::connect_outcome::connected && fetch.tls.completed() &&
                    fetch.outcome != model::fetch_outcome::timeout &&
                    (!whole || fetch.outcome == model::fetch_outcome::fetched)) {
                    good = fetch.address;
                    found = true;
                }
        if (found)
            for (const char* agent : {probe::bare_agent, probe::library_agent}) {
                if (!is_wanted(wanted))
                    break;
                seen.fetches.push_back(co_await with.fetch_politely(host, good, agent));
            }
    }
    if (progress)
        progress(seen.domain, std::string(stage_policy),
                 seen.fetches.empty() ? "no address"
                                      : std::string(model::to_string(seen.fetches.front().outcome)));
    co_return true;
}

} // namespace mailtight::observe
