// SPDX-License-Identifier: Apache-2.0
// Carrying out what publish/acme_order.h says, one order after the other for each domain, several domains at
// once.
#include "publish/issuer_state.h"
#include "publish/renewal.h"

#include "base/crypto/certificate.h"
#include "base/keyed_hash.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::publish {

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::seconds lease_time = 300s, lease_beat = 60s;
constexpr std::chrono::seconds answer_life = 1h;
constexpr std::size_t words_max = 1'500;
constexpr std::string_view bucket_order = ""; // before every domain: the row that all machines share

issued in_the_way(std::string words, std::optional<std::chrono::seconds> again = std::nullopt) {
    return {.ok = false, .words = std::move(words), .again = again, .ours = true};
}

} // namespace

issuer::state::state(io::loop& on_loop, io::resolver& dns, const io::tls_client& tls,
                     const base::address_guard& guard, const base::clock& real_time, io::worker& store_thread,
                     store::domain_store& store, const base::sealing_key& sealing, issuer_options given,
                     issuer_hands with)
    : loop(on_loop)
    , clock(real_time)
    , thread(store_thread)
    , kept(store)
    , seal(sealing)
    , options(std::move(given))
    , hands(std::move(with))
    , session(on_loop, dns, tls, guard, real_time,
              {.connections = std::clamp<std::size_t>(options.at_once, 1, 16)})
    , desk(on_loop, store_thread, store)
    , orders(on_loop, std::max<std::size_t>(options.at_once, 1))
    , account_gate(on_loop, 1)
    , directory_gate(on_loop, 1)
    , dice(base::random_hash_key()[0]) {}

issuer::issuer(io::loop& on, io::resolver& dns, const io::tls_client& tls, const base::address_guard& guard,
               const base::clock& real_time, io::worker& store_thread, store::domain_store& kept,
               const base::sealing_key& seal, issuer_options options, issuer_hands hands)
    : state_(std::make_unique<state>(on, dns, tls, guard, real_time, store_thread, kept, seal,
                                     std::move(options), std::move(hands))) {}
issuer::~issuer() = default;

issuer::counters issuer::counted() const {
    auto out = state_->count;
    const auto session = state_->session.counted();
    out.requests = session.requests;
    out.handshakes = session.handshakes;
    const auto desk = state_->desk.counted();
    out.writes = desk.writes;
    out.transactions = desk.transactions;
    return out;
}

io::task<issued> issuer::issue(store::due_work& work, std::string domain) {
    auto host = fmt::format("mta-sts.{}", domain);
    return order(work, std::move(host), std::move(domain));
}

io::task<issued> issuer::issue_name(store::due_work& work, std::string host) {
    auto asked_for = host;
    return order(work, std::move(host), std::move(asked_for));
}

io::task<issued> issuer::order(store::due_work& work, std::string host, std::string asked_for) {
    auto& self = *state_;
    const auto permit = co_await self.orders.acquire();
    auto done = co_await self.run(work, std::move(host), std::move(asked_for));
    done.words = base::printable(done.words, words_max);
    if (done.ok) {
        ++self.count.issued;
        work.tries = 0;
        work.last_error.clear();
        work.state.clear();
        co_return done;
    }
    work.last_error = done.words;
    if (!done.ours) {
        ++self.count.failed;
        ++work.tries;
    }
    // A minute, ten, a hundred, a day; moved by up to a quarter, so that what failed together does not come
    // back together.
    const auto& pauses = self.options.back_off;
    std::chrono::seconds pause = 60s;
    if (!pauses.empty())
        pause = pauses[std::min<std::size_t>(work.tries > 0 ? work.tries - 1 : 0, pauses.size() - 1)];
    pause += std::chrono::seconds(self.dice() % static_cast<std::uint64_t>(pause.count() / 4 + 1));
    done.again = std::max(done.again.value_or(0s), pause);
    co_return done;
}

io::task<issued> issuer::state::run(store::due_work& work, std::string host, std::string asked_for) {
    if (const auto learnt = co_await learn_directory(); !learnt)
        co_return issued{.words = learnt.error()};
    if (!options.profile.empty() &&
        std::ranges::none_of(directory.profiles, [&](const auto& p) { return p.first == options.profile; })) {
        std::vector<std::string> names;
        for (const auto& [name, words] : directory.profiles)
            names.push_back(name);
        co_return in_the_way(fmt::format("the authority has no profile \"{}\"; it offers {}",
                                         base::printable(options.profile, 60),
                                         names.empty() ? "none" : base::join(names, ", ")));
    }
    co_return co_await follow(work, std::move(host), std::move(asked_for));
}

/// The certificate that a new one replaces, as ARI names it; "" where the authority does not want to know.
io::task<std::string> issuer::state::replaced(std::string host) {
    if (directory.renewal_info.empty())
        co_return std::string();
    const auto old = co_await in_store<std::optional<store::kept_certificate>>(
        [host](store::domain_store& from) { return from.certificate(host); });
    if (!old || !*old || (*old)->gone || (*old)->issuer != options.directory)
        co_return std::string();
    co_return base::renewal_id((*old)->chain).value_or("");
}

/// Nothing where an order may be made now.
io::task<std::optional<issued>> issuer::state::may_order(std::string asked_for, bool exempt,
                                                         acme_order& order) {
    if (hands.preflight) {
        auto verdict = co_await hands.preflight(asked_for);
        if (!verdict.in_the_way.empty())
            co_return in_the_way(std::move(verdict.in_the_way));
        order.only(verdict.kinds);
    }
    if (exempt)
        co_return std::nullopt; // RFC 9773 §5: a renewal in its time stands outside of limits
    const auto wait = co_await desk.write<std::chrono::seconds>(
        write_desk::weight::light, std::string(bucket_order),
        [bucket = "acme/" + options.directory, per_hour = options.orders_per_hour,
         most = options.orders_at_once, now = clock.now()](store::domain_store& in) {
            return in.take_tokens(bucket, 1, per_hour, most, now);
        });
    if (!wait)
        co_return in_the_way(wait.error().message);
    if (*wait > 0s) {
        ++count.waited_for_limit;
        co_return in_the_way("it waits its turn, to stay below the authority's limit of orders", *wait);
    }
    co_return std::nullopt;
}

io::task<std::string> issuer::state::keep(store::due_work& work, const acme_order& order,
                                          write_desk::weight how) {
    auto text = to_json(order.memory());
    if (text == work.state)
        co_return std::string();
    work.state = std::move(text);
    const auto done =
        co_await desk.write<bool>(how, work.domain, [work, now = clock.now()](store::domain_store& in) {
            return in.keep_work(work, now, lease_time);
        });
    if (!done)
        co_return done.error().message;
    co_return *done ? std::string() : std::string("another machine has taken this order over");
}

io::task<issued> issuer::state::follow(store::due_work& work, std::string host, std::string asked_for) {
    auto found = co_await who();
    if (!found)
        co_return issued{.words = found.error()};
    auto as = *found;
    auto memory = read_order_memory(work.state);
    if (memory.directory != options.directory)
        memory = {.directory = options.directory,
                  .answer_kind = memory.answer_kind,
                  .answer_token = memory.answer_token};
    auto kinds = options.order;
    // After a try with all of them, one at a time: an authority takes few failures of a name in an hour.
    if (work.tries > 0 && kinds.size() > 1 && memory.failed.empty())
        kinds = {kinds[work.tries % kinds.size()]};
    const auto old = co_await replaced(host);
    acme_order order({.host = host, .profile = options.profile, .replaces = old, .kinds = std::move(kinds)},
                     std::move(memory));
    std::optional<base::ec_key> key;
    bool asked_before = false, renewed_account = false;
    const auto began = loop.now();
    auto kept_at = began;
    for (;;) {
        if (loop.now() - began > options.turn)
            co_return in_the_way("the authority is so slow that the order waits for its next turn");
        const auto step = order.next();
        using enum order_step::kind;
        if (step.what == create && !asked_before) {
            // Before it is written down that an order was asked for.
            if (auto no = co_await may_order(asked_for, !old.empty(), order))
                co_return *no;
            asked_before = true;
        }
        // An answer of ours ends by itself; a record in DNS does not.
        const auto how = step.what == put && step.challenge != challenge_kind::dns_01
                             ? write_desk::weight::light
                             : write_desk::weight::durable;
        if (loop.now() - kept_at > lease_beat && step.what == wait) {
            work.state.clear(); // written again, and the lease with it
            kept_at = loop.now();
        }
        order_reply reply;
        std::string payload = step.payload;
        if (step.what == finalize) {
            payload = co_await make_request(order, host, key);
            if (payload.empty())
                co_return issued{.words = "no key for the certificate can be made", .ours = true};
        }
        if (const auto problem = co_await keep(work, order, how); !problem.empty())
            co_return in_the_way(problem);
        switch (step.what) {
        case account:
            reply = co_await post(as, nullptr, as->url, "", false);
            break;
        case read:
            reply = co_await post(as, nullptr, step.url, "", false);
            break;
        case create:
            reply = co_await post(as, nullptr, directory.new_order, payload, true);
            break;
        case tell:
        case finalize:
            reply = co_await post(as, nullptr, step.url, payload, false);
            break;
        case put: {
            const auto problem = co_await put_answer(step, host, as);
            order.put(problem);
            continue;
        }
        case take:
            co_await take_answer(step, host, as);
            order.taken();
            continue;
        case wait:
            co_await loop.sleep_for(step.pause);
            order.waited();
            continue;
        case done: {
            if (!key) {
                auto pem = seal.open(certificate_seal_name(host), order.memory().sealed_key);
                auto again = pem ? base::ec_key::from_pem(*pem) : std::unexpected(pem.error());
                if (!again) {
                    order.refuse(fmt::format("the certificate's key cannot be opened: {}", again.error()));
                    continue;
                }
                key = std::move(*again);
            }
            const auto fault = fault_of_chain(step.chain, *key, host, clock.now());
            if (!fault.empty()) {
                order.refuse(fault);
                continue;
            }
            co_return co_await store_certificate(work, host, order, step.chain);
        }
        case failed:
            co_return issued{.words = step.words, .again = step.again, .ours = step.ours};
        }
        // The account is gone, or another machine gave it a new key.
        if (reply.status >= 400 && reply.status < 500 && !renewed_account) {
            const auto problem = wire::read_acme_problem(reply.status, reply.body);
            if (problem.type == "accountDoesNotExist" ||
                (problem.type == "unauthorized" && (step.what == create || step.what == read))) {
                renewed_account = true;
                auto again = co_await who(true);
                if (!again)
                    co_return issued{.words = again.error()};
                if ((*again)->url != as->url || (*again)->key.pem() != as->key.pem() ||
                    problem.type == "accountDoesNotExist") {
                    as = *again;
                    continue; // the same step, as who we are now
                }
            }
        }
        order.replied(reply, clock.now());
    }
}

/// The request for the order's key, made and sealed where it has none yet.
io::task<std::string> issuer::state::make_request(acme_order& order, std::string host,
                                                  std::optional<base::ec_key>& key) {
    const auto name = certificate_seal_name(host);
    if (!order.memory().sealed_key.empty()) {
        if (const auto pem = seal.open(name, order.memory().sealed_key))
            if (auto before = base::ec_key::from_pem(*pem))
                key = std::move(*before);
    }
    if (!key || order.memory().sealed_key.empty()) {
        auto fresh = base::ec_key::make();
        if (!fresh)
            co_return std::string();
        key = std::move(*fresh);
        order.keep_key(seal.seal(name, key->pem()));
    }
    const auto csr = base::signing_request(*key, host);
    co_return csr ? wire::finalize_payload(*csr) : std::string();
}

io::task<std::string> issuer::state::put_answer(const order_step& step, std::string host, account_ptr as) {
    auto authorization = wire::key_authorization(step.token, as->key);
    if (step.challenge == challenge_kind::dns_01) {
        if (!hands.dns_record)
            co_return std::string("records cannot be written into DNS here");
        const auto name = dns_challenge_name(host), value = dns_challenge_value(authorization);
        auto problem = co_await hands.dns_record(name, value, true);
        if (!problem.empty())
            static_cast<void>(co_await hands.dns_record(name, value, false));
        co_return problem;
    }
    store::challenge_answer answer{.kind = std::string(to_string(step.challenge)),
                                   .key = step.challenge == challenge_kind::http_01 ? step.token : host,
                                   .answer = std::move(authorization),
                                   .until = clock.now() + answer_life};
    const auto done = co_await desk.write<void>(
        write_desk::weight::light, host,
        [answer = std::move(answer)](store::domain_store& in) { return in.put_challenge(answer); });
    if (!done)
        co_return done.error().message;
    if (hands.spread)
        co_await hands.spread();
    co_return std::string();
}

io::task<> issuer::state::take_answer(order_step step, std::string host, account_ptr as) {
    if (step.challenge == challenge_kind::dns_01) {
        if (hands.dns_record)
            static_cast<void>(co_await hands.dns_record(
                dns_challenge_name(host), dns_challenge_value(wire::key_authorization(step.token, as->key)),
                false));
        co_return;
    }
    // One that stays for a failure of the store ends by itself.
    static_cast<void>(
        co_await desk.write<void>(write_desk::weight::light, host,
                                  [kind = std::string(to_string(step.challenge)),
                                   key = step.challenge == challenge_kind::http_01 ? step.token : host](
                                      store::domain_store& in) { return in.drop_challenge(kind, key); }));
}

io::task<issued> issuer::state::store_certificate(store::due_work& work, std::string host,
                                                  const acme_order& order, std::string chain) {
    const auto all = base::parse_pem_chain(chain);
    const auto& leaf = all->front(); // fault_of_chain() has read it
    store::kept_certificate made{.name = host,
                                 .chain = std::move(chain),
                                 .sealed_key = order.memory().sealed_key,
                                 .not_before = leaf.not_before,
                                 .not_after = leaf.not_after,
                                 .renew_at = by_lifetime(leaf.not_before, leaf.not_after),
                                 .issuer = options.directory};
    const auto until = made.not_after;
    const auto saved =
        co_await desk.write<bool>(write_desk::weight::durable, work.domain,
                                  [made = std::move(made), fence = work.fence](store::domain_store& in) {
                                      return in.save_certificate(made, fence);
                                  });
    if (!saved)
        co_return in_the_way(saved.error().message);
    if (!*saved)
        co_return in_the_way("another machine has taken this order over");
    co_return issued{.ok = true,
                     .words = fmt::format("{} has a certificate from {} until {}", host,
                                          leaf.issuer_organization, base::format_utc(until))};
}

} // namespace mailtight::publish
