// SPDX-License-Identifier: Apache-2.0
// What the looks of one run share: the resolver, the probers, the probes already done and the politeness
// limits. For observe/ alone; single-threaded.
#pragma once

#include "observe/observe.h"

#include <list>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>

namespace mailtight::observe {

struct observer::state {
    state(io::loop& on, io::resolver& resolver, probe::context probes, observe_options wanted);

    io::loop& loop;
    io::resolver& dns;
    probe::context probe;
    observe_options options;
    observer::counters counted;

    /// One conversation a distinct (address, name). Of what is kept, the longest unused goes first, so that
    /// the hosts of large providers stay. It goes on while one of those who share it wants it.
    io::task<model::smtp_fact> probe_once(std::string host, base::ip_address address, wanted_fn wanted = {});
    /// A policy fetch that waits while many go to the same address: thousands of policy hosts can share one.
    io::task<model::fetch_fact> fetch_politely(std::string host, base::ip_address address, const char* agent);
    /// True once an SMTP connection of this run was established, or refused by a remote host: port 25 is open
    /// to us.
    bool port25_proven = false;
    /// Asks the control host, once a run: may we talk to port 25 at all?
    io::task<bool> port25_is_closed();
    std::string port25_detail;

    /// A label that nobody has published, the same for the whole run.
    std::string random_label;

private:
    using probe_key = std::pair<base::ip_address, std::string>;
    struct shared_probe {
        explicit shared_probe(io::loop& on)
            : done(on) {}
        io::event done;
        model::smtp_fact fact;
        std::vector<wanted_fn> askers; ///< while under way
        bool cut = false;              ///< nobody wanted it any more: it is not shared, and no fact
        std::size_t bytes = 0;         ///< about; 0 while under way
        std::list<probe_key>::iterator used;
    };
    struct polite_gate {
        explicit polite_gate(io::loop& on, std::size_t permits)
            : gate(on, permits) {}
        io::semaphore gate;
        std::size_t users = 0;
    };
    io::task<model::smtp_fact> probe_politely(std::string host, base::ip_address address, wanted_fn wanted);
    /// Once it is not, it stays so, and who comes next begins anew.
    bool still_wanted(const probe_key& key, shared_probe& one);
    void forget_old_probes();

    std::map<probe_key, std::shared_ptr<shared_probe>> probes_;
    std::list<probe_key> probes_used_; ///< the latest first
    std::size_t probe_bytes_ = 0;
    io::semaphore all_smtp_;
    std::map<std::string, std::shared_ptr<polite_gate>>
        gates_; ///< by address, by the provider's domain, by web address
    std::shared_ptr<io::event> control_done_;
    bool control_closed_ = false;
};

// The parts of a look. Each fills its share of the observation; none judges.
io::task<bool> look_at_zone(observer::state& with, model::observation& seen);
/// Where the resolver failed without a reason: do aliases lead in a circle? Then the fact says so.
io::task<bool> look_for_alias_loop(observer::state& with, model::dns_fact& fact);
io::task<bool> look_for_pitfalls(observer::state& with, model::observation& seen);
io::task<bool> look_at_policy_host(observer::state& with, model::observation& seen,
                                   const progress_fn& progress, const wanted_fn& wanted);
io::task<bool> look_at_mail_servers(observer::state& with, model::observation& seen,
                                    const progress_fn& progress, const wanted_fn& wanted);
io::task<bool> look_at_report_addresses(observer::state& with, model::observation& seen);

inline bool is_wanted(const wanted_fn& wanted) {
    return !wanted || wanted();
}

/// True where `prefix` + "." + `domain` is still a name that DNS can hold (RFC 1035: 253 characters).
bool fits(std::string_view prefix, std::string_view domain);

} // namespace mailtight::observe
