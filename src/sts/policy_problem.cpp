// SPDX-License-Identifier: Apache-2.0
// One row a problem of a policy body: does it break the grammar, and the sentence for a person.
#include "sts/policy.h"

#include <array>

namespace mailtight::sts {
namespace {
struct row {
    policy_problem problem;
    bool breaks;
    std::string_view sentence;
};
using enum policy_problem;

constexpr std::array rows{
    row{empty, true, "The policy file is empty."},
    row{too_large, true, "The policy file is larger than 65536 bytes; senders stop reading there."},
    row{not_a_policy, true,
        "The content is no MTA-STS policy at all, but something else, such as a web page."},
    row{encoding, true, "A byte is neither text in UTF-8 nor allowed in a policy."},
    row{bom, true, "The file begins with a byte order mark, which senders take for a part of the first key."},
    row{bare_cr, true, "A line ends in CR alone; only CRLF and LF end a line."},
    row{mixed_line_endings, false, "Some lines end in CRLF and some in LF; one ending throughout is safer."},
    row{trailing_blank_lines, true, "Blank lines follow the last field; some senders ignore such a policy."},
    row{blank_line, true, "A blank line stands before or between the fields, where none is allowed."},
    row{leading_space, true, "A line begins with a space or tab, so it is no field."},
    row{syntax, true, "A line is no field: a field is a key, a colon and a value."},
    row{version_missing, true, "The version field is missing."},
    row{version_invalid, true, "The version is not STSv1, written exactly so."},
    row{version_not_first, false,
        "The version is not in the first line, where the administrator guides and some senders want it."},
    row{mode_missing, true, "The mode field is missing."},
    row{mode_invalid, true, "The mode is none of enforce, testing and none."},
    row{max_age_missing, true, "The max_age field is missing."},
    row{max_age_invalid, true, "The max_age is not a plain number of seconds with 1 to 10 digits."},
    row{max_age_too_large, false,
        "The max_age is beyond 31557600 seconds: some senders reject the policy, others shorten the time."},
    row{mx_missing, true, "There is no mx line, although the mode asks senders to check the mail servers."},
    row{mx_syntax, true, "An mx value is neither a host name nor *. and a host name."},
    row{mx_null, true, "The null MX stands in the policy as if it were a mail server."},
    row{mx_unicode, true,
        "An mx value holds letters beyond ASCII; the name must be written in its xn-- form."},
    row{mx_address, false, "An mx value is an IP address, which never equals the name of a mail server."},
    row{duplicate_field, false,
        "A field is given twice; the first one counts, but some senders reject that."},
    row{key_case, false, "A key is written in the wrong case, so senders ignore it as unknown."},
    row{unknown_field, false, "Senders ignore a field that the standard does not define."},
};

constexpr bool in_order() {
    for (std::size_t i = 0; i < rows.size(); ++i)
        if (static_cast<std::size_t>(rows[i].problem) != i)
            return false;
    return rows.size() == static_cast<std::size_t>(unknown_field) + 1;
}
static_assert(in_order(), "the table is indexed by the enum");
} // namespace

std::string_view explain(policy_problem problem) {
    return rows.at(static_cast<std::size_t>(problem)).sentence;
}
bool breaks_grammar(policy_problem problem) {
    return rows.at(static_cast<std::size_t>(problem)).breaks;
}

} // namespace mailtight::sts
