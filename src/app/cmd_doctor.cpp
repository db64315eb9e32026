// SPDX-License-Identifier: Apache-2.0
// `doctor`: can this host judge others (resolver, validation, trusted roots, port 25), and does its mail
// server ask for policies?
#include "app/doctor_host.h"
#include "app/options.h"
#include "app/terminal.h"
#include "app/world.h"
#include "base/text.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <utility>

namespace mailtight::app {

int cmd_doctor(const common_options& common) {
    auto made = world::make(common.set, {});
    if (!made) {
        complain(made.error());
        return wrong_usage;
    }
    auto& with = **made;
    auto seen = with.loop.block_on(look_at_host(with, common.set));
    add_mail_servers(seen, common.set);
    bool bad = false;
    for (const auto& row : seen.rows) {
        bad = bad || row.result == check_row::state::bad;
        if (common.json)
            continue;
        std::string_view head = word(row.result);
        for (const auto& line :
             base::wrap(fmt::format("{}: {}", row.check, base::printable(row.seen)), terminal_width() - 9))
            print(fmt::format("{:<8} {}\n", std::exchange(head, ""), line));
        if (!row.fix.empty())
            for (const auto& line : base::wrap(row.fix, terminal_width() - 9))
                print(fmt::format("{:<8} {}\n", "", line));
        if (!row.lines.empty())
            for (const auto line : base::split(base::trim(row.lines), '\n'))
                print(fmt::format("{:<8}   {}\n", "", line));
    }
    if (common.json)
        print(boost::json::serialize(boost::json::object{{"checks", checks_json(seen.rows)}}) + "\n");
    return bad ? problems_found : fine;
}

} // namespace mailtight::app
