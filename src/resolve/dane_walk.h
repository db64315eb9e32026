// SPDX-License-Identifier: Apache-2.0
// The questions that show whether DANE applies to one mail host, and the verdict (RFC 7672 §2.2.2, §2.2.3):
// what DNS answered goes in, the next question or the host's standing comes out. Pure.
#pragma once

#include "resolve/destination.h"
#include "resolve/mail_hosts.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mailtight::resolve {

class dane_walk {
public:
    struct question {
        enum class kind {
            addresses,   ///< A and AAAA
            first_alias, ///< the CNAME at this very name
            tlsa,
        } what;
        std::string name;
        friend bool operator==(const question&, const question&) = default;
    };

    /// `port` is the one that mail goes to (7672-2.2.3-a).
    dane_walk(mail_host host, std::uint16_t port);
    /// Nothing is asked: DANE cannot apply, for this reason.
    static dane_walk without_dane(mail_host host, std::string why);

    /// Nothing where the walk is over. The same question until its answer was given.
    std::optional<question> next() const;
    void addresses_seen(const model::address_fact& seen);
    void first_alias_seen(const model::dns_fact& seen);
    void tlsa_seen(const model::tlsa_fact& seen);
    /// No answer will come: the host is out of reach.
    void give_up(std::string why);

    /// Once next() gives nothing.
    const mx_standing& standing() const { return standing_; }
    /// How long that holds: the smallest TTL of the answers that it rests on; ttl_of_failure where one
    /// failed, nothing where none was needed.
    std::optional<std::uint32_t> ttl() const { return ttl_; }

private:
    void ask_tlsa_of(std::vector<std::string> candidates);
    void next_candidate();
    void end(host_class as, std::string reason);
    void end_unanswered(const model::dns_fact& seen);
    void rests_on(const model::dns_fact& seen);

    mx_standing standing_;
    std::uint16_t port_ = 25;
    std::optional<question> next_;
    std::vector<std::string> candidates_; ///< for the base domain, the next one last
    std::optional<std::uint32_t> ttl_;
};

/// How long a destination may be kept that rests on a failed look-up.
inline constexpr std::uint32_t ttl_of_failure = 30;

} // namespace mailtight::resolve
