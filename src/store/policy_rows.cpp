// SPDX-License-Identifier: Apache-2.0
// A policy is kept as the bytes that were fetched and parsed again when it is read: one truth, and a row that
// somebody else wrote cannot hold what our parser would refuse.
#include "store/policy_rows.h"

#include "base/text.h"
#include "sts/policy_view.h"

#include <algorithm>

namespace mailtight::store {
namespace {

constexpr std::size_t text_max = 1'000;
constexpr base::utc_seconds last_time{std::chrono::seconds(253'402'300'799)}; // of the year 9999

template<class Enum>
std::int64_t number(Enum e) {
    return static_cast<std::int64_t>(e);
}
template<class Enum>
Enum within(std::int64_t number, Enum last, Enum otherwise) {
    return number >= 0 && number <= static_cast<std::int64_t>(last) ? static_cast<Enum>(number) : otherwise;
}
// What no clock of ours wrote never happened: nothing that is computed from it may leave the range.
base::utc_seconds time_of(const sql::row& from, int column) {
    const auto at = from.at(column);
    return at < base::utc_seconds{} || at > last_time ? base::utc_seconds{} : at;
}

// What was fetched; where that does not give the policy (an import, a test), the policy written canonically.
std::string body_of(const sts::held_policy& held) {
    if (sts::gives(held.body, held.value))
        return held.body;
    auto written = sts::format_policy(held.value);
    return written ? std::move(*written) : std::string();
}

} // namespace

std::string shown(std::string_view text) {
    const bool plain =
        text.size() <= text_max && std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
    return plain ? std::string(text) : base::printable(text, text_max);
}

base::utc_seconds tried_at(const sts::resolution_state& state) {
    base::utc_seconds out{};
    if (state.held)
        out = state.held->fetched_at;
    if (state.failed)
        out = std::max(out, state.failed->at);
    return out;
}

policy_values::policy_values(const model::kept_policy& from, std::int64_t change) {
    const auto& s = from.state;
    if (s.held) {
        body_ = body_of(*s.held);
        id_ = shown(s.held->id);
    }
    if (s.failed) {
        failed_id_ = shown(s.failed->id);
        failed_detail_ = shown(s.failed->detail);
    }
    record_id_ = shown(s.record.id);
    record_detail_ = shown(s.record.detail);
    values_ = {change,
               from.domain,
               id_,
               body_,
               body_.empty() ? base::utc_seconds{} : s.held->fetched_at,
               s.failed ? number(s.failed->fault) : std::int64_t{-1},
               failed_id_,
               s.failed ? s.failed->at : base::utc_seconds{},
               failed_detail_,
               number(s.record.what),
               record_id_,
               std::int64_t{s.record.ttl},
               record_detail_,
               s.record_at,
               s.refresh_at,
               s.failing_since,
               std::int64_t{s.failures},
               tried_at(s),
               from.used_at};
}

model::kept_policy read_policy(const sql::row& from) {
    model::kept_policy out;
    out.domain = from.string(1);
    auto& s = out.state;
    if (const auto body = from.text(3); !body.empty())
        if (auto parsed = sts::parse_policy(body))
            s.held.emplace(sts::held_policy{.value = std::move(*parsed),
                                            .id = from.string(2),
                                            .body = std::string(body),
                                            .fetched_at = time_of(from, 4)});
    if (const auto fault = from.integer(5); fault >= 0)
        s.failed.emplace(sts::failed_fetch{
            .id = from.string(6),
            .at = time_of(from, 7),
            .fault = within(fault, sts::policy_fault::invalid, sts::policy_fault::fetch_error),
            .detail = from.string(8)});
    using kind = sts::record_sighting::kind;
    s.record.what = within(from.integer(9), kind::valid, kind::never);
    s.record.id = from.string(10);
    s.record.ttl = static_cast<std::uint32_t>(std::min<std::uint64_t>(from.count(11), UINT32_MAX));
    s.record.detail = from.string(12);
    s.record_at = time_of(from, 13);
    s.refresh_at = time_of(from, 14);
    s.failing_since = time_of(from, 15);
    s.failures = static_cast<std::uint32_t>(std::min<std::uint64_t>(from.count(16), UINT32_MAX));
    out.used_at = time_of(from, 18);
    return out;
}

} // namespace mailtight::store
