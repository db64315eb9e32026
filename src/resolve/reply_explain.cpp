// SPDX-License-Identifier: Apache-2.0
// A decision for people: what holds and why, first in one line, then each thing that it comes from, then the
// replies in every dialect. Plain text, wrapped (a reply is never broken: it is there to be compared).
#include "base/text.h"
#include "resolve/reply.h"
#include "resolve/reply_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace mailtight::resolve {

namespace {

constexpr std::size_t columns_least = 40, columns_most = 200, label_columns = 11, policy_lines_shown = 40,
                      hosts_shown = 20;

/// Lines with a label in front, wrapped.
class sheet {
public:
    explicit sheet(std::size_t columns)
        : columns_(columns) {}
    void row(std::string_view label, std::string_view text) {
        const std::size_t room = columns_ - label_columns - 2;
        for (const auto& line : base::wrap(text, room)) {
            fmt::format_to(std::back_inserter(text_), "  {:<{}}{}\n", label, label_columns, line);
            label = "";
        }
    }
    /// Never wrapped.
    void raw(std::string_view label, std::string_view text) {
        fmt::format_to(std::back_inserter(text_), "  {:<{}} {}\n", label, label_columns + 4, text);
    }
    void heading(std::string_view text) { fmt::format_to(std::back_inserter(text_), "\n{}\n", text); }
    void line(std::string_view text) {
        for (const auto& part : base::wrap(text, columns_))
            text_ += part + "\n";
    }
    std::string take() { return std::move(text_); }

private:
    std::size_t columns_;
    std::string text_;
};

std::string shown(std::string_view remote) {
    return base::printable(remote, 400);
}

std::string_view meaning(const tls_decision& decision) {
    switch (decision.what) {
    case decision::enforce:
        return "Mail goes only to MX hosts that the MTA-STS policy admits, over TLS, and only where the "
               "certificate is valid for the host.";
    case decision::testing:
        return "There is an MTA-STS policy in testing: nothing is enforced; what enforcement would have "
               "refused belongs into the daily report.";
    case decision::none:
        return "The domain says that it has no MTA-STS policy any more (mode none).";
    case decision::dane:
        return decision.dane_only
                   ? "DANE: every mail host has usable TLSA records; the mail server authenticates by them."
                   : "DANE: the mail server looks for TLSA records at each host and authenticates where it "
                     "finds them.";
    case decision::no_policy:
        if (decision.source == decision_source::override_)
            return "An exception made here frees it from MTA-STS and DANE: TLS where the other side has it.";
        return "Neither DANE nor an MTA-STS policy: the mail server's own settings apply.";
    case decision::unknown:
        break;
    }
    if (decision.source == decision_source::override_)
        return "Its mail waits: an exception made here asks for more than the domain offers.";
    return "What holds for this destination cannot be known at the moment: its mail waits for the next try, "
           "or "
           "goes out by what the mail server itself finds of DANE.";
}

std::string when(base::utc_seconds at, base::utc_seconds now) {
    if (at == base::utc_seconds{})
        return "never";
    const auto away = at - now;
    if (away.count() == 0)
        return base::format_utc(at) + " (now)";
    return away.count() > 0 ? fmt::format("{} (in {})", base::format_utc(at), base::format_duration(away))
                            : fmt::format("{} ({} ago)", base::format_utc(at), base::format_duration(-away));
}

void policy_part(sheet& to, const tls_decision& decision, base::utc_seconds now) {
    if (!decision.policy)
        return;
    const auto& held = *decision.policy;
    const bool pinned = decision.exception && decision.exception->what == model::policy_override::kind::pin;
    to.heading(pinned ? "Policy, pinned here" : "Policy");
    if (pinned) {
        to.row("mode", sts::to_string(held.value.mode));
        for (const auto& pattern : held.value.mx)
            to.row(&pattern == held.value.mx.data() ? "mx" : "", shown(pattern));
        to.row("ends", when(decision.expires_at, now));
        return;
    }
    to.row("id", held.id.empty() ? "none" : shown(held.id));
    to.row("mode", sts::to_string(held.value.mode));
    to.row("max_age", fmt::format("{} s ({})", held.value.effective_max_age(),
                                  base::format_duration(std::chrono::seconds(
                                      static_cast<std::int64_t>(held.value.effective_max_age())))));
    to.row("fetched", when(held.fetched_at, now));
    to.row("expires", when(decision.expires_at, now));
    to.row("next look", when(decision.next_check_at, now));
    std::size_t count = 0;
    for (const std::string_view line : base::split(held.body, '\n')) {
        if (base::trim(line).empty())
            continue;
        if (++count > policy_lines_shown) {
            to.row("", "and more lines");
            break;
        }
        to.row(count == 1 ? "text" : "", shown(base::trim(line)));
    }
}

void hosts_part(sheet& to, const tls_decision& decision) {
    const bool patterns_stand = !decision.mx_known && decision.what == decision::enforce;
    if (decision.mx.empty() && !patterns_stand)
        return;
    to.heading("Mail hosts");
    if (patterns_stand)
        to.row("", "The MX look-up gave no answer; the patterns of the policy stand for the hosts.");
    const bool judged = decision.policy && decision.policy->value.mode != sts::mode::none;
    for (std::size_t i = 0; i < std::min(decision.mx.size(), hosts_shown); ++i) {
        const auto& one = decision.mx[i];
        std::string words = shown(one.host);
        if (judged)
            words += one.admitted_by.empty() ? ": not admitted by the policy"
                                             : ": admitted by " + shown(one.admitted_by);
        words += "; DANE: ";
        words += to_string(one.dane);
        to.row("", words);
    }
    if (decision.mx.size() > hosts_shown)
        to.row("", fmt::format("and {} more", decision.mx.size() - hosts_shown));
}

void dane_part(sheet& to, const tls_decision& decision) {
    const bool worth_it = std::ranges::any_of(decision.dane_hosts, [](const mx_standing& host) {
        return !host.records.empty() || !host.reason.empty();
    });
    if (!worth_it)
        return;
    to.heading("DANE");
    for (const auto& host : decision.dane_hosts) {
        if (host.records.empty() && host.reason.empty())
            continue;
        std::string words = fmt::format("{}: {}", shown(host.host), to_string(host.dane));
        if (!host.reason.empty())
            words += "; " + shown(host.reason);
        to.row("", words);
        for (const auto& record : host.records)
            to.row("", fmt::format("_25._tcp.{} {}", shown(host.base), record.to_string()));
    }
}

std::string reply_words(const reply& said) {
    switch (said.what) {
    case reply::status::ok:
        return said.text;
    case reply::status::not_found:
        return "NOTFOUND (the mail server's own settings apply)";
    case reply::status::temp:
        return "TEMP " + said.text;
    case reply::status::perm:
        break;
    }
    return "PERM " + said.text;
}

} // namespace

std::string explain(const tls_decision& decision, const reply_options& options, base::utc_seconds now,
                    std::size_t columns) {
    sheet to(std::clamp(columns, columns_least, columns_most));
    const std::string name = decision.hop.domain.empty() ? "This destination" : shown(decision.hop.domain);
    to.line(fmt::format("{}: {} ({})", name, to_string(decision.what), to_string(decision.source)));
    if (decision.hop.can_have_policy())
        to.row("", meaning(decision));
    else
        to.row("", mail::explain(decision.hop.what));
    if (!decision.reason.empty())
        to.row("reason", shown(decision.reason));
    if (decision.good_until > now)
        to.row("repeated", fmt::format("for {}", base::format_duration(decision.good_until - now)));
    for (const auto& note : decision.notes) // errors and the operator's exception among them
        to.row("note", shown(note));
    policy_part(to, decision, now);
    hosts_part(to, decision);
    dane_part(to, decision);
    to.heading("Replies");
    for (const dialect d : {dialect::postfix, dialect::postfix_legacy, dialect::postfix_3_10,
                            dialect::sendmail, dialect::tlspol, dialect::tlspol_tlsrpt})
        to.raw(to_string(d), reply_words(render(d, decision, options)));
    to.raw("exim POLICY", to_exim_policy(decision, options));
    return to.take();
}

} // namespace mailtight::resolve
