// SPDX-License-Identifier: Apache-2.0
// Entry: policy_fetcher(). Attempts run beside each other, and the first that got an answer from the policy
// host ends the fetch, whatever the answer is: only an address that cannot be talked to gives way to the
// next.
#include "resolve/policy_fetch.h"

#include "base/limits.h"
#include "base/text.h"
#include "resolve/address_order.h"
#include "resolve/mail_hosts.h"
#include "resolve/policy_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

namespace mailtight::resolve {

namespace {

using model::fetch_outcome;
using sts::policy_fault;

sts::policy_sighting failed(policy_fault fault, std::string reason, std::string detail) {
    sts::policy_sighting seen;
    seen.fault = fault;
    seen.detail = std::move(detail);
    seen.reason = std::move(reason);
    return seen;
}

std::string reason_of(const model::dns_fact& seen) {
    if (means_bogus(seen))
        return "dnssec-bogus";
    return seen.status == model::dns_status::nx_domain ? "dns-nxdomain"
           : seen.status == model::dns_status::timeout ? "dns-timeout"
                                                       : "dns-error";
}

/// Whether the policy host itself answered, by a policy or otherwise: another address would say the same.
bool answered(const model::fetch_fact& seen) {
    switch (seen.outcome) {
    case fetch_outcome::fetched:
    case fetch_outcome::redirect:
    case fetch_outcome::http_status:
    case fetch_outcome::too_large:
        return true;
    case fetch_outcome::tls_failed: // a certificate that does not pass; not a handshake that breaks
        return seen.tls.completed();
    case fetch_outcome::not_tried:
    case fetch_outcome::blocked:
    case fetch_outcome::connect_failed:
    case fetch_outcome::timeout:
    case fetch_outcome::http_invalid:
        return false;
    }
    return false;
}

/// The attempts of one fetch; each holds it, since one that lost may outlive the fetch.
struct attempts {
    std::shared_ptr<io::event> turn; ///< opens when there is something to look at
    std::size_t running = 0;
    std::optional<model::fetch_fact> answer;  ///< the first
    std::optional<model::fetch_fact> failure; ///< the one that came farthest
};

io::task<> attempt(probe::context with, std::string host, base::ip_address address,
                   std::shared_ptr<attempts> all) {
    model::fetch_fact seen;
    try {
        seen = co_await probe::fetch_policy(with, std::move(host), address, probe::own_agent);
    } catch (const std::exception& error) { // who waits must not wait for ever
        seen.address = address;
        seen.outcome = fetch_outcome::connect_failed;
        seen.detail = error.what();
    }
    --all->running;
    if (answered(seen)) {
        if (!all->answer)
            all->answer = std::move(seen);
    } else if (!all->failure || (seen.connect == model::connect_outcome::connected &&
                                 all->failure->connect != model::connect_outcome::connected)) {
        all->failure = std::move(seen);
    }
    all->turn->set();
}

io::task<> ring(io::loop& on, std::shared_ptr<io::event> bell, std::chrono::milliseconds after) {
    co_await on.sleep_for(after);
    bell->set();
}

io::task<model::fetch_fact> race(probe::context with, std::string host,
                                 std::vector<base::ip_address> addresses, io::loop::time_point deadline,
                                 std::chrono::milliseconds head_start) {
    const auto all = std::make_shared<attempts>();
    std::size_t begun = 0;
    for (;;) {
        const auto turn = all->turn = std::make_shared<io::event>(with.loop);
        if (begun < addresses.size()) {
            const auto left =
                std::chrono::duration_cast<std::chrono::milliseconds>(deadline - with.loop.now());
            with.options.fetch_time = std::max(left, std::chrono::milliseconds(0));
            ++all->running;
            with.loop.spawn(attempt(with, host, addresses[begun++], all));
            if (begun < addresses.size())
                with.loop.spawn(ring(with.loop, turn, head_start));
        }
        co_await *turn;
        if (all->answer)
            co_return std::move(*all->answer);
        if (all->running == 0 && (begun == addresses.size() || with.loop.now() >= deadline))
            co_return std::move(*all->failure);
    }
}

io::task<sts::policy_sighting> fetch(probe::context with, io::resolver& dns, policy_fetch_options options,
                                     std::string domain) {
    const auto deadline = with.loop.now() + with.options.fetch_time; // 8461-3.3-m
    const auto host = "mta-sts." + domain;                           // 8461-3.2-a
    const auto found = co_await dns.addresses(host);
    auto addresses = in_order_of_trial(found.addresses, std::max<std::size_t>(options.addresses, 1));
    if (addresses.empty()) {
        for (const auto* fact : {&found.a, &found.aaaa})
            if (unanswered(*fact))
                co_return failed(policy_fault::fetch_error, reason_of(*fact), words_of_failure(*fact));
        co_return failed(policy_fault::fetch_error,
                         found.a.status == model::dns_status::nx_domain ? "dns-nxdomain" : "dns-no-address",
                         fmt::format("{} has no address", host));
    }
    const auto seen = co_await race(with, host, std::move(addresses), deadline, options.head_start);
    co_return judge_fetch(seen, host, options);
}

} // namespace

sts::policy_sighting judge_fetch(const model::fetch_fact& seen, std::string_view policy_host,
                                 const policy_fetch_options& options) {
    if (seen.outcome != fetch_outcome::fetched) {
        // 8461-3.3-a, 8461-3.3-b, 8461-3.3-c; A34
        const bool certificate = seen.outcome == fetch_outcome::tls_failed && seen.tls.completed();
        return failed(certificate ? policy_fault::webpki_invalid : policy_fault::fetch_error,
                      reason_of_fetch(seen), words_of_fetch(seen, policy_host));
    }
    if (!options.any_content_type && !seen.is_plain_text()) // 8461-3.2-b, A9, A34
        return failed(
            policy_fault::invalid, "content-type",
            seen.content_type.empty()
                ? fmt::format("{} serves the policy without a Content-Type, not as text/plain", policy_host)
                : fmt::format("{} serves the policy as {}, not as text/plain", policy_host,
                              base::printable(seen.content_type, 100)));
    auto parsed = sts::parse_policy(seen.body);
    if (!parsed)
        return failed(policy_fault::invalid, "policy-syntax", words_of_problem(parsed.error()));
    sts::policy_sighting out;
    out.value = std::move(*parsed);
    out.body = seen.body;
    return out;
}

fetch_fn policy_fetcher(probe::context with, io::resolver& dns, policy_fetch_options options) {
    with.options.diagnose = false;
    return [with, &dns, options](std::string domain) { return fetch(with, dns, options, std::move(domain)); };
}

} // namespace mailtight::resolve
