// SPDX-License-Identifier: Apache-2.0
// Domains, policies and a database of each engine for the tests of the publisher's part.
#pragma once

#include "store/domains.h"
#include "store/postgres/engine.h"
#include "store/sqlite/engine.h"
#include "unit/store/engines.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace mailtight::domain_tests {

inline constexpr std::chrono::seconds minute{60}, hour{3'600}, day{86'400}, lag{5};
/// Seconds after a morning in May.
inline base::utc_seconds at(std::int64_t seconds) {
    return base::utc_seconds(std::chrono::sys_days(std::chrono::year(2026) / 5 / 3) +
                             std::chrono::seconds(seconds));
}

inline model::looked_after wish(std::string domain) {
    model::looked_after out;
    out.domain = std::move(domain);
    return out;
}
inline model::looked_after full_wish(std::string domain) {
    auto out = wish(std::move(domain));
    out.owner = "tenant 7";
    out.aim = model::aim::enforce;
    out.max_age = 604'800;
    out.mx = {"mx1.a.example", "*.b.example"};
    out.mx_adding = {"mx2.a.example"};
    out.mx_removing = {"mx0.a.example"};
    out.rua = {"mailto:tls@a.example", "https://a.example/\"tlsrpt\""};
    out.host = model::hosting::delegated;
    out.policy_host = "host.a.example";
    out.sts_target = "_mta-sts.host.a.example";
    out.dns = model::dns_way::update;
    out.dns_server = "primary";
    out.leave = model::leave::all;
    out.off = model::off_way::by_expiry;
    out.keep_mx = true;
    out.paused = true;
    out.labels = {"shop", "düsseldorf"};
    out.like = "old.example";
    out.marks = {{"report-way", {.at = at(3), .by = "anna", .text = "a report arrived"}}};
    return out;
}

inline std::string body_of(std::string_view mode, std::uint64_t max_age, std::string_view mx = "mx.example") {
    return "version: STSv1\r\nmode: " + std::string(mode) + "\r\nmx: " + std::string(mx) +
           "\r\nmax_age: " + std::to_string(max_age) + "\r\n";
}

inline model::watched_state state(std::string domain, std::int64_t seen, std::string verdict = "protected") {
    return {.domain = std::move(domain),
            .first = at(seen),
            .last = at(seen),
            .verdict = std::move(verdict),
            .record_id = "20260503",
            .policy_sha256 = std::string(64, 'a'),
            .policy = body_of("enforce", 604'800),
            .mx = {"mx1.example", "mx2.example"},
            .findings = {"mx.certificate mx1.example"},
            .full = true};
}

inline std::vector<std::string> names_of(const auto& rows) {
    std::vector<std::string> out;
    for (const auto& each : rows)
        out.push_back(each.domain);
    return out;
}

} // namespace mailtight::domain_tests

namespace mailtight::store {

class domain_fixture : public testing::TestWithParam<engine> {
protected:
    database db{GetParam()};

    std::unique_ptr<domain_store> open() const {
        auto opened = open_domains({.where = db.where(), .wait_for_lock = std::chrono::seconds(60)});
        if (!opened)
            throw std::runtime_error(opened.error().message);
        return std::move(*opened);
    }
    static domain_store::saved save(domain_store& to, const model::looked_after& value,
                                    std::int64_t when = 0) {
        const auto done = to.save(value, "anna", "a reason", domain_tests::at(when));
        EXPECT_TRUE(done) << done.error().message;
        return done.value_or(domain_store::saved::absent);
    }
    /// Under a lease of its own; the test fails where it is not written.
    static void publish(domain_store& to, const std::string& domain, const std::string& body,
                        const std::string& id, std::int64_t when) {
        const auto held = to.take_lease("plan/" + domain, "m", domain_tests::minute);
        ASSERT_TRUE(held) << held.error().message;
        ASSERT_TRUE(*held);
        const auto done =
            to.publish({.domain = domain, .body = body, .id = id, .since = domain_tests::at(when)}, **held,
                       "m", domain_tests::lag);
        ASSERT_TRUE(done) << done.error().message;
        EXPECT_TRUE(*done);
        EXPECT_TRUE(to.release_lease(**held));
    }
    std::unique_ptr<sql::connection> connect() const {
        const open_options options{.where = db.where()};
        return GetParam() == engine::sqlite ? sqlite::connect(options) : postgres::connect(options);
    }
    std::int64_t rows_of(const std::string& table) const {
        return connect()->number("select count(*) from " + table).value_or(-1);
    }
    /// When leases of a second, given at that time, are over.
    static base::utc_seconds let_leases_end(base::utc_seconds given) {
        if (GetParam() == engine::postgres) // by its own clock
            std::this_thread::sleep_for(std::chrono::milliseconds(1'100));
        return given + std::chrono::seconds(1);
    }
};

} // namespace mailtight::store
