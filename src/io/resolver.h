// SPDX-License-Identifier: Apache-2.0
// DNS look-ups as facts. Two ways: `validating` (libunbound: full recursion, or forwarding, validated by
// ourselves) and `forwarding` (our own stub that asks a validating resolver and trusts its AD bit over a
// trusted path, RFC 7672 §2.1.1). Answers are cached by their TTL for the life of the resolver (bounded);
// identical questions under way are asked once.
#pragma once

#include "base/ip.h"
#include "io/loop.h"
#include "model/dns_facts.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::io {

/// An address and a port that the operator named.
struct endpoint {
    base::ip_address address;
    std::uint16_t port = 0;
    friend bool operator==(const endpoint&, const endpoint&) = default;
    friend auto operator<=>(const endpoint&, const endpoint&) = default;
    std::string to_string() const; ///< `192.0.2.1:53`, `[2001:db8::1]:53`
};

struct resolver_options {
    enum class mode {
        automatic, ///< forwarding where every named server is on loopback (a local validating resolver), else
                   ///< validating; unvalidated (`unknown`) where the servers strip the signatures
        forwarding, ///< trust the AD bit of the named servers
        validating, ///< forward to the named servers and validate here
        recursive,  ///< ask the authoritative servers from the root on, validate here
    } how = mode::automatic;
    std::vector<endpoint> servers;           ///< empty: the system's (/etc/resolv.conf)
    std::string trust_anchor_file;           ///< "" : the system's root key
    std::string root_hints_file;             ///< recursive mode; "" : built in
    std::chrono::milliseconds timeout{5000}; ///< for one question, retries included
    base::address_guard guard;    ///< recursive mode: which authoritative servers may be asked at all
    std::size_t in_flight = 2000; ///< questions under way at once; more wait
    std::size_t cache_entries = 200'000;
};

/// How many questions were asked, answered from the cache, and timed out; for progress and bench.
struct resolver_counters {
    std::uint64_t asked = 0, cached = 0, timeouts = 0;
};

/// Outlives every task that it gave.
class resolver {
public:
    virtual ~resolver() = default;
    virtual task<model::txt_fact> txt(std::string name) = 0;
    virtual task<model::mx_set_fact> mx(std::string name) = 0;
    /// A and AAAA, at once.
    virtual task<model::address_fact> addresses(std::string name) = 0;
    virtual task<model::tlsa_fact> tlsa(std::string name) = 0;
    /// At this very name; the climb is the caller's.
    virtual task<model::caa_fact> caa(std::string name) = 0;
    virtual task<model::ns_fact> ns(std::string name) = 0;
    /// The zone that holds the name: name of the fact is the apex that answered, ttl how long an absence in
    /// it is remembered (RFC 2308 §5: the smaller of the SOA's TTL and MINIMUM).
    virtual task<model::dns_fact> soa(std::string name) = 0;
    /// Only the CNAME at this name (RFC 7672 §2.2.2): ok with the target in chain[0].
    virtual task<model::dns_fact> cname(std::string name) = 0;
    /// The names of an address (RFC 1035 §3.5, RFC 3596 §2.5). One that has no such table answers not_asked.
    virtual task<model::ptr_fact> ptr(base::ip_address of) {
        static_cast<void>(of);
        co_return model::ptr_fact{};
    }
    /// Drops what is remembered of this name, so that the next question goes out (what the servers that are
    /// asked remember themselves is beyond us).
    virtual void forget(std::string_view name) { static_cast<void>(name); }
    /// What it asks and whether answers are validated, for people: "127.0.0.1:53, trusting its validation".
    virtual std::string description() const = 0;
    virtual resolver_counters counters() const = 0;
};

/// Makes the resolver that the options ask for. Throws std::runtime_error where it cannot start (no server,
/// bad anchor).
std::unique_ptr<resolver> make_resolver(loop& on, const resolver_options& options);

/// Asks one server directly, without recursion, over UDP and, where truncated, TCP. `type` is "TXT", "A",
/// "AAAA", "CNAME", "SOA" or "NS". Never follows a CNAME to another server: the answer's texts are those of
/// the section. The caller has checked the address against the guard.
task<model::server_answer> ask_server(loop& on, endpoint server, std::string name, std::string type,
                                      std::chrono::milliseconds timeout);

} // namespace mailtight::io
