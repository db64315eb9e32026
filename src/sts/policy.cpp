// SPDX-License-Identifier: Apache-2.0
// Entry point: parse_policy(). It takes the fast path of policy_view.h and asks the judge only for the reason
// of a refusal.
#include "sts/policy.h"

#include "base/limits.h"
#include "sts/policy_line.h"
#include "sts/policy_view.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace mailtight::sts {

std::string_view to_string(mode m) {
    switch (m) {
    case mode::enforce:
        return "enforce";
    case mode::testing:
        return "testing";
    case mode::none:
        return "none";
    }
    return "";
}
std::optional<mode> parse_mode(std::string_view word) {
    for (mode m : {mode::enforce, mode::testing, mode::none})
        if (word == to_string(m))
            return m;
    return std::nullopt;
}

std::uint64_t policy::effective_max_age() const {
    return std::min(max_age, base::limits::max_age_max); // A4
}

std::expected<policy, policy_issue> parse_policy(std::string_view body) {
    const auto view = read_policy_view(body);
    if (!view) {
        auto judged = judge_policy(body);
        const auto fault = std::ranges::find_if(judged.issues, [](const policy_issue& issue) {
            return breaks_grammar(issue.problem) && issue.problem != policy_problem::trailing_blank_lines;
        });
        assert(fault != judged.issues.end()); // view and judge agree: the tests and the fuzzer prove it
        if (fault == judged.issues.end())
            return std::unexpected(policy_issue{policy_problem::syntax, 0, 0, ""});
        return std::unexpected(std::move(*fault));
    }
    policy out;
    out.mode = view->mode;
    out.max_age = view->max_age;
    out.mx.reserve(view->mx_count);
    policy_line_reader reader(body);
    for (policy_line line; reader.read(line);) {
        const auto field = split_field(line.text);
        if (!field)
            continue; // a blank line at the end
        if (field->key == policy_key::mx)
            out.mx.emplace_back(field->value);
        else if (field->key == policy_key::other)
            out.extensions.emplace_back(field->name, field->value);
    }
    return out;
}

} // namespace mailtight::sts
