// SPDX-License-Identifier: Apache-2.0
// A conversation with a session, without sockets: a client that keeps what is sent, and a source of answers
// that are known, come later, or never.
#pragma once

#include "resolve/front.h"
#include "support/reply_cases.h"
#include "wire/netstring.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mailtight::resolve {

struct fixed_clock final : base::clock {
    base::utc_seconds at = noon;
    base::utc_seconds now() const override { return at; }
};

/// The server's side of a connection, as io::request_server behaves: keeps what was not consumed, comes again
/// on read_on(), takes nothing after finish().
class talk {
public:
    static std::shared_ptr<talk> with(const io::make_session& make, const io::peer& who = {}) {
        auto made = std::make_shared<talk>();
        made->session = make(made->link_, who);
        return made;
    }
    talk()
        : link_(std::make_shared<link>(this)) {}
    ~talk() { hang_up(); }
    talk(const talk&) = delete;
    talk& operator=(const talk&) = delete;

    /// The client says this, in pieces of that size.
    void say(std::string_view bytes, std::size_t piece = std::string_view::npos) {
        while (!bytes.empty()) {
            kept_ += bytes.substr(0, piece);
            bytes.remove_prefix(std::min(piece, bytes.size()));
            feed();
        }
    }
    void half_close() { session->ended(); }
    void hang_up() {
        link_->to = nullptr;
        session.reset();
    }
    std::string take() { return std::exchange(heard, {}); }
    std::size_t waiting() const { return kept_.size(); }

    std::unique_ptr<io::request_session> session;
    std::string heard;
    bool finished = false;

private:
    /// What the session holds: it may outlive the connection, and does not keep it.
    struct link final : io::request_link {
        explicit link(talk* of)
            : to(of) {}
        void send(std::string_view bytes) override {
            if (open())
                to->heard += bytes;
        }
        void read_on() override {
            if (open())
                to->feed();
        }
        void finish() override {
            if (to)
                to->finished = true;
        }
        bool open() const override { return to && !to->finished; }
        talk* to;
    };

    void feed() {
        while (session && !finished && !kept_.empty()) {
            std::string out;
            const std::string bytes = kept_;
            const std::size_t used = session->received(bytes, out);
            heard += out;
            kept_.erase(0, used);
            if (used == 0)
                return;
        }
    }
    std::shared_ptr<link> link_;
    std::string kept_;
};

/// Answers by key. Keys in `slow` are not known at once; those in `stuck` only when release() says so.
class made_up final : public policy_source {
public:
    explicit made_up(io::loop& on)
        : on_(on)
        , gate_(on) {}

    shared_decision known(std::string_view key) override {
        ++asked;
        if (slow.contains(std::string(key)) || stuck.contains(std::string(key)))
            return nullptr;
        return find(key);
    }
    io::task<shared_decision> decide(std::string key) override {
        if (stuck.contains(key))
            co_await gate_;
        else
            co_await on_.sleep_for(std::chrono::milliseconds{1});
        co_return find(key);
    }
    io::task<shared_decision> look_live(std::string key) override {
        ++live;
        return decide(std::move(key));
    }
    bool delivery_failed(std::string_view key, std::string_view words) override {
        failed.emplace_back(key, words);
        return failed.size() == 1;
    }
    io::task<std::size_t> purge() override {
        ++purged;
        co_return 1;
    }
    std::optional<std::size_t>
    some(std::size_t from, std::size_t limit,
         const std::function<void(const model::kept_policy&)>& take) const override {
        const std::size_t until = std::min(remembered.size(), from + limit);
        for (; from < until; ++from)
            take(remembered[from]);
        return until < remembered.size() ? std::optional(until) : std::nullopt;
    }
    std::optional<model::kept_policy> kept(std::string_view domain) const override {
        const auto at = std::ranges::find(remembered, domain, &model::kept_policy::domain);
        return at == remembered.end() ? std::nullopt : std::optional(*at);
    }
    std::vector<model::policy_override> overrides() const override { return exceptions; }
    void count_repeated(const tls_decision&) override { ++repeated; }
    void told(const tls_decision&, const asked_about&) override {}
    void release() { gate_.set(); }

    std::map<std::string, shared_decision, std::less<>> answers;
    std::set<std::string> slow, stuck;
    std::vector<model::kept_policy> remembered;
    std::vector<model::policy_override> exceptions;
    std::vector<std::pair<std::string, std::string>> failed;
    std::size_t asked = 0, repeated = 0, live = 0, purged = 0;

private:
    shared_decision find(std::string_view key) const {
        if (const auto at = answers.find(key); at != answers.end())
            return at->second;
        return std::make_shared<tls_decision>(decided(decision::no_policy));
    }
    io::loop& on_;
    io::event gate_;
};

inline std::string net(std::string_view payload) {
    std::string made;
    wire::append_netstring(made, payload);
    return made;
}

inline io::peer from(std::string_view address) {
    return {.address = io::endpoint{base::ip_address::parse(address).value(), 40'000}, .user = {}};
}

/// Everything that a front needs.
struct house {
    io::loop loop;
    fixed_clock clock;
    std::shared_ptr<made_up> source = std::make_shared<made_up>(loop);
    std::unique_ptr<front> at;
    explicit house(front_options options = {})
        : at(std::make_unique<front>(loop, source, clock, std::move(options))) {}
    void has(std::string key, tls_decision what) {
        source->answers[std::move(key)] = std::make_shared<tls_decision>(std::move(what));
    }
};

} // namespace mailtight::resolve
