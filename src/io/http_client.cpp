// SPDX-License-Identifier: Apache-2.0
// Entries: parse_url and http_request. Addresses are tried in turn until one takes the request; from then on
// there is no second try, since the server may have done what was asked.
#include "io/http_client.h"

#include "io/host_addresses.h"

#include "base/host_name.h"
#include "base/text.h"
#include "wire/http_response.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace mailtight::io {

namespace {

using namespace std::chrono_literals;

/// What an address gets where more are to be tried: a dead IPv6 path must not eat the time of IPv4.
constexpr auto address_time = 10s;

bool is_token(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return base::is_alnum(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
    });
}

bool has_control(std::string_view text) {
    return std::ranges::any_of(text, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return (byte < 0x20 && c != '\t') || byte == 0x7f;
    });
}

/// Host and port of an authority; false where it is none that we ask.
bool read_authority(std::string_view text, url_parts& into) {
    auto host = text;
    std::string_view port;
    bool with_port = false;
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == text.npos)
            return false;
        host = text.substr(1, end - 1);
        const auto rest = text.substr(end + 1);
        if (!rest.empty() && rest.front() != ':')
            return false;
        with_port = rest.size() > 1;
        port = with_port ? rest.substr(1) : rest;
        const auto address = base::ip_address::parse(host);
        if (!address || address->is_v4())
            return false;
    } else {
        const auto colon = text.find(':');
        host = text.substr(0, colon);
        port = colon == text.npos ? std::string_view{} : text.substr(colon + 1);
        with_port = !port.empty();
        auto bare = host;
        if (bare.ends_with('.'))
            bare.remove_suffix(1);
        if (!base::is_host_name(bare))
            return false;
    }
    into.host = base::lower(host);
    if (!with_port)
        return true;
    const auto end = port.data() + port.size();
    const auto [at, wrong] = std::from_chars(port.data(), end, into.port);
    return wrong == std::errc{} && at == end && into.port != 0;
}

std::string request_text(const url_parts& url, const http_call& call) {
    const bool v6 = url.host.find(':') != url.host.npos;
    const bool usual = url.port == (url.tls ? 443 : 80);
    std::string text =
        fmt::format("{} {} HTTP/1.1\r\nHost: {}{}{}{}\r\nConnection: close\r\n", call.method, url.target,
                    v6 ? "[" : "", url.host, v6 ? "]" : "", usual ? "" : fmt::format(":{}", url.port));
    bool agent = false;
    for (const auto& [name, value] : call.fields) {
        agent = agent || base::iequals(name, "user-agent");
        text += fmt::format("{}: {}\r\n", name, value);
    }
    if (!agent)
        text += "User-Agent: mailtight\r\n";
    if (!call.body.empty() || (call.method != "GET" && call.method != "DELETE"))
        text += fmt::format("Content-Length: {}\r\n", call.body.size());
    return text + "\r\n" + call.body;
}

/// Fields that the request's frame alone decides about.
bool is_frame(std::string_view name) {
    constexpr std::string_view frame[] = {"host", "connection", "content-length", "transfer-encoding"};
    return std::ranges::any_of(frame, [&](std::string_view one) { return base::iequals(one, name); });
}

/// "" or what cannot be sent.
std::string fault_of(const http_call& call) {
    if (!is_token(call.method) || call.method == "HEAD" || call.method == "CONNECT")
        return "this method cannot be asked";
    for (const auto& [name, value] : call.fields) {
        if (!is_token(name) || has_control(value) || is_frame(name))
            return fmt::format("the field \"{}\" cannot be sent", base::printable(name, 60));
    }
    return {};
}

/// Sends the request and reads the answer.
task<> converse(stream& connection, std::string request, http_answer& answer, std::size_t limit,
                loop::time_point deadline) {
    const auto sent = co_await connection.write_all(std::move(request), deadline);
    // Where writing broke, the server may have answered before it closed: a refusal of a large body.
    wire::http_response_reader reader(limit);
    while (!reader.done() && !reader.error()) {
        const auto got = co_await connection.read_some(65'536, deadline);
        if (got.status == io_status::timeout) {
            answer.error = "no whole answer in time";
            co_return;
        }
        if (got.status == io_status::ok)
            reader.feed(got.bytes);
        else
            reader.eof(got.status == io_status::eof);
    }
    if (reader.error()) {
        answer.error = sent == io_status::ok
                           ? std::string(explain(*reader.error()))
                           : "the connection broke while the request was sent, and no answer came";
        co_return;
    }
    auto response = reader.take();
    answer.status = response.status;
    answer.fields = std::move(response.fields);
    answer.body = std::move(response.body);
    answer.error.clear();
}

/// TLS where the URL asks for it. Null with answer.error where it cannot be had.
task<std::unique_ptr<stream>> secured(loop& on, std::unique_ptr<stream> plain, const tls_client& tls,
                                      const url_parts& url, bool ignore_certificate, base::utc_seconds now,
                                      http_answer& answer, loop::time_point deadline) {
    if (!url.tls)
        co_return plain;
    tls_options options;
    options.host = url.host;
    options.send_sni = !base::ip_address::parse(url.host); // RFC 6066 §3: names only
    options.alpn = "http/1.1";
    auto made = co_await start_tls(on, std::move(plain), tls, std::move(options), now, deadline);
    if (!made.connection) {
        answer.error = made.fact.detail;
        co_return nullptr;
    }
    answer.certificate_fault = !made.fact.certificate_ok();
    if (answer.certificate_fault && !ignore_certificate) {
        answer.error = made.fact.detail;
        made.connection->close();
        co_return nullptr;
    }
    co_return std::move(made.connection);
}

} // namespace

std::optional<url_parts> parse_url(std::string_view url) {
    url_parts parts;
    const auto scheme_end = url.find("://");
    if (scheme_end == url.npos)
        return std::nullopt;
    const auto scheme = url.substr(0, scheme_end);
    if (base::iequals(scheme, "http")) {
        parts.tls = false;
        parts.port = 80;
    } else if (!base::iequals(scheme, "https")) {
        return std::nullopt;
    }
    auto rest = url.substr(scheme_end + 3);
    // A request target is printable ASCII (RFC 9112 §3.2); what is not was to be percent-encoded.
    if (!std::ranges::all_of(rest, [](char c) { return c > ' ' && c < '\x7f'; }))
        return std::nullopt;
    rest = rest.substr(0, rest.find('#'));
    const auto path = rest.find_first_of("/?");
    const auto authority = rest.substr(0, path);
    // A user or password would go to whoever the URL names: never written by somebody who means well.
    if (authority.find('@') != authority.npos || !read_authority(authority, parts))
        return std::nullopt;
    parts.target = path == rest.npos ? "/" : rest.substr(path);
    if (parts.target.starts_with('?'))
        parts.target.insert(0, "/");
    return parts;
}

task<http_answer> http_request(loop& on, resolver& dns, const tls_client& tls,
                               const base::address_guard& guard, const base::clock& clock, http_call call) {
    http_answer answer;
    const auto url = parse_url(call.url);
    if (!url)
        answer.error = "this is no http or https URL that can be asked";
    else if (!url->tls && !call.exempt)
        answer.error = "only https is asked";
    else
        answer.error = fault_of(call);
    if (!answer.error.empty())
        co_return answer;

    const auto deadline = on.now() + call.time;
    const auto found = co_await addresses_of(dns, url->host, call.over);
    answer.error = found.error;
    const auto request = request_text(*url, call);
    answer.blocked = !found.addresses.empty();
    for (std::size_t i = 0; i < found.addresses.size(); ++i) {
        const endpoint to{found.addresses[i], url->port};
        const bool last = i + 1 == found.addresses.size();
        const auto until = last ? deadline : std::min<loop::time_point>(deadline, on.now() + address_time);
        auto reached = co_await connect_tcp(on, to, guard, until, call.exempt);
        answer.blocked = answer.blocked && reached.outcome == model::connect_outcome::blocked;
        if (!reached.connection) {
            answer.error = fmt::format("{}: {}", to.to_string(), reached.detail);
            continue;
        }
        auto connection = co_await secured(on, std::move(reached.connection), tls, *url,
                                           call.ignore_certificate, clock.now(), answer, until);
        if (!connection) {
            answer.error = fmt::format("{}: {}", to.to_string(), answer.error);
            continue;
        }
        answer.address = to.address.to_string();
        answer.over_v6 = to.address.is_v6();
        co_await converse(*connection, request, answer, call.reply_bytes, deadline);
        connection->close();
        break;
    }
    co_return answer;
}

} // namespace mailtight::io
