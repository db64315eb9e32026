// SPDX-License-Identifier: Apache-2.0
// One table for the names and sentences of the quirks.
#include "tlsrpt/report.h"

#include <array>

namespace mailtight::tlsrpt {
namespace {
struct row {
    quirk code;
    std::string_view word, sentence;
};
// In the order of the enum.
constexpr std::array rows{
    row{quirk::byte_order_mark, "byte-order-mark",
        "The JSON begins with a byte order mark, which JSON must not have."},
    row{quirk::invalid_utf8, "invalid-utf8",
        "Bytes that are no UTF-8 were replaced by the replacement character."},
    row{quirk::lone_surrogate, "lone-surrogate",
        "Half of a surrogate pair was replaced by the replacement character."},
    row{quirk::noncharacter, "noncharacter",
        "A text holds a code point that Unicode sets aside as no character."},
    row{quirk::control_character, "control-character",
        "A text holds control characters; NUL was replaced by the replacement character."},
    row{quirk::not_a_number, "not-a-number", "NaN or Infinity stood where a number belongs; 0 was taken."},
    row{quirk::number_too_large, "number-too-large",
        "A number is larger than JSON readers agree on (2^53-1); beyond 2^63-1 that was taken."},
    row{quirk::duplicate_member, "duplicate-member",
        "A member stands twice in one object, or under two names; the first was taken."},
    row{quirk::trailing_bytes, "trailing-bytes", "Bytes follow the end of the report; they were left out."},
    row{quirk::cut_short, "cut-short", "The JSON breaks off; what came before was taken."},
    row{quirk::too_deep, "too-deep", "Values nested deeper than allowed were left out."},
    row{quirk::utf16, "utf16", "The JSON is written in UTF-16 and not in UTF-8."},
    row{quirk::json_syntax, "json-syntax",
        "The text is no proper JSON here, and was understood all the same."},
    row{quirk::label_disagrees, "label-disagrees",
        "Media type or file name call the body something else than it is; the bytes decided."},
    row{quirk::nested_gzip, "nested-gzip", "The body was compressed more than once."},
    row{quirk::gzip_trailing_bytes, "gzip-trailing-bytes",
        "Bytes follow the end of the gzip data; they were left out."},
    row{quirk::several_bodies, "several-bodies", "The container holds more than one body; each was read."},
    row{quirk::organization_missing, "organization-missing", "The report does not name its organisation."},
    row{quirk::contact_missing, "contact-missing", "The report gives no contact address."},
    row{quirk::report_id_missing, "report-id-missing",
        "The report has no id; one was made from its content."},
    row{quirk::report_id_odd, "report-id-odd",
        "The report's id is unusual: it ends without its domain, or has blanks in it."},
    row{quirk::policies_not_array, "policies-not-array", "The policies are no list; they were read as one."},
    row{quirk::policies_empty, "policies-empty", "The report has no policies, so it says nothing."},
    row{quirk::date_missing, "date-missing", "A date of the period is missing."},
    row{quirk::date_odd, "date-odd", "A date is not written as RFC 3339 asks, or cannot be true."},
    row{quirk::date_without_zone, "date-without-zone", "A date has no time zone; UTC was taken."},
    row{quirk::date_inferred, "date-inferred",
        "A date of the period was inferred from what stands around the report."},
    row{quirk::end_is_next_midnight, "end-is-next-midnight",
        "The period ends at the next midnight; the second before was taken."},
    row{quirk::not_one_day, "not-one-day", "The period is not one whole UTC day."},
    row{quirk::end_before_start, "end-before-start", "The period ends before it begins."},
    row{quirk::policy_missing, "policy-missing", "A result has no policy object."},
    row{quirk::policy_type_missing, "policy-type-missing", "The type of a policy is missing."},
    row{quirk::policy_type_unknown, "policy-type-unknown",
        "The type of a policy is none that RFC 8460 knows; it was kept as it is."},
    row{quirk::policy_type_case, "policy-type-case", "The type of a policy is spelt in another case."},
    row{quirk::policy_domain_missing, "policy-domain-missing",
        "A policy does not name its domain, and nothing else does."},
    row{quirk::policy_domain_inferred, "policy-domain-inferred",
        "A policy does not name its domain; it was inferred from what stands around the report."},
    row{quirk::policy_domain_odd, "policy-domain-odd",
        "The domain of a policy is not written as a domain name in ASCII."},
    row{quirk::policy_string_not_array, "policy-string-not-array",
        "The policy's text is no list of lines; it was split into them."},
    row{quirk::policy_string_nested, "policy-string-nested",
        "A line of the policy's text is itself a JSON list; its elements were taken."},
    row{quirk::policy_string_trimmed, "policy-string-trimmed",
        "Carriage returns, blanks or empty lines were taken out of the policy's text."},
    row{quirk::policy_string_joined, "policy-string-joined",
        "Several lines of the policy stand in one text; they were split."},
    row{quirk::mx_host_not_array, "mx-host-not-array", "The MX patterns are no list; they were read as one."},
    row{quirk::mx_host_prefixed, "mx-host-prefixed", "An MX pattern has `mx:` in front; it was taken off."},
    row{quirk::mx_host_from_policy, "mx-host-from-policy",
        "The MX patterns are missing; they were taken from the policy's text."},
    row{quirk::other_member_name, "other-member-name", "A member has another name than RFC 8460 gives it."},
    row{quirk::count_missing, "count-missing", "A count of sessions is missing; 0 was taken."},
    row{quirk::count_as_text, "count-as-text", "A count of sessions is a text and no number."},
    row{quirk::count_as_float, "count-as-float", "A count of sessions is written as a fraction."},
    row{quirk::count_negative, "count-negative", "A count of sessions is negative; 0 was taken."},
    row{quirk::count_odd, "count-odd", "A count of sessions is no whole number."},
    row{quirk::summary_missing, "summary-missing", "A result has no summary; its counts were taken as 0."},
    row{quirk::details_not_array, "details-not-array",
        "The failure details are no list; they were read as one."},
    row{quirk::details_exceed_total, "details-exceed-total",
        "A failure detail counts more sessions than the policy had."},
    row{quirk::details_below_total, "details-below-total",
        "The failure details add up to less than the total: some failures are not explained."},
    row{quirk::result_type_missing, "result-type-missing", "A failure does not say what kind it is."},
    row{quirk::result_type_unknown, "result-type-unknown",
        "The kind of a failure is none that is registered; it was kept as it is."},
    row{quirk::result_type_case, "result-type-case", "The kind of a failure is spelt in another case."},
    row{quirk::address_odd, "address-odd", "A text stands where an IP address belongs; it was kept."},
    row{quirk::address_not_canonical, "address-not-canonical",
        "An IP address is not written in its canonical form; it was rewritten."},
    row{quirk::helo_several_lines, "helo-several-lines",
        "The server's greeting name has several lines; the first was taken."},
    row{quirk::additional_information_no_uri, "additional-information-no-uri",
        "The additional information is no URI; it was kept as text."},
    row{quirk::wrong_type, "wrong-type", "A value is of another JSON type than RFC 8460 gives it."},
    row{quirk::truncated, "truncated", "The report is larger than allowed; only a part was taken."},
    row{quirk::submitter_disagrees, "submitter-disagrees",
        "The mail names another submitter than the report's contact address does; the report counts."},
    row{quirk::subject_disagrees, "subject-disagrees",
        "The mail's subject disagrees with the report; the report counts."},
    row{quirk::file_name_disagrees, "file-name-disagrees",
        "The file name disagrees with the report; the report counts."},
};
constexpr bool in_order() {
    for (std::size_t i = 0; i < rows.size(); ++i)
        if (static_cast<std::size_t>(rows[i].code) != i)
            return false;
    return rows.back().code == quirk::file_name_disagrees;
}
static_assert(in_order(), "the table is indexed by the enum");
} // namespace

std::string_view to_string(quirk q) {
    return rows.at(static_cast<std::size_t>(q)).word;
}
std::string_view explain(quirk q) {
    return rows.at(static_cast<std::size_t>(q)).sentence;
}

} // namespace mailtight::tlsrpt
