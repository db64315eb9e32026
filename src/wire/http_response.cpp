// SPDX-License-Identifier: Apache-2.0
// One entry: http_response_reader::feed. Lines gather up to LF (CRLF or a bare LF, RFC 9112 §2.2) and go to
// the state they belong to; body bytes go straight into the body. Message length by RFC 9112 §6.3, with every
// ambiguity refused.
#include "wire/http_response.h"

#include "base/text.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

namespace mailtight::wire {

std::string_view explain(http_error error) {
    switch (error) {
    case http_error::not_http:
        return "the answer does not begin with an HTTP/1 status line";
    case http_error::head_too_large:
        return "the header of the answer is larger than 32768 bytes";
    case http_error::bad_field:
        return "the answer holds a header line that is none";
    case http_error::bad_length:
        return "the Content-Length is no number, or is given twice and differs";
    case http_error::bad_coding:
        return "the Transfer-Encoding is other than chunked, or stands beside a Content-Length";
    case http_error::bad_chunk:
        return "the chunked body cannot be read";
    case http_error::too_large:
        return "the body is larger than the limit";
    case http_error::cut_short:
        return "the connection ended before the answer was complete";
    case http_error::unasked_upgrade:
        return "the server switches protocols, though nobody asked it to";
    }
    return "unknown";
}

namespace {

// RFC 9110 §5.6.2
bool is_token(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return base::is_alnum(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
    });
}

// RFC 9110 §5.5: visible, space, tab and the bytes beyond ASCII.
bool is_field_text(std::string_view text) {
    return std::ranges::all_of(text, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
    });
}

std::optional<std::uint64_t> number(std::string_view text, int radix) {
    std::uint64_t value = 0;
    const auto end = text.data() + text.size();
    const auto [at, wrong] = std::from_chars(text.data(), end, value, radix);
    if (text.empty() || wrong != std::errc{} || at != end)
        return std::nullopt;
    return value;
}

} // namespace

void http_response_reader::feed(std::string_view bytes) {
    while (!bytes.empty() && at_ != state::done && !error_) {
        if (at_ == state::body || at_ == state::rest || at_ == state::chunk_data) {
            bytes.remove_prefix(take_body(bytes));
            continue;
        }
        const auto end = bytes.find('\n');
        const auto part = bytes.substr(0, end);
        // A chunk's plain frame (size and line ends) is not counted: its number is bounded by the body limit.
        const auto room = at_ == state::chunk_end ? std::size_t{1} : head_limit_ - head_bytes_;
        if (line_.size() + part.size() > room)
            return fail(at_ == state::chunk_end ? http_error::bad_chunk : http_error::head_too_large);
        line_ += part;
        if (end == bytes.npos)
            return;
        bytes.remove_prefix(end + 1);
        if (line_.ends_with('\r'))
            line_.pop_back();
        on_line(std::exchange(line_, {}));
    }
}

void http_response_reader::on_line(std::string_view line) {
    if (at_ != state::chunk_size && at_ != state::chunk_end)
        head_bytes_ = std::min(head_limit_, head_bytes_ + line.size() + 2);
    switch (at_) {
    case state::status_line:
        return on_status_line(line);
    case state::field:
        return on_field(line);
    case state::chunk_size:
        return on_chunk_size(line);
    case state::chunk_end:
        if (!line.empty())
            return fail(http_error::bad_chunk);
        at_ = state::chunk_size;
        return;
    case state::trailer: // read past, and never believed
        if (line.empty())
            at_ = state::done;
        return;
    case state::body:
    case state::rest:
    case state::chunk_data:
    case state::done:
        return;
    }
}

void http_response_reader::on_status_line(std::string_view line) {
    // HTTP/1.1 200 OK; some servers leave out the reason and its space.
    const bool shaped = line.size() >= 12 && line.starts_with("HTTP/1.") && base::is_digit(line[7]) &&
                        line[8] == ' ' && line[9] >= '1' && line[9] <= '5' && base::is_digit(line[10]) &&
                        base::is_digit(line[11]) && (line.size() == 12 || line[12] == ' ');
    if (!shaped || !is_field_text(line))
        return fail(http_error::not_http);
    response_ = {};
    response_.minor_version = line[7] - '0';
    response_.status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
    response_.reason = line.size() > 13 ? line.substr(13) : "";
    length_.reset();
    chunked_ = false;
    at_ = state::field;
}

void http_response_reader::on_field(std::string_view line) {
    if (!line.empty() && base::is_wsp(line.front())) {
        // A continuation line (RFC 9112 §5.2) counts as a space.
        if (field_.empty())
            return fail(http_error::bad_field);
        field_ += ' ';
        field_ += base::trim(line);
        return;
    }
    if (!field_.empty())
        end_of_field();
    if (error_)
        return;
    if (line.empty())
        end_of_head();
    else
        field_ = line;
}

void http_response_reader::end_of_field() {
    const std::string line = std::exchange(field_, {});
    const std::string_view text = line;
    const auto colon = text.find(':');
    if (colon == text.npos || !is_token(text.substr(0, colon)) || !is_field_text(text.substr(colon)))
        return fail(http_error::bad_field);
    const auto name = text.substr(0, colon);
    const auto value = base::trim(text.substr(colon + 1));
    response_.fields.emplace_back(base::lower(name), value);
    auto keep_first = [&](std::string& into) {
        if (into.empty())
            into = value;
    };
    if (base::iequals(name, "content-length")) {
        // "5, 5" and two equal fields are one length (RFC 9112 §6.3).
        for (const auto part : base::split(value, ',')) {
            const auto digits = base::trim(part);
            const auto length = number(digits, 10);
            if (!length || (length_ && *length_ != *length))
                return fail(http_error::bad_length);
            length_ = length;
        }
    } else if (base::iequals(name, "transfer-encoding")) {
        if (chunked_ || !base::iequals(value, "chunked"))
            return fail(http_error::bad_coding);
        chunked_ = true;
    } else if (base::iequals(name, "location")) {
        keep_first(response_.location);
    } else if (base::iequals(name, "content-type")) {
        keep_first(response_.content_type);
    } else if (base::iequals(name, "content-encoding")) {
        keep_first(response_.content_encoding);
    } else if (base::iequals(name, "retry-after")) {
        keep_first(response_.retry_after);
    }
}

void http_response_reader::end_of_head() {
    if (response_.status == 101)
        return fail(http_error::unasked_upgrade);
    if (response_.status < 200) { // interim: the real one follows
        at_ = state::status_line;
        return;
    }
    // Two lengths for one message are how requests are smuggled; HTTP/1.0 knows no chunks.
    if (chunked_ && (length_ || response_.minor_version == 0))
        return fail(http_error::bad_coding);
    head_done_ = true;
    if (response_.status == 204 || response_.status == 304) {
        at_ = state::done;
    } else if (chunked_) {
        at_ = state::chunk_size;
    } else if (length_) {
        if (*length_ > body_limit_)
            return fail(http_error::too_large);
        remaining_ = *length_;
        at_ = remaining_ == 0 ? state::done : state::body;
    } else {
        at_ = state::rest;
    }
}

void http_response_reader::on_chunk_size(std::string_view line) {
    const auto semicolon = line.find(';');
    const auto digits = line.substr(0, semicolon);
    // Extensions are read past; all of them together share the limit of the head.
    if (semicolon != line.npos)
        head_bytes_ = std::min(head_limit_, head_bytes_ + line.size() - semicolon);
    const auto trimmed = digits.substr(0, digits.find_last_not_of(" \t") + 1);
    const auto size = number(trimmed, 16);
    if (!size || trimmed.size() > 16 || !is_field_text(line))
        return fail(http_error::bad_chunk);
    if (*size > body_limit_ - response_.body.size())
        return fail(http_error::too_large);
    remaining_ = *size;
    at_ = remaining_ == 0 ? state::trailer : state::chunk_data;
}

std::size_t http_response_reader::take_body(std::string_view bytes) {
    const auto wanted = at_ == state::rest ? std::numeric_limits<std::uint64_t>::max() : remaining_;
    const auto part =
        bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(wanted, bytes.size())));
    if (part.size() > body_limit_ - response_.body.size()) {
        fail(http_error::too_large);
        return part.size();
    }
    response_.body += part;
    if (at_ == state::rest)
        return part.size();
    remaining_ -= part.size();
    if (remaining_ == 0)
        at_ = at_ == state::body ? state::done : state::chunk_end;
    return part.size();
}

void http_response_reader::fail(http_error error) {
    error_ = error;
    if (error == http_error::too_large) // whatever came of it, so that the result is the same for any cuts
        response_.body.clear();
}

void http_response_reader::eof(bool complete) {
    if (at_ == state::done || error_)
        return;
    if (at_ == state::rest && complete)
        at_ = state::done;
    else
        fail(http_error::cut_short);
}

} // namespace mailtight::wire
