// SPDX-License-Identifier: Apache-2.0
// Getting certificates from an ACME authority, one a name: account, order, challenge, certificate; renewal
// by ARI or at two thirds of the lifetime. Each order is a state machine that survives restarts; every step
// is written down before the next one, under a lease. Lives on the loop; the store is used on a worker.
//
// What stands where: the account as the secret "acme/DIRECTORY/account", answers to http-01 under their token
// and to tls-alpn-01 under the host name, both as key authorization (challenge.h makes the certificate of
// it), the certificate's key sealed under certificate_seal_name().
#pragma once

#include "base/crypto/sealed.h"
#include "io/http_client.h"
#include "io/worker.h"
#include "publish/challenge.h"
#include "publish/preflight.h"
#include "store/domains.h"
#include "wire/acme.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::publish {

struct issuer_options {
    std::string directory; ///< URL
    std::vector<std::string> contacts;
    std::optional<wire::external_account> eab;
    std::string profile;
    std::vector<challenge_kind> order = {challenge_kind::tls_alpn_01, challenge_kind::http_01};
    std::string machine;
    std::uint64_t orders_per_hour = 80, orders_at_once = 240; ///< below the authority's 300 in three hours
    std::size_t at_once = 32;
    bool agree = false; ///< to the authority's terms
    /// The directory was named by the operator: where it stands, private addresses and http are allowed. What
    /// it names elsewhere is asked by https and behind the guard.
    bool exempt = false;
    /// One order's turn, however slow the authority is; another turn goes on with it.
    std::chrono::milliseconds turn{900'000};
    std::vector<std::chrono::seconds> back_off = {std::chrono::seconds(60), std::chrono::seconds(600),
                                                  std::chrono::seconds(6'000), std::chrono::seconds(86'400)};
};

/// What it needs of the world beside HTTP.
struct issuer_hands {
    /// May a certificate be ordered for what issue() or issue_name() was asked for (preflight.h), and which
    /// kinds of challenge can succeed? May be empty: it may, by each.
    std::function<io::task<preflight_verdict>(std::string asked_for)> preflight;
    /// dns-01: puts the TXT value at the name, or takes it away. "" : done on every server; else why not.
    std::function<io::task<std::string>(std::string name, std::string value, bool put)> dns_record;
    /// Waits until every machine answers this challenge (two polls of the store); may be empty.
    std::function<io::task<>()> spread;
};

struct issued {
    bool ok = false;
    std::string words; ///< for people: what happened, or what is in the way and how to mend it
    std::optional<std::chrono::seconds> again; ///< when to try again
    bool ours = false; ///< what is in the way is on this side: no failed try counts against the name
};

class issuer {
public:
    issuer(io::loop& on, io::resolver& dns, const io::tls_client& tls, const base::address_guard& guard,
           const base::clock& real_time, io::worker& store_thread, store::domain_store& kept,
           const base::sealing_key& seal, issuer_options options, issuer_hands hands);
    ~issuer();
    /// One order for mta-sts.DOMAIN from where it stands to the end, under the lease of `work` (kind
    /// "certificate"), whose state, tries and last error it keeps; the caller ends the lease (done_work). The
    /// new certificate is stored; the old one stays until proven.
    io::task<issued> issue(store::due_work& work, std::string domain);
    /// The same for a host name of ours that is no policy host; `work` is of any kind.
    io::task<issued> issue_name(store::due_work& work, std::string host);
    /// When to renew (RFC 9773; else two thirds of the lifetime), asked of the authority.
    io::task<base::utc_seconds> renew_at(store::kept_certificate of);
    struct renewal {
        base::utc_seconds at{};
        std::chrono::seconds ask_again{}; ///< the authority may change its mind (RFC 9773 §4.3)
        bool by_authority = false;
        std::string explanation; ///< a URL where it says why so early; or ""
    };
    io::task<renewal> renewal_of(store::kept_certificate of);
    /// A new key for the account, under which everything goes on (RFC 8555 §7.3.5).
    io::task<std::expected<void, std::string>> change_account_key();
    struct counters {
        std::uint64_t issued = 0, failed = 0, bad_nonces = 0, waited_for_limit = 0;
        std::uint64_t requests = 0, handshakes = 0;
        std::uint64_t writes = 0, transactions = 0; ///< of orders; several writes share a transaction
    };
    counters counted() const;
    struct state;

private:
    io::task<issued> order(store::due_work& work, std::string host, std::string asked_for);
    std::unique_ptr<state> state_;
};

} // namespace mailtight::publish
