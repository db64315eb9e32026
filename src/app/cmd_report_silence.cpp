// SPDX-License-Identifier: Apache-2.0
// `report silence`: why nothing arrives. Each cause that can be tried from here is tried: the record, a test
// report to each address, both address families, what was kept apart, how much there was at all.
#include "app/options.h"
#include "app/report_facts.h"
#include "app/report_test.h"
#include "app/store_access.h"
#include "app/terminal.h"
#include "base/text.h"
#include "insight/render_answers.h"
#include "insight/silence.h"
#include "io/http_client.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace mailtight::app {

namespace {

using namespace std::chrono_literals;

/// Whether what takes the reports answers over IPv4 and over no IPv6 address that it has; nothing where there
/// is none of the one or the other, or nothing answers.
io::task<std::optional<bool>> only_ipv6_fails(world& with, tlsrpt::report_uri to) {
    std::vector<std::string> hosts = {to.host};
    std::uint16_t port = 443;
    if (to.scheme == tlsrpt::report_uri::scheme_type::mailto) {
        port = with.probes.smtp_port;
        const auto mx = co_await with.dns->mx(to.host);
        if (!mx.records.empty())
            hosts.clear();
        for (const auto& record : mx.records)
            hosts.push_back(record.host);
    } else if (const auto parts = io::parse_url(to.text)) {
        port = parts->port;
    }
    bool v4 = false, v6 = false, has_v6 = false;
    for (const auto& host : hosts) {
        const auto found = co_await with.dns->addresses(host);
        for (const auto& address : found.addresses) {
            has_v6 = has_v6 || address.is_v6();
            auto connected =
                co_await io::connect_tcp(with.loop, {address, port}, with.guard, with.loop.now() + 5s);
            (address.is_v6() ? v6 : v4) |= connected.connection != nullptr;
        }
    }
    if (!has_v6 || (!v4 && !v6))
        co_return std::nullopt;
    co_return v4 && !v6;
}

} // namespace

int cmd_report_silence(const common_options& common, const report_test_options& options) {
    auto ready = prepare_test(common.set, options.domain);
    if (!ready)
        return ready.error();
    auto& [domain, world_of_it, from] = *ready;
    auto& with = *world_of_it;
    const auto now = with.clock.now();
    auto facts = silence_facts_of(*from, domain.name, now);
    if (!facts) {
        complain(words(facts.error()));
        return not_done;
    }
    progress_line line(!common.json);
    line.show("looking up the record");
    const auto record = with.loop.block_on(with.dns->txt("_smtp._tls." + domain.name));
    const auto judged = tlsrpt::judge_rrset(record.texts);
    const bool usable =
        judged.result == tlsrpt::rrset_judgement::outcome::valid && judged.judgement.value.has_value();
    if (!model::is_dns_error(record.status))
        facts->record_present = usable;
    if (usable) {
        const auto& rua = judged.judgement.value->rua;
        auto tests = send_and_follow(with, common.set, *from, domain.name, rua, options.wait, line);
        if (!tests) {
            line.clear();
            complain(tests.error());
            return not_done;
        }
        facts->rua_deliverable =
            std::ranges::all_of(*tests, [](const followed& one) { return one.sending.sent; });
        if (facts->rua_deliverable.value_or(false))
            facts->test_arrived =
                std::ranges::all_of(*tests, [](const followed& one) { return one.arrived.has_value(); });
        line.show("trying both address families");
        for (const auto& uri : rua)
            if (auto fault = with.loop.block_on(only_ipv6_fails(with, uri)))
                facts->ipv6_only_fault = facts->ipv6_only_fault.value_or(false) || *fault;
    }
    line.clear();
    const auto causes = insight::why_silent(*facts, now);
    if (common.json)
        print(boost::json::serialize(insight::silence_json(domain.name, causes)) + "\n");
    else if (causes.empty())
        print("Everything that can be tried from here works, and reports arrive.\n");
    else
        print(insight::silence_text(domain.name, causes,
                                    {.colour = stdout_colour(), .width = terminal_width()}));
    const bool ours = std::ranges::any_of(causes, &insight::silence_cause::certain);
    return ours ? problems_found : fine;
}

} // namespace mailtight::app
