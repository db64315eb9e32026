// SPDX-License-Identifier: Apache-2.0
// Postfix: what its TLS client must be told so that a policy counts (POSTCONF(5), TLS_README).
#include "app/doctor_mta.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace mailtight::app {

namespace {

using state = check_row::state;

/// What is known of this Postfix.
struct postfix {
    std::map<std::string, std::string> value;
    std::optional<mta_version> version;
    bool chrooted = false;

    explicit postfix(const postfix_facts& facts)
        : value(parse_postconf(facts.parameters))
        , version(parse_version(of("mail_version"))) {
        // service type private unpriv chroot wakeup maxproc command
        std::vector<std::string_view> words;
        for (const auto word : base::split(facts.master, ' '))
            if (!base::trim(word).empty())
                words.push_back(base::trim(word));
        if (words.size() >= 5)
            chrooted = words[4] == "y" || (words[4] == "-" && version && *version < mta_version{3, 0, 0, ""});
    }
    std::string of(const std::string& name) const {
        const auto found = value.find(name);
        return found == value.end() ? std::string() : found->second;
    }
    std::string queue() const {
        const auto given = of("queue_directory");
        return given.empty() ? "/var/spool/postfix" : given;
    }
};

std::string unix_path(std::string_view listener) {
    if (!listener.starts_with("unix:"))
        return "";
    listener.remove_prefix(5);
    return std::string(listener.substr(0, listener.find(',')));
}

/// Where smtp(8) finds a listener: its working directory is the queue, chrooted or not.
std::string place_for(const postfix& with, const std::string& listener) {
    if (listener.empty())
        return "";
    const auto path = unix_path(listener);
    if (path.empty())
        return "inet:" + listener;
    const auto below = with.queue() + "/";
    if (path.starts_with(below))
        return "unix:" + path.substr(below.size());
    return with.chrooted ? std::string() : "unix:" + path;
}

std::string listener_for(const postfix& with, const std::vector<std::string>& listeners) {
    for (const bool sockets : {true, false})
        for (const auto& each : listeners)
            if (each.starts_with("unix:") == sockets && !place_for(with, each).empty())
                return each;
    return "";
}

/// The tables of a list, as it separates them: by commas and blanks.
std::vector<std::string> tables_of(const std::string& maps) {
    std::vector<std::string> all;
    for (const auto word : base::split(maps, ' '))
        for (const auto each : base::split(word, ','))
            if (!base::trim(each).empty())
                all.emplace_back(base::trim(each));
    return all;
}

bool has_table(const std::string& maps, const std::string& wanted) {
    const auto all = tables_of(maps);
    return std::ranges::find(all, wanted) != all.end();
}

bool dane_is_possible(const postfix& with, const sending_facts& ours) {
    return ours.validated.value_or(false) && with.version && *with.version >= mta_version{2, 11, 0, ""};
}

std::string map_of(const postfix& with, const std::string& listener) {
    const auto place = place_for(with, listener);
    if (place.empty() || !with.version)
        return "";
    return fmt::format("socketmap:{}:{}", place, postfix_map_name(*with.version));
}

check_row installed(const postfix& with) {
    check_row row{.check = "Postfix", .result = state::good};
    row.seen = fmt::format("{}, queue {}{}", with.version ? with.version->text : "of an unknown version",
                           with.queue(), with.chrooted ? ", smtp(8) in a chroot" : "");
    if (!with.version) {
        row.result = state::unknown;
        row.fix = "postconf says nothing: run it by hand and see why";
    } else if (*with.version < mta_version{2, 11, 0, ""}) {
        row.result = state::bad;
        row.fix = "policies can be asked for from Postfix 2.11 on";
    } else if (*with.version < mta_version{3, 4, 0, ""}) {
        row.seen += "; before 3.4 it cannot send SNI as a policy wants it";
        row.fix =
            "mail servers that choose their certificate by SNI may show another one: mail to them waits "
            "until you exempt them (mailtight cache override) or update Postfix";
    }
    return row;
}

check_row reachable(const postfix& with, const sending_facts& ours) {
    check_row row{.check = "Postfix reaches the policy service"};
    if (ours.socketmap.empty()) {
        row.seen = "no listener is configured";
        row.fix = "set this in mailtight.toml and start mailtight serve:";
        row.lines = fmt::format("[resolve]\nsocketmap-listen = [\"unix:{}/mailtight/policy.sock,mode=0666\"]",
                                with.queue());
        return row;
    }
    const auto listener = listener_for(with, ours.socketmap);
    if (listener.empty()) {
        row.result = state::bad;
        row.seen = "smtp(8) runs in a chroot and sees no listener of ours";
        row.fix = "put the socket below its queue directory:";
        row.lines = fmt::format("[resolve]\nsocketmap-listen = [\"unix:{}/mailtight/policy.sock,mode=0666\"]",
                                with.queue());
        return row;
    }
    row.seen = listener;
    const auto seen = ours.seen.find(listener);
    const bool known = seen != ours.seen.end();
    if (known && !seen->second.there) {
        row.result = state::bad;
        row.seen += ": nobody listens there";
        row.fix = "start the daemon: systemctl start mailtight, then look at mailtight status";
    } else if (known && !seen->second.open_to_all) {
        row.result = state::bad;
        row.seen += ": the user postfix may not connect to it";
        row.fix = "add ,mode=0666 to the listener, and let everybody into the folder above it";
    } else if (known && !seen->second.answers) {
        row.result = state::bad;
        row.seen += ": no answer to a question";
        row.fix = "look at mailtight status and at the daemon's log";
    } else if (known) {
        row.result = state::good;
        row.seen += ", answers";
    }
    return row;
}

check_row configured(const postfix& with, const sending_facts& ours, std::string lines) {
    check_row row{.check = "Postfix asks for policies"};
    const auto maps = with.of("smtp_tls_policy_maps");
    const auto wanted = map_of(with, listener_for(with, ours.socketmap));
    row.seen = "smtp_tls_policy_maps = " + (maps.empty() ? "(empty)" : maps);
    if (wanted.empty())
        return row;
    row.result = state::good;
    if (!has_table(maps, wanted)) {
        row.result = state::bad;
        const auto place = wanted.substr(0, wanted.rfind(':') + 1);
        if (maps.find(place) != std::string::npos)
            row.seen += fmt::format("; the map name for Postfix {} is {}", with.version->text,
                                    postfix_map_name(*with.version));
    }
    if (!lines.empty()) {
        row.result = state::bad;
        row.fix = "put these lines into main.cf (in place of those that begin so), then postfix reload:";
        row.lines = std::move(lines);
    }
    return row;
}

} // namespace

std::string_view postfix_map_name(const mta_version& version) {
    if (version < mta_version{3, 4, 0, ""})
        return "postfix-legacy"; // servername= came with 3.4
    return version < mta_version{3, 10, 0, ""} ? "postfix" : "postfix-3.10";
}

std::string postfix_map(const postfix_facts& facts, const std::vector<std::string>& listeners) {
    const postfix with(facts);
    return map_of(with, listener_for(with, listeners));
}

std::string postfix_lines(const postfix_facts& facts, const sending_facts& ours) {
    const postfix with(facts);
    const auto map = map_of(with, listener_for(with, ours.socketmap));
    if (map.empty())
        return "";
    std::string lines;
    const bool dane = dane_is_possible(with, ours);
    if (dane && with.of("smtp_dns_support_level") != "dnssec")
        lines += "smtp_dns_support_level = dnssec\n";
    const auto level = with.of("smtp_tls_security_level");
    constexpr std::array stronger = {"dane", "dane-only", "encrypt", "verify", "secure"};
    if (std::ranges::find(stronger, level) == stronger.end() && (dane || level != "may"))
        lines += fmt::format("smtp_tls_security_level = {}\n", dane ? "dane" : "may");
    const auto maps = with.of("smtp_tls_policy_maps");
    if (!has_table(maps, map)) {
        const auto place = map.substr(0, map.rfind(':') + 1);
        std::string others; // what somebody made by hand goes first
        for (const auto& each : tables_of(maps))
            if (!each.starts_with(place))
                others += each + ", ";
        lines += fmt::format("smtp_tls_policy_maps = {}{}\n", others, map);
    }
    // A policy wants certificates checked against the roots of the web; without any, everything waits.
    if (with.of("smtp_tls_CAfile").empty() && with.of("smtp_tls_CApath").empty() && !ours.roots.empty())
        lines += fmt::format("smtp_tls_CAfile = {}\n", ours.roots); // read before the chroot, unlike a CApath
    return lines;
}

std::vector<check_row> judge_postfix(const postfix_facts& facts, const sending_facts& ours) {
    const postfix with(facts);
    std::vector<check_row> rows = {installed(with), reachable(with, ours),
                                   configured(with, ours, postfix_lines(facts, ours))};
    if (with.of("smtp_tls_CAfile").empty() && with.of("smtp_tls_CApath").empty())
        rows.push_back({.check = "Postfix knows trusted roots",
                        .result = ours.socketmap.empty() ? state::unknown : state::bad,
                        .seen = "neither smtp_tls_CAfile nor smtp_tls_CApath is set: no certificate can be "
                                "verified, and mail under a policy would wait",
                        .fix = ours.roots.empty()
                                   ? "install ca-certificates and set smtp_tls_CAfile"
                                   : fmt::format("set smtp_tls_CAfile = {} in main.cf", ours.roots),
                        .lines = ""});
    if (with.of("smtp_dns_support_level") == "dnssec" && ours.validated == false)
        rows.push_back({.check = "Postfix may believe DNSSEC",
                        .result = state::bad,
                        .seen = "smtp_dns_support_level = dnssec, and the resolver does not validate",
                        .fix = "run a validating resolver on this host: without it DANE protects nobody",
                        .lines = ""});
    return rows;
}

} // namespace mailtight::app
