// SPDX-License-Identifier: Apache-2.0
#include "app/publish_hands.h"

#include "advise/render.h"
#include "app/live_look.h"
#include "app/report_facts.h"
#include "app/store_access.h"
#include "base/text.h"
#include "mail/domain_name.h"
#include "publish/changed.h"
#include "publish/history.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

namespace mailtight::app {

namespace {

using namespace std::chrono_literals;

constexpr auto shared_for = 10min; ///< so long several looks share the probes of one mail server
constexpr std::size_t remembered_most = 10'000;
constexpr std::size_t states_compared = 16; ///< the newest full look is among them
constexpr auto spreading_again = 10s, failed_again = 60s, refused_again = 900s;

/// Nobody's old answer: what changed just now is to be seen.
void forget(io::resolver& dns, const std::string& domain) {
    for (const char* prefix : {"_mta-sts.", "_smtp._tls.", "mta-sts.", ""})
        dns.forget(prefix + domain);
}

} // namespace

struct publish_hands::state {
    explicit state(publish_needs given)
        : needs(std::move(given))
        , pusher(needs.with.loop, *needs.with.dns, needs.with.guard, needs.with.clock, needs.set.dns_port,
                 needs.set.dns_timeout) {}

    publish_needs needs;
    publish::dns_pusher pusher;
    std::unique_ptr<store::store> reports; ///< on the store's thread alone
    std::shared_ptr<observe::observer> shared;
    io::loop::time_point shared_since{};
    /// What the last look says about reports, until the evidence is asked for.
    std::map<std::string, live_facts> last_looks;

    std::shared_ptr<observe::observer> observer(bool with_others) {
        auto fresh = [this] {
            return std::make_shared<observe::observer>(needs.with.loop, *needs.with.dns,
                                                       needs.with.probe_context(), needs.with.observing);
        };
        if (!with_others)
            return fresh();
        const auto now = needs.with.loop.now();
        if (!shared || now - shared_since > shared_for) {
            shared = fresh();
            shared_since = now;
        }
        return shared;
    }

    /// What was seen before; a store that is away leaves the look to itself.
    io::task<> add_history(model::observation& seen) {
        if (!needs.kept)
            co_return;
        static_cast<void>(co_await needs.store_thread.run<store::result<void>>(
            [&seen, kept = needs.kept] { return publish::add_history(seen, *kept); }));
    }

    /// For the table of all domains, with what differs from the look before; a store that is away, or only
    /// read, goes without.
    io::task<> keep(look_result& of) {
        if (!needs.kept || of.judged.verdict == advise::verdict::unreachable)
            co_return;
        static_cast<void>(co_await needs.store_thread.run<store::result<void>>(
            [&of, kept = needs.kept]() -> store::result<void> {
                const auto before = kept->history(of.told.state.domain, states_compared);
                if (!before)
                    return std::unexpected(before.error());
                auto fresh = shown_of(of.seen, of.judged, of.told.state.last);
                const auto full = std::ranges::find_if(*before, &model::watched_state::full);
                if (full != before->end())
                    fresh.changed = publish::what_changed(*full, of.told.state);
                fresh.changed_at = fresh.changed.empty() ? base::utc_seconds{} : of.told.state.last;
                return kept->keep_look(fresh, boost::json::serialize(advise::check_json(of.seen, of.judged)));
            }));
    }

    io::task<our_place> place(model::looked_after wish) {
        our_place ours;
        const bool own = !wish.policy_host.empty();
        ours.name = own ? wish.policy_host : needs.say.policy_host;
        if (const auto address = base::ip_address::parse(ours.name))
            ours.addresses = {*address};
        else if (!own && !needs.say.addresses.empty())
            ours.addresses = needs.say.addresses;
        else if (!ours.name.empty())
            ours.addresses = (co_await needs.with.dns->addresses(ours.name)).addresses;
        co_return ours;
    }

    /// On the store's thread.
    store::result<model::enforce_evidence> ask_evidence(const std::string& domain, base::utc_seconds now,
                                                        const live_facts& live) {
        if (!reports) {
            const auto place = store_place(needs.set);
            std::error_code error;
            if (!store::is_postgres(place) && !std::filesystem::exists(place, error) && !error)
                return std::unexpected(store::store_error{.message = "there is none yet"});
            auto opened = store::open({.where = place, .read_only = true, .create = false});
            if (!opened)
                return std::unexpected(opened.error());
            reports = std::move(*opened);
        }
        auto said = readiness(*reports, domain, now, live);
        if (!said)
            return std::unexpected(said.error());
        model::enforce_evidence out{.ready = said->ready, .reasons = {}, .sentence = said->sentence};
        for (auto& each : said->reasons)
            out.reasons.push_back({each.met, each.known, std::move(each.code), std::move(each.text)});
        return out;
    }
};

publish_hands::publish_hands(publish_needs needs)
    : state_(std::make_unique<state>(std::move(needs))) {}
publish_hands::~publish_hands() = default;

publish::dns_pusher& publish_hands::pusher() {
    return state_->pusher;
}

io::task<publish_hands::look_result> publish_hands::look(model::looked_after wish, bool shared,
                                                         observe::progress_fn progress) {
    auto& s = *state_;
    const auto by = s.observer(shared);
    forget(*s.needs.with.dns, wish.domain);
    look_result out;
    out.seen = co_await by->look(wish.domain, mail::to_unicode(wish.domain), std::move(progress));
    co_await s.add_history(out.seen);
    out.judged = advise::judge(out.seen);
    const auto ours = co_await s.place(wish);
    const auto now = s.needs.policy_time.now();
    out.told.seen = situation_of(out.seen, out.judged, ours, now);
    out.told.state = state_of(out.seen, out.judged, now, true);
    if (wish.revision > 0)
        co_await s.keep(out);
    if (s.last_looks.size() >= remembered_most)
        s.last_looks.clear();
    const live_look live{out.seen, out.judged};
    s.last_looks[wish.domain] = {.today = known_from(live), .check_green = out.judged.ready_to_enforce};
    co_return out;
}

io::task<publish_hands::look_result> publish_hands::glance(std::string domain) {
    auto& s = *state_;
    observe::observe_options what = s.needs.with.observing;
    what.smtp = false;
    what.pitfalls = false;
    observe::observer by(s.needs.with.loop, *s.needs.with.dns, s.needs.with.probe_context(), what);
    forget(*s.needs.with.dns, domain);
    look_result out;
    out.seen = co_await by.look(domain, mail::to_unicode(domain));
    co_await s.add_history(out.seen);
    out.judged = advise::judge(out.seen);
    out.told.state = state_of(out.seen, out.judged, s.needs.policy_time.now(), false);
    co_return out;
}

io::task<model::enforce_evidence> publish_hands::evidence(std::string domain) {
    auto& s = *state_;
    live_facts live;
    if (const auto found = s.last_looks.find(domain); found != s.last_looks.end()) {
        live = std::move(found->second);
        s.last_looks.erase(found);
    }
    const auto now = s.needs.policy_time.now();
    using answer = store::result<model::enforce_evidence>;
    auto told = co_await s.needs.store_thread.run<answer>(
        [&s, domain, now, live = std::move(live)] { return s.ask_evidence(domain, now, live); });
    if (told)
        co_return std::move(*told);
    co_return model::enforce_evidence{.ready = {},
                                      .reasons = {},
                                      .sentence = told.error().again() ? "The reports could not be asked: " +
                                                                             words(told.error())
                                                                       : "No report is in the store yet."};
}

publish::done_by_hand told_of(const publish::pushed& done) {
    using fate = publish::pushed::fate;
    publish::done_by_hand out{.ok = false, .words = base::printable(done.words, 500), .again = {}};
    switch (done.what) {
    case fate::done:
    case fate::already:
        out.ok = true;
        break;
    case fate::spreading: // written: the look after it sees when every server says so
        out.ok = true;
        out.again = spreading_again;
        break;
    case fate::failed:
        out.again = failed_again;
        break;
    case fate::stopped:
    case fate::refused:
        out.again = refused_again;
        break;
    }
    return out;
}

io::task<publish::done_by_hand> publish_hands::write_records(model::looked_after wish,
                                                             std::vector<plan::record_change> changes) {
    auto& s = *state_;
    publish::done_by_hand out;
    switch (wish.dns) {
    case model::dns_way::by_hand:
        out.words = fmt::format("the records of {} are written by hand", wish.domain);
        co_return out;
    case model::dns_way::update: {
        const auto* server = s.needs.say.server(wish.dns_server);
        if (!server) {
            out.words = fmt::format("dns-update.servers names no '{}'", wish.dns_server);
            out.again = refused_again;
            co_return out;
        }
        const publish::update_server to = *server;
        co_return told_of(co_await s.pusher.push(to, std::move(changes)));
    }
    case model::dns_way::hook: {
        if (!s.needs.say.hook) {
            out.words = "dns-update.hook names no command";
            out.again = refused_again;
            co_return out;
        }
        const publish::dns_pusher::hook hook = *s.needs.say.hook;
        co_return told_of(co_await s.pusher.run_hook(hook, std::move(changes)));
    }
    }
    co_return out;
}

io::task<std::expected<std::vector<model::fetch_fact>, std::string>>
publish_hands::fetch_all(std::string domain) {
    auto& with = state_->needs.with;
    const std::string host = "mta-sts." + domain;
    with.dns->forget(host);
    const auto found = co_await with.dns->addresses(host);
    if (found.addresses.empty())
        co_return std::unexpected(found.any_error() ? host + " could not be looked up"
                                                    : host + " has no address");
    std::vector<io::task<model::fetch_fact>> asked;
    asked.reserve(found.addresses.size());
    const auto context = with.probe_context();
    for (const auto& address : found.addresses)
        asked.push_back(probe::fetch_policy(context, host, address, probe::own_agent));
    co_return co_await io::when_all(with.loop, std::move(asked));
}

io::task<std::expected<std::string, std::string>> publish_hands::fetch(std::string domain) {
    const auto all = co_await fetch_all(std::move(domain));
    if (!all)
        co_return std::unexpected(all.error());
    const auto& facts = *all;
    for (const auto& fact : facts) {
        const std::string at = fact.address.to_string();
        if (fact.outcome != model::fetch_outcome::fetched)
            co_return std::unexpected(
                fmt::format("{}: {}{}", at, model::to_string(fact.outcome),
                            fact.detail.empty() ? std::string() : ": " + base::printable(fact.detail, 200)));
        if (!fact.is_plain_text())
            co_return std::unexpected(fmt::format("{}: the media type is '{}', not text/plain", at,
                                                  base::printable(fact.content_type, 80)));
        if (fact.body != facts.front().body)
            co_return std::unexpected(
                fmt::format("{} gives another policy than {}", at, facts.front().address.to_string()));
    }
    co_return facts.front().body;
}

void publish_hands::configured(const model::looked_after& wish, plan::remembered& past) const {
    const auto& s = *state_;
    past.policy_host = !wish.policy_host.empty() ? wish.policy_host : s.needs.say.policy_host;
    past.rua = !wish.rua.empty() ? wish.rua : s.needs.say.rua;
    if (past.rua.empty() && s.needs.report_addresses)
        past.rua = s.needs.report_addresses(wish.domain);
}

publish::hands publish_hands::all() {
    publish::hands made;
    made.look = [this](model::looked_after wish) -> io::task<publish::looked> {
        auto seen = co_await look(std::move(wish));
        co_return std::move(seen.told);
    };
    made.evidence = [this](std::string domain) { return evidence(std::move(domain)); };
    made.write_records = [this](model::looked_after wish, std::vector<plan::record_change> changes) {
        return write_records(std::move(wish), std::move(changes));
    };
    made.fetch = [this](std::string domain) { return fetch(std::move(domain)); };
    made.configured = [this](const model::looked_after& wish, plan::remembered& past) {
        configured(wish, past);
    };
    return made;
}

} // namespace mailtight::app
