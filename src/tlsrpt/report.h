// SPDX-License-Identifier: Apache-2.0
// A TLS report (RFC 8460 §4) as the product holds it: what a reporter wrote, made comparable, with a named
// warning for everything that had to be mended. The reader makes it, the writer writes it, everything else
// reads it.
#pragma once

#include "base/time.h"
#include "tlsrpt/result_type.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::tlsrpt {

/// What was odd about a report, and that it was read all the same. The names (`mx-host-not-array`) are a
/// contract (docs/reports.md). The reader's own; more are added as senders invent them.
enum class quirk {
    // JSON
    byte_order_mark,
    invalid_utf8,
    lone_surrogate,
    noncharacter,
    control_character,
    not_a_number,
    number_too_large,
    duplicate_member,
    trailing_bytes,
    cut_short,
    too_deep,
    utf16,
    json_syntax,
    // container
    label_disagrees,
    nested_gzip,
    gzip_trailing_bytes,
    several_bodies,
    // top level
    organization_missing,
    contact_missing,
    report_id_missing,
    report_id_odd,
    policies_not_array,
    policies_empty,
    // dates
    date_missing,
    date_odd,
    date_without_zone,
    date_inferred,
    end_is_next_midnight,
    not_one_day,
    end_before_start,
    // policy
    policy_missing,
    policy_type_missing,
    policy_type_unknown,
    policy_type_case,
    policy_domain_missing,
    policy_domain_inferred,
    policy_domain_odd,
    policy_string_not_array,
    policy_string_nested,
    policy_string_trimmed,
    policy_string_joined,
    mx_host_not_array,
    mx_host_prefixed,
    mx_host_from_policy,
    other_member_name,
    // counts
    count_missing,
    count_as_text,
    count_as_float,
    count_negative,
    count_odd,
    summary_missing,
    details_not_array,
    details_exceed_total,
    details_below_total,
    // details
    result_type_missing,
    result_type_unknown,
    result_type_case,
    address_odd,
    address_not_canonical,
    helo_several_lines,
    additional_information_no_uri,
    wrong_type,
    // limits
    truncated,
    // the mail around it
    submitter_disagrees,
    subject_disagrees,
    file_name_disagrees,
};
std::string_view to_string(quirk q); ///< "mx-host-not-array"
std::string_view explain(quirk q);   ///< one sentence for a person

struct warning {
    quirk code;
    std::string where;  ///< `policies[0].policy.mx-host`; "" : the report as a whole
    std::string detail; ///< what stood there, bounded; may hold anything, so it is escaped when shown
    friend bool operator==(const warning&, const warning&) = default;
};

struct failure_detail {
    std::string result_type; ///< verbatim, only lower-cased where it is a registered one
    std::uint64_t count = 0;
    std::string sending_mta_ip;    ///< canonical (RFC 5952) where it is an address, else as written
    std::string receiving_mx;      ///< lower case, no trailing dot
    std::string receiving_mx_helo; ///< first line
    std::string receiving_ip;
    std::string additional_information;
    std::string reason_code;
    std::optional<tlsrpt::result_type> known_type() const { return parse_result_type(result_type); }
    friend bool operator==(const failure_detail&, const failure_detail&) = default;
};

struct policy_result {
    std::string type;                  ///< `sts`, `tlsa`, `no-policy-found`, or what stood there
    std::string domain;                ///< A-labels, lower case; "" : not there and not to be inferred
    std::vector<std::string> inferred; ///< names of the fields that were inferred: "domain"
    std::vector<std::string> strings;  ///< policy-string: a line, or a TLSA record, each
    std::vector<std::string> mx_patterns;
    std::uint64_t success = 0, failure = 0;
    std::vector<failure_detail> details;
    std::optional<policy_type> known_type() const { return parse_policy_type(type); }
    friend bool operator==(const policy_result&, const policy_result&) = default;
};

struct report {
    std::string organization_name;
    std::string contact_info;
    std::string report_id;
    /// The period, both ends as written but for one thing: an end at the next midnight is 23:59:59 (A27).
    /// Nothing where it was not there and could not be inferred; never 1970.
    std::optional<base::utc_seconds> start, end;
    std::vector<std::string> inferred; ///< "start", "end", "report_id", "organization_name"
    std::vector<policy_result> policies;
    std::vector<warning> warnings; ///< bounded
    bool truncated = false;        ///< a limit cut it; what is there is right
    friend bool operator==(const report&, const report&) = default;
};

struct session_count {
    std::uint64_t success = 0, failure = 0;
    friend bool operator==(const session_count&, const session_count&) = default;
};
/// Sessions counted once: `sts` and `tlsa` policies of one report describe the same sessions, so the larger
/// of the two kinds counts; results without a policy and of unknown kinds are other sessions and are added.
/// Sums saturate. Over the policies named by `domain`, or all where it is "".
session_count headline(const report& of, std::string_view domain = {});

} // namespace mailtight::tlsrpt
