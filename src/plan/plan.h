// SPDX-License-Identifier: Apache-2.0
// The planning engine: from where a domain is to where it should be, as ordered steps with what each waits
// for, and why. One function for first publication, every change, the way to enforce, moves of MX hosts,
// pauses and removal. Pure: no clock, no socket, no store. It is asked anew after every step, so a plan needs
// no memory of its own: what was done shows in the situation and in what is remembered. RFC 8461 §8.1, §8.3,
// §10.2.
//
// What holds of every plan, whatever happened before (the simulation in tests/unit/plan proves it):
//   - the body changes before the record, every change of the body has an id never used before;
//   - the `_mta-sts` record appears only when the body was fetched back byte for byte and every MX host
//   passes;
//   - nothing that a sender may still rely on is withdrawn before its safe date;
//   - enforce only on evidence, or by force with a reason;
//   - carried out, every plan ends.
#pragma once

#include "plan/situation.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::plan {

enum class step_kind {
    report_way,     ///< a mailbox or endpoint that takes reports, proven
    publish_tlsrpt, ///< `_smtp._tls`
    point_host,     ///< `mta-sts` A, AAAA or CNAME
    certificate,    ///< for mta-sts.DOMAIN
    serve_policy,   ///< our host serves the body; elsewhere: upload the file
    verify_policy,  ///< fetched back over the public path, byte for byte
    check_mx,       ///< every MX host of the policy's mode passes
    publish_record, ///< `_mta-sts` with the id
    verify_record,  ///< every authoritative server says so
    wait,           ///< until a date
    evidence,       ///< until reports and checks speak for enforce
    add_mx,         ///< a person adds an MX record
    remove_mx,      ///< a person removes an MX record
    mend,           ///< a person mends something that is in the way
    remove_record,  ///< `_mta-sts`
    stop_serving,   ///< the file is withdrawn
    remove_host,    ///< `mta-sts`
    remove_certificate,
    come_back, ///< nothing to do until then
};
std::string_view to_string(step_kind k); ///< "report-way", "publish-tlsrpt", …: a contract

enum class step_state {
    done,    ///< already so
    now,     ///< may be done
    waiting, ///< for its date or its condition
    later,   ///< for the steps before it
};
std::string_view to_string(step_state s);

enum class step_actor { us, person };

/// A change of DNS records at one name.
struct record_change {
    std::string name;                ///< without final dot
    std::string type;                ///< TXT, CNAME, A, AAAA
    std::vector<std::string> add;    ///< values
    std::vector<std::string> remove; ///< exactly these, of ours; others at the name stay
    std::uint32_t ttl = 300;
    friend bool operator==(const record_change&, const record_change&) = default;
};

struct step {
    step_kind kind = step_kind::wait;
    step_state state = step_state::later;
    step_actor by = step_actor::us;
    std::string title; ///< "Publish _mta-sts.example.com with the new id 20260102030405"
    std::string why;   ///< the reason, with the names and numbers of this domain
    std::string how;   ///< for a person: what to do, a line each; may be empty
    /// Not before this; `until_words` says what must have passed.
    std::optional<base::utc_seconds> not_before;
    std::string until_words;
    /// The other date, where senders that look at the id could go earlier.
    std::optional<base::utc_seconds> earliest;
    std::vector<record_change> records;
    std::string policy;  ///< body to serve, for serve_policy and verify_policy
    std::string id;      ///< for serve_policy, publish_record
    std::string host;    ///< MX host
    std::string blocked; ///< what is in the way; "" : nothing
    /// A person's to decide and ours to do: `plan DOMAIN --do` carries it out.
    bool on_word = false;
    /// When it was last tried in vain, and why.
    std::optional<failed_try> last_try;
    friend bool operator==(const step&, const step&) = default;
};

struct plan {
    std::string domain;
    std::string from, to; ///< for people: "testing since 3 May 2026", "enforce"
    std::vector<step> steps;
    std::vector<std::string> warnings;          ///< an unknown past, a forced enforce, a long max_age
    std::optional<base::utc_seconds> come_back; ///< when there is something to do next
    bool finished = false;                      ///< it is where it should be
    /// The first step that is not done; null where finished.
    const step* next() const;
};

struct plan_options {
    std::chrono::seconds margin{3'600};       ///< beside each TTL and lifetime
    std::chrono::seconds id_watchers{86'400}; ///< senders that look at the id do so at least this often
    std::chrono::seconds longest_unknown{31'557'600};
    std::vector<std::uint64_t> ladder = {86'400, 604'800, 1'209'600}; ///< max_age in enforce, step by step
    std::chrono::seconds ladder_step{604'800};                        ///< at least so long on each rung
    std::uint64_t testing_max_age = 604'800;
    std::uint32_t record_ttl = 300, tlsrpt_ttl = 3'600, host_ttl = 300;
    bool unattended = true; ///< the later of two dates decides
};

plan make_plan(const model::looked_after& wish, const situation& seen, const remembered& past,
               const model::enforce_evidence& evidence, base::utc_seconds now,
               const plan_options& options = {});

/// Until when a sender may hold a policy that asks something of it (8461-8.3-a): the largest of last_served +
/// max_age, of those still served from `now`; mode none binds nobody. An unknown past counts as the longest
/// there is.
base::utc_seconds bound_until(const remembered& past, base::utc_seconds now,
                              const plan_options& options = {});

/// For a terminal, in so many columns; and the JSON of `plan --json`.
std::string render_text(const plan& p, base::utc_seconds now, std::size_t width, bool colour);
std::string render_json(const plan& p);

} // namespace mailtight::plan
