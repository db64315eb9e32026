// SPDX-License-Identifier: Apache-2.0
// Server-sent events (WHATWG HTML §9.2) over a connection of the HTTP server: a reply that grows while
// something happens. A client that reads too slowly, or left, ends it. Lives on the loop, for the call that
// it was given to.
#pragma once

#include "io/task.h"

#include <string_view>

namespace mailtight::io {

class event_stream {
public:
    virtual ~event_stream() = default;
    /// Waits until the client has taken it; false where the client is gone: then nothing more is to be done.
    /// `data` may have several lines.
    virtual task<bool> send(std::string_view event, std::string_view data) = 0;
    /// A comment, so that proxies keep the connection and a client that left is noticed.
    virtual task<bool> keep_alive() = 0;
    virtual bool open() const = 0;
};

} // namespace mailtight::io
