// SPDX-License-Identifier: Apache-2.0
// A byte stream, plain or under TLS, with the socket and TLS libraries behind the wall. Every operation has a
// deadline; a stream belongs to one coroutine at a time.
#pragma once

#include "io/loop.h"
#include "io/resolver.h"
#include "model/probe_facts.h"
#include "model/tls_facts.h"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace mailtight::io {

enum class io_status {
    ok,
    eof,     ///< closed in order; under TLS: after a close-notify
    timeout, ///< the deadline passed
    reset,   ///< broken; under TLS also: ended without a close-notify, so that it may have been cut
    failed,
};

struct read_result {
    io_status status = io_status::failed;
    std::string bytes; ///< at least one where status is ok
};

class stream {
public:
    virtual ~stream() = default;
    /// At most `limit` bytes, as soon as any are there.
    virtual task<read_result> read_some(std::size_t limit, loop::time_point deadline) = 0;
    /// All of them, or a status other than ok.
    virtual task<io_status> write_all(std::string bytes, loop::time_point deadline) = 0;
    /// Sends what goes without waiting, errors ignored: last words before close().
    virtual void try_write(std::string_view /*bytes*/) {}
    /// From another coroutine: the read that waits, and every later one that would wait, ends with `timeout`.
    /// Writing goes on.
    virtual void interrupt() {}
    /// Tells the peer that nothing more comes (under TLS by close-notify); reading goes on.
    virtual void finish_writing() {}
    /// Sends close-notify under TLS, then closes; never waits for the peer.
    virtual void close() = 0;
};

struct connect_result {
    model::connect_outcome outcome = model::connect_outcome::failed;
    std::unique_ptr<stream> connection; ///< where connected
    std::string detail;
};
/// Connects to this very address; the guard is asked first, unless `exempt` (an endpoint that the operator
/// named).
task<connect_result> connect_tcp(loop& on, endpoint to, const base::address_guard& guard,
                                 loop::time_point deadline, bool exempt = false);

/// Connects to a unix socket that the operator named.
task<connect_result> connect_unix(loop& on, std::string path, loop::time_point deadline);

/// Trusted roots and defaults of a TLS client; shared by all connections of a run.
class tls_client {
public:
    /// `ca_file` "" : the system's roots. Throws std::runtime_error where the file cannot be used.
    explicit tls_client(const std::string& ca_file);
    ~tls_client();
    struct state;
    state& native() const { return *state_; }

private:
    std::unique_ptr<state> state_;
};

struct tls_options {
    std::string host; ///< the name to verify against, and the SNI where send_sni
    bool send_sni = true;
    bool allow_old =
        false; ///< offer TLS 1.0 and 1.1 too, at the lowest security level (to say what a server speaks)
    std::string alpn; ///< "" : none
};
struct tls_result {
    model::tls_fact fact;
    std::unique_ptr<stream> connection; ///< where the handshake completed, whatever the certificate
};
/// Turns a connected plain stream into TLS. Never aborts for the certificate: the fact tells every fault
/// (chain, dates, names) as one classifier sees it, and the caller decides. TLS 1.2 or later unless
/// allow_old.
task<tls_result> start_tls(loop& on, std::unique_ptr<stream> plain, const tls_client& client,
                           tls_options options, base::utc_seconds now, loop::time_point deadline);

} // namespace mailtight::io
