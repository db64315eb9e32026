// SPDX-License-Identifier: Apache-2.0
// A decision as JSON: to_json() for `resolve --json` and the HTTP API, to_tlspol_json() for postfix-tlspol's
// JSON verb. Whatever is remote and no UTF-8 is made printable; a time that there is none of is null.
#include "base/text.h"
#include "resolve/reply.h"
#include "resolve/reply_words.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>

namespace mailtight::resolve {

namespace {

namespace json = boost::json;

constexpr std::array every_dialect{dialect::postfix,  dialect::postfix_legacy, dialect::postfix_3_10,
                                   dialect::sendmail, dialect::tlspol,         dialect::tlspol_tlsrpt};

json::string safe(std::string_view remote) {
    return json::string(base::is_utf8(remote) ? std::string(remote) : base::printable(remote, remote.size()));
}

json::value or_null(base::utc_seconds at) {
    return at == base::utc_seconds{} ? json::value(nullptr) : json::value(base::format_utc(at));
}

template<class Texts>
json::array texts(const Texts& all) {
    json::array made;
    for (const auto& one : all)
        made.emplace_back(safe(one));
    return made;
}

/// The keys of the contract are the map names, but for Sendmail's, which is the program.
std::string_view key_of(dialect d) {
    return d == dialect::sendmail ? "sendmail" : to_string(d);
}

std::string in_words(const reply& r) {
    switch (r.what) {
    case reply::status::ok:
        return r.text;
    case reply::status::not_found:
        return "NOTFOUND";
    case reply::status::temp:
        return "TEMP " + r.text;
    case reply::status::perm:
        break;
    }
    return "PERM " + r.text;
}

json::object error(std::string_view code, std::string_view subject, std::string_view message) {
    return {{"code", code}, {"subject", safe(subject)}, {"message", safe(message)}};
}

json::array errors_of(const tls_decision& decision) {
    json::array all;
    if (decision.fault) {
        all.push_back(error(sts::to_string(*decision.fault), decision.hop.domain,
                            decision.fault_detail.empty() ? "the latest look for the policy failed"
                                                          : std::string_view(decision.fault_detail)));
    }
    for (const auto& host : decision.dane_hosts)
        if (host.dane == host_class::error)
            all.push_back(error("dane-lookup-failed", host.host, host.reason));
    if (decision.what == decision::unknown)
        all.push_back(error("unknown", decision.hop.domain, reason_in_words(decision.reason, "")));
    return all;
}

json::value policy_json(const tls_decision& decision) {
    if (!decision.policy)
        return nullptr;
    const auto& held = *decision.policy;
    return json::object{{"mode", sts::to_string(held.value.mode)},
                        {"max_age", held.value.effective_max_age()},
                        {"mx", texts(held.value.mx)},
                        {"text", safe(held.body)}};
}

json::value dane_json(const tls_decision& decision) {
    if (decision.dane_hosts.empty())
        return nullptr;
    json::array hosts;
    for (const auto& host : decision.dane_hosts) {
        json::array records;
        for (const auto& record : host.records)
            records.emplace_back(record.to_string());
        hosts.push_back(json::object{{"host", safe(host.host)},
                                     {"preference", host.preference},
                                     {"class", to_string(host.dane)},
                                     {"base", safe(host.base)},
                                     {"records", std::move(records)},
                                     {"reason", safe(host.reason)}});
    }
    return json::object{{"every_host", decision.dane_only}, {"hosts", std::move(hosts)}};
}

json::value override_json(const tls_decision& decision) {
    if (!decision.exception)
        return nullptr;
    const auto& made = *decision.exception;
    return json::object{{"kind", model::to_string(made.what)},
                        {"why", safe(made.why)},
                        {"by", safe(made.by)},
                        {"since", or_null(made.since)},
                        {"until", made.until ? or_null(*made.until) : json::value(nullptr)}};
}

std::int64_t seconds_left(base::utc_seconds until, base::utc_seconds now) {
    return std::max<std::int64_t>(0, (until - now).count());
}

} // namespace

std::string to_json(const tls_decision& decision, const reply_options& options, base::utc_seconds now) {
    const bool has = decision.policy.has_value();
    json::array mx;
    for (const auto& one : decision.mx)
        mx.push_back(json::object{
            {"host", safe(one.host)}, {"admitted_by", safe(one.admitted_by)}, {"dane", to_string(one.dane)}});
    json::object replies;
    for (const dialect d : every_dialect)
        replies[key_of(d)] = in_words(render(d, decision, options));
    replies["exim"] = to_exim_policy(decision, options);
    return json::serialize(
        json::object{{"domain", safe(decision.hop.domain)},
                     {"port", decision.hop.port},
                     {"decision", to_string(decision.what)},
                     {"source", to_string(decision.source)},
                     {"id", has ? json::value(safe(decision.policy->id)) : json::value(nullptr)},
                     {"fetched_at", has ? or_null(decision.policy->fetched_at) : json::value(nullptr)},
                     {"expires_at", has ? or_null(decision.expires_at) : json::value(nullptr)},
                     {"next_check_at", or_null(decision.next_check_at)},
                     {"good_for", seconds_left(decision.good_until, now)},
                     {"policy", policy_json(decision)},
                     {"mx_known", decision.mx_known},
                     {"mx", std::move(mx)},
                     {"dane", dane_json(decision)},
                     {"override", override_json(decision)},
                     {"replies", std::move(replies)},
                     {"reason", safe(decision.reason)},
                     {"notes", texts(decision.notes)},
                     {"errors", errors_of(decision)}});
}

std::string to_tlspol_json(const tls_decision& decision, base::utc_seconds now, double seconds) {
    std::string dane, policy, report;
    if (decision.what == decision::dane)
        dane = decision.dane_only ? "dane-only" : "dane";
    else if (only_dane_is_unknown(decision))
        dane = "TEMP";
    if (enforced_policy(decision)) {
        tls_decision alone = decision; // the branch of MTA-STS, whatever DANE says
        alone.what = decision::enforce;
        const reply said = render(dialect::tlspol, alone, {});
        if (said.what == reply::status::ok) {
            policy = said.text;
            report = tlsrpt_attributes(decision).value_or(std::string());
            if (report.starts_with(' '))
                report.erase(0, 1);
        }
    }
    const auto branch_ttl = [&](base::utc_seconds until) { return seconds_left(until, now); };
    return json::serialize(json::object{
        {"version", "mailtight"},
        {"domain", safe(decision.hop.domain)},
        {"dane", json::object{{"policy", dane},
                              {"time", seconds},
                              {"ttl", dane.empty() ? 0 : branch_ttl(decision.good_until)}}},
        {"mta-sts", json::object{{"policy", policy},
                                 {"report", report},
                                 {"time", seconds},
                                 {"ttl", policy.empty() ? 0 : branch_ttl(decision.expires_at)}}}});
}

} // namespace mailtight::resolve
