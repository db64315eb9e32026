// SPDX-License-Identifier: Apache-2.0
// What the policy host serves and to whom: policies and certificates by name, and the HTTP of it without a
// socket. `/.well-known/mta-sts.txt` for GET and HEAD, of the host that SNI and Host name alike, and nothing
// else (RFC 8461 §3.3, §8.2). Everything may be replaced while connections go on; nothing is copied for an
// answer. Lives on the loop's thread.
#pragma once

#include "base/time.h"
#include "io/certified_key.h"
#include "model/looked_after.h"
#include "model/watched.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::publish {

struct policy_host_options {
    std::string cache_control = "max-age=60"; ///< 8461-8.2-d
    /// Kept parsed at once, 8 kB each; the others are read when asked for, which costs a quarter of a
    /// handshake.
    std::size_t parsed_certificates = 10'000;
};

/// Policies and certificates by name; up to some hundred thousands.
class policy_host {
public:
    explicit policy_host(policy_host_options options);
    ~policy_host();

    /// Body "" takes the domain away. The reply's bytes are made here, once.
    void put_policy(const model::publication& value);
    /// PEM; parsed when first asked for. The error names what is wrong, and the old one stays.
    std::expected<void, std::string> put_certificate(std::string_view name, std::string chain,
                                                     std::string key);
    void drop_certificate(std::string_view name);
    /// The certificate that answers tls-alpn-01 for a name; null takes it away.
    void put_challenge(std::string_view name, std::shared_ptr<const io::certified_key> certificate);
    /// The answer to http-01 for a token; "" takes it away.
    void put_token(std::string_view token, std::string answer);
    std::string_view token(std::string_view token) const; ///< valid until the next change; "" : unknown

    bool knows(std::string_view domain) const; ///< serves a policy for it: the `ask` endpoint's question
    std::optional<model::publication> policy(std::string_view domain) const;
    std::shared_ptr<const io::certified_key> choose(std::string_view server_name, bool acme) const;

    /// The reply to one request; views into what is kept, valid until the next change.
    struct reply {
        std::string_view head, body; ///< head ends in an empty line
        bool close = false;
        int status = 200;
        const model::publication* given = nullptr;
    };
    /// `target` is a path; `host` as the request has it, or "" where it has none (HTTP/1.0). `server_name`
    /// "" : plain HTTP behind somebody's TLS, where the host decides.
    reply answer(std::string_view method, std::string_view target, std::string_view host,
                 std::string_view server_name, bool keep_alive) const;

    struct sizes {
        std::size_t policies = 0, certificates = 0, parsed = 0;
    };
    sizes size() const;
    struct state;

private:
    std::unique_ptr<state> state_;
};

/// Who fetched what: counted by network and day, taken away in batches for the store.
class fetch_counter {
public:
    explicit fetch_counter(std::size_t most = 100'000);
    ~fetch_counter();
    void count(std::string_view domain, std::string_view id, std::string_view address, std::string_view agent,
               base::utc_seconds at);
    std::vector<model::policy_fetches> take(); ///< all since the last take
    std::uint64_t not_counted() const;         ///< beyond `most` different ones
    struct state;

private:
    std::unique_ptr<state> state_;
};

} // namespace mailtight::publish
