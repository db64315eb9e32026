// SPDX-License-Identifier: Apache-2.0
// take(): each client process has the connections of its present message, in order. A delivery line names the
// recipient, so it turns them into sessions; what follows of the same message and host is the same session.
#include "tally/postfix_log.h"

#include "mail/domain_name.h"
#include "tally/clean_text.h"
#include "tally/postfix_words.h"

#include <algorithm>
#include <list>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace mailtight::tally {
namespace {

using model::tls_reached;
using postfix::peer;
using postfix::verdict;
using tlsrpt::result_type;

constexpr std::size_t tries_of_one_message = 32; // Postfix tries five addresses by default
constexpr std::size_t clients_most = 1'000;
constexpr std::size_t elsewhere_most = 256;
constexpr std::chrono::seconds elsewhere_lasts{60};
constexpr std::size_t text_most = 255;
constexpr std::uint16_t smtp_port = 25;

/// One connection, from what the lines about it say.
struct attempt {
    base::utc_seconds at{};
    std::string host, address;
    std::uint16_t port = 0;
    tls_reached tls = tls_reached::encrypted;
    std::optional<result_type> failure; ///< counts once the certificate was refused
    std::string reason;
    bool handshaken = false; ///< the summary has come
    bool clear = false;      ///< talked about mail without a word of TLS
    bool told = false;       ///< a TLSRPT line has told of it, or it was made for an earlier message
    bool counted = false;    ///< kept while its message lasts, so that it is not counted again
    bool is_with(const peer& p) const { return address == p.address && host == p.host; }
};

/// What the TLS proxy says of a connection that a client process has.
struct elsewhere {
    base::utc_seconds at{};
    std::string host, address;
    std::optional<result_type> failure;
    std::string reason;
    bool told = false;
};

struct process {
    std::string key;
    base::utc_seconds heard{};
    std::vector<attempt> tries;
    std::string queue_id, waited; ///< of the message that the latest delivery line was about
    std::string unused_offer;
    bool own_fault = false; ///< the next handshake breaks for want of a service of our own
};

std::string key_of(const log_line& line) {
    std::string key(line.host);
    key += ' ';
    key += line.program;
    key += ' ';
    key += std::to_string(line.pid);
    return key;
}

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
    return name ? std::move(*name) : clean_text(written, text_most);
}

} // namespace

struct postfix_log::state {
    postfix_log_options options;
    figures seen;
    std::optional<base::utc_seconds> since; ///< the first line
    std::list<process> processes;           ///< the one heard of last in front
    std::unordered_map<std::string_view, std::list<process>::iterator> by_key;
    std::unordered_set<std::string> telling; ///< host and program of clients whose TLS lines were seen
    std::vector<elsewhere> proxied;          ///< in order of time

    bool is_read(std::string_view program) const;
    bool is_ignored(std::string_view program) const;
    process& process_of(const log_line& line, base::utc_seconds at);
    void drop_oldest();

    static void turn_to(process& of, std::string_view queue_id, std::string_view waited);
    attempt& begin(process& of, const peer& with, base::utc_seconds at);
    attempt& open(process& of, const peer& with, base::utc_seconds at);
    void judge(process& of, const verdict& how, const std::optional<peer>& relay, base::utc_seconds at);
    void refuse_certificate(process& of, verdict::kind what, const std::optional<peer>& relay,
                            base::utc_seconds at);
    void deliver(process& of, const log_line& line, const postfix::delivery& told, base::utc_seconds at,
                 std::vector<session_at>& out);
    void tell(process& of, const postfix::told_result& told, base::utc_seconds at,
              std::vector<session_at>& out);
    void emit(const attempt& of, std::string domain, std::vector<session_at>& out);

    void note_proxy(const postfix::said& what, base::utc_seconds at, std::vector<session_at>& out);
    std::optional<elsewhere> from_proxy(const attempt& of);
    bool was_in_the_clear(const log_line& line, const postfix::delivery& told, base::utc_seconds at) const;
};

namespace {
std::string client_of(const log_line& line) {
    return std::string(line.host) + ' ' + std::string(line.program);
}
} // namespace

bool postfix_log::state::is_ignored(std::string_view program) const {
    return std::ranges::any_of(options.ignored, [&](const std::string& word) {
        return !word.empty() && program.find(word) != std::string_view::npos; // 8460-3-h
    });
}

bool postfix_log::state::is_read(std::string_view program) const {
    if (options.programs.empty())
        return program.ends_with("/smtp");
    return std::ranges::find(options.programs, program) != options.programs.end();
}

/// That no line told of TLS proves something only where such lines are written, and where the connection
/// began after the first line that was read here and is not older than what is remembered.
bool postfix_log::state::was_in_the_clear(const log_line& line, const postfix::delivery& told,
                                          base::utc_seconds at) const {
    return at - told.took - std::chrono::seconds(1) > *since && told.took < options.forget &&
           telling.contains(client_of(line));
}

void postfix_log::state::drop_oldest() {
    seen.forgotten += processes.back().tries.size();
    by_key.erase(processes.back().key);
    processes.pop_back();
}

process& postfix_log::state::process_of(const log_line& line, base::utc_seconds at) {
    while (!processes.empty() && processes.back().heard + options.forget < at)
        drop_oldest();
    std::string key = key_of(line);
    if (const auto found = by_key.find(key); found != by_key.end()) {
        processes.splice(processes.begin(), processes, found->second);
    } else {
        if (!processes.empty() && processes.size() >= std::max<std::size_t>(options.processes, 1))
            drop_oldest();
        processes.push_front({.key = std::move(key)});
        by_key.emplace(processes.front().key, processes.begin());
    }
    processes.front().heard = at;
    return processes.front();
}

attempt& postfix_log::state::begin(process& of, const peer& with, base::utc_seconds at) {
    if (of.tries.size() == tries_of_one_message) {
        of.tries.erase(of.tries.begin());
        ++seen.forgotten;
    }
    return of.tries.emplace_back(attempt{.at = at,
                                         .host = std::string(with.host.substr(0, text_most)),
                                         .address = std::string(with.address.substr(0, text_most)),
                                         .port = with.port});
}

/// The connection whose handshake goes on, or a new one.
attempt& postfix_log::state::open(process& of, const peer& with, base::utc_seconds at) {
    if (!of.tries.empty())
        if (attempt& last = of.tries.back();
            !last.handshaken && !last.counted && last.is_with(with) && last.tls == tls_reached::encrypted)
            return last;
    return begin(of, with, at);
}

/// Forgets the connections of the message before. What was not counted yet belongs to this one. The time that
/// it waited tells a later try from another recipient of the same.
void postfix_log::state::turn_to(process& of, std::string_view queue_id, std::string_view waited) {
    const bool same = of.queue_id == queue_id && (waited.empty() || of.waited.empty() || of.waited == waited);
    if (!waited.empty() || !same)
        of.waited = waited;
    if (same)
        return;
    of.queue_id = queue_id;
    std::erase_if(of.tries, [](const attempt& a) { return a.counted; });
}

void postfix_log::state::refuse_certificate(process& of, verdict::kind what, const std::optional<peer>& relay,
                                            base::utc_seconds at) {
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

void postfix_log::state::judge(process& of, const verdict& how, const std::optional<peer>& relay,
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

void postfix_log::state::deliver(process& of, const log_line& line, const postfix::delivery& told,
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

void postfix_log::state::tell(process& of, const postfix::told_result& told, base::utc_seconds at,
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
    const auto add = [&](const peer& with) -> elsewhere& {
        return proxied.emplace_back(elsewhere{.at = at,
                                              .host = std::string(with.host.substr(0, text_most)),
                                              .address = std::string(with.address.substr(0, text_most))});
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
        process nobody;
        tell(nobody, *told, at, out);
        add(told->with).told = true;
    }
}

std::optional<elsewhere> postfix_log::state::from_proxy(const attempt& of) {
    const auto found = std::find_if(proxied.rbegin(), proxied.rend(), [&](const elsewhere& e) {
        return e.address == of.address && e.host == of.host;
    });
    if (found == proxied.rend() || found->at + elsewhere_lasts < of.at)
        return std::nullopt;
    elsewhere out = *found;
    proxied.erase(std::next(found).base());
    return out;
}

// --------------------------------------------------------------------------------------------------------

postfix_log::postfix_log(postfix_log_options options)
    : state_(std::make_unique<state>()) {
    state_->options = std::move(options);
}
postfix_log::~postfix_log() = default;

postfix_log::figures postfix_log::counted() const {
    return state_->seen;
}

void postfix_log::take(const log_line& line, base::utc_seconds now, std::vector<session_at>& out) {
    state& s = *state_;
    ++s.seen.lines;
    const bool is_proxy = line.program.ends_with("/tlsproxy");
    if (!is_proxy && !s.is_read(line.program))
        return;
    if (s.is_ignored(line.program))
        return;
    const postfix::said what = postfix::parse(line.text);
    if (std::holds_alternative<std::monostate>(what))
        return;
    ++s.seen.used;
    const auto at = line.at.value_or(now);
    s.since = s.since.value_or(at);
    if (is_proxy)
        return s.note_proxy(what, at, out);
    process& of = s.process_of(line, at);
    if (const auto* summary = std::get_if<postfix::tls_summary>(&what)) {
        if (summary->reused) {
            s.begin(of, summary->with, at).told = true;
            return;
        }
        s.seen.tells_tls = true;
        if (s.telling.size() < clients_most)
            s.telling.insert(client_of(line));
        attempt& made = s.open(of, summary->with, at);
        made.handshaken = true;
        made.tls = summary->word == "Verified"  ? tls_reached::verified
                   : summary->word == "Trusted" ? tls_reached::trusted
                                                : tls_reached::encrypted;
    } else if (const auto* failed = std::get_if<postfix::verify_failed>(&what)) {
        attempt& made = s.open(of, failed->with, at);
        made.failure = failed->type;
        made.reason = failed->reason;
    } else if (const auto* error = std::get_if<postfix::connect_error>(&what)) {
        attempt& made = s.open(of, error->with, at);
        made.tls = tls_reached::failed;
        made.failure = result_type::validation_failure;
        made.reason = error->reason;
    } else if (const auto* problem = std::get_if<postfix::library_problem>(&what)) {
        if (!of.tries.empty() && of.tries.back().tls == tls_reached::failed && !of.tries.back().handshaken)
            of.tries.back().reason = problem->reason;
    } else if (std::holds_alternative<postfix::no_proxy>(what)) {
        of.own_fault = true;
    } else if (const auto* offer = std::get_if<postfix::unused_offer>(&what)) {
        of.unused_offer = offer->host.substr(0, text_most);
    } else if (const auto* told = std::get_if<postfix::told_result>(&what)) {
        s.tell(of, *told, at, out);
    } else if (const auto* skipped = std::get_if<postfix::host_skipped>(&what)) {
        s.turn_to(of, skipped->queue_id, {});
        s.judge(of, skipped->why, std::nullopt, at);
    } else if (const auto* delivered = std::get_if<postfix::delivery>(&what)) {
        s.deliver(of, line, *delivered, at, out);
    }
}

} // namespace mailtight::tally
