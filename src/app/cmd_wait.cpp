// SPDX-License-Identifier: Apache-2.0
// `check --wait`: polls every authoritative server, the resolver and the policy URL until what a person
// entered by hand is as it should be. Each round starts with a fresh resolver of our own, so that only the
// caches of others are seen.
#include "advise/advise.h"
#include "app/options.h"
#include "app/terminal.h"
#include "app/typed.h"
#include "app/world.h"
#include "base/limits.h"
#include "base/text.h"
#include "sts/id.h"
#include "sts/match.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

namespace mailtight::app {

namespace {

std::atomic<bool> interrupted = false;
void on_interrupt(int) {
    interrupted = true;
    std::signal(SIGINT, SIG_DFL); // who presses it twice does not want to wait at all
}
/// Ends as if the signal had never been caught, so that the shell's own loops end as well.
[[noreturn]] void end_as_interrupted() {
    std::signal(SIGINT, SIG_DFL);
    static_cast<void>(std::raise(SIGINT));
    std::_Exit(130); // where whoever started us has it blocked
}

constexpr std::chrono::milliseconds interrupt_beat{100};

struct wanted {
    std::optional<std::string> id;
    std::vector<std::string> rua;
    std::optional<std::string> policy;
};

/// One thing that is waited for.
struct item {
    std::string what; ///< "_mta-sts at ns1.example.com (192.0.2.1)"
    bool right = false;
    std::string state;     ///< what is seen instead
    std::uint32_t ttl = 0; ///< seconds that the old value, or its absence, can still be cached
};

item judge_sts(std::string what, const std::vector<std::string>& texts, std::string state, std::uint32_t ttl,
               const wanted& want) {
    item one{.what = std::move(what), .ttl = ttl};
    const auto judged = sts::judge_rrset(texts);
    using enum sts::rrset_judgement::outcome;
    if (judged.result == valid) {
        const auto& id = judged.judgement.value->id;
        one.right = !want.id || id == *want.id;
        one.state = one.right ? "id=" + id : fmt::format("still id={}", id);
    } else if (judged.result == multiple) {
        one.state = fmt::format("{} records: there must be one", judged.counted.size());
    } else {
        one.state = judged.result == invalid ? "a record that is not valid: " + texts[*judged.chosen]
                                             : std::move(state);
    }
    return one;
}

item judge_tlsrpt(std::string what, const std::vector<std::string>& texts, std::string state,
                  std::uint32_t ttl, const wanted& want) {
    item one{.what = std::move(what), .ttl = ttl};
    const auto judged = tlsrpt::judge_rrset(texts);
    if (judged.result != tlsrpt::rrset_judgement::outcome::valid) {
        one.state = texts.empty() ? std::move(state) : "not valid: " + texts.front();
        return one;
    }
    std::vector<std::string> published, missing;
    for (const auto& uri : judged.judgement.value->rua)
        published.push_back(uri.text);
    for (const auto& uri : want.rua)
        if (std::find(published.begin(), published.end(), uri) == published.end())
            missing.push_back(uri);
    one.right = missing.empty();
    one.state = one.right ? base::join(published, ", ") : "without " + base::join(missing, ", ");
    return one;
}

item judge_policy(const model::observation& seen, const model::fetch_fact& fetch, const wanted& want) {
    item one{.what = fmt::format("policy from {}", fetch.address.to_string())};
    if (fetch.outcome != model::fetch_outcome::fetched) {
        one.state =
            std::string(model::to_string(fetch.outcome)) + (fetch.detail.empty() ? "" : ": " + fetch.detail);
        return one;
    }
    if (want.policy) {
        one.right = fetch.body == *want.policy;
        one.state = one.right ? "served as wanted" : "another file is served";
        return one;
    }
    const auto judged = sts::judge_policy(fetch.body);
    if (!judged.valid || !judged.value) {
        one.state = "the file is not a valid policy";
        return one;
    }
    std::vector<std::string> outside;
    if (judged.value->mode != sts::mode::none)
        for (const auto& record : seen.mx_set.records)
            if (!record.host.empty() && !sts::admitted_by(judged.value->mx, record.host))
                outside.push_back(record.host);
    one.right = outside.empty();
    one.state = outside.empty() ? fmt::format("valid, mode {}", sts::to_string(judged.value->mode))
                                : "does not admit " + base::join(outside, ", ");
    return one;
}

enum class round { whole, interrupted, impossible };

/// Everything once. The policy is fetched by the resolver's addresses; both records are asked for at every
/// server. `into` is changed by a whole round alone.
round look_once(const common_options& common, const std::string& domain, const wanted& want,
                std::vector<item>& into) {
    observe::observe_options what;
    what.smtp = false;
    auto made = world::make(common.set, what);
    if (!made) {
        complain(made.error());
        return round::impossible;
    }
    auto& with = **made;
    std::vector<item> items;
    bool whole = false;
    const auto look = [&]() -> io::task<> {
        auto seen = co_await with.observer->look(domain, domain);
        std::vector<model::server_answer> tlsrpt;
        for (const auto& server : seen.sts_by_server)
            if (!with.guard.refuses(server.address) && seen.tlsrpt_txt.chain.empty()) {
                auto answer = co_await io::ask_server(with.loop, {server.address, common.set.dns_port},
                                                      "_smtp._tls." + domain, "TXT", common.set.dns_timeout);
                answer.server = server.server;
                answer.address = server.address;
                tlsrpt.push_back(std::move(answer));
            }
        auto name = [](const char* record, const model::server_answer& at) {
            return fmt::format("{} at {} ({})", record, at.server, at.address.to_string());
        };
        auto words = [](const model::server_answer& at) {
            return std::string(model::to_string(at.status)) + (at.detail.empty() ? "" : ": " + at.detail);
        };
        for (const auto& at : tlsrpt)
            items.push_back(judge_tlsrpt(name("_smtp._tls", at), at.texts, words(at), at.ttl, want));
        items.push_back(judge_tlsrpt("_smtp._tls at the resolver", seen.tlsrpt_txt.texts,
                                     std::string(model::to_string(seen.tlsrpt_txt.status)),
                                     seen.tlsrpt_txt.ttl, want));
        for (const auto& fetch : seen.fetches)
            if (fetch.agent == probe::own_agent)
                items.push_back(judge_policy(seen, fetch, want));
        if (seen.fetches.empty())
            items.push_back({.what = "policy host mta-sts." + domain,
                             .state = "no address",
                             .ttl = seen.policy_host.a.ttl});
        for (const auto& at : seen.sts_by_server)
            items.push_back(judge_sts(name("_mta-sts", at), at.texts, words(at), at.ttl, want));
        items.push_back(judge_sts("_mta-sts at the resolver", seen.sts_txt.texts,
                                  std::string(model::to_string(seen.sts_txt.status)), seen.sts_txt.ttl,
                                  want));
        whole = true;
    };
    const auto watch = [&]() -> io::task<> {
        while (!whole && !interrupted)
            co_await with.loop.sleep_for(interrupt_beat);
        if (!whole)
            with.loop.stop();
    };
    with.loop.spawn(look());
    with.loop.spawn(watch());
    with.loop.run();
    if (!whole) {
        // What it was waiting for may take its whole time limit to be taken down. The process ends.
        static_cast<void>(made->release());
        return round::interrupted;
    }
    into = std::move(items);
    return round::whole;
}

std::string latest_word(const std::vector<item>& items, base::utc_seconds now) {
    std::uint32_t longest = 0;
    bool servers_right = true;
    for (const auto& one : items)
        if (!one.right) {
            longest = std::max(longest, one.ttl);
            servers_right = servers_right && one.what.ends_with("at the resolver");
        }
    if (servers_right && longest > 0)
        return fmt::format("every server has it; resolvers see it at the latest at {} (remaining TTL {})",
                           base::format_utc(now + std::chrono::seconds(longest)),
                           base::format_duration(std::chrono::seconds(longest)));
    return longest > 0 ? fmt::format("once it is right there, caches can keep the old answer for another {}; "
                                     "providers speak of up to 24 h",
                                     base::format_duration(std::chrono::seconds(longest)))
                       : std::string("providers speak of up to 24 h until a change is seen everywhere");
}

void print_items(const std::string& domain, bool all, const std::vector<item>& items) {
    boost::json::array rows;
    for (const auto& one : items)
        rows.push_back(boost::json::object{{"what", base::printable(one.what)},
                                           {"right", one.right},
                                           {"state", base::printable(one.state)},
                                           {"ttl", one.ttl}});
    print(boost::json::serialize(
              boost::json::object{{"domain", domain}, {"done", all}, {"items", std::move(rows)}}) +
          "\n");
}

} // namespace

int cmd_wait(const common_options& common, const check_options& options, const std::string& domain) {
    wanted want;
    if (!options.id.empty()) {
        if (!sts::valid_id(options.id)) {
            complain("--id takes 1 to 32 letters and digits");
            return wrong_usage;
        }
        want.id = options.id;
    }
    auto rua = take_rua(options.rua);
    if (!rua)
        return wrong_usage;
    for (const auto& uri : *rua)
        want.rua.push_back(uri.text);
    if (!options.policy_file.empty()) {
        auto bytes = read_bytes(options.policy_file, base::limits::policy_bytes);
        if (!bytes) {
            complain(bytes.error());
            return not_done;
        }
        want.policy = std::move(*bytes);
    }
    interrupted = false;
    std::signal(SIGINT, on_interrupt);
    using steady = std::chrono::steady_clock; // a clock that is set meanwhile changes no limit
    const base::system_clock clock;
    const auto until = steady::now() + options.wait_limit;
    std::vector<item> items;
    std::vector<std::string> told;
    while (true) {
        const auto looked = look_once(common, domain, want, items);
        if (looked == round::impossible)
            return wrong_usage;
        const bool all = looked == round::whole &&
                         std::all_of(items.begin(), items.end(), [](const item& one) { return one.right; });
        std::vector<std::string> lines;
        for (const auto& one : items)
            lines.push_back(fmt::format("{}  {}: {}", one.right ? "right  " : "waiting",
                                        base::printable(one.what), base::printable(one.state)));
        if (!common.json && lines != told) { // a round that looks like the last one says nothing
            print(fmt::format("{} {}\n", base::format_utc(clock.now()), domain));
            for (const auto& line : lines)
                print("  " + line + "\n");
            print(all ? "All is as it should be.\n" : "  " + latest_word(items, clock.now()) + "\n");
            told = lines;
        }
        if (!all && !interrupted && steady::now() < until) {
            const auto next = std::min<steady::time_point>(until, steady::now() + options.wait_interval);
            while (!interrupted && steady::now() < next)
                std::this_thread::sleep_for(interrupt_beat);
            if (!interrupted)
                continue;
        }
        if (common.json)
            print_items(domain, all, items);
        if (all)
            return fine;
        if (interrupted) {
            say("stopped");
            end_as_interrupted();
        }
        say("the limit passed; go on with the same command");
        return problems_found;
    }
}

} // namespace mailtight::app
