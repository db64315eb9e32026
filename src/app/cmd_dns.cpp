// SPDX-License-Identifier: Apache-2.0
// `dns`: the records to publish, in order, in the form that the person's DNS provider wants.
#include "advise/advise.h"
#include "app/options.h"
#include "app/terminal.h"
#include "app/typed.h"
#include "app/world.h"
#include "base/text.h"
#include "sts/id.h"

#include <fmt/format.h>

namespace mailtight::app {

int cmd_dns(const common_options& common, const dns_options& options) {
    auto domain = take_domain(options.domain);
    auto mode = take_mode(options.mode);
    auto rua = take_rua(options.rua);
    if (!domain || !mode || !rua)
        return wrong_usage;
    if (!options.id.empty() && !sts::valid_id(options.id)) {
        complain("--id takes 1 to 32 letters and digits");
        return wrong_usage;
    }
    auto made = world::make(common.set, {});
    if (!made) {
        complain(made.error());
        return wrong_usage;
    }
    auto& with = **made;
    auto seen = with.loop.block_on(with.observer->look(domain->name, domain->display));
    advise::suggestion_options wanted;
    wanted.mode = *mode;
    wanted.rua = *rua;
    wanted.policy_host = options.policy_host;
    wanted.id = options.id;
    const auto suggested = advise::suggest(seen, wanted);
    for (const auto& record : suggested.records)
        if (options.all || !record.already_right)
            print(fmt::format("{}. {} {} {} {}\n", record.step, record.name, record.ttl, record.type, base::printable(record.value)));
    return fine;
}

} // namespace mailtight::app
