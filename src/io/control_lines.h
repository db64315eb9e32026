// SPDX-License-Identifier: Apache-2.0
// Lines and frames of the control socket, for both of its sides. For io/ alone.
#pragma once

#include "io/stream.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <optional>
#include <utility>

namespace mailtight::io {

/// Up to and without the LF; what comes behind it stays in `buffered`. `failed` where it is longer than the
/// limit.
inline task<read_result> read_control_line(stream& from, std::string& buffered, std::size_t limit,
                                           loop::time_point deadline) {
    std::size_t searched = 0;
    for (;;) {
        if (const auto end = buffered.find('\n', searched); end != buffered.npos && end <= limit) {
            read_result line{io_status::ok, buffered.substr(0, end)};
            buffered.erase(0, end + 1);
            co_return line;
        }
        searched = buffered.size();
        if (buffered.size() > limit)
            co_return read_result{io_status::failed, {}};
        auto got = co_await from.read_some(65'536, deadline);
        if (got.status != io_status::ok)
            co_return read_result{got.status, {}};
        buffered += got.bytes;
    }
}

/// Exactly so many bytes. Memory grows as they come, not as they were announced.
inline task<read_result> read_control_frame(stream& from, std::string& buffered, std::size_t size,
                                            loop::time_point deadline) {
    while (buffered.size() < size) {
        auto got = co_await from.read_some(65'536, deadline);
        if (got.status != io_status::ok)
            co_return read_result{got.status, {}};
        buffered += got.bytes;
    }
    read_result frame{io_status::ok, {}};
    if (buffered.size() == size) {
        frame.bytes = std::exchange(buffered, {});
    } else {
        frame.bytes = buffered.substr(0, size);
        buffered.erase(0, size);
    }
    co_return frame;
}

inline std::optional<boost::json::object> parse_control_line(std::string_view line) {
    boost::system::error_code wrong;
    auto value = boost::json::parse(line, wrong); // at most 32 deep
    if (wrong || !value.is_object())
        return std::nullopt;
    return std::move(value.as_object());
}

/// JSON of this library holds no line break outside of strings, and escapes it inside.
inline std::string control_line(const boost::json::object& document) {
    return boost::json::serialize(document) + "\n";
}

} // namespace mailtight::io
