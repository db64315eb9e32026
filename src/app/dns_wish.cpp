// SPDX-License-Identifier: Apache-2.0
#include "app/dns_wish.h"

#include "sts/policy.h"

#include <algorithm>

namespace mailtight::app {

advise::suggestion_options wished_records(const model::looked_after& wish,
                                          const std::optional<model::publication>& served,
                                          const publish_settings& say,
                                          const std::vector<std::string>& report_addresses) {
    advise::suggestion_options out;
    out.policy_host = wish.policy_host;
    if (out.policy_host.empty() && wish.host != model::hosting::elsewhere)
        out.policy_host = say.policy_host;
    for (const auto& text : !wish.rua.empty() ? wish.rua : !say.rua.empty() ? say.rua : report_addresses)
        if (auto uri = tlsrpt::understand_rua(text))
            out.rua.push_back(std::move(*uri));
    // Enforce is reached by way of testing: what is not served yet is not announced.
    out.mode = wish.aim == model::aim::off ? sts::mode::none : sts::mode::testing;
    if (served && !served->body.empty())
        if (const auto read = sts::parse_policy(served->body)) {
            out.mode = read->mode;
            out.max_age = read->max_age;
            out.mx = read->mx;
            out.id = served->id; // 8461-3.1-e: the id that was made with this body
        }
    out.keep_mx = wish.keep_mx;
    return out;
}

records_made make_records(const model::observation& seen, const advise::suggestion_options& wanted) {
    records_made out{.what = advise::suggest(seen, wanted), .place = advise::place_of(seen)};
    out.nothing_left = std::ranges::all_of(out.what.records, &advise::suggested_record::already_right);
    return out;
}

advise::suggestion with_those_that_are_right(advise::suggestion made) {
    for (auto& record : made.records)
        record.already_right = false;
    return made;
}

} // namespace mailtight::app
