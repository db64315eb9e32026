// SPDX-License-Identifier: Apache-2.0
// `dns zone`: a zone of one's own for customers who point `_mta-sts` and `_smtp._tls` at us, as a file for
// any name server. An id stands in it when the plan allows its record, and not before.
#include "app/domain_access.h"
#include "app/plan_bench.h"
#include "app/store_access.h"
#include "app/typed.h"
#include "app/zone_command.h"
#include "base/text.h"
#include "publish/delegated_zone.h"
#include "publish/seen_marks.h"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace mailtight::app {

namespace {

int failed(const std::string& why, int status = not_done) {
    complain(why);
    return status;
}

/// The id that senders may see now; "" : none.
std::expected<std::string, std::string> id_for(plan_bench& bench, const model::looked_after& wish,
                                               progress_line& line) {
    const auto published = bench.kept()->published(wish.domain);
    if (!published)
        return std::unexpected(words(published.error()));
    std::string standing;
    if (const auto mark = wish.marks.find(publish::record_mark); mark != wish.marks.end())
        if (const auto record = publish::parse_record(mark->second);
            record && record->id != "-" && record->id != "?")
            standing = record->id;
    if (!*published || (wish.aim != model::aim::off && (*published)->id == standing))
        return standing;
    auto planned = bench.plan_for(wish, line);
    if (!planned)
        return std::unexpected(planned.error());
    const auto* next = planned->next.next();
    if (!next || next->state != plan::step_state::now || !next->blocked.empty())
        return standing;
    if (next->kind == plan::step_kind::publish_record)
        return next->id.empty() ? (*published)->id : next->id;
    return next->kind == plan::step_kind::remove_record ? std::string() : standing;
}

} // namespace

int cmd_dns_zone(const common_options& common, const zone_options& options) {
    const auto zone = take_domain(options.zone);
    if (!zone)
        return wrong_usage;
    if (options.servers.empty() && !options.aliases)
        return failed("which name servers hold the zone? For example: --ns ns1.example.net", wrong_usage);
    auto made = plan_bench::make(common, false);
    if (!made)
        return failed(made.error().words, made.error().status);
    auto& bench = **made;
    if (!bench.kept())
        return failed("there is no store yet: mailtight domain add makes it");
    auto domains = all_domains(*bench.kept(), {.owner = {}, .label = options.label});
    if (!domains)
        return failed(words(domains.error()));
    progress_line line(!common.json);
    std::vector<publish::delegated_names> names;
    for (const auto& wish : *domains) {
        if (wish.host != model::hosting::here && wish.host != model::hosting::proxied)
            continue; // whoever hosts the policy has the id
        const bool named = !wish.sts_target.empty();
        if (named && !mail::is_within(wish.sts_target, zone->name))
            continue; // it is in another zone
        publish::delegated_names one{.domain = wish.domain,
                                     .target = named ? wish.sts_target
                                                     : publish::delegated_target(wish.domain, zone->name),
                                     .id = {},
                                     .rua = {}};
        plan::remembered told;
        bench.hands().configured(wish, told);
        one.rua = std::move(told.rua);
        if (!options.aliases) {
            auto id = id_for(bench, wish, line);
            if (!id) {
                line.clear();
                return failed(fmt::format("{}: {}", wish.domain, id.error()));
            }
            one.id = std::move(*id);
        }
        names.push_back(std::move(one));
    }
    line.clear();
    if (!options.aliases) {
        const base::system_clock clock;
        print(
            publish::zone_of_delegated(zone->name, names, options.servers.front(),
                                       options.mailbox.empty() ? "hostmaster@" + zone->name : options.mailbox,
                                       publish::next_serial(0, clock.now()), options.servers));
        return fine;
    }
    for (const auto& one : names)
        for (const auto& [name, target] :
             {std::pair("_mta-sts." + one.domain, one.target),
              {"_smtp._tls." + one.domain, publish::tlsrpt_target(one.target)}}) {
            if (common.json)
                print(boost::json::serialize(boost::json::object{
                          {"domain", one.domain}, {"name", name}, {"type", "CNAME"}, {"value", target}}) +
                      "\n");
            else
                print(fmt::format("{}. 3600 IN CNAME {}.\n", name, target));
        }
    return fine;
}

} // namespace mailtight::app
