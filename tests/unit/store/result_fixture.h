// SPDX-License-Identifier: Apache-2.0
// Results, reports and a database of each engine for the tests of the report sender's part.
#pragma once

#include "store/postgres/engine.h"
#include "store/results.h"
#include "store/sqlite/engine.h"
#include "unit/store/engines.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace mailtight::result_tests {

inline constexpr std::chrono::sys_days the_day{std::chrono::year(2026) / 5 / 3};
inline constexpr std::chrono::seconds minute{60}, four_hours{14'400}, a_day{86'400};
inline base::utc_seconds at(std::int64_t seconds) {
    return base::utc_seconds(std::chrono::seconds(seconds));
}
inline base::utc_seconds end_of_day() {
    return base::utc_seconds(the_day + std::chrono::days(1));
}

inline model::counted_result sts_result(const std::string& domain, std::uint64_t success,
                                        std::uint64_t failure) {
    return {.day = the_day,
            .domain = domain,
            .policy = {.type = tlsrpt::policy_type::sts,
                       .domain = domain,
                       .strings = {"version: STSv1", "mode: enforce", "mx: mx." + domain, "max_age: 604800"},
                       .mx_patterns = {"mx." + domain, "*.\"odd\"." + domain}},
            .success = success,
            .failure = failure,
            .faults = {},
            .record_seen = {}};
}
inline model::counted_result tlsa_result(const std::string& domain, const std::string& base,
                                         std::uint64_t success, std::uint64_t failure) {
    return {.day = the_day,
            .domain = domain,
            .policy = {.type = tlsrpt::policy_type::tlsa,
                       .domain = base,
                       .strings = {"3 1 1 " + std::string(64, 'a')},
                       .mx_patterns = {}},
            .success = success,
            .failure = failure,
            .faults = {},
            .record_seen = {}};
}
inline model::session_fault full_fault() {
    return {.type = tlsrpt::result_type::certificate_expired,
            .sending_mta_ip = "192.0.2.1",
            .receiving_mx = "mx.a.example",
            .receiving_mx_helo = "helo.a.example",
            .receiving_ip = "2001:db8::1",
            .additional_information = "https://a.example/\"why\"",
            .reason_code = "X509_V_ERR_CERT_HAS_EXPIRED"};
}
inline model::outgoing_delivery a_delivery(const std::string& address) {
    model::outgoing_delivery out;
    out.uri = "mailto:" + address;
    out.address = address;
    out.host = address.substr(address.find('@') + 1);
    return out;
}
inline model::outgoing_report a_report(const std::string& domain) {
    model::outgoing_report out;
    out.domain = domain;
    out.report_id = "id-of@" + domain;
    out.file_name = "file!" + domain;
    out.body = std::string("\x1f\x8b\0body", 7);
    out.deliveries = {a_delivery("tls@" + domain)};
    return out;
}
inline std::vector<std::pair<std::string, std::int64_t>> times_of(const std::vector<model::due_report>& of) {
    std::vector<std::pair<std::string, std::int64_t>> out;
    for (const auto& each : of)
        out.emplace_back(each.domain, each.due_at.time_since_epoch().count());
    return out;
}

} // namespace mailtight::result_tests

namespace mailtight::store {

class result_fixture : public testing::TestWithParam<engine> {
protected:
    database db{GetParam()};

    std::unique_ptr<result_store> open() const {
        auto opened = open_results({.where = db.where(), .wait_for_lock = std::chrono::seconds(60)});
        if (!opened)
            throw std::runtime_error(opened.error().message);
        return std::move(*opened);
    }
    /// Whether the batch was new; the test fails where it could not be written.
    static bool add(result_store& to, const std::vector<model::counted_result>& results,
                    std::int64_t number = 1, const std::string& machine = "m",
                    std::vector<std::pair<std::string, std::string>> marks = {}, std::size_t faults = 1'000) {
        const auto done =
            to.add({.machine = machine, .number = number, .results = results, .marks = std::move(marks)},
                   result_tests::four_hours, faults);
        EXPECT_TRUE(done) << done.error().message;
        return done && *done;
    }
    static std::vector<model::counted_result>
    unreported(result_store& from, const std::string& domain,
               model::report_audience audience = model::report_audience::recipient_domain) {
        auto got = from.results(result_tests::the_day, domain, audience, false);
        EXPECT_TRUE(got) << got.error().message;
        return got ? std::move(*got) : std::vector<model::counted_result>();
    }
    static result<std::optional<std::int64_t>> file_all(result_store& to, const model::due_report& due) {
        return to.file(due, [&](auto, std::uint32_t part) {
            auto made = result_tests::a_report(due.domain);
            made.report_id = std::to_string(part) + made.report_id;
            return std::optional(made);
        });
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
