// SPDX-License-Identifier: Apache-2.0
// Entry point: report_site(). The head decides what can be decided without the body (method, token, rate,
// coding); the body is read by its bytes alone; the status says what a sender can do about it (A41).
#include "base/text.h"
#include "intake/rate_limit.h"
#include "intake/ways_in.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace mailtight::intake {

namespace {

constexpr std::string_view prefix = "/tlsrpt/";

struct site {
    site(io::loop& on, keeper& kept_by, const address_book& addresses, const base::clock& time,
         const http_intake_options& options, std::shared_ptr<way_status> told)
        : loop(on)
        , into(kept_by)
        , book(addresses)
        , clock(time)
        , limit(options.posts_per_minute)
        , status(std::move(told)) {}

    io::loop& loop;
    keeper& into;
    const address_book& book;
    const base::clock& clock;
    rate_limit limit;
    std::shared_ptr<way_status> status;

    void refused(std::string why) const {
        if (!status)
            return;
        ++status->refused;
        status->last_error = std::move(why);
        status->last_error_at = clock.now();
    }
};

std::string_view token_of(const io::http_exchange& exchange) {
    const std::string_view path = exchange.request.path;
    return path.starts_with(prefix) ? path.substr(prefix.size()) : std::string_view{};
}

wire::http_reply with_retry(wire::http_reply reply, std::chrono::seconds after) {
    reply.fields.emplace_back("Retry-After", std::to_string(after.count()));
    return reply;
}

/// The body is sniffed, so only a coding that would hide it matters. `gzip` around it is read like a gzip
/// file.
bool coding_is_read(std::string_view coding) {
    coding = base::trim(coding);
    return coding.empty() || base::iequals(coding, "identity") || base::iequals(coding, "gzip") ||
           base::iequals(coding, "x-gzip"); // A42
}

std::optional<wire::http_reply> admit(site& here, const io::http_exchange& exchange) {
    const auto token = token_of(exchange);
    if (!here.book.token(token)) {
        here.refused("unknown URL");
        return wire::problem(404, "Not found", "no reports are taken at this address");
    }
    if (exchange.request.method != "POST") {
        auto reply =
            wire::problem(405, "Method not allowed", "reports are delivered by POST (RFC 8460 section 5.4)");
        reply.fields.emplace_back("Allow", "POST");
        return reply;
    }
    if (!coding_is_read(exchange.request.field("content-encoding"))) {
        here.refused("Content-Encoding");
        auto reply = wire::problem(415, "Unsupported content coding", "send the report as it is, or in gzip");
        reply.fields.emplace_back("Accept-Encoding", "gzip");
        return reply;
    }
    const auto address = base::ip_address::parse(exchange.client);
    const auto source = address ? source_of(*address) : exchange.client;
    if (!here.limit.take(source, here.loop.now())) { // 8460-7-a
        here.refused(fmt::format("too many posts from {}", base::printable(exchange.client, 64)));
        return with_retry(wire::problem(429, "Too many reports", "your network has sent too many, try later"),
                          here.limit.wait(source, here.loop.now()));
    }
    return std::nullopt;
}

wire::http_reply accepted(const kept& what) {
    const auto all = [&](store::add_outcome::fate fate) {
        return std::ranges::all_of(what.outcomes, [&](const auto& outcome) { return outcome.what == fate; });
    };
    const bool known = all(store::add_outcome::fate::duplicate);
    // Whether it is counted is no business of the sender's.
    wire::http_reply reply;
    reply.status = known ? 200 : 201; // 8460-5.4-c
    reply.media_type = "application/json";
    reply.body = boost::json::serialize(boost::json::object{
        {"status", known ? "already received" : "received"}, {"reports", what.outcomes.size()}});
    return reply;
}

wire::http_reply refusal(const kept& what) {
    const std::string code = what.errors.empty() ? "not-a-report" : what.errors.front().code;
    const std::string why = base::printable(what.why, 500);
    if (code == "too-large" || code == "bomb")
        return wire::problem(413, "Too large", why);
    if (code == "not-json")
        return wire::problem(415, "Neither JSON nor gzip", why);
    return wire::problem(422, "Not a TLS report", why);
}

io::task<wire::http_reply> handle(std::shared_ptr<site> here, io::http_exchange exchange) {
    const auto domain = here->book.token(token_of(exchange));
    if (!domain || exchange.request.method != "POST") // where nobody asked admit()
        co_return wire::problem(404, "Not found", "no reports are taken at this address");
    circumstances how;
    how.way = model::way_in::https;
    how.source = exchange.client;
    how.recipient = token_of(exchange);
    how.domain_of_token = domain->domain;
    auto result = co_await here->into.keep(std::move(exchange.request.body), std::move(how));
    switch (result.what) {
    case kept::fate::stored:
        if (here->status) {
            ++here->status->accepted;
            here->status->last_success = here->clock.now();
        }
        co_return accepted(result);
    case kept::fate::none:
        here->refused(result.why);
        co_return refusal(result);
    case kept::fate::later:
        break;
    }
    here->refused(result.why);
    co_return with_retry(
        wire::problem(503, "Not just now", "the report could not be stored, please try again"),
        std::chrono::seconds(60));
}

} // namespace

io::http_site report_site(io::loop& on, keeper& into, const address_book& book, const base::clock& clock,
                          http_intake_options options, std::shared_ptr<way_status> status) {
    auto here = std::make_shared<site>(on, into, book, clock, options, std::move(status));
    io::http_site out;
    out.name = "reports";
    out.hosts = std::move(options.hosts);
    out.prefix = prefix;
    out.body_bytes = options.body_bytes;
    out.admit = [here](const io::http_exchange& exchange) { return admit(*here, exchange); };
    out.handle = [here](io::http_exchange exchange) { return handle(here, std::move(exchange)); };
    return out;
}

} // namespace mailtight::intake
