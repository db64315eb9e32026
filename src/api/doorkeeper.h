// SPDX-License-Identifier: Apache-2.0
// The gate and the desk behind it, over the store of who may ask. doorkeeper.cpp is the gate,
// doorkeeper_login.cpp gives out sessions, doorkeeper_desk.cpp keeps tokens and people.
//
// What was looked up is remembered for at most two seconds, so that a token taken away on another machine is
// refused soon after, and a page with ten questions asks the store once. Passwords are looked at by two
// threads of their own, one password each at a time; who waits beyond a few is told to come again. Lives on
// the loop; the store's calls run on workers.
#pragma once

#include "api/access_desk.h"
#include "api/attempts.h"
#include "api/audit_book.h"
#include "base/crypto/password.h"
#include "io/worker.h"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace mailtight::api {

using open_access_fn = std::function<store::result<std::unique_ptr<store::access_store>>()>;

struct doorkeeper_options {
    /// Names that browsers may know us by, beside addresses and localhost. Where none is given, every name is
    /// ours over TLS, whose certificate vouches for it, and through a trusted proxy.
    std::vector<std::string> hosts;
    std::chrono::seconds session{std::chrono::hours(12)};
    std::chrono::seconds keep_audit{std::chrono::hours(24 * 365)};
    std::string proxy_user_header; ///< lower case; "" : names of proxies are not believed
    std::vector<base::ip_network> trusted_proxies;
    std::optional<role> proxy_role; ///< of those whom a proxy names and we do not know; nothing: refused
    attempts::limit per_client{.most = 10, .each_after = std::chrono::seconds(30)};
    attempts::limit per_user{.most = 10, .each_after = std::chrono::seconds(60)};
    attempts::limit wrong_tokens{.most = 30, .each_after = std::chrono::seconds(2)};
    base::password_cost cost;
    std::function<base::utc_seconds()> days; ///< the clock of days and waits; empty: the other one
    std::function<parts_on()> parts;
    /// Told what goes into the audit log too, and troubles of writing it. May be empty.
    std::function<void(const store::audit_entry&, bool refused)> told;
    std::function<void(std::string_view)> complain;
};

class doorkeeper final : public gate, public access_desk {
public:
    doorkeeper(io::loop& on, const base::clock& clock, open_access_fn open, doorkeeper_options options);
    ~doorkeeper() override;

    // ---- the gate ----
    std::optional<wire::http_reply> at_the_door(const io::http_exchange& asked, bool open) override;
    io::task<std::expected<caller, wire::http_reply>> enter(const io::http_exchange& asked,
                                                            bool changes) override;
    void noted(const caller* who, const io::http_exchange& asked, int status,
               std::string_view subject) override;

    // ---- the desk ----
    io::task<std::expected<logged_in, wire::http_reply>> log_in(credentials shown,
                                                                const io::http_exchange& asked) override;
    io::task<store::result<std::string>> log_out(const io::http_exchange& asked) override;
    io::task<store::result<std::vector<store::access_token>>> tokens() override;
    io::task<store::result<std::optional<std::string>>>
    add_token(store::granted to, std::optional<base::utc_seconds> expires_at) override;
    io::task<store::result<bool>> remove_token(std::string name) override;
    io::task<store::result<std::vector<store::access_user>>> users() override;
    io::task<store::result<std::optional<store::access_user>>>
    put_user(store::granted to, std::optional<std::string> password) override;
    io::task<store::result<bool>> remove_user(std::string name) override;
    io::task<store::result<std::optional<std::string>>> make_link(std::string person,
                                                                  base::utc_seconds until) override;
    io::task<store::result<std::vector<store::allowed_name>>>
    allowed_names(std::optional<std::string> owner, store::allowed_name after, std::size_t limit) override;
    io::task<store::result<std::size_t>> allow_names(std::string owner,
                                                     std::vector<std::string> names) override;
    io::task<store::result<std::size_t>> disallow_names(std::string owner,
                                                        std::vector<std::string> names) override;
    io::task<store::result<std::vector<store::audit_entry>>> audit(std::int64_t before,
                                                                   std::size_t limit) override;
    base::utc_seconds now() const override;
    parts_on parts() const override;

    /// Writes what waits and drops what ended, until stop().
    io::task<> keep();
    void stop() { stopped_ = true; }
    bool idle() const { return !keeping_; }
    /// Writes what waits, now.
    io::task<> flush();
    std::uint64_t audit_lost() const { return book_.lost(); }

    /// Who may, from the settings as they are now.
    void change(doorkeeper_options options) { options_ = std::move(options); }

private:
    using time_point = std::chrono::steady_clock::time_point;
    /// What a digest stands for; nobody: it was looked up, and there is none.
    struct known {
        std::optional<caller> who;
        std::string from;
        time_point until{};
    };
    /// The store of one thread.
    struct counter {
        std::unique_ptr<store::access_store> store;
        io::worker worker;
        counter(io::loop& on, const char* name)
            : worker(on, name) {}
    };
    using refusal = wire::http_reply;

    template<class T>
    io::task<store::result<T>> ask(counter& at, std::function<store::result<T>(store::access_store&)> what);

    bool through_proxy(const io::http_exchange& asked) const;
    bool speaks_tls(const io::http_exchange& asked) const; ///< the browser, with us or with the proxy
    bool may_say_secrets(const io::http_exchange& asked) const;
    /// The refusal of a page that is not ours; nothing where it is, or no browser asks.
    std::optional<refusal> foreign_page(const io::http_exchange& asked, bool changes) const;
    std::optional<refusal> wrong_csrf(const io::http_exchange& asked, const caller& who) const;
    /// One who comes with a credential that is wrong.
    refusal wrong(const io::http_exchange& asked, std::string_view words);

    io::task<std::expected<caller, refusal>> by_token(const io::http_exchange& asked, std::string token);
    io::task<std::expected<std::optional<caller>, refusal>> by_session(std::string secret);
    io::task<std::expected<caller, refusal>> by_proxy(const io::http_exchange& asked, std::string name);

    io::task<std::expected<store::access_session, refusal>> session_for(const credentials& shown);
    io::task<bool> right_password(std::string encoded, std::string password);
    std::optional<caller> remembered(const std::string& digest, bool& looked_up);
    void remember(const std::string& digest, std::optional<caller> who);
    void forget_all();
    /// That it was used, once a minute.
    void touch(std::string_view kind, const std::string& key);
    void note(std::string who, const io::http_exchange& asked, std::string what, std::string subject,
              int status);

    io::loop& loop_;
    const base::clock& clock_;
    open_access_fn open_;
    doorkeeper_options options_;
    counter looks_, writes_;
    io::worker hashing_[2];
    bool hashes_[2] = {};
    io::semaphore hands_;
    std::size_t hashing_now_ = 0; ///< and waiting
    std::unordered_map<std::string, known> memory_;
    /// Digests that were right within the hour: they are looked up even where their client is out of
    /// attempts, so that somebody beside them on the same address cannot shut them out.
    std::unordered_map<std::string, time_point> right_of_late_;
    std::unordered_map<std::string, time_point> touched_;
    std::vector<std::pair<std::string, std::string>> to_touch_; ///< kind and key
    attempts clients_, people_, wrong_;
    std::unordered_map<std::string, time_point> logins_; ///< "client user" that was right within a month
    std::string csrf_key_;
    audit_book book_;
    bool stopped_ = false, keeping_ = false;
    bool audit_waits_ = false; ///< the database does not take it, which was said
};

} // namespace mailtight::api
