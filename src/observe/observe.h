// SPDX-License-Identifier: Apache-2.0
// Gathers the facts of a domain: DNS, policy host, every MX address. Judges nothing.
#pragma once

#include "io/resolver.h"
#include "model/observation.h"
#include "probe/probes.h"

#include <functional>
#include <memory>
#include <string>

namespace mailtight::observe {

struct observe_options {
    bool smtp = true;            ///< false: DNS and HTTPS alone (--no-smtp)
    bool https = true;           ///< false: DNS alone
    bool every_server = true;    ///< ask each authoritative server (check; not scan)
    bool pitfalls = true;        ///< doubled names, wildcards, parents, CAA, other agents (check; not scan)
    std::uint16_t dns_port = 53; ///< of authoritative servers (test worlds)
    std::chrono::milliseconds dns_timeout{5000};
    std::string smtp_control;             ///< a host known to accept on port 25; "" : none
    std::size_t smtp_connections = 200;   ///< at once, over all hosts
    std::size_t connections_per_host = 2; ///< at once, to one address
};

/// What the stages of a look are called; the rest are names of mail servers.
inline constexpr std::string_view stage_dns = "DNS", stage_tlsrpt = "reports to",
                                  stage_policy = "policy host", stage_done = "done";
/// Told of each stage as it begins, without words, and as it is done, with some; for live progress. Last the
/// stage "done", without words.
using progress_fn =
    std::function<void(const std::string& domain, const std::string& stage, const std::string& words)>;

/// Whether anybody still waits for a look; empty: somebody does. Where nobody does, nothing more is begun,
/// and what comes back is no observation.
using wanted_fn = std::function<bool()>;

/// Looks at domains on one loop. Shares what can be shared: one probe a distinct (address, name) within its
/// life, and the resolver's cache. Single-threaded.
class observer {
public:
    observer(io::loop& on, io::resolver& dns, probe::context probes, observe_options options);
    ~observer();
    io::task<model::observation> look(std::string domain, std::string display, progress_fn progress = {},
                                      wanted_fn wanted = {});
    /// DNS only: `_mta-sts`, `_smtp._tls`, MX. What scan --dns-only does.
    io::task<model::observation> glance(std::string domain);
    struct counters {
        std::uint64_t handshakes = 0, fetches = 0, smtp = 0, shared = 0;
    };
    counters counted() const;

    struct state; ///< for observe/ alone

private:
    std::unique_ptr<state> state_;
};

} // namespace mailtight::observe
