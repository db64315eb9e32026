// SPDX-License-Identifier: Apache-2.0
// The MX hosts of a destination and what DANE says of each (RFC 7672 §2). The order
// of the questions and every judgement are pure (dane_walk); the coroutine only asks.
#pragma once

#include "base/time.h"
#include "dane/tlsa.h"
#include "io/loop.h"
#include "io/resolver.h"
#include "mail/next_hop.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::resolve {

/// How a host stands (RFC 7672 §2.2).
enum class host_class {
    usable,        ///< secure TLSA with at least one usable record: authenticate or do not deliver
    unusable_only, ///< secure TLSA, none usable: TLS without authentication
    none,          ///< DANE does not apply
    error,         ///< an answer is missing: whether DANE applies is unknown, the host is out of reach
    no_address,    ///< no mail goes there, whatever its TLSA
};
std::string_view to_string(host_class c);

struct mx_standing {
    std::string host; ///< as the MX record names it (A16), lower case
    std::uint16_t preference = 0;
    host_class dane = host_class::none;
    std::string base;                ///< TLSA base domain, where one was found
    std::vector<dane::tlsa> records; ///< all of the RRset at the base
    std::string reason;              ///< for a person: what failed, with the extended error, or why DANE does
                                     ///< not apply or no record can be used; "" where usable
    bool bogus = false;              ///< error: because DNSSEC does not validate
};

struct destination {
    enum class kind {
        hosts,     ///< mx holds them, by preference
        null_mx,   ///< takes no mail (RFC 7505)
        no_host,   ///< neither MX nor address, or no such domain
        mx_failed, ///< the MX look-up failed: nothing is known
    } what = kind::mx_failed;
    bool implicit_mx = false, mx_secure = false;
    bool mx_bogus = false; ///< mx_failed: because DNSSEC does not validate
    std::vector<mx_standing> mx;
    std::size_t not_looked_at = 0;               ///< MX hosts beyond limits::mx_hosts
    std::string detail;                          ///< words of a failed look-up, or why there is no host
    base::utc_seconds looked_at{}, good_until{}; ///< by the smallest TTL of all answers, 30 s to 3600 s;
                                                 ///< failures 30 s
};

/// The domain's answer, of all its hosts.
enum class dane_answer {
    all,     ///< every host that can be reached is `usable`: dane-only
    partial, ///< DANE on some, or mandatory TLS without authentication on some; also where a host without
             ///< DANE stands beside one whose state is unknown (see dane_seen)
    none,    ///< no DANE anywhere
    unknown, ///< the MX look-up failed, or the state of every remaining host is unknown
};
dane_answer judge(const destination& where);
/// Whether any host has secure TLSA records. Where the answer is `partial` without that, only a failed
/// look-up speaks for DANE, and a policy that the domain enforces is the better guard.
bool dane_seen(const destination& where);
/// Why it is unknown, naming hosts and errors; "" where it is known.
std::string why_unknown(const destination& where);

struct destination_options {
    bool half_dane = false; ///< TLSA of a signed host behind an insecure MX (7672-2.2.1-c)
    bool trusted_validation =
        true; ///< false: nobody validates on a trusted path, so that nothing counts as secure (7672-2.1.1-a)
    /// A host of which DNS says nothing for so long counts as out of reach where another is known.
    std::chrono::milliseconds patience{4'000};
};
io::task<destination> look_at(io::loop& on, io::resolver& dns, const base::clock& clock, mail::next_hop hop,
                              destination_options options);

} // namespace mailtight::resolve
