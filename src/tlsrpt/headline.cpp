// SPDX-License-Identifier: Apache-2.0
// Sessions counted once. A tlsa policy shares the sessions of the sts policy of its own domain, or of the one
// that admits its domain as an MX host: reporters name tlsa results by the recipient domain or by the MX host
// (A22).
#include "base/text.h"
#include "tlsrpt/report.h"

#include <limits>
#include <unordered_map>

namespace mailtight::tlsrpt {
namespace {

void add(session_count& to, const session_count& more) {
    const auto sum = [](std::uint64_t a, std::uint64_t b) {
        return a > std::numeric_limits<std::uint64_t>::max() - b ? std::numeric_limits<std::uint64_t>::max()
                                                                 : a + b;
    };
    to.success = sum(to.success, more.success);
    to.failure = sum(to.failure, more.failure);
}

// More sessions; among as many, more failures: nothing is shown better than one side saw it.
bool larger(const session_count& a, const session_count& b) {
    session_count of_a, of_b;
    add(of_a, {a.success, 0});
    add(of_a, {a.failure, 0});
    add(of_b, {b.success, 0});
    add(of_b, {b.failure, 0});
    return of_a.success != of_b.success ? of_a.success > of_b.success : a.failure > b.failure;
}

struct both_kinds {
    session_count sts, tlsa;
};

class session_groups {
public:
    explicit session_groups(const report& of) {
        for (const auto& p : of.policies)
            if (p.known_type() == policy_type::sts)
                for (const auto& pattern : p.mx_patterns)
                    domain_of_mx_.try_emplace(pattern, p.domain);
        for (const auto& p : of.policies)
            if (p.known_type() == policy_type::sts)
                groups_.try_emplace(p.domain);
    }
    void add(const policy_result& p) {
        const session_count sessions{p.success, p.failure};
        const auto type = p.known_type();
        if (type == policy_type::sts)
            tlsrpt::add(groups_[p.domain].sts, sessions);
        else if (type == policy_type::tlsa)
            tlsrpt::add(groups_[partner(p.domain)].tlsa, sessions);
        else
            tlsrpt::add(others_, sessions);
    }
    session_count total() const {
        session_count out = others_;
        for (const auto& [domain, kinds] : groups_)
            tlsrpt::add(out, larger(kinds.sts, kinds.tlsa) ? kinds.sts : kinds.tlsa);
        return out;
    }

private:
    // The domain whose sts policy describes the sessions of a tlsa policy for `domain`.
    std::string_view partner(std::string_view domain) const {
        if (groups_.contains(domain))
            return domain;
        if (const auto mx = domain_of_mx_.find(domain); mx != domain_of_mx_.end())
            return mx->second;
        if (const auto dot = domain.find('.'); dot != std::string_view::npos) {
            const std::string wildcard = "*" + std::string(domain.substr(dot));
            if (const auto mx = domain_of_mx_.find(wildcard); mx != domain_of_mx_.end())
                return mx->second;
        }
        return domain;
    }

    std::unordered_map<std::string_view, std::string_view> domain_of_mx_;
    std::unordered_map<std::string_view, both_kinds> groups_;
    session_count others_;
};

} // namespace

session_count headline(const report& of, std::string_view domain) {
    if (of.policies.size() == 1 && domain.empty())
        return {of.policies[0].success, of.policies[0].failure};
    session_groups groups(of);
    for (const auto& p : of.policies)
        if (domain.empty() || base::iequals(p.domain, domain))
            groups.add(p);
    return groups.total();
}

} // namespace mailtight::tlsrpt
