// SPDX-License-Identifier: Apache-2.0
// Entry: send_mail. Hosts and their addresses are tried in turn until one takes the mail or refuses it for
// good.
#include "io/mail_client.h"

#include "io/command.h"
#include "io/host_addresses.h"
#include "io/worker.h"

#include "base/host_name.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>

#include <unistd.h>

namespace mailtight::io {

namespace {

using wire::smtp_client_step;

constexpr std::size_t attempts_most = 10;
constexpr int session_replies = 6; ///< a session takes at most this many times the patience for one reply

mail_sent failed(std::string stage, std::string text, bool temporary) {
    mail_sent result;
    result.outcome.stage = std::move(stage);
    result.outcome.text = std::move(text);
    result.outcome.temporary = temporary;
    return result;
}

std::string own_name() {
    char name[256] = {};
    if (::gethostname(name, sizeof name - 1) != 0 || !base::is_host_name(name))
        return "localhost";
    return name;
}

bool on_loopback(const base::ip_address& address) {
    return base::not_global_because(address) == "loopback";
}

/// What one attempt needs.
struct attempt {
    std::string host;
    endpoint to;
    bool exempt = false;
    bool start_tls = true;
    bool judge_certificate = false;
};

struct sender {
    loop& on;
    const tls_client& tls;
    const base::address_guard& guard;
    const base::clock& clock;
    const mail_route& by;
    const wire::outgoing_mail& mail;

    /// Shakes hands in the middle of a session. False where it failed; the reason is in `why`.
    task<bool> secure(std::unique_ptr<stream>& connection, const attempt& how, std::string& why,
                      loop::time_point deadline) const {
        tls_options options;
        options.host = how.host;
        options.send_sni = !base::ip_address::parse(how.host);
        auto made =
            co_await start_tls(on, std::move(connection), tls, std::move(options), clock.now(), deadline);
        why = made.fact.detail;
        if (!made.connection || (how.judge_certificate && !made.fact.certificate_ok()))
            co_return false;
        connection = std::move(made.connection);
        co_return true;
    }

    /// One connection to one address.
    task<mail_sent> deliver(attempt how) const {
        auto reached = co_await connect_tcp(on, how.to, guard, on.now() + by.connect_time, how.exempt);
        if (!reached.connection) {
            auto result = failed("connect", fmt::format("{}: {}", how.to.to_string(), reached.detail), true);
            result.blocked = reached.outcome == model::connect_outcome::blocked;
            co_return result;
        }
        mail_sent result;
        result.server = fmt::format("{} ({})", how.host, how.to.to_string());
        result.address = how.to.address.to_string();
        result.over_v6 = how.to.address.is_v6();
        wire::smtp_client_options options;
        options.helo = by.helo.empty() ? own_name() : by.helo;
        options.start_tls = how.start_tls;
        options.user = by.user;
        options.password = by.password;
        options.auth_allowed_plain = on_loopback(how.to.address);
        wire::smtp_client session(options, mail);
        auto connection = std::move(reached.connection);
        const auto end = on.now() + session_replies * by.reply_time;
        std::string tls_fault;
        for (;;) {
            const auto until = std::min<loop::time_point>(end, on.now() + by.reply_time);
            const auto step = session.step();
            if (step == smtp_client_step::done)
                break;
            if (step == smtp_client_step::start_tls) {
                result.tls = co_await secure(connection, how, tls_fault, until);
                if (result.tls) {
                    session.tls_started();
                    continue;
                }
                session.tls_failed();
                break;
            }
            if (step == smtp_client_step::send) {
                if (co_await connection->write_all(session.output(), until) != io_status::ok)
                    session.connection_lost("the connection broke while sending");
                continue;
            }
            const auto got = co_await connection->read_some(16'384, until);
            if (got.status == io_status::ok)
                session.feed(got.bytes);
            else
                session.connection_lost(got.status == io_status::timeout
                                            ? "no reply in time"
                                            : "the server closed the connection");
        }
        if (connection)
            connection->close();
        result.outcome = session.outcome();
        if (!tls_fault.empty() && !result.tls)
            result.outcome.text = "TLS: " + tls_fault;
        co_return result;
    }
};

/// Decided: taken, refused for good, or perhaps taken (the connection broke after the message was sent).
bool is_final(const mail_sent& sent) {
    const auto& outcome = sent.outcome;
    return outcome.accepted || !outcome.temporary || (outcome.stage == "message" && outcome.code == 0);
}

/// The words of a server weigh more than the silence of the next, and silence more than the guard's.
void replace(mail_sent& result, mail_sent by) {
    const bool silent = result.outcome.stage == "connect" && !result.blocked;
    if (by.address.empty() && (!result.address.empty() || (by.blocked && silent)))
        return;
    result = std::move(by);
}

task<mail_sent> to_smart_host(const sender& with, resolver& dns) {
    const auto& by = with.by;
    const auto found = co_await addresses_of(dns, by.host, by.over);
    mail_sent result;
    if (found.addresses.empty())
        result = failed("connect", found.error, found.temporary);
    const bool by_name = !base::ip_address::parse(by.host);
    for (const auto& address : found.addresses) {
        attempt how{by.host, {address, by.port}, by.exempt};
        // Named by an address it has no name to judge by; a password still goes to no unknown server.
        how.judge_certificate = !on_loopback(address) && (by_name || !by.password.empty());
        replace(result, co_await with.deliver(std::move(how)));
        if (is_final(result))
            break;
    }
    co_return result;
}

/// The hosts that take the domain's mail, in the order to try (RFC 5321 §5.1); why there are none in `error`.
task<std::vector<std::string>> exchanges_of(resolver& dns, std::string domain, mail_sent& error) {
    auto found = co_await dns.mx(domain);
    std::vector<std::string> hosts;
    if (found.status == model::dns_status::no_data) {
        hosts = {domain};
    } else if (!found.ok()) {
        const bool gone = found.status == model::dns_status::nx_domain;
        error = failed("DNS",
                       gone ? fmt::format("the domain {} does not exist", domain)
                            : fmt::format("DNS gave no MX of {}: {}", domain, found.detail),
                       !gone);
    } else if (found.records.front().host.empty()) {
        error = failed("DNS", fmt::format("{} accepts no mail (null MX)", domain), false); // RFC 7505 §3
    } else {
        static thread_local std::mt19937 random{std::random_device{}()};
        std::ranges::shuffle(found.records, random); // equal preferences share the load
        std::ranges::sort(found.records, {}, &model::mx_record::preference);
        for (auto& record : found.records)
            hosts.push_back(std::move(record.host));
    }
    co_return hosts;
}

std::string domain_of(const wire::outgoing_mail& mail) {
    std::string domain;
    for (const std::string_view recipient : mail.recipients) {
        const auto at = recipient.rfind('@');
        auto one = base::lower(at == recipient.npos ? "" : recipient.substr(at + 1));
        if (one.empty() || (!domain.empty() && one != domain))
            return {};
        domain = std::move(one);
    }
    return base::is_host_name(domain) ? domain : "";
}

task<mail_sent> directly(const sender& with, resolver& dns) {
    const auto domain = domain_of(with.mail);
    if (domain.empty())
        co_return failed("DNS", "the recipients have no one domain", false);
    mail_sent result;
    const auto hosts = co_await exchanges_of(dns, domain, result);
    std::size_t attempts = 0;
    for (const auto& host : hosts) {
        const auto found = co_await addresses_of(dns, host, with.by.over);
        if (found.addresses.empty() && result.server.empty())
            result = failed("DNS", found.error, found.temporary || result.outcome.temporary);
        for (const auto& address : found.addresses) {
            if (++attempts > attempts_most)
                co_return result;
            attempt how{host, {address, with.by.mx_port}};
            auto sent = co_await with.deliver(how);
            // 8460-3-g: a report is delivered despite any failure of TLS.
            if (sent.outcome.stage == "STARTTLS" && sent.outcome.temporary) {
                how.start_tls = false;
                sent = co_await with.deliver(how);
            }
            replace(result, std::move(sent));
            if (is_final(result))
                co_return result;
        }
    }
    co_return result;
}

/// LF line ends, as programs read mail on their standard input.
std::string with_plain_lines(std::string_view message) {
    std::string text;
    text.reserve(message.size());
    for (std::size_t i = 0; i < message.size(); ++i) {
        if (message[i] != '\r' || i + 1 == message.size() || message[i + 1] != '\n')
            text += message[i];
    }
    return text;
}

task<mail_sent> by_command(loop& on, const mail_route& by, const wire::outgoing_mail& mail) {
    auto words = by.command;
    for (auto& word : words) {
        if (word == "%sender")
            word = mail.sender.empty() ? "<>" : mail.sender;
    }
    for (const auto& recipient : mail.recipients) {
        if (recipient.empty() || recipient.front() == '-') // would be an option
            co_return failed("command", "a recipient is no address", false);
        words.push_back(recipient);
    }
    constexpr int try_later = 75; // EX_TEMPFAIL of sysexits.h
    worker beside(on, "sendmail");
    const auto ended = co_await beside.run<command_result>(
        [words, text = with_plain_lines(mail.message), time = by.reply_time] {
            return run_command(words, text, time);
        });
    mail_sent result;
    result.server = words.empty() ? "" : words.front();
    result.outcome.stage = "command";
    result.outcome.accepted = ended.exit_status == 0;
    result.outcome.temporary = !ended.error.empty() || ended.exit_status == try_later;
    result.outcome.text =
        ended.error.empty() ? fmt::format("exit status {}", ended.exit_status) : ended.error;
    if (!ended.said.empty())
        result.outcome.text += ": " + base::printable(base::trim(ended.said), 500);
    co_return result;
}

} // namespace

task<mail_sent> send_mail(loop& on, resolver& dns, const tls_client& tls, const base::address_guard& guard,
                          const base::clock& clock, mail_route by, wire::outgoing_mail mail) {
    const sender with{on, tls, guard, clock, by, mail};
    switch (by.how) {
    case mail_route::kind::smart_host:
        co_return co_await to_smart_host(with, dns);
    case mail_route::kind::direct:
        co_return co_await directly(with, dns);
    case mail_route::kind::command:
        co_return co_await by_command(on, by, mail);
    }
    co_return mail_sent{};
}

} // namespace mailtight::io
