// SPDX-License-Identifier: Apache-2.0
#include "app/names_below.h"

#include "mail/domain_name.h"
#include "publish/sub_domains.h"
#include "sts/record.h"

#include <algorithm>

namespace mailtight::app {

namespace {

using namespace std::chrono_literals;

constexpr auto reports_hold = 6h;           ///< all of them are walked
constexpr auto transfer_holds = 1h;         ///< many domains may be in one zone
constexpr auto server_rests = 10min;        ///< one that is away would hold up every domain
constexpr std::size_t transfers = 4;        ///< at once
constexpr std::size_t names_kept = 100'000; ///< of transfers; what is forgotten is asked again
constexpr publish::transfer_bounds bounds{.size = {}, .silence = 5s, .in_all = 60s};

} // namespace

names_below::names_below(names_below_needs needs)
    : needs_(std::move(needs))
    , gate_(needs_.loop, transfers)
    , reports_gate_(needs_.loop, 1) {}

void names_below::make_room(std::size_t names) {
    std::size_t kept = names;
    for (const auto& [key, zone] : zones_)
        kept += zone.names.size() + 1;
    if (kept <= names_kept)
        return;
    const auto now = needs_.loop.now();
    std::erase_if(zones_, [&](const auto& each) { return now - each.second.at >= transfer_holds; });
    if (zones_.size() + names > names_kept / 2)
        zones_.clear();
}

io::task<> names_below::transfer(publish::update_server from, std::string zone) {
    const auto permit = co_await gate_.acquire();
    auto& loop = needs_.loop;
    const auto key = std::pair(from.name, zone);
    if (const auto found = zones_.find(key);
        found != zones_.end() && loop.now() - found->second.at < transfer_holds)
        co_return;
    if (const auto rest = rests_.find(from.name); rest != rests_.end() && loop.now() < rest->second)
        co_return;
    auto got = co_await (needs_.transfer ? needs_.transfer(from, zone)
                                         : publish::names_with_mail(loop, from, zone, needs_.clock, bounds));
    if (got.what == publish::zone_names::fate::whole) {
        make_room(got.names.size());
        zones_[key] = {std::move(got.names), loop.now()};
        rests_.erase(from.name);
        refused_.erase(from.name);
        co_return;
    }
    refused_[from.name] = std::move(got.words);
    if (got.what == publish::zone_names::fate::failed)
        rests_[from.name] = loop.now() + server_rests;
    else
        zones_[key].at = loop.now(); // it is as it was, and asked again in an hour
}

io::task<std::vector<std::string>> names_below::transferred_below(model::looked_after wish) {
    std::vector<std::string> names;
    for (const auto& name : needs_.say.transfer_from) {
        const auto* server = needs_.say.server(name);
        if (!server)
            continue;
        auto zone = server->zone;
        if (zone.empty()) { // whose records it writes: others are none of its business
            if (wish.dns != model::dns_way::update || needs_.say.server(wish.dns_server) != server)
                continue;
            const auto soa = co_await needs_.dns.soa(wish.domain);
            zone = soa.ok() && !soa.name.empty() ? soa.name : wish.domain;
        } else if (!mail::is_within(wish.domain, zone) && !mail::is_within(zone, wish.domain)) {
            continue;
        }
        co_await transfer(*server, zone);
        if (const auto found = zones_.find({server->name, zone}); found != zones_.end())
            names.insert(names.end(), found->second.names.begin(), found->second.names.end());
    }
    co_return names;
}

io::task<> names_below::hear_reports() {
    const auto permit = co_await reports_gate_.acquire();
    const auto now = needs_.loop.now();
    if (!needs_.reported || (reported_at_ && now - *reported_at_ < reports_hold))
        co_return;
    reported_at_ = now;
    const auto fresh = co_await needs_.reported();
    if (!fresh) {
        reported_at_ = now - reports_hold + server_rests;
        co_return;
    }
    reported_.clear();
    for (const auto& name : *fresh)
        for (auto above = mail::parent(name); !above.empty(); above = mail::parent(above))
            reported_[std::string(above)].push_back(name);
}

/// Neither looked after itself, nor below a name that is.
io::task<bool> names_below::is_another(std::string name, std::string below) {
    for (std::string each = name; !each.empty() && each != below; each = std::string(mail::parent(each)))
        if (co_await needs_.find(each))
            co_return false;
    co_return true;
}

io::task<std::vector<std::string>> names_below::of(std::string domain) {
    const auto wish = co_await needs_.find(domain);
    if (!wish)
        co_return std::vector<std::string>{};
    auto names = needs_.say.sub_domains;
    if (needs_.known)
        for (auto& each : needs_.known())
            names.push_back(std::move(each));
    co_await hear_reports();
    if (const auto found = reported_.find(domain); found != reported_.end())
        names.insert(names.end(), found->second.begin(), found->second.end());
    for (auto& each : co_await transferred_below(*wish))
        names.push_back(std::move(each));
    std::vector<std::string> others;
    for (auto& each : publish::sub_domains(domain, names))
        if (co_await is_another(each, domain))
            others.push_back(std::move(each));
    co_return others;
}

io::task<std::optional<bool>> names_below::unprotected(std::string name) {
    const auto mx = co_await needs_.dns.mx(name);
    if (model::is_dns_error(mx.status))
        co_return std::nullopt;
    if (!mx.ok() || (mx.records.size() == 1 && mx.records.front().host.empty())) // none, or RFC 7505
        co_return false;
    const auto record = co_await needs_.dns.txt("_mta-sts." + name);
    if (model::is_dns_error(record.status))
        co_return std::nullopt;
    co_return sts::judge_rrset(record.texts).result != sts::rrset_judgement::outcome::valid;
}

io::task<std::vector<std::string>> names_below::unprotected_below(std::string domain) {
    std::vector<std::string> bare;
    for (auto& name : co_await of(std::move(domain)))
        if (const auto is = co_await unprotected(name); is && *is)
            bare.push_back(std::move(name));
    co_return bare;
}

} // namespace mailtight::app
