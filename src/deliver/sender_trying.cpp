// SPDX-License-Identifier: Apache-2.0
// One try: a mail or a POST goes out, and the answer becomes an outcome.
#include "base/text.h"
#include "deliver/sender_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace mailtight::deliver {
namespace {

constexpr std::chrono::days suppressed_for{30};

/// The recipient is not there, as opposed to: not from us, not now, not so large (RFC 3463).
bool is_no_such_user(const wire::smtp_client_outcome& seen) {
    if (seen.accepted || seen.stage != "RCPT" || seen.code < 500 || seen.code > 599)
        return false;
    constexpr std::array gone{"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"};
    if (!seen.enhanced.empty())
        return std::ranges::find(gone, seen.enhanced) != gone.end();
    return seen.code == 550 || seen.code == 551 || seen.code == 553;
}

try_outcome outcome_of(const io::mail_sent& sent) {
    const auto& seen = sent.outcome;
    try_outcome out;
    if (seen.accepted) {
        out.what = try_outcome::kind::accepted;
        out.words = base::printable(seen.text, 300);
    } else {
        out = of_smtp(seen.code, seen.enhanced, seen.text, seen.stage);
        if (sent.blocked)
            out.what = try_outcome::kind::blocked;
        else if (seen.code == 0 && !seen.temporary) // no server's reply: a null MX, a command's exit status
            out.what = try_outcome::kind::refused;
    }
    out.over_v6 = sent.over_v6;
    return out;
}

} // namespace

io::task<sender::state::trial> sender::state::try_mail(std::shared_ptr<state> self,
                                                       const model::outgoing_delivery& to, std::string mail) {
    wire::outgoing_mail out{
        .sender = self->options.who.contact, .recipients = {to.address}, .message = std::move(mail)};
    const auto sent = co_await self->ways.mail(std::move(out), to.family);
    co_return trial{.outcome = outcome_of(sent), .no_such_user = is_no_such_user(sent.outcome)};
}

io::task<sender::state::trial> sender::state::try_post(std::shared_ptr<state> self,
                                                       const model::outgoing_delivery& to, std::string body) {
    // 8460-3-d: POST. 8460-5.4-b, A42: the body is the gzip file itself, without Content-Encoding.
    io::http_call call{.method = "POST",
                       .url = to.uri,
                       .fields = {{"Content-Type", "application/tlsrpt+gzip"}, {"User-Agent", "mailtight"}},
                       .body = std::move(body)};
    if (to.family != model::address_family::any) // else both in turn
        call.over = io::families_for(to.family);
    auto answer = co_await self->ways.post(call);
    bool ignored = false;
    std::string fault;
    if (answer.status == 0 && answer.certificate_fault && self->options.ignore_certificate) {
        fault = std::move(answer.error); // 8460-3-e: a receiver learns of its certificate by the report
        call.ignore_certificate = ignored = true;
        answer = co_await self->ways.post(std::move(call));
    }
    const auto field = [&](std::string_view name) {
        const auto found = std::ranges::find(answer.fields, name, [](const auto& f) { return f.first; });
        return found == answer.fields.end() ? std::string() : found->second;
    };
    // 8460-5.4-d, A41: a redirect is an answer like any other, and none that means yes.
    auto words = answer.status == 0 ? answer.error : answer.body;
    if (answer.status >= 300 && answer.status < 400)
        words = fmt::format("redirect to {} not followed", field("location"));
    trial out{.outcome = of_http(answer.status, field("retry-after"), words, self->policy_time.now())};
    if (answer.status == 0 && answer.blocked)
        out.outcome.what = try_outcome::kind::blocked;
    out.outcome.over_v6 = answer.over_v6;
    out.outcome.certificate_ignored = ignored;
    if (ignored)
        out.outcome.words = fmt::format("{} ({})", out.outcome.words, base::printable(fault, 200));
    co_return out;
}

io::task<> sender::state::suppress(std::shared_ptr<state> self, const model::outgoing_report& of,
                                   const model::outgoing_delivery& to, std::string why) {
    const auto now = self->policy_time.now();
    const store::suppressed_address entry{
        .who = base::lower(to.address), .why = why, .since = now, .until = now + suppressed_for};
    const auto done = co_await ask<bool>(self, [entry](store::result_store& s) -> store::result<bool> {
        const auto list = s.suppressed();
        if (!list)
            return std::unexpected(list.error());
        const bool listed = std::ranges::any_of(*list, [&](const store::suppressed_address& each) {
            return base::iequals(each.who, entry.who) && (!each.until || *each.until >= *entry.until);
        });
        if (listed) // by the operator, for longer
            return false;
        if (auto written = s.suppress(entry); !written)
            return std::unexpected(written.error());
        return true;
    });
    if (!done || !*done)
        co_return;
    ++self->counters.suppressed;
    self->say(sender_event::kind::suppressed, of.domain, of.day, std::move(why), to.uri);
}

} // namespace mailtight::deliver
