// SPDX-License-Identifier: Apache-2.0
// What the routes work with: the services of the daemon, given by app/. Everything outlives the sites.
#pragma once

#include "api/few_at_once.h"
#include "deliver/sender.h"
#include "resolve/reply.h"
#include "resolve/service.h"
#include "store/policies.h"
#include "store/results.h"
#include "tally/read_event.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace mailtight::api {

/// A part of what the database holds of destinations, in order of their names.
struct stored_page {
    std::vector<model::kept_policy> rows;
    bool more = false;
};

/// Where results of deliveries go that are told over HTTP.
struct result_sink {
    std::function<void(const tally::told&)> take;
    std::function<void(const tally::read_error&)> refused; ///< for the figures
    /// Returns when everything taken before is durable, or says why not; it is written later then.
    std::function<io::task<store::result<void>>()> written;
    /// The database is away and memory for what waits is used up: more would be lost. May be empty.
    std::function<bool()> full;
    bool on() const { return take != nullptr; }
};

/// Our own reports: what was filed, where it goes, who gets nothing. Asked on threads of its own.
class outbox {
public:
    virtual ~outbox() = default;
    virtual io::task<store::result<std::vector<model::outgoing_report>>>
    list(store::result_store::outbox_question which) = 0;
    virtual io::task<store::result<std::optional<model::outgoing_report>>> report(std::int64_t number) = 0;
    virtual io::task<store::result<std::vector<store::suppressed_address>>> suppressed() = 0;
    virtual io::task<store::result<void>> suppress(store::suppressed_address value) = 0;
    virtual io::task<store::result<bool>> allow_again(std::string who) = 0;
    /// Whether [deliver] is on; send_day() is for then.
    virtual bool sends() const = 0;
    virtual base::utc_seconds now() const = 0; ///< the clock that decides which days are over
    virtual io::task<store::result<deliver::sender::day_result>> send_day(std::chrono::sys_days day) = 0;
};

class domain_desk;   ///< api/domain_desk.h
class look_desk;     ///< api/look_desk.h
class received_desk; ///< api/received_desk.h
class system_desk;   ///< api/system_desk.h
class access_desk;   ///< api/access_desk.h

struct context {
    io::loop& loop;
    const base::clock& clock;
    resolve::service* policies = nullptr; ///< null: [resolve] is off
    resolve::reply_options replies;
    /// Those after this domain, at most so many, with `contains` in their name; asked of the database on a
    /// thread of its own.
    std::function<io::task<store::result<stored_page>>(std::string after, std::size_t limit,
                                                       std::string contains)>
        stored;
    result_sink results;                    ///< empty: [collect] is off
    outbox* reports = nullptr;              ///< null: neither [collect] nor [deliver] is on
    domain_desk* domains = nullptr;         ///< null: there is no store
    look_desk* looks = nullptr;             ///< null: this listener serves no pages
    received_desk* received = nullptr;      ///< null: there is no store
    system_desk* system = nullptr;          ///< null: this listener serves no pages
    access_desk* access = nullptr;          ///< null: as above
    std::string version;                    ///< of the program
    few_at_once live_looks = few_at_once(); ///< at the policies of destinations; whoever asks, on any site
};

} // namespace mailtight::api
