// SPDX-License-Identifier: Apache-2.0
// Certificates in the daemon: the issuer with what it needs of the world, and the work that renews them when
// their time has come, or when a person says so. Lives on the loop; the store is used on its worker.
#pragma once

#include "app/daemon_core.h"
#include "app/publish_hands.h"
#include "publish/issuer.h"

#include <functional>
#include <initializer_list>
#include <memory>
#include <set>
#include <string>

namespace mailtight::app {

/// Orders of all who place them in this process, as one metric.
void tell_orders(base::metrics& to, std::initializer_list<publish::issuer::counters> all);

class certificate_desk {
public:
    /// All of it outlives the desk. `spread`: how long until every machine answers a challenge.
    certificate_desk(daemon_core& core, const publish_settings& say, io::worker& store_thread,
                     store::domain_store& kept, publish_hands& hands, std::chrono::milliseconds spread);
    ~certificate_desk();

    /// One order, under the lease of `work`: the carrier's hand.
    io::task<publish::done_by_hand> get(store::due_work& work, std::string domain);
    /// Takes what is due until stop().
    void start();
    void stop();
    bool idle() const { return under_way_ == 0; }
    io::task<std::expected<void, std::string>> change_account_key() { return issuer_->change_account_key(); }
    publish::issuer::counters counted() const { return issuer_->counted(); }

private:
    io::task<> follow();
    io::task<> renew(store::due_work work);
    /// Looks at the new certificate as senders do. False: they would refuse it, and the one before it is
    /// served again.
    io::task<bool> prove(store::due_work& work, const std::string& name);
    io::task<publish::preflight_verdict> preflight(std::string domain);
    io::task<std::string> dns_record(std::string name, std::string value, bool put);
    template<class T>
    io::task<store::result<T>> ask(std::function<store::result<T>(store::domain_store&)> question);

    daemon_core& core_;
    const publish_settings& say_;
    io::worker& store_thread_;
    store::domain_store& kept_;
    publish_hands& hands_;
    std::chrono::milliseconds spread_;
    std::unique_ptr<io::tls_client> own_roots_; ///< certificates.ca-file
    std::unique_ptr<publish::issuer> issuer_;
    std::size_t under_way_ = 0;
    bool stopping_ = false;
};

} // namespace mailtight::app
