// SPDX-License-Identifier: Apache-2.0
// What the fuzz targets of the request protocols share: the same bytes in two cuts, to sessions whose source
// knows some keys, looks up others, and has all kinds of answers.
#pragma once

#include "support/front_talk.h"

#include <cstdio>
#include <cstdlib>

namespace mailtight::resolve {

inline void must(bool holds, const char* what) {
    if (holds)
        return;
    std::fprintf(stderr, "%s\n", what);
    std::abort();
}

/// Keys by their first byte: e(nforced), d(ane), u(nknown), t(esting); what ends in an even byte is not known
/// at once.
class any_source final : public policy_source {
public:
    explicit any_source(io::loop& on)
        : on_(on) {}
    shared_decision known(std::string_view key) override {
        return !key.empty() && key.back() % 2 == 0 ? nullptr : about(key);
    }
    io::task<shared_decision> decide(std::string key) override {
        co_await on_.sleep_for(std::chrono::milliseconds{key.size() % 3 == 0 ? 1 : 0});
        co_return about(key);
    }
    io::task<shared_decision> look_live(std::string key) override { return decide(std::move(key)); }
    bool delivery_failed(std::string_view, std::string_view) override { return true; }
    io::task<std::size_t> purge() override { co_return 0; }
    std::optional<std::size_t>
    some(std::size_t, std::size_t,
         const std::function<void(const model::kept_policy&)>& take) const override {
        take(*kept("e.example"));
        return std::nullopt;
    }
    std::optional<model::kept_policy> kept(std::string_view) const override {
        model::kept_policy one;
        one.domain = "e.example";
        one.state.held = held(sts::mode::enforce, {"mx.e.example"});
        return one;
    }
    std::vector<model::policy_override> overrides() const override { return {}; }
    void count_repeated(const tls_decision&) override {}
    void told(const tls_decision&, const asked_about&) override {}

private:
    static shared_decision about(std::string_view key) {
        switch (key.empty() ? ' ' : key.front()) {
        case 'e':
            return std::make_shared<tls_decision>(enforcing({"mx.e.example", "*.e.example"}));
        case 'd':
            return std::make_shared<tls_decision>(with_dane(key.size() % 2 == 0));
        case 'u':
            return std::make_shared<tls_decision>(decided(decision::unknown));
        case 't': {
            auto made = enforcing({"mx.t.example"});
            made.what = decision::testing;
            return std::make_shared<tls_decision>(std::move(made));
        }
        default:
            return std::make_shared<tls_decision>(decided(decision::no_policy));
        }
    }
    io::loop& on_;
};

struct heard {
    std::string bytes;
    bool finished = false;
    friend bool operator==(const heard&, const heard&) = default;
};

/// The whole conversation: all that was said, then the client closes its side.
inline heard converse(io::make_session (front::*protocol)(), std::string_view bytes, std::size_t piece,
                      const io::peer& who) {
    io::loop loop;
    fixed_clock clock;
    front at(loop, std::make_shared<any_source>(loop), clock, {.pipeline = 5, .repeated = 16});
    const auto client = talk::with((at.*protocol)(), who);
    client->say(bytes, piece);
    client->half_close();
    loop.run();
    must(client->session->idle(), "an answer is owed");
    return {client->take(), client->finished};
}

} // namespace mailtight::resolve
