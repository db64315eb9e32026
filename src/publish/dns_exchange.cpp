// SPDX-License-Identifier: Apache-2.0
#include "publish/dns_exchange.h"

#include "base/crypto/issuing.h"
#include "base/text.h"
#include "wire/dns_raw.h"

#include <fmt/format.h>

#include <random>
#include <utility>

namespace mailtight::publish {

namespace {

using kind = exchange_fault::kind;

std::unexpected<exchange_fault> fault(kind what, std::string words) {
    return std::unexpected(exchange_fault{what, std::move(words)});
}

std::string about_clocks(std::string_view reply, base::utc_seconds here) {
    const auto there = wire::time_of_dns_reply(reply);
    if (!there)
        return "";
    const auto apart = here - *there;
    if (apart == apart.zero())
        return "";
    return fmt::format("; its clock says {}, ours {}: {} {}", base::format_utc(*there),
                       base::format_utc(here), base::format_duration(std::chrono::abs(apart)),
                       apart > apart.zero() ? "behind us" : "before us");
}

bool is_refusal(wire::tsig_fault fault) {
    using enum wire::tsig_fault;
    return fault == refused_key || fault == refused_signature || fault == refused_time ||
           fault == refused_truncation;
}

} // namespace

std::string keyed(std::string_view algorithm, std::string_view key, std::string_view bytes) {
    return algorithm == "hmac-sha512" ? base::hmac_sha512(key, bytes) : base::hmac_sha256(key, bytes);
}

std::uint16_t random_message_id() {
    return static_cast<std::uint16_t>(std::random_device{}());
}

dns_exchange::dns_exchange(io::loop& on, const update_server& to, const base::clock& real_time,
                           std::chrono::milliseconds timeout)
    : loop_(on)
    , to_(to)
    , clock_(real_time)
    , timeout_(timeout) {}

dns_exchange::~dns_exchange() {
    hang_up();
}

void dns_exchange::hang_up() {
    if (stream_)
        stream_->close();
    stream_.reset();
    unread_.clear();
}

io::task<std::string> dns_exchange::read_message(io::loop::time_point deadline, received& into) {
    constexpr std::size_t prefix = 2, chunk = 16'384;
    for (;;) {
        if (unread_.size() >= prefix) {
            const std::size_t length = wire::get16(unread_, 0);
            if (unread_.size() - prefix >= length) {
                auto bytes = unread_.substr(prefix, length);
                unread_.erase(0, prefix + length);
                co_return bytes;
            }
        }
        auto more = co_await stream_->read_some(chunk, deadline);
        if (more.status != io::io_status::ok) {
            into.closed_at_once = unread_.empty() && more.status != io::io_status::timeout;
            into.fault = more.status == io::io_status::timeout ? "it did not answer in time"
                                                               : "it closed the connection without an answer";
            co_return "";
        }
        unread_ += more.bytes;
    }
}

io::task<> dns_exchange::write_message(const std::string& bytes, io::loop::time_point deadline,
                                       received& into) {
    if (!stream_) {
        // The operator named it: the guard is for what others name.
        auto connected = co_await io::connect_tcp(loop_, to_.address, {}, deadline, true);
        if (!connected.connection) {
            into.fault =
                connected.detail.empty() ? std::string("it cannot be reached") : std::move(connected.detail);
            co_return;
        }
        stream_ = std::move(connected.connection);
    }
    std::string out;
    wire::put16(out, static_cast<unsigned>(bytes.size()));
    out += bytes;
    into.sent = true;
    if (co_await stream_->write_all(std::move(out), deadline) != io::io_status::ok) {
        into.fault = "the connection broke";
        into.closed_at_once = true;
    }
}

io::task<dns_exchange::received> dns_exchange::talk(const std::string& bytes, io::loop::time_point deadline) {
    received got;
    co_await write_message(bytes, deadline, got);
    if (got.fault.empty())
        got.bytes = co_await read_message(deadline, got);
    if (!got.fault.empty())
        hang_up();
    co_return got;
}

dns_exchange::signed_question dns_exchange::sign(std::string message) const {
    if (!to_.key)
        return {std::move(message), {}};
    auto with_signature = wire::sign_dns_message(message, *to_.key, clock_.now(), keyed);
    return {std::move(with_signature.bytes), std::move(with_signature.mac)};
}

io::task<std::expected<std::string, exchange_fault>> dns_exchange::send(std::string message) {
    hang_up();
    auto question = sign(std::move(message));
    received got;
    co_await write_message(question.bytes, loop_.now() + timeout_, got);
    if (!got.fault.empty()) {
        hang_up();
        co_return fault(got.sent ? kind::lost : kind::not_reached, std::move(got.fault));
    }
    co_return std::move(question.mac);
}

io::task<std::expected<std::string, exchange_fault>> dns_exchange::next_message() {
    if (!stream_)
        co_return fault(kind::lost, "the connection is closed");
    received got;
    got.bytes = co_await read_message(loop_.now() + timeout_, got);
    if (!got.fault.empty()) {
        hang_up();
        co_return fault(kind::lost, std::move(got.fault));
    }
    co_return std::move(got.bytes);
}

io::task<std::expected<wire::dns_update_reply, exchange_fault>> dns_exchange::ask(std::string message) {
    const auto deadline = loop_.now() + timeout_;
    const auto id = wire::get16(message, 0);
    const bool is_query = (static_cast<unsigned char>(message[2]) & 0x78) == 0;
    const auto [bytes, request_mac] = sign(std::move(message));
    const bool used_before = stream_ != nullptr;
    auto got = co_await talk(bytes, deadline);
    // A connection that waited may be closed by its server at any time (RFC 7766 §6.2.3).
    if (!got.fault.empty() && got.closed_at_once && used_before && is_query)
        got = co_await talk(bytes, deadline);
    if (!got.fault.empty())
        co_return fault(got.sent ? kind::lost : kind::not_reached, std::move(got.fault));
    auto reply = wire::read_dns_update_reply(got.bytes);
    const auto shaken = [this](std::string words) {
        hang_up();
        return fault(kind::lost, std::move(words));
    };
    if (!reply)
        co_return shaken(fmt::format("its reply cannot be read: {}", explain(reply.error())));
    if (reply->id != id || !reply->response || reply->opcode != (is_query ? 0U : 5U))
        co_return shaken("its reply belongs to another message");
    if (!to_.key)
        co_return std::move(*reply);
    const auto now = clock_.now();
    const auto verified = wire::verify_dns_reply(got.bytes, request_mac, *to_.key, now, keyed);
    if (verified)
        co_return std::move(*reply);
    std::string words(explain(verified.error()));
    if (verified.error() == wire::tsig_fault::refused_time || verified.error() == wire::tsig_fault::bad_time)
        words += about_clocks(got.bytes, now);
    if (is_refusal(verified.error()))
        co_return fault(kind::refused, std::move(words));
    // A no without signature may be somebody else's, but believing it changes nothing.
    if (verified.error() == wire::tsig_fault::missing && reply->code != 0)
        co_return std::move(*reply);
    co_return shaken(std::move(words));
}

} // namespace mailtight::publish
