// SPDX-License-Identifier: Apache-2.0
// The room's own: what the service remembers and what is under way. Answering (service_answering.cpp) reads
// it, looking (service_looking.cpp) and care (service_care.cpp) change it, and every change of what an answer
// says passes through settle(). The loop's thread only.
#pragma once

#include "resolve/service.h"

#include <deque>
#include <list>
#include <map>
#include <random>
#include <unordered_map>
#include <unordered_set>

namespace mailtight::resolve {

/// Somebody who waits for looks, or for the end of his time.
struct asker {
    asker(io::loop& on, io::loop::time_point until)
        : done(on)
        , deadline(until) {}
    io::event done;
    io::loop::time_point deadline;
    std::size_t left = 0; ///< looks that he waits for
};

/// A look under way: whoever else needs it joins.
struct look {
    std::vector<std::shared_ptr<asker>> askers;
    bool over = false;
    bool awaited = false; ///< somebody waited: what came out is a live answer
    void join(const std::shared_ptr<asker>& who);
    void end();
};
struct policy_look : look {
    sts::occasion why = sts::occasion::use;
    bool fetched = false, changed = false;
    std::string words; ///< what it showed, for a person
};

/// A next hop that was asked about.
struct place {
    mail::next_hop hop;
    std::optional<destination> where;
    shared_decision current;
    base::utc_seconds valid_until{}; ///< of `current`
    base::utc_seconds attend_at{};   ///< from then on a use has to look what is due
    base::utc_seconds use_told{};
    std::shared_ptr<look> looking;
    bool mx_silent = false; ///< `looking` goes on, and the MX look-up itself has not been answered
    std::vector<std::string> keys;
    bool used = false; ///< since the hand of the clock passed
};

struct text_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};
template<class T>
using by_text = std::unordered_map<std::string, T, text_hash, std::equal_to<>>;

struct service::state : std::enable_shared_from_this<service::state> {
    state(io::loop& on, io::resolver& resolver, const base::clock& time, fetch_fn fetches_with,
          probe_fn probes_with, keeper& kept_by, service_options with,
          std::function<void(const service_event&)> told);

    io::loop& loop;
    io::resolver& dns;
    const base::clock& clock;
    fetch_fn fetch;
    probe_fn probe;
    keeper& keep;
    service_options options;
    std::function<void(const service_event&)> tell;
    std::function<void(const model::session_seen& attempt)> tell_of_stop;

    policy_table policies;
    by_text<std::shared_ptr<place>> places;                 ///< by every key that was asked
    by_text<std::vector<std::shared_ptr<place>>> places_of; ///< by Policy Domain
    std::deque<std::shared_ptr<place>> clock_hand;          ///< who goes next where there are too many
    by_text<std::shared_ptr<policy_look>> looking;          ///< by Policy Domain
    by_text<model::policy_override> exceptions;
    std::unordered_set<std::string, text_hash, std::equal_to<>> alarmed, prefetched;
    by_text<base::utc_seconds> probed; ///< domains in testing: when
    std::deque<std::shared_ptr<asker>> deadlines;
    io::semaphore fetch_gate, probe_gate;
    figures counts;
    std::size_t waiting = 0;    ///< askers
    std::size_t refreshing = 0; ///< looks that care began
    bool stopping = false, keeping_time = false;
    std::mt19937_64 dice{std::random_device{}()};

    // service.cpp
    static io::task<store::result<void>> start(std::shared_ptr<state> self);

    // service_answering.cpp
    shared_decision known(std::string_view key);
    static io::task<shared_decision> decide(std::shared_ptr<state> self, std::string key);
    shared_decision first_seen(std::string_view key, base::utc_seconds now);
    bool renew(place& at, base::utc_seconds now, bool live);
    void build(place& at, const sts::resolution_state* policy, base::utc_seconds now, bool live);
    void replace(place& at, shared_decision by);
    shared_decision answer_now(place& at, base::utc_seconds now);
    void count(const tls_decision& given, io::loop::clock::duration took);
    static io::task<> keep_time(std::shared_ptr<state> self);
    void await_deadline(const std::shared_ptr<asker>& who);

    // service_places.cpp
    std::shared_ptr<place> place_of(std::string_view key, const mail::next_hop& hop);
    void drop_place(const std::shared_ptr<place>& which);
    void make_room();

    // service_looking.cpp
    void begin_looks(const std::shared_ptr<place>& at, const std::shared_ptr<asker>& who);
    std::shared_ptr<policy_look> look_for_policy(const std::string& domain, sts::occasion why, sts::ask what);
    std::shared_ptr<look> look_at_hosts(const std::shared_ptr<place>& at);
    static io::task<> run_policy_look(std::shared_ptr<state> self, std::string domain,
                                      std::shared_ptr<policy_look> mine, sts::ask what);
    static io::task<> see_record(std::shared_ptr<state> self, std::string domain,
                                 std::shared_ptr<policy_look> mine, sts::ask* next);
    static io::task<> see_policy(std::shared_ptr<state> self, std::string domain,
                                 std::shared_ptr<policy_look> mine);
    static io::task<> keep_seen(std::shared_ptr<state> self, model::kept_policy kept, bool got,
                                io::loop::time_point deadline);
    void tell_of_fetch(const std::string& domain, const std::optional<sts::held_policy>& had,
                       const sts::resolution_state& now_is, const policy_look& seen, bool got);
    static io::task<> run_hosts_look(std::shared_ptr<state> self, std::shared_ptr<place> at,
                                     std::shared_ptr<look> mine);
    static io::task<> note_mx(std::shared_ptr<state> self, std::shared_ptr<place> at,
                              std::shared_ptr<look> of);
    static io::task<shared_decision> look_live(std::shared_ptr<state> self, std::string key);

    // service_changes.cpp
    model::kept_policy remembered(const std::string& domain) const;
    void settle(const std::string& domain, bool live);
    void settle_place(place& at, bool live);
    void write(model::kept_policy value);
    void take_over(model::kept_policy theirs);
    static io::task<std::size_t> purge(std::shared_ptr<state> self, std::string domain);
    static io::task<std::size_t> adopt(std::shared_ptr<state> self, std::vector<model::kept_policy> policies);
    void forget(const std::string& domain);
    void judge_alarm(const std::string& domain, const sts::resolution_state& now_is, base::utc_seconds now);
    void say(service_event what) const;

    // service_care.cpp
    void attend(const std::shared_ptr<place>& at, base::utc_seconds now);
    void attend_probe(const std::string& domain, const tls_decision& current, base::utc_seconds now);
    static io::task<> run_probe(std::shared_ptr<state> self, std::string domain, sts::held_policy policy);
    static io::task<> care(std::shared_ptr<state> self);
    void clock_set_back(std::chrono::seconds by, base::utc_seconds now);
    static io::task<> refresh_one(std::shared_ptr<state> self, std::string domain, sts::occasion why,
                                  sts::ask what);
    void refresh_due(std::size_t at_most);
    void sweep();
    std::size_t swept = 0; ///< how far
    void take_prefetch_list();
    void refresh_prefetched(std::size_t at_most);
    std::deque<std::string> to_prefetch;
    base::utc_seconds prefetch_again{};

    // service_failures.cpp
    std::shared_ptr<policy_look> look_again(const mail::next_hop& hop, sts::occasion why);
    void look_at_hosts_of(const std::string& domain);
    static io::task<refreshed> refresh(std::shared_ptr<state> self, std::string key);
    static io::task<> tell_of_failure(std::shared_ptr<state> self, std::string domain, std::string words,
                                      std::shared_ptr<policy_look> mine);
    double failure_tokens = 0;
    io::loop::time_point failure_tokens_at{};

    // service_overrides.cpp
    const model::policy_override* exception_of(std::string_view domain, base::utc_seconds now) const;
    static io::task<> read_exceptions(std::shared_ptr<state> self);
    void take_exceptions(std::vector<model::policy_override> all);
    static io::task<store::result<void>> set_exception(std::shared_ptr<state> self,
                                                       model::policy_override value);
    static io::task<store::result<bool>> remove_exception(std::shared_ptr<state> self, std::string domain);
    bool reading_exceptions = false;
    base::utc_seconds exceptions_read{};
};

/// Who is newer, of two states of one domain: the later fetch, then the later look at the record.
bool newer(const sts::resolution_state& a, const sts::resolution_state& than);
/// What the TXT RRset of `_mta-sts` shows.
sts::record_sighting sighting_of(const model::txt_fact& fact);

} // namespace mailtight::resolve
