// SPDX-License-Identifier: Apache-2.0
// Sends what is owed: takes due reports, looks up who asks for them, files them, and delivers the outbox by
// mail and POST, with the store as its only memory. Several machines may run one each over one database.
// Lives on the loop; the store on a thread of its own.
#pragma once

#include "deliver/compose.h"
#include "deliver/keys.h"
#include "deliver/retry.h"
#include "deliver/targets.h"
#include "io/http_client.h"
#include "io/loop.h"
#include "io/mail_client.h"
#include "io/resolver.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace mailtight::deliver {

/// How the sender reaches the world, or a test.
struct ways_out {
    std::function<io::task<io::mail_sent>(wire::outgoing_mail mail, model::address_family family)> mail;
    std::function<io::task<io::http_answer>(io::http_call call)> post;
    /// The TXT strings, joined, at `_smtp._tls.DOMAIN`; nothing where DNS gave no answer.
    std::function<io::task<std::optional<std::vector<std::string>>>(std::string domain)> record;
};
struct sender_options {
    reporter who;
    guard_rails rails;
    retry_rules retries;
    compose_limits limits;
    bool first_that_works = false;        ///< 8460-3-y; else every address (8460-3-x)
    bool tlsa_base = true;                ///< reports to TLSA base domains too (A22)
    bool ignore_certificate = true;       ///< 8460-3-e: a second try of a POST
    std::string copy_to;                  ///< an address of the operator's that gets each report too
    std::string dry_run;                  ///< a folder: nothing goes out
    std::string machine;                  ///< no two senders at work at the same time have the same
    std::shared_ptr<const key_ring> keys; ///< sign the mails (8460-3-j); none: the mail server does
    /// Of a delivery: longer than a try can take. What a machine that died had in hand waits so long for
    /// another; its own next sender takes it back when it starts.
    std::chrono::seconds lease{7'200};
    std::size_t at_once = 20; ///< deliveries
    std::chrono::milliseconds look_every{5'000};
    std::chrono::seconds keep{14 * 86'400};
    std::function<store::result<std::unique_ptr<store::result_store>>()> open;
};
/// What happened, for the log.
struct sender_event {
    enum class kind {
        filed,
        nobody_asks,
        not_made,
        sent,
        later,
        refused,
        given_up,
        suppressed,
        trouble
    } what;
    std::string domain, uri, words;
    std::chrono::sys_days day{};
};

class sender {
public:
    /// `policy_time` is the clock of days and waits, `real_time` of what others judge (dates, signatures).
    sender(io::loop& on, ways_out out, const base::clock& policy_time, const base::clock& real_time,
           sender_options options, std::function<void(const sender_event&)> tell = {});
    ~sender();
    void start();
    void stop(); ///< begins nothing new
    bool idle() const;
    /// Everything owed for a day, now (`report send`): due or not. What it did, for a person.
    struct day_result {
        std::uint64_t filed = 0, nobody_asks = 0, not_made = 0, sent = 0, waiting = 0, refused = 0,
                      suppressed = 0;
        std::vector<std::string> troubles;
    };
    io::task<store::result<day_result>> send_day(std::chrono::sys_days day);
    /// A mail came back.
    io::task<void> bounced(std::string message);
    struct figures {
        std::uint64_t filed = 0, nobody_asks = 0, not_made = 0, sent_mail = 0, sent_https = 0,
                      failed_tries = 0, refused = 0, given_up = 0, suppressed = 0;
        store::result_store::figures stored; ///< as of the last look
        std::string last_error;
        base::utc_seconds last_sent{}, last_error_at{};
    };
    figures counted() const;

private:
    struct state;
    std::shared_ptr<state> state_;
};

} // namespace mailtight::deliver
