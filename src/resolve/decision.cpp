// SPDX-License-Identifier: Apache-2.0
// Entry: decide(). The operator's exceptions first, then DANE, then the policy; what is not known is said,
// and never taken for an absence.
#include "resolve/decision.h"

#include "base/limits.h"
#include "base/text.h"
#include "sts/match.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::resolve {

namespace {

using std::chrono::seconds;
using override_kind = model::policy_override::kind;

constexpr seconds settled{86'400}; ///< an answer that depends on nothing that changes by itself
constexpr seconds for_now{5};      ///< an answer for want of a better one: the look-up goes on

std::string_view words(override_kind what) {
    switch (what) {
    case override_kind::exempt:
        return "exempt: neither MTA-STS nor DANE is applied";
    case override_kind::pin:
        return "pin: MTA-STS is enforced with MX hosts of the operator's";
    case override_kind::testing:
        return "testing: the domain's policy is not enforced";
    case override_kind::require:
        return "require: nothing is delivered without an enforced policy or DANE";
    }
    return "";
}

std::string describe(const model::policy_override& exception) {
    return fmt::format("An exception is in force here ({}), {}{}. Reason: {}", words(exception.what),
                       exception.until ? "until " + base::format_utc(*exception.until)
                                       : std::string("without an end"),
                       exception.by.empty() ? std::string() : ", made by " + base::printable(exception.by),
                       exception.why.empty() ? "none was given" : base::printable(exception.why));
}

/// The policy that a pin stands for.
sts::held_policy pinned(const model::policy_override& exception) {
    sts::held_policy held;
    held.value.mode = sts::mode::enforce;
    held.value.max_age = base::limits::max_age_max;
    held.value.mx = exception.mx;
    held.body = sts::format_policy(held.value).value_or("");
    held.fetched_at = exception.since;
    return held;
}

std::string hosts_that(const destination& where, auto wanted) {
    std::string all;
    for (const auto& each : where.mx)
        if (wanted(each))
            all += (all.empty() ? "" : ", ") + base::printable(each.host);
    return all;
}

class maker {
public:
    maker(const decision_input& from, const decision_options& options, base::utc_seconds now)
        : from_(from)
        , options_(options)
        , now_(now) {}

    tls_decision make() {
        out_.hop = from_.hop;
        out_.source = from_.from_cache ? decision_source::cache : decision_source::live;
        out_.good_until = now_ + settled;
        if (!from_.hop.can_have_policy()) { // 8461-3.4-b, 8461-3.4-c, A19
            out_.what = decision::no_policy;
            out_.source = decision_source::key;
            out_.notes.emplace_back(mail::explain(from_.hop.what));
            return std::move(out_);
        }
        take_exception();
        if (exempted()) {
            out_.what = decision::no_policy;
            out_.source = decision_source::override_;
            return std::move(out_);
        }
        take_policy();
        take_hosts();
        weigh();
        insist();
        if (out_.what == decision::unknown || !from_.where)
            until(now_ + for_now);
        out_.good_until = std::max(out_.good_until, now_);
        return std::move(out_);
    }

private:
    void until(base::utc_seconds limit) { out_.good_until = std::min(out_.good_until, limit); }
    void note(std::string text) { out_.notes.push_back(std::move(text)); }
    bool is_exception(override_kind what) const { return out_.exception && out_.exception->what == what; }
    bool exempted() const { return is_exception(override_kind::exempt); }

    void take_exception() {
        if (!from_.exception || !from_.exception->holds(now_))
            return;
        out_.exception = *from_.exception;
        if (out_.exception->until)
            until(*out_.exception->until);
        note(describe(*out_.exception));
    }

    void take_policy() {
        if (from_.state)
            take_standing(sts::standing_at(*from_.state, now_));
        else
            until(now_ + for_now);
        if (is_exception(override_kind::pin)) {
            out_.policy = pinned(*out_.exception);
            out_.expires_at = out_.exception->until.value_or(base::utc_seconds{});
        }
        if (out_.policy)
            mode_ = out_.policy->value.mode;
        if (mode_ == sts::mode::enforce && is_exception(override_kind::testing)) {
            mode_ = sts::mode::testing;
            bent_ = true;
        }
    }

    void take_standing(const sts::standing& stands) {
        using kind = sts::standing::kind;
        out_.next_check_at = sts::next_check(*from_.state);
        if (stands.what == kind::policy && stands.held) {
            out_.policy = *stands.held;
            out_.expires_at = stands.held->expires_at();
            until(out_.expires_at);
        }
        until(stands.what == kind::unknown ? now_ + for_now : out_.next_check_at);
        if (stands.what == kind::unknown)
            note("Whether the domain has a policy is not known yet; the look-up goes on.");
        dns_error_ = stands.dns_error;
        out_.fault = stands.fault;
        policy_detail_ = base::printable(stands.detail);
        if (stands.fault) {
            out_.fault_detail = policy_detail_;
            out_.fault_reason = stands.reason;
            note(fmt::format("The latest look for the policy failed ({}): {}", sts::to_string(*stands.fault),
                             policy_detail_));
        } else if (!policy_detail_.empty()) {
            note("The latest look for the policy: " + policy_detail_);
        }
    }

    void take_hosts() {
        if (!from_.where) {
            dane_ = options_.dane ? dane_answer::unknown : dane_answer::none;
            return;
        }
        const auto& where = *from_.where;
        until(where.good_until);
        out_.mx_known = where.what == destination::kind::hosts;
        out_.mx_bogus = where.mx_bogus;
        for (const auto& each : where.mx)
            take_host(each);
        if (where.what == destination::kind::null_mx)
            note("The domain takes no mail (null MX, RFC 7505).");
        else if (where.what == destination::kind::no_host)
            note("The domain has neither MX nor address.");
        dane_ = options_.dane ? judge(where) : dane_answer::none;
    }

    void take_host(const mx_standing& host) {
        mx_admission row{.host = host.host, .admitted_by = {}, .dane = host.dane};
        // 8461-4.1-a, 8461-4.1-b: the name in the MX record, whatever alias stands behind it.
        if (out_.policy && out_.policy->value.mode != sts::mode::none)
            if (const auto by = sts::admitted_by(out_.policy->value.mx, host.host))
                row.admitted_by = out_.policy->value.mx[*by];
        out_.mx.push_back(std::move(row));
        if (options_.dane && host.dane != host_class::none)
            out_.dane_hosts.push_back(host);
        if (host.dane == host_class::error)
            note(fmt::format("{} is out of reach: {}", base::printable(host.host),
                             base::printable(host.reason)));
        else if (host.dane == host_class::no_address)
            note(fmt::format("{} has no address", base::printable(host.host)));
    }

    // 8461-2-a: DANE before the policy, so that a policy which is kept never excuses a DANE that fails.
    void weigh() {
        switch (dane_) {
        case dane_answer::all:
            out_.what = decision::dane;
            out_.source = decision_source::dane;
            out_.dane_only = true;
            return;
        case dane_answer::partial:
            return weigh_partial();
        case dane_answer::unknown:
            return weigh_unknown();
        case dane_answer::none:
            return weigh_policy();
        }
    }

    /// One answer for hosts with and without DANE: the choice that does not weaken DANE (8461-2-a), with a
    /// word about what it costs.
    void weigh_partial() {
        // A look-up that fails takes no policy away: DANE was not seen anywhere, and what it would say of the
        // host that failed is not known.
        if (mode_ == sts::mode::enforce && !dane_seen(*from_.where))
            return weigh_policy();
        // 7672-2.2.1-c: DANE behind unsigned MX records is a gift; who forges them brings a host of his own
        // with TLSA records that hold, and the policy is what keeps mail from it (8461-4-a).
        if (mode_ == sts::mode::enforce && !from_.where->mx_secure && !from_.where->implicit_mx) {
            note(
                "The MX records are not signed, so that their hosts' TLSA records do not excuse the policy.");
            return weigh_policy();
        }
        out_.what = decision::dane;
        out_.source = decision_source::dane;
        const auto open = hosts_that(*from_.where, [](const mx_standing& host) {
            return host.dane == host_class::none || host.dane == host_class::unusable_only;
        });
        if (mode_ == sts::mode::enforce)
            out_.reason =
                fmt::format("only some MX hosts of {} have usable DANE records, so that its MTA-STS "
                            "policy (enforce) is not applied to the others: {}",
                            out_.hop.domain, open);
        if (!open.empty())
            note(fmt::format("DANE does not hold on every MX host; not on {}", open));
    }

    void weigh_unknown() {
        const bool mx_failed = from_.where && from_.where->what == destination::kind::mx_failed;
        const auto why = from_.where ? base::printable(why_unknown(*from_.where))
                                     : std::string("no answer from DNS in time; the look-up goes on");
        if (mode_ == sts::mode::enforce && mx_failed) {
            note("The MX hosts are not known, so that the policy's patterns stand for them: " + why);
            return weigh_policy();
        }
        out_.what = decision::unknown;
        out_.reason = fmt::format("{}: whether DANE applies is not known: {}", out_.hop.domain, why);
    }

    void weigh_policy() {
        if (!mode_) {
            out_.what = decision::no_policy;                 // 8461-3.3-o
            if (dns_error_ && options_.defer_on_dns_error) { // A14
                out_.what = decision::unknown;
                out_.reason =
                    fmt::format("_mta-sts.{} cannot be looked up: {}", out_.hop.domain, policy_detail_);
            }
            return;
        }
        switch (*mode_) {
        case sts::mode::enforce: // 8461-5-a
            out_.what = decision::enforce;
            if (is_exception(override_kind::pin))
                out_.source = decision_source::override_;
            warn_of_outsiders();
            break;
        case sts::mode::testing: // 8461-5-b
            out_.what = decision::testing;
            if (bent_)
                out_.source = decision_source::override_;
            break;
        case sts::mode::none: // 8461-5-c
            out_.what = decision::none;
            break;
        }
    }

    // 8461-4-a: a host outside the policy gets nothing; A51: it stays in the list all the same.
    void warn_of_outsiders() {
        if (!out_.mx_known || out_.mx.empty())
            return;
        std::string outside;
        for (const auto& each : out_.mx)
            if (each.admitted_by.empty())
                outside += (outside.empty() ? "" : ", ") + base::printable(each.host);
        if (outside.empty())
            return;
        const bool all =
            std::ranges::all_of(out_.mx, [](const auto& row) { return row.admitted_by.empty(); });
        if (all)
            out_.reason =
                fmt::format("the MTA-STS policy of {} admits none of its MX hosts ({}): its mail waits",
                            out_.hop.domain, outside);
        note("Not admitted by the policy: " + outside);
    }

    /// `require`: whatever is weaker than authentication on every host waits.
    void insist() {
        if (!is_exception(override_kind::require) || out_.what == decision::unknown ||
            out_.what == decision::enforce || (out_.what == decision::dane && out_.dane_only))
            return;
        out_.reason =
            fmt::format("{}: {}, and an exception made here requires an enforced MTA-STS policy or DANE ({})",
                        out_.hop.domain,
                        out_.what == decision::dane      ? "DANE protects only some of its MX hosts"
                        : out_.what == decision::testing ? "its MTA-STS policy is in testing"
                        : out_.what == decision::none    ? "its MTA-STS policy is switched off"
                                                         : "it has no MTA-STS policy",
                        base::printable(out_.exception->why));
        out_.what = decision::unknown;
        out_.source = decision_source::override_;
    }

    const decision_input& from_;
    const decision_options& options_;
    base::utc_seconds now_;
    tls_decision out_;
    dane_answer dane_ = dane_answer::unknown;
    std::optional<sts::mode> mode_; ///< as it counts here; nothing: no policy
    bool bent_ = false;             ///< an exception made testing of enforce
    bool dns_error_ = false;
    std::string policy_detail_;
};

} // namespace

std::string_view to_string(decision d) {
    switch (d) {
    case decision::enforce:
        return "enforce";
    case decision::testing:
        return "testing";
    case decision::none:
        return "none";
    case decision::dane:
        return "dane";
    case decision::no_policy:
        return "no-policy";
    case decision::unknown:
        return "unknown";
    }
    return "";
}

std::string_view to_string(decision_source s) {
    switch (s) {
    case decision_source::live:
        return "live";
    case decision_source::cache:
        return "cache";
    case decision_source::override_:
        return "override";
    case decision_source::dane:
        return "dane";
    case decision_source::key:
        return "key";
    }
    return "";
}

tls_decision decide(const decision_input& from, const decision_options& options, base::utc_seconds now) {
    return maker(from, options, now).make();
}

} // namespace mailtight::resolve
