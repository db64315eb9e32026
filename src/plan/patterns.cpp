// SPDX-License-Identifier: Apache-2.0
// The list only ever grows at once; it shrinks when no resolver can still name the host (8461-8.1-b). Without
// an answer of DNS nothing is taken out.
#include "plan/patterns.h"

#include "base/text.h"
#include "sts/match.h"

#include <algorithm>
#include <set>

namespace mailtight::plan {
namespace {

bool contains(const std::vector<std::string>& words, const std::string& word) {
    return std::ranges::find(words, word) != words.end();
}

std::vector<std::string> names(const std::vector<std::string>& given) {
    std::vector<std::string> out;
    for (const auto& one : given) {
        auto name = base::lower(one);
        if (name.ends_with('.'))
            name.pop_back();
        if (sts::valid_mx_pattern(name) && !contains(out, name)) // 8461-3.2-j, 8461-3.2-l
            out.push_back(std::move(name));
    }
    return out;
}

/// When the last resolver has forgotten an MX record that was there.
base::utc_seconds forgotten_at(const picture& p, const remembered::old_mx& one) {
    return std::max(one.last_seen, one.first_missed.value_or(one.last_seen)) +
           std::chrono::seconds(std::max(one.ttl, p.seen.mx_ttl)) + p.options.margin;
}

class chooser {
public:
    explicit chooser(const picture& p)
        : p_(p)
        , published_(p.standing ? names(p.standing->mx) : std::vector<std::string>{})
        , explicit_(!p.wish.mx.empty())
        , mx_told_(p.seen.mx_known && !p.seen.null_mx) {}

    mx_choice choose() {
        for (const auto& one : mail_hosts(p_))
            in_dns_.push_back(base::lower(one.host));
        in_dns_ = names(in_dns_);
        find_move();
        out_.patterns = base();
        for (const auto& host : out_.coming)
            admit(host);
        for (const auto& host : names(p_.wish.mx_adding))
            admit(host);
        for (const auto& host : in_dns_)
            take_host_of_dns(host);
        for (const auto& one : p_.past.mx_before)
            take_former_host(one);
        keep_published_while_unsure();
        return std::move(out_);
    }

private:
    bool was_published(const std::string& host) const {
        return sts::admitted_by(published_, host).has_value();
    }

    void find_move() {
        for (const auto& host : names(p_.wish.mx_adding))
            if (!contains(in_dns_, host) && mx_told_)
                out_.coming.push_back(host);
        for (const auto& host : names(p_.wish.mx_removing))
            if (contains(in_dns_, host) && !contains(names(p_.wish.mx_adding), host))
                out_.leaving.push_back(host);
    }

    std::vector<std::string> base() const {
        if (!explicit_)
            return mx_told_ ? names(p_.seen.suggested_mx) : published_;
        // What is gone from DNS as wished needs its line no longer; take_former_host() keeps it for its time,
        // and keep_published_while_unsure() where DNS gave no answer.
        auto list = names(p_.wish.mx);
        const auto gone = names(p_.wish.mx_removing), coming = names(p_.wish.mx_adding);
        std::erase_if(list, [&](const std::string& one) {
            return contains(gone, one) && !contains(in_dns_, one) && !contains(coming, one) &&
                   (mx_told_ || !published_.empty());
        });
        return list;
    }

    void admit(const std::string& host) {
        if (sts::admitted_by(out_.patterns, host) || !sts::valid_mx_pattern(host))
            return;
        const auto fits = std::ranges::find_if(
            published_, [&](const std::string& pattern) { return sts::pattern_admits(pattern, host); });
        out_.patterns.push_back(fits == published_.end() ? host : *fits);
    }

    void take_host_of_dns(const std::string& host) {
        if (!explicit_ || sts::admitted_by(out_.patterns, host)) {
            admit(host); // an MX host that appeared in DNS is admitted at once
            return;
        }
        // A list given by a person is not widened by what DNS says; what it no longer names stays admitted
        // until it is gone from DNS.
        if (!was_published(host)) {
            out_.unlisted.push_back(host);
            return;
        }
        admit(host);
        if (!contains(out_.leaving, host))
            out_.leaving.push_back(host);
    }

    void take_former_host(const remembered::old_mx& one) {
        const auto host = base::lower(one.host);
        const auto until = forgotten_at(p_, one);
        if (contains(in_dns_, host) || until <= p_.now || sts::admitted_by(out_.patterns, host))
            return;
        if (explicit_ && !was_published(host))
            return;
        admit(host);
        out_.passing_away.push_back(host);
        if (!out_.shrink_at || until < *out_.shrink_at)
            out_.shrink_at = until;
    }

    /// DNS gave no answer; or we have looked for so short a time that resolvers may still name MX hosts which
    /// we never saw.
    void keep_published_while_unsure() {
        std::optional<base::utc_seconds> sure;
        if (!p_.past.past_known && p_.past.looked_since)
            sure = *p_.past.looked_since + std::chrono::seconds(p_.seen.mx_ttl) + p_.options.margin;
        if (mx_told_ && (!sure || *sure <= p_.now))
            return;
        for (const auto& pattern : published_) {
            if (contains(out_.patterns, pattern))
                continue;
            out_.patterns.push_back(pattern);
            out_.passing_away.push_back(pattern);
            if (mx_told_ && (!out_.shrink_at || *sure < *out_.shrink_at))
                out_.shrink_at = sure;
        }
    }

    const picture& p_;
    std::vector<std::string> published_, in_dns_;
    bool explicit_;
    bool mx_told_; ///< DNS named MX hosts; a null MX is no reason to take any out of a policy
    mx_choice out_;
};

} // namespace

mx_choice choose_mx(const picture& p) {
    auto out = chooser(p).choose();
    // The same hosts in the order of today's answer are no new policy.
    if (p.standing && same_patterns(out.patterns, p.standing->mx))
        out.patterns = p.standing->mx;
    return out;
}

bool same_patterns(const std::vector<std::string>& a, const std::vector<std::string>& b) {
    std::set<std::string> left, right;
    for (const auto& one : a)
        left.insert(base::lower(one));
    for (const auto& one : b)
        right.insert(base::lower(one));
    return left == right;
}

} // namespace mailtight::plan
