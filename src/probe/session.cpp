// SPDX-License-Identifier: Apache-2.0
// One entry: reach_tls. The second connection only asks what the server would speak; it never counts as TLS.
#include "probe/session.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::probe {

using model::handshake_outcome;

bool may_be_too_old(const model::tls_fact& failed) {
    switch (failed.outcome) {
    case handshake_outcome::protocol_too_old:
    case handshake_outcome::no_shared_cipher:
    // What old servers, or the library on their side, do instead of saying protocol_version.
    case handshake_outcome::alert:
    case handshake_outcome::closed:
    case handshake_outcome::failed:
        return true;
    case handshake_outcome::not_tried:
    case handshake_outcome::completed:
    case handshake_outcome::timeout:
    case handshake_outcome::not_tls:
        return false;
    }
    return false;
}

namespace {
bool refuses_our_ciphers(const model::tls_fact& failed) {
    return failed.outcome == handshake_outcome::no_shared_cipher ||
           (failed.outcome == handshake_outcome::alert && failed.reason == "handshake_failure");
}
} // namespace

void name_what_is_spoken(model::tls_fact& failed, const model::tls_fact& with_old) {
    if (!with_old.completed())
        return;
    if (with_old.version == "TLSv1" || with_old.version == "TLSv1.1") { // 8461-7.2-a
        failed.outcome = handshake_outcome::protocol_too_old;
        failed.detail = fmt::format("the server speaks {} at best", with_old.version);
    } else if (with_old.version == "TLSv1.2" && refuses_our_ciphers(failed)) {
        failed.outcome = handshake_outcome::no_shared_cipher;
        failed.detail =
            fmt::format("the server speaks {}, but only with {}", with_old.version, with_old.cipher);
    } else {
        return; // it works the second time: what broke the first was neither version nor cipher
    }
    failed.version = with_old.version;
    failed.cipher = with_old.cipher;
}

io::task<tls_reach> reach_tls(const context& with, std::string host, io::endpoint to, std::string alpn,
                              io::loop::time_point deadline, stopwatch& watch) {
    tls_reach result;
    auto connect = [&]() {
        return io::connect_tcp(with.loop, to, with.guard,
                               std::min(deadline, with.loop.now() + with.options.connect_timeout));
    };
    auto connected = co_await connect();
    watch.stage("connect");
    result.connect = connected.outcome;
    result.detail = std::move(connected.detail);
    if (!connected.connection)
        co_return result;

    io::tls_options options{.host = host, .alpn = alpn};
    auto secured = co_await io::start_tls(with.loop, std::move(connected.connection), with.tls, options,
                                          with.clock.now(), deadline);
    watch.stage("tls");
    result.tls = std::move(secured.fact);
    result.connection = std::move(secured.connection);
    if (!with.options.diagnose || !may_be_too_old(result.tls))
        co_return result;

    auto again = co_await connect();
    if (!again.connection)
        co_return result;
    options.allow_old = true;
    auto old = co_await io::start_tls(with.loop, std::move(again.connection), with.tls, options,
                                      with.clock.now(), deadline);
    name_what_is_spoken(result.tls, old.fact);
    watch.stage("tls-old");
    co_return result;
}

std::string clip(std::string text, std::size_t limit) {
    if (text.size() > limit)
        text.resize(limit);
    return text;
}

} // namespace mailtight::probe
