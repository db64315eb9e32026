// SPDX-License-Identifier: Apache-2.0
// Entry: http_server. One task a connection: head, route, body, handler, reply, and again. Reading a head, a
// body and waiting in between have each their own time, so that a slow peer costs a slot for a bounded while.
#include "io/http_server.h"

#include "base/text.h"
#include "io/event_reply.h"
#include "io/http_route.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <unordered_set>

namespace mailtight::io {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t read_bytes = 65'536;
constexpr auto write_time = 60s;
/// After a refusal the rest of the upload is read past for a while: closing at once would destroy the reply
/// on its way (RFC 9112 §9.6).
constexpr auto linger_time = 2s;
constexpr std::size_t linger_bytes = 1'048'576;

} // namespace

struct http_server::state {
    state(loop& on, http_server_options wanted, const base::clock& time)
        : on(on)
        , options(std::move(wanted))
        , clock(time) {}

    loop& on;
    http_server_options options;
    const base::clock& clock;
    std::vector<std::unique_ptr<http_site>> sites;
    std::vector<std::unique_ptr<listener>> listeners;
    std::vector<std::string> addresses;
    std::unordered_set<stream*> idle; ///< connections between two requests
    bool stopping = false;

    std::size_t open() const {
        std::size_t sum = 0;
        for (const auto& each : listeners)
            sum += each->open_connections();
        return sum;
    }
    std::size_t largest_body() const {
        std::size_t most = 0;
        for (const auto& site : sites)
            most = std::max(most, site->body_bytes);
        return most;
    }
};

namespace {

using server_state = http_server::state;

/// Whether the client would have events (RFC 9110 §12.5.1). An EventSource asks for nothing else, and no
/// other client asks for them by a wildcard.
bool wants_events(const wire::http_request& asked) {
    if (asked.method != "GET")
        return false;
    const auto accepts = asked.field("accept");
    for (const auto each : base::split(accepts, ','))
        if (base::iequals(base::trim(each.substr(0, each.find(';'))), "text/event-stream"))
            return true;
    return false;
}

wire::http_reply refusal(int status, std::string_view detail) {
    return wire::problem(status, "", detail); // the title is the status phrase
}

/// One connection and its requests.
class conversation {
public:
    conversation(std::shared_ptr<server_state> with, std::unique_ptr<stream> connection, http_exchange known)
        : with_(std::move(with))
        , connection_(std::move(connection))
        , known_(std::move(known)) {}

    task<> run() {
        for (std::size_t served = 1; co_await exchange(served); ++served) {
        }
        connection_->close();
    }

private:
    loop& on() const { return with_->on; }

    /// Waits for the first byte of a request. False where none comes.
    task<bool> first_byte(bool first_request) {
        if (!buffered_.empty())
            co_return true;
        if (with_->stopping)
            co_return false;
        const auto& options = with_->options;
        const auto patience = first_request ? options.head_time : options.idle_time;
        with_->idle.insert(connection_.get());
        auto got = co_await connection_->read_some(read_bytes, on().now() + patience);
        with_->idle.erase(connection_.get());
        buffered_ = std::move(got.bytes);
        co_return got.status == io_status::ok;
    }

    enum class progress { done, refused, slow, gone };
    /// Feeds the reader until `enough`.
    template<class Enough>
    task<progress> read_until(wire::http_request_reader& reader, loop::time_point deadline, Enough enough) {
        for (;;) {
            const auto used = reader.feed(buffered_);
            buffered_.erase(0, used);
            if (reader.refused() != 0)
                co_return progress::refused;
            if (enough(reader))
                co_return progress::done;
            auto got = co_await connection_->read_some(read_bytes, deadline);
            if (got.status == io_status::timeout)
                co_return progress::slow;
            if (got.status != io_status::ok)
                co_return progress::gone;
            buffered_ += got.bytes;
        }
    }

    /// One request and its reply. False where the connection ends.
    task<bool> exchange(std::size_t count) {
        if (!co_await first_byte(count == 1))
            co_return false;
        const auto began = on().now();
        wire::http_request_reader reader({.body_bytes = with_->largest_body()});
        auto asked = known_;
        auto reply = co_await answer(reader, asked);
        buffered_.shrink_to_fit();
        if (!reply) // nobody is left to answer
            co_return false;
        const bool whole = reader.complete() && reader.refused() == 0;
        // A reader that stopped early holds the request still; a handler has it already.
        if (!handed_over_)
            asked.request = std::move(reader.request());
        add_fields(reply->fields, asked.tls);
        reply->close = reply->close || !whole || !asked.request.keep_alive || with_->stopping ||
                       count >= with_->options.requests_per_connection;
        const auto sent = co_await connection_->write_all(
            wire::write_reply(*reply, asked.request, with_->clock.now().time_since_epoch().count()),
            on().now() + write_time);
        if (with_->options.served)
            with_->options.served(asked, *reply,
                                  std::chrono::duration_cast<std::chrono::microseconds>(on().now() - began));
        if (sent != io_status::ok)
            co_return false;
        if (reply->close && !whole)
            co_await linger();
        co_return !reply->close;
    }

    using answered = std::optional<wire::http_reply>;
    /// Nothing where the peer went away, or has its events. Not inlined: its frame would become part of that
    /// of a connection which waits.
    [[gnu::noinline]] task<answered> answer(wire::http_request_reader& reader, http_exchange& asked) {
        handed_over_ = false;
        auto came = co_await read_until(reader, on().now() + with_->options.head_time,
                                        [](auto& of) { return of.head_complete(); });
        if (came == progress::refused)
            co_return refusal(reader.refused(), reader.reason());
        if (came == progress::slow)
            co_return refusal(408, "the request did not come in time");
        if (came == progress::gone)
            co_return std::nullopt;

        asked.request = reader.request();
        asked.client = client_address(asked.peer, asked.request, with_->options);
        auto host = asked.request.host.empty() ? asked.server_name : asked.request.host;
        if (host.ends_with('.'))
            host.pop_back();
        if (asked.tls && !asked.server_name.empty() && host != asked.server_name)
            co_return refusal(421, "the connection was made for another host");
        const auto* site = find_site(with_->sites, host, asked.request.path);
        if (!site)
            co_return refusal(404, "there is nothing at this address");
        if (site->admit) {
            if (auto refused = site->admit(asked))
                co_return refused;
        }
        reader.limit_body(site->body_bytes);
        if (reader.refused() != 0)
            co_return refusal(reader.refused(), reader.reason());
        // Not where the client has not waited (RFC 9110 §10.1.1).
        if (asked.request.expects_continue && !reader.complete() && reader.request().body.empty()) {
            if (co_await connection_->write_all(std::string(wire::http_continue), on().now() + write_time) !=
                io_status::ok)
                co_return std::nullopt;
        }
        came = co_await read_until(reader, on().now() + with_->options.body_time,
                                   [](auto& of) { return of.complete(); });
        if (came == progress::refused)
            co_return refusal(reader.refused(), reader.reason());
        if (came == progress::slow)
            co_return refusal(408, "the body did not come in time");
        if (came == progress::gone)
            co_return std::nullopt;
        asked.request = std::move(reader.request());
        if (site->stream && wants_events(asked.request))
            co_return co_await streamed(*site, asked, on().now());
        co_return co_await handled(*site, asked, [&site](http_exchange given) -> task<answered> {
            co_return co_await site->handle(std::move(given));
        });
    }

    void add_fields(std::vector<std::pair<std::string, std::string>>& to, bool tls) const {
        const auto add = [&to](const auto& more) {
            for (const auto& each : more)
                if (std::ranges::none_of(
                        to, [&](const auto& has) { return base::iequals(has.first, each.first); }))
                    to.push_back(each);
        };
        add(with_->options.fields);
        if (tls)
            add(with_->options.tls_fields);
    }

    /// A stream of events; nothing when it was one, so that the connection ends.
    task<answered> streamed(const http_site& site, http_exchange& asked, loop::time_point began) {
        wire::http_reply head;
        add_fields(head.fields, asked.tls);
        event_reply events(on(), *connection_,
                           wire::write_event_head(head.fields, with_->clock.now().time_since_epoch().count()),
                           with_->options.event_time, [with = with_] { return with->stopping; });
        auto refused = co_await handled(site, asked, [&](http_exchange given) -> task<answered> {
            co_return co_await site.stream(std::move(given), events);
        });
        if (refused && !events.begun())
            co_return refused;
        if (!events.begun())
            co_await events.begin();
        if (with_->options.served)
            with_->options.served(asked, head,
                                  std::chrono::duration_cast<std::chrono::microseconds>(on().now() - began));
        co_return std::nullopt;
    }

    template<class Work>
    task<answered> handled(const http_site& site, http_exchange& asked, Work work) {
        handed_over_ = true;
        // What the reply and the log need of the request stays here; the body goes to the handler.
        auto body = std::exchange(asked.request.body, {});
        auto given = asked;
        given.request.body = std::move(body);
        std::string what;
        try {
            co_return co_await work(std::move(given));
        } catch (const std::exception& error) {
            what = error.what();
        } catch (...) {
            what = "unknown";
        }
        if (with_->options.listening.complain)
            with_->options.listening.complain(fmt::format("{} {} of site {} ended by an exception: {}",
                                                          asked.request.method, asked.request.path, site.name,
                                                          what));
        auto reply = refusal(500, "this is our fault; try again later");
        reply.close = true;
        co_return reply;
    }

    task<> linger() {
        connection_->finish_writing();
        const auto until = on().now() + linger_time;
        for (std::size_t past = 0; past < linger_bytes;) {
            const auto got = co_await connection_->read_some(read_bytes, until);
            if (got.status != io_status::ok)
                break;
            past += got.bytes.size();
        }
    }

    std::shared_ptr<server_state> with_;
    std::unique_ptr<stream> connection_;
    http_exchange known_; ///< of the connection
    std::string buffered_;
    bool handed_over_ = false;
};

task<> serve(std::shared_ptr<server_state> with, const tls_server* tls, std::unique_ptr<stream> connection,
             peer who) {
    http_exchange known;
    known.peer = std::move(who);
    if (tls) {
        known.tls = true;
        auto accepted = co_await accept_tls(with->on, std::move(connection), *tls,
                                            with->on.now() + with->options.head_time);
        if (!accepted.connection)
            co_return;
        if (accepted.alpn == "acme-tls/1") { // RFC 8737 §3: the handshake was all
            accepted.connection->close();
            co_return;
        }
        known.server_name = std::move(accepted.server_name);
        connection = std::move(accepted.connection);
    }
    conversation talk(std::move(with), std::move(connection), std::move(known));
    co_await talk.run();
}

} // namespace

http_server::http_server(loop& on, http_server_options options, const base::clock& clock)
    : state_(std::make_shared<state>(on, std::move(options), clock)) {}

http_server::~http_server() {
    stop();
}

void http_server::add_site(http_site site) {
    state_->sites.push_back(std::make_unique<http_site>(std::move(site)));
}

std::expected<void, std::string> http_server::listen(const listen_address& at, const tls_server* tls) {
    auto options = state_->options.listening;
    // Behind a proxy every connection has the proxy's address.
    options.unlimited.insert(options.unlimited.end(), state_->options.trusted_proxies.begin(),
                             state_->options.trusted_proxies.end());
    // The state owns the listener, so its handler must not own the state.
    auto opened = io::listen(
        state_->on, at, options,
        [weak = std::weak_ptr(state_), tls](std::unique_ptr<stream> connection, peer who) -> task<> {
            if (auto with = weak.lock())
                return serve(std::move(with), tls, std::move(connection), std::move(who));
            return [](std::unique_ptr<stream>) -> task<> { co_return; }(std::move(connection));
        });
    if (!opened)
        return std::unexpected(std::move(opened.error()));
    auto bound = at;
    if (bound.tcp)
        bound.tcp = (*opened)->bound();
    state_->addresses.push_back(bound.to_string());
    state_->listeners.push_back(std::move(*opened));
    return {};
}

std::vector<std::string> http_server::addresses() const {
    return state_->addresses;
}

void http_server::stop() {
    state_->stopping = true;
    for (const auto& each : state_->listeners)
        each->stop();
    for (auto* waiting : state_->idle)
        waiting->interrupt();
}

task<bool> http_server::drain(loop::time_point deadline) {
    const auto held = state_;
    while (held->open() > 0 && held->on.now() < deadline)
        co_await held->on.sleep_for(10ms);
    co_return held->open() == 0;
}

std::size_t http_server::open_connections() const {
    return state_->open();
}

} // namespace mailtight::io
