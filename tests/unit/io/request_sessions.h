// SPDX-License-Identifier: Apache-2.0
// A protocol to test io::request_server with: netstrings that say what to do.
//   echo TEXT   TEXT, at once
//   later TEXT  TEXT, when the test says so; at most `pipeline` of them, in order
//   big N       N bytes, at once
//   bye         "bye", then the end
// Whatever is no netstring ends the connection with "broken".
#pragma once

#include "io/request_server.h"
#include "support/scratch.h"
#include "support/sockets.h"
#include "wire/netstring.h"

#include <future>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace mailtight::tests {

inline std::string netstring(std::string_view payload) {
    std::string bytes;
    wire::append_netstring(bytes, payload);
    return bytes;
}

/// What the sessions of a test share with it.
struct request_script {
    struct owed {
        std::shared_ptr<io::request_link> link;
        std::vector<std::string> answers;
    };
    std::size_t pipeline = 4;
    std::size_t called = 0, ended = 0, alive = 0;
    std::vector<io::peer> peers;
    std::set<std::shared_ptr<owed>> sessions;

    /// Gives every answer that is owed.
    void answer_all() {
        for (const auto& one : std::set(sessions))
            while (!one->answers.empty()) {
                const auto text = std::move(one->answers.front());
                one->answers.erase(one->answers.begin());
                one->link->send(netstring(text));
                one->link->read_on();
            }
    }
    std::size_t owed_now() const {
        std::size_t sum = 0;
        for (const auto& one : sessions)
            sum += one->answers.size();
        return sum;
    }
};

class scripted_session final : public io::request_session {
public:
    scripted_session(request_script& script, std::shared_ptr<io::request_link> link)
        : script_(script)
        , mine_(std::make_shared<request_script::owed>(std::move(link))) {
        ++script_.alive;
        script_.sessions.insert(mine_);
    }
    ~scripted_session() override {
        --script_.alive;
        script_.sessions.erase(mine_);
    }
    std::size_t received(std::string_view bytes, std::string& out) override {
        ++script_.called;
        std::size_t used = 0;
        while (mine_->answers.size() < script_.pipeline) {
            const auto got = wire::read_netstring(bytes.substr(used), 10'000);
            if (got.what == wire::netstring_read::state::partial)
                break;
            if (got.what != wire::netstring_read::state::complete) {
                out += netstring("broken");
                mine_->link->finish();
                return bytes.size();
            }
            used += got.size;
            obey(got.payload, out);
            if (got.payload == "bye")
                return bytes.size();
        }
        return used;
    }
    void ended() override { ++script_.ended; }
    bool idle() const override { return mine_->answers.empty(); }

private:
    void obey(std::string_view what, std::string& out) {
        if (what.starts_with("echo ")) {
            out += netstring(what.substr(5));
        } else if (what.starts_with("later ")) {
            mine_->answers.emplace_back(what.substr(6));
        } else if (what.starts_with("big ")) {
            out += netstring(std::string(std::stoul(std::string(what.substr(4))), 'x'));
        } else if (what == "bye") {
            mine_->link->send(netstring("bye")); // a link may be spoken through from inside, too
            mine_->link->finish();
        }
    }
    request_script& script_;
    std::shared_ptr<request_script::owed> mine_;
};

inline io::make_session scripted(request_script& script) {
    return [&script](std::shared_ptr<io::request_link> link, const io::peer& who) {
        script.peers.push_back(who);
        return std::make_unique<scripted_session>(script, std::move(link));
    };
}

inline io::listen_address listening_at(std::string_view text) {
    auto parsed = io::parse_listen_address(text, 0);
    if (!parsed)
        throw std::runtime_error(parsed.error());
    return *parsed;
}

/// A server with this protocol, at a free port of 127.0.0.1 or where it is told.
struct scripted_server {
    explicit scripted_server(io::loop& on, io::request_server_options options = {},
                             std::string_view where = "127.0.0.1:0")
        : server(on, std::move(options), scripted(script)) {
        if (const auto done = server.listen(listening_at(where)); !done)
            throw std::runtime_error(done.error());
    }
    std::uint16_t port() const {
        const auto text = server.address();
        return static_cast<std::uint16_t>(std::stoul(text.substr(text.rfind(':') + 1)));
    }
    request_script script;
    io::request_server server;
};

/// Runs blocking client code beside the loop.
template<class Work>
auto beside(io::loop& on, Work work) {
    auto result = std::async(std::launch::async, std::move(work));
    if (!eventually(
            on, [&] { return result.wait_for(std::chrono::seconds(0)) == std::future_status::ready; },
            std::chrono::seconds(60)))
        throw std::runtime_error("the client did not come to its end");
    return result.get();
}

} // namespace mailtight::tests
