// SPDX-License-Identifier: Apache-2.0
// The clock of days and waits of mailtight-lab: the real one plus what POST /lab/ahead said at the control
// socket. Never part of the shipped program.
#include "app/policy_time.h"

#include <boost/json.hpp>

#include <atomic>
#include <cstdint>

namespace mailtight::app {

namespace {

class moved_clock final : public policy_clock {
public:
    base::utc_seconds now() const override { return system_.now() + ahead(); }
    std::chrono::seconds ahead() const override { return std::chrono::seconds(ahead_.load()); }
    /// Whether it was taken: a clock that went back would owe a day twice.
    bool set(std::int64_t seconds) {
        constexpr std::int64_t years = 10 * 366 * 86'400;
        if (seconds < ahead_.load() || seconds > years)
            return false;
        ahead_ = seconds;
        return true;
    }

private:
    base::system_clock system_;
    std::atomic<std::int64_t> ahead_ = 0; // the store's threads ask too
};

moved_clock& lab_clock() {
    static moved_clock one;
    return one;
}

/// `86400` or {"seconds":86400}: how far ahead it is from now on, in all.
std::string set_ahead(std::string_view body) {
    boost::system::error_code error;
    const auto said = boost::json::parse(body, error);
    const auto* object = error ? nullptr : said.if_object();
    const auto* seconds = object ? object->if_contains("seconds") : error ? nullptr : &said;
    const bool taken = seconds && seconds->is_int64() && lab_clock().set(seconds->as_int64());
    return boost::json::serialize(boost::json::object{{"taken", taken},
                                                      {"seconds", lab_clock().ahead().count()},
                                                      {"now", base::format_utc(lab_clock().now())}});
}

} // namespace

policy_clock& policy_time() {
    return lab_clock();
}

std::vector<lab_route> lab_routes() {
    return {{.path = "/lab/ahead", .answer = set_ahead}};
}

} // namespace mailtight::app
