// SPDX-License-Identifier: Apache-2.0
#include "model/sending.h"

#include <array>
#include <utility>

namespace mailtight::model {
namespace {
constexpr auto words = std::to_array<std::pair<policy_override::kind, std::string_view>>({
    {policy_override::kind::exempt, "exempt"},
    {policy_override::kind::pin, "pin"},
    {policy_override::kind::testing, "testing"},
    {policy_override::kind::require, "require"},
});
} // namespace

std::string_view to_string(policy_override::kind what) {
    for (const auto& [kind, word] : words)
        if (kind == what)
            return word;
    return "";
}

std::optional<policy_override::kind> parse_override(std::string_view word) {
    for (const auto& [kind, known] : words)
        if (known == word)
            return kind;
    return std::nullopt;
}

} // namespace mailtight::model
