// SPDX-License-Identifier: Apache-2.0
// Entry: fetch_policy (RFC 8461 §3.3). One GET over a fresh connection, one deadline over all of it; whatever
// comes back becomes a fact, and nothing is followed, cached or retried.
#include "probe/session.h"

#include "base/limits.h"
#include "base/text.h"
#include "wire/http_response.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::probe {

namespace {

using model::fetch_outcome;

/// Nothing that could end a header line or a URL comes from a name.
bool is_host_name(std::string_view host) {
    return !host.empty() && host.size() <= base::limits::dns_name_text_max &&
           std::ranges::all_of(host,
                               [](char c) { return base::is_alnum(c) || c == '-' || c == '.' || c == '_'; });
}

// 8461-3.2-a; 8461-3.3-j: no conditional request, so that no cache has a say.
std::string request_text(std::string_view host, std::string_view agent) {
    std::string text = fmt::format("GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: {}\r\n", host);
    if (!agent.empty())
        text += fmt::format("User-Agent: {}\r\n", agent);
    text += "Accept: text/plain\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n";
    return text;
}

/// Reads until the response is whole, or its head says enough.
io::task<io::io_status> read_response(io::stream& connection, wire::http_response_reader& reader,
                                      io::loop::time_point deadline) {
    for (;;) {
        auto got = co_await connection.read_some(16'384, deadline);
        if (got.status == io::io_status::ok)
            reader.feed(got.bytes);
        else if (got.status == io::io_status::timeout)
            co_return got.status;
        else
            reader.eof(got.status == io::io_status::eof);
        // 8461-3.3-h: only the body of a 200 is of use.
        if (reader.done() || reader.error() || (reader.head_done() && reader.response().status != 200))
            co_return io::io_status::ok;
    }
}

/// How the response counts, the certificate apart.
fetch_outcome judge(const wire::http_response_reader& reader, std::string& detail) {
    const auto& response = reader.response();
    if (reader.head_done() && response.status != 200) {
        detail = fmt::format("HTTP status {}", response.status);
        // 8461-3.3-i: told, never followed.
        const bool elsewhere = response.status >= 300 && response.status < 400 && !response.location.empty();
        return elsewhere ? fetch_outcome::redirect : fetch_outcome::http_status;
    }
    if (const auto error = reader.error()) {
        detail = explain(*error);
        return *error == wire::http_error::too_large ? fetch_outcome::too_large : fetch_outcome::http_invalid;
    }
    if (!response.content_encoding.empty() && !base::iequals(response.content_encoding, "identity")) {
        detail = "the body came in a Content-Encoding that nobody asked for";
        return fetch_outcome::http_invalid;
    }
    return fetch_outcome::fetched;
}

io::task<> converse(io::stream& connection, std::string request, model::fetch_fact& fact,
                    io::loop::time_point deadline, stopwatch& watch) {
    wire::http_response_reader reader;
    auto status = co_await connection.write_all(std::move(request), deadline);
    if (status != io::io_status::timeout) // an answer may come before a broken write is noticed
        status = co_await read_response(connection, reader, deadline);
    connection.close();
    watch.stage("request");

    const bool timed_out = status == io::io_status::timeout;
    fact.outcome = timed_out ? fetch_outcome::timeout : judge(reader, fact.detail);
    if (timed_out)
        fact.detail = "the answer was not complete within the time limit";
    auto response = reader.take();
    fact.status = reader.head_done() ? response.status : 0;
    fact.location = clip(std::move(response.location));
    fact.content_type = clip(std::move(response.content_type));
    fact.content_encoding = clip(std::move(response.content_encoding));
    if (fact.outcome == fetch_outcome::fetched)
        fact.body = std::move(response.body);
}

} // namespace

io::task<model::fetch_fact> fetch_policy(const context& with, std::string policy_host,
                                         base::ip_address address, std::string agent) {
    model::fetch_fact fact;
    fact.address = address;
    fact.agent = agent;
    if (policy_host.ends_with('.'))
        policy_host.pop_back();
    if (!is_host_name(policy_host)) {
        fact.outcome = fetch_outcome::connect_failed;
        fact.connect = model::connect_outcome::failed;
        fact.detail = "this is no host name";
        co_return fact;
    }
    stopwatch watch(with.loop);
    const auto deadline = with.loop.now() + with.options.fetch_time; // 8461-3.3-m
    auto reached = co_await reach_tls(with, policy_host, {address, with.options.https_port}, "http/1.1",
                                      deadline, watch);
    fact.connect = reached.connect;
    fact.tls = std::move(reached.tls);
    fact.detail = std::move(reached.detail);
    if (fact.connect != model::connect_outcome::connected) {
        fact.outcome = fact.connect == model::connect_outcome::blocked ? fetch_outcome::blocked
                                                                       : fetch_outcome::connect_failed;
    } else if (!reached.connection) {
        fact.outcome = fact.tls.outcome == model::handshake_outcome::timeout ? fetch_outcome::timeout
                                                                             : fetch_outcome::tls_failed;
        fact.detail = fact.tls.detail;
    } else {
        const bool passes = fact.tls.certificate_ok(); // 8461-3.3-a, 8461-3.3-b, 8461-3.3-c
        if (passes || with.options.diagnose)
            co_await converse(*reached.connection, request_text(policy_host, agent), fact, deadline, watch);
        else
            reached.connection->close();
        if (!passes) { // what else is known then is for the diagnosis
            fact.outcome = fetch_outcome::tls_failed;
            fact.detail = fact.tls.detail;
        }
    }
    fact.took = watch.total();
    fact.stages = std::move(watch.stages);
    co_return fact;
}

io::task<https_reach> reach_https(const context& with, std::string host, base::ip_address address,
                                  std::uint16_t port) {
    stopwatch watch(with.loop);
    auto reached = co_await reach_tls(with, std::move(host), {address, port}, "http/1.1",
                                      with.loop.now() + with.options.fetch_time, watch);
    if (reached.connection)
        reached.connection->close();
    https_reach result{reached.connect, std::move(reached.tls), std::move(reached.detail)};
    if (result.detail.empty())
        result.detail = result.tls.detail;
    co_return result;
}

} // namespace mailtight::probe
