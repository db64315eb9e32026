// SPDX-License-Identifier: Apache-2.0
#include "io/http_exchange.h"

#include "io/host_addresses.h"

#include "base/text.h"
#include "wire/http_response.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::io::http_exchange {

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

/// Fields that the request's frame alone decides about.
bool is_frame(std::string_view name) {
    constexpr std::string_view frame[] = {"host", "connection", "content-length", "transfer-encoding"};
    return std::ranges::any_of(frame, [&](std::string_view one) { return base::iequals(one, name); });
}

/// RFC 9112 §9.3: both sides agree, and where the answer ends was said.
bool may_stay(const wire::http_response& response, bool by_end) {
    return !by_end && response.minor_version >= 1 &&
           std::ranges::none_of(response.fields, [](const auto& field) {
               return field.first == "connection" &&
                      base::lower(field.second).find("close") != std::string::npos;
           });
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

std::string fault_of(const std::optional<url_parts>& url, const http_call& call) {
    if (!url)
        return "this is no http or https URL that can be asked";
    if (!url->tls && !call.exempt)
        return "only https is asked";
    if (!is_token(call.method) || call.method == "HEAD" || call.method == "CONNECT")
        return "this method cannot be asked";
    for (const auto& [name, value] : call.fields) {
        if (!is_token(name) || has_control(value) || is_frame(name))
            return fmt::format("the field \"{}\" cannot be sent", base::printable(name, 60));
    }
    return {};
}

std::string request_text(const url_parts& url, const http_call& call, bool keep) {
    const bool v6 = url.host.find(':') != url.host.npos;
    const bool usual = url.port == (url.tls ? 443 : 80);
    std::string text = fmt::format(
        "{} {} HTTP/1.1\r\nHost: {}{}{}{}\r\n{}", call.method, url.target, v6 ? "[" : "", url.host,
        v6 ? "]" : "", usual ? "" : fmt::format(":{}", url.port), keep ? "" : "Connection: close\r\n");
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

task<std::unique_ptr<stream>> reach(world around, const url_parts& url, const http_call& call,
                                    http_answer& answer, loop::time_point deadline) {
    const auto found = co_await addresses_of(around.dns, url.host, call.over);
    answer.error = found.error;
    answer.blocked = !found.addresses.empty();
    for (std::size_t i = 0; i < found.addresses.size(); ++i) {
        const endpoint to{found.addresses[i], url.port};
        const bool last = i + 1 == found.addresses.size();
        const auto until =
            last ? deadline : std::min<loop::time_point>(deadline, around.on.now() + address_time);
        auto reached = co_await connect_tcp(around.on, to, around.guard, until, call.exempt);
        answer.blocked = answer.blocked && reached.outcome == model::connect_outcome::blocked;
        if (!reached.connection) {
            answer.error = fmt::format("{}: {}", to.to_string(), reached.detail);
            continue;
        }
        auto connection = co_await secured(around.on, std::move(reached.connection), around.tls, url,
                                           call.ignore_certificate, around.clock.now(), answer, until);
        if (!connection) {
            answer.error = fmt::format("{}: {}", to.to_string(), answer.error);
            continue;
        }
        answer.address = to.address.to_string();
        answer.over_v6 = to.address.is_v6();
        co_return connection;
    }
    co_return nullptr;
}

task<ended> converse(stream& connection, std::string request, http_answer& answer, std::size_t limit,
                     loop::time_point deadline) {
    const auto sent = co_await connection.write_all(std::move(request), deadline);
    ended how;
    bool by_end = false;
    // Where writing broke, the server may have answered before it closed: a refusal of a large body.
    wire::http_response_reader reader(limit);
    while (!reader.done() && !reader.error()) {
        const auto got = co_await connection.read_some(65'536, deadline);
        if (got.status == io_status::timeout) {
            answer.error = "no whole answer in time";
            co_return how;
        }
        how.heard = how.heard || got.status == io_status::ok;
        by_end = got.status != io_status::ok;
        if (!by_end)
            reader.feed(got.bytes);
        else
            reader.eof(got.status == io_status::eof);
    }
    if (reader.error()) {
        answer.error = sent == io_status::ok
                           ? std::string(explain(*reader.error()))
                           : "the connection broke while the request was sent, and no answer came";
        co_return how;
    }
    auto response = reader.take();
    how.keep = sent == io_status::ok && may_stay(response, by_end);
    answer.status = response.status;
    answer.fields = std::move(response.fields);
    answer.body = std::move(response.body);
    answer.error.clear();
    co_return how;
}

} // namespace mailtight::io::http_exchange
