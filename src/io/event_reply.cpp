// SPDX-License-Identifier: Apache-2.0
#include "io/event_reply.h"

#include "wire/http_request.h"

#include <utility>

namespace mailtight::io {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t event_bytes = 16 * 1'048'576; ///< of one event; the documents of this program fit
constexpr std::size_t read_bytes = 4'096;
/// A look at what has come already: a read needs a deadline that has not passed.
constexpr auto glance = 1ms;

} // namespace

task<bool> event_reply::send(std::string_view event, std::string_view data) {
    if (data.size() > event_bytes)
        open_ = false;
    if (!open())
        co_return false;
    co_return co_await write(wire::write_event(event, data));
}

task<bool> event_reply::keep_alive() {
    if (!open() || co_await left())
        co_return false;
    co_return co_await write(":\n\n");
}

task<bool> event_reply::write(std::string text) {
    if (!begun_)
        text.insert(0, std::exchange(head_, {}));
    begun_ = true;
    if (text.empty())
        co_return open_;
    const auto sent = co_await connection_.write_all(std::move(text), on_.now() + patience_);
    open_ = open_ && sent == io_status::ok;
    co_return open();
}

task<bool> event_reply::left() {
    const auto got = co_await connection_.read_some(read_bytes, on_.now() + glance);
    if (got.status != io_status::ok && got.status != io_status::timeout)
        open_ = false;
    co_return !open_;
}

} // namespace mailtight::io
