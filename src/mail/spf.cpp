// SPDX-License-Identifier: Apache-2.0
#include "mail/spf.h"

#include "base/text.h"
#include "mail/domain_name.h"

#include <array>
#include <utility>

namespace mailtight::mail {

namespace {

constexpr unsigned lookups_max = 10; // RFC 7208 §4.6.4
constexpr std::size_t terms_max = 200;
constexpr std::size_t mx_hosts_max = 10; // §4.6.4

bool is_record(std::string_view text) { // §4.5
    constexpr std::string_view version = "v=spf1";
    return base::iequals(text.substr(0, version.size()), version) &&
           (text.size() == version.size() || text[version.size()] == ' ');
}

spf_result of_qualifier(char qualifier) {
    switch (qualifier) {
    case '-':
        return spf_result::fail;
    case '~':
        return spf_result::softfail;
    case '?':
        return spf_result::neutral;
    default:
        return spf_result::pass;
    }
}

std::optional<unsigned> prefix_number(std::string_view text, unsigned at_most) {
    if (text.empty() || text.size() > 3)
        return std::nullopt;
    unsigned out = 0;
    for (const char c : text) {
        if (!base::is_digit(c))
            return std::nullopt;
        out = out * 10 + static_cast<unsigned>(c - '0');
    }
    return out <= at_most ? std::optional(out) : std::nullopt;
}

/// Takes `/24`, `//64` or `/24//64` off the end of a term; the prefix of this family (§5.3).
std::optional<unsigned> take_prefix(std::string& term, bool v6) {
    const auto slash = term.find('/');
    if (slash == std::string::npos)
        return v6 ? 128U : 32U;
    std::string lengths = term.substr(slash);
    term.resize(slash);
    std::string_view v4_part = lengths;
    std::string_view v6_part;
    if (const auto both = lengths.find("//"); both != std::string::npos) {
        v6_part = std::string_view(lengths).substr(both + 2);
        v4_part = std::string_view(lengths).substr(0, both);
        if (!prefix_number(v6_part, 128))
            return std::nullopt;
    }
    if (!v4_part.empty() && !prefix_number(v4_part.substr(1), 32))
        return std::nullopt;
    if (v6)
        return v6_part.empty() ? 128U : *prefix_number(v6_part, 128);
    return v4_part.empty() ? 32U : *prefix_number(v4_part.substr(1), 32);
}

bool within(const base::ip_address& sender, const base::ip_address& network, unsigned prefix) {
    const auto made = base::ip_network::parse(network.to_string() + "/" + std::to_string(prefix));
    return made && made->contains(sender);
}

std::vector<std::string> terms_of(std::string_view record) {
    std::vector<std::string> out;
    for (std::size_t at = 0; at < record.size() && out.size() <= terms_max;) {
        const auto space = std::min(record.find(' ', at), record.size());
        if (space > at)
            out.emplace_back(record.substr(at, space - at));
        at = space + 1;
    }
    if (!out.empty())
        out.erase(out.begin()); // the version
    return out;
}

} // namespace

std::string_view to_string(spf_result r) {
    constexpr std::array<std::string_view, 8> words = {"pass", "fail",      "softfail",  "neutral",
                                                       "none", "permerror", "temperror", "unknown"};
    return words[static_cast<std::size_t>(r)];
}

spf_walk::spf_walk(std::string domain, base::ip_address sender)
    : sender_(sender) {
    enter(std::move(domain), '+');
}

void spf_walk::enter(std::string domain, char qualifier) {
    auto name = canonical_name(domain);
    if (!name)
        return end(spf_result::permerror);
    ask_ = question{question::kind::texts, *name};
    frames_.push_back({.domain = std::move(*name), .qualifier = qualifier});
}

void spf_walk::end(spf_result how) {
    result_ = how;
    ask_.reset();
    frames_.clear();
}

bool spf_walk::ask(question::kind what, std::string name) {
    if (what != question::kind::addresses || hosts_.empty())
        if (++lookups_ > lookups_max) {
            end(spf_result::permerror);
            return false;
        }
    auto host = canonical_name(name);
    if (!host) {
        end(spf_result::permerror);
        return false;
    }
    ask_ = question{what, std::move(*host)};
    return true;
}

void spf_walk::texts_seen(const std::optional<std::vector<std::string>>& texts) {
    if (!ask_ || ask_->what != question::kind::texts)
        return;
    ask_.reset();
    if (!texts)
        return end(spf_result::temperror);
    const std::string* record = nullptr;
    for (const auto& text : *texts) {
        if (!is_record(text))
            continue;
        if (record)
            return end(spf_result::permerror);
        record = &text;
    }
    if (!record) // of an include, §5.2: an error; of the domain itself: no opinion
        return end(frames_.size() == 1 ? spf_result::none : spf_result::permerror);
    frames_.back().terms = terms_of(*record);
    if (frames_.back().terms.size() > terms_max)
        return end(spf_result::permerror);
    go_on();
}

void spf_walk::go_on() {
    while (!ask_ && !frames_.empty()) {
        auto& now = frames_.back();
        if (now.at < now.terms.size()) {
            const std::string text = now.terms[now.at++];
            term(text);
        } else if (!now.redirect.empty()) { // §6.1: the other record stands for this one
            const std::string to = std::exchange(now.redirect, {});
            const char qualifier = now.qualifier;
            frames_.pop_back();
            if (++lookups_ > lookups_max)
                return end(spf_result::permerror);
            enter(to, qualifier);
        } else {
            record_over(spf_result::neutral);
        }
    }
}

void spf_walk::matched(char qualifier) {
    record_over(of_qualifier(qualifier));
}

void spf_walk::record_over(spf_result how) {
    const char qualifier = frames_.back().qualifier;
    if (frames_.size() == 1)
        return end(how);
    frames_.pop_back();
    if (how == spf_result::pass) // §5.2: only a pass of the included record matches
        matched(qualifier);
}

void spf_walk::term(const std::string& text) {
    if (text.find('%') != std::string::npos)
        return end(spf_result::unknown);
    if (const auto equals = text.find('='); equals != std::string::npos && text.find(':') > equals) {
        if (base::iequals(std::string_view(text).substr(0, equals), "redirect"))
            frames_.back().redirect = text.substr(equals + 1);
        return; // `exp` and unknown modifiers say nothing of the host
    }
    const bool qualified = std::string_view("+-~?").find(text[0]) != std::string_view::npos;
    const char qualifier = qualified ? text[0] : '+';
    std::string name = text.substr(qualified ? 1 : 0);
    std::string argument;
    const auto colon = name.find(':');
    if (colon != std::string::npos) {
        argument = name.substr(colon + 1);
        name.resize(colon);
    }
    if (base::iequals(name, "ip4") || base::iequals(name, "ip6")) {
        const auto network = base::ip_network::parse(argument);
        if (!network)
            return end(spf_result::permerror);
        if (network->contains(sender_))
            matched(qualifier);
        return;
    }
    const auto prefix = take_prefix(colon == std::string::npos ? name : argument, sender_.is_v6());
    if (!prefix)
        return end(spf_result::permerror);
    const std::string target = argument.empty() ? frames_.back().domain : argument;
    pending_ = qualifier;
    prefix_ = *prefix;
    if (base::iequals(name, "all")) {
        matched(qualifier);
    } else if (base::iequals(name, "a")) {
        ask(question::kind::addresses, target);
    } else if (base::iequals(name, "mx")) {
        ask(question::kind::mx, target);
    } else if (base::iequals(name, "include")) {
        if (argument.empty() || ++lookups_ > lookups_max)
            return end(spf_result::permerror);
        enter(argument, qualifier);
    } else if (base::iequals(name, "ptr") || base::iequals(name, "exists")) {
        end(spf_result::unknown); // §5.5 asks not to use the one; the other makes no sense without macros
    } else {
        end(spf_result::permerror);
    }
}

void spf_walk::addresses_seen(const std::optional<std::vector<base::ip_address>>& addresses) {
    if (!ask_ || ask_->what != question::kind::addresses)
        return;
    ask_.reset();
    if (!addresses)
        return end(spf_result::temperror);
    for (const auto& each : *addresses)
        if (each.is_v6() == sender_.is_v6() && within(sender_, each, prefix_)) {
            hosts_.clear();
            matched(pending_);
            return go_on();
        }
    if (!hosts_.empty()) {
        const std::string host = hosts_.back();
        if (ask(question::kind::addresses, host))
            hosts_.pop_back();
        return;
    }
    go_on();
}

void spf_walk::mx_seen(const std::optional<std::vector<std::string>>& hosts) {
    if (!ask_ || ask_->what != question::kind::mx)
        return;
    ask_.reset();
    if (!hosts)
        return end(spf_result::temperror);
    if (hosts->size() > mx_hosts_max)
        return end(spf_result::permerror);
    hosts_.assign(hosts->rbegin(), hosts->rend());
    if (hosts_.empty())
        return go_on();
    const std::string host = hosts_.back();
    if (ask(question::kind::addresses, host))
        hosts_.pop_back();
}

} // namespace mailtight::mail
