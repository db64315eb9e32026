// SPDX-License-Identifier: Apache-2.0
#include "plan/setup_steps.h"

#include "base/ip.h"
#include "base/text.h"
#include "plan/say.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::plan {
namespace {

using so = step_list::so;

std::vector<std::string> report_addresses(const picture& p) {
    if (!p.wish.rua.empty())
        return p.wish.rua;
    if (p.seen.tlsrpt.state == record_seen::what::one && !p.seen.tlsrpt.rua.empty())
        return p.seen.tlsrpt.rua;
    if (!p.past.rua.empty())
        return p.past.rua;
    return {"mailto:tls-report@" + p.wish.domain};
}

void add_report_way(const picture& p, step_list& list, const std::vector<std::string>& rua, bool aside) {
    const auto mark = p.wish.marks.find("report-way");
    step one{.kind = step_kind::report_way,
             .by = step_actor::person,
             .title = "Set up an address for the reports: " + say_list(rua),
             .why =
                 "Senders report once a day which of their connections failed, and why. Without the reports, "
                 "the first sign of a fault would be mail that does not arrive.",
             .how = fmt::format("Create the mailbox, or set up the endpoint.\n"
                                "Run: mailtight report test {}\n"
                                "The step is done when the test report has arrived, or when you say that the "
                                "place exists: mailtight plan {} --said report-way",
                                p.wish.domain, p.wish.domain)};
    if (mark != p.wish.marks.end())
        one.why = fmt::format("Known since {}{}{}", say_day(mark->second.at),
                              mark->second.text.empty() ? "." : ": ", mark->second.text);
    list.add(std::move(one), mark != p.wish.marks.end() ? so::done : so::ready, aside);
}

void add_tlsrpt(const picture& p, step_list& list, const std::vector<std::string>& rua, bool aside) {
    const auto& seen = p.seen.tlsrpt;
    const bool right = seen.state == record_seen::what::one && seen.rua == rua;
    const std::string name = "_smtp._tls." + p.wish.domain;
    step one{
        .kind = step_kind::publish_tlsrpt,
        .by = list.who_writes_dns(),
        .title = "Publish " + name,
        .why = "It asks senders for their reports. It comes first, so that faults show from the first day."};
    if (!right) {
        record_change change{.name = name,
                             .type = "TXT",
                             .add = {"v=TLSRPTv1; rua=" + base::join(rua, ",")},
                             .remove = {},
                             .ttl = p.options.tlsrpt_ttl};
        if (seen.state == record_seen::what::one)
            change.remove.push_back(seen.text);
        one.records.push_back(std::move(change));
    }
    if (seen.state == record_seen::what::unknown)
        one.blocked = "DNS gave no answer for this name.";
    if (seen.state == record_seen::what::invalid) {
        one.by = step_actor::person;
        one.blocked = "What stands there is broken, or stands there more than once.";
        one.how = "Delete every record at this name that begins with v=TLSRPTv1, then add the one below.";
    }
    const auto how = right ? so::done : seen.state == record_seen::what::unknown ? so::waits : so::ready;
    list.add(std::move(one), how, aside || right);
}

bool host_stands(const picture& p) {
    switch (p.wish.host) {
    case model::hosting::here:
        return p.seen.host_points_here;
    case model::hosting::delegated:
        return p.past.policy_host.empty() ? p.seen.host_resolves : p.seen.host_points_here;
    case model::hosting::proxied:
    case model::hosting::elsewhere:
        break;
    }
    return p.seen.host_resolves;
}

/// Only what is wanted stays at the name.
void replace_what_stands(const picture& p, std::vector<record_change>& records) {
    for (const auto& [type, value] : p.seen.host_records) {
        const auto same = std::ranges::find(records, type, &record_change::type);
        if (same != records.end() && std::erase(same->add, value) > 0)
            continue; // it stands among others
        if (same != records.end()) {
            same->remove.push_back(value);
            continue;
        }
        // Before what is added: nothing may stand beside a CNAME.
        records.insert(records.begin(), {.name = p.host_name(), .type = type, .add = {}, .remove = {value}});
    }
}

void add_point_host(const picture& p, step_list& list, bool aside) {
    step one{.kind = step_kind::point_host,
             .by = list.who_writes_dns(),
             .title = "Point " + p.host_name() + " at its policy host",
             .why = "Senders fetch the policy from this name and from no other."};
    if (!p.past.policy_host.empty())
        one.title = fmt::format("Point {} at {}", p.host_name(), p.past.policy_host);
    if (p.wish.host == model::hosting::delegated) // 8461-8.2-b
        one.why += " Your provider answers there, with a certificate for this name.";
    const bool stands = host_stands(p);
    if (!stands) {
        one.records = host_records(p);
        if (one.records.empty()) {
            one.by = step_actor::person;
            if (p.wish.host == model::hosting::elsewhere) // a web server that only its owner knows
                one.how = fmt::format("At your DNS provider, give {} the addresses of your web server (A and "
                                      "AAAA), or a CNAME that leads to it.",
                                      p.host_name());
            else
                one.blocked =
                    fmt::format("Nobody has said yet what it is to point at: set publish.policy-host "
                                "in the configuration, or mailtight domain set {} --policy-host NAME.",
                                p.wish.domain);
        } else if (p.seen.host_resolves) {
            one.by = step_actor::person;
            one.blocked = "It points somewhere else now.";
            one.how = "Replace the A, AAAA or CNAME records that stand there.";
            replace_what_stands(p, one.records);
        }
    }
    list.add(std::move(one), stands ? so::done : so::ready, aside);
}

void add_certificate(const picture& p, step_list& list, bool aside) {
    const bool ours = p.wish.host == model::hosting::here;
    const bool there =
        ours ? p.past.certificate_here : p.seen.certificate_valid.value_or(p.seen.policy.has_value());
    step one{.kind = step_kind::certificate,
             .by = ours ? list.who_serves() : step_actor::person,
             .title = "Have a certificate for " + p.host_name(),
             .why =
                 "Senders take the policy only from a host whose certificate is valid for this very name."};
    if (!ours && !there) // 8461-8.2-c: whoever answers there
        one.how =
            p.wish.host == model::hosting::delegated
                ? "Ask your provider for a certificate that names " + p.host_name() +
                      ": one for the provider's own name does not count."
                : "Get one on your web server from a public certificate authority, and have it renewed by "
                  "itself.";
    list.add(std::move(one), there ? so::done : so::ready, aside);
}

} // namespace

std::vector<record_change> host_records(const picture& p) {
    const auto& to = p.past.policy_host;
    if (to.empty())
        return {};
    const auto ip = base::ip_address::parse(to);
    return {{.name = p.host_name(),
             .type = !ip           ? "CNAME"
                     : ip->is_v4() ? "A"
                                   : "AAAA",
             .add = {to},
             .remove = {},
             .ttl = p.options.host_ttl}};
}

void add_report_steps(const picture& p, step_list& list, bool aside) {
    const auto rua = report_addresses(p);
    add_report_way(p, list, rua, aside);
    add_tlsrpt(p, list, rua, aside);
}

void add_host_steps(const picture& p, step_list& list, bool aside) {
    add_point_host(p, list, aside);
    add_certificate(p, list, aside);
}

} // namespace mailtight::plan
