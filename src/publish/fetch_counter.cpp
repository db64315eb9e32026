// SPDX-License-Identifier: Apache-2.0
#include "base/ip.h"
#include "base/text.h"
#include "publish/name_table.h"
#include "publish/policy_host.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace mailtight::publish {

namespace {

constexpr std::size_t agent_bytes = 64;
/// Different ones a day: more are somebody who makes them up, and each would be a row in the store.
constexpr std::size_t agents_max = 256;
constexpr std::string_view other_agent = "other";

/// An IPv4 /24 or an IPv6 /48; "" where it is no address (a unix socket without a proxy's word).
std::string network_of(std::string_view text) {
    const auto address = base::ip_address::parse(text);
    if (!address)
        return {};
    std::array<std::uint8_t, 16> bytes{};
    const auto kept = address->bytes().substr(0, address->is_v4() ? 3 : 6);
    std::ranges::transform(kept, bytes.begin(), [](char c) { return static_cast<std::uint8_t>(c); });
    if (address->is_v4())
        return base::ip_address::v4({bytes[0], bytes[1], bytes[2], 0}).to_string() + "/24";
    return base::ip_address::v6(bytes).to_string() + "/48";
}

/// The first word, as far as it is printable.
std::string agent_word(std::string_view agent) {
    std::string word(agent.substr(0, std::min(agent.find(' '), agent_bytes)));
    std::ranges::replace_if(word, [](char c) { return c <= 0x20 || c >= 0x7f; }, '?');
    return word;
}

} // namespace

struct fetch_counter::state {
    std::size_t most;
    name_table<model::policy_fetches> counts;
    name_table<bool> agents; ///< of that day
    std::chrono::sys_days day{};
    std::uint64_t lost = 0;
    std::string key; ///< kept for its memory
};

fetch_counter::fetch_counter(std::size_t most)
    : state_(std::make_unique<state>()) {
    state_->most = most;
}

fetch_counter::~fetch_counter() = default;

void fetch_counter::count(std::string_view domain, std::string_view id, std::string_view address,
                          std::string_view agent, base::utc_seconds at) {
    const auto day = std::chrono::floor<std::chrono::days>(at);
    const auto network = network_of(address);
    if (day > std::exchange(state_->day, std::max(day, state_->day)))
        state_->agents.clear();
    auto word = agent_word(agent);
    if (!state_->agents.contains(word)) {
        if (state_->agents.size() < agents_max)
            state_->agents.emplace(word, true);
        else
            word = other_agent;
    }
    auto& key = state_->key;
    key.clear();
    fmt::format_to(std::back_inserter(key), "{}\n{}\n{}\n{}\n{}", domain, day.time_since_epoch().count(),
                   network, word, id);
    auto found = state_->counts.find(key);
    if (found == state_->counts.end()) {
        if (state_->counts.size() >= state_->most) {
            ++state_->lost;
            return;
        }
        model::policy_fetches first{std::string(domain), day, network, word, std::string(id), 0, at};
        found = state_->counts.emplace(key, std::move(first)).first;
    }
    ++found->second.count;
    found->second.last = std::max(found->second.last, at);
}

std::vector<model::policy_fetches> fetch_counter::take() {
    std::vector<model::policy_fetches> all;
    all.reserve(state_->counts.size());
    for (auto& [key, value] : state_->counts)
        all.push_back(std::move(value));
    state_->counts.clear();
    return all;
}

std::uint64_t fetch_counter::not_counted() const {
    return state_->lost;
}

} // namespace mailtight::publish
