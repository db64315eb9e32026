// SPDX-License-Identifier: Apache-2.0
// Accepts connections for listener.cpp and request_server.cpp: limits in all and by source, and patience
// where descriptors have run out. What is done with a connection is the owner's. For io/ alone; on the loop.
#pragma once

#include "io/descriptor.h"
#include "io/server.h"

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>

namespace mailtight::io {

class acceptor {
public:
    struct hub;
    /// A connection's place among those that may be open; free again when this goes.
    class place {
    public:
        place(std::shared_ptr<hub> in, const peer& who);
        place(place&&) = default;
        place& operator=(place&&) = delete;
        ~place();

    private:
        std::shared_ptr<hub> in_;
        std::string source_;
    };
    /// Takes a connection: non-blocking, close-on-exec, TCP without delay.
    using welcome = std::function<void(descriptor, peer, place)>;

    /// As listen() of io/server.h.
    static std::expected<std::unique_ptr<acceptor>, std::string>
    open(loop& on, const listen_address& at, const listener_options& options, welcome with);
    explicit acceptor(std::shared_ptr<hub> of)
        : hub_(std::move(of)) {}
    ~acceptor();
    acceptor(const acceptor&) = delete;
    acceptor& operator=(const acceptor&) = delete;
    /// No more connections; those that are open go on.
    void stop();
    std::size_t open_connections() const;
    endpoint bound() const;
    std::uint64_t refused() const;

private:
    std::shared_ptr<hub> hub_;
};

} // namespace mailtight::io
