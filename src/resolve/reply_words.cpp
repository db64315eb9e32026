// SPDX-License-Identifier: Apache-2.0
// The gate between policies and replies: names, lines, the lists of `match=` and the TLSRPT attributes.
#include "resolve/reply_words.h"

#include "base/limits.h"
#include "base/text.h"
#include "base/utf8.h"
#include "sts/match.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace mailtight::resolve {

namespace {

namespace limits = base::limits;

/// Labels of letters, digits and inner hyphens (and underscores, where allowed): at least two of them unless
/// one is enough, of which the last is not a number, as it is in an address.
bool well_formed(std::string_view name, bool underscores, bool one_label_is_enough) {
    if (name.empty() || name.size() > limits::dns_name_text_max)
        return false;
    const auto labels = base::split(name, '.');
    if (labels.size() < 2 && !one_label_is_enough)
        return false;
    for (const std::string_view label : labels) {
        if (label.empty() || label.size() > limits::dns_label_max || label.front() == '-' ||
            label.back() == '-')
            return false;
        for (const char c : label)
            if (!base::is_alnum(c) && c != '-' && !(c == '_' && underscores))
                return false;
    }
    return !std::ranges::all_of(labels.back(), base::is_digit);
}

/// `*.b.example` as Postfix and Sendmail write it.
std::string in_match(std::string_view pattern) {
    return std::string(pattern.starts_with("*.") ? pattern.substr(1) : pattern);
}

/// Names in their order, each once; a policy can hold ten thousand.
class names_once {
public:
    void add(std::string name) {
        if (known_.insert(name).second)
            names_.push_back(std::move(name));
    }
    std::vector<std::string> take() { return std::move(names_); }

private:
    std::unordered_set<std::string> known_;
    std::vector<std::string> names_;
};

} // namespace

bool speakable_pattern(std::string_view pattern) {
    if (!sts::valid_mx_pattern(pattern))
        return false;
    const bool wildcard = pattern.starts_with("*.");
    return well_formed(wildcard ? pattern.substr(2) : pattern, false, wildcard);
}

bool speakable_host(std::string_view host) {
    return well_formed(host, true, false);
}

bool speakable_line(std::string_view line) {
    if (line.empty())
        return false;
    for (std::size_t at = 0; at < line.size();) {
        const auto c = base::utf8_at(line, at);
        if (!c || c->code_point < 0x20 || (c->code_point >= 0x7f && c->code_point <= 0x9f) ||
            c->code_point == '{' || c->code_point == '}')
            return false;
        at += c->length;
    }
    return true;
}

std::vector<std::string> patterns_for(const sts::policy& policy) {
    names_once all;
    for (const auto& pattern : policy.mx)
        if (speakable_pattern(pattern))
            all.add(base::lower(pattern));
    return all.take();
}

std::vector<std::string> lines_for(const sts::held_policy& held) {
    std::vector<std::string> all;
    const auto take = [&](std::string_view text) {
        for (std::string_view line : base::split(text, '\n')) {
            std::string plain(base::trim(line));
            std::ranges::replace(plain, '\t', ' '); // a blank of the grammar; braces would not keep it
            if (speakable_line(plain))
                all.push_back(std::move(plain));
        }
    };
    take(held.body);
    if (all.empty()) { // a pin has no text, and Postfix 3.10 ends on an sts policy without
        sts::policy plain = held.value;
        plain.mx = patterns_for(held.value);
        plain.max_age = held.value.effective_max_age();
        plain.extensions.clear();
        if (const auto text = sts::format_policy(plain))
            take(*text);
    }
    return all;
}

match_list match_patterns(const tls_decision& decision) {
    match_list made;
    if (decision.policy)
        for (const auto& pattern : patterns_for(decision.policy->value))
            made.names.push_back(in_match(pattern));
    return made;
}

// 8461-4-a, 8461-4.1-a: `.b.example` in `match=` stands for any depth below b.example and leaves the choice
// of the host to an unsigned MX answer; the name of a host that the policy admits leaves no choice.
match_list match_hosts(const tls_decision& decision) {
    // Without hosts (a null MX, say) there is nothing to deliver to, and with as many as are ever looked at
    // there may be more.
    if (!decision.mx_known || decision.mx.empty() || decision.mx.size() >= limits::mx_hosts ||
        !decision.policy)
        return match_patterns(decision);
    names_once admitted;
    const auto patterns = patterns_for(decision.policy->value);
    for (const auto& one : decision.mx) {
        std::string_view host = one.host;
        if (host.ends_with('.'))
            host.remove_suffix(1);
        if (speakable_host(host) && sts::admitted_by(patterns, host))
            admitted.add(base::lower(host));
    }
    return {admitted.take(), true};
}

std::optional<std::string> tlsrpt_attributes(const tls_decision& decision) {
    const std::string& domain = decision.hop.domain;
    if (!decision.policy || !speakable_host(domain))
        return std::nullopt;
    const auto patterns = patterns_for(decision.policy->value);
    const auto lines = lines_for(*decision.policy);
    if (patterns.empty() || lines.empty())
        return std::nullopt;
    std::string text = " policy_type=sts policy_domain=" + domain;
    for (const auto& pattern : patterns)
        text += " mx_host_pattern=" + pattern;
    for (const auto& line : lines)
        text += " { policy_string = " + line + " }";
    return text;
}

const sts::held_policy* enforced_policy(const tls_decision& decision) {
    const bool lifted =
        decision.exception && (decision.exception->what == model::policy_override::kind::exempt ||
                               decision.exception->what == model::policy_override::kind::testing);
    return decision.policy && decision.policy->value.mode == sts::mode::enforce && !lifted ? &*decision.policy
                                                                                           : nullptr;
}

bool only_dane_is_unknown(const tls_decision& decision) {
    if (decision.what != decision::unknown)
        return false;
    // Who requires a policy or DANE has neither here, whatever else failed.
    if (decision.exception && decision.exception->what == model::policy_override::kind::require)
        return false;
    // Where a policy is enforced, `dane` would give it up: without DANE records the mail server would take
    // any TLS, or none.
    if (enforced_policy(decision))
        return false;
    const bool a_host_is_known = std::ranges::any_of(decision.mx, [](const mx_admission& one) {
        return one.dane != host_class::error && one.dane != host_class::no_address;
    });
    return !decision.mx_known || (!decision.mx.empty() && !a_host_is_known);
}

std::string nothing_admitted(const tls_decision& decision) {
    const std::string whose = "MTA-STS policy of " + decision.hop.domain;
    if (!decision.policy || patterns_for(decision.policy->value).empty())
        return whose + " is enforced and has no MX pattern that can be used";
    std::vector<std::string> hosts;
    for (const auto& one : decision.mx)
        hosts.push_back(one.host);
    return fmt::format("{} is enforced and admits none of its MX hosts ({}); it names {}", whose,
                       base::join(hosts, ", "), base::join(patterns_for(decision.policy->value), ", "));
}

} // namespace mailtight::resolve
