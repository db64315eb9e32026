// SPDX-License-Identifier: Apache-2.0
// The hands of the publisher: looking at a domain, asking its reports, writing records, fetching back a
// policy. The daemon and the commands have the same ones. Lives on the loop; the stores are used on the
// worker's thread.
#pragma once

#include "app/publish_settings.h"
#include "app/situation_of.h"
#include "app/world.h"
#include "insight/known_today.h"
#include "publish/carrier.h"
#include "publish/dns_push.h"
#include "store/domains.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace mailtight::app {

/// All of it outlives the hands.
struct publish_needs {
    world& with;
    const settings& set;
    const publish_settings& say;
    io::worker& store_thread;
    const base::clock& policy_time;
    /// Where reports about this domain of ours arrive; empty: nowhere here.
    std::function<std::vector<std::string>(const std::string& domain)> report_addresses;
    store::domain_store* kept = nullptr; ///< what earlier looks saw; on the store's thread
};

class publish_hands {
public:
    explicit publish_hands(publish_needs needs);
    ~publish_hands();

    /// Without get_certificate, which is the issuer's.
    publish::hands all();

    struct look_result {
        publish::looked told;
        model::observation seen;
        advise::judgement judged;
    };
    /// As `check` looks, and judged with what earlier looks saw; `shared`: together with others of the last
    /// minutes, whose probes of the same mail servers count.
    io::task<look_result> look(model::looked_after wish, bool shared = false,
                               observe::progress_fn progress = {});
    /// Records and file alone.
    io::task<look_result> glance(std::string domain);
    io::task<model::enforce_evidence> evidence(std::string domain);
    io::task<publish::done_by_hand> write_records(model::looked_after wish,
                                                  std::vector<plan::record_change> changes);
    /// The policy host asked at each of its addresses; the error is for a person.
    io::task<std::expected<std::vector<model::fetch_fact>, std::string>> fetch_all(std::string domain);
    /// The policy over every address of its host; the error is for a person.
    io::task<std::expected<std::string, std::string>> fetch(std::string domain);
    void configured(const model::looked_after& wish, plan::remembered& past) const;
    publish::dns_pusher& pusher();
    struct state;

private:
    std::unique_ptr<state> state_;
};

/// What a push came to, in the carrier's words.
publish::done_by_hand told_of(const publish::pushed& done);

} // namespace mailtight::app
