// SPDX-License-Identifier: Apache-2.0
// The way from bytes to a committed report inside the daemon, shared by every way in: DKIM keys looked up and
// cached, bytes examined, many reports written in one transaction (group commit), the answer given only after
// it. A full disk or an absent database is `later`, and the sender tries again.
#pragma once

#include "intake/examine.h"
#include "io/loop.h"
#include "io/resolver.h"
#include "io/worker.h"
#include "store/store.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace mailtight::intake {

struct kept {
    enum class fate {
        stored, ///< every report in it is committed (added, duplicate, quarantined, test)
        none,   ///< no report in it: nothing to keep
        later,  ///< the store cannot just now: answer 4xx / 503
    } what = fate::later;
    std::vector<store::add_outcome> outcomes;
    std::vector<intake_error> errors;
    std::string why;     ///< for later and none
    bool no_key = false; ///< later: not the store but the DNS, which did not say a DKIM key
};

struct keeper_options {
    std::size_t batch = 500;                      ///< reports a transaction
    std::size_t batch_bytes = 64 * 1024 * 1024;   ///< of their bodies, decompressed
    std::size_t queued_bytes = 256 * 1024 * 1024; ///< waiting to be written; beyond it: later
    bool strict_dkim_service = false;
    std::vector<std::string> trusted_authservers;
    /// How the store is opened again after it failed; without it the keeper goes on with the one it has.
    /// Called on the keeper's thread, at most once in `reopen_every`.
    std::function<store::result<std::unique_ptr<store::store>>()> reopen;
    std::chrono::milliseconds reopen_every{1'000};
};

struct keeper_counters {
    std::uint64_t inputs = 0, reports = 0, added = 0, duplicates = 0, corrections = 0, quarantined = 0,
                  tests = 0, refused = 0, later = 0, commits = 0;
    std::uint64_t failed_writes = 0; ///< transactions that the store could not take: full, away, locked
    std::uint64_t queued = 0;        ///< inputs and jobs that wait for their answer
    std::uint64_t queued_bytes = 0;  ///< of those inputs
    std::string last_error;
    base::utc_seconds last_report{};
};

class keeper {
public:
    /// `writer` is used from a thread of the keeper's own. Null where the database is away and `reopen` is
    /// there to open it later.
    keeper(io::loop& on, std::unique_ptr<store::store> writer, io::resolver& dns, const base::clock& clock,
           keeper_options options = {});
    /// What waits is answered `later`; what is being written is still committed.
    ~keeper();
    /// Examines and stores; returns after the commit.
    io::task<kept> keep(std::string bytes, circumstances how);
    /// Another write on the keeper's thread and connection, in order with the rest.
    io::task<store::result<void>> write(std::function<store::result<void>(store::store&)> job);
    const keeper_counters& counters() const;
    /// Called on the loop after each commit with what was stored: for alarms and metrics. The raw body
    /// (`json`) is no longer in it.
    std::function<void(const model::received_report&, const store::add_outcome&)> on_stored;
    /// Called on the loop for an input that held no report: for the log.
    std::function<void(const circumstances&, const kept&)> on_refused;
    /// Called on the loop with a mail that is no report mail: one without a report, which is refused as well,
    /// or a delivery status (RFC 3464), which is not examined then: what it returns may be a report of ours.
    std::function<void(std::string mail)> on_other_mail;
    io::task<> drain(); ///< until nothing is queued

private:
    struct state;
    std::shared_ptr<state> state_;
};

/// Our addresses: which recipients and URL tokens are ours. Refreshed from the store.
class address_book {
public:
    /// `mailboxes`: full addresses that take reports (`tls-report@reports.example`), each also with `+TOKEN`,
    /// or `-TOKEN` for mail systems whose delimiter that is.
    explicit address_book(std::vector<std::string> mailboxes = {});
    void set_domains(std::vector<store::own_domain> domains);
    struct entry {
        std::string domain; ///< of the token; "" : a mailbox without token
    };
    std::optional<entry> recipient(std::string_view address) const;
    /// By the token's digest, so that the time it takes tells nothing of a token.
    std::optional<entry> token(std::string_view token) const;
    /// The addresses to publish for a domain.
    std::string mail_address(std::string_view domain) const;
    std::string url_path(std::string_view domain) const; ///< "/tlsrpt/TOKEN"

private:
    std::vector<std::string> mailboxes_;
    std::vector<store::own_domain> domains_;
    std::unordered_map<std::string, std::size_t> by_digest_; ///< SHA-256 of the token -> domains_
};

} // namespace mailtight::intake
