// SPDX-License-Identifier: Apache-2.0
#include "app/certificate_desk.h"

#include "app/publish_marks.h"
#include "app/sending.h"
#include "app/store_access.h"
#include "base/text.h"
#include "publish/certificate_proof.h"
#include "publish/preflight.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::app {

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds beat = 1s, short_beat = 50ms;
constexpr std::size_t at_once = 32; // as issuer_options
constexpr std::chrono::seconds lease_time = 300s, after_trouble = 600s, after_refusal = 86'400s;
constexpr int proof_tries = 3;          ///< a proxy or another machine may need a moment
constexpr std::uint32_t told_tries = 3; ///< so many are told by an alarm
constexpr std::string_view host_prefix = "mta-sts.";
constexpr std::string_view dns_prefix = "_acme-challenge.mta-sts.";

} // namespace

void tell_orders(base::metrics& to, std::initializer_list<publish::issuer::counters> all) {
    std::uint64_t issued = 0, failed = 0, held_back = 0;
    for (const auto& one : all) {
        issued += one.issued;
        failed += one.failed;
        held_back += one.waited_for_limit;
    }
    using base::metric;
    to.set(metric::certificates_ordered, static_cast<double>(issued), {"issued"});
    to.set(metric::certificates_ordered, static_cast<double>(failed), {"failed"});
    to.set(metric::certificates_ordered, static_cast<double>(held_back), {"held-back"});
}

template<class T>
io::task<store::result<T>>
certificate_desk::ask(std::function<store::result<T>(store::domain_store&)> question) {
    return store_thread_.run<store::result<T>>(
        [question = std::move(question), &kept = kept_] { return question(kept); });
}

certificate_desk::certificate_desk(daemon_core& core, const publish_settings& say, io::worker& store_thread,
                                   store::domain_store& kept, publish_hands& hands,
                                   std::chrono::milliseconds spread)
    : core_(core)
    , say_(say)
    , store_thread_(store_thread)
    , kept_(kept)
    , hands_(hands)
    , spread_(spread) {
    if (!core.set.acme_ca_file.empty())
        own_roots_ = std::make_unique<io::tls_client>(core.set.acme_ca_file);
    publish::issuer_hands with;
    with.preflight = [this](std::string domain) { return preflight(std::move(domain)); };
    with.dns_record = [this](std::string name, std::string value, bool put) {
        return dns_record(std::move(name), std::move(value), put);
    };
    with.spread = [this, spread] { return core_.loop().sleep_for(spread); };
    issuer_ = std::make_unique<publish::issuer>(
        core.loop(), *core.with->dns, own_roots_ ? *own_roots_ : *core.with->tls, core.with->guard,
        core.with->clock, store_thread, kept, *core.seal, say.issuing, std::move(with));
}

certificate_desk::~certificate_desk() = default;

io::task<publish::preflight_verdict> certificate_desk::preflight(std::string domain) {
    auto found = co_await ask<std::optional<model::looked_after>>(
        [domain](store::domain_store& from) { return from.find(domain); });
    if (!found)
        co_return publish::preflight_verdict{.in_the_way = words(found.error()), .kinds = {}};
    publish::preflight_rules rules;
    rules.looked_after = found->has_value();
    rules.ours = say_.addresses;
    if (rules.ours.empty() && !say_.policy_host.empty())
        rules.ours = (co_await core_.with->dns->addresses(say_.policy_host)).addresses;
    rules.identities = publish::caa_identities(say_.issuing.directory);
    rules.kinds = say_.issuing.order;
    const auto seen =
        co_await publish::look_before(core_.loop(), *core_.with->dns, domain, publish::unlikely_label());
    co_return publish::judge(seen, rules);
}

io::task<std::string> certificate_desk::dns_record(std::string name, std::string value, bool put) {
    if (!name.starts_with(dns_prefix))
        co_return "this is no name of a challenge: " + base::printable(name, 253);
    const std::string domain = name.substr(dns_prefix.size());
    auto found = co_await ask<std::optional<model::looked_after>>(
        [domain](store::domain_store& from) { return from.find(domain); });
    if (!found)
        co_return words(found.error());
    if (!*found)
        co_return domain + " is not looked after";
    plan::record_change change{.name = name, .type = "TXT", .add = {}, .remove = {}, .ttl = 60};
    (put ? change.add : change.remove).push_back(value);
    std::vector<plan::record_change> changes;
    changes.push_back(std::move(change));
    auto done = co_await hands_.write_records(**found, std::move(changes));
    if (done.ok)
        co_return std::string();
    co_return done.words.empty() ? std::string("the record could not be written") : done.words;
}

io::task<publish::done_by_hand> certificate_desk::get(store::due_work& work, std::string domain) {
    ++under_way_;
    auto got = co_await issuer_->issue(work, domain);
    --under_way_;
    if (got.ok)
        core_.log->write(base::event::certificate_issued,
                         {{"name", std::string(host_prefix) + domain}, {"words", got.words}});
    else
        core_.log->write(base::event::certificate_failed,
                         {{"name", std::string(host_prefix) + domain}, {"error", got.words}});
    co_return publish::done_by_hand{.ok = got.ok, .words = got.words, .again = got.again};
}

io::task<bool> certificate_desk::prove(store::due_work& work, const std::string& name) {
    using what = publish::certificate_proof::what;
    for (int i = 0; i < proof_tries && !stopping_; ++i) {
        co_await core_.loop().sleep_for(spread_);
        const auto kept = co_await ask<std::optional<store::kept_certificate>>(
            [name](store::domain_store& from) { return from.certificate(name); });
        if (!kept || !*kept || (*kept)->proven)
            co_return true;
        const auto seen = co_await hands_.fetch_all(work.domain);
        if (!seen)
            continue;
        const auto proof = publish::judge_proof(*seen, **kept);
        const auto ends = (*kept)->not_after;
        if (proof.state == what::good) {
            work.tries = 0;
            work.last_error.clear();
            co_await ask<void>(
                [name, ends](store::domain_store& to) { return to.prove_certificate(name, ends); });
            co_return true;
        }
        if (proof.state != what::bad)
            continue;
        const auto back = co_await ask<bool>([name, ends, now = core_.now()](store::domain_store& to) {
            return to.reject_certificate(name, ends, now);
        });
        if (!back || !*back)
            co_return true; // there is nothing better: check names the fault
        work.tries = std::max(work.tries + 1, told_tries);
        work.last_error =
            fmt::format("senders would refuse the new certificate, so the one before it is served "
                        "again: {}",
                        proof.words);
        core_.log->write(base::event::certificate_failed, {{"name", name}, {"error", work.last_error}});
        co_return false;
    }
    co_return true;
}

io::task<> certificate_desk::renew(store::due_work work) {
    ++under_way_;
    const std::string domain = work.domain, name = std::string(host_prefix) + domain;
    struct known {
        std::optional<model::looked_after> wish;
        std::optional<store::kept_certificate> certificate;
    };
    auto asked = co_await ask<known>([domain, name](store::domain_store& from) -> store::result<known> {
        auto wish = from.find(domain);
        if (!wish)
            return std::unexpected(wish.error());
        auto certificate = from.certificate(name);
        if (!certificate)
            return std::unexpected(certificate.error());
        return known{std::move(*wish), std::move(*certificate)};
    });
    std::optional<base::utc_seconds> again = core_.now() + after_trouble;
    if (asked) {
        const auto& [wish, certificate] = *asked;
        const bool ours = wish && wish->host == model::hosting::here;
        const bool told = ours && wish->marks.contains(renew_mark);
        if (!ours || (!certificate && !told)) {
            again.reset(); // the first one is the plan's to get
        } else {
            publish::issuer::renewal when{.at = core_.now(), .ask_again = {}};
            const bool refused = certificate && !certificate->proven && !told && !co_await prove(work, name);
            if (!told && !refused)
                when = co_await issuer_->renewal_of(*certificate);
            if (refused) {
                again = core_.now() + after_refusal;
            } else if (!told && when.at > core_.now()) {
                again = std::min(when.at, core_.now() + std::max<std::chrono::seconds>(when.ask_again, 60s));
                if (certificate->proven && certificate->renew_at != when.at) {
                    auto fresh = *certificate;
                    fresh.renew_at = when.at;
                    co_await ask<bool>([fresh, fence = work.fence](store::domain_store& to) {
                        return to.save_certificate(fresh, fence);
                    });
                }
            } else {
                const auto done = co_await get(work, domain);
                const bool good = done.ok && co_await prove(work, name);
                again = core_.now() + (good      ? std::chrono::seconds(6h)
                                       : done.ok ? after_refusal
                                                 : done.again.value_or(after_trouble));
                if (done.ok && told)
                    co_await ask<void>(
                        [domain](store::domain_store& to) { return to.clear_mark(domain, renew_mark); });
            }
        }
    }
    co_await ask<bool>([work, again](store::domain_store& to) { return to.done_work(work, again); });
    --under_way_;
}

io::task<> certificate_desk::follow() {
    auto pause = beat;
    while (!stopping_) {
        co_await core_.loop().sleep_for(pause);
        if (stopping_ || under_way_ >= at_once)
            continue;
        const auto room = at_once - under_way_;
        using works = std::vector<store::due_work>;
        auto due = co_await ask<works>(
            [now = core_.now(), who = machine_name_of(core_.set), room](store::domain_store& from) {
                return from.take_work("certificate", now, who, lease_time, room);
            });
        // Where there may be more than there was room for, those do not wait for the next second.
        pause = due && due->size() == room ? short_beat : beat;
        if (!due)
            continue; // the policy host says that the database is away
        for (auto& each : *due)
            core_.loop().spawn(renew(std::move(each)));
    }
}

void certificate_desk::start() {
    core_.loop().spawn(follow());
}

void certificate_desk::stop() {
    stopping_ = true;
}

} // namespace mailtight::app
