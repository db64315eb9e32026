// SPDX-License-Identifier: Apache-2.0
#include "simulation_history.h"

#include "sts/record.h"

#include <fmt/format.h>

#include <deque>
#include <iterator>

namespace mailtight::plan::tests {
namespace {

using std::chrono::seconds;

constexpr moment hour = 3'600, day = 86'400;
constexpr moment beginning = 1'790'000'000;

class history {
public:
    history(std::uint64_t seed, carelessness how)
        : chance_(seed)
        , how_(how) {
        begin();
    }

    outcome run() {
        while (out_.violation.empty() && !over())
            step_on();
        out_.took = now_ - beginning;
        if (out_.violation.empty() && !out_.ended)
            fail("the plan does not end: " +
                 (last_.next() ? last_.next()->title + " / " + last_.next()->blocked : std::string("?")));
        return std::move(out_);
    }

private:
    // ---- the beginning ----
    void begin() {
        wish_.domain = "example.com";
        wish_.leave = model::leave::all;
        wish_.dns = chance_.once_in(3) ? model::dns_way::by_hand : model::dns_way::update;
        wish_.host = chance_.once_in(3) ? model::hosting::elsewhere : model::hosting::here;
        wish_.aim = chance_.once_in(4) ? model::aim::testing : model::aim::enforce;
        there_.record_ttl = chance_.one_of<std::int64_t>({60, 300, 3'600});
        there_.mx_ttl = chance_.one_of<std::int64_t>({300, 3'600, day});
        options_.record_ttl = static_cast<std::uint32_t>(there_.record_ttl);
        options_.unattended = how_ != carelessness::early_date && !chance_.once_in(4);
        if (how_ == carelessness::no_waits) {
            options_.margin = seconds(-40 * day);
            options_.id_watchers = seconds(0);
        }
        for (int i = 0; i < 1 + static_cast<int>(chance_.between(0, 2)); ++i)
            add_mx(new_host());
        if (chance_.once_in(4))
            wish_.mx = there_.hosts();
        past_.past_known = true;
        past_.policy_host = "policy.example.net";
        past_.looked_since = clock();
        for (const auto what : {sender::kind::looks_each_time, sender::kind::looks_daily,
                                sender::kind::ignores_id, sender::kind::ignores_id})
            senders_.push_back({sender(what), now_ + chance_.delay(3 * day),
                                chance_.one_of<moment>({6 * hour, 3 * day, 10 * day, 30 * day})});
        if (chance_.once_in(3))
            begin_with_policies_of_others();
        changes_left_ = static_cast<int>(chance_.between(1, 6));
        operator_at_ = now_ + chance_.delay(40 * day);
        machine_at_ = now_;
        person_at_ = now_ + chance_.delay(day);
    }

    /// Somebody published before us: a policy of today, and one of before that nobody tells us of.
    void begin_with_policies_of_others() {
        const auto age = [&] { return chance_.one_of<std::uint64_t>({86'400, 604'800, 31'557'600}); };
        const auto mode = chance_.one_of<sts::mode>({sts::mode::testing, sts::mode::enforce});
        now_ -= 30 * day;
        there_.set_policy(policy(chance_.one_of<sts::mode>({sts::mode::testing, sts::mode::enforce}), age()),
                          now_);
        there_.set_record("old1", now_);
        for (auto& one : senders_)
            one.who.deliver(there_, now_ + hour, chance_);
        there_.set_policy(policy(mode, age()), now_ + 10 * day);
        there_.set_record("old2", now_ + 10 * day);
        now_ += 30 * day;
        testing_since_ = mode == sts::mode::testing ? now_ : 0;
        foreign_ = wish_.host == model::hosting::here;
        host_points_ = wish_.host == model::hosting::elsewhere;
        past_.past_known = how_ == carelessness::forgets_unknown;
        note("others published {}", there_.policy);
    }

    std::string policy(sts::mode mode, std::uint64_t max_age) const {
        return sts::format_policy({mode, max_age, there_.hosts(), {}}).value();
    }
    std::string new_host() { return fmt::format("mx{}.example.com", ++hosts_made_); }
    void add_mx(const std::string& host, moment passes_from = 0) {
        there_.mx[host] = {.in_dns = true, .gone_at = 0, .passes_from = passes_from};
    }

    // ---- time ----
    base::utc_seconds clock() const { return base::utc_seconds(seconds(now_ - clock_behind_)); }
    bool over() {
        const bool settled = changes_left_ == 0 && last_.finished && clean_look_;
        if (settled)
            out_.ended = true;
        return settled || now_ > beginning + 1'400 * day || out_.actions > 400;
    }
    void step_on() {
        moment next = std::min(machine_at_, person_at_);
        if (changes_left_ > 0)
            next = std::min(next, operator_at_);
        for (const auto& one : senders_) {
            next = std::min(next, one.at);
            if (one.who.next_look() > 0)
                next = std::min(next, std::max(one.who.next_look(), now_));
        }
        now_ = std::max(now_, next);
        for (auto& one : senders_) {
            if (one.who.next_look() > 0 && one.who.next_look() <= now_)
                one.who.daily_look(there_, now_, chance_);
            if (one.at <= now_)
                deliver(one);
        }
        if (changes_left_ > 0 && operator_at_ <= now_)
            change_mind();
        if (person_at_ <= now_)
            person();
        if (machine_at_ <= now_)
            machine();
    }
    template<class... Args>
    void note(fmt::format_string<Args...> words, Args&&... args) {
        if (out_.diary.size() < 2'000)
            out_.diary.push_back(fmt::format("day {:8.4f}  {}", static_cast<double>(now_ - beginning) / day,
                                             fmt::format(words, std::forward<Args>(args)...)));
    }
    void fail(const std::string& words) {
        if (!out_.violation.empty())
            return;
        out_.violation = words;
        note("VIOLATION {}", words);
    }

    // ---- senders ----
    struct delivering {
        sender who;
        moment at = 0, mean = hour;
    };
    void deliver(delivering& one) {
        ++out_.deliveries;
        const auto fate = one.who.deliver(there_, now_, chance_);
        one.at = now_ + 1 + chance_.delay(one.mean * 2);
        if (fate == sender::fate::delivered)
            return;
        const bool ignores = one.who.what() == sender::kind::ignores_id;
        out_.deferred_ignoring += ignores ? 1 : 0;
        if (ignores && !options_.unattended && how_ != carelessness::early_date)
            return; // the person chose the earlier date
        fail(fmt::format("a sender that {} {} mail, holding {}", ignores ? "ignores ids" : "looks at ids",
                         fate == sender::fate::refused ? "refuses" : "defers", one.who.holds()));
    }
    /// Something happened that may hurt: mail comes soon, and the hourly look sees it.
    void stir() {
        for (auto& one : senders_)
            if (chance_.once_in(2))
                one.at = std::min(one.at, now_ + chance_.delay(2 * day));
        machine_at_ = std::min(machine_at_, now_ + chance_.between(1, hour));
    }

    // ---- the operator ----
    void change_mind() {
        --changes_left_;
        operator_at_ = now_ + chance_.delay(60 * day);
        waiting_action_.reset();
        switch (chance_.between(0, 9)) {
        case 0:
            wish_.aim = model::aim::testing;
            break;
        case 1:
            wish_.aim = model::aim::enforce;
            break;
        case 2:
        case 3:
            wish_.aim = model::aim::off;
            wish_.off = chance_.once_in(3) ? model::off_way::by_expiry : model::off_way::none_first;
            wish_.keep_mx = chance_.once_in(3);
            break;
        case 4:
            wish_.paused = !wish_.paused;
            break;
        case 5:
            wish_.max_age = chance_.one_of<std::optional<std::uint64_t>>({{}, 86'400, 604'800, 2'419'200});
            break;
        case 6:
            wish_.mx_adding.clear();
            wish_.mx_removing.clear();
            if (!wish_.mx.empty())
                wish_.mx = there_.hosts();
            break;
        default:
            begin_move();
        }
        if (chance_.once_in(6))
            wish_.marks["forced"] = {clock(), "operator", "simulated"};
        note("wish: {}{} off by {} max_age {} adding {} removing {} list {}", to_string(wish_.aim),
             wish_.paused ? " paused" : "", to_string(wish_.off), wish_.max_age.value_or(0),
             fmt::join(wish_.mx_adding, ","), fmt::join(wish_.mx_removing, ","), fmt::join(wish_.mx, ","));
        if (chance_.once_in(8)) {
            clock_behind_ += chance_.delay(5 * day);
            note("the clock is set back, now {} s behind", clock_behind_);
        }
        stir();
    }
    void begin_move() {
        wish_.mx_adding.clear();
        wish_.mx_removing.clear();
        const auto hosts = there_.hosts();
        if (!wish_.mx.empty())
            wish_.mx = hosts;
        else if (chance_.once_in(3)) { // nobody planned it
            add_mx(new_host());
            return;
        }
        if (!chance_.once_in(4) || hosts.size() == 1)
            wish_.mx_adding = {new_host()};
        if (chance_.once_in(4) && hosts.size() > 1)
            wish_.mx_removing = {hosts.front()};
        else if (!wish_.mx_adding.empty())
            wish_.mx_removing = hosts; // to another provider
    }

    // ---- what is seen and remembered ----
    bool hosted_here() const { return wish_.host == model::hosting::here; }

    /// What senders get is what our host serves, once the name leads to it.
    void refresh_public_policy() {
        if (!hosted_here() || foreign_)
            return;
        const bool reachable = host_points_ && past_.certificate_here;
        there_.set_policy(reachable && past_.publication ? past_.publication->body : "", now_);
    }

    situation look() {
        situation seen;
        there_.keep_log(now_);
        seen.looked_at = clock();
        const bool lame = chance_.once_in(25);
        clean_look_ = !lame;
        see_record(seen, lame && chance_.once_in(2));
        seen.tlsrpt = {.state = tlsrpt_ ? record_seen::what::one : record_seen::what::absent,
                       .text = "t",
                       .id = {},
                       .rua = {},
                       .ttl = 300,
                       .chain = {}};
        if (tlsrpt_)
            seen.tlsrpt.rua = {"mailto:tls-report@example.com"};
        seen.policy_known = !(lame && chance_.once_in(2));
        if (seen.policy_known && !there_.policy.empty())
            seen.policy = there_.policy;
        seen.host_resolves = host_points_ || foreign_;
        seen.host_points_here = host_points_;
        seen.host_ttl = 300;
        seen.certificate_valid = host_points_ || foreign_;
        seen.mx_known = !(lame && chance_.once_in(2));
        seen.mx_ttl = static_cast<std::uint32_t>(there_.mx_ttl);
        if (seen.mx_known)
            for (const auto& host : there_.hosts()) {
                seen.mx.push_back(
                    {.host = host, .passes = there_.passes(host, now_), .why = "certificate expired"});
                seen.suggested_mx.push_back(host);
            }
        if (seen.policy_known)
            remember_policy(seen.policy.value_or(""), seen.sts.id);
        return seen;
    }
    void see_record(situation& seen, bool unknown) {
        auto& record = seen.sts;
        if (unknown)
            return;
        record.ttl = static_cast<std::uint32_t>(there_.record_ttl);
        record.id = there_.id;
        record.on_all_servers = now_ >= there_.id_at + world::spreading;
        record.state = record.id.empty() ? record_seen::what::absent : record_seen::what::one;
        record.text = record.id.empty() ? "" : sts::format_record(record.id);
        if (record.id == remembered_id_ && looked_)
            return;
        looked_ = true;
        if (record.id.empty() && !remembered_id_.empty())
            past_.record_gone_since = clock();
        past_.record_since.reset();
        if (!record.id.empty()) {
            past_.record_since = clock();
            past_.record_gone_since.reset();
            past_.ids_used.push_back(record.id);
        }
        past_.record_ttl_before = record.ttl;
        remembered_id_ = record.id;
    }
    /// The log: our own policies are written when they are published, those of others when they are seen.
    void remember_policy(const std::string& body, const std::string& id) {
        auto& log = past_.served;
        const bool ours = hosted_here() && past_.publication && past_.publication->body == body;
        for (auto& one : log) {
            if (one.last_served)
                continue;
            if (one.body == body && !id.empty() && (one.ids.empty() || one.ids.back() != id))
                one.ids.push_back(id);
            if (!one.ours && one.body != body)
                one.last_served = clock();
        }
        const auto read = sts::parse_policy(body);
        const bool open =
            std::ranges::any_of(log, [&](const auto& one) { return !one.last_served && one.body == body; });
        if (read && !ours && !open)
            log.push_back({.domain = wish_.domain,
                           .body = body,
                           .mode = read->mode,
                           .max_age = read->max_age,
                           .ids = id.empty() ? std::vector<std::string>{} : std::vector{id},
                           .first_served = clock(),
                           .last_served = std::nullopt,
                           .ours = false});
    }
    plan plan_now() {
        const auto seen = look();
        auto told = past_;
        if (how_ == carelessness::forgets_served)
            std::erase_if(told.served, [](const auto& one) { return one.last_served.has_value(); });
        model::enforce_evidence evidence;
        const bool long_enough = testing_since_ > 0 && now_ > testing_since_ + 14 * day;
        evidence.ready = long_enough && !chance_.once_in(10);
        evidence_ready_ = *evidence.ready || (evidence_ready_ && testing_since_ > 0);
        return make_plan(wish_, seen, told, evidence, clock(), options_);
    }

    // ---- carrying out ----
    void machine() {
        last_ = plan_now();
        const auto before = out_.actions;
        const step* act = nullptr;
        for (const auto& one : last_.steps)
            if (one.state == step_state::now && one.by == step_actor::us &&
                one.kind != step_kind::verify_policy && one.kind != step_kind::verify_record) {
                act = &one;
                break;
            }
        if (last_.finished && wish_.aim == model::aim::off && now_ <= there_.bound_until(now_) &&
            was_announced_)
            fail("said to be off, but a sender may hold a policy");
        if (act && !chance_.once_in(10)) // else: a crash before the effect
            carry_out(*act);
        if (out_.actions != before || act)
            machine_at_ = now_ + chance_.one_of<moment>({1, 60, hour});
        else
            machine_at_ = now_ + (last_.come_back
                                      ? std::clamp<moment>((*last_.come_back - clock()).count(), 60, 5 * day)
                                      : chance_.between(600, 12 * hour));
    }
    void person() {
        if (waiting_action_) {
            const auto act = *waiting_action_;
            waiting_action_.reset();
            carry_out(act);
            person_at_ = now_ + chance_.delay(5 * day);
            return;
        }
        const auto printed = plan_now();
        std::vector<step> mine;
        std::ranges::copy_if(printed.steps, std::back_inserter(mine), [](const step& one) {
            return one.state == step_state::now && one.by == step_actor::person;
        });
        if (mine.empty()) {
            person_at_ = now_ + chance_.delay(3 * day);
            return;
        }
        waiting_action_ = chance_.one_of(mine);
        person_at_ = now_ + chance_.between(60, 2 * hour);
    }

    void carry_out(const step& one) {
        ++out_.actions;
        note("{}: {}", one.by == step_actor::us ? "we" : "person", one.title);
        switch (one.kind) {
        case step_kind::report_way:
            wish_.marks["report-way"] = {clock(), "person", "exists"};
            break;
        case step_kind::publish_tlsrpt:
            tlsrpt_ = true;
            break;
        case step_kind::point_host:
            host_points_ = true;
            foreign_ = false;
            refresh_public_policy();
            break;
        case step_kind::certificate:
            past_.certificate_here = true;
            refresh_public_policy();
            break;
        case step_kind::serve_policy:
            serve(one);
            break;
        case step_kind::publish_record:
            publish_record(one);
            break;
        case step_kind::check_mx:
        case step_kind::mend:
            for (auto& [name, host] : there_.mx)
                host.passes_from = std::min(host.passes_from, now_);
            break;
        case step_kind::add_mx:
            must_admit(one.host);
            add_mx(one.host, chance_.once_in(4) ? now_ + chance_.delay(9 * day) : 0);
            break;
        case step_kind::remove_mx:
            remove_mx(one.host);
            break;
        case step_kind::remove_record:
            may_withdraw("the record");
            there_.set_record("", now_);
            break;
        case step_kind::stop_serving:
            may_withdraw("the file");
            serve_nothing();
            break;
        case step_kind::remove_host:
            host_points_ = false;
            refresh_public_policy();
            break;
        case step_kind::remove_certificate:
            past_.certificate_here = false;
            break;
        case step_kind::verify_policy:
        case step_kind::verify_record:
        case step_kind::wait:
        case step_kind::evidence:
        case step_kind::come_back:
            fail("nobody can do this step: " + one.title);
        }
        stir();
    }

    void serve(const step& one) {
        const auto read = sts::parse_policy(one.policy);
        if (!read) {
            fail("a policy that no sender reads: " + one.policy);
            return;
        }
        const auto* old =
            there_.served.empty() ? nullptr : &there_.served.back().value; // an outage counts not
        if (read->mode == sts::mode::enforce && (!old || old->mode != sts::mode::enforce) &&
            !evidence_ready_ && !wish_.marks.contains("forced"))
            fail("enforce without evidence");
        if (read->mode != sts::mode::enforce && old && old->mode == sts::mode::enforce && !wish_.paused &&
            wish_.aim == model::aim::enforce && !there_.id.empty())
            fail("taken back from enforce by itself");
        testing_since_ = read->mode != sts::mode::testing                               ? 0
                         : old && old->mode == sts::mode::testing && testing_since_ > 0 ? testing_since_
                                                                                        : now_;
        if (!hosted_here()) {
            there_.set_policy(one.policy, now_);
            return;
        }
        const auto id = how_ == carelessness::reuses_ids ? "1" : one.id;
        if (past_.publication && past_.publication->body == one.policy)
            fail("a new id for an unchanged policy");
        if (const auto [used, fresh] = id_bodies_.emplace(id, one.policy);
            !fresh && used->second != one.policy)
            fail("the id " + id + " was used before");
        close_log();
        past_.publication =
            model::publication{.domain = wish_.domain, .body = one.policy, .id = id, .since = clock()};
        past_.served.push_back({.domain = wish_.domain,
                                .body = one.policy,
                                .mode = read->mode,
                                .max_age = read->max_age,
                                .ids = {},
                                .first_served = clock(),
                                .last_served = std::nullopt});
        past_.ids_used.push_back(id);
        refresh_public_policy();
        if (how_ == carelessness::record_first) {
            step early = one;
            publish_record(early);
        }
    }
    void close_log() {
        for (auto& one : past_.served)
            if (one.ours && !one.last_served)
                one.last_served = clock() + seconds(world::hosts_lag);
    }
    void serve_nothing() {
        if (foreign_) { // a person goes to that web server
            foreign_ = false;
            there_.set_policy("", now_);
        }
        if (hosted_here()) {
            close_log();
            past_.publication =
                model::publication{.domain = wish_.domain, .body = {}, .id = {}, .since = clock()};
            refresh_public_policy();
        } else {
            there_.set_policy("", now_);
        }
    }
    void publish_record(const step& one) {
        const auto id = how_ == carelessness::reuses_ids ? "1" : one.id;
        if (there_.policy.empty())
            fail("the record is visible before its policy");
        // A person may paste what was printed before the policy changed again; nobody else may.
        const bool stale = one.by == step_actor::person && hosted_here() && past_.publication->id != id;
        if (hosted_here() && !stale && there_.policy != past_.publication->body)
            fail("the record is visible before its policy can be fetched");
        if (!stale)
            if (const auto [used, fresh] = announced_.emplace(id, there_.policy);
                !fresh && used->second != there_.policy)
                fail("the id " + id + " announces another policy than before");
        was_announced_ = true;
        there_.set_record(id, now_);
    }
    void remove_mx(const std::string& host) {
        auto& one = there_.mx.at(host);
        one.in_dns = false;
        one.gone_at = now_;
        // The hourly look saw it for the last time at most an hour ago.
        past_.mx_before.push_back({.host = host,
                                   .last_seen = clock() - seconds(chance_.between(0, hour)),
                                   .ttl = static_cast<std::uint32_t>(there_.mx_ttl),
                                   .first_missed = {}});
    }
    /// The planned way of a new MX host: the policy that senders get admits it first.
    void must_admit(const std::string& host) {
        const auto now = sts::parse_policy(there_.policy);
        const bool asks = now && now->mode == sts::mode::enforce && !there_.id.empty();
        if (asks && !sts::admitted_by(now->mx, host))
            fail("an MX host is added that the policy does not admit");
        if (asks && now_ < there_.id_at + there_.record_ttl)
            fail("an MX host is added while resolvers name the id before");
    }
    void may_withdraw(std::string_view what) {
        const bool expiry = wish_.off == model::off_way::by_expiry;
        if (wish_.aim != model::aim::off)
            fail(fmt::format("{} is withdrawn although nobody said so", what));
        else if (!expiry && was_announced_ && now_ <= there_.bound_until(now_))
            fail(fmt::format("{} is withdrawn before every policy has expired", what));
        if (what == "the file" && !there_.id.empty())
            fail("the file is withdrawn before the record");
        if (what == "the file" && was_announced_ && now_ < there_.id_at + there_.record_ttl)
            fail("the file is withdrawn while a resolver still names it");
    }

    dice chance_;
    carelessness how_;
    outcome out_;
    world there_;
    moment now_ = beginning, clock_behind_ = 0;
    model::looked_after wish_;
    remembered past_;
    plan_options options_;
    plan last_;
    std::vector<delivering> senders_;
    moment machine_at_ = 0, person_at_ = 0, operator_at_ = 0, testing_since_ = 0;
    int changes_left_ = 0, hosts_made_ = 0;
    std::optional<step> waiting_action_;
    bool foreign_ = false, host_points_ = false, tlsrpt_ = false, evidence_ready_ = false, clean_look_ = true,
         looked_ = false, was_announced_ = false;
    std::string remembered_id_;
    std::map<std::string, std::string> id_bodies_, announced_;
};

} // namespace

outcome live(std::uint64_t seed, carelessness how) {
    return history(seed, how).run();
}

} // namespace mailtight::plan::tests
