// SPDX-License-Identifier: Apache-2.0
// `dns`: the records to publish, in order, in the form that the person's DNS provider wants. What is right
// already is left out; what had to be guessed is said on stderr, so that stdout can go into a file.
#include "advise/advise.h"
#include "advise/dns_forms.h"
#include "advise/render.h"
#include "app/dns_wish.h"
#include "app/domain_access.h"
#include "app/options.h"
#include "app/report_domains.h"
#include "app/store_access.h"
#include "app/terminal.h"
#include "app/typed.h"
#include "app/world.h"
#include "base/text.h"
#include "sts/id.h"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace mailtight::app {

namespace {

/// A name or an address for the policy host; the error is for the person.
std::expected<std::string, std::string> policy_host_of(const std::string& typed) {
    if (typed.empty() || base::ip_address::parse(typed))
        return typed;
    auto ascii = mail::to_ascii(typed);
    auto name = mail::canonical_name(ascii.value_or(typed));
    if (!name || name->find('.') == std::string::npos)
        return std::unexpected(
            fmt::format("--policy-host '{}' is neither a host name nor an address", base::printable(typed)));
    return *name;
}

/// Of a domain that is looked after; else nothing is known.
advise::suggestion_options known_wishes(const settings& from, const std::string& domain) {
    const auto kept = open_domains_if_there(from);
    const auto say = publish_settings_of(from);
    if (!kept || !say)
        return {};
    const auto found = kept->find(domain);
    if (!found || !*found)
        return {};
    const auto served = kept->published(domain);
    std::vector<std::string> addresses;
    if (const auto reports = open_if_there(from))
        if (const auto ours = reports->domains())
            for (const auto& each : *ours)
                if (each.name == domain)
                    addresses = report_addresses(from, each);
    return wished_records(**found, served ? *served : std::nullopt, *say, addresses);
}

} // namespace

int cmd_dns(const common_options& common, const dns_options& options) {
    if (options.domain.empty()) {
        complain("which domain? For example: mailtight dns example.com");
        return wrong_usage;
    }
    auto domain = take_domain(options.domain);
    auto mode = take_mode(options.mode);
    auto rua = take_rua(options.rua);
    if (!domain || !mode || !rua)
        return wrong_usage;
    if (!options.id.empty() && !sts::valid_id(options.id)) {
        complain("--id takes 1 to 32 letters and digits");
        return wrong_usage;
    }
    const auto format = advise::parse_dns_format(options.format);
    if (!format) {
        complain(fmt::format("--format '{}' is unknown: table, bind, nsupdate, dnscontrol, octodns, "
                             "terraform, cloudflare or route53",
                             base::printable(options.format)));
        return wrong_usage;
    }
    auto policy_host = policy_host_of(options.policy_host);
    if (!policy_host) {
        complain(policy_host.error());
        return wrong_usage;
    }
    observe::observe_options what;
    what.every_server = false;
    auto made = world::make(common.set, what);
    if (!made) {
        complain(made.error());
        return wrong_usage;
    }
    auto& with = **made;
    progress_line line;
    line.show(fmt::format("looking at {}…", domain->display));
    auto seen = with.loop.block_on(
        with.observer->look(domain->name, domain->display,
                            [&](const std::string& name, const std::string& stage, const std::string& words) {
                                line.show(fmt::format("{} · {}: {}", name, stage, words));
                            }));
    line.clear();
    if (model::is_dns_error(seen.sts_txt.status) && model::is_dns_error(seen.mx_set.status)) {
        complain(fmt::format("DNS gives no answer for {}: {}", domain->name,
                             base::printable(seen.sts_txt.detail)));
        return not_done;
    }
    auto wanted = known_wishes(common.set, domain->name);
    if (*mode && *mode != wanted.mode) // then it is another policy than the one that is served
        wanted.id.clear();
    if (*mode)
        wanted.mode = *mode;
    if (!rua->empty())
        wanted.rua = *rua;
    if (!policy_host->empty())
        wanted.policy_host = *policy_host;
    if (!options.id.empty())
        wanted.id = options.id;
    const auto [suggested, place, nothing_left] = make_records(seen, wanted);
    if (common.json) {
        auto document = advise::suggestion_json(suggested);
        document["domain"] = domain->name;
        document["zone"] = place.zone;
        document["provider_of_dns"] =
            place.provider ? boost::json::value(place.provider->name) : boost::json::value(nullptr);
        print(boost::json::serialize(document) + "\n");
        return fine;
    }
    if (suggested.records.empty() && suggested.policy.empty()) { // none could be right, and none is offered
        for (const auto& remark : suggested.remarks)
            say(fmt::format("{}: {}", domain->name, base::printable(remark)));
        return advise::no_such_domain(seen) ? problems_found : fine;
    }
    if (nothing_left && !options.all) {
        say(fmt::format("every record of {} is correct already; --all prints them anyway", domain->name));
        return fine;
    }
    print(advise::dns_document(options.all ? with_those_that_are_right(suggested) : suggested, place, *format,
                               terminal_width()));
    if (*format != advise::dns_format::table) { // the table says so itself
        for (const auto& need : suggested.needs)
            say(fmt::format("{} stands for what only you know: replace it", need));
        if (*format != advise::dns_format::nsupdate) // which takes them away itself
            for (const auto& record : suggested.records)
                if (const auto instead = advise::instead_words(record);
                    !record.already_right && !instead.empty())
                    say(fmt::format("{}: {}", base::printable(record.name), instead));
    }
    return fine;
}

} // namespace mailtight::app
