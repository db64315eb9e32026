// SPDX-License-Identifier: Apache-2.0
// The server side of HTTP/1.1 (RFC 9110, 9112) as bytes in and bytes out: request line, fields, body by
// length or chunks, strictly, so that no proxy in front can be made to see another request than we do. Every
// limit gives the status to answer with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mailtight::wire {

struct http_request_limits {
    std::size_t head_bytes = 16 * 1024;
    std::size_t fields = 100;
    std::size_t body_bytes = 25 * 1024 * 1024;
};

struct http_request {
    std::string method, target; ///< as written
    std::string path;           ///< percent-decoded, without query; dots and empty segments refused
    std::string query;
    std::string host; ///< lower case, without port; from the target where it is absolute
    int minor_version = 1;
    std::vector<std::pair<std::string, std::string>> fields; ///< names lower case
    std::string body;
    bool keep_alive = true;
    bool expects_continue = false;
    /// The value of a field, several joined by ", "; "" where there is none.
    std::string field(std::string_view name) const;
};

class http_request_reader {
public:
    explicit http_request_reader(http_request_limits limits = {});
    /// How many of the bytes were used; what is left belongs to the next request.
    std::size_t feed(std::string_view bytes);
    bool head_complete() const; ///< and nothing refused by then; body bytes of the same feed() may be there
    bool complete() const;
    /// 0, or the status of the refusal: 400, 405, 411, 413, 414, 417, 431, 501, 505.
    int refused() const;
    std::string_view reason() const; ///< of the refusal, for the log
    /// After head_complete(): a smaller limit for this body (413 where it is already beyond).
    void limit_body(std::size_t bytes);
    http_request& request();
    void reset(); ///< for the next request on the connection

private:
    struct machine;
    std::shared_ptr<machine> machine_;
};

/// To be sent where expects_continue and the body is wanted (RFC 9110 §10.1.1); not needed where body bytes
/// have come already.
inline constexpr std::string_view http_continue = "HTTP/1.1 100 Continue\r\n\r\n";

struct http_reply {
    int status = 200;
    std::vector<std::pair<std::string, std::string>> fields;
    std::string body;
    std::string media_type; ///< Content-Type where there is a body
    bool close = false;
};
/// The bytes of the reply: status line, Date, Content-Length, the fields; no body for HEAD, 204 and 304.
std::string write_reply(const http_reply& reply, const http_request& to, std::int64_t unix_time);
/// The head of a reply that is a stream of events (WHATWG HTML §9.2), which ends with its connection; kept by
/// nobody on the way. `fields` as in a reply.
std::string write_event_head(const std::vector<std::pair<std::string, std::string>>& fields,
                             std::int64_t unix_time);
/// One event: its name ("": "message"), its data with every line of it (§9.2.6).
std::string write_event(std::string_view event, std::string_view data);
/// The registered phrase (RFC 9110 §15, RFC 6585) of a status that this server says; "" for others.
std::string_view reason_phrase(int status);
/// IMF-fixdate (RFC 9110 §5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT".
std::string http_date(std::int64_t unix_time);
/// RFC 9457.
http_reply problem(int status, std::string_view title, std::string_view detail);

} // namespace mailtight::wire
