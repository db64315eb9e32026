// SPDX-License-Identifier: Apache-2.0
// The stream of events of one request of the HTTP server, over its connection. What was not sent yet is one
// event and no more: send() waits. For http_server.cpp; lives for one request.
#pragma once

#include "io/event_stream.h"
#include "io/stream.h"

#include <chrono>
#include <functional>
#include <string>

namespace mailtight::io {

class event_reply final : public event_stream {
public:
    /// `head` goes out before the first event; `stopping` asks whether the server ends. All outlive it.
    event_reply(loop& on, stream& connection, std::string head, std::chrono::milliseconds patience,
                std::function<bool()> stopping)
        : on_(on)
        , connection_(connection)
        , head_(std::move(head))
        , patience_(patience)
        , stopping_(std::move(stopping)) {}

    task<bool> send(std::string_view event, std::string_view data) override;
    task<bool> keep_alive() override;
    bool open() const override { return open_ && !stopping_(); }
    /// Whether the head is on its way, so that nothing else can be answered.
    bool begun() const { return begun_; }
    /// The head, where no event brought it.
    task<bool> begin() { return write({}); }

private:
    task<bool> write(std::string text);
    /// Whether the client has closed its side. What it says meanwhile is read past.
    task<bool> left();

    loop& on_;
    stream& connection_;
    std::string head_;
    std::chrono::milliseconds patience_;
    std::function<bool()> stopping_;
    bool begun_ = false, open_ = true;
};

} // namespace mailtight::io
