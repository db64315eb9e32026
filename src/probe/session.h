// SPDX-License-Identifier: Apache-2.0
// What both probers share: the measured stages, and a TLS connection to one address that also finds out what
// a server speaks that refuses TLS 1.2. For probe/ alone.
#pragma once

#include "probe/probes.h"

#include <string>
#include <vector>

namespace mailtight::probe {

/// Notes how long each stage took.
class stopwatch {
public:
    explicit stopwatch(io::loop& on)
        : loop_(on)
        , start_(on.now())
        , last_(start_) {}
    void stage(std::string name) {
        const auto now = loop_.now();
        stages.push_back(
            {std::move(name), std::chrono::duration_cast<std::chrono::milliseconds>(now - last_)});
        last_ = now;
    }
    std::chrono::milliseconds total() const {
        return std::chrono::duration_cast<std::chrono::milliseconds>(loop_.now() - start_);
    }
    std::vector<model::stage_time> stages;

private:
    io::loop& loop_;
    io::loop::time_point start_, last_;
};

/// True where the failure could mean that the server offers nothing of TLS 1.2 or later, so that a second
/// look with everything allowed is worth a connection.
bool may_be_too_old(const model::tls_fact& failed);

/// Puts what a second handshake with allow_old showed into the fact of the first: protocol_too_old with the
/// version, or no_shared_cipher where TLS 1.2 is there and only the ciphers are refused.
void name_what_is_spoken(model::tls_fact& failed, const model::tls_fact& with_old);

/// Opens a connection to HOST at this address and shakes hands with SNI, TLS 1.2 or later. Where the server
/// is too old, a second connection names its version. No connection in the result where either failed.
struct tls_reach {
    model::connect_outcome connect = model::connect_outcome::not_tried;
    model::tls_fact tls;
    std::unique_ptr<io::stream> connection;
    std::string detail;
};
io::task<tls_reach> reach_tls(const context& with, std::string host, io::endpoint to, std::string alpn,
                              io::loop::time_point deadline, stopwatch& watch);

/// Remote text as a fact keeps it: raw, bounded.
std::string clip(std::string text, std::size_t limit = 1000);

} // namespace mailtight::probe
