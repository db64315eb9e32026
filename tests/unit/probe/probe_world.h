// SPDX-License-Identifier: Apache-2.0
// What the probers' tests share: one authority, a fixed clock, options with short times.
#pragma once

#include "probe/probes.h"
#include "support/tls_server.h"

#include <mutex>
#include <string>

namespace mailtight::tests {

inline constexpr base::utc_seconds world_now = std::chrono::sys_days{std::chrono::year{2026} / 6 / 1};
inline constexpr base::utc_seconds world_past = std::chrono::sys_days{std::chrono::year{2026} / 5 / 1};

/// What a server's thread writes down for the test's.
class note {
public:
    void set(std::string text) {
        const std::scoped_lock hold(lock_);
        text_ = std::move(text);
    }
    std::string get() const {
        const std::scoped_lock hold(lock_);
        return text_;
    }

private:
    mutable std::mutex lock_;
    std::string text_;
};

struct fixed_clock final : base::clock {
    base::utc_seconds now() const override { return world_now; }
};

/// One authority for all tests: keys are slow to make.
struct authority {
    identity root = make_root();
    identity middle = make_intermediate(root);
    root_file trusted{{&root}};
    io::tls_client client{trusted.path()};
    static authority& get() {
        static authority all;
        return all;
    }
    identity leaf(const std::string& name) const { return make_leaf(middle, {name}); }
};

struct world {
    io::loop loop;
    base::address_guard guard{{*base::ip_network::parse("127.0.0.0/8")}};
    fixed_clock clock;
    probe::probe_options options;
    base::ip_address here = *base::ip_address::parse("127.0.0.1");

    world() {
        using namespace std::chrono_literals;
        options.connect_timeout = 2s;
        options.fetch_time = 3s;
        options.smtp_stage_time = 3s;
        options.ehlo_name = "checker.example";
    }
    probe::context context() { return {loop, authority::get().client, guard, clock, options}; }
    model::fetch_fact fetch(const std::string& host, std::uint16_t port,
                            const char* agent = probe::own_agent) {
        options.https_port = port;
        return loop.block_on(probe::fetch_policy(context(), host, here, agent));
    }
    model::smtp_fact mx(const std::string& host, std::uint16_t port) {
        options.smtp_port = port;
        return loop.block_on(probe::probe_mx(context(), host, here));
    }
};

// --- a policy host
inline const std::string policy_host = "mta-sts.example.com";
inline const std::string ok_text_plain = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n";

inline std::string with_length(const std::string& content, const std::string& head = ok_text_plain) {
    return head + "Content-Length: " + std::to_string(content.size()) + "\r\n\r\n" + content;
}

inline server_tls& good_tls() {
    static const auto leaf = authority::get().leaf(policy_host);
    static server_tls tls(leaf, {&authority::get().middle});
    return tls;
}

/// A server that speaks TLS, reads the request and answers so.
inline std::function<void(peer&)> answering(std::string answer) {
    return [answer = std::move(answer)](peer& client) {
        if (!client.start_tls(good_tls()))
            return;
        client.head();
        client.send(answer);
    };
}

} // namespace mailtight::tests
