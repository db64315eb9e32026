// SPDX-License-Identifier: Apache-2.0
// The reader of HTTP requests against another one (Boost.Beast's parser): well-formed requests are read
// alike, and what ours accepts of damaged ones is what Beast makes of them, so that none is understood in two
// ways.
#include "wire/http_request.h"

#include "base/text.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mailtight::tests {
namespace {

namespace http = boost::beast::http;

struct read_request {
    std::string method, target, body;
    std::vector<std::pair<std::string, std::string>> fields; ///< names lower case
    bool keep_alive = true;
    std::size_t used = 0;
    bool operator==(const read_request&) const = default;
};

std::optional<read_request> oracle(const std::string& bytes) {
    http::request_parser<http::string_body> parser;
    parser.eager(true);
    boost::system::error_code error;
    std::size_t used = 0;
    while (used < bytes.size() && !parser.is_done()) {
        const auto taken = parser.put(boost::asio::buffer(bytes.data() + used, bytes.size() - used), error);
        if (error == http::error::need_more || taken == 0)
            break;
        if (error)
            return {};
        used += taken;
    }
    if (!parser.is_done())
        return {};
    const auto& message = parser.get();
    read_request read{
        message.method_string(), message.target(), message.body(), {}, message.keep_alive(), used};
    for (const auto& field : message)
        read.fields.emplace_back(base::lower(field.name_string()), field.value());
    return read;
}

std::optional<read_request> ours(const std::string& bytes, std::size_t cut) {
    wire::http_request_reader reader;
    std::size_t used = 0;
    for (std::size_t at = 0; at < bytes.size() && used == at; at += cut)
        used += reader.feed(std::string_view(bytes).substr(at, cut));
    if (!reader.complete())
        return {};
    const auto& r = reader.request();
    return read_request{r.method, r.target, r.body, r.fields, r.keep_alive, used};
}

std::string chunked(const std::string& body, std::size_t piece) {
    std::string out;
    for (std::size_t at = 0; at < body.size(); at += piece) {
        const std::string part = body.substr(at, piece);
        char size[32];
        std::snprintf(size, sizeof size, "%zx", part.size());
        out += size + std::string(at % 2 ? ";ext=1" : "") + "\r\n" + part + "\r\n";
    }
    return out + "0\r\n\r\n";
}

std::string well_formed() {
    const auto body = *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
    std::string bytes = *rc::gen::element<std::string>("POST", "PUT", "GET", "REPORT") + " " +
                        *rc::gen::element<std::string>("/", "/a/b?c=d", "/%C3%A4", "http://a.example/x") +
                        *rc::gen::element<std::string>(" HTTP/1.1\r\n", " HTTP/1.1\r\n", " HTTP/1.0\r\n");
    const bool old = bytes.ends_with("1.0\r\n");
    bytes += "Host: reports.example:443\r\n";
    bytes += *rc::gen::element<std::string>("", "Connection: close\r\n", "Connection: keep-alive\r\n");
    bytes += *rc::gen::element<std::string>("", "X-Odd: \t a, \"b\" \xc3\xa4 \r\nX-Empty:\r\n");
    if (old || *rc::gen::arbitrary<bool>())
        bytes += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    else
        bytes += "Transfer-Encoding: chunked\r\n\r\n" + chunked(body, *rc::gen::inRange<std::size_t>(1, 50));
    return bytes;
}

RC_GTEST_PROP(http_request_oracle, well_formed_requests_are_read_alike, ()) {
    const auto bytes = well_formed() + *rc::gen::element<std::string>("", "GET / HTTP/1.1\r\n");
    const auto expected = oracle(bytes);
    RC_ASSERT(expected.has_value());
    RC_ASSERT(ours(bytes, *rc::gen::inRange<std::size_t>(1, 40)) == expected);
}

RC_GTEST_PROP(http_request_oracle, what_ours_accepts_of_damaged_requests_is_read_alike, ()) {
    auto bytes = well_formed();
    // Not before the first byte: there ours passes over an empty line (RFC 9112 §2.2), and Beast does not.
    const auto at = *rc::gen::inRange<std::size_t>(1, bytes.size());
    if (*rc::gen::arbitrary<bool>())
        bytes[at] = *rc::gen::arbitrary<char>();
    else
        bytes.insert(at, *rc::gen::element<std::string>("\r\n", "\n", " ", "0", ";", ":", "\r\n ", "\t",
                                                        "Content-Length: 3\r\n",
                                                        "Transfer-Encoding: chunked\r\n", ","));
    const auto got = ours(bytes, bytes.size());
    const auto expected = oracle(bytes);
    RC_CLASSIFY(got.has_value(), "still accepted");
    RC_CLASSIFY(!got && expected, "ours is stricter");
    // HTTP/1.2 and the like are 1.1 to ours (RFC 9110 §2.5), and nothing to Beast.
    const auto line = bytes.substr(0, bytes.find('\r'));
    const bool newer = line.substr(0, line.size() - 1).ends_with(" HTTP/1.") && line.back() > '1';
    if (got && !newer)
        RC_ASSERT(got == expected);
}

} // namespace
} // namespace mailtight::tests
