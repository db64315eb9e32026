// SPDX-License-Identifier: Apache-2.0
#include "tlsrpt/policy_fields.h"

#include "base/host_name.h"
#include "base/text.h"

#include <algorithm>

namespace mailtight::tlsrpt {
namespace {

namespace dom = simdjson::dom;

enum result_member : unsigned { policy_member, summary_member, details_member };
constexpr std::array<std::string_view, 3> result_members{"policy", "summary", "failure-details"};
constexpr std::array<other_name, 1> other_result_members{{{"failure-detail", details_member}}};

enum policy_field : unsigned { type_field, strings_field, domain_field, mx_field };
constexpr std::array<std::string_view, 4> policy_fields{"policy-type", "policy-string", "policy-domain",
                                                        "mx-host"};
constexpr std::array<other_name, 4> other_policy_fields{{{"mx-host-pattern", mx_field},
                                                         {"mx-host-patterns", mx_field},
                                                         {"mx-hosts", mx_field},
                                                         {"policy-strings", strings_field}}};

enum summary_field : unsigned { success_field, failure_field };
constexpr std::array<std::string_view, 2> summary_fields{"total-successful-session-count",
                                                         "total-failure-session-count"};
constexpr std::array<other_name, 2> other_summary_fields{
    {{"total-success-session-count", success_field}, {"total-failed-session-count", failure_field}}};

constexpr auto ignored = [](std::string_view, dom::element) {};

struct seen_counts {
    bool success = false, failure = false;
};

void read_type(dom::element value, const place& at, reading& r, std::string& into) {
    read_text(value, at, r, into);
    if (into.empty() || parse_policy_type(into))
        return;
    std::string folded = base::lower(base::trim(into));
    std::ranges::replace(folded, '_', '-');
    if (!parse_policy_type(folded)) {
        r.notes.add(quirk::policy_type_unknown, at, into); // kept as it is
        return;
    }
    r.notes.add(quirk::policy_type_case, at, into);
    into = std::move(folded);
}

void read_domain(dom::element value, const place& at, reading& r, std::string& into) {
    std::string text;
    read_text(value, at, r, text);
    std::string_view name = base::trim(text);
    if (name.ends_with('.')) // A48
        name.remove_suffix(1);
    into = base::lower(name);
    if (!into.empty() && (!base::is_host_name(into) || name.size() + 1 < text.size()))
        r.notes.add(quirk::policy_domain_odd, at, text);
}

void read_policy_member(unsigned field, dom::element value, const place& at, reading& r, policy_result& p) {
    switch (field) {
    case type_field:
        read_type(value, at, r, p.type);
        break;
    case strings_field:
        if (!read_texts(value, at, r, p.strings))
            r.notes.add(quirk::policy_string_not_array, at, p.strings.empty() ? "" : p.strings.back());
        break;
    case domain_field:
        read_domain(value, at, r, p.domain);
        break;
    case mx_field:
        if (!read_texts(value, at, r, p.mx_patterns)) // erratum 6241
            r.notes.add(quirk::mx_host_not_array, at, p.mx_patterns.empty() ? "" : p.mx_patterns.back());
        break;
    default:
        break;
    }
}

void read_policy(dom::element value, const place& at, reading& r, policy_result& p) {
    if (!value.is_object()) {
        r.notes.add(is_blank(value) ? quirk::policy_missing : quirk::wrong_type, at, simdjson::minify(value));
        return;
    }
    each_member(
        value.get_object().value_unsafe(), policy_fields, other_policy_fields, at, r,
        [&](unsigned field, dom::element v, const place& here) { read_policy_member(field, v, here, r, p); },
        ignored);
}

void read_summary(dom::element value, const place& at, reading& r, policy_result& p, seen_counts& seen) {
    if (!value.is_object()) {
        r.notes.add(is_blank(value) ? quirk::summary_missing : quirk::wrong_type, at,
                    simdjson::minify(value));
        return;
    }
    each_member(
        value.get_object().value_unsafe(), summary_fields, other_summary_fields, at, r,
        [&](unsigned field, dom::element v, const place& here) {
            (field == success_field ? seen.success : seen.failure) = true;
            (field == success_field ? p.success : p.failure) = read_count(v, here, r);
        },
        ignored);
}

// A reporter that does not say which kind of policy it applied shows it by the policy's text.
std::string_view type_by_text(const std::vector<std::string>& strings) {
    if (strings.empty())
        return "";
    const std::string_view first = strings.front();
    if (base::iequals(first.substr(0, 8), "version:"))
        return to_string(policy_type::sts);
    const bool digits = first.size() > 6 && base::is_digit(first[0]) && first[1] == ' ' &&
                        base::is_digit(first[2]) && first[3] == ' ' && base::is_digit(first[4]);
    return digits ? to_string(policy_type::tlsa) : "";
}

// A30. A session may be in several details, and in one although it did not fail (8460-4-d): a policy that was
// fetched in vain beside one that is held. What no reading allows is a detail of more sessions than there
// were.
void compare_with_total(const policy_result& p, const place& at, reading& r) {
    std::uint64_t sum = 0, largest = 0; // each is below 2^63, and what is beyond it is large enough to say so
    for (const auto& d : p.details) {
        sum = std::min<std::uint64_t>(sum + d.count, 1ULL << 63U);
        largest = std::max(largest, d.count);
    }
    const auto sessions = p.success + p.failure;
    if (largest > sessions)
        r.notes.add(quirk::details_exceed_total, at,
                    std::to_string(largest) + " and " + std::to_string(sessions));
    else if (sum < p.failure)
        r.notes.add(quirk::details_below_total, at,
                    std::to_string(sum) + " and " + std::to_string(p.failure));
}

} // namespace

std::optional<policy_result> read_policy_result(dom::element value, const place& at, reading& r, bool whole,
                                                bool last_detail_whole) {
    if (!value.is_object()) {
        r.notes.add(quirk::wrong_type, at, simdjson::minify(value));
        return std::nullopt;
    }
    policy_result p;
    bool has_policy = false, has_summary = false;
    seen_counts seen;
    const place policy_at{&at, result_members[policy_member]},
        summary_at{&at, result_members[summary_member]};
    each_member(
        value.get_object().value_unsafe(), result_members, other_result_members, at, r,
        [&](unsigned member, dom::element v, const place& here) {
            if (member == policy_member) {
                has_policy = true;
                read_policy(v, here, r, p);
            } else if (member == summary_member) {
                has_summary = true;
                read_summary(v, here, r, p, seen);
            } else {
                read_details(v, here, r, p.details);
            }
        },
        [&](std::string_view name, dom::element v) { // the policy's members, one floor too high
            const auto field = find_other_name(name, policy_fields.data(), policy_fields.size(),
                                               other_policy_fields.data(), other_policy_fields.size());
            if (field)
                read_policy_member(*field, v, place{&at, name}, r, p);
        });
    if (!whole && !(seen.success && seen.failure))
        return std::nullopt; // zeros would be a lie
    if (!last_detail_whole && !p.details.empty() &&
        (p.details.back().count == 0 || p.details.back().result_type.empty()))
        p.details.pop_back();

    settle_policy_strings(p.strings, p.type, place{&policy_at, policy_fields[strings_field]}, r);
    if (!has_policy)
        r.notes.add(quirk::policy_missing, at);
    if (p.type.empty()) {
        r.notes.add(quirk::policy_type_missing, place{&policy_at, policy_fields[type_field]});
        p.type = type_by_text(p.strings);
        if (!p.type.empty())
            p.inferred.emplace_back("type");
    }
    if (!p.mx_patterns.empty() || p.type == to_string(policy_type::sts))
        settle_mx_patterns(p, policy_at, r);
    if (!has_summary)
        r.notes.add(quirk::summary_missing, at);
    else if (!seen.success || !seen.failure)
        r.notes.add(quirk::count_missing,
                    place{&summary_at, summary_fields[seen.success ? failure_field : success_field]});
    if (whole)
        compare_with_total(p, place{&at, result_members[details_member]}, r);
    return p;
}

} // namespace mailtight::tlsrpt
