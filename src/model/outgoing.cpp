// SPDX-License-Identifier: Apache-2.0
#include "model/outgoing.h"

#include <array>
#include <utility>

namespace mailtight::model {

namespace {

constexpr std::array<std::pair<delivery_state, std::string_view>, 7> states = {{
    {delivery_state::waiting, "waiting"},
    {delivery_state::sent, "sent"},
    {delivery_state::refused, "refused"},
    {delivery_state::given_up, "given-up"},
    {delivery_state::suppressed, "suppressed"},
    {delivery_state::skipped, "skipped"},
    {delivery_state::copied, "copied"},
}};

} // namespace

std::string_view to_string(report_audience a) {
    return a == report_audience::recipient_domain ? "recipient-domain" : "tlsa-base";
}

std::string_view to_string(delivery_state s) {
    for (const auto& [state, word] : states)
        if (state == s)
            return word;
    return "";
}

std::optional<delivery_state> parse_delivery_state(std::string_view word) {
    for (const auto& [state, name] : states)
        if (name == word)
            return state;
    return std::nullopt;
}

} // namespace mailtight::model
