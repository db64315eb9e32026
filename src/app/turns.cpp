// SPDX-License-Identifier: Apache-2.0
#include "app/turns.h"

#include "app/sending.h"
#include "app/store_access.h"

namespace mailtight::app {

namespace {
/// Longer than a poll or a letter takes, short enough that another machine takes over soon.
constexpr std::chrono::seconds turn_time{900};
} // namespace

turns::turns(io::loop& on, const settings& from)
    : shared_(store::is_postgres(store_place(from)))
    , where_(store_place(from))
    , machine_(machine_name_of(from)) {
    if (shared_)
        worker_ = std::make_unique<io::worker>(on, "turns");
}

io::task<bool> turns::ours(std::string what) {
    if (!shared_)
        co_return true;
    co_return co_await worker_->run<bool>([side = side_, where = where_, who = machine_, what] {
        if (!side->kept) {
            auto opened = store::open_domains({.where = where});
            if (!opened)
                return false;
            side->kept = std::move(*opened);
        }
        if (const auto mine = side->held.find(what); mine != side->held.end()) {
            const auto kept = side->kept->renew_lease(mine->second, turn_time);
            if (kept && *kept)
                return true;
            side->held.erase(mine);
            if (!kept)
                return false;
        }
        auto taken = side->kept->take_lease("turn/" + what, who, turn_time);
        if (!taken || !*taken)
            return false;
        side->held[what] = std::move(**taken);
        return true;
    });
}

} // namespace mailtight::app
