// SPDX-License-Identifier: Apache-2.0
// The reader of HTTP responses against another one (Boost.Beast's parser): what both accept they read alike,
// and whatever Beast accepts of well-formed responses, ours does too, however the bytes are cut.
#include "wire/http_response.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <cstdio>
#include <optional>
#include <string>

namespace mailtight::tests {
namespace {

namespace http = boost::beast::http;

struct read_response {
    int status = 0;
    std::string content_type, location, body;
    bool operator==(const read_response&) const = default;
};

/// What Beast makes of the bytes followed by the end of the connection.
std::optional<read_response> oracle(const std::string& bytes) {
    http::response_parser<http::string_body> parser;
    parser.eager(true);
    parser.body_limit(base::limits::policy_bytes);
    boost::system::error_code error;
    std::string_view rest = bytes;
    while (!rest.empty() && !parser.is_done()) {
        const auto used = parser.put(boost::asio::buffer(rest.data(), rest.size()), error);
        if (error == http::error::need_more || used == 0)
            break;
        if (error)
            return {};
        rest.remove_prefix(used);
    }
    error = {};
    if (!parser.is_done())
        parser.put_eof(error);
    if (error || !parser.is_done())
        return {};
    const auto& message = parser.get();
    return read_response{static_cast<int>(message.result_int()),
                         std::string(message[http::field::content_type]),
                         std::string(message[http::field::location]), message.body()};
}

std::optional<read_response> ours(const std::string& bytes, std::size_t cut) {
    wire::http_response_reader reader;
    for (std::size_t at = 0; at < bytes.size(); at += cut)
        reader.feed(std::string_view(bytes).substr(at, cut));
    reader.eof();
    if (reader.error() || !reader.done())
        return {};
    const auto& r = reader.response();
    return read_response{r.status, r.content_type, r.location, r.body};
}

std::string chunked(const std::string& body, std::size_t piece) {
    std::string out;
    for (std::size_t at = 0; at < body.size(); at += piece) {
        const std::string part = body.substr(at, piece);
        char size[32];
        std::snprintf(size, sizeof size, "%zx", part.size());
        out += size + std::string("\r\n") + part + "\r\n";
    }
    return out + "0\r\n\r\n";
}

RC_GTEST_PROP(http_oracle, well_formed_responses_are_read_alike, ()) {
    const auto body = *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
    const int status = *rc::gen::element(200, 201, 301, 403, 404, 500, 503);
    const auto type =
        *rc::gen::element<std::string>("text/plain", "text/html; charset=utf-8", "TEXT/PLAIN ; x=y");
    std::string bytes =
        "HTTP/1.1 " + std::to_string(status) + " Some reason\r\nContent-Type: " + type + "\r\nX-Other: 1\r\n";
    if (status == 301)
        bytes += "Location: https://elsewhere.example/\r\n";
    switch (*rc::gen::inRange(0, 3)) {
    case 0:
        bytes += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
        break;
    case 1:
        bytes += "Transfer-Encoding: chunked\r\n\r\n" + chunked(body, *rc::gen::inRange<std::size_t>(1, 50));
        break;
    default:
        bytes += "Connection: close\r\n\r\n" + body;
        break; // the end of the connection ends it
    }
    const auto expected = oracle(bytes);
    RC_ASSERT(expected.has_value());
    RC_ASSERT(expected->body == body);
    RC_ASSERT(ours(bytes, *rc::gen::inRange<std::size_t>(1, 40)) == expected);
}

RC_GTEST_PROP(http_oracle, what_ours_accepts_of_damaged_responses_is_read_alike, ()) {
    std::string bytes = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n" +
                        chunked("version: STSv1\r\nmode: none\r\nmax_age: 86400\r\n", 13);
    const auto at = *rc::gen::inRange<std::size_t>(0, bytes.size());
    bytes[at] = *rc::gen::arbitrary<char>();
    const auto got = ours(bytes, bytes.size());
    const auto expected = oracle(bytes);
    RC_CLASSIFY(got.has_value(), "still accepted");
    if (got && expected)
        RC_ASSERT(*got == *expected);
}

} // namespace
} // namespace mailtight::tests
