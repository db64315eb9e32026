// SPDX-License-Identifier: Apache-2.0
// The inside of the issuer, for issuer*.cpp alone: issuer.cpp carries out an order, issuer_requests.cpp signs
// and sends, issuer_account.cpp makes and keeps the account, issuer_renewal.cpp asks when to renew.
#pragma once

#include "io/http_session.h"
#include "publish/acme_order.h"
#include "publish/issuer.h"
#include "publish/write_desk.h"

#include <chrono>
#include <deque>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>

namespace mailtight::publish {

struct issuer::state {
    struct account {
        base::ec_key key;
        std::string url;
    };
    using account_ptr = std::shared_ptr<const account>;

    state(io::loop& on_loop, io::resolver& dns, const io::tls_client& tls, const base::address_guard& guard,
          const base::clock& real_time, io::worker& store_thread, store::domain_store& store,
          const base::sealing_key& sealing, issuer_options given, issuer_hands with);

    // ---- issuer.cpp ----
    io::task<issued> run(store::due_work& work, std::string host, std::string asked_for);
    io::task<issued> follow(store::due_work& work, std::string host, std::string asked_for);
    /// Writes the order's memory down where it changed; "" or why not.
    io::task<std::string> keep(store::due_work& work, const acme_order& order, write_desk::weight how);
    io::task<std::string> put_answer(const order_step& step, std::string host, account_ptr as);
    io::task<> take_answer(order_step step, std::string host, account_ptr as);
    io::task<std::optional<issued>> may_order(std::string asked_for, bool exempt, acme_order& order);
    io::task<std::string> make_request(acme_order& order, std::string host, std::optional<base::ec_key>& key);
    io::task<issued> store_certificate(store::due_work& work, std::string host, const acme_order& order,
                                       std::string chain);
    io::task<std::string> replaced(std::string host);

    // ---- issuer_requests.cpp ----
    io::task<std::expected<void, std::string>> learn_directory();
    /// Signed and sent, with a fresh nonce as often as the authority refuses one. `as` null: signed by `key`
    /// alone. `once`: never sent again where no answer came.
    io::task<order_reply> post(account_ptr as, const base::ec_key* key, std::string url, std::string payload,
                               bool once);
    io::task<std::expected<std::string, std::string>> nonce();
    io::task<io::http_answer> get(std::string url);
    io::http_call call_to(std::string url) const;

    // ---- issuer_account.cpp ----
    /// The account, made where there is none. `anew`: the authority does not know the one we had.
    io::task<std::expected<account_ptr, std::string>> who(bool anew = false);
    io::task<std::expected<account_ptr, std::string>> load_account(bool anew);
    io::task<std::expected<account_ptr, std::string>> register_account(base::ec_key key);
    io::task<std::expected<account_ptr, std::string>> settle_key_change(std::string next_pem,
                                                                        account_ptr old);
    io::task<std::expected<void, std::string>> save_account(const base::ec_key& key, std::string url);
    std::string account_name() const { return "acme/" + options.directory + "/account"; }
    std::string next_key_name() const { return "acme/" + options.directory + "/next-key"; }

    /// A call of the store on its thread. An exception becomes the store's error.
    template<class T>
    io::task<store::result<T>> in_store(std::function<store::result<T>(store::domain_store&)> job) {
        co_return co_await thread.run<store::result<T>>(
            [to = &kept, job = std::move(job)] { return job(*to); });
    }
    /// The secret of this name, opened; nothing where there is none.
    io::task<std::expected<std::optional<std::string>, std::string>> secret(std::string name);
    io::task<std::expected<void, std::string>> put_secret(std::string name, std::string value);

    io::loop& loop;
    const base::clock& clock;
    io::worker& thread;
    store::domain_store& kept;
    const base::sealing_key& seal;
    issuer_options options;
    issuer_hands hands;
    io::http_session session;
    write_desk desk;
    io::semaphore orders, account_gate, directory_gate;

    wire::acme_directory directory;
    std::optional<io::loop::time_point> directory_at;
    account_ptr known;
    std::deque<std::string> nonces; ///< the newest at the end
    std::mt19937_64 dice;           ///< spreads tries; nothing secret
    counters count;
};

} // namespace mailtight::publish
