// SPDX-License-Identifier: Apache-2.0
// Domains looked after, as the API asks for them; app/ implements it with the daemon's objects. Every call
// names who asks: a tenant is told of the domains of their owner alone, and that there is no such domain for
// any other. Lives on the loop; nothing here blocks it. A refusal is for whoever asked.
#pragma once

#include "advise/dns_forms.h"
#include "api/access.h"
#include "api/overview.h"
#include "io/task.h"
#include "model/enforce_evidence.h"
#include "model/looked_after.h"
#include "model/watched.h"
#include "plan/plan.h"

#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mailtight::api {

struct refusal {
    enum class kind {
        absent,   ///< no such domain, or not theirs
        conflict, ///< somebody was faster, it is there already, it must stay
        wrong,    ///< understood, and it cannot be wanted so
        forbidden,
        unproven, ///< a tenant has to show that the name is theirs, by this record
        busy,     ///< somebody works on it, or too many look just now: again in a moment
        away,     ///< the database, or the network's name servers
    } what = kind::away;
    std::string words;
    struct dns_record {
        std::string name, type, value;
    };
    std::optional<dns_record> record = {}; ///< unproven: what is to be published
};
template<class T>
using told = std::expected<T, refusal>;

/// What is wanted of a domain, as far as it was said.
struct wish_change {
    std::optional<std::string> aim, off, host, policy_host, sts_target, dns, dns_server, leave, owner;
    std::optional<std::optional<std::uint64_t>> max_age; ///< inner nothing: as the plan's ladder goes
    std::optional<std::vector<std::string>> mx, mx_adding, mx_removing, rua, labels;
    std::optional<bool> keep_mx, paused;
    std::string why; ///< kept in the log of changes
};
struct domain_addition {
    std::string domain;
    std::string like; ///< a domain whose wishes it takes over; "" : as configured
    wish_change wish;
};

struct domain_file {
    model::looked_after wish;
    std::shared_ptr<const overview_row> row;
    std::optional<model::kept_look> look; ///< its document is JSON text
};

/// A plan; what is said here is tried on the plan alone.
struct plan_question {
    bool look = false; ///< from a look now; else the last one will do where it is of the last minutes
    std::string to, by;
    std::vector<std::string> add_mx, remove_mx;
    bool keep_mx = false;
    bool tries() const {
        return !to.empty() || !by.empty() || !add_mx.empty() || !remove_mx.empty() || keep_mx;
    }
};
struct step_request {
    bool act = false;  ///< carries out the next step
    std::string said;  ///< a mark: "report-way", "checked-mx"
    std::string force; ///< the reason for enforce without evidence
    std::string why;
};
struct step_outcome {
    std::string did, failed;
    plan::plan next;
};

struct dns_question {
    advise::dns_format format = advise::dns_format::table;
    std::string provider; ///< by its name; "" : as its name servers say
    bool all = false;     ///< those too that are right already
};
struct dns_answer {
    advise::suggestion records;
    advise::dns_place place;
    bool guessed = true; ///< the provider, from its name servers
    std::string text;
};

struct domain_past {
    std::vector<model::served_policy> served; ///< oldest first
    std::vector<model::change_entry> changes; ///< newest first
    std::vector<model::policy_fetches> fetches;
    std::vector<model::watched_state> states; ///< newest first
};

class domain_desk {
public:
    virtual ~domain_desk() = default;
    virtual io::task<told<overview_page>> overview(overview_question which) = 0;
    /// All that fit, whatever `offset` and `limit` say.
    virtual io::task<told<std::string>> overview_table(overview_question which) = 0;
    /// Every label, and on how many domains of the owner (nothing: of all) it stands.
    virtual io::task<told<std::map<std::string, std::size_t>>> labels(std::optional<std::string> owner) = 0;

    virtual io::task<told<domain_file>> find(std::string domain, caller by) = 0;
    virtual io::task<told<domain_file>> add(domain_addition what, caller by) = 0;
    /// Conflict where the domain has another revision by now.
    virtual io::task<told<domain_file>> change(std::string domain, std::int64_t revision, wish_change what,
                                               caller by) = 0;
    /// Conflict where senders may hold a policy of it; `force` needs a reason.
    virtual io::task<told<void>> remove(std::string domain, bool force, std::string why, caller by) = 0;

    virtual io::task<told<plan::plan>> plan(std::string domain, plan_question which, caller by) = 0;
    virtual io::task<told<step_outcome>> step(std::string domain, step_request what, caller by) = 0;
    virtual io::task<told<dns_answer>> records(std::string domain, dns_question which, caller by) = 0;
    virtual io::task<told<domain_past>> past(std::string domain, std::int64_t before, std::size_t limit,
                                             caller by) = 0;
    virtual io::task<told<model::enforce_evidence>> readiness(std::string domain, caller by) = 0;
};

} // namespace mailtight::api
