// SPDX-License-Identifier: Apache-2.0
// A domain that this installation looks after: what is wanted of it, what was said about it, and every policy
// that senders may still remember. Values that are stored and shared; nothing here decides.
#pragma once

#include "base/time.h"
#include "sts/policy.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::model {

/// Where a domain is to be.
enum class aim { testing, enforce, off };
std::string_view to_string(aim a); ///< "testing", "enforce", "off"
std::optional<aim> parse_aim(std::string_view word);

/// How a domain is switched off (RFC 8461 §8.3; the two options of the administrator guides).
enum class off_way {
    none_first, ///< "none": mode none under a new id, wait for what was served before, then remove
    by_expiry,  ///< "expiry": delete the record, withdraw the file, wait until all has expired
};
std::string_view to_string(off_way w); ///< "none", "expiry"
std::optional<off_way> parse_off_way(std::string_view word);

/// Who answers https://mta-sts.DOMAIN/.
enum class hosting {
    here,      ///< our own policy host
    proxied,   ///< ours over plain HTTP, behind somebody's TLS
    elsewhere, ///< a person's own web server: we print the file and verify it
    delegated, ///< a provider's by CNAME (both names, RFC 8461 §8.2): we verify
};
std::string_view to_string(hosting h); ///< "here", "proxied", "elsewhere", "delegated"
std::optional<hosting> parse_hosting(std::string_view word);

/// Who writes the DNS records.
enum class dns_way {
    by_hand, ///< a person, as we print them
    update,  ///< RFC 2136, to the server of this name in the configuration
    hook,    ///< a command of the configuration
};
std::string_view to_string(dns_way w); ///< "hand", "update", "hook"
std::optional<dns_way> parse_dns_way(std::string_view word);

/// What `serve` may do by itself; everything else it asks for.
enum class leave {
    nothing, ///< only watch and say
    records, ///< serve policies, get certificates, write DNS; not change the mode, not remove anything
    all,     ///< everything that the plan allows at its time
};
std::string_view to_string(leave l); ///< "nothing", "records", "all"
std::optional<leave> parse_leave(std::string_view word);

/// Something that cannot be seen and was said or happened once: "report-way" (a report arrived, or a person
/// says that the mailbox exists), "forced" (enforce without evidence; `text` is the reason), "checked-mx".
struct mark {
    base::utc_seconds at{};
    std::string by;   ///< a person's or machine's name
    std::string text; ///< the reason, or what was seen
    friend bool operator==(const mark&, const mark&) = default;
};

struct looked_after {
    std::string domain; ///< A-label form
    std::string owner;  ///< the tenant; "" : the operator
    model::aim aim = aim::testing;
    std::optional<std::uint64_t> max_age; ///< nothing: as the plan's ladder goes
    std::vector<std::string> mx;          ///< patterns; empty: follow the MX records in DNS
    std::vector<std::string> mx_adding;   ///< MX hosts that are to be added
    std::vector<std::string> mx_removing; ///< MX hosts that are to go
    std::vector<std::string> rua;         ///< report addresses; empty: as published, else as configured
    hosting host = hosting::here;
    std::string policy_host; ///< what mta-sts.DOMAIN points at (name or address); "" : as configured
    std::string sts_target;  ///< delegated: the CNAME target of `_mta-sts`; "" : a TXT record of its own
    dns_way dns = dns_way::by_hand;
    std::string dns_server; ///< name of the entry in the configuration; "" : its first
    model::leave leave = leave::records;
    off_way off = off_way::none_first;
    bool keep_mx = false; ///< mode none keeps its mx lines
    bool paused = false;  ///< back to testing for a while, whatever the aim
    std::vector<std::string> labels;
    std::string like; ///< the domain that it was added after
    std::map<std::string, mark, std::less<>> marks;
    base::utc_seconds added_at{}, changed_at{};
    std::int64_t revision = 0; ///< grows with each change; who writes says which one they saw
    friend bool operator==(const looked_after&, const looked_after&) = default;
};

/// Who changed what; only ever appended.
struct change_entry {
    std::int64_t number = 0;
    base::utc_seconds at{};
    std::string domain, who;
    std::string what; ///< "added", "set mode", "served policy", "published record", "removed", …
    std::string from, to, why;
    friend bool operator==(const change_entry&, const change_entry&) = default;
};

/// A policy that senders could fetch, once: they may hold it until last_served + max_age (RFC 8461 §8.3).
/// Only ever appended, and closed.
struct served_policy {
    std::string domain;
    std::string body;
    sts::mode mode = sts::mode::none;
    std::uint64_t max_age = 0;
    std::vector<std::string> ids; ///< of the record while it was served, oldest first; may be empty
    base::utc_seconds first_served{};
    std::optional<base::utc_seconds> last_served; ///< nothing: it is served now
    bool ours = true;                             ///< false: found there, published by somebody else
    friend bool operator==(const served_policy&, const served_policy&) = default;
};

/// What our policy host serves for a domain, and the id that belongs to it.
struct publication {
    std::string domain;
    std::string body; ///< "" : nothing (404) any more
    std::string id;   ///< of the `_mta-sts` record that announces it; made with the body, published after it
    base::utc_seconds since{};
    std::int64_t change = 0; ///< grows with every write, over all domains
    friend bool operator==(const publication&, const publication&) = default;
};

} // namespace mailtight::model
