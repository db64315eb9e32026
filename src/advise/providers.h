// SPDX-License-Identifier: Apache-2.0
// Mail providers recognised by their MX hosts, as data: which patterns their customers should publish. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::advise {

struct mail_provider {
    std::string_view name;
    /// MX hosts of the provider: a full name, or ".suffix" for every host below it.
    std::vector<std::string_view> hosts;
    /// The patterns to publish; empty: the exact MX hosts.
    std::vector<std::string_view> patterns = {};
    std::uint64_t max_age = 0; ///< what the provider prescribes, or 0
    std::string_view policy_target =
        {}; ///< `mta-sts.D` as CNAME to it, where the provider runs the policy host
    std::string_view record_target = {}; ///< `_mta-sts.D` as CNAME to it
    std::string_view remark = {};
};
std::span<const mail_provider> mail_providers();

/// The provider of one MX host (lower case), or null.
const mail_provider* provider_of(std::string_view host);
/// The provider of all of these hosts; null where they are of several, or of none that is known.
const mail_provider* provider_of(const std::vector<std::string>& hosts);
/// Every provider among the hosts, by first appearance.
std::vector<const mail_provider*> providers_among(const std::vector<std::string>& hosts);

/// The patterns to publish for these hosts: the provider's own where it has some, else the exact host; each
/// once.
std::vector<std::string> patterns_for(const std::vector<std::string>& hosts);

/// Every pattern that the providers of these hosts have, in use or not.
std::vector<std::string> patterns_of_providers(const std::vector<std::string>& hosts);

/// True where the name is a policy host that a provider runs for its customers.
bool is_policy_service(std::string_view host);

} // namespace mailtight::advise
