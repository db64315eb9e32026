// SPDX-License-Identifier: Apache-2.0
// Reads the response to one HTTP/1 GET (RFC 9110, RFC 9112) from bytes as they come: no I/O, no clock. Small
// and strict where framing could be misread, since the reader only has to understand policy hosts and APIs
// that we ask. A value that one connection owns; memory is bounded by its two limits; what is wrong is an
// http_error, never an exception.
#pragma once

#include "base/limits.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mailtight::wire {

enum class http_error {
    not_http,        ///< the first line is no HTTP/1 status line
    head_too_large,  ///< more than the limit of status line, fields and trailers
    bad_field,       ///< a header line that is none
    bad_length,      ///< Content-Length that is no number, or two that differ
    bad_coding,      ///< a Transfer-Encoding other than chunked, or one beside a Content-Length
    bad_chunk,       ///< chunked coding that cannot be read
    too_large,       ///< the decoded body exceeds the limit, or says so beforehand
    cut_short,       ///< the connection ended before the response did
    unasked_upgrade, ///< 101, though nothing was offered
};
/// What it means, for people.
std::string_view explain(http_error error);

struct http_response {
    int status = 0;
    int minor_version = 1; ///< of HTTP/1.x
    std::string reason;
    // The fields that anybody asked for; the first of each name, raw remote bytes.
    std::string location;
    std::string content_type;
    std::string content_encoding;
    std::string retry_after;
    /// All fields as they came, names in lower case, raw remote bytes.
    std::vector<std::pair<std::string, std::string>> fields;
    std::string body; ///< after transfer decoding
};

class http_response_reader {
public:
    /// 8461-3.3-m: 65,536 bytes by default.
    explicit http_response_reader(std::size_t body_limit = base::limits::policy_bytes,
                                  std::size_t head_limit = base::limits::http_head_bytes)
        : body_limit_(body_limit)
        , head_limit_(head_limit) {}

    /// Takes bytes; those behind the end of the response are ignored.
    void feed(std::string_view bytes);
    /// The connection ended. `complete` is false where it broke instead of being closed in order: then a body
    /// that is delimited by the end cannot be told from a cut one.
    void eof(bool complete = true);

    bool head_done() const { return head_done_; }
    bool done() const { return at_ == state::done; }
    std::optional<http_error> error() const { return error_; }
    const http_response& response() const { return response_; }
    http_response take() { return std::move(response_); }

private:
    enum class state { status_line, field, body, rest, chunk_size, chunk_data, chunk_end, trailer, done };

    void on_line(std::string_view line);
    void on_status_line(std::string_view line);
    void on_field(std::string_view line);
    void on_chunk_size(std::string_view line);
    void end_of_field();
    void end_of_head();
    std::size_t take_body(std::string_view bytes);
    void fail(http_error error);

    std::size_t body_limit_, head_limit_;
    std::size_t head_bytes_ = 0; ///< head, interim heads, chunk extensions and trailers together
    state at_ = state::status_line;
    std::string line_;
    std::string field_;           ///< the field being gathered, continuation lines joined
    std::uint64_t remaining_ = 0; ///< of the body or the chunk
    std::optional<std::uint64_t> length_;
    bool chunked_ = false;
    bool head_done_ = false;
    std::optional<http_error> error_;
    http_response response_;
};

} // namespace mailtight::wire
