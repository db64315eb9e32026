// SPDX-License-Identifier: Apache-2.0
// The steps and their transitions. How an authorization and its challenges are judged stands in
// acme_challenges.cpp, what survives in acme_memory.cpp.
#include "publish/acme_order.h"

#include "publish/acme_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace mailtight::publish {

namespace {

using namespace std::chrono_literals;
using kind = order_step::kind;

constexpr unsigned steps_max = 400;                  ///< of one run: an authority that never comes to an end
constexpr std::chrono::milliseconds run_time = 5min; ///< of waiting in one run; then others get their turn
constexpr std::chrono::milliseconds first_poll = 50ms, last_poll = 5s;
constexpr std::chrono::seconds longest_pause = 60s;
constexpr std::ptrdiff_t candidates_max = 20;
constexpr unsigned pages_max = 200;
constexpr unsigned orders_max = 4; ///< of one run

} // namespace

acme_order::acme_order(order_wish wish, order_memory memory)
    : wish_(std::move(wish))
    , memory_(std::move(memory)) {
    if (!memory_.order.empty())
        go(place::order);
    else if (memory_.asked)
        go(place::find_account);
    else
        go(place::create);
}

void acme_order::go(place to) {
    // An answer stands as long as the authority may ask for it, and not longer.
    const bool answer_needed = to == place::order || to == place::authorization || to == place::tell;
    if (!memory_.answer_kind.empty() && !answer_needed) {
        after_ = to;
        taking_ = true;
        step_ = {.what = kind::take,
                 .challenge = parse_challenge_kind(memory_.answer_kind).value_or(challenge_kind::tls_alpn_01),
                 .token = memory_.answer_token};
        return;
    }
    at_ = to;
    if (++steps_ > steps_max)
        return fail("the authority's answers do not come to an end", std::nullopt, false);
    switch (to) {
    case place::find_account:
        step_ = {.what = kind::account};
        break;
    case place::find_orders:
        step_ = {.what = kind::read, .url = page_};
        break;
    case place::find_order:
        step_ = {.what = kind::read, .url = candidates_.back()};
        break;
    case place::create:
        create();
        break;
    case place::order:
        step_ = {.what = kind::read, .url = memory_.order};
        break;
    case place::authorization:
        step_ = {.what = kind::read, .url = authorization_url_};
        break;
    case place::tell:
        step_ = {.what = kind::tell, .url = challenge_url_, .payload = "{}"}; // erratum 5729 of RFC 8555
        break;
    case place::finalize:
        step_ = {.what = kind::finalize, .url = finalize_url_};
        break;
    case place::download:
        step_ = {.what = kind::read, .url = certificate_url_};
        break;
    }
}

void acme_order::create() {
    if (++orders_ > orders_max)
        return fail("the authority ended one order after the other", std::nullopt, false);
    memory_.order.clear();
    memory_.sealed_key.clear();
    memory_.asked = true;
    memory_.replaces = without_replaces_ ? std::string() : wish_.replaces;
    told_ = authorization_seen_ = proven_ = false;
    polls_ = 0;
    step_ = {.what = kind::create,
             .payload = wire::new_order_payload(wish_.host, wish_.profile, memory_.replaces)};
}

/// Ends this run; the order is followed at the next one.
void acme_order::fail(std::string words, std::optional<std::chrono::seconds> again, bool ours) {
    step_ = {.what = kind::failed, .words = std::move(words), .again = again, .ours = ours};
}

/// Ends the order: the next run begins a new one.
void acme_order::give_up(std::string words, bool ours) {
    order_step end{.what = kind::failed, .words = std::move(words), .ours = ours};
    const auto kind_left = memory_.answer_kind, token_left = memory_.answer_token;
    memory_ = {.directory = memory_.directory, .answer_kind = kind_left, .answer_token = token_left};
    if (!kind_left.empty()) {
        ending_ = std::move(end);
        go(place::create); // takes the answer away first
        return;
    }
    step_ = std::move(end);
}

void acme_order::begin_anew() {
    memory_.asked = false;
    memory_.order.clear();
    memory_.sealed_key.clear();
    go(place::create);
}

void acme_order::pause(place then, std::chrono::milliseconds at_least) {
    if (at_least > longest_pause || waited_ > run_time)
        return fail("the authority is not ready yet",
                    std::max<std::chrono::seconds>(std::chrono::ceil<std::chrono::seconds>(at_least), 60s),
                    true);
    at_ = then;
    waited_ += at_least;
    step_ = {.what = kind::wait, .pause = at_least};
}

/// Waits and looks again: longer each time, and as long as the authority asks for.
void acme_order::poll(place where, const order_reply& reply, base::utc_seconds now) {
    const auto own = std::min(first_poll * (1U << std::min(polls_, 10U)), last_poll);
    ++polls_;
    const auto wished = wire::retry_after(reply.retry_after, now).value_or(0s);
    pause(where, std::max<std::chrono::milliseconds>(own, wished));
}

void acme_order::waited() {
    go(at_);
}

void acme_order::taken() {
    memory_.answer_kind.clear();
    memory_.answer_token.clear();
    taking_ = false;
    if (ending_)
        step_ = std::move(*ending_);
    else
        go(after_);
}

void acme_order::put(const std::string& problem) {
    if (problem.empty()) {
        go(place::tell);
        return;
    }
    // What cannot be answered here is passed over; the authority has not asked yet.
    const auto chosen = step_.challenge;
    memory_.failed.emplace_back(chosen, problem);
    go(place::authorization);
}

void acme_order::refuse(const std::string& why) {
    give_up(why, false);
}

void acme_order::replied(const order_reply& reply, base::utc_seconds now) {
    if (reply.status == 0)
        return fail(reply.error, std::nullopt, false);
    if (reply.status < 200 || reply.status > 299)
        return on_refusal(reply, now);
    const auto misread = [&](const std::string& why) {
        fail(fmt::format("the authority's answer cannot be read: {}", why), std::nullopt, false);
    };
    switch (at_) {
    case place::find_account: {
        const auto account = wire::read_acme_account(reply.body);
        if (!account || account->orders.empty())
            return begin_anew();
        page_ = account->orders;
        return go(place::find_orders);
    }
    case place::find_orders:
        return on_list(reply);
    case place::find_order:
        return on_candidate(reply);
    case place::create:
        return on_created(reply, now);
    case place::order:
    case place::finalize: {
        const auto order = wire::read_acme_order(reply.body);
        return order ? on_order(*order, reply, now) : misread(order.error());
    }
    case place::authorization: {
        const auto seen = wire::read_acme_authorization(reply.body);
        return seen ? on_authorization(*seen, reply, now) : misread(seen.error());
    }
    case place::tell:
        told_ = true;
        polls_ = 0;
        return poll(place::authorization, reply, now);
    case place::download:
        step_ = {.what = kind::done, .chain = reply.body};
        return;
    }
}

void acme_order::on_created(const order_reply& reply, base::utc_seconds now) {
    const auto order = wire::read_acme_order(reply.body);
    if (!order || reply.location.empty())
        return give_up(order ? "the authority made an order and did not say where it is"
                             : fmt::format("the authority's answer cannot be read: {}", order.error()),
                       false);
    memory_.asked = false;
    memory_.order = reply.location;
    on_order(*order, reply, now);
}

/// A page of the account's orders. The newest stand at the end of the last one; what was asked for just
/// before a crash is among them.
void acme_order::on_list(const order_reply& reply) {
    if (const auto all = wire::read_acme_orders(reply.body))
        candidates_.insert(candidates_.end(), all->begin(), all->end());
    if (std::ssize(candidates_) > candidates_max)
        candidates_.erase(candidates_.begin(), candidates_.end() - candidates_max);
    page_ = reply.next;
    if (!page_.empty() && ++pages_ < pages_max)
        return go(place::find_orders);
    if (candidates_.empty())
        return begin_anew();
    go(place::find_order);
}

/// An order of the account that we may have asked for before a crash.
void acme_order::on_candidate(const order_reply& reply) {
    const auto order = wire::read_acme_order(reply.body);
    const bool open = order && (order->status == "pending" || order->status == "ready");
    if (open && order->names == std::vector<std::string>{wish_.host}) {
        memory_.asked = false;
        memory_.order = candidates_.back();
        return go(place::order);
    }
    candidates_.pop_back();
    if (candidates_.empty())
        return begin_anew();
    go(place::find_order);
}

void acme_order::on_order(const wire::acme_order& order, const order_reply& reply, base::utc_seconds now) {
    finalize_url_ = order.finalize;
    authorization_url_ = order.authorizations.empty() ? std::string() : order.authorizations.front();
    const bool expired = order.expires != base::utc_seconds{} && order.expires <= now;
    if (order.status == "ready") {
        if (at_ != place::finalize)
            return go(place::finalize);
        // It took the request and stands as if it had not.
        return ++not_ready_ > 3 ? give_up("the authority does not finish the order", false)
                                : poll(place::order, reply, now);
    }
    if (order.status == "processing")
        return poll(place::order, reply, now);
    if (order.status == "valid") {
        if (memory_.sealed_key.empty())
            return begin_anew(); // a certificate whose key nobody has
        certificate_url_ = order.certificate;
        return order.certificate.empty() ? poll(place::order, reply, now) : go(place::download);
    }
    if (order.status != "pending" || expired)
        return on_invalid(order, now);
    if (authorization_url_.empty())
        return give_up("the authority's order names no authorization", false);
    if (proven_)
        return poll(place::order, reply, now);
    go(place::authorization);
}

void acme_order::on_invalid(const wire::acme_order& order, base::utc_seconds now) {
    if (order.error)
        return give_up(words_of(*order.error, wish_.host), blame_of(*order.error) == blame::ours);
    const bool expired = order.expires != base::utc_seconds{} && order.expires <= now;
    // It died while nobody looked: its authorization knows why.
    if (!expired && !authorization_seen_ && !authorization_url_.empty())
        return go(place::authorization);
    begin_anew();
}

void acme_order::on_refusal(const order_reply& reply, base::utc_seconds now) {
    const auto problem = wire::read_acme_problem(reply.status, reply.body);
    const auto again = wire::retry_after(reply.retry_after, now);
    const auto whose = blame_of(problem);
    const auto words = words_of(problem, wish_.host);
    const bool refused = reply.status >= 400 && reply.status < 500;
    if (problem.type == "rateLimited" || reply.status == 429) {
        if (at_ == place::create)
            memory_.asked = false; // refused: there is no order
        return fail(words, again.value_or(1h), true);
    }
    if (!refused || problem.type == "badNonce")
        return fail(words, again, false);
    switch (at_) {
    case place::find_account:
    case place::find_orders:
        return begin_anew(); // it offers no list, or not to us
    case place::find_order:
        candidates_.pop_back();
        return candidates_.empty() ? begin_anew() : go(place::find_order);
    case place::create:
        memory_.asked = false;
        if (!memory_.replaces.empty() && problem.type != "rejectedIdentifier") {
            without_replaces_ = true; // RFC 9773 §5: a renewal must not fail for what it says it replaces
            return go(place::create);
        }
        return give_up(words, whose == blame::ours);
    case place::order:
        if (++lost_ > 1)
            return give_up(words, false);
        return begin_anew(); // it is gone
    case place::tell:
        // It was told before, or has been decided meanwhile.
        told_ = true;
        return ++lost_ > 3 ? give_up(words, false) : poll(place::authorization, reply, now);
    case place::finalize:
        if (problem.type == "orderNotReady" && ++not_ready_ <= 3)
            return poll(place::order, reply, now);
        return give_up(words, whose == blame::ours);
    case place::authorization:
    case place::download:
        return ++lost_ > 3 ? give_up(words, false) : poll(place::order, reply, now);
    }
}

} // namespace mailtight::publish
