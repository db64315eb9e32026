// SPDX-License-Identifier: Apache-2.0
// Replies of the HTTP server: write_reply, and problem() for what is told as JSON (RFC 9457). Nothing that an
// owner puts into a field can end the field.
#include "wire/http_request.h"

#include "base/text.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

namespace mailtight::wire {

std::string_view reason_phrase(int status) {
    static constexpr std::pair<int, std::string_view> phrases[] = {
        {100, "Continue"},
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {416, "Range Not Satisfiable"},
        {417, "Expectation Failed"},
        {421, "Misdirected Request"},
        {422, "Unprocessable Content"},
        {428, "Precondition Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
        {507, "Insufficient Storage"},
    };
    const auto* found = std::ranges::find(phrases, status, &std::pair<int, std::string_view>::first);
    return found == std::end(phrases) ? "" : found->second;
}

std::string http_date(std::int64_t unix_time) {
    static constexpr std::array days = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr std::array months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    constexpr std::int64_t year_9999 = 253'402'300'799;
    const std::chrono::sys_seconds at(
        std::chrono::seconds(std::clamp<std::int64_t>(unix_time, 0, year_9999)));
    const auto day = std::chrono::floor<std::chrono::days>(at);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss time(at - day);
    return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
                       days[std::chrono::weekday(day).c_encoding()], static_cast<unsigned>(date.day()),
                       months[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                       time.hours().count(), time.minutes().count(), time.seconds().count());
}

namespace {

bool is_field_name(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return base::is_alnum(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
    });
}

/// What could end the field, or hide in it, becomes a space.
std::string field_value(std::string_view text) {
    std::string value(text);
    std::ranges::replace_if(
        value,
        [](char c) {
            const auto byte = static_cast<unsigned char>(c);
            return (byte < 0x20 && c != '\t') || byte == 0x7f;
        },
        ' ');
    return value;
}

/// Fields that write_reply alone decides about.
bool is_ours(std::string_view name) {
    static constexpr std::string_view ours[] = {"date", "content-length", "connection", "transfer-encoding"};
    return std::ranges::any_of(ours, [&](std::string_view one) { return base::iequals(one, name); });
}

} // namespace

std::string write_reply(const http_reply& reply, const http_request& to, std::int64_t unix_time) {
    const int status = reply.status >= 200 && reply.status < 600 ? reply.status : 500;
    const bool bodiless = status == 204 || status == 304; // RFC 9110 §8.6: nor a length
    std::string out =
        fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\n", status, reason_phrase(status), http_date(unix_time));
    if (!bodiless) {
        if (!reply.body.empty() && !reply.media_type.empty())
            out += fmt::format("Content-Type: {}\r\n", field_value(reply.media_type));
        out += fmt::format("Content-Length: {}\r\n", reply.body.size());
    }
    if (reply.close || !to.keep_alive)
        out += "Connection: close\r\n";
    else if (to.minor_version == 0)
        out += "Connection: keep-alive\r\n";
    for (const auto& [name, value] : reply.fields)
        if (is_field_name(name) && !is_ours(name))
            out += fmt::format("{}: {}\r\n", name, field_value(value));
    out += "\r\n";
    if (!bodiless && to.method != "HEAD")
        out += reply.body;
    return out;
}

http_reply problem(int status, std::string_view title, std::string_view detail) {
    boost::json::object body;
    body["type"] = "about:blank";
    body["title"] = base::printable(title.empty() ? reason_phrase(status) : title);
    body["status"] = status;
    if (!detail.empty())
        body["detail"] = base::printable(detail);
    http_reply reply;
    reply.status = status;
    reply.body = boost::json::serialize(body);
    reply.media_type = "application/problem+json";
    return reply;
}

} // namespace mailtight::wire
