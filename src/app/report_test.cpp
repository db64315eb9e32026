// SPDX-License-Identifier: Apache-2.0
#include "app/report_test.h"

#include "app/control_client.h"
#include "app/options.h"
#include "app/outgoing.h"
#include "app/store_access.h"
#include "app/typed.h"
#include "base/compress.h"
#include "base/text.h"
#include "intake/examine.h"
#include "io/http_client.h"
#include "tlsrpt/report_mail.h"
#include "tlsrpt/write_report.h"

#include <fmt/format.h>

namespace mailtight::app {

namespace {

tlsrpt::report test_report(const std::string& domain, const std::string& submitter, const std::string& sender,
                           std::string_view token, base::utc_seconds now) {
    const auto yesterday = std::chrono::floor<std::chrono::days>(now) - std::chrono::days(1);
    tlsrpt::report report;
    report.organization_name = "Mailtight report test";
    report.contact_info = sender;
    report.report_id = intake::test_report_id(token, submitter);
    report.start = yesterday;
    report.end = yesterday + std::chrono::days(1) - std::chrono::seconds(1);
    tlsrpt::policy_result policy;
    policy.type = "no-policy-found";
    policy.domain = domain;
    policy.success = 1;
    report.policies.push_back(std::move(policy));
    return report;
}

std::string file_name(const std::string& domain, const std::string& submitter, base::utc_seconds now) {
    const auto yesterday = std::chrono::floor<std::chrono::days>(now) - std::chrono::days(1);
    tlsrpt::report_file_name name;
    name.sender = submitter;
    name.domain = domain;
    name.start = yesterday;
    name.end = yesterday + std::chrono::days(1) - std::chrono::seconds(1);
    return name.to_string();
}

} // namespace

std::string test_body(const std::string& domain, const std::string& submitter, const std::string& sender,
                      std::string_view token, base::utc_seconds now) {
    return base::gzip(tlsrpt::write_report(test_report(domain, submitter, sender, token, now)));
}

std::string test_message(const std::string& domain, const std::string& submitter, const std::string& sender,
                         const std::string& recipient, std::string_view token, base::utc_seconds now) {
    const std::string body = test_body(domain, submitter, sender, token, now);
    tlsrpt::report_mail mail;
    mail.from_name = "Mailtight report test";
    mail.from = sender;
    mail.to = recipient;
    mail.report_domain = domain;
    mail.report_id = intake::test_report_id(token, submitter);
    mail.file_name = file_name(domain, submitter, now);
    mail.text = {"This is a test report about " + domain + ", made by mailtight report test.",
                 "It is not counted."};
    mail.body = body;
    mail.date = now;
    return tlsrpt::compose(mail);
}

io::task<test_sending> send_test(world& with, const settings& set, std::string domain,
                                 tlsrpt::report_uri to) {
    test_sending done{.rua = to.text, .token = random_token()};
    const std::string own_name = with.probes.ehlo_name;
    const std::string sender = sender_address(set, own_name);
    const auto at = sender.find('@');
    const std::string submitter = at == std::string::npos ? own_name : sender.substr(at + 1);
    if (to.scheme == tlsrpt::report_uri::scheme_type::mailto) {
        auto route = mail_route(set, own_name);
        if (!route) {
            done.stage = "configuration";
            done.words = route.error();
            co_return done;
        }
        wire::outgoing_mail mail;
        mail.sender = sender;
        mail.recipients = {to.address};
        mail.message = test_message(domain, submitter, sender, to.address, done.token, with.clock.now());
        const io::mail_route by = *route;
        const auto sent = co_await io::send_mail(with.loop, *with.dns, *with.tls, with.guard, with.clock, by,
                                                 std::move(mail));
        done.sent = sent.outcome.accepted;
        done.stage = done.sent ? "" : sent.outcome.stage;
        done.words = base::printable(sent.outcome.text, 300);
        done.server = sent.server;
        done.tls = sent.tls;
    } else if (to.scheme == tlsrpt::report_uri::scheme_type::https) {
        io::http_call call;
        call.url = to.text;
        call.fields = {{"Content-Type", "application/tlsrpt+gzip"}, {"User-Agent", "mailtight"}};
        call.body = test_body(domain, submitter, sender, done.token, with.clock.now());
        const auto answer = co_await io::http_request(with.loop, *with.dns, *with.tls, with.guard, with.clock,
                                                      std::move(call));
        done.sent = answer.status >= 200 && answer.status <= 299;
        done.server = answer.address;
        done.tls = true;
        if (answer.status == 0) {
            done.stage = answer.certificate_fault ? "certificate" : "connection";
            done.words = base::printable(answer.error, 300);
        } else {
            done.stage = done.sent ? "" : fmt::format("status {}", answer.status);
            done.words = fmt::format("status {}", answer.status);
        }
    } else {
        done.stage = "address";
        done.words = "neither mailto nor https: no sender delivers there";
    }
    co_return done;
}

std::expected<std::vector<followed>, std::string>
send_and_follow(world& with, const settings& set, store::store& from, const std::string& domain,
                std::span<const tlsrpt::report_uri> to, std::chrono::milliseconds wait, progress_line& line) {
    using namespace std::chrono_literals;
    std::vector<followed> all;
    for (const auto& uri : to) {
        line.show(fmt::format("sending to {}", uri.text));
        all.push_back({.sending = with.loop.block_on(send_test(with, set, domain, uri)), .arrived = {}});
    }
    const auto begun = with.loop.now();
    auto next_poll = begun;
    for (;;) {
        const auto now = with.loop.now();
        const auto passed = std::chrono::duration_cast<std::chrono::seconds>(now - begun);
        std::size_t waiting = 0;
        for (auto& one : all) {
            if (!one.sending.sent || one.arrived)
                continue;
            auto found = from.find_test(one.sending.token);
            if (!found)
                return std::unexpected(words(found.error()));
            one.arrived = *found;
            one.after = passed;
            waiting += one.arrived ? 0 : 1;
        }
        if (waiting == 0 || now - begun >= wait)
            return all;
        if (now >= next_poll) { // no daemon, no harm
            (void)call_daemon(with.loop, set, "/poll", {}, "POST", 5s);
            next_poll = now + 15s;
        }
        line.show(fmt::format("waiting for {} of {} to arrive · {}", waiting, all.size(),
                              base::format_duration(passed)));
        with.loop.block_on(with.loop.sleep_for(500ms));
    }
}

std::expected<test_bench, int> prepare_test(const settings& set, const std::string& typed) {
    auto domain = take_domain(typed);
    if (!domain)
        return std::unexpected(wrong_usage);
    auto made = world::make(set, {});
    if (!made) {
        complain(made.error());
        return std::unexpected(wrong_usage);
    }
    auto from = open_to_ask(set);
    if (!from) {
        complain(from.error());
        return std::unexpected(not_done);
    }
    return test_bench{std::move(*domain), std::move(*made), std::move(*from)};
}

} // namespace mailtight::app
