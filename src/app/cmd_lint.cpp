// SPDX-License-Identifier: Apache-2.0
// `record lint`, `policy lint`, `policy match`: nothing goes out.
#include "advise/render.h"
#include "advise/text.h"
#include "app/options.h"
#include "app/terminal.h"
#include "app/typed.h"
#include "base/limits.h"
#include "base/text.h"
#include "sts/match.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace mailtight::app {

namespace {

int show(const common_options& common, const advise::lint_result& result) {
    if (common.json)
        print(boost::json::serialize(advise::lint_json(result)) + "\n");
    else
        print(advise::lint_text(result, {.colour = stdout_colour(), .width = terminal_width()}));
    return result.exit_status();
}

} // namespace

int cmd_record_lint(const common_options& common, const lint_options& options) {
    return show(common, advise::lint_records(options.texts));
}

int cmd_policy_lint(const common_options& common, const lint_options& options) {
    auto body = read_bytes(options.file, base::limits::policy_bytes);
    if (!body) {
        complain(body.error());
        return not_done;
    }
    return show(common, advise::lint_policy(*body));
}

int cmd_policy_match(const common_options& common, const policy_options& options) {
    auto body = read_bytes(options.file, base::limits::policy_bytes);
    if (!body) {
        complain(body.error());
        return not_done;
    }
    auto policy = sts::parse_policy(*body);
    if (!policy) {
        complain(fmt::format(
            "{}: no sender can use this policy: {} (line {}); mailtight policy lint says more",
            base::printable(options.file), sts::explain(policy.error().problem), policy.error().line));
        return problems_found;
    }
    boost::json::array rows;
    std::size_t width = 4;
    for (const auto& host : options.hosts)
        width = std::max(width, base::display_width(base::printable(host)));
    bool all = true;
    for (const auto& host : options.hosts) {
        const auto canonical = mail::to_ascii(host).value_or(host);
        const auto by = sts::admitted_by(policy->mx, canonical);
        all = all && by.has_value();
        if (common.json) {
            boost::json::object row{{"host", host}, {"admitted", by.has_value()}};
            row["pattern"] = by ? boost::json::value(policy->mx[*by]) : boost::json::value(nullptr);
            rows.push_back(std::move(row));
        } else {
            print(fmt::format("{:<{}}  {}\n", base::printable(host), width,
                              by ? "admitted by " + base::printable(policy->mx[*by]) : "NOT admitted"));
        }
    }
    if (common.json)
        print(boost::json::serialize(
                  boost::json::object{{"mode", sts::to_string(policy->mode)}, {"hosts", std::move(rows)}}) +
              "\n");
    return all ? fine : problems_found;
}

} // namespace mailtight::app
