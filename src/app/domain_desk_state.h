// SPDX-License-Identifier: Apache-2.0
// The inside of the domains' desk, for domain_desk*.cpp alone: domain_desk.cpp opens and asks,
// domain_desk_keeping.cpp adds and changes, domain_desk_names.cpp says what
// tenants may add, domain_desk_plans.cpp looks, plans and carries out. Lives on the
// loop; the stores are used on the thread alone.
#pragma once

#include "app/daemon_core.h"
#include "app/domain_desk.h"
#include "app/domain_wish.h"
#include "app/overview_keeper.h"
#include "app/planning.h"
#include "app/publish_part.h"
#include "store/access.h"

#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>

namespace mailtight::app {

class daemon_domain_desk final : public api::domain_desk {
public:
    daemon_domain_desk(daemon_core& core, publish_settings say);
    ~daemon_domain_desk() override;

    io::task<api::told<api::overview_page>> overview(api::overview_question which) override;
    io::task<api::told<std::string>> overview_table(api::overview_question which) override;
    io::task<api::told<std::map<std::string, std::size_t>>> labels(std::optional<std::string> owner) override;
    io::task<api::told<api::domain_file>> find(std::string domain, api::caller by) override;
    io::task<api::told<api::domain_file>> add(api::domain_addition what, api::caller by) override;
    io::task<api::told<api::domain_file>> change(std::string domain, std::int64_t revision,
                                                 api::wish_change what, api::caller by) override;
    io::task<api::told<void>> remove(std::string domain, bool force, std::string why,
                                     api::caller by) override;
    io::task<api::told<plan::plan>> plan(std::string domain, api::plan_question which,
                                         api::caller by) override;
    io::task<api::told<api::step_outcome>> step(std::string domain, api::step_request what,
                                                api::caller by) override;
    io::task<api::told<api::dns_answer>> records(std::string domain, api::dns_question which,
                                                 api::caller by) override;
    io::task<api::told<api::domain_past>> past(std::string domain, std::int64_t before, std::size_t limit,
                                               api::caller by) override;
    io::task<api::told<model::enforce_evidence>> readiness(std::string domain, api::caller by) override;

private:
    using rows = std::shared_ptr<const api::overview_rows>;

    // ---- domain_desk.cpp ----
    /// The store, open; it is opened by the first who asks.
    io::task<api::told<void>> ready();
    template<class T>
    io::task<store::result<T>> ask(std::function<store::result<T>(store::domain_store&)> question) {
        co_return co_await worker_.run<store::result<T>>(
            [question = std::move(question), kept = kept_] { return question(*kept); });
    }
    /// The domain, where they may see it.
    io::task<api::told<model::looked_after>> theirs(std::string domain, const api::caller& by);
    io::task<api::told<api::overview_page>> pick(api::overview_question which);
    io::task<api::domain_file> file_of(model::looked_after wish, bool with_look);

    // ---- domain_desk_keeping.cpp ----
    /// What follows from a change: work that is due, the other parts told.
    io::task<> tell(model::looked_after wish);
    /// Whether the tenant may add a name that nobody looks after; the refusal says what to publish.
    io::task<api::told<void>> may_have(std::string domain, std::string owner);
    /// Why the record is no proof; "" : it is one. Asks the domain's own name servers, past every cache.
    io::task<std::string> why_unproven(api::refusal::dns_record wanted);

    // ---- domain_desk_plans.cpp ----
    struct looked {
        planned made;
        base::utc_seconds at{}; ///< of the clock by which plans wait
    };
    planning_needs needs();
    /// From a look of the last minutes where `fresh` does not say otherwise.
    io::task<api::told<planned>> plan_of(model::looked_after wish, bool fresh);
    io::task<std::expected<publish::carried, std::string>> carry(std::string domain, std::string who);
    io::task<advise::suggestion_options> wished(model::looked_after wish);

    daemon_core& core_;
    publish_settings say_;
    std::shared_ptr<store::domain_store> kept_; ///< null until it was opened
    std::unique_ptr<publish_hands> hands_;
    std::unique_ptr<publish::carrier> own_; ///< carries out what a person says where no part does
    std::map<std::string, looked> looks_;
    std::size_t looking_ = 0;
    std::shared_ptr<store::access_store> access_; ///< null until a tenant first added something
    std::set<std::string> proving_;               ///< owners whose records are looked at just now
    bool opening_ = false;
    io::worker worker_;
    overview_keeper table_;
};

api::refusal store_away(const store::store_error& error);
api::refusal refuse(api::refusal::kind what, std::string words);
/// The option of the command line as the API calls it.
api::refusal refuse(const wish_fault& fault);
domain_wishes wishes_of(const api::wish_change& said, const model::looked_after& now);

} // namespace mailtight::app
