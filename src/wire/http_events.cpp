// SPDX-License-Identifier: Apache-2.0
// Server-sent events as text (WHATWG HTML §9.2): a field a line, an empty line after each event.
#include "base/text.h"
#include "wire/http_request.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::wire {

std::string write_event_head(const std::vector<std::pair<std::string, std::string>>& fields,
                             std::int64_t unix_time) {
    http_request unknown;
    unknown.keep_alive = false;
    http_reply head;
    head.fields = fields;
    // X-Accel-Buffering: the word to a proxy (nginx and those that follow it) that it passes on what comes.
    head.fields.insert(
        head.fields.end(),
        {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}});
    auto text = write_reply(head, unknown, unix_time);
    // Its end is that of the connection (RFC 9112 §6.3), so it has no length.
    constexpr std::string_view length = "Content-Length: 0\r\n";
    text.erase(text.find(length), length.size());
    return text;
}

std::string write_event(std::string_view event, std::string_view data) {
    std::string out;
    if (!event.empty()) {
        std::string name(event);
        std::erase_if(name, [](char c) { return c == '\r' || c == '\n'; });
        out += fmt::format("event: {}\n", name);
    }
    for (;;) { // a line ends with CR LF, LF or CR
        const auto end = data.find_first_of("\r\n");
        out += fmt::format("data: {}\n", data.substr(0, end));
        if (end == std::string_view::npos)
            break;
        data.remove_prefix(data.substr(end, 2) == "\r\n" ? end + 2 : end + 1);
    }
    return out + "\n";
}

} // namespace mailtight::wire
