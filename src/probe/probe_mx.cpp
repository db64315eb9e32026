// SPDX-License-Identifier: Apache-2.0
// Entry: probe_mx. wire::smtp_probe decides what is said; here its wishes meet a connection, deadlines and
// TLS. At most three conversations: the one that counts, one without SNI, and, where the server refuses TLS
// 1.2, one that finds out what it speaks.
#include "probe/session.h"

#include "wire/smtp_probe.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::probe {

namespace {

using model::smtp_outcome;
using wire::smtp_probe;

/// A server that has answered everything else may be slow to say goodbye; nobody has to wait for it long.
constexpr std::chrono::milliseconds quit_time{5'000};
constexpr std::size_t capabilities_kept = 64;

smtp_outcome outcome_of(smtp_probe::outcome outcome) {
    switch (outcome) {
    case smtp_probe::outcome::open:
        return smtp_outcome::not_tried;
    case smtp_probe::outcome::tls:
        return smtp_outcome::tls;
    case smtp_probe::outcome::banner_refused:
        return smtp_outcome::banner_refused;
    case smtp_probe::outcome::no_starttls:
        return smtp_outcome::no_starttls;
    case smtp_probe::outcome::starttls_refused:
        return smtp_outcome::starttls_refused;
    case smtp_probe::outcome::injected:
        return smtp_outcome::injected;
    case smtp_probe::outcome::handshake_failed:
        return smtp_outcome::handshake_failed;
    case smtp_probe::outcome::protocol_error:
        return smtp_outcome::protocol_error;
    case smtp_probe::outcome::banner_timeout:
        return smtp_outcome::banner_timeout;
    case smtp_probe::outcome::timeout:
        return smtp_outcome::timeout;
    case smtp_probe::outcome::closed:
        return smtp_outcome::closed;
    }
    return smtp_outcome::not_tried;
}

const char* name_of(smtp_probe::stage stage) {
    switch (stage) {
    case smtp_probe::stage::banner:
        return "banner";
    case smtp_probe::stage::ehlo:
        return "ehlo";
    case smtp_probe::stage::helo:
        return "helo";
    case smtp_probe::stage::starttls:
        return "starttls";
    case smtp_probe::stage::handshake:
        return "handshake";
    case smtp_probe::stage::ehlo_inside:
        return "ehlo-tls";
    case smtp_probe::stage::quit:
    case smtp_probe::stage::over:
        return "quit";
    }
    return "";
}

struct conversation {
    model::connect_outcome connect = model::connect_outcome::not_tried;
    std::string connect_detail;
    model::tls_fact tls;
    smtp_probe machine;
};

/// One conversation from the first packet to QUIT.
io::task<conversation> converse(const context& with, io::endpoint to, io::tls_options tls, stopwatch& watch) {
    auto& loop = with.loop;
    conversation talk{.machine = smtp_probe(with.options.ehlo_name)};
    auto connected =
        co_await io::connect_tcp(loop, to, with.guard, loop.now() + with.options.connect_timeout);
    watch.stage("connect");
    talk.connect = connected.outcome;
    talk.connect_detail = std::move(connected.detail);
    auto connection = std::move(connected.connection);
    if (!connection)
        co_return talk;

    auto& machine = talk.machine;
    auto stage = machine.at();
    auto deadline = loop.now() + with.options.smtp_stage_time;
    while (machine.needs() != smtp_probe::need::close) {
        if (machine.at() != stage) {
            if (!with.go_on())
                break;
            watch.stage(name_of(stage));
            stage = machine.at();
            // The deadline is the reply's, not the byte's: a drip does not lengthen it.
            deadline = loop.now() + (stage == smtp_probe::stage::quit
                                         ? std::min(quit_time, with.options.smtp_stage_time)
                                         : with.options.smtp_stage_time);
        }
        if (machine.needs() == smtp_probe::need::send) {
            const auto status = co_await connection->write_all(machine.to_send(), deadline);
            if (status == io::io_status::timeout)
                machine.timeout();
            // A broken pipe shows at the read too, behind what the server still had to say.
            continue;
        }
        if (machine.needs() == smtp_probe::need::handshake) {
            auto secured = co_await io::start_tls(loop, std::move(connection), with.tls, tls,
                                                  with.clock.now(), deadline);
            talk.tls = std::move(secured.fact);
            connection = std::move(secured.connection);
            machine.handshake_done(connection != nullptr);
            continue;
        }
        const auto got = co_await connection->read_some(4'096, deadline);
        if (got.status == io::io_status::ok)
            machine.feed(got.bytes);
        else if (got.status == io::io_status::timeout)
            machine.timeout();
        else
            machine.eof();
    }
    watch.stage(name_of(stage));
    if (connection)
        connection->close();
    co_return talk;
}

void tell(model::smtp_fact& fact, const conversation& talk) {
    fact.connect = talk.connect;
    if (talk.connect != model::connect_outcome::connected) {
        fact.outcome = talk.connect == model::connect_outcome::blocked ? smtp_outcome::blocked
                                                                       : smtp_outcome::connect_failed;
        fact.detail = talk.connect_detail;
        return;
    }
    const auto& machine = talk.machine;
    fact.outcome = outcome_of(machine.result());
    fact.banner = clip(machine.banner());
    for (const auto& line : machine.capabilities())
        if (fact.capabilities.size() < capabilities_kept)
            fact.capabilities.push_back(clip(line, 200));
    fact.reply_code = machine.refusal_code();
    fact.reply_text = clip(machine.refusal().text());
    fact.tls = talk.tls;
    fact.starttls_inside_tls = wire::has_capability(machine.capabilities_inside(), "STARTTLS");
    fact.quit_answered = machine.quit_answered();
    fact.detail = talk.tls.detail.empty() ? machine.detail() : talk.tls.detail;
}

} // namespace

io::task<model::smtp_fact> probe_mx(const context& with, std::string host, base::ip_address address) {
    model::smtp_fact fact;
    fact.host = host;
    fact.address = address;
    const io::endpoint to{address, with.options.smtp_port};
    stopwatch watch(with.loop);

    io::tls_options tls{.host = host}; // 8461-7.1-c
    const auto talk = co_await converse(with, to, tls, watch);
    tell(fact, talk);
    fact.took = watch.total();
    fact.stages = std::move(watch.stages);

    stopwatch aside(with.loop); // the further conversations are no part of the timings
    if (fact.outcome == smtp_outcome::handshake_failed && may_be_too_old(fact.tls) && with.go_on()) {
        tls.allow_old = true;
        const auto old = co_await converse(with, to, tls, aside);
        name_what_is_spoken(fact.tls, old.tls);
        fact.detail = fact.tls.detail;
    }
    if (fact.outcome == smtp_outcome::tls && with.options.probe_without_sni && with.go_on()) {
        tls.send_sni = false;
        auto second = co_await converse(with, to, tls, aside);
        // Where the second conversation never came to a handshake (a limit on connections), nothing is known.
        fact.tried_without_sni = second.tls.outcome != model::handshake_outcome::not_tried;
        fact.without_sni = std::move(second.tls);
    }
    co_return fact;
}

} // namespace mailtight::probe
