// SPDX-License-Identifier: Apache-2.0
// Whether every authoritative server says what is wanted (8461-8.1-c): caches are not asked, since what they
// say is true of yesterday.
#include "base/text.h"
#include "mail/domain_name.h"
#include "publish/dns_push_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace mailtight::publish {

namespace {

constexpr std::size_t servers_asked = 16;
constexpr int aliases_followed = 8;

struct server {
    std::string name;
    base::ip_address address;
    std::string refused; ///< by the guard
};

struct place {
    std::string name; ///< where the records really stand
    bool through_alias = false;
    std::vector<server> servers;
    std::string fault;
};

/// Where an alias goes, a cache may still hold it: the name itself is asked for.
bool loses_alias(const std::vector<plan::record_change>& wanted, const std::string& name) {
    return std::ranges::any_of(wanted, [&name](const auto& change) {
        return change.name == name && change.type == "CNAME" && !change.remove.empty();
    });
}

bool is_switched_to_alias(const std::vector<plan::record_change>& wanted, const plan::record_change& of) {
    return of.type != "CNAME" && std::ranges::any_of(wanted, [&of](const auto& other) {
               return other.name == of.name && other.type == "CNAME" && !other.add.empty();
           });
}

io::task<place> find_place(dns_pusher::state& with, plan::record_change change, bool follow) {
    place found{.name = change.name};
    for (int hops = 0; follow && hops < aliases_followed; ++hops) {
        with.dns.forget(found.name);
        const auto alias = co_await with.dns.cname(found.name);
        if (!alias.ok() || alias.chain.empty())
            break;
        found.name = alias.chain.front();
        found.through_alias = true;
    }
    const auto zone = co_await with.dns.soa(found.name);
    if (!zone.ok()) {
        found.fault = fmt::format("the zone that holds {} cannot be found{}{}", found.name,
                                  zone.detail.empty() ? "" : ": ", base::printable(zone.detail, 300));
        co_return found;
    }
    const auto hosts = co_await with.dns.ns(zone.name);
    if (!hosts.ok()) {
        found.fault = fmt::format("the name servers of {} cannot be found{}{}", zone.name,
                                  hosts.detail.empty() ? "" : ": ", base::printable(hosts.detail, 300));
        co_return found;
    }
    std::size_t looked_up = 0;
    for (const auto& host : hosts.hosts) {
        // A zone of a thousand NS records would have us ask others a thousand questions for it.
        if (++looked_up > servers_asked || found.servers.size() >= servers_asked)
            break;
        const auto addresses = co_await with.dns.addresses(host);
        for (const auto& address : addresses.addresses)
            if (found.servers.size() < servers_asked)
                found.servers.push_back({host, address, with.guard.refuses(address).value_or("")});
    }
    if (found.servers.empty())
        found.fault = fmt::format("the name servers of {} have no addresses", zone.name);
    co_return found;
}

io::task<dns_pusher::state::said> ask_one(dns_pusher::state& with, std::size_t change, std::string type,
                                          server to, std::string name, bool through_alias) {
    dns_pusher::state::said by;
    by.change = change;
    by.through_alias = through_alias;
    if (to.refused.empty())
        by.answer =
            co_await io::ask_server(with.loop, {to.address, with.port}, std::move(name), type, with.timeout);
    else
        by.answer.detail = "not asked: " + to.refused;
    by.answer.server = std::move(to.name);
    by.answer.address = to.address;
    co_return by;
}

std::string who(const model::server_answer& answer) {
    return fmt::format("{} ({})", base::printable(answer.server, 253), answer.address.to_string());
}

std::vector<std::string> canonical_texts(const dns_pusher::state::said& by, const std::string& type) {
    std::vector<std::string> texts;
    const auto kind = change_type(type).value_or(wire::dns_type::txt);
    for (const auto& text : by.answer.texts)
        texts.push_back(canonical_value(kind, text).value_or(text));
    return texts;
}

} // namespace

bool says_wanted(const dns_pusher::state::said& by, const plan::record_change& wanted) {
    const auto kind = change_type(wanted.type).value_or(wire::dns_type::txt);
    const auto texts = canonical_texts(by, wanted.type);
    const auto canonical = [kind](const std::string& value) {
        return canonical_value(kind, value).value_or(value);
    };
    const auto says = [&](const std::string& value) {
        return std::ranges::find(texts, canonical(value)) != texts.end();
    };
    const auto comes = [&](const std::string& value) {
        return std::ranges::any_of(wanted.add,
                                   [&](const auto& added) { return canonical(added) == canonical(value); });
    };
    return std::ranges::all_of(wanted.add, says) &&
           std::ranges::none_of(wanted.remove,
                                [&](const std::string& value) { return !comes(value) && says(value); });
}

io::task<dns_pusher::state::round>
dns_pusher::state::look_around(const std::vector<plan::record_change>& wanted) {
    round result;
    std::vector<io::task<said>> questions;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        const auto& change = wanted[i];
        // Behind a new alias the old values may well stand, where they belong now.
        if (is_switched_to_alias(wanted, change))
            continue;
        const auto at =
            co_await find_place(*this, change, change.type != "CNAME" && !loses_alias(wanted, change.name));
        if (!at.fault.empty())
            result.fault = at.fault;
        for (const auto& to : at.servers)
            questions.push_back(ask_one(*this, i, change.type, to, at.name, at.through_alias));
    }
    result.all = co_await io::when_all(loop, std::move(questions));
    co_return result;
}

pushed judge_round(const dns_pusher::state::round& round, const std::vector<plan::record_change>& wanted) {
    pushed result;
    std::vector<std::string> old, silent;
    std::set<base::ip_address> asked, all;
    std::vector<bool> heard(wanted.size());
    for (const auto& by : round.all) {
        result.servers.push_back(by.answer);
        all.insert(by.answer.address);
        if (!by.answered()) {
            silent.push_back(fmt::format("{}: {}", who(by.answer), base::printable(by.answer.detail, 200)));
            continue;
        }
        asked.insert(by.answer.address);
        heard[by.change] = true;
        if (!says_wanted(by, wanted[by.change]))
            old.push_back(
                fmt::format("{} does not yet say so of {}", who(by.answer), wanted[by.change].name));
    }
    bool every_name = round.fault.empty();
    for (std::size_t i = 0; i < wanted.size(); ++i)
        every_name = every_name && (heard[i] || is_switched_to_alias(wanted, wanted[i]));
    const auto but = [&silent] {
        return silent.empty() ? std::string() : fmt::format("; not heard: {}", base::join(silent, ", "));
    };
    if (!old.empty()) {
        result.what = pushed::fate::spreading;
        result.words = base::join(old, ", ") + but();
    } else if (!every_name) {
        result.what = pushed::fate::failed;
        result.words = round.fault.empty() ? "no authoritative server could be asked" + but() : round.fault;
    } else {
        result.what = pushed::fate::done;
        result.words =
            fmt::format("{} of {} authoritative servers say so{}", asked.size(), all.size(), but());
    }
    return result;
}

io::task<pushed> dns_pusher::state::wait_until_seen(std::vector<plan::record_change> wanted) {
    using namespace std::chrono_literals;
    const auto until = loop.now() + wait_for_others;
    io::loop::clock::duration pause = 200ms;
    for (;;) {
        auto result = judge_round(co_await look_around(wanted), wanted);
        if (result.what == pushed::fate::done || loop.now() + pause >= until)
            co_return result;
        co_await loop.sleep_for(pause);
        pause = std::min<io::loop::clock::duration>(pause * 2, 2s);
    }
}

io::task<pushed> dns_pusher::verify(std::vector<plan::record_change> wanted) {
    if (auto why = wrong_with(wanted); !why.empty())
        co_return pushed{pushed::fate::stopped, std::move(why), {}};
    co_return judge_round(co_await state_->look_around(wanted), wanted);
}

} // namespace mailtight::publish
