// SPDX-License-Identifier: Apache-2.0
// Dynamic updates from beginning to end: find the zone, see what stands there, send one message, see what
// became of it. What is not known is looked at, never assumed: a lost answer leads to a look, a yes too
// (erratum 4469 of RFC 2136: a server may do nothing and say yes).
#include "publish/dns_push.h"

#include "base/text.h"
#include "mail/domain_name.h"
#include "publish/dns_exchange.h"
#include "publish/dns_push_state.h"
#include "wire/dns_name.h"
#include "wire/dns_raw.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace mailtight::publish {

namespace {

using fate = pushed::fate;
using records = std::vector<wire::update_record>;
using changes = std::vector<plan::record_change>;
using reply = std::expected<wire::dns_update_reply, exchange_fault>;

enum class rcode : std::uint16_t {
    no_error = 0,
    format_error = 1,
    server_failure = 2,
    nx_domain = 3,
    not_implemented = 4,
    refused = 5,
    yx_domain = 6,
    yx_rrset = 7,
    nx_rrset = 8,
    not_auth = 9,
    not_zone = 10,
};

bool is_prerequisite_code(rcode code) {
    return code == rcode::nx_domain || code == rcode::yx_domain || code == rcode::yx_rrset ||
           code == rcode::nx_rrset;
}

/// What ends a push before its time.
struct ended {
    fate what;
    std::string words;
};

/// One push to one server.
class push_run {
public:
    push_run(dns_pusher::state& with, const update_server& to)
        : with_(with)
        , to_(to)
        , talk_(with.loop, to_, with.clock, with.timeout) {}

    io::task<pushed> run(changes wanted) {
        std::map<std::string, changes> zones;
        for (auto& change : wanted) {
            auto zone = co_await zone_of(change.name);
            if (!zone)
                co_return pushed{zone.error().what, std::move(zone.error().words), {}};
            zones[std::move(*zone)].push_back(std::move(change));
        }
        std::vector<std::string> words;
        bool any_done = false;
        for (const auto& [zone, of_zone] : zones) {
            auto end = co_await one_zone(zone, of_zone);
            words.push_back(std::move(end.words));
            if (end.what != fate::done && end.what != fate::already)
                co_return pushed{end.what, base::join(words, ". "), {}};
            any_done = any_done || end.what == fate::done;
        }
        co_return pushed{any_done ? fate::done : fate::already, base::join(words, ". "), {}};
    }

private:
    std::string server() const {
        return to_.name.empty() ? to_.address.to_string()
                                : fmt::format("{} ({})", to_.name, to_.address.to_string());
    }
    ended because(const exchange_fault& fault) const {
        using kind = exchange_fault::kind;
        if (fault.what == kind::refused)
            return {fate::refused, fmt::format("{}: {}. Nothing was written.", server(), fault.words)};
        return {fate::failed, fmt::format("{}: {}", server(), fault.words)};
    }
    ended because(std::uint16_t code) const {
        const bool passing = code == static_cast<std::uint16_t>(rcode::server_failure);
        return {passing ? fate::failed : fate::refused,
                fmt::format("{} answers {}: {}", server(), wire::update_rcode_name(code),
                            wire::explain_update_rcode(code))};
    }

    io::task<reply> ask(std::string name, wire::dns_type type) {
        auto query = wire::build_dns_query(
            {std::move(name), type},
            {.id = random_message_id(), .recursion_desired = false, .edns = false}); // TCP carries it all
        if (!query)
            co_return std::unexpected(
                exchange_fault{exchange_fault::kind::not_reached, "the name cannot be asked"});
        co_return co_await talk_.ask(std::move(*query));
    }

    /// The apex of the zone that holds the name, as this very server knows it.
    io::task<std::expected<std::string, ended>> zone_of(const std::string& change_name) {
        const auto name = wire::canonical_dns_name(change_name).value_or("");
        if (!to_.zone.empty())
            co_return wire::canonical_dns_name(to_.zone).value_or(to_.zone);
        std::uint16_t last_code = 0;
        bool authoritative = false;
        for (std::string at = name; !at.empty(); at = std::string(mail::parent(at))) {
            auto said = co_await ask(at, wire::dns_type::soa);
            if (!said)
                co_return std::unexpected(because(said.error()));
            last_code = said->code;
            authoritative = authoritative || said->authoritative;
            // Behind an alias stands the SOA of its target's zone.
            if (said->authoritative && !said->alias && said->zone && mail::is_within(at, *said->zone))
                co_return *said->zone;
        }
        const auto code = last_code == 0
                              ? std::string()
                              : fmt::format(" (it answers {})", wire::update_rcode_name(last_code));
        co_return std::unexpected(
            ended{fate::refused, fmt::format("{} holds no zone with {}{}: name the primary server of the "
                                             "zone. Nothing was written.",
                                             server(), name, code)});
    }

    /// Every record of the types that matter at the names of the changes.
    io::task<std::expected<records, ended>> standing(const changes& wanted) {
        std::set<std::pair<std::string, wire::dns_type>> questions;
        for (const auto& change : wanted) {
            const auto name = wire::canonical_dns_name(change.name).value_or("");
            for (const auto type : change_types)
                questions.emplace(name, type);
            if (change.type == "CNAME" && !change.add.empty())
                for (const auto type : alias_rivals)
                    questions.emplace(name, type);
        }
        records all;
        for (const auto& [name, type] : questions) {
            auto said = co_await ask(name, type);
            if (!said)
                co_return std::unexpected(because(said.error()));
            if (said->code != 0 && said->code != static_cast<std::uint16_t>(rcode::nx_domain))
                co_return std::unexpected(because(said->code));
            if (!said->authoritative)
                co_return std::unexpected(
                    ended{fate::refused, fmt::format("{} does not answer for {} with authority: name the "
                                                     "primary server of the zone. Nothing was written.",
                                                     server(), name)});
            for (auto& record : said->answers)
                if (record.name == name && record.type == type)
                    all.push_back(std::move(record));
        }
        co_return all;
    }

    /// Without what a wildcard answers at a name that has no records of its own.
    io::task<std::optional<records>> without_wildcards(std::string zone, const records& all) {
        std::set<std::pair<std::string, wire::dns_type>> synthesised;
        std::map<std::pair<std::string, wire::dns_type>, std::set<std::string>> sets;
        for (const auto& record : all)
            sets[{record.name, record.type}].insert(record.rdata);
        for (const auto& [key, values] : sets) {
            for (auto above = mail::parent(key.first); !above.empty() && mail::is_within(above, zone);
                 above = mail::parent(above)) {
                const auto wildcard = fmt::format("*.{}", above);
                const auto said = co_await ask(wildcard, key.second);
                if (!said)
                    co_return std::nullopt;
                std::set<std::string> there;
                for (const auto& record : said->answers)
                    if (record.name == wildcard && record.type == key.second)
                        there.insert(record.rdata);
                if (there == values)
                    synthesised.insert(key);
            }
        }
        if (synthesised.empty())
            co_return std::nullopt;
        records rest;
        for (const auto& record : all)
            if (!synthesised.contains({record.name, record.type}))
                rest.push_back(record);
        co_return rest;
    }

    io::task<ended> one_zone(std::string zone, changes wanted) {
        auto seen = co_await standing(wanted);
        if (!seen)
            co_return std::move(seen.error());
        bool wildcards_known = false, sent_before = false;
        for (;;) {
            const auto planned = plan_updates(wanted, zone, *seen);
            if (!planned) {
                if (auto rest = co_await once(wildcards_known, zone, *seen)) {
                    seen = std::move(*rest);
                    continue;
                }
                co_return ended{fate::stopped, planned.error()};
            }
            if (planned->add.empty() && planned->remove.empty())
                co_return ended{sent_before ? fate::done : fate::already,
                                fmt::format("{} has it so", server())};
            auto message = wire::build_dns_update(*planned, random_message_id());
            if (!message)
                co_return ended{fate::stopped,
                                "the changes do not fit one message: fewer at once. Nothing was written."};
            // Anew: one that its server has closed meanwhile would look like an answer that was lost.
            talk_.hang_up();
            const auto said = co_await talk_.ask(std::move(*message));
            if (!said && said.error().what != exchange_fault::kind::lost)
                co_return because(said.error());
            const auto code = said ? static_cast<rcode>(said->code) : rcode::no_error;
            if (said && code != rcode::no_error && !is_prerequisite_code(code))
                co_return because(said->code);

            auto now = co_await standing(wanted);
            if (!now) {
                if (!said)
                    now.error().words = fmt::format("whether the update was done is not known ({}): {}",
                                                    said.error().words, now.error().words);
                co_return ended{fate::failed, std::move(now.error().words)};
            }
            if (as_wanted(wanted, *now))
                co_return ended{fate::done, fmt::format("{} has taken it", server())};
            if (!said) { // what is on its way still, the prerequisites of the next one make harmless
                if (sent_before)
                    co_return ended{fate::failed,
                                    fmt::format("{}: {}, twice; the records there are as they were", server(),
                                                said.error().words)};
                sent_before = true;
                seen = std::move(now);
                continue;
            }
            if (code == rcode::no_error)
                co_return co_await still_not(zone, wanted);
            if (auto rest = co_await once(wildcards_known, zone, *now)) {
                seen = std::move(*rest);
                continue;
            }
            co_return ended{fate::stopped, fmt::format("{} answers {}: {}. Nothing was written.", server(),
                                                       wire::update_rcode_name(said->code),
                                                       wire::explain_update_rcode(said->code))};
        }
    }

    io::task<std::optional<records>> once(bool& asked, std::string zone, const records& all) {
        if (std::exchange(asked, true))
            co_return std::nullopt;
        co_return co_await without_wildcards(std::move(zone), all);
    }

    /// A server that said yes may need a moment, or did nothing.
    io::task<ended> still_not(std::string zone, const changes& wanted) {
        using namespace std::chrono_literals;
        for (const auto pause : {100ms, 300ms, 1'000ms}) {
            co_await with_.loop.sleep_for(pause);
            const auto now = co_await standing(wanted);
            if (now && as_wanted(wanted, *now))
                co_return ended{fate::done, fmt::format("{} has taken it", server())};
        }
        co_return ended{
            fate::refused,
            fmt::format("{} says yes, and yet the records of {} are not as they should be: a name "
                        "cannot be an alias and have other records, and servers then do nothing "
                        "without a word (RFC 2136 §3.4.2.2). Look at the name there.",
                        server(), zone)};
    }

    dns_pusher::state& with_;
    const update_server& to_;
    dns_exchange talk_;
};

} // namespace

dns_pusher::dns_pusher(io::loop& on, io::resolver& dns, const base::address_guard& guard,
                       const base::clock& real_time, std::uint16_t dns_port,
                       std::chrono::milliseconds timeout, std::chrono::milliseconds wait_for_others)
    : state_(new state{.loop = on,
                       .dns = dns,
                       .guard = guard,
                       .clock = real_time,
                       .port = dns_port,
                       .timeout = timeout,
                       .wait_for_others = wait_for_others,
                       .programs = {}}) {}

dns_pusher::~dns_pusher() = default;

io::task<pushed> dns_pusher::push(update_server to, std::vector<plan::record_change> changes) {
    if (auto why = wrong_with(changes); !why.empty())
        co_return pushed{fate::stopped, std::move(why), {}};
    pushed written;
    {
        push_run run(*state_, to);
        written = co_await run.run(changes);
    }
    if (written.what != fate::done && written.what != fate::already)
        co_return written;
    auto seen = co_await state_->wait_until_seen(std::move(changes));
    written.servers = std::move(seen.servers);
    written.words = fmt::format("{}; {}", written.words, seen.words);
    if (seen.what != fate::done) // written it is; that nobody could be asked is no failure of the push
        written.what = fate::spreading;
    co_return written;
}

} // namespace mailtight::publish
