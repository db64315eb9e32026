// SPDX-License-Identifier: Apache-2.0
// `report keys`: makes the keys that sign reports, prints their DNS records in the form that the person's
// provider wants, and looks whether they are published.
#include "advise/dns_forms.h"
#include "app/published_keys.h"
#include "app/reporting.h"
#include "app/sending_commands.h"
#include "app/terminal.h"
#include "base/host_name.h"
#include "base/text.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include <sys/stat.h>
#include <unistd.h>

namespace mailtight::app {

namespace {

namespace fs = std::filesystem;

/// As root: the keys belong to who owns the place that they are in, so that the daemon can read them.
void give_to_owner(const std::string& folder) {
    struct stat above{};
    if (::geteuid() != 0 || ::stat(fs::path(folder).parent_path().c_str(), &above) != 0 || above.st_uid == 0)
        return;
    std::error_code error;
    std::vector<std::string> all = {folder};
    for (const auto& each : fs::directory_iterator(folder, error))
        all.push_back(each.path().string());
    for (const auto& each : all) {
        struct stat is{};
        if (::lstat(each.c_str(), &is) == 0 && is.st_uid == 0 &&
            (S_ISREG(is.st_mode) || S_ISDIR(is.st_mode)) &&
            ::lchown(each.c_str(), above.st_uid, above.st_gid) != 0)
            return; // the next reader says what is wrong
    }
}

boost::json::object to_json(const deliver::key_entry& key, const std::vector<std::string>& problems) {
    return {
        {"selector", key.selector},
        {"algorithm", key.algorithm == mail::dkim_algorithm::rsa_sha256 ? "rsa-sha256" : "ed25519-sha256"},
        {"file", key.file},
        {"name", key.record_name},
        {"type", "TXT"},
        {"value", key.record_value},
        {"published", problems.empty()},
        {"problems", boost::json::value_from(problems)}};
}

void show_records(const std::vector<deliver::key_entry>& missing, advise::dns_format format,
                  const std::string& domain) {
    if (format == advise::dns_format::table || format == advise::dns_format::bind) {
        for (const auto& key : missing)
            print(format == advise::dns_format::bind ? deliver::zone_line(key) + "\n"
                                                     : fmt::format("name   {}\ntype   TXT\nvalue  {}\n\n",
                                                                   key.record_name, key.record_value));
        return;
    }
    advise::suggestion records;
    for (const auto& key : missing)
        records.records.push_back({.step = 1,
                                   .name = key.record_name,
                                   .type = "TXT",
                                   .value = key.record_value,
                                   .ttl = 3'600,
                                   .already_right = false,
                                   .replaces = {},
                                   .why = "signs our TLS reports"});
    print(advise::dns_document(records,
                               {.domain = domain, .zone = domain, .servers = {}, .provider = nullptr}, format,
                               terminal_width()));
}

} // namespace

int cmd_report_keys(const common_options& common, const own_report_options& options) {
    if (!options.what.empty() && options.what != "make" && options.what != "show") {
        complain(fmt::format("report keys takes make or show, not '{}'", base::printable(options.what, 60)));
        return wrong_usage;
    }
    const auto format = advise::parse_dns_format(options.format);
    if (!format) {
        complain(fmt::format("--format '{}' is unknown: table, bind, nsupdate, dnscontrol, octodns, "
                             "terraform, cloudflare or route53",
                             base::printable(options.format)));
        return wrong_usage;
    }
    if (!sends_reports(common.set)) {
        complain("deliver.contact says for which domain; it is not set");
        return wrong_usage;
    }
    const auto who = reporter_of(common.set);
    if (!who) {
        complain(who.error());
        return wrong_usage;
    }
    const auto folder = dkim_folder_of(common.set);
    const auto domain = who->submitter();
    const auto& selector = options.selector.empty() ? common.set.dkim_selector : options.selector;
    if (options.what == "make" && (selector.find('.') != selector.npos || !base::is_host_name(selector))) {
        complain(
            fmt::format("'{}' is no selector: letters, digits and hyphens", base::printable(selector, 100)));
        return wrong_usage;
    }
    auto ring = options.what == "make" ? deliver::make_keys(folder, domain, selector)
                                       : deliver::read_keys(folder, domain);
    if (!ring) {
        complain(ring.error() + (::geteuid() == 0 ? "" : "; run this as root or as the daemon's user"));
        return not_done;
    }
    if (options.what == "make")
        give_to_owner(folder);
    if (ring->entries.empty()) {
        complain(fmt::format("there is no key for {} in {}: mailtight report keys make", domain, folder));
        return problems_found;
    }
    auto with = world::make(common.set, {});
    if (!with) {
        complain(with.error());
        return wrong_usage;
    }
    bool all_there = true;
    std::vector<deliver::key_entry> missing;
    for (const auto& key : ring->entries) {
        const auto problems = (*with)->loop.block_on(judge_key(**with, key));
        if (common.json)
            print(boost::json::serialize(to_json(key, problems)) + "\n");
        if (problems.empty()) {
            if (!common.json)
                say(fmt::format("{} is published and right", key.record_name));
            continue;
        }
        all_there = false;
        missing.push_back(key);
        if (!common.json)
            for (const auto& each : problems)
                say(base::printable(each, 500));
    }
    if (!common.json && !missing.empty()) {
        say("publish:");
        show_records(missing, *format, domain);
    }
    if (options.what == "make" && !common.json)
        say("a daemon that runs signs with new keys once it is started again: systemctl restart mailtight");
    return all_there || options.what == "make" ? fine : problems_found;
}

} // namespace mailtight::app
