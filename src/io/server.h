// SPDX-License-Identifier: Apache-2.0
// Listening: TCP and unix sockets, TLS with a certificate chosen by SNI, addresses of the peer. A connection
// is an io::stream given to a handler that runs as a task of its own.
#pragma once

#include "io/certified_key.h"
#include "io/resolver.h"
#include "io/stream.h"

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::io {

/// Who is at the other end.
struct peer {
    std::optional<endpoint> address; ///< TCP
    /// unix: who connected (SO_PEERCRED)
    struct credentials {
        std::uint32_t uid = 0, gid = 0;
        std::int32_t pid = 0;
        std::vector<std::uint32_t> groups; ///< supplementary
    };
    std::optional<credentials> user;
    std::string to_string() const; ///< "192.0.2.1:5025", "uid 0 (pid 12)"
};

/// `ADDRESS:PORT`, `[V6]:PORT`, `unix:/path` (mode 0660 unless `unix:/path,mode=0666`).
struct listen_address {
    std::optional<endpoint> tcp;
    std::string unix_path;
    unsigned unix_mode = 0660;
    std::string to_string() const;
};
std::expected<listen_address, std::string> parse_listen_address(std::string_view text,
                                                                std::uint16_t default_port);

struct listener_options {
    std::size_t connections = 1'000; ///< open at once; beyond it a connection is closed at once
    std::size_t per_source = 50;     ///< of one IPv4 address or IPv6 /64
    int backlog = 512;
    std::vector<base::ip_network> unlimited; ///< sources without a limit of their own: our proxies
    /// Told what a log should say: no descriptors left, an exception out of a handler. May be empty.
    std::function<void(std::string_view)> complain;
};

/// An open listening socket. stop() ends accepting; connections go on. Going away stops it too.
class listener {
public:
    using handler = std::function<task<>(std::unique_ptr<stream>, peer)>;
    virtual ~listener() = default;
    virtual void stop() = 0;
    virtual std::size_t open_connections() const = 0;
    virtual endpoint bound() const = 0;        ///< the port where 0 was asked for
    virtual std::uint64_t refused() const = 0; ///< closed at once for a limit
};
/// Binds now (so that privileges can be dropped after), accepts from here on. The error is for a person. A
/// stale unix socket is replaced; one that somebody listens at is an error. A socket handed over by systemd
/// (LISTEN_FDS) at the same address is taken.
std::expected<std::unique_ptr<listener>, std::string>
listen(loop& on, const listen_address& at, const listener_options& options, listener::handler handle);

/// Certificates of a server, by name; parsed once; replaced as a whole while connections go on.
class tls_server {
public:
    struct pair {
        std::string certificate_file, key_file; ///< PEM, the chain in the first; the key may be in it too
    };
    tls_server();
    ~tls_server();
    /// Loads all, then switches over; on an error (for a person) nothing changes. The first pair answers
    /// where no SNI fits, unless `strict`.
    std::expected<void, std::string> load(const std::vector<pair>& pairs);
    struct loaded {
        std::vector<std::string> names;
        base::utc_seconds not_after{};
        std::string file;
    };
    std::vector<loaded> certificates() const;
    /// SNI names without a certificate of their own are refused (unrecognized_name) instead of answered by
    /// the first.
    bool strict = false;
    /// Asked where no certificate of its own has the client's name, and for `acme-tls/1` (RFC 8737), after
    /// which the connection is to be closed. May be empty.
    choose_certificate more;
    struct state;
    state& native() const { return *state_; }

private:
    std::unique_ptr<state> state_;
};
struct tls_accepted {
    std::unique_ptr<stream> connection; ///< null where the handshake failed
    std::string server_name;            ///< SNI, lower case, or ""
    std::string alpn, version;
    std::string error;
};
/// TLS 1.2 or later.
task<tls_accepted> accept_tls(loop& on, std::unique_ptr<stream> plain, const tls_server& with,
                              loop::time_point deadline);

} // namespace mailtight::io
