// SPDX-License-Identifier: Apache-2.0
// The two probers: a policy fetch as RFC 8461 §3.3 wants it, and an SMTP STARTTLS conversation with one
// address of an MX host. Both take one address, never follow anything, keep their limits and time, and give a
// fact.
#pragma once

#include "base/ip.h"
#include "io/stream.h"
#include "model/probe_facts.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace mailtight::probe {

struct probe_options {
    std::chrono::milliseconds connect_timeout{10'000};
    std::chrono::milliseconds fetch_time{60'000}; ///< for a whole policy fetch
    std::chrono::milliseconds smtp_stage_time{
        30'000}; ///< for each reply (greylisting hosts and tarpits are slow)
    std::uint16_t https_port = 443;
    std::uint16_t smtp_port = 25;
    std::string ehlo_name = "localhost";
    bool probe_without_sni = true;
    /// false: a policy is fetched as a sender does, for the verdict alone: nothing is asked behind a
    /// certificate that does not pass, and nobody finds out what an old server would speak.
    bool diagnose = true;
};

struct context {
    io::loop& loop;
    const io::tls_client& tls;
    const base::address_guard& guard;
    const base::clock& clock;
    probe_options options;
    /// Whether anybody waits for what is found; where not, it ends before the next thing would be said, and
    /// the fact is none. Empty: somebody does.
    std::function<bool()> wanted = {};
    bool go_on() const { return !wanted || wanted(); }
};

/// The agents that a policy host is asked with: the first is our own, the others are what large senders send,
/// so that a host that answers by User-Agent is found (policy-host.agent-dependent).
extern const char* const own_agent;
extern const char* const bare_agent;    ///< no User-Agent at all
extern const char* const library_agent; ///< as common HTTP libraries send it

/// GET https://HOST/.well-known/mta-sts.txt from this address: SNI and Host = `policy_host`, no redirect, no
/// cache, identity encoding, 64 KiB, the time limit.
io::task<model::fetch_fact> fetch_policy(const context& with, std::string policy_host,
                                         base::ip_address address, std::string agent);

/// Greeting, EHLO, STARTTLS, handshake with SNI = host, EHLO again, QUIT; then, where asked for, a second
/// conversation without SNI. Plaintext after the 220 is found and never used. No MAIL, no RCPT. Each stage is
/// timed.
io::task<model::smtp_fact> probe_mx(const context& with, std::string host, base::ip_address address);

/// Connects and shakes hands with an https report address, certificate faults told; sends nothing.
struct https_reach {
    model::connect_outcome connect = model::connect_outcome::not_tried;
    model::tls_fact tls;
    std::string detail;
};
io::task<https_reach> reach_https(const context& with, std::string host, base::ip_address address,
                                  std::uint16_t port);

} // namespace mailtight::probe
