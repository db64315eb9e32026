// SPDX-License-Identifier: Apache-2.0
// One entry: http_request_reader::feed. Lines gather up to LF and are judged whole, so that the verdict is
// the same however the bytes are cut; body bytes go straight into the body. Message length by RFC 9112 §6.3;
// where the standard lets a server repair (bare LF, folded fields, repeated lengths), this one refuses:
// request smuggling lives from repairs that two servers do differently.
#include "wire/http_request.h"

#include "base/text.h"
#include "wire/bounded.h"
#include "wire/http_target.h"

#include <algorithm>
#include <charconv>
#include <tuple>

namespace mailtight::wire {

namespace {

constexpr std::size_t request_line_bytes = 8'192; // RFC 9112 §3 asks for 8000 at least
constexpr std::size_t method_bytes = 32;
constexpr std::size_t chunk_digits = 16;

// RFC 9110 §5.6.2
bool is_token_char(char c) {
    return base::is_alnum(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}
bool is_token(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, is_token_char);
}

// RFC 9110 §5.5: visible, space, tab and the bytes beyond ASCII. A bare CR is none of them.
bool is_field_text(std::string_view text) {
    return std::ranges::all_of(text, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
    });
}

std::string_view without_space(std::string_view text) {
    while (!text.empty() && base::is_wsp(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && base::is_wsp(text.back()))
        text.remove_suffix(1);
    return text;
}

/// The elements of a list (RFC 9110 §5.6.1), empty ones left out.
std::vector<std::string_view> elements(std::string_view list) {
    std::vector<std::string_view> found;
    for (const auto part : base::split(list, ','))
        if (const auto one = without_space(part); !one.empty())
            found.push_back(one);
    return found;
}

/// RFC 9112 §7.1.1, without its optional spaces: `;name`, `;name=token`, `;name="quoted"`, any number.
bool is_chunk_extension(std::string_view text) {
    const auto skip_token = [&] {
        const auto* end = std::ranges::find_if_not(text, is_token_char);
        const bool any = end != text.begin();
        text.remove_prefix(static_cast<std::size_t>(end - text.begin()));
        return any;
    };
    while (text.starts_with(';')) {
        text.remove_prefix(1);
        if (!skip_token())
            return false;
        if (!text.starts_with('='))
            continue;
        text.remove_prefix(1);
        if (!text.starts_with('"')) {
            if (!skip_token())
                return false;
            continue;
        }
        std::size_t at = 1;
        while (at < text.size() && text[at] != '"')
            at += text[at] == '\\' ? 2 : 1;
        if (at >= text.size() || !is_field_text(text.substr(0, at)))
            return false;
        text.remove_prefix(at + 1);
    }
    return text.empty();
}

} // namespace

std::string http_request::field(std::string_view name) const {
    std::string all;
    bool first = true;
    for (const auto& [key, value] : fields) {
        if (!base::iequals(key, name))
            continue;
        if (!std::exchange(first, false))
            all += ", ";
        all += value;
    }
    return all;
}

struct http_request_reader::machine {
    enum class state { request_line, field, body, chunk_size, chunk_data, chunk_end, trailer, done, refused };

    explicit machine(http_request_limits with)
        : limits(with)
        , body_limit(with.body_bytes) {}

    std::size_t take_line(std::string_view bytes);
    std::size_t take_body(std::string_view bytes);
    std::size_t room() const;
    void on_line(std::string_view text);
    void on_request_line(std::string_view text);
    void on_field(std::string_view text);
    void on_chunk_size(std::string_view text);
    void end_of_head();
    bool judge_host();
    bool judge_length();
    void judge_connection();
    void expect_body(std::uint64_t bytes);
    void refuse(int code, std::string_view why);
    std::size_t count(std::string_view name) const {
        return static_cast<std::size_t>(
            std::ranges::count(request.fields, name, &std::pair<std::string, std::string>::first));
    }

    http_request_limits limits;
    std::size_t body_limit;
    state at = state::request_line;
    std::string line;
    std::size_t head_bytes = 0;  ///< request line and fields
    std::size_t extra_bytes = 0; ///< chunk extensions and trailers
    std::size_t trailers = 0;
    bool empty_line_seen = false;
    bool head_complete = false;
    std::string target_host;
    std::uint64_t remaining = 0; ///< of the body or the chunk
    http_request request;
    int status = 0;
    std::string_view why;
};

/// How long the line under way may become, CR included.
std::size_t http_request_reader::machine::room() const {
    switch (at) {
    case state::request_line:
        return std::min(request_line_bytes, limits.head_bytes);
    case state::field:
        return limits.head_bytes - head_bytes;
    case state::chunk_end:
        return 1;
    default:
        return limits.head_bytes - extra_bytes + chunk_digits + 1;
    }
}

std::size_t http_request_reader::machine::take_line(std::string_view bytes) {
    const auto end = bytes.find('\n');
    const auto part = bytes.substr(0, end);
    // What begins with no letter (TLS, noise) is not waited for.
    if (at == state::request_line && line.empty() && !is_token_char(bytes[0]) && bytes[0] != '\r') {
        refuse(400, "no request line");
        return 0;
    }
    if (part.size() > room() - line.size()) {
        if (at == state::request_line)
            refuse(414, "the request line is too long");
        else if (at == state::chunk_end)
            refuse(400, "a chunk is longer than it says");
        else if (at == state::chunk_size)
            refuse(400, "chunk extensions without end");
        else
            refuse(431, "the fields are too large");
        return 0;
    }
    line += part;
    if (end == bytes.npos)
        return bytes.size();
    if (!line.ends_with('\r')) {
        refuse(400, "a line that does not end in CRLF");
        return 0;
    }
    line.pop_back();
    if (at == state::field)
        head_bytes = std::min(limits.head_bytes, head_bytes + line.size() + 2);
    const auto text = std::exchange(line, {});
    on_line(text);
    return end + 1;
}

std::size_t http_request_reader::machine::take_body(std::string_view bytes) {
    const auto part =
        bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(remaining, bytes.size())));
    // With a length, no byte of memory beyond it; with chunks, none beyond the limit.
    const auto whole =
        at == state::body ? request.body.size() + static_cast<std::size_t>(remaining) : body_limit;
    append_within(request.body, part, whole);
    remaining -= part.size();
    if (remaining == 0)
        at = at == state::body ? state::done : state::chunk_end;
    return part.size();
}

void http_request_reader::machine::on_line(std::string_view text) {
    switch (at) {
    case state::request_line:
        return on_request_line(text);
    case state::field:
        return text.empty() ? end_of_head() : on_field(text);
    case state::chunk_size:
        return on_chunk_size(text);
    case state::chunk_end:
        if (!text.empty())
            return refuse(400, "a chunk is longer than it says");
        at = state::chunk_size;
        return;
    case state::trailer: // read past, never believed (RFC 9110 §6.5.1)
        if (text.empty()) {
            at = state::done;
            return;
        }
        extra_bytes = std::min(limits.head_bytes, extra_bytes + text.size() + 2);
        if (++trailers > limits.fields)
            return refuse(431, "too many trailers");
        if (const auto colon = text.find(':');
            colon == text.npos || !is_token(text.substr(0, colon)) || !is_field_text(text.substr(colon + 1)))
            return refuse(400, "a trailer that is none");
        return;
    case state::body:
    case state::chunk_data:
    case state::done:
    case state::refused:
        return;
    }
}

void http_request_reader::machine::on_request_line(std::string_view text) {
    if (text.empty()) {
        // RFC 9112 §2.2: an old client's CRLF behind its last body.
        if (std::exchange(empty_line_seen, true))
            return refuse(400, "no request line");
        return;
    }
    head_bytes = text.size() + 2;
    const auto parts = base::split(text, ' ');
    if (parts.size() != 3 || parts[1].empty())
        return refuse(400, "no request line");
    const auto [method, target, version] = std::tie(parts[0], parts[1], parts[2]);
    const bool versioned = version.size() == 8 && version.starts_with("HTTP/") &&
                           base::is_digit(version[5]) && version[6] == '.' && base::is_digit(version[7]);
    if (!versioned)
        return refuse(400, "no request line of HTTP");
    if (version[5] != '1') // HTTP/2 begins with "PRI * HTTP/2.0" (RFC 9113 §3.4)
        return refuse(505, "another version of HTTP");
    request.minor_version = version[7] == '0' ? 0 : 1; // RFC 9110 §2.5: 1.2 would be read as 1.1
    if (!is_token(method) || method.size() > method_bytes)
        return refuse(400, "no method");
    if (method == "CONNECT" || method == "TRACE") // RFC 9110 §9.1; a 405 would have to name others (§15.5.6)
        return refuse(501, "a method that is never served");
    auto read = read_http_target(target, method);
    if (!read)
        return refuse(400, "a target that is refused");
    request.method = method;
    request.target = target;
    request.path = std::move(read->path);
    request.query = std::move(read->query);
    target_host = std::move(read->host);
    at = state::field;
}

void http_request_reader::machine::on_field(std::string_view text) {
    if (request.fields.size() >= limits.fields)
        return refuse(431, "too many fields");
    if (base::is_wsp(text.front()))
        return refuse(400, "a field over several lines"); // RFC 9112 §5.2
    const auto colon = text.find(':');
    const auto name = text.substr(0, colon);
    if (colon == text.npos || !is_token(name)) // a space before the colon too: RFC 9112 §5.1
        return refuse(400, "a field that is none");
    const auto value = without_space(text.substr(colon + 1));
    if (!is_field_text(value))
        return refuse(400, "control characters in a field");
    request.fields.emplace_back(base::lower(name), value);
}

void http_request_reader::machine::end_of_head() {
    if (!judge_host() || !judge_length())
        return;
    judge_connection();
    head_complete = at != state::refused;
}

/// RFC 9112 §3.2: exactly one Host in HTTP/1.1, also beside an absolute target, whose host is the one that
/// counts.
bool http_request_reader::machine::judge_host() {
    const auto hosts = count("host");
    if (hosts > 1 || (hosts == 0 && request.minor_version > 0)) {
        refuse(400, hosts ? "several Host fields" : "no Host field");
        return false;
    }
    if (hosts == 1) {
        auto host = read_http_host(request.field("host"));
        if (!host) {
            refuse(400, "a Host that is none");
            return false;
        }
        request.host = std::move(*host);
    }
    if (!target_host.empty())
        request.host = std::move(target_host);
    return true;
}

/// RFC 9112 §6.3.
bool http_request_reader::machine::judge_length() {
    const auto lengths = count("content-length"), codings = count("transfer-encoding");
    const auto no = [&](int code, std::string_view reason) {
        refuse(code, reason);
        return false;
    };
    if (lengths > 0 && codings > 0)
        return no(400, "Content-Length beside Transfer-Encoding");
    if (lengths > 1)
        return no(400, "several Content-Length fields");
    if (codings > 0) {
        if (request.minor_version == 0)
            return no(400, "Transfer-Encoding in HTTP/1.0");
        const auto value = request.field("transfer-encoding");
        const auto named = elements(value);
        const auto chunked = [](std::string_view one) { return base::iequals(one, "chunked"); };
        if (named.empty() || std::ranges::count_if(named, chunked) > 1)
            return no(400, "a Transfer-Encoding that cannot be");
        if (named.size() != 1 || !chunked(named[0]) || value.size() != named[0].size())
            return no(501, "a Transfer-Encoding other than chunked");
        at = state::chunk_size;
        return true;
    }
    if (lengths == 0) {
        if (request.method == "POST" || request.method == "PUT" || request.method == "PATCH")
            return no(411, "no Content-Length");
        at = state::done;
        return true;
    }
    const auto value = request.field("content-length");
    if (value.empty() || !std::ranges::all_of(value, base::is_digit))
        return no(400, "a Content-Length that is no number");
    std::uint64_t bytes = 0;
    const auto [end, wrong] = std::from_chars(value.data(), value.data() + value.size(), bytes);
    if (wrong != std::errc{} || bytes > body_limit)
        return no(413, "the body is too large");
    remaining = bytes;
    at = bytes == 0 ? state::done : state::body;
    return true;
}

void http_request_reader::machine::judge_connection() {
    const auto options = request.field("connection");
    const auto named = elements(options);
    if (!std::ranges::all_of(named, is_token))
        return refuse(400, "a Connection that is none");
    const auto has = [&](std::string_view word) {
        return std::ranges::any_of(named, [&](std::string_view one) { return base::iequals(one, word); });
    };
    // RFC 9112 §9.3: close wins.
    request.keep_alive = !has("close") && (request.minor_version > 0 || has("keep-alive"));
    // RFC 9110 §10.1.1: ignored in HTTP/1.0, and where there is no body to wait for.
    if (request.minor_version == 0 || count("expect") == 0)
        return;
    if (!base::iequals(request.field("expect"), "100-continue"))
        return refuse(417, "an expectation other than 100-continue");
    request.expects_continue = at != state::done;
}

void http_request_reader::machine::on_chunk_size(std::string_view text) {
    const auto digits = static_cast<std::size_t>(
        std::ranges::find_if_not(text,
                                 [](char c) {
                                     return base::is_digit(c) ||
                                            (base::to_lower(c) >= 'a' && base::to_lower(c) <= 'f');
                                 }) -
        text.begin());
    if (digits == 0 || digits > chunk_digits)
        return refuse(400, "a chunk size that is none");
    const auto extension = text.substr(digits);
    if (!is_chunk_extension(extension)) // read past, and bounded, where it is one
        return refuse(400, "a chunk size that is none");
    extra_bytes += extension.size();
    std::uint64_t size = 0;
    std::from_chars(text.data(), text.data() + digits, size, 16);
    if (size == 0) {
        at = state::trailer;
        return;
    }
    if (size > body_limit - request.body.size())
        return refuse(413, "the body is too large");
    remaining = size;
    at = state::chunk_data;
}

void http_request_reader::machine::refuse(int code, std::string_view reason) {
    at = state::refused;
    status = code;
    why = reason;
    request.keep_alive = false; // where the next request would begin is unknown
    forget(request.body, 0);
    forget(line, 0);
}

// ---- what the owner calls ------------------------------------------------------------------------

http_request_reader::http_request_reader(http_request_limits limits)
    : machine_(std::make_shared<machine>(limits)) {}

std::size_t http_request_reader::feed(std::string_view bytes) {
    using state = machine::state;
    auto& m = *machine_;
    std::size_t used = 0;
    while (used < bytes.size() && m.at != state::done && m.at != state::refused) {
        const auto rest = bytes.substr(used);
        used += m.at == state::body || m.at == state::chunk_data ? m.take_body(rest) : m.take_line(rest);
    }
    return used;
}

bool http_request_reader::head_complete() const {
    return machine_->head_complete;
}
bool http_request_reader::complete() const {
    return machine_->at == machine::state::done;
}
int http_request_reader::refused() const {
    return machine_->status;
}
std::string_view http_request_reader::reason() const {
    return machine_->why;
}
http_request& http_request_reader::request() {
    return machine_->request;
}

void http_request_reader::limit_body(std::size_t bytes) {
    using state = machine::state;
    auto& m = *machine_;
    if (!m.head_complete || m.at == state::refused)
        return;
    m.body_limit = std::min(m.body_limit, bytes);
    const bool announced = m.at == state::body || m.at == state::chunk_data;
    const auto size = m.request.body.size();
    if (size > m.body_limit || (announced && m.remaining > m.body_limit - size))
        m.refuse(413, "the body is too large");
}

void http_request_reader::reset() {
    *machine_ = machine(machine_->limits);
}

} // namespace mailtight::wire
