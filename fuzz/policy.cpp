// SPDX-License-Identifier: Apache-2.0
// Any bytes as a policy body: nothing crashes, view, judge and parser agree, what was read can be written and
// read again, and every pattern admits the host of its own name.
#include "base/limits.h"
#include "sts/match.h"
#include "sts/policy_view.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

using namespace mailtight::sts;
namespace limits = mailtight::base::limits;

namespace {
void must(bool holds) {
    if (!holds)
        std::abort();
}
void written_and_read(policy value) {
    const auto bytes = format_policy(value);
    if (!bytes) {
        must(bytes.error() == write_error::max_age_too_large || bytes.error() == write_error::too_large);
        return;
    }
    must(bytes->size() <= limits::policy_bytes && judge_policy(*bytes).valid);
    const auto again = parse_policy(*bytes);
    must(again && again->mode == value.mode && again->max_age == value.max_age &&
         again->mx.size() == value.mx.size() && again->extensions == value.extensions);
    must(format_policy(*again).value() == *bytes); // canonical: writing it again changes nothing
}
} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string body(reinterpret_cast<const char*>(data), size);
    const auto judged = judge_policy(body);
    const auto parsed = parse_policy(body);
    const auto view = read_policy_view(body);
    must(judged.value.has_value() == parsed.has_value() && view.has_value() == parsed.has_value());
    must(!judged.valid || judged.value);
    bool breaks = false;
    for (const auto& issue : judged.issues) {
        must(issue.offset <= size && issue.line <= size + 1 && !explain(issue.problem).empty());
        breaks = breaks || breaks_grammar(issue.problem);
    }
    must(breaks != judged.valid);
    if (!parsed)
        return 0;
    must(*parsed == *judged.value && view->mode == parsed->mode && view->max_age == parsed->max_age &&
         view->mx_count == parsed->mx.size());
    std::size_t looked_at = 0;
    for (const auto& pattern : parsed->mx) {
        if (++looked_at > 8)
            break;
        std::string host = pattern;
        if (host.starts_with("*."))
            host.replace(0, 1, "mx");
        must(admitted_by(parsed->mx, host + ".").has_value() && view->admitted_by(host).has_value());
    }
    written_and_read(*parsed);
    return 0;
}
