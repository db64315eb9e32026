// SPDX-License-Identifier: Apache-2.0
#include "store/result_rows.h"

#include "base/text.h"
#include "store/hashed_fields.h"
#include "store/key.h"
#include "store/words.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

namespace mailtight::store {
namespace {

constexpr std::size_t key_bytes = 16;

void mend(std::string& text) {
    if (text.find('\0') != std::string::npos || !base::is_utf8(text))
        text = storable(std::string_view(text));
}

} // namespace

std::string key_of(const model::applied_policy& policy) {
    hashed_fields f;
    f << static_cast<std::uint64_t>(tlsrpt::wire_code(policy.type)) << std::string_view(policy.domain)
      << policy.strings << policy.mx_patterns;
    return f.digest().substr(0, key_bytes);
}

std::string key_of(const model::session_fault& fault) {
    hashed_fields f;
    f << static_cast<std::uint64_t>(tlsrpt::wire_code(fault.type));
    for (const std::string_view text :
         {std::string_view(fault.sending_mta_ip), std::string_view(fault.receiving_mx),
          std::string_view(fault.receiving_mx_helo), std::string_view(fault.receiving_ip),
          std::string_view(fault.additional_information), std::string_view(fault.reason_code)})
        f << text;
    return f.digest().substr(0, key_bytes);
}

model::applied_policy storable(model::applied_policy policy) {
    mend(policy.domain);
    for (auto* list : {&policy.strings, &policy.mx_patterns})
        for (auto& text : *list)
            mend(text);
    return policy;
}

model::session_fault storable(model::session_fault fault) {
    for (auto* text : {&fault.sending_mta_ip, &fault.receiving_mx, &fault.receiving_mx_helo,
                       &fault.receiving_ip, &fault.additional_information, &fault.reason_code})
        mend(*text);
    return fault;
}

std::string storable_text(std::string text) {
    mend(text);
    return text;
}

// 8460-1.1-a
std::string base_of(const model::counted_result& result) {
    if (result.policy.type != tlsrpt::policy_type::tlsa || result.policy.domain == result.domain)
        return {};
    return storable_text(result.policy.domain);
}

model::applied_policy read_applied_policy(const sql::row& from, int first) {
    const auto type = tlsrpt::policy_type_from_wire(static_cast<int>(from.integer(first)));
    return {.type = type.value_or(tlsrpt::policy_type::no_policy_found),
            .domain = from.string(first + 1),
            .strings = read_list(from.text(first + 2)),
            .mx_patterns = read_list(from.text(first + 3))};
}

model::counted_fault read_fault(const sql::row& from) {
    const auto type = tlsrpt::result_type_from_wire(static_cast<int>(from.integer(0)));
    return {.what = {.type = type.value_or(tlsrpt::result_type::validation_failure),
                     .sending_mta_ip = from.string(1),
                     .receiving_mx = from.string(2),
                     .receiving_mx_helo = from.string(3),
                     .receiving_ip = from.string(4),
                     .additional_information = from.string(5),
                     .reason_code = from.string(6)},
            .count = from.count(7)};
}

std::vector<model::counted_result> summed(std::vector<model::counted_result> rows) {
    std::ranges::sort(rows, [](const auto& a, const auto& b) {
        return std::tie(a.day, a.domain, a.policy) < std::tie(b.day, b.domain, b.policy);
    });
    std::vector<model::counted_result> out;
    out.reserve(rows.size());
    for (auto& row : rows) {
        if (out.empty() || out.back().day != row.day || out.back().domain != row.domain ||
            out.back().policy != row.policy) {
            out.push_back(std::move(row));
            continue;
        }
        out.back().success += row.success;
        out.back().failure += row.failure;
        out.back().faults.insert(out.back().faults.end(), std::make_move_iterator(row.faults.begin()),
                                 std::make_move_iterator(row.faults.end()));
    }
    for (auto& result : out) {
        std::ranges::sort(result.faults, {}, &model::counted_fault::what);
        std::vector<model::counted_fault> once;
        for (auto& f : result.faults)
            if (!once.empty() && once.back().what == f.what)
                once.back().count += f.count;
            else
                once.push_back(std::move(f));
        result.faults = std::move(once);
    }
    return out;
}

} // namespace mailtight::store
