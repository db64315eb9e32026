// SPDX-License-Identifier: Apache-2.0
// The protocols at which mail servers ask: sessions for io::request_server. Answers go out in the order of
// the questions; one that waits holds back those behind it, and at most `pipeline` are under way on a
// connection. Requests up to 10,000 bytes, replies up to 100,000.
#pragma once

#include "io/request_server.h"
#include "resolve/reply.h"
#include "resolve/service.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::resolve {

inline constexpr std::size_t request_limit = 10'000;

struct front_options {
    reply_options replies;
    std::size_t pipeline = 128;
    std::size_t repeated = 200'000; ///< replies ready to be given again: two for each destination
    /// Further map names and the dialect that they mean ("zone" names of older services).
    std::map<std::string, dialect> aliases;
    dialect tcp_table = dialect::postfix;
};

/// What the sessions ask; the service, or a test.
class policy_source {
public:
    virtual ~policy_source() = default;
    // As service has them.
    virtual shared_decision known(std::string_view key) = 0;
    virtual io::task<shared_decision> decide(std::string key) = 0;
    virtual io::task<shared_decision> look_live(std::string key) = 0;
    virtual bool delivery_failed(std::string_view key, std::string_view words) = 0;
    virtual io::task<std::size_t> purge() = 0; ///< all
    // As policy_table has them: some(), get().
    virtual std::optional<std::size_t>
    some(std::size_t from, std::size_t limit,
         const std::function<void(const model::kept_policy&)>& take) const = 0;
    virtual std::optional<model::kept_policy> kept(std::string_view domain) const = 0;
    virtual std::vector<model::policy_override> overrides() const = 0;
    virtual void count_repeated(const tls_decision& given) = 0;
    /// A mail server gets this answer now, a repeated one too.
    virtual void told(const tls_decision& given, const asked_about& what) = 0;
};

/// Shared by all sessions: the replies that can be given again at once.
class front {
public:
    front(io::loop& on, service& of, const base::clock& clock, front_options options);
    front(io::loop& on, std::shared_ptr<policy_source> of, const base::clock& clock, front_options options);
    ~front();
    /// `MAP KEY` in netstrings, and postfix-tlspol's JSON, DUMP, EXPORT and PURGE (for who is on loopback or
    /// a unix socket).
    io::make_session socketmap();
    io::make_session tcp_table();
    /// One line a question for Exim and scripts.
    io::make_session lines();
    struct state;

private:
    std::shared_ptr<state> state_;
};

} // namespace mailtight::resolve
