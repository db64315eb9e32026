// SPDX-License-Identifier: Apache-2.0
// One order at a certificate authority as a state machine (RFC 8555 §7.1.6, §7.4, §7.5): what came back goes
// in, what is to be done next comes out. No socket, clock or key in here; what has to survive a crash is one
// value, written down before the step that needs it is carried out. A value that one coroutine owns.
#pragma once

#include "base/time.h"
#include "publish/challenge.h"
#include "wire/acme.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mailtight::publish {

struct order_wish {
    std::string host, profile;
    std::string replaces; ///< ARI's name of the certificate that is renewed; "" : none
    std::vector<challenge_kind> kinds;
};

/// What survives. An order is followed to its end wherever a process left it.
struct order_memory {
    std::string directory;   ///< whose URLs these are
    bool asked = false;      ///< an order was asked for; its URL is not known yet
    std::string order;       ///< its URL
    std::string replaces;    ///< as it was asked for
    std::string sealed_key;  ///< of the certificate to be
    std::string answer_kind; ///< the answer to a challenge that stands and is to be taken away
    std::string answer_token;
    /// Kinds of challenge that failed since the last success, and why.
    std::vector<std::pair<challenge_kind, std::string>> failed;
    bool empty() const { return !asked && order.empty() && failed.empty() && answer_kind.empty(); }
    friend bool operator==(const order_memory&, const order_memory&) = default;
};
std::string to_json(const order_memory& memory);
/// An empty one for anything else: then a new order is made.
order_memory read_order_memory(std::string_view json);

struct order_reply {
    int status = 0;    ///< 0: no answer; `error` says why
    std::string error; ///< in words
    std::string location, retry_after, body;
    std::string next; ///< the next page of a list (RFC 8288 rel="next")
};

struct order_step {
    enum class kind {
        create,   ///< POST `payload` to newOrder, once
        account,  ///< POST-as-GET of the account's own URL
        read,     ///< POST-as-GET of `url`
        tell,     ///< POST `payload` to `url`
        finalize, ///< POST a request signed with the order's key to `url`
        put,      ///< let the challenge of this kind be answered, everywhere
        take,     ///< take that answer away again
        wait,
        done,   ///< `chain` is the certificate
        failed, ///< `words`, `again`, `ours`
    } what = kind::failed;
    std::string url, payload;
    challenge_kind challenge = challenge_kind::tls_alpn_01;
    std::string token;
    std::chrono::milliseconds pause{0};
    std::string chain;
    std::string words;
    std::optional<std::chrono::seconds> again; ///< no sooner than
    bool ours = false;                         ///< no failed try of the name
};

class acme_order {
public:
    acme_order(order_wish wish, order_memory memory);
    /// The same until it was answered by one of the calls below.
    const order_step& next() const { return step_; }
    /// Before the order is made: the kinds of challenge that can succeed. Where none of those wished for is
    /// among them, all of them are tried.
    void only(const std::vector<challenge_kind>& possible);
    void replied(const order_reply& reply, base::utc_seconds now); ///< create, account, read, tell, finalize
    void put(const std::string& problem);                          ///< "" : the answer stands
    void taken();
    void waited();
    /// The certificate that came is not what was ordered.
    void refuse(const std::string& why);
    const order_memory& memory() const { return memory_; }
    void keep_key(std::string sealed) { memory_.sealed_key = std::move(sealed); }

private:
    enum class place {
        find_account,
        find_orders,
        find_order,
        create,
        order,
        authorization,
        tell,
        finalize,
        download
    };

    void go(place to);
    void fail(std::string words, std::optional<std::chrono::seconds> again, bool ours);
    void give_up(std::string words, bool ours);
    void create();
    void pause(place then, std::chrono::milliseconds at_least);
    void begin_anew();
    void on_refusal(const order_reply& reply, base::utc_seconds now);
    void on_created(const order_reply& reply, base::utc_seconds now);
    void on_order(const wire::acme_order& order, const order_reply& reply, base::utc_seconds now);
    void on_invalid(const wire::acme_order& order, base::utc_seconds now);
    void on_authorization(const wire::acme_authorization& seen, const order_reply& reply,
                          base::utc_seconds now);
    void on_failed(const wire::acme_authorization& seen);
    void on_list(const order_reply& reply);
    void on_candidate(const order_reply& reply);
    void choose(const wire::acme_authorization& seen);
    void poll(place where, const order_reply& reply, base::utc_seconds now);
    bool has_failed(challenge_kind kind) const;
    const wire::acme_challenge* answered(const wire::acme_authorization& seen) const;

    order_wish wish_;
    order_memory memory_;
    order_step step_;
    place at_ = place::create, after_ = place::create;
    bool taking_ = false;
    bool without_replaces_ = false;
    bool told_ = false;
    bool authorization_seen_ = false;
    bool proven_ = false; ///< the authorization is valid
    std::string challenge_url_, authorization_url_, finalize_url_, certificate_url_;
    std::string page_;                    ///< of the account's list of orders
    std::vector<std::string> candidates_; ///< orders of the account that may be ours
    std::optional<order_step> ending_;    ///< what is said when the answer was taken away
    unsigned orders_ = 0, polls_ = 0, steps_ = 0, not_ready_ = 0, lost_ = 0, pages_ = 0;
    std::chrono::milliseconds waited_{0};
};

/// "" where the chain is for this host alone, is valid now and begins with a certificate of this key.
std::string fault_of_chain(std::string_view chain, const base::ec_key& key, std::string_view host,
                           base::utc_seconds now);

} // namespace mailtight::publish
