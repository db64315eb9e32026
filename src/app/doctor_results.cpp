// SPDX-License-Identifier: Apache-2.0
// The rows that are judged from what programs print; doctor_results_look.cpp looks at this host.
#include "app/doctor_results.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::app {

namespace {

using state = check_row::state;

std::string of(const std::map<std::string, std::string>& values, const std::string& name) {
    const auto found = values.find(name);
    return found == values.end() ? std::string() : found->second;
}

std::string queue_of(const std::map<std::string, std::string>& values) {
    const auto given = of(values, "queue_directory");
    return given.empty() ? "/var/spool/postfix" : given;
}

/// A datagram listener's path, however it is written.
std::string path_of(std::string_view listener) {
    if (listener.starts_with("unix:"))
        listener.remove_prefix(5);
    return std::string(listener.substr(0, listener.find(',')));
}

check_row by_datagrams(const std::map<std::string, std::string>& values, const results_facts& ours) {
    check_row row{.check = "Postfix tells its results"};
    const auto below = queue_of(values) + "/";
    std::string place;
    for (const auto& each : ours.datagrams)
        if (place.empty() && path_of(each).starts_with(below))
            place = path_of(each).substr(below.size());
    if (place.empty()) {
        row.result = ours.datagrams.empty() ? state::unknown : state::bad;
        row.seen = ours.datagrams.empty() ? "no datagram socket is configured"
                                          : "smtp(8) may be in a chroot and sees no socket of ours";
        row.fix = "set this in mailtight.toml and start mailtight serve:";
        row.lines = fmt::format("[collect]\ndatagram-listen = [\"{}mailtight/tlsrpt.sock\"]", below);
        return row;
    }
    if (of(values, "smtp_tlsrpt_enable") != "yes")
        row.lines += "smtp_tlsrpt_enable = yes\n";
    if (const auto set = of(values, "smtp_tlsrpt_socket_name"); set != place && set != below + place)
        row.lines += fmt::format("smtp_tlsrpt_socket_name = {}\n", place);
    row.result = row.lines.empty() ? state::good : state::bad;
    row.seen =
        row.lines.empty() ? "by datagrams to " + below + place : "TLSRPT is built in, and not switched on";
    if (!row.lines.empty())
        row.fix = "put these lines into main.cf (in place of those that begin so), then postfix reload:";
    return row;
}

check_row by_log(const std::map<std::string, std::string>& values, const results_facts& ours) {
    check_row row{.check = "Postfix tells its results"};
    if (ours.logs.empty()) {
        row.seen = "it has no TLSRPT built in: only its log tells";
        row.fix = "set this in mailtight.toml (or file:/var/log/mail.log where that is written):";
        row.lines = "[collect]\npostfix-log = [\"journal\"]";
    } else {
        row.result = state::good;
        row.seen = "by its log, " + base::join(ours.logs, ", ");
    }
    const auto level = of(values, "smtp_tls_loglevel");
    if (level.empty() || level == "0") {
        row.result = ours.logs.empty() ? state::unknown : state::bad;
        row.seen += ours.logs.empty() ? ", and nothing about TLS yet" : ", which says nothing about TLS";
        row.fix = ours.logs.empty() ? "set the first two lines in mailtight.toml (or file:/var/log/mail.log "
                                      "where that is written), put the last into main.cf, then postfix "
                                      "reload:"
                                    : "put this line into main.cf, then postfix reload:";
        row.lines += fmt::format("{}smtp_tls_loglevel = 1\n", row.lines.empty() ? "" : "\n");
    }
    return row;
}

/// IPv6 before IPv4, or in turn with it.
bool may_go_over_v6(const std::map<std::string, std::string>& values) {
    return of(values, "inet_protocols") != "ipv4" && of(values, "smtp_address_preference") != "ipv4";
}

/// The service for master.cf.
std::string report_service(const postfix_facts& facts, bool past_policies, bool v4_first) {
    // service type private unpriv chroot: as the client of other mail has it.
    std::string chroot = "-";
    std::vector<std::string_view> words;
    for (const auto word : base::split(facts.master, ' '))
        if (!base::trim(word).empty())
            words.push_back(base::trim(word));
    if (words.size() >= 5)
        chroot = words[4];
    return fmt::format("{0} unix - - {1} - - smtp\n  -o syslog_name=postfix/{0}\n{2}{3}", report_transport,
                       chroot,
                       past_policies ? "  -o smtp_tls_security_level=may\n  -o smtp_tls_policy_maps=\n" : "",
                       v4_first ? "  -o smtp_address_preference=ipv4\n" : "");
}

/// `past_policies`: since it does not know TLS-Required. `v4_first`: since this host is not fit for IPv6.
check_row own_transport(const postfix_facts& facts, const std::map<std::string, std::string>& values,
                        const results_facts& ours, bool past_policies, bool v4_first) {
    check_row row{.check = "reports leave Postfix by a transport of their own", .result = state::bad};
    const auto service = report_service(facts, past_policies, v4_first);
    const auto maps = of(values, "sender_dependent_default_transport_maps");
    const bool mapped = maps.find(std::string(report_transport) + ":") != std::string::npos &&
                        maps.find(ours.contact) != std::string::npos;
    const bool there = base::trim(facts.report_service).starts_with(report_transport);
    const auto has = [&](std::string_view option) {
        return facts.report_service.find(option) != std::string::npos;
    };
    if (mapped && !there) {
        row.seen = fmt::format("mail from {} goes to the transport {}, which is not in master.cf: it would "
                               "stay in the queue",
                               ours.contact, report_transport);
        row.fix = "put these lines into master.cf, then postfix reload:";
        row.lines = service;
        return row;
    }
    if (mapped && (!past_policies || (has("smtp_tls_security_level") && has("smtp_tls_policy_maps"))) &&
        (!v4_first || has("smtp_address_preference"))) {
        row.result = state::good;
        row.seen = fmt::format("mail from {} does", ours.contact);
        return row;
    }
    if (mapped) {
        row.result = past_policies ? state::bad : state::unknown;
        row.seen = fmt::format("mail from {} does, and {} lacks an option", ours.contact, report_transport);
        row.fix = "make it read so in master.cf, then postfix reload:";
        row.lines = service;
        return row;
    }
    if (past_policies) {
        row.seen = "this Postfix does not know TLS-Required: a report about a broken certificate would wait "
                   "for that certificate, and the sessions of reports would be reported";
    } else {
        row.result = state::unknown;
        row.seen = "this host is not fit to send over IPv6 (see above): receivers may refuse reports there";
    }
    row.fix = "put the first line into main.cf (with what stands in that parameter already), the others into "
              "master.cf, then postfix reload:";
    row.lines = fmt::format("sender_dependent_default_transport_maps = {}inline:{{ {{ {} = {}: }} }}\n{}",
                            maps.empty() ? "" : maps + ", ", ours.contact, report_transport, service);
    return row;
}

} // namespace

check_row judge_result_socket(const std::string& path, const socket_seen& seen) {
    check_row row{.check = "results can be told", .result = state::bad, .seen = path};
    if (!seen.there) {
        row.seen += ": there is no socket";
        row.fix = "start the daemon (systemctl start mailtight), then look at mailtight status";
    } else if (!seen.open_to_all) {
        row.seen += ": not everybody may write to it";
        row.fix = "results of the mail server's user would be lost: let others write to the socket (0622 is "
                  "enough for datagrams, ,mode=0666 for lines), and go through each folder above it";
    } else {
        row.result = state::good;
    }
    return row;
}

check_row judge_queue_length(std::optional<std::size_t> length) {
    check_row row{.check = "the kernel's queue for results"};
    if (!length) {
        row.seen = "net.unix.max_dgram_qlen cannot be read";
        return row;
    }
    row.seen = fmt::format("{} datagrams", *length);
    row.result = *length >= queue_wanted ? state::good : state::bad;
    if (row.result == state::bad) {
        row.fix = "a burst of results may be lost; write this to /etc/sysctl.d/60-mailtight.conf, run sysctl "
                  "--system, and start the daemon again (the length is taken when the socket is made):";
        row.lines = fmt::format("net.unix.max_dgram_qlen = {}", queue_wanted);
    }
    return row;
}

std::vector<check_row> judge_postfix_results(const postfix_facts& facts, const results_facts& ours) {
    const auto values = parse_postconf(facts.parameters);
    const auto version = parse_version(of(values, "mail_version"));
    if (!version)
        return {};
    const bool modern = *version >= mta_version{3, 10, 0, ""};
    const bool built_in = modern && values.contains("smtp_tlsrpt_enable");
    std::vector<check_row> rows = {built_in ? by_datagrams(values, ours) : by_log(values, ours)};
    const bool v4_first = !ours.over_v6 && may_go_over_v6(values);
    if (!ours.contact.empty() && ours.mail && (!modern || v4_first))
        rows.push_back(own_transport(facts, values, ours, !modern, v4_first));
    return rows;
}

std::vector<check_row> judge_exim_results(const results_facts& ours) {
    check_row tells{.check = "Exim tells its results", .result = state::good};
    tells.seen = base::join(ours.lines, ", ");
    if (ours.lines.empty()) {
        tells.result = state::unknown;
        tells.seen = "no listener is configured";
        tells.fix = "set this in mailtight.toml; mailtight doc exim prints what goes with it:";
        tells.lines = "[collect]\nlines-listen = [\"unix:/run/mailtight/results.sock,mode=0666\"]";
    }
    std::vector<check_row> rows = {std::move(tells)};
    if (ours.contact.empty() || !ours.mail)
        return rows;
    rows.push_back({.check = "reports leave Exim by a transport of their own",
                    .result = state::unknown,
                    .seen = "Exim does not know TLS-Required",
                    .fix = "the router and the transport mailtight_report of mailtight doc exim are that",
                    .lines = ""});
    return rows;
}

} // namespace mailtight::app
