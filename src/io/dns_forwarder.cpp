// SPDX-License-Identifier: Apache-2.0
// ask() walks the CNAME chain over as many messages as it takes; ask_any() gets one message: tries go out at
// the beginning, after about a fifth and about half of the time, to the servers in turn, and the answer to
// any of them counts.
#include "io/dns_forwarder.h"

#include "base/limits.h"
#include "base/text.h"
#include "io/dns_tcp.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace mailtight::io {

namespace {

constexpr std::size_t channels_per_server = 64;
constexpr std::uint64_t questions_per_channel = 2'000; // then it gives way to one with another port
constexpr std::size_t tcp_at_once = 64;
constexpr std::size_t window_begins = 150;
constexpr std::size_t window_most = 10'000;
using kind = dns_event::kind;
using wire::dns_rcode;

bool is_loopback(const base::ip_address& address) {
    return base::not_global_because(address) == "loopback";
}

bool is_usable(const wire::dns_message& message) {
    return message.rcode == dns_rcode::no_error || message.rcode == dns_rcode::nx_domain;
}

/// The later tries are spread by a tenth, so that what was lost together is not sent together again.
loop::time_point try_begins(loop::time_point begin, loop::time_point deadline, std::size_t number) {
    const auto all = deadline - begin;
    if (number == 0)
        return begin;
    const auto spread = all / 10 * static_cast<int>(random_bits() % 256) / 256;
    if (number == 1)
        return begin + all / 6 + spread;
    if (number == 2)
        return begin + all / 2 + spread;
    return number == 3 ? begin + all * 3 / 4 + spread : deadline;
}

/// What is kept of the tries that brought nothing usable.
struct failures {
    explicit failures(std::size_t servers)
        : given_up(servers, false) {}
    std::vector<bool> given_up; ///< servers that need not be asked again
    dns_event best;             ///< what to say in the end
    bool all() const { return std::ranges::find(given_up, false) == given_up.end(); }
    void note(dns_event event) {
        const auto rank = [](const dns_event& e) {
            return e.what == kind::answered ? 3 : e.what == kind::malformed ? 2 : e.what == kind::unreachable;
        };
        if (rank(event) > rank(best))
            best = std::move(event);
    }
};

} // namespace

dns_forwarder::dns_forwarder(loop& on, std::vector<endpoint> servers, std::chrono::milliseconds timeout,
                             trust in)
    : loop_(on)
    , timeout_(timeout)
    , trust_(in)
    , tcp_(on, tcp_at_once)
    , window_(on, window_begins, window_most) {
    for (auto& at : servers)
        servers_.push_back({at, {}, 0, is_loopback(at.address)});
}

std::string dns_forwarder::description() const {
    std::string text;
    for (const auto& server : servers_)
        text += (text.empty() ? "" : ", ") + server.at.to_string();
    if (trust_ == trust::nothing)
        return text + ", not validated";
    return text + ", trusting " + (servers_.size() == 1 ? "its" : "their") + " validation";
}

std::shared_ptr<dns_channel> dns_forwarder::channel_to(server& to) {
    if (to.channels.size() < channels_per_server) {
        if (auto opened = dns_channel::open(loop_, to.at)) {
            to.channels.push_back(opened);
            return opened;
        }
        if (to.channels.empty())
            return {};
    }
    auto& channel = to.channels[to.next++ % to.channels.size()];
    if (channel->carried() >= questions_per_channel && channel->idle())
        if (auto opened = dns_channel::open(loop_, to.at))
            channel = std::move(opened);
    return channel;
}

std::optional<dns_channel::sent> dns_forwarder::send(std::size_t index, const wire::dns_question& question,
                                                     wire::dns_query_options options, dns_waiter& waiter) {
    auto& to = servers_[index];
    if (!to.folds_case)
        options.case_bits = random_bits() | 1;
    if (const auto channel = channel_to(to))
        return channel->send(question, options, waiter, index);
    waiter.notify({kind::unreachable, index, {}, "no route, or no free socket"});
    return {};
}

task<dns_event> dns_forwarder::over_tcp(std::size_t index, wire::dns_question question,
                                        wire::dns_query_options options, loop::time_point deadline) {
    const auto permit = co_await tcp_.acquire();
    co_return co_await ask_over_tcp(loop_, servers_[index].at, std::move(question), options, index, deadline);
}

task<dns_event> dns_forwarder::ask_any(wire::dns_question question, wire::dns_query_options options,
                                       loop::time_point deadline) {
    const auto begin = loop_.now();
    const std::size_t tries = std::max<std::size_t>(4, std::min<std::size_t>(servers_.size(), 6));
    dns_waiter waiter(loop_);
    std::vector<dns_channel::sent> sent; // goes before the waiter
    failures failed(servers_.size());
    std::size_t index = preferred_;
    for (std::size_t number = 0; number < tries && !failed.all(); ++number) {
        while (failed.given_up[index])
            index = (index + 1) % servers_.size();
        const auto sent_at = loop_.now();
        if (auto one = send(index, question, options, waiter))
            sent.push_back(std::move(*one));
        const auto until = number + 1 < tries ? try_begins(begin, deadline, number + 1) : deadline;
        bool next_try = false;
        while (!next_try) {
            auto event = co_await waiter.until(until);
            if (!event)
                break;
            if (event->what == kind::answered && event->message->truncated)
                event = co_await over_tcp(event->server, question, options, deadline);
            if (event->what == kind::answered && is_usable(*event->message)) {
                // Silence at first, and then an answer at once: the first datagram was lost.
                if (number > 0 && loop_.now() - sent_at < (deadline - begin) / 50)
                    window_.lost();
                preferred_ = event->server;
                co_return std::move(*event);
            }
            if (event->what == kind::case_folded)
                servers_[event->server].folds_case = true;
            else if (event->what != kind::malformed)
                failed.given_up[event->server] = true;
            failed.note(std::move(*event));
            next_try = true;
        }
        index = (index + 1) % servers_.size();
    }
    if (failed.best.what == kind::timeout && failed.best.detail.empty()) {
        failed.best.detail = "no answer in time";
        if (waiter.foreign() > 0) {
            failed.best.what = kind::malformed;
            failed.best.detail =
                fmt::format("{} answers to another question, none to this", waiter.foreign());
        }
    }
    co_return std::move(failed.best);
}

task<bool> dns_forwarder::only_validation_fails(wire::dns_question question, loop::time_point deadline) {
    // Asked not to check, the resolver has an answer; asked to check once more, it still has none: so it was
    // no passing trouble of its own. (RFC 7672 §2.1.2)
    const wire::dns_query_options unchecked{.dnssec_ok = true, .checking_disabled = true};
    const auto without = co_await ask_any(question, unchecked, deadline);
    if (without.what != kind::answered || !is_usable(*without.message))
        co_return false;
    const wire::dns_query_options checked{.dnssec_ok = true, .authentic_data = true};
    const auto again = co_await ask_any(question, checked, deadline);
    co_return again.what == kind::answered&& again.message->rcode == dns_rcode::server_failure;
}

task<> dns_forwarder::judge_failure(dns_lookup& into, const wire::dns_message& message,
                                    wire::dns_question question, loop::time_point deadline) {
    into.detail = describe_failure(message);
    into.status = model::dns_status::refused;
    if (message.rcode != dns_rcode::server_failure)
        co_return;
    into.status = model::dns_status::servfail;
    bool bogus = std::ranges::any_of(message.extended_errors, wire::means_bogus);
    if (!bogus && message.extended_errors.empty() &&
        co_await only_validation_fails(std::move(question), deadline)) {
        bogus = true;
        into.detail += ": the resolver answers only where told not to validate";
    }
    if (bogus) {
        into.status = model::dns_status::bogus;
        into.security = model::dnssec::bogus;
    }
}

task<dns_lookup> dns_forwarder::ask(wire::dns_question question) {
    co_await window_.enter();
    auto result = co_await ask_chain(std::move(question));
    window_.leave(result.status != model::dns_status::timeout);
    co_return result;
}

task<dns_lookup> dns_forwarder::ask_chain(wire::dns_question question) {
    const auto deadline = loop_.now() + timeout_;
    dns_lookup result;
    bool secure = true;
    auto current = question;
    std::vector<std::string> names; // behind us
    for (;;) {
        const wire::dns_query_options options{.dnssec_ok = true, .authentic_data = true};
        auto event = co_await ask_any(current, options, deadline);
        if (event.what != kind::answered) {
            result.status =
                event.what == kind::malformed ? model::dns_status::malformed : model::dns_status::timeout;
            result.detail = std::move(event.detail);
            co_return result;
        }
        if (!is_usable(*event.message)) {
            co_await judge_failure(result, *event.message, current, deadline);
            co_return result;
        }
        secure = secure && event.message->authentic_data; // 7672-2.1.3-a
        auto answer = wire::read_dns_answer(std::move(*event.message), current, names);
        if (absorb(result, std::move(answer)))
            break;
        names = result.chain;
        names.insert(names.begin(), question.name);
        current.name = result.chain.back();
    }
    if (trust_ == trust::validation && result.status != model::dns_status::refused)
        result.security = secure ? model::dnssec::secure : model::dnssec::insecure;
    co_return result;
}

} // namespace mailtight::io
