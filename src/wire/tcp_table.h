// SPDX-License-Identifier: Apache-2.0
// Postfix's tcp_table(5): one line a request (`get KEY`), one a reply (`200 VALUE`, `500 not found`, `400
// reason`), with %XX for everything that is not plain. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mailtight::wire {

inline constexpr std::size_t tcp_table_line = 4'096; ///< the client's limit on a reply, line end included

struct tcp_table_request {
    enum class kind { get, put, broken } what = kind::broken;
    std::string key; ///< decoded
};
/// A line without its line end.
tcp_table_request read_tcp_table_request(std::string_view line);
std::optional<std::string> percent_decode(std::string_view text);
/// `CODE TEXT\n`; where that is over the client's limit, a 400 that says so.
std::string tcp_table_reply(int code, std::string_view text);

} // namespace mailtight::wire
