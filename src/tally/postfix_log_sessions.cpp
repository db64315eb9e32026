// SPDX-License-Identifier: Apache-2.0
// From connections to sessions: what a host was given up for, whom the mail was for, what another program of
// Postfix's knows of it.
#include "tally/postfix_log_state.h"

#include "mail/domain_name.h"
#include "tally/clean_text.h"

#include <algorithm>
#include <utility>

namespace mailtight::tally {
namespace {

using model::tls_reached;
using postfix::peer;
using postfix::verdict;
using tlsrpt::result_type;

constexpr std::size_t elsewhere_most = 256;
constexpr std::chrono::seconds elsewhere_lasts{60};
constexpr std::uint16_t smtp_port = 25;

std::optional<std::string> domain_of(std::string_view written) {
    auto name = mail::canonical_name(written);
    if (!name)
        name = mail::to_ascii(mail::with_plain_dots(written));
    if (name && base::ip_address::parse(*name))
        return std::nullopt; // an address in place of a domain has nobody to report to
    return name;
}

/// "" where the next hop was an address.
std::string host_of(std::string_view written) {
    if (base::ip_address::parse(written))
        return {};
    auto name = mail::canonical_name(written);
    return name ? std::move(*name) : clean_text(written, log_text_most);
}

} // namespace

/// That no line told of TLS proves something only where such lines are written, and where the connection
/// began after the first line that was read here and is not older than what is remembered.
bool postfix_log::state::was_in_the_clear(const log_line& line, const postfix::delivery& told,
                                          base::utc_seconds at) const {
    return at - told.took - std::chrono::seconds(1) > *since && told.took < options.forget &&
           telling.contains(client_of(line));
}

void postfix_log::state::refuse_certificate(client_process& of, verdict::kind what,
                                            const std::optional<peer>& relay, base::utc_seconds at) {
    if (of.tries.empty() || (relay && !of.tries.back().is_with(*relay)))
        begin(of, relay.value_or(peer{}), at); // with smtp_tls_loglevel=0 nothing came before
    attempt& last = of.tries.back();
    if (last.tls == tls_reached::failed)
        return;
    if (!last.failure)
        if (const auto proxy = from_proxy(last)) {
            last.failure = proxy->failure;
            last.reason = proxy->reason;
            last.told = last.told || proxy->told;
        }
    const bool chain_trusted =
        last.tls == tls_reached::trusted || (what == verdict::kind::not_verified && !last.handshaken);
    if (!last.failure && chain_trusted)
        last.failure = result_type::certificate_host_mismatch; // 8460-4.3.1-b
    if (!last.failure) {
        last.failure = result_type::certificate_not_trusted; // 8460-4.3.1-d
        last.reason = "certificate-not-trusted";
    }
    last.tls = tls_reached::failed;
}

void postfix_log::state::judge(client_process& of, const verdict& how, const std::optional<peer>& relay,
                               base::utc_seconds at) {
    const auto with = how.with ? how.with : relay;
    const bool known =
        with && std::ranges::any_of(of.tries, [&](const attempt& a) { return a.is_with(*with); });
    const bool own_fault = std::exchange(of.own_fault, false);
    switch (how.what) {
    case verdict::kind::not_offered:
    case verdict::kind::refused: {
        if (!of.tries.empty() && with && of.tries.back().is_with(*with) &&
            (of.tries.back().told || of.tries.back().tls == tls_reached::refused ||
             of.tries.back().tls == tls_reached::not_offered))
            return; // of another recipient, or told already
        attempt& made = begin(of, with.value_or(peer{}), at);
        made.tls = how.what == verdict::kind::refused ? tls_reached::refused : tls_reached::not_offered;
        made.failure = result_type::starttls_not_supported; // 8460-4.3.1-a
        made.reason = how.reason;
        return;
    }
    case verdict::kind::handshake: {
        if (!of.tries.empty() && of.tries.back().tls == tls_reached::failed &&
            (!with || of.tries.back().is_with(*with)))
            return; // the line about the handshake came before
        if (own_fault)
            return;
        attempt& made = open(of, with.value_or(peer{}), at);
        const auto proxy = from_proxy(made);
        made.tls = tls_reached::failed;
        made.failure = result_type::validation_failure; // 8460-4.3.3-a
        made.reason = proxy && !proxy->reason.empty() ? proxy->reason : how.reason;
        made.told = made.told || (proxy && proxy->told);
        return;
    }
    case verdict::kind::not_trusted:
    case verdict::kind::not_verified:
        return refuse_certificate(of, how.what, relay, at);
    case verdict::kind::conversed:
        // After a handshake that broke, a client that may talks to the same address in the clear.
        if (with && !known) {
            attempt& made = begin(of, *with, at);
            made.tls = tls_reached::not_offered;
            made.failure = result_type::starttls_not_supported;
            made.clear = true;
        }
        return;
    case verdict::kind::other:
        return; // 8460-4.3.4-a
    }
}

void postfix_log::state::emit(const attempt& of, std::string domain, std::vector<session_at>& out) {
    if (of.port != 0 && of.port != smtp_port)
        return; // a content filter, a submission service: no MX host
    session_at made{.at = of.at, .what = {.domain = std::move(domain), .mx_host = host_of(of.host)}};
    made.what.address = base::ip_address::parse(of.address);
    made.what.tls = of.tls;
    if (of.tls == tls_reached::not_offered || of.tls == tls_reached::refused ||
        of.tls == tls_reached::failed) {
        made.what.failure = of.failure;
        made.what.reason = of.reason;
    }
    out.push_back(std::move(made));
    ++seen.sessions;
}

void postfix_log::state::deliver(client_process& of, const log_line& line, const postfix::delivery& told,
                                 base::utc_seconds at, std::vector<session_at>& out) {
    turn_to(of, told.queue_id, told.waited);
    // Of a connection that served another message before, only what that message made of it counts.
    if (told.use == 1 || told.how.what != verdict::kind::conversed)
        judge(of, told.how, told.relay, at);
    const auto domain = domain_of(told.domain);
    for (auto& one : of.tries) {
        if (std::exchange(one.counted, true) || !domain || one.told)
            continue;
        if (one.clear && (!was_in_the_clear(line, told, at) || one.host == of.unused_offer))
            continue;
        attempt final = one;
        if (told.relay && final.port == 0)
            final.port = told.relay->port;
        emit(final, *domain, out);
    }
}

void postfix_log::state::tell(client_process& of, const postfix::told_result& told, base::utc_seconds at,
                              std::vector<session_at>& out) {
    const bool last = !of.tries.empty() && of.tries.back().is_with(told.with) && !of.tries.back().told &&
                      !of.tries.back().counted;
    attempt& about = last ? of.tries.back() : begin(of, told.with, at);
    attempt final = about;
    about.told = true;
    if (told.failure) {
        final.failure = told.failure;
        final.reason = told.reason;
        final.tls = told.failure == result_type::starttls_not_supported ? tls_reached::not_offered
                                                                        : tls_reached::failed;
    } else if (!about.handshaken) {
        final.tls = tls_reached::verified; // all that the policy asks, says Postfix
    }
    if (auto domain = domain_of(told.domain))
        emit(final, std::move(*domain), out);
}

// ---- tlsproxy: with smtp_tls_connection_reuse it does the handshakes, and has the lines about them -------

void postfix_log::state::note_proxy(const postfix::said& what, base::utc_seconds at,
                                    std::vector<session_at>& out) {
    while (!proxied.empty() &&
           (proxied.size() >= elsewhere_most || proxied.front().at + elsewhere_lasts < at))
        proxied.erase(proxied.begin());
    const auto add = [&](const peer& with) -> told_elsewhere& {
        return proxied.emplace_back(
            told_elsewhere{.at = at,
                           .host = std::string(with.host.substr(0, log_text_most)),
                           .address = std::string(with.address.substr(0, log_text_most))});
    };
    if (const auto* failed = std::get_if<postfix::verify_failed>(&what)) {
        auto& made = add(failed->with);
        made.failure = failed->type;
        made.reason = failed->reason;
    } else if (const auto* error = std::get_if<postfix::connect_error>(&what)) {
        auto& made = add(error->with);
        made.failure = result_type::validation_failure;
        made.reason = error->reason;
    } else if (const auto* problem = std::get_if<postfix::library_problem>(&what)) {
        if (!proxied.empty() && proxied.back().failure == result_type::validation_failure)
            proxied.back().reason = problem->reason;
    } else if (const auto* told = std::get_if<postfix::told_result>(&what)) {
        client_process nobody;
        tell(nobody, *told, at, out);
        add(told->with).told = true;
    }
}

std::optional<told_elsewhere> postfix_log::state::from_proxy(const attempt& of) {
    const auto found = std::find_if(proxied.rbegin(), proxied.rend(), [&](const told_elsewhere& e) {
        return e.address == of.address && e.host == of.host;
    });
    if (found == proxied.rend() || found->at + elsewhere_lasts < of.at)
        return std::nullopt;
    told_elsewhere out = *found;
    proxied.erase(std::next(found).base());
    return out;
}

} // namespace mailtight::tally
