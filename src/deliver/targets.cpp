// SPDX-License-Identifier: Apache-2.0
// Entries: why_not() and targets_of(). Every address of a record becomes a delivery, so that the outbox shows
// also what was not sent, and why; only what lies beyond the limit of addresses is cut off.
#include "deliver/targets.h"

#include "base/ip.h"
#include "base/text.h"
#include "mail/domain_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace mailtight::deliver {
namespace {

using model::delivery_state;
using scheme_type = tlsrpt::report_uri::scheme_type;

// Two spellings of one place: scheme and host in any case, the port that is meant anyway, a fragment, which
// is never sent.
std::string key_of(const tlsrpt::report_uri& uri) {
    if (uri.scheme == scheme_type::mailto) {
        const auto at = uri.address.rfind('@');
        return "mailto:" + uri.address.substr(0, at) + "@" + uri.host;
    }
    std::string_view rest = uri.text;
    rest = rest.substr(0, rest.find('#'));
    rest.remove_prefix(std::min(rest.size(), rest.find("//") + 2));
    const auto path = std::min(rest.find_first_of("/?"), rest.size());
    auto authority = base::lower(rest.substr(0, path));
    if (authority.ends_with(":443"))
        authority.resize(authority.size() - 4);
    rest.remove_prefix(path);
    return "https://" + authority + (rest.starts_with('/') ? "" : "/") + std::string(rest);
}

bool is_listed(const store::suppressed_address& entry, const tlsrpt::report_uri& uri, base::utc_seconds now) {
    if (entry.until && *entry.until <= now)
        return false;
    if (entry.who.starts_with('@'))
        return base::iequals(std::string_view(entry.who).substr(1), uri.host);
    return base::iequals(entry.who, uri.scheme == scheme_type::mailto ? uri.address : uri.host);
}

bool is_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c > 0; });
}

/// Counts what this record adds to the day on top of what the store knows.
class caps {
public:
    caps(
        const guard_rails& rails,
        const std::function<store::result_store::sent_so_far(const std::string&, const std::string&)>& so_far)
        : rails_(rails)
        , so_far_(so_far) {}

    /// "" and one more counted, or the cap that is reached (8460-7-d).
    std::string take(const std::string& address, const std::string& host) {
        const auto known = so_far_ ? so_far_(address, host) : store::result_store::sent_so_far{};
        if (known.to_address >= rails_.per_address)
            return fmt::format("the day's cap of {} reports to one address is reached", rails_.per_address);
        if (known.to_host + to_host_[host] >= rails_.per_host)
            return fmt::format("the day's cap of {} reports to one host is reached", rails_.per_host);
        if (known.in_all + in_all_ >= rails_.per_day)
            return fmt::format("the day's cap of {} reports is reached", rails_.per_day);
        ++to_host_[host];
        ++in_all_;
        return "";
    }

private:
    const guard_rails& rails_;
    const std::function<store::result_store::sent_so_far(const std::string&, const std::string&)>& so_far_;
    std::map<std::string, std::uint64_t> to_host_;
    std::uint64_t in_all_ = 0;
};

std::string barred(const tlsrpt::report_uri& uri, const guard_rails& rails,
                   std::span<const store::suppressed_address> suppressed, base::utc_seconds now) {
    const bool mail = uri.scheme == scheme_type::mailto;
    if (!(mail ? rails.mail : rails.https))
        return mail ? "reports by mail are switched off" : "reports by https are switched off";
    for (const auto& entry : suppressed)
        if (is_listed(entry, uri, now))
            return fmt::format("{} is on the suppression list{}", base::printable(entry.who, 300),
                               entry.why.empty() ? "" : ": " + base::printable(entry.why, 300));
    if (!rails.to_self)
        for (const auto& own : rails.own_domains)
            if (mail::is_within(uri.host, own))
                return fmt::format("{} is a domain of our own", uri.host);
    // Our own mail server would find somebody on this machine, or on its network, whom no record can mean.
    if (mail && (uri.host.find('.') == std::string::npos || base::ip_address::parse(uri.host)))
        return fmt::format("{} is no domain that everybody can write to", uri.host);
    if (mail && !is_ascii(uri.address))
        return "the address is internationalised (RFC 6531), which is not sent to";
    return "";
}

} // namespace

std::string why_not(const guard_rails& rails, std::uint64_t success, std::uint64_t failure,
                    std::uint64_t reports_there) {
    const auto sessions = success + failure < success ? UINT64_MAX : success + failure;
    if (sessions < rails.minimum_sessions)
        return fmt::format("{} of the {} sessions that a report needs", sessions, rails.minimum_sessions);
    if (reports_there > 0 && sessions <= reports_there) // 8460-3-h
        return fmt::format(
            "no more sessions ({}) than reports that were sent there ({}): an answer to reports "
            "alone would never end",
            sessions, reports_there);
    if (failure == 0 && !rails.success_only) // A36
        return "no failure, and reports without one are switched off";
    return "";
}

std::vector<model::outgoing_delivery>
targets_of(const tlsrpt::record& asks, const guard_rails& rails,
           std::span<const store::suppressed_address> suppressed,
           const std::function<store::result_store::sent_so_far(const std::string& address,
                                                                const std::string& host)>& so_far,
           base::utc_seconds now) {
    std::vector<model::outgoing_delivery> out;
    std::set<std::string> seen;
    caps day(rails, so_far);
    for (const auto& uri : asks.rua) {
        if (uri.scheme == scheme_type::other) // 8460-3-c
            continue;
        if (!seen.insert(key_of(uri)).second)
            continue;
        auto& one = out.emplace_back();
        one.uri = uri.text;
        one.address = uri.address; // 8460-3-f
        one.host = uri.host;
        if (seen.size() > rails.addresses)
            one.words = fmt::format("the record names more than {} addresses", rails.addresses);
        else if (one.words = barred(uri, rails, suppressed, now); one.words.empty())
            one.words = day.take(uri.address, uri.host);
        if (one.words.empty()) {
            one.next_at = now;
        } else {
            one.state = delivery_state::suppressed;
            one.ended_at = now;
        }
        if (seen.size() > rails.addresses)
            break; // a record of 64 kB could name thousands
    }
    return out;
}

} // namespace mailtight::deliver
