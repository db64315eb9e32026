// SPDX-License-Identifier: Apache-2.0
// The publisher's part of the database: domains looked after, the append-only logs of changes and of policies
// served, what our hosts serve, the work that is due and its leases, certificates and their keys, what
// watching saw. One interface over both engines, in the same database as the rest, with its own schema part
// ("domains"). Calls block (io::worker); an object belongs to one thread at a time. What is written is
// durable when the call returns; the end of work and leases, answers to challenges, buckets and what watching
// saw survive the end of the process, but the last of them may go with a power cut: then it is done again.
//
// Many machines share one database: what one writes, the others see by the change numbers (`published_after`,
// `certificates_after`), which follow the order of the commits as in store/policies.h. Every action that the
// outside world can see runs under a lease with a fence; what is written about it names the fence, and an old
// one changes nothing.
#pragma once

#include "model/looked_after.h"
#include "model/shown.h"
#include "model/watched.h"
#include "store/store.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mailtight::store {

/// The right to act, until it ends; a later holder has a larger fence.
struct lease {
    std::string what; ///< "plan/example.com", "certificate/example.com", "imap/…", "alarms"
    std::string who;
    std::int64_t fence = 0;
};

/// The end of the year 9999.
inline constexpr base::utc_seconds never_due{std::chrono::seconds(253'402'300'799)};
/// Due before everything that waits: a person asked for it. Once; it is done with when it is due again.
inline constexpr base::utc_seconds person_asks{};
/// Which end of a queue comes first. A holder that takes from both ends in turn leaves none behind, and what
/// is under way goes on while a thousand first looks wait.
enum class work_order : std::uint8_t { oldest_first, newest_first };

/// Something to be done for a domain at a time: "plan", "certificate", "watch", "glance". It is held under
/// the lease "KIND/DOMAIN": whoever takes that by take_lease() keeps take_work() away, and the other way
/// round.
struct due_work {
    std::string kind, domain;
    base::utc_seconds due_at{}; ///< never_due: only when it is planned anew
    std::int64_t fence = 0;
    std::uint32_t tries = 0; ///< that failed in a row
    std::string last_error;
    std::string state; ///< what the worker wrote down for the next time; bytes of its own
};

/// A certificate with its key, or what an issuer keeps. `key` is sealed (base/crypto/sealed.h): the store
/// never sees it open.
struct kept_certificate {
    std::string name;  ///< "mta-sts.example.com"
    std::string chain; ///< PEM, leaf first
    std::string sealed_key;
    base::utc_seconds not_before{}, not_after{};
    std::optional<base::utc_seconds> renew_at; ///< ARI's, else by lifetime
    std::string issuer;                        ///< directory URL, or "folder"
    bool proven = false;                       ///< seen over the public path: what it replaces may go
    std::int64_t change = 0;
    bool gone = false; ///< a name that was removed, so that other machines hear of it
};

/// An answer to a certificate authority's challenge, readable by every machine.
struct challenge_answer {
    std::string kind; ///< "http-01": key is the token; "tls-alpn-01": key is the host name
    std::string key, answer;
    base::utc_seconds until{};
};

struct domain_question {
    std::optional<std::string> owner;   ///< a tenant sees its own alone
    std::string label, contains, after; ///< `after`: for pages, by name
    std::size_t limit = 1'000;
};

class domain_store {
public:
    virtual ~domain_store() = default;

    /// What several callers wait for, as one transaction: all of it holds when this returns, or, where it
    /// returns an error, nothing. `light`: a power cut may take the last of it, even of calls that are
    /// durable alone. `calls` may be run more than once (a write lost against another machine's), each time
    /// with this store; what its calls gave the last time counts. Where many rows of work are touched: by
    /// name, as others lock them.
    virtual result<void> together(bool light, const std::function<void(domain_store&)>& calls);

    // ---- domains looked after ----
    enum class saved { yes, outdated /* somebody else changed it first */, exists, absent };
    /// New where `revision` is 0. Each changed field is written to the log of changes, with who and why. The
    /// marks of an existing one stay as they are.
    virtual result<saved> save(const model::looked_after& value, std::string_view who, std::string_view why,
                               base::utc_seconds now) = 0;
    /// Many new ones, in transactions of a bounded size; what exists already is left alone. How many are new.
    virtual result<std::size_t> add_all(std::span<const model::looked_after> values, std::string_view who,
                                        base::utc_seconds now) = 0;
    virtual result<std::optional<model::looked_after>> find(std::string_view domain) = 0;
    virtual result<std::vector<model::looked_after>> list(const domain_question& which) = 0;
    virtual result<std::uint64_t> count(const std::optional<std::string>& owner) = 0;
    /// No longer looked after, its work dropped; the logs stay, and so does what is served and was.
    virtual result<saved> remove(std::string_view domain, std::string_view who, std::string_view why,
                                 base::utc_seconds now) = 0;
    /// Who had a domain when it was removed last. `known` false: it was never looked after; an owner of ""
    /// is the operator, or somebody of whom nothing was written down.
    struct left_by {
        bool known = false;
        std::string owner;
    };
    virtual result<left_by> last_owner(std::string_view domain);
    /// Sets a mark without touching the revision.
    virtual result<void> set_mark(std::string_view domain, std::string_view name,
                                  const model::mark& value) = 0;
    virtual result<void> clear_mark(std::string_view domain, std::string_view name) = 0;
    /// The newest first, those below `before` where that is not 0; domain "" : of all.
    virtual result<std::vector<model::change_entry>> changes(std::string_view domain, std::int64_t before,
                                                             std::size_t limit) = 0;
    virtual result<void> log_change(const model::change_entry& entry) = 0;

    // ---- what is served, and was ----
    /// From now on our hosts serve this. In the same transaction the log of served policies is extended:
    /// what was served before is closed at `now` plus `lag` (until every machine has heard of it), and the
    /// new one opened before anybody can fetch it; `now` is its `since`. Body "": withdrawn. False where the
    /// fence is old.
    virtual result<bool> publish(const model::publication& value, const lease& held, std::string_view who,
                                 std::chrono::seconds lag) = 0;
    virtual result<std::optional<model::publication>> published(std::string_view domain) = 0;
    /// In the order of the changes: everything written after that number; for a host that starts (0) and for
    /// one that keeps up. After a number that is not yet given (the database was restored from an older
    /// copy): everything.
    virtual result<std::vector<model::publication>> published_after(std::int64_t change,
                                                                    std::size_t limit) = 0;
    /// A policy that was seen at a domain, by whoever it is served: opens or extends its entry. Others that
    /// were open are closed at `at`, since senders may have had them until then, but for what our hosts
    /// serve.
    virtual result<void> seen_served(std::string_view domain, std::string_view body, std::string_view id,
                                     bool ours, base::utc_seconds at) = 0;
    /// Nothing could be fetched at `at`: closes what is open and not served by our hosts, at `at`: senders
    /// may have had it until then.
    virtual result<void> seen_gone(std::string_view domain, base::utc_seconds at) = 0;
    virtual result<std::vector<model::served_policy>> served(std::string_view domain) = 0;

    // ---- work and leases ----
    /// Makes it due, or due earlier; keeps its state.
    virtual result<void> plan_work(std::string_view kind, std::string_view domain, base::utc_seconds at) = 0;
    virtual result<void> plan_all(std::string_view kind,
                                  std::span<const std::pair<std::string, base::utc_seconds>> at) = 0;
    virtual result<std::vector<due_work>> take_work(std::string_view kind, base::utc_seconds now,
                                                    std::string_view who, std::chrono::seconds how_long,
                                                    std::size_t limit,
                                                    work_order order = work_order::oldest_first) = 0;
    /// Ends the lease and says when it is due again (nothing: never). False where the fence is old.
    /// Writes its `state`, `tries` and `last_error` down. What was made due meanwhile is due when that said.
    virtual result<bool> done_work(const due_work& work, std::optional<base::utc_seconds> again) = 0;
    /// Several in one transaction; how many of them were still ours.
    using done_with = std::pair<due_work, std::optional<base::utc_seconds>>;
    virtual result<std::size_t> done_all(std::span<const done_with> all);
    /// Writes `state` and keeps the lease. False where the fence is old.
    virtual result<bool> keep_work(const due_work& work, base::utc_seconds now,
                                   std::chrono::seconds how_long) = 0;
    virtual result<std::optional<due_work>> work(std::string_view kind, std::string_view domain) = 0;
    /// The work of a kind that has a state or an error, due or not; pages by name.
    virtual result<std::vector<due_work>> noted_work(std::string_view kind, std::string_view after,
                                                     std::size_t limit) = 0;
    virtual result<std::uint64_t> waiting_work(std::string_view kind, base::utc_seconds now) = 0;
    /// A lease on anything else; by the database's clock where machines share one. Nothing: somebody has it.
    virtual result<std::optional<lease>> take_lease(std::string_view what, std::string_view who,
                                                    std::chrono::seconds how_long) = 0;
    virtual result<bool> renew_lease(const lease& held, std::chrono::seconds how_long) = 0;
    virtual result<void> release_lease(const lease& held) = 0;
    /// Ends all leases of `who`: for a process that begins, about the one before it.
    virtual result<void> take_back(std::string_view who) = 0;

    // ---- certificates ----
    /// False where the fence is old. The certificate before it stays beside it until the new one is proven.
    virtual result<bool> save_certificate(const kept_certificate& value, std::int64_t fence) = 0;
    virtual result<void> prove_certificate(std::string_view name, base::utc_seconds not_after) = 0;
    /// A new one that senders would refuse goes, and the proven one before it is served again. False, and
    /// nothing happens, where none before it is still valid at `now`.
    virtual result<bool> reject_certificate(std::string_view name, base::utc_seconds not_after,
                                            base::utc_seconds now) = 0;
    virtual result<void> remove_certificate(std::string_view name) = 0;
    virtual result<std::vector<kept_certificate>> certificates_after(std::int64_t change,
                                                                     std::size_t limit) = 0;
    virtual result<std::optional<kept_certificate>> certificate(std::string_view name) = 0;
    virtual result<void> put_challenge(const challenge_answer& value) = 0;
    virtual result<void> drop_challenge(std::string_view kind, std::string_view key) = 0;
    /// All that have not ended: each machine answers from memory.
    virtual result<std::vector<challenge_answer>> challenges(base::utc_seconds now) = 0;
    /// Secrets by name ("acme/DIRECTORY/account", "tsig/…"), sealed; "" removes.
    virtual result<void> put_secret(std::string_view name, std::string_view sealed) = 0;
    virtual result<std::optional<std::string>> secret(std::string_view name) = 0;
    virtual result<std::vector<std::pair<std::string, std::string>>> secrets(std::string_view prefix) = 0;
    /// Takes `tokens` from a bucket that all machines share and that fills by `per_hour` up to `most`; how
    /// long to wait where there are not so many, 0 where they were taken.
    virtual result<std::chrono::seconds> take_tokens(std::string_view bucket, std::uint64_t tokens,
                                                     std::uint64_t per_hour, std::uint64_t most,
                                                     base::utc_seconds now) = 0;

    // ---- watching ----
    /// Extends the newest state where nothing differs, else appends: true. Full looks are compared with full
    /// ones, cheap ones with cheap ones.
    virtual result<bool> watched(const model::watched_state& now) = 0;
    /// Several in one transaction; how many were appended.
    virtual result<std::size_t> watched_all(std::span<const model::watched_state> all);
    virtual result<std::vector<model::watched_state>> history(std::string_view domain, std::size_t limit) = 0;
    /// The newest state of each domain, for the table, pages by name: that of the full check, or that of the
    /// cheap one where this has changed since.
    virtual result<std::vector<model::watched_state>> latest_states(const domain_question& which) = 0;
    // ---- what the table of all domains shows; of a domain that is not looked after nothing is kept. A store
    // that shows none keeps nothing ----
    /// What a full look came to, with its document. `next` is left as it is, and so is `changed` where it is
    /// "".
    virtual result<void> keep_look(const model::shown& seen, std::string_view document);
    /// What the plan says is next; nothing: it is where it should be. Writes only what differs.
    virtual result<void> keep_next(std::string_view domain, const std::optional<model::next_step>& next);
    /// In the order of the changes, as published_after().
    virtual result<std::vector<model::shown>> shown_after(std::int64_t change, std::size_t limit);
    virtual result<std::optional<model::kept_look>> last_look(std::string_view domain);

    virtual result<void> count_fetches(std::span<const model::policy_fetches> batch) = 0;
    virtual result<std::vector<model::policy_fetches>> fetches(std::string_view domain,
                                                               std::chrono::sys_days since) = 0;
    /// Drops fetches, states and challenge answers that ended before; bounded work, true while more is left.
    /// The logs of changes and of served policies are never dropped.
    virtual result<bool> expire(base::utc_seconds before) = 0;
};
/// Opens, and brings this part of the schema up to date.
result<std::unique_ptr<domain_store>> open_domains(const open_options& options);

} // namespace mailtight::store
