// SPDX-License-Identifier: Apache-2.0
// take(): each client process has the connections of its present message, in order. A delivery line names the
// recipient, so it turns them into sessions; what follows of the same message and host is the same session.
#include "tally/postfix_log.h"

#include "tally/postfix_log_state.h"

#include <algorithm>

namespace mailtight::tally {
namespace {

using model::tls_reached;
using postfix::peer;
using tlsrpt::result_type;

constexpr std::size_t tries_of_one_message = 32; // Postfix tries five addresses by default
constexpr std::size_t clients_most = 1'000;

std::string key_of(const log_line& line) {
    std::string key(line.host);
    key += ' ';
    key += line.program;
    key += ' ';
    key += std::to_string(line.pid);
    return key;
}

} // namespace

std::string client_of(const log_line& line) {
    return std::string(line.host) + ' ' + std::string(line.program);
}
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

void postfix_log::state::drop_oldest() {
    seen.forgotten += processes.back().tries.size();
    by_key.erase(processes.back().key);
    processes.pop_back();
}

client_process& postfix_log::state::process_of(const log_line& line, base::utc_seconds at) {
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

attempt& postfix_log::state::begin(client_process& of, const peer& with, base::utc_seconds at) {
    if (of.tries.size() == tries_of_one_message) {
        of.tries.erase(of.tries.begin());
        ++seen.forgotten;
    }
    return of.tries.emplace_back(attempt{.at = at,
                                         .host = std::string(with.host.substr(0, log_text_most)),
                                         .address = std::string(with.address.substr(0, log_text_most)),
                                         .port = with.port});
}

/// The connection whose handshake goes on, or a new one.
attempt& postfix_log::state::open(client_process& of, const peer& with, base::utc_seconds at) {
    if (!of.tries.empty())
        if (attempt& last = of.tries.back();
            !last.handshaken && !last.counted && last.is_with(with) && last.tls == tls_reached::encrypted)
            return last;
    return begin(of, with, at);
}

/// Forgets the connections of the message before. What was not counted yet belongs to this one. The time that
/// it waited tells a later try from another recipient of the same.
void postfix_log::state::turn_to(client_process& of, std::string_view queue_id, std::string_view waited) {
    const bool same = of.queue_id == queue_id && (waited.empty() || of.waited.empty() || of.waited == waited);
    if (!waited.empty() || !same)
        of.waited = waited;
    if (same)
        return;
    of.queue_id = queue_id;
    std::erase_if(of.tries, [](const attempt& a) { return a.counted; });
}

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
    if (line.host.size() > log_text_most || line.program.size() > log_text_most)
        return; // kept for each process
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
    client_process& of = s.process_of(line, at);
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
        of.unused_offer = offer->host.substr(0, log_text_most);
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
