// SPDX-License-Identifier: Apache-2.0
// The texts of a row stand behind its head in the order of `text`; their lengths are in the head.
#include "resolve/policy_row.h"

#include "sts/policy_view.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <utility>

namespace mailtight::resolve {
namespace {

using base::utc_seconds;

/// Seconds since 1970 in five bytes: enough for 34,000 years.
class packed_time {
public:
    packed_time() = default;
    explicit packed_time(utc_seconds at) {
        constexpr std::int64_t latest = (std::int64_t{1} << 40) - 1;
        const auto count = std::clamp<std::int64_t>(at.time_since_epoch().count(), 0, latest);
        for (std::size_t i = 0; i < bytes_.size(); ++i)
            bytes_[i] = static_cast<std::uint8_t>(count >> (8 * i));
    }
    utc_seconds value() const {
        std::int64_t count = 0;
        for (std::size_t i = 0; i < bytes_.size(); ++i)
            count |= std::int64_t{bytes_[i]} << (8 * i);
        return utc_seconds(std::chrono::seconds(count));
    }

private:
    std::array<std::uint8_t, 5> bytes_{};
};

enum text : std::size_t {
    domain_name,
    held_id,
    held_body,
    held_value, ///< the policy as we write it, where the body does not give it again
    record_id,
    record_detail,
    failed_id,
    failed_detail,
    failed_reason,
    fetching_id,
    text_count
};
using texts = std::array<std::string_view, text_count>;

constexpr std::size_t allocator_overhead = 16; // a header and rounding

/// The body gives the policy again, or what format_policy() writes of it does.
std::string value_apart(const sts::held_policy& held) {
    if (sts::gives(held.body, held.value))
        return {};
    return sts::format_policy(held.value).value_or("");
}

texts texts_of(const model::kept_policy& value, std::string_view apart) {
    const auto& state = value.state;
    // Ids and domains are far shorter than this; what a damaged database holds is cut, not believed.
    constexpr std::size_t name_max = 255;
    const auto name = [](std::string_view all) { return all.substr(0, name_max); };
    texts out;
    out[domain_name] = name(value.domain);
    if (state.held) {
        out[held_id] = name(state.held->id);
        out[held_body] = state.held->body;
        out[held_value] = apart;
    }
    out[record_id] = name(state.record.id);
    out[record_detail] = std::string_view(state.record.detail).substr(0, policy_row::detail_max);
    if (state.failed) {
        out[failed_id] = name(state.failed->id);
        out[failed_detail] = std::string_view(state.failed->detail).substr(0, policy_row::detail_max);
        out[failed_reason] = name(state.failed->reason);
    }
    if (state.fetching)
        out[fetching_id] = name(*state.fetching);
    return out;
}

} // namespace

struct policy_row::head {
    std::uint32_t body_length = 0, value_length = 0;
    std::uint32_t ttl = 0, failures = 0, life = 0;   ///< life: of the held policy, seconds
    std::array<std::uint16_t, text_count> lengths{}; ///< of all texts but body and value
    packed_time used_at, record_at, refresh_at, failing_since, fetched_at, failed_at;
    std::uint8_t mode = 0, record = 0, fault = 0; ///< the values of their enums
    bool held = false, failed = false, every_id = false, fetching = false;

    std::size_t length(std::size_t which) const {
        return which == held_body ? body_length : which == held_value ? value_length : lengths[which];
    }
    char* texts_begin() { return reinterpret_cast<char*>(this + 1); }
    std::string_view get(std::size_t which) {
        std::size_t offset = 0;
        for (std::size_t i = 0; i < which; ++i)
            offset += length(i);
        return {texts_begin() + offset, length(which)};
    }
    std::size_t size() const {
        std::size_t out = sizeof(head);
        for (std::size_t i = 0; i < text_count; ++i)
            out += length(i);
        return out;
    }
};

policy_row::policy_row(const model::kept_policy& value) {
    const auto& state = value.state;
    const std::string apart = state.held ? value_apart(*state.held) : "";
    const texts all = texts_of(value, apart);
    head fixed;
    std::size_t size = sizeof(head);
    for (std::size_t i = 0; i < text_count; ++i) {
        size += all[i].size();
        fixed.lengths[i] = static_cast<std::uint16_t>(all[i].size());
    }
    fixed.body_length = static_cast<std::uint32_t>(all[held_body].size());
    fixed.value_length = static_cast<std::uint32_t>(all[held_value].size());
    fixed.used_at = packed_time(value.used_at);
    fixed.record = static_cast<std::uint8_t>(state.record.what);
    fixed.ttl = state.record.ttl;
    fixed.record_at = packed_time(state.record_at);
    fixed.refresh_at = packed_time(state.refresh_at);
    fixed.failing_since = packed_time(state.failing_since);
    fixed.failures = state.failures;
    if (state.held) {
        fixed.held = true;
        fixed.mode = static_cast<std::uint8_t>(state.held->value.mode);
        fixed.life = static_cast<std::uint32_t>(state.held->value.effective_max_age());
        fixed.fetched_at = packed_time(state.held->fetched_at);
    }
    if (state.failed) {
        fixed.failed = true;
        fixed.fault = static_cast<std::uint8_t>(state.failed->fault);
        fixed.every_id = state.failed->every_id;
        fixed.failed_at = packed_time(state.failed->at);
    }
    fixed.fetching = state.fetching.has_value();

    memory_ = new (::operator new(size)) head(fixed);
    char* to = memory_->texts_begin();
    for (const auto one : all)
        to = std::ranges::copy(one, to).out;
}

policy_row::policy_row(policy_row&& other) noexcept
    : memory_(std::exchange(other.memory_, nullptr)) {}
policy_row& policy_row::operator=(policy_row&& other) noexcept {
    std::swap(memory_, other.memory_);
    return *this;
}
policy_row::~policy_row() {
    ::operator delete(memory_);
}

std::string_view policy_row::domain() const {
    return at().get(domain_name);
}
std::size_t policy_row::bytes() const {
    return at().size() + allocator_overhead;
}
utc_seconds policy_row::used_at() const {
    return at().used_at.value();
}
void policy_row::use(utc_seconds when) {
    at().used_at = packed_time(when);
}
utc_seconds policy_row::refresh_at() const {
    return at().refresh_at.value();
}
bool policy_row::failing() const {
    return at().held && at().failing_since.value() != utc_seconds{};
}
std::optional<policy_row::held> policy_row::holds() const {
    if (!at().held)
        return std::nullopt;
    const auto fetched = at().fetched_at.value();
    return held{static_cast<sts::mode>(at().mode), fetched, fetched + std::chrono::seconds(at().life)};
}

model::kept_policy policy_row::unpack() const {
    head& from = at();
    model::kept_policy out;
    out.domain = from.get(domain_name);
    out.used_at = from.used_at.value();
    auto& state = out.state;
    if (from.held) {
        const auto body = from.get(held_body), apart = from.get(held_value);
        if (auto value = sts::parse_policy(apart.empty() ? body : apart))
            state.held = sts::held_policy{std::move(*value), std::string(from.get(held_id)),
                                          std::string(body), from.fetched_at.value()};
    }
    state.record = {.what = static_cast<sts::record_sighting::kind>(from.record),
                    .id = std::string(from.get(record_id)),
                    .ttl = from.ttl,
                    .detail = std::string(from.get(record_detail))};
    if (from.failed)
        state.failed = sts::failed_fetch{std::string(from.get(failed_id)),
                                         from.failed_at.value(),
                                         static_cast<sts::policy_fault>(from.fault),
                                         std::string(from.get(failed_detail)),
                                         from.every_id,
                                         std::string(from.get(failed_reason))};
    state.record_at = from.record_at.value();
    state.refresh_at = from.refresh_at.value();
    state.failing_since = from.failing_since.value();
    state.failures = from.failures;
    if (from.fetching)
        state.fetching = std::string(from.get(fetching_id));
    return out;
}

} // namespace mailtight::resolve
