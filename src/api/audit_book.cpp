// SPDX-License-Identifier: Apache-2.0
#include "api/audit_book.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::api {

namespace {

constexpr std::size_t waiting_most = 5'000;
constexpr std::uint32_t refusals_most = 60;
constexpr std::chrono::seconds refusal_again{1};

} // namespace

void audit_book::put(store::audit_entry entry) {
    if (waiting_.size() >= waiting_most) {
        ++left_out_;
        ++lost_;
        return;
    }
    waiting_.push_back(std::move(entry));
}

void audit_book::add(store::audit_entry entry) {
    put(std::move(entry));
}

void audit_book::add_refusal(store::audit_entry entry, time_point now) {
    const auto back = refusals_ == 0 ? 0 : (now - refusals_since_) / refusal_again;
    const auto gained = static_cast<std::uint32_t>(std::clamp<std::int64_t>(back, 0, refusals_));
    refusals_ -= gained;
    refusals_since_ = refusals_ == 0 ? now : refusals_since_ + refusal_again * gained;
    // Refusals never take the last places: those are for what was done.
    if (refusals_ >= refusals_most || waiting_.size() >= waiting_most / 2) {
        ++left_out_;
        ++lost_;
        return;
    }
    ++refusals_;
    put(std::move(entry));
}

std::vector<store::audit_entry> audit_book::next(std::size_t most, base::utc_seconds now) {
    if (left_out_ > 0 && waiting_.size() < waiting_most) {
        waiting_.push_back({.number = 0,
                            .at = now,
                            .who = "mailtight",
                            .from = "",
                            .what = "entries left out",
                            .subject = fmt::format("{} more, of the same kind as those before", left_out_),
                            .status = 0});
        left_out_ = 0;
    }
    const auto count = std::min(most, waiting_.size());
    return {waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(count)};
}

void audit_book::taken(std::size_t how_many) {
    const auto count = std::min(how_many, waiting_.size());
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(count));
}

} // namespace mailtight::api
