// SPDX-License-Identifier: Apache-2.0
// Entry: testing_prober(). The hosts by MX, each admitted one's addresses in turn up to the bound, every
// conversation by the memory that all domains share.
#include "resolve/testing_probe.h"

#include "base/text.h"
#include "model/tls_result.h"
#include "resolve/address_order.h"
#include "resolve/mail_hosts.h"
#include "sts/match.h"

#include <fmt/format.h>

#include <list>
#include <map>
#include <memory>
#include <utility>

namespace mailtight::resolve {

namespace {

using verdicts = std::vector<model::testing_verdict>;

/// What one conversation showed.
struct showing {
    bool counts = false;
    std::string result, reason;
};

std::string words_of(const model::smtp_fact& talk, const model::session_result& result) {
    if (!result.failure)
        return fmt::format("{}, and the certificate passes", talk.tls.version);
    switch (talk.outcome) {
    case model::smtp_outcome::no_starttls:
        return "the server does not offer STARTTLS";
    case model::smtp_outcome::starttls_refused:
        return fmt::format("the server refuses STARTTLS: {} {}", talk.reply_code,
                           base::printable(talk.reply_text, 200));
    case model::smtp_outcome::injected:
        return "plaintext follows the server's answer to STARTTLS, where TLS must begin";
    default:
        break;
    }
    const auto& why = talk.tls.detail.empty() ? talk.detail : talk.tls.detail;
    auto words = why.empty() ? std::string(tlsrpt::explain(*result.failure)) : base::printable(why, 400);
    if (!talk.tls.reason.empty())
        words += fmt::format(" ({})", base::printable(talk.tls.reason, 100));
    return words;
}

/// The conversations of all domains: one at a time with an address under a name, remembered for a while, and
/// bounded.
class conversations {
public:
    conversations(probe::context with, const testing_probe_options& options)
        : with_(with)
        , options_(options)
        , gate_(with.loop, std::max<std::size_t>(options.at_once, 1)) {}

    io::task<showing> with(std::string host, base::ip_address address) {
        const key which{host, address};
        if (const auto found = known_.find(which); found != known_.end()) {
            const auto talk = found->second;
            if (!talk->done.is_set() || with_.loop.now() - talk->began < options_.keep) {
                co_await talk->done;
                co_return talk->seen;
            }
        }
        const auto talk = std::make_shared<one>(with_.loop);
        remember(which, talk);
        const ending end{talk->done}; // whatever happens: others wait for it
        const auto permit = co_await gate_.acquire();
        const auto fact = co_await probe::probe_mx(with_, std::move(host), address);
        const auto result = model::result_of(fact);
        talk->seen.counts = result.counts;
        if (result.failure)
            talk->seen.result = tlsrpt::to_string(*result.failure);
        if (result.counts)
            talk->seen.reason = words_of(fact, result);
        co_return talk->seen;
    }

private:
    using key = std::pair<std::string, base::ip_address>;
    struct one {
        explicit one(io::loop& on)
            : done(on)
            , began(on.now()) {}
        io::event done;
        io::loop::time_point began;
        showing seen;
    };

    struct ending {
        io::event& done;
        ~ending() { done.set(); }
    };

    void remember(const key& which, std::shared_ptr<one> talk) {
        if (known_.insert_or_assign(which, std::move(talk)).second)
            order_.push_back(which);
        // Whoever waits for one that goes holds it.
        while (known_.size() > std::max<std::size_t>(options_.kept, 1)) {
            known_.erase(order_.front());
            order_.pop_front();
        }
    }

    probe::context with_;
    testing_probe_options options_;
    io::semaphore gate_;
    std::map<key, std::shared_ptr<one>> known_;
    std::list<key> order_; ///< the longest known first
};

struct target {
    std::string host;
    base::ip_address address;
};

/// The first address of every host before the second of any.
std::vector<target> spread(const std::vector<std::pair<std::string, std::vector<base::ip_address>>>& hosts,
                           std::size_t most) {
    std::vector<target> out;
    for (std::size_t round = 0; round < most && out.size() < most; ++round)
        for (const auto& [host, addresses] : hosts)
            if (round < addresses.size() && out.size() < most)
                out.push_back({host, addresses[round]});
    return out;
}

io::task<verdicts> probe_domain(std::shared_ptr<conversations> all, probe::context with, io::resolver& dns,
                                testing_probe_options options, std::string domain, sts::held_policy policy) {
    verdicts found;
    const auto verdict = [&](const std::string& host, showing seen) -> model::testing_verdict& {
        found.push_back({.domain = domain,
                         .policy_id = policy.id,
                         .mx_host = host,
                         .address = {},
                         .at = with.clock.now(),
                         .result = std::move(seen.result),
                         .reason = std::move(seen.reason)});
        return found.back();
    };
    const auto answer = co_await dns.mx(domain);
    const auto exchangers = mail_hosts_of(domain, answer);
    std::vector<std::string> admitted;
    for (const auto& host : exchangers.hosts) {
        if (exchangers.what == mail_hosts::kind::implicit) {
            const auto own = co_await dns.addresses(host.name);
            if (own.addresses.empty())
                break; // no mail goes there
        }
        if (sts::admitted_by(policy.value.mx, host.name)) // 8461-4.1-a, A15, A16
            admitted.push_back(host.name);
        else // A32
            verdict(host.name, {true, "mx-not-in-policy",
                                fmt::format("the policy admits {}, not {}",
                                            base::printable(base::join(policy.value.mx, ", "), 300),
                                            base::printable(host.name))});
    }
    std::vector<io::task<model::address_fact>> looks;
    for (const auto& host : admitted)
        looks.push_back(dns.addresses(host));
    const auto looked = co_await io::when_all(with.loop, std::move(looks));
    std::vector<std::pair<std::string, std::vector<base::ip_address>>> hosts;
    for (std::size_t i = 0; i < admitted.size(); ++i)
        hosts.emplace_back(admitted[i], in_order_of_trial(looked[i].addresses, options.addresses));

    const auto targets = spread(hosts, options.addresses);
    std::vector<io::task<showing>> talks;
    for (const auto& to : targets)
        talks.push_back(all->with(to.host, to.address));
    auto shown = co_await io::when_all(with.loop, std::move(talks));
    for (std::size_t i = 0; i < targets.size(); ++i)
        if (shown[i].counts)
            verdict(targets[i].host, std::move(shown[i])).address = targets[i].address;
    co_return found;
}

} // namespace

probe_fn testing_prober(probe::context with, io::resolver& dns, testing_probe_options options) {
    with.options.probe_without_sni = false; // senders send SNI (8461-7.1-a); nothing else counts here
    const auto all = std::make_shared<conversations>(with, options);
    return [all, with, &dns, options](std::string domain, sts::held_policy policy) {
        return probe_domain(all, with, dns, options, std::move(domain), std::move(policy));
    };
}

} // namespace mailtight::resolve
