// SPDX-License-Identifier: Apache-2.0
// The resolver that the product uses: cache, coalescing, a bound on the questions under way, and the facts
// made of the outcomes, over either backend. The loop's thread only.
#pragma once

#include "io/dns_cache.h"
#include "io/resolver.h"

namespace mailtight::io {

class caching_resolver final : public resolver {
public:
    caching_resolver(loop& on, std::unique_ptr<dns_backend> backend, std::size_t in_flight,
                     std::size_t cache_entries);

    task<model::txt_fact> txt(std::string name) override;
    task<model::mx_set_fact> mx(std::string name) override;
    task<model::address_fact> addresses(std::string name) override;
    task<model::tlsa_fact> tlsa(std::string name) override;
    task<model::caa_fact> caa(std::string name) override;
    task<model::ns_fact> ns(std::string name) override;
    task<model::dns_fact> soa(std::string name) override;
    task<model::dns_fact> cname(std::string name) override;
    task<model::ptr_fact> ptr(base::ip_address of) override;
    void forget(std::string_view name) override;
    std::string description() const override { return backend_->description(); }
    resolver_counters counters() const override { return counters_; }

private:
    struct under_way {
        explicit under_way(loop& on)
            : done(on) {}
        event done;
        std::shared_ptr<const dns_lookup> result;
    };
    struct outcome {
        std::shared_ptr<const dns_lookup> lookup;
        std::uint32_t ttl = 0; ///< what is left of it
        std::string name;      ///< canonical
    };
    task<outcome> look_up(std::string name, wire::dns_type type);
    task<std::shared_ptr<const dns_lookup>> ask_once(wire::dns_question question);
    /// Fills what all facts share, and gives the records to read.
    template<class Fact>
    task<std::shared_ptr<const dns_lookup>> fill(Fact& into, std::string name, wire::dns_type type);

    loop& loop_;
    std::unique_ptr<dns_backend> backend_;
    dns_cache cache_;
    semaphore gate_;
    std::unordered_map<std::string, std::shared_ptr<under_way>> asking_;
    resolver_counters counters_;
};

} // namespace mailtight::io
