// SPDX-License-Identifier: Apache-2.0
#include "advise/render.h"

#include "base/text.h"

#include <boost/json.hpp>

namespace mailtight::advise {

namespace {

namespace json = boost::json;

/// JSON holds UTF-8 alone: other bytes from a remote side become visible escapes.
json::string safe(std::string_view bytes) {
    return json::string(base::is_utf8(bytes) ? std::string(bytes) : base::printable(bytes, bytes.size()));
}

template<class Range>
json::array strings(const Range& texts) {
    json::array all;
    for (const auto& text : texts)
        all.emplace_back(safe(text));
    return all;
}

json::value or_null(const std::string& text) {
    return text.empty() ? json::value(nullptr) : json::value(safe(text));
}

json::array findings_json(const std::vector<findings::finding>& found) {
    json::array all;
    for (const auto& one : found)
        all.push_back(json::object{{"code", one.code},
                                   {"severity", findings::to_string(one.severity)},
                                   {"subject", safe(one.subject)},
                                   {"message", safe(one.message)},
                                   {"evidence", safe(one.evidence)},
                                   {"consequence", safe(one.consequence)},
                                   {"fix", safe(one.fix)},
                                   {"reference", safe(one.reference)}});
    return all;
}

json::value certificate_json(const model::tls_fact& tls) {
    if (tls.chain.empty())
        return nullptr;
    const auto& leaf = tls.chain.front();
    json::array faults;
    for (auto fault : tls.faults)
        faults.emplace_back(model::to_string(fault));
    return json::object{{"names", strings(leaf.dns_names)},
                        {"issuer", safe(leaf.issuer)},
                        {"not_before", base::format_utc(leaf.not_before)},
                        {"not_after", base::format_utc(leaf.not_after)},
                        {"trusted", tls.trusted},
                        {"faults", std::move(faults)},
                        {"key", safe(leaf.key)}};
}

json::object stages_json(const std::vector<model::stage_time>& stages) {
    json::object all;
    for (const auto& stage : stages)
        all[stage.stage] = stage.took.count();
    return all;
}

json::object dns_json(const model::dns_fact& fact) {
    return {{"status", model::to_string(fact.status)},
            {"dnssec", model::to_string(fact.security)},
            {"cname", strings(fact.chain)}};
}

json::object sts_record_json(const model::observation& seen, const judgement& judged) {
    json::object record = dns_json(seen.sts_txt);
    record["texts"] = strings(seen.sts_txt.texts);
    record["id"] = judged.sts_value ? json::value(safe(judged.sts_value->id)) : json::value(nullptr);
    record["ttl"] = seen.sts_txt.ttl;
    return record;
}

json::object tlsrpt_record_json(const model::observation& seen, const judgement& judged) {
    json::object record = dns_json(seen.tlsrpt_txt);
    json::array rua;
    if (judged.tlsrpt_value)
        for (const auto& uri : judged.tlsrpt_value->rua)
            rua.emplace_back(safe(uri.text));
    record["texts"] = strings(seen.tlsrpt_txt.texts);
    record["rua"] = std::move(rua);
    record["ttl"] = seen.tlsrpt_txt.ttl;
    return record;
}

json::array fetches_json(const model::observation& seen) {
    json::array all;
    for (const auto& fetch : seen.fetches)
        all.push_back(json::object{{"ip", fetch.address.to_string()},
                                   {"agent", fetch.agent},
                                   {"outcome", model::to_string(fetch.outcome)},
                                   {"status", fetch.status},
                                   {"content_type", safe(fetch.content_type)},
                                   {"tls", safe(fetch.tls.version)},
                                   {"certificate", certificate_json(fetch.tls)},
                                   {"milliseconds", fetch.took.count()},
                                   {"stages", stages_json(fetch.stages)},
                                   {"detail", safe(fetch.detail)}});
    return all;
}

json::value policy_json(const model::observation& seen, const judgement& judged) {
    if (judged.policy_text.empty() && !judged.policy && seen.fetches.empty())
        return nullptr;
    json::object policy{{"url", "https://mta-sts." + seen.domain + "/.well-known/mta-sts.txt"}};
    policy["mode"] = judged.policy ? json::value(sts::to_string(judged.policy->mode)) : json::value(nullptr);
    policy["max_age"] = judged.policy ? json::value(judged.policy->max_age) : json::value(nullptr);
    policy["mx"] = judged.policy ? strings(judged.policy->mx) : json::array{};
    policy["text"] = safe(judged.policy_text);
    policy["addresses"] = fetches_json(seen);
    return policy;
}

json::array mx_json(const model::observation& seen, const judgement& judged) {
    json::array all;
    for (const auto& host : seen.mx) {
        const mx_judgement* judgement = nullptr;
        for (const auto& one : judged.mx)
            if (one.host == host.host)
                judgement = &one;
        json::object row{{"host", safe(host.host)}, {"preference", host.preference}};
        row["in_policy"] =
            judgement && judgement->in_policy ? json::value(*judgement->in_policy) : json::value(nullptr);
        row["admitted_by"] = judgement ? or_null(judgement->admitted_by) : json::value(nullptr);
        json::array addresses;
        for (const auto& probe : host.probes)
            addresses.push_back(json::object{{"ip", probe.address.to_string()},
                                             {"outcome", model::to_string(probe.outcome)},
                                             {"starttls", probe.offers_tls()},
                                             {"tls", safe(probe.tls.version)},
                                             {"certificate", certificate_json(probe.tls)},
                                             {"milliseconds", probe.took.count()},
                                             {"stages", stages_json(probe.stages)},
                                             {"detail", safe(probe.detail)}});
        if (host.probes.empty())
            for (const auto& address : host.addresses.addresses)
                addresses.push_back(
                    json::object{{"ip", address.to_string()},
                                 {"outcome", model::to_string(model::smtp_outcome::not_tried)},
                                 {"starttls", nullptr},
                                 {"tls", nullptr},
                                 {"certificate", nullptr}});
        row["addresses"] = std::move(addresses);
        row["dane"] =
            judgement && judgement->dane ? json::value(safe(*judgement->dane)) : json::value(nullptr);
        json::array criteria;
        if (judgement)
            for (const auto& one : judgement->criteria)
                criteria.push_back(
                    json::object{{"name", one.name},
                                 {"state", one.state == criterion_state::pass   ? "pass"
                                           : one.state == criterion_state::fail ? "fail"
                                                                                : "not-tested"},
                                 {"why", safe(one.why)}});
        row["criteria"] = std::move(criteria);
        all.push_back(std::move(row));
    }
    return all;
}

json::object parts_json(const judgement& judged) {
    return {{"sts_record", to_string(judged.sts_record)},
            {"policy_file", to_string(judged.policy_file)},
            {"tlsrpt_record", to_string(judged.tlsrpt_record)},
            {"mail_servers", to_string(judged.mail_servers)}};
}

json::object verdict_json(const model::observation& seen, const judgement& judged) {
    json::object document{{"domain", seen.domain},
                          {"checked_at", base::format_utc(seen.checked_at)},
                          {"verdict", to_string(judged.verdict)}};
    document["mode"] = judged.mode ? json::value(sts::to_string(*judged.mode)) : json::value(nullptr);
    document["ready_to_enforce"] =
        judged.ready_to_enforce ? json::value(*judged.ready_to_enforce) : json::value(nullptr);
    document["findings"] = findings_json(judged.findings);
    return document;
}

} // namespace

boost::json::object suggestion_json(const suggestion& made) {
    json::array records;
    for (const auto& record : made.records) {
        json::array replaces; // none but of what is still to be published
        if (!record.already_right)
            for (const auto& [type, value] : record.replaces)
                replaces.push_back(json::object{{"type", type}, {"value", safe(value)}});
        records.push_back(json::object{{"step", record.step},
                                       {"name", safe(record.name)},
                                       {"type", record.type},
                                       {"value", safe(record.value)},
                                       {"ttl", record.ttl},
                                       {"already_right", record.already_right},
                                       {"replaces", std::move(replaces)},
                                       {"why", safe(record.why)}});
    }
    return {{"policy", safe(made.policy)},        {"policy_already_right", made.policy_already_right},
            {"provider", or_null(made.provider)}, {"needs", strings(made.needs)},
            {"records", std::move(records)},      {"remarks", strings(made.remarks)}};
}

boost::json::object check_json(const model::observation& seen, const judgement& judged) {
    json::object document = verdict_json(seen, judged);
    document["sts_record"] = sts_record_json(seen, judged);
    document["policy"] = policy_json(seen, judged);
    document["mx"] = mx_json(seen, judged);
    document["tlsrpt_record"] = tlsrpt_record_json(seen, judged);
    document["suggestion"] = suggestion_json(judged.suggestion);
    document["parts"] = parts_json(judged);
    document["also_recommended"] = safe(judged.also_recommended);
    document["notes"] = strings(seen.notes);
    return document;
}

boost::json::object scan_json(const model::observation& seen, const judgement& judged) {
    json::object row = verdict_json(seen, judged);
    json::array found; // the code says it all; its texts stand in the documentation
    for (const auto& one : judged.findings)
        found.push_back(json::object{{"code", one.code},
                                     {"severity", findings::to_string(one.severity)},
                                     {"subject", safe(one.subject)},
                                     {"evidence", safe(one.evidence)}});
    row["findings"] = std::move(found);
    row["parts"] = parts_json(judged);
    row["id"] = judged.sts_value ? json::value(safe(judged.sts_value->id)) : json::value(nullptr);
    json::array mx;
    for (const auto& record : seen.mx_set.records)
        mx.emplace_back(safe(record.host.empty() ? "." : record.host));
    row["mx"] = std::move(mx);
    row["sts_texts"] = strings(seen.sts_txt.texts);
    row["tlsrpt_texts"] = strings(seen.tlsrpt_txt.texts);
    return row;
}

boost::json::object lint_json(const lint_result& result) {
    json::object document{{"valid", result.valid}};
    json::value value = nullptr;
    switch (result.what) {
    case lint_result::kind::sts:
        document["kind"] = "sts";
        if (result.sts_record)
            value = json::object{{"id", safe(result.sts_record->id)}};
        break;
    case lint_result::kind::tlsrpt:
        document["kind"] = "tlsrpt";
        if (result.tlsrpt_record) {
            json::array rua;
            for (const auto& uri : result.tlsrpt_record->rua)
                rua.emplace_back(safe(uri.text));
            value = json::object{{"rua", std::move(rua)}};
        }
        break;
    case lint_result::kind::policy:
        document["kind"] = "policy";
        if (result.policy)
            value = json::object{{"version", "STSv1"},
                                 {"mode", sts::to_string(result.policy->mode)},
                                 {"max_age", result.policy->max_age},
                                 {"mx", strings(result.policy->mx)}};
        break;
    }
    const auto* extensions = result.sts_record      ? &result.sts_record->extensions
                             : result.tlsrpt_record ? &result.tlsrpt_record->extensions
                             : result.policy        ? &result.policy->extensions
                                                    : nullptr;
    if (extensions && value.is_object()) {
        json::object more;
        for (const auto& [name, text] : *extensions)
            more[safe(name)] = safe(text);
        value.as_object()["extensions"] = std::move(more);
    }
    document["value"] = std::move(value);
    document["findings"] = findings_json(result.findings);
    return document;
}

} // namespace mailtight::advise
