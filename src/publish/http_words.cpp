// SPDX-License-Identifier: Apache-2.0
#include "publish/http_words.h"

#include "wire/http_request.h"

#include <fmt/format.h>

#include <array>

namespace mailtight::publish {

namespace {

struct words {
    int status;
    std::string_view body;
};
constexpr words all[] = {
    {400, "This is no request that can be answered.\n"},  {404, "There is nothing at this address.\n"},
    {405, "Only GET and HEAD are answered here.\n"},      {414, "The address is too long.\n"},
    {421, "The connection was made for another host.\n"}, {431, "The fields are too large.\n"},
    {505, "Version 1.1 of HTTP is spoken here.\n"},
};

} // namespace

reply_heads make_heads(int status, std::size_t length, std::string_view media_type, std::string_view more) {
    const auto made =
        fmt::format("HTTP/1.1 {} {}\r\nContent-Type: {}; charset=utf-8\r\nContent-Length: {}\r\n{}", status,
                    wire::reason_phrase(status), media_type, length, more);
    return {made + "\r\n", made + "Connection: close\r\n\r\n"};
}

const refusal& refusal_of(int status) {
    static const auto made = [] {
        std::array<refusal, std::size(all)> list;
        for (std::size_t i = 0; i < list.size(); ++i) {
            const auto more = all[i].status == 405 ? "Allow: GET, HEAD\r\n" : "";
            list[i] = {make_heads(all[i].status, all[i].body.size(), "text/plain", more),
                       std::string(all[i].body)};
        }
        return list;
    }();
    for (std::size_t i = 0; i < made.size(); ++i)
        if (all[i].status == status)
            return made[i];
    return made.front();
}

} // namespace mailtight::publish
