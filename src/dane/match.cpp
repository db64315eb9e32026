// SPDX-License-Identifier: Apache-2.0
// Entry point: match(). First every usable record is asked whether it names something of the chain, then
// those that digest agility leaves whether a sender would be satisfied.
#include "base/text.h"
#include "dane/agility.h"
#include "dane/path.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

namespace mailtight::dane {
namespace {
// Whole certificates and keys cost a parse or a signature each; an honest RRset has one or two.
constexpr std::size_t full_data_max = 16;

std::string combination(const tlsa& record) {
    return fmt::format("{} {} {}", record.usage, record.selector, record.matching);
}
// Enough of a record to find it in a zone.
std::string label(const tlsa& record) {
    const std::string text = record.to_string();
    return text.size() > 24 ? text.substr(0, 22) + "…" : text;
}

// 7672-3.2.3-a: dNSName SANs; the common name only where there is none.
bool names_any(const base::certificate& leaf, std::span<const std::string> names) {
    return std::ranges::any_of(names, [&](const std::string& name) {
        return leaf.dns_names.empty() ? base::dns_name_matches(leaf.common_name, name)
                                      : base::names_host(leaf, name);
    });
}

class matcher {
public:
    matcher(std::span<const tlsa> rrset, std::span<const base::certificate> chain,
            std::span<const std::string> names, base::utc_seconds now)
        : rrset_(rrset)
        , chain_(chain)
        , names_(names)
        , now_(now)
        , any_time_(chain, std::nullopt)
        , now_valid_(chain, now) {}

    verdict run() {
        verdict out;
        if (rrset_.empty()) {
            out.reason = "there is no TLSA record";
            return out;
        }
        const auto counted = effective_indexes(rrset_);
        if (counted.empty()) {
            out.result = verdict::outcome::all_unusable;
            out.reason = "senders can use none of the TLSA records";
            return out;
        }
        hold_against_chain(out);
        out.result = verdict::outcome::no_match;
        for (std::size_t i : counted) {
            std::string objection = objection_to(i);
            if (objection.empty()) {
                out.result = verdict::outcome::matches;
                out.matched_record = i;
                out.reason = label(rrset_[i]) + (rrset_[i].usage == 3 ? " matches the server's certificate"
                                                                      : " matches an authority of the chain");
                return out;
            }
            if (holds_[i] && out.reason.empty())
                out.reason = label(rrset_[i]) + std::move(objection);
        }
        if (out.reason.empty())
            out.reason = why_none(counted);
        return out;
    }

private:
    // Which usable records name something of the chain at all; 7671-8-a for the combinations.
    void hold_against_chain(verdict& out) {
        holds_.assign(rrset_.size(), false);
        std::map<std::string, bool> combinations;
        std::size_t full_data = 0;
        for (std::size_t i = 0; i < rrset_.size(); ++i) {
            const tlsa& record = rrset_[i];
            if (record.matching == 0 && ++full_data > full_data_max)
                continue;
            if (judge(record) != usability::usable)
                continue;
            holds_[i] = record.usage == 3 ? !chain_.empty() && data_matches(record, chain_.front())
                                          : any_time_.anchored_by(record);
            if (!holds_[i])
                out.unmatched.push_back(i);
            auto& held = combinations[combination(record)];
            held = held || holds_[i];
        }
        for (const auto& [text, held] : combinations)
            if (!held)
                out.unmatched_combinations.push_back(text);
    }

    // "" where a sender is satisfied with this record, else what it objects to.
    std::string objection_to(std::size_t i) const {
        if (!holds_[i])
            return " matches nothing of the chain";
        if (rrset_[i].usage == 3) // 7672-3.1.1-a: neither names nor dates
            return "";
        const base::certificate& leaf = chain_.front();
        if (!names_any(leaf, names_)) // 7672-3.2.2-a
            return " matches, but the certificate names none of " +
                   base::join({names_.begin(), names_.end()}, ", ");
        if (!valid_at(leaf, now_))
            return leaf.not_after < now_
                       ? " matches, but the certificate expired on " + base::format_date(leaf.not_after)
                       : " matches, but the certificate is valid only from " +
                             base::format_date(leaf.not_before);
        if (!now_valid_.anchored_by(rrset_[i]))
            return " matches, but a certificate between the server's and it is not valid now";
        return "";
    }

    std::string why_none(const std::vector<std::size_t>& counted) const {
        if (chain_.empty())
            return "the server sent no certificate";
        for (std::size_t i = 0; i < rrset_.size(); ++i) {
            if (holds_[i] && !std::ranges::count(counted, i))
                return label(rrset_[i]) + " matches, but a record with a stronger digest counts in its place";
            if (rrset_[i].usage == 2 && judge(rrset_[i]) == usability::usable &&
                data_matches(rrset_[i], chain_.front()))
                return label(rrset_[i]) +
                       " matches the server's own certificate, but usage 2 names an authority above it";
        }
        return "no record matches the chain that the server sent";
    }

    std::span<const tlsa> rrset_;
    std::span<const base::certificate> chain_;
    std::span<const std::string> names_;
    base::utc_seconds now_;
    signed_chain any_time_;
    signed_chain now_valid_;
    std::vector<bool> holds_;
};
} // namespace

verdict match(std::span<const tlsa> rrset, std::span<const base::certificate> chain,
              std::span<const std::string> names, base::utc_seconds now) {
    return matcher(rrset, chain, names, now).run();
}

} // namespace mailtight::dane
