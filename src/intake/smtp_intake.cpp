// SPDX-License-Identifier: Apache-2.0
// SMTP and LMTP sessions: sockets and times on one side, wire::smtp_server on the other, and between them the
// decisions: who may be written to, how much one source may send, and what the fate of a mail is called.
#include "base/text.h"
#include "intake/rate_limit.h"
#include "intake/ways_in.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

namespace mailtight::intake {

namespace {

constexpr std::size_t read_bytes = 65'536;

bool is_loopback(const base::ip_address& address) {
    return address.is_v4() ? address.bytes().front() == 127 : address == *base::ip_address::parse("::1");
}

struct mail_reply {
    int code;
    std::string text;
};
/// What the sender is told. A mail without a report is refused, so that the person who wrote it learns of it;
/// a bounce has nobody to tell, and would only come again.
mail_reply reply_for(const kept& what, bool null_sender) {
    switch (what.what) {
    case kept::fate::stored:
        return {250, fmt::format("2.6.0 {} kept", what.outcomes.size() == 1
                                                      ? "report"
                                                      : fmt::format("{} reports", what.outcomes.size()))};
    case kept::fate::none:
        if (null_sender)
            return {250, "2.0.0 no report in it: dropped"};
        return {554,
                fmt::format("5.6.0 this address takes TLS reports only: {}", base::printable(what.why, 200))};
    case kept::fate::later:
        break;
    }
    if (what.no_key)
        return {451, "4.7.5 the DKIM key cannot be had just now, please try again"};
    return {451, "4.3.0 cannot be stored just now, please try again"};
}

} // namespace

struct smtp_intake::state : std::enable_shared_from_this<smtp_intake::state> {
    state(io::loop& on, keeper& kept_by, const address_book& addresses, const base::clock& time,
          smtp_intake_options given)
        : loop(on)
        , into(kept_by)
        , book(addresses)
        , clock(time)
        , options(std::move(given))
        , limit(options.mails_per_minute) {
        status.name = options.lmtp ? "lmtp" : "smtp";
        status.where = options.at.to_string();
        options.protocol.lmtp = options.lmtp;
        options.protocol.offer_starttls = options.tls != nullptr;
        options.protocol.require_starttls = options.protocol.require_starttls && options.tls != nullptr;
    }

    io::loop& loop;
    keeper& into;
    const address_book& book;
    const base::clock& clock;
    smtp_intake_options options;
    rate_limit limit;
    way_status status;
    bool stopping = false;
    std::size_t arriving = 0; ///< bytes of mails that are not all there yet, over all connections
    std::unique_ptr<io::listener> listening;

    struct session;
    std::unordered_set<session*> sessions;

    bool unlimited(const io::peer& who) const {
        if (!who.address)
            return true; // a unix socket: its mode says who may write
        const auto& address = who.address->address;
        // The mail server of this machine has its own limits, and is the one that brings everything.
        if (options.lmtp && is_loopback(address))
            return true;
        return std::ranges::any_of(options.no_limit,
                                   [&](const auto& network) { return network.contains(address); });
    }
    void failed(std::string why) {
        status.last_error = std::move(why);
        status.last_error_at = clock.now();
    }
    static io::task<> serve(std::shared_ptr<state> self, std::unique_ptr<io::stream> connection,
                            io::peer who);
};

/// One connection.
struct smtp_intake::state::session {
    session(state& in, std::unique_ptr<io::stream> stream, io::peer from)
        : of(in)
        , connection(std::move(stream))
        , who(std::move(from))
        , protocol(in.options.protocol)
        , source(who.address ? source_of(who.address->address) : "")
        , limited(!in.unlimited(who)) {
        of.sessions.insert(this);
    }
    session(const session&) = delete;
    session& operator=(const session&) = delete;
    ~session() {
        arrived();
        of.sessions.erase(this);
    }

    state& of;
    std::unique_ptr<io::stream> connection;
    io::peer who;
    wire::smtp_server protocol;
    std::string source;
    bool limited;
    bool waiting = false;     ///< for the next command: may be told to go
    std::size_t arriving = 0; ///< this connection's share of the sum

    void arrived() { of.arriving -= std::exchange(arriving, 0); }
    /// False: all connections together hold more than there is memory for (8460-7-a). A share is given back
    /// with the mail or the connection, not between chunks (BDAT), and is never more than one mail.
    bool arrives(std::size_t bytes) {
        bytes = std::min(bytes, of.options.protocol.message_bytes - arriving);
        arriving += bytes;
        of.arriving += bytes;
        return of.arriving <= of.options.arriving_bytes;
    }

    io::loop::time_point in(std::chrono::milliseconds time) const { return of.loop.now() + time; }

    io::task<bool> flush() {
        auto out = protocol.output();
        if (out.empty())
            co_return true;
        const auto sent = co_await connection->write_all(std::move(out), in(of.options.command_time));
        co_return sent == io::io_status::ok;
    }
    void judge_recipient(const std::string& address) {
        if (!of.book.recipient(address)) {
            ++of.status.refused;
            protocol.reply_recipient(false, "5.1.1 no such address here", 550);
        } else {
            protocol.reply_recipient(true);
        }
    }
    circumstances how() const;
    io::task<> take_message();
    io::task<bool> take_tls();
    io::task<> run();
};

circumstances smtp_intake::state::session::how() const {
    circumstances out;
    out.way = of.options.lmtp ? model::way_in::lmtp : model::way_in::smtp;
    out.source = who.to_string();
    out.may_come_again = true;
    const auto& recipients = protocol.recipients();
    if (!recipients.empty())
        out.recipient = recipients.front();
    // The token speaks for the domain only where all recipients agree on it.
    bool first = true;
    for (const auto& recipient : recipients) {
        const auto known = of.book.recipient(recipient);
        const std::string domain = known ? known->domain : "";
        if (!std::exchange(first, false) && domain != out.domain_of_token) {
            out.domain_of_token.clear();
            break;
        }
        out.domain_of_token = domain;
    }
    return out;
}

io::task<> smtp_intake::state::session::take_message() {
    if (limited && !of.limit.take(source, of.loop.now())) { // 8460-7-a
        ++of.status.refused;
        protocol.reply_message(450, "4.7.1 too many mails from your network, please try later");
        co_return;
    }
    auto bytes = protocol.message();
    auto result = co_await of.into.keep(std::move(bytes), how());
    const auto reply = reply_for(result, protocol.sender().empty());
    if (result.what == kept::fate::stored) {
        ++of.status.accepted;
        of.status.last_success = of.clock.now();
    } else {
        ++of.status.refused;
        of.failed(result.why);
    }
    protocol.reply_message(reply.code, reply.text); // 250 only here: the commit is behind us
}

io::task<bool> smtp_intake::state::session::take_tls() {
    if (!co_await flush())
        co_return false;
    auto accepted =
        co_await io::accept_tls(of.loop, std::move(connection), *of.options.tls, in(of.options.command_time));
    connection = std::move(accepted.connection);
    if (!connection) {
        of.failed(fmt::format("{}: STARTTLS: {}", who.to_string(), base::printable(accepted.error, 200)));
        co_return false;
    }
    protocol.tls_started();
    co_return true;
}

io::task<> smtp_intake::state::session::run() {
    using kind = wire::smtp_event::kind;
    protocol.greet(of.stopping);
    bool in_data = false;
    // A peer that trickles bytes gets no more time than one that is silent: only an answer, or a message that
    // begins, starts the clock anew.
    auto deadline = in(of.options.command_time);
    for (;;) {
        auto event = protocol.next();
        if (event && event->what == kind::recipient) {
            judge_recipient(event->address);
            continue;
        }
        if (event && event->what == kind::message) {
            co_await take_message();
            arrived();
            deadline = in(of.options.command_time);
            continue;
        }
        if (event && event->what == kind::start_tls) {
            const bool secured = co_await take_tls();
            if (!secured)
                co_return;
            deadline = in(of.options.command_time);
            continue;
        }
        if (in_data != protocol.in_message()) {
            in_data = !in_data;
            deadline = in(in_data ? of.options.data_time : of.options.command_time);
        }
        auto out = protocol.output();
        if (!out.empty()) {
            const auto written = co_await connection->write_all(std::move(out), in(of.options.command_time));
            if (written != io::io_status::ok)
                co_return;
            if (!in_data)
                deadline = in(of.options.command_time);
        }
        if (event) // close
            co_return;
        if (of.stopping && !in_data) {
            protocol.shut_down("going down, please try again");
            const bool told = co_await flush();
            (void)told;
            co_return;
        }
        waiting = !in_data;
        auto got = co_await connection->read_some(read_bytes, deadline);
        waiting = false;
        if (got.status == io::io_status::ok) {
            if (in_data && !arrives(got.bytes.size()))
                protocol.shut_down("too much mail at once, please try again");
            else
                protocol.feed(got.bytes);
            continue;
        }
        if (got.status != io::io_status::timeout)
            co_return;
        if (of.stopping && of.loop.now() < deadline)
            continue; // woken by stop(): told above
        protocol.shut_down("too slow");
        const bool told = co_await flush();
        (void)told;
        co_return;
    }
}

io::task<> smtp_intake::state::serve(std::shared_ptr<state> self, std::unique_ptr<io::stream> connection,
                                     io::peer who) {
    session one(*self, std::move(connection), std::move(who));
    co_await one.run();
    if (one.connection)
        one.connection->close();
}

smtp_intake::smtp_intake(io::loop& on, keeper& into, const address_book& book, const base::clock& clock,
                         smtp_intake_options options)
    : state_(std::make_shared<state>(on, into, book, clock, std::move(options))) {}

smtp_intake::~smtp_intake() {
    stop();
    state_->listening.reset(); // its handler holds the state, and the state holds it
}

std::expected<void, std::string> smtp_intake::start() {
    auto listening = io::listen(state_->loop, state_->options.at, state_->options.listening,
                                [self = state_](std::unique_ptr<io::stream> connection, io::peer who) {
                                    return state::serve(self, std::move(connection), std::move(who));
                                });
    if (!listening) {
        state_->failed(listening.error());
        return std::unexpected(listening.error());
    }
    state_->listening = std::move(*listening);
    state_->status.running = true;
    return {};
}

void smtp_intake::stop() {
    if (!state_->listening || std::exchange(state_->stopping, true))
        return;
    state_->listening->stop();
    state_->status.running = false;
    for (auto* session : state_->sessions)
        if (session->waiting && session->connection)
            session->connection->interrupt();
}

way_status smtp_intake::status() const {
    auto out = state_->status;
    out.open = state_->sessions.size();
    if (state_->listening)
        out.refused += state_->listening->refused();
    return out;
}

std::string smtp_intake::address() const {
    if (!state_->listening || !state_->options.at.unix_path.empty())
        return state_->options.at.to_string();
    return state_->listening->bound().to_string();
}

} // namespace mailtight::intake
