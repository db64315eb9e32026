// SPDX-License-Identifier: Apache-2.0
#include "app/system_desk.h"

#include "app/certificate_rows.h"
#include "app/daemon_core.h"
#include "app/doctor_host.h"
#include "app/domain_asker.h"
#include "app/policy_time.h"
#include "app/publish_part.h"
#include "app/result_days.h"
#include "resolve/service.h"

#include <array>
#include <chrono>
#include <memory>
#include <utility>

namespace mailtight::app {

namespace {

using namespace std::chrono_literals;

/// The last look at this host; it goes out to the network, so one look at a time, and not too often.
class host_memory {
public:
    static constexpr std::chrono::seconds lasts = 10min, at_least_between = 10s, answered_after = 5s;

    explicit host_memory(daemon_core& core)
        : core_(core)
        , thread_(core.loop(), "doctor") {}

    static io::task<api::doctor_view> see(std::shared_ptr<host_memory> self, bool again) {
        auto& loop = self->core_.loop();
        const auto age = self->looked_ ? loop.now() - *self->looked_ : io::loop::clock::duration::max();
        if (!self->looking_ && (age > lasts || (again && age > at_least_between))) {
            self->looking_ = true;
            loop.spawn(look(self));
        }
        for (const auto until = loop.now() + answered_after; self->looking_ && loop.now() < until;)
            co_await loop.sleep_for(50ms);
        co_return api::doctor_view{
            .looked_at = self->looked_at_, .looking = self->looking_, .checks = checks_json(self->rows_)};
    }

private:
    static io::task<> look(std::shared_ptr<host_memory> self) {
        auto& core = self->core_;
        auto set = std::make_shared<const settings>(core.set);
        auto seen = std::make_shared<host_seen>(co_await look_at_host(*core.with, *set));
        co_await self->thread_.run<void>([seen, set] { add_mail_servers(*seen, *set); });
        self->rows_ = std::move(seen->rows);
        self->looked_at_ = core.now();
        self->looked_ = core.loop().now();
        self->looking_ = false;
    }

    daemon_core& core_;
    std::vector<check_row> rows_;
    std::optional<base::utc_seconds> looked_at_;
    std::optional<io::loop::time_point> looked_;
    bool looking_ = false;
    io::worker thread_;
};

class daemon_system_desk final : public api::system_desk {
public:
    explicit daemon_system_desk(daemon_core& core)
        : core_(core)
        , domains_(core.loop(), store_place(core.set))
        , host_(std::make_shared<host_memory>(core))
        , results_(core.loop(), results_opener(core.set)) {}

    io::task<boost::json::object> status() override { return status_of(core_); }

    io::task<api::doctor_view> doctor(bool again) override { return host_memory::see(host_, again); }

    io::task<store::result<boost::json::array>> certificates() override {
        auto folder = core_.hosting ? core_.hosting->from_folder() : std::vector<folder_certificate>();
        return domains_.ask<boost::json::array>(
            [folder = std::move(folder),
             now = core_.now()](store::domain_store& from) -> store::result<boost::json::array> {
                const auto rows = certificate_rows(from, folder, now);
                if (!rows)
                    return std::unexpected(rows.error());
                return certificates_json(*rows);
            });
    }

    io::task<store::result<api::sending_view>> sending() override {
        api::sending_view made;
        if (const auto* service = core_.api->policies) {
            const auto figures = service->counted();
            const auto held = service->policies().counted();
            made.policies = true;
            made.destinations = service->policies().size();
            made.enforce = held.enforce;
            made.testing = held.testing;
            made.none = held.none;
            made.without = held.without;
            made.answers = figures.answers;
            for (std::size_t i = 0; i < figures.decisions.size(); ++i)
                made.said.emplace_back(resolve::to_string(static_cast<resolve::decision>(i)),
                                       figures.decisions[i]);
        }
        made.results = core_.collecting != nullptr;
        made.reports = core_.delivering != nullptr;
        if (!core_.desk) // neither results nor reports
            co_return made;
        auto counted = co_await results_.see(policy_time().now());
        if (!counted)
            co_return std::unexpected(counted.error());
        made.days = std::move(counted->days);
        made.failures = std::move(counted->failures);
        made.outbox = counted->outbox;
        co_return made;
    }

private:
    daemon_core& core_;
    domain_asker domains_;
    std::shared_ptr<host_memory> host_;
    result_days results_;
};

} // namespace

std::unique_ptr<api::system_desk> make_system_desk(daemon_core& core) {
    return std::make_unique<daemon_system_desk>(core);
}

} // namespace mailtight::app
