// SPDX-License-Identifier: Apache-2.0
// What to publish, made for this domain. Entry: suggest(). The order of the records is the order of
// publishing: reports first, so that faults become visible; the `_mta-sts` record last, so that no sender
// looks for a policy that is not there yet.
#include "advise/criteria.h"
#include "advise/policy_issues.h"
#include "advise/providers.h"
#include "advise/reading.h"
#include "advise/words.h"
#include "base/ip.h"
#include "base/limits.h"
#include "base/text.h"
#include "sts/id.h"
#include "sts/match.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::advise {
namespace {

constexpr std::uint64_t day = 86'400, week = 7 * day, two_weeks = 14 * day;
constexpr std::uint32_t short_ttl = 300, long_ttl = 3600; // 8460-7-e: reports long

/// The published policy needs no change in its list of hosts.
bool list_serves(const reading& r) {
    if (!r.active() || !r.fetched || r.hosts.empty())
        return false;
    const sts::policy& policy = *r.readable();
    const bool all = std::ranges::all_of(
        r.hosts, [&](const std::string& host) { return sts::admitted_by(policy.mx, host).has_value(); });
    const bool each = std::ranges::all_of(policy.mx, [&](const std::string& pattern) {
        return sts::valid_mx_pattern(pattern) &&
               (std::ranges::any_of(r.hosts,
                                    [&](const auto& host) { return sts::pattern_admits(pattern, host); }) ||
                std::ranges::count(patterns_for(r.hosts), pattern) > 0);
    });
    const auto unwise = wisdom_faults(policy);
    const bool broad =
        std::ranges::any_of(unwise, [](const auto& f) { return f.code == "policy.wildcard-too-broad"; });
    return all && each && !broad;
}

/// True where the text is one that no sender stumbles over.
bool text_serves(const reading& r) {
    return r.policy && r.policy->valid &&
           std::ranges::none_of(text_faults(*r.policy), [](const policy_fault& f) {
               const auto* entry = findings::find_code(f.code);
               return f.severity.value_or(entry->in_enforce) >= findings::severity::warning;
           });
}

sts::mode choose_mode(const reading& r, const std::vector<mx_judgement>& hosts,
                      const suggestion_options& options, std::vector<std::string>& remarks) {
    const sts::policy* now = r.fetched && r.published ? r.readable() : nullptr;
    const bool ready = every_criterion_passes(hosts, r.seen);
    const sts::mode wanted = options.mode.value_or(now ? now->mode : sts::mode::testing);
    const bool fails = std::ranges::any_of(hosts, [](const mx_judgement& host) {
        return std::ranges::any_of(host.criteria,
                                   [](const criterion& one) { return one.state == criterion_state::fail; });
    });
    if (wanted == sts::mode::enforce && !ready && !fails && !options.mode && list_serves(r)) {
        // Nothing was seen that speaks against the policy that is in force: a look that could not test the
        // mail servers is no reason to weaken it.
        remarks.emplace_back(
            "Enforce stays as it is published: the mail servers could not be tested from here, "
            "and nothing that was seen speaks against it.");
        return wanted;
    }
    if (wanted == sts::mode::enforce && !ready && !hosts.empty()) {
        std::vector<std::string> lacking;
        for (const mx_judgement& host : hosts)
            if (!host.all_pass())
                lacking.push_back(host.host);
        remarks.push_back(
            fmt::format("Not enforce: {} {} not pass every mail server criterion, or {} not tested. "
                        "Fix that first; until then testing keeps the mail flowing.",
                        lacking.empty() ? std::string("some mail servers") : list(lacking, 4),
                        lacking.size() == 1 ? "does" : "do", lacking.size() == 1 ? "was" : "were"));
        return sts::mode::testing;
    }
    if (wanted == sts::mode::enforce && hosts.empty() && !options.mode)
        return sts::mode::testing;
    if (wanted == sts::mode::testing && ready && now && now->mode == sts::mode::testing)
        remarks.emplace_back(
            "When two weeks of TLS reports show no failures, change the mode to enforce, with a new id.");
    else if (wanted == sts::mode::testing)
        remarks.emplace_back(
            "Start in testing: nothing is refused, and the reports show what would be. Enforce comes "
            "after two weeks without failures.");
    return wanted;
}

/// 8461-10.2-a: a week or two while testing, then upwards.
std::uint64_t choose_max_age(const reading& r, sts::mode mode, const mail_provider* provider,
                             const suggestion_options& options, std::vector<std::string>& remarks) {
    if (options.max_age)
        return std::min<std::uint64_t>(*options.max_age, base::limits::max_age_max);
    if (mode == sts::mode::none)
        return day;
    if (provider && provider->max_age)
        return provider->max_age;
    const sts::policy* now = r.fetched && r.published ? r.readable() : nullptr;
    const std::uint64_t age = now && now->mode == mode ? now->effective_max_age() : 0;
    if (mode == sts::mode::testing)
        return age >= week && age <= two_weeks ? age : week;
    if (age >= two_weeks)
        return age;
    const std::uint64_t next = age >= week ? two_weeks : week;
    if (next == week)
        remarks.emplace_back(
            "Begin enforce with a max_age of one week, and raise it to two weeks or more once it has "
            "proved itself.");
    return next;
}

std::vector<std::string> choose_mx(const reading& r, sts::mode mode, const suggestion_options& options,
                                   suggestion& out) {
    if (mode == sts::mode::none && !options.keep_mx)
        return {}; // the administrator guides' form; A8
    if (!options.mx.empty()) {
        std::vector<std::string> given;
        for (const std::string& host : options.mx)
            given.push_back(base::lower(host));
        return given;
    }
    if (r.hosts.empty() && mode == sts::mode::none)
        return r.readable() ? r.readable()->mx : std::vector<std::string>{};
    if (list_serves(r))
        return r.readable()->mx;
    if (r.hosts.empty()) {
        out.needs.emplace_back("YOUR-MX-HOST");
        out.remarks.emplace_back(
            "No mail server is known: replace YOUR-MX-HOST by the host of each MX record, one line "
            "each.");
        return {};
    }
    return patterns_for(r.hosts);
}

/// The records of ours among the texts at a name; one that is an alias gives way as such.
std::vector<std::pair<std::string, std::string>> ours(const model::txt_fact& fact,
                                                      const std::vector<std::size_t>& counted) {
    std::vector<std::pair<std::string, std::string>> all;
    if (!fact.chain.empty())
        return {{"CNAME", fact.chain.front()}};
    for (const std::size_t index : counted)
        all.emplace_back("TXT", fact.texts.at(index));
    return all;
}

suggested_record report_record(const reading& r, const suggestion_options& options) {
    suggested_record record{.step = 1,
                            .name = "_smtp._tls." + r.seen.domain, // 8460-3-a
                            .type = "TXT",
                            .value = {},
                            .ttl = long_ttl,
                            .already_right = false,
                            .why = "asks senders for a daily report of what works and what does not"};
    const bool good = r.tlsrpt == record_state::valid && r.tlsrpt_set.judgement.value;
    if (good && (options.rua.empty() || options.rua == r.tlsrpt_set.judgement.value->rua)) {
        record.value = r.seen.tlsrpt_txt.texts.at(*r.tlsrpt_set.chosen);
        record.ttl = r.seen.tlsrpt_txt.ttl ? r.seen.tlsrpt_txt.ttl : long_ttl;
        record.already_right = true;
        return record;
    }
    record.replaces = ours(r.seen.tlsrpt_txt, r.tlsrpt_set.counted);
    std::vector<tlsrpt::report_uri> rua = options.rua;
    if (rua.empty() && r.tlsrpt_set.judgement.value)
        for (const tlsrpt::report_uri& uri : r.tlsrpt_set.judgement.value->rua)
            if (uri.scheme != tlsrpt::report_uri::scheme_type::other)
                rua.push_back(uri);
    if (rua.empty()) {
        const std::string mailbox = "tls-report@" + r.seen.domain;
        if (auto understood = tlsrpt::understand_rua(mailbox))
            rua.push_back(std::move(*understood));
        record.why += "; create the mailbox " + mailbox + " first";
    }
    record.value = tlsrpt::format_record(rua);
    return record;
}

/// The policy host as it is published, where it is more than a wildcard's accident.
bool host_exists(const reading& r) {
    const auto& host = r.seen.policy_host;
    const bool accident = !r.published && !r.seen.policy_host_sibling.addresses.empty() &&
                          std::ranges::is_permutation(r.seen.policy_host_sibling.addresses, host.addresses);
    return !host.addresses.empty() && !accident;
}

suggested_record host_record(const reading& r, const suggestion_options& options,
                             const mail_provider* provider, std::vector<std::string>& needs) {
    suggested_record record{.step = 2,
                            .name = r.policy_host,
                            .type = "CNAME",
                            .value = {},
                            .ttl = short_ttl,
                            .already_right = false,
                            .why = "leads to the web server with the policy file"};
    if (host_exists(r) && !options.policy_host.empty()) {
        const auto& now = r.seen.policy_host;
        const auto& chain = now.a.chain.empty() ? now.aaaa.chain : now.a.chain;
        if (!chain.empty())
            record.replaces.emplace_back("CNAME", chain.front());
        else
            for (const base::ip_address& address : now.addresses)
                record.replaces.emplace_back(address.is_v4() ? "A" : "AAAA", address.to_string());
    }
    if (const auto address = base::ip_address::parse(options.policy_host)) {
        record.type = address->is_v4() ? "A" : "AAAA";
        record.value = address->to_string();
        record.already_right = std::ranges::count(r.seen.policy_host.addresses, *address) > 0;
    } else if (!options.policy_host.empty()) {
        record.value = base::lower(options.policy_host);
        record.already_right = std::ranges::count(r.seen.policy_host.a.chain, record.value) > 0;
    } else if (host_exists(r)) {
        const auto& host = r.seen.policy_host;
        const auto& chain = host.a.chain.empty() ? host.aaaa.chain : host.a.chain;
        const base::ip_address& first = host.addresses.front();
        record.type = !chain.empty() ? "CNAME" : first.is_v4() ? "A" : "AAAA";
        record.value = !chain.empty() ? chain.front() : first.to_string();
        record.already_right = true;
    } else if (provider && !provider->policy_target.empty()) {
        record.value = provider->policy_target;
        record.why = fmt::format("{} serves the policy for you", provider->name);
    } else {
        record.value = "YOUR-POLICY-HOST";
        record.why += "; put the name of your web server, or of the service that hosts the policy";
        needs.emplace_back("YOUR-POLICY-HOST");
    }
    return record;
}

suggested_record sts_record(const reading& r, const suggestion_options& options,
                            const mail_provider* provider, bool policy_unchanged) {
    suggested_record record{.step = 4,
                            .name = "_mta-sts." + r.seen.domain, // 8461-3.1-a
                            .type = "TXT",
                            .value = {},
                            .ttl = short_ttl,
                            .already_right = false,
                            .why = "announces the policy; publish it last, when the policy can be fetched"};
    const bool valid = r.sts == record_state::valid && r.sts_set.judgement.value;
    record.replaces = ours(r.seen.sts_txt, r.sts_set.counted);
    const std::string published_id = valid ? r.sts_set.judgement.value->id : "";
    if (valid && policy_unchanged && options.id.empty()) {
        const auto& chain = r.seen.sts_txt.chain;
        record.type = chain.empty() ? "TXT" : "CNAME";
        record.value = chain.empty() ? r.seen.sts_txt.texts.at(*r.sts_set.chosen) : chain.front();
        record.already_right = true;
        return record;
    }
    if (provider && !provider->record_target.empty() && !host_exists(r)) {
        record.type = "CNAME";
        record.value = provider->record_target;
        record.why = fmt::format("{} keeps the id for you", provider->name);
        return record;
    }
    // 8461-3.1-e: a changed policy has an id that was never used; an id given by the owner is the owner's
    // word.
    const std::string id =
        !options.id.empty() ? options.id : sts::id_from_time(r.seen.checked_at, {published_id});
    record.value = sts::valid_id(id) ? sts::format_record(id) : "v=STSv1; id=YOUR-ID";
    record.already_right = valid && published_id == id && policy_unchanged;
    return record;
}

void provider_remarks(const reading& r, const suggestion_options& options, suggestion& out) {
    if (!options.mx.empty())
        return;
    const auto among = providers_among(r.hosts);
    if (among.size() > 1) {
        std::vector<std::string> names;
        for (const mail_provider* provider : among)
            names.emplace_back(provider->name);
        out.remarks.push_back(
            fmt::format("The MX records lead to {}. Keep them all in the policy only if all of them "
                        "are meant to take mail.",
                        list(names)));
    }
    for (const mail_provider* provider : among)
        if (!provider->remark.empty())
            out.remarks.emplace_back(provider->remark);
}

} // namespace

suggestion suggest(const model::observation& seen, const suggestion_options& options) {
    const reading r = read(seen);
    suggestion out;
    const auto hosts = judge_mail_servers(r);
    const mail_provider* provider = options.mx.empty() ? provider_of(r.hosts) : nullptr;
    if (provider)
        out.provider = provider->name;
    if (r.sts == record_state::failed && !r.published && options.mx.empty() &&
        model::is_dns_error(seen.mx_set.status)) {
        out.remarks.emplace_back("DNS gave no answer: what to publish cannot be said before it does.");
        return out;
    }
    if (r.no_such_domain) {
        out.remarks.emplace_back(
            "The domain does not exist in DNS: there is nothing to publish before it does.");
        return out;
    }
    if (seen.null_mx && options.mx.empty() && !options.mode && !r.published) {
        out.remarks.emplace_back(
            "The domain takes no mail (null MX): it needs neither a policy nor TLS reports.");
        return out;
    }

    sts::policy& policy = out.policy_value;
    policy.mode = seen.null_mx && options.mx.empty() && !options.mode
                      ? sts::mode::none
                      : choose_mode(r, hosts, options, out.remarks);
    policy.max_age = choose_max_age(r, policy.mode, provider, options, out.remarks);
    policy.mx = choose_mx(r, policy.mode, options, out);
    if (auto text = sts::format_policy(policy)) {
        out.policy = std::move(*text);
    } else if (policy.mode != sts::mode::none && policy.mx.empty()) {
        out.policy = fmt::format("version: STSv1\r\nmode: {}\r\nmx: YOUR-MX-HOST\r\nmax_age: {}\r\n",
                                 sts::to_string(policy.mode), policy.max_age);
    } else {
        out.remarks.push_back(fmt::format("No policy can be written: {}.", sts::explain(text.error())));
    }
    const sts::policy* published = r.fetched && r.published ? r.readable() : nullptr;
    out.policy_already_right = published && text_serves(r) && published->mode == policy.mode &&
                               published->max_age == policy.max_age && published->mx == policy.mx;

    provider_remarks(r, options, out);
    // What could not be looked up may be right: it is not replaced unasked.
    if (r.tlsrpt != record_state::failed || !options.rua.empty())
        out.records.push_back(report_record(r, options));
    out.records.push_back(host_record(r, options, provider, out.needs));
    out.records.push_back(sts_record(r, options, provider, out.policy_already_right));
    return out;
}

} // namespace mailtight::advise
