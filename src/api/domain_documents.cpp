// SPDX-License-Identifier: Apache-2.0
#include "api/domain_documents.h"

#include "advise/render.h"
#include "base/text.h"
#include "insight/render_answers.h"
#include "publish/seen_marks.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace mailtight::api {

namespace {

namespace json = boost::json;

constexpr std::size_t body_most = 65'536;

json::value time_or_null(const std::optional<base::utc_seconds>& at) {
    return at ? json::value(base::format_utc(*at)) : json::value(nullptr);
}

/// Lines stay lines; bytes that are no UTF-8 become visible escapes.
std::string text_of(std::string_view bytes) {
    return base::is_utf8(bytes) ? std::string(bytes) : base::printable(bytes, body_most);
}

/// JSON that somebody of ours made; what cannot be read is nothing.
json::value parsed(std::string_view text) {
    boost::system::error_code error;
    auto value = json::parse(text, error);
    return error ? json::value(nullptr) : value;
}

/// Each id once, in the order in which it was first seen.
json::array ids_of(const model::served_policy& policy) {
    json::array out;
    for (const auto& id : policy.ids)
        if (std::ranges::find(out, json::value(id)) == out.end())
            out.emplace_back(base::printable(id, 255));
    return out;
}

/// What a form of the provider calls the fields.
json::value provider_json(const dns_answer& of) {
    if (!of.place.provider)
        return nullptr;
    const auto& p = *of.place.provider;
    return json::object{
        {"name", p.name},
        {"guessed", of.guessed},
        {"labels",
         json::object{{"name", p.name_label}, {"type", "Type"}, {"value", p.value_label}, {"ttl", "TTL"}}}};
}

} // namespace

json::object wish_document(const model::looked_after& of) {
    json::object marks;
    for (const auto& [name, mark] : of.marks)
        if (!name.starts_with(publish::seen_marks_prefix)) // what looks wrote down for the planner
            marks[name] = json::object{
                {"at", base::format_utc(mark.at)}, {"by", mark.by}, {"text", base::printable(mark.text)}};
    return {{"domain", of.domain},
            {"owner", of.owner},
            {"aim", model::to_string(of.aim)},
            {"off", model::to_string(of.off)},
            {"max_age", of.max_age ? json::value(*of.max_age) : json::value(nullptr)},
            {"mx", json::value_from(of.mx)},
            {"mx_adding", json::value_from(of.mx_adding)},
            {"mx_removing", json::value_from(of.mx_removing)},
            {"rua", json::value_from(of.rua)},
            {"host", model::to_string(of.host)},
            {"policy_host", of.policy_host},
            {"sts_target", of.sts_target},
            {"dns", model::to_string(of.dns)},
            {"dns_server", of.dns_server},
            {"leave", model::to_string(of.leave)},
            {"keep_mx", of.keep_mx},
            {"paused", of.paused},
            {"labels", json::value_from(of.labels)},
            {"like", of.like},
            {"marks", std::move(marks)},
            {"added_at", base::format_utc(of.added_at)},
            {"changed_at", base::format_utc(of.changed_at)},
            {"revision", of.revision}};
}

json::object domain_document(const domain_file& of) {
    return {{"wish", wish_document(of.wish)},
            {"row", row_document(*of.row)},
            {"look", of.look ? parsed(of.look->document) : json::value(nullptr)},
            {"looked_at", of.look ? json::value(base::format_utc(of.look->at)) : json::value(nullptr)}};
}

json::object plan_document(const plan::plan& of) {
    return parsed(plan::render_json(of)).as_object();
}

json::object step_document(const step_outcome& of) {
    return {{"did", base::printable(of.did, 1'000)},
            {"failed", base::printable(of.failed, 1'000)},
            {"plan", plan_document(of.next)}};
}

json::object dns_document(advise::dns_format format, const dns_answer& of) {
    json::array records;
    const auto& provider = of.place.provider ? *of.place.provider : advise::any_dns_provider();
    for (const auto& each : of.records.records) {
        json::array replaces; // none but of what is still to be published
        if (!each.already_right)
            for (const auto& [type, value] : each.replaces)
                replaces.push_back(json::object{{"type", type}, {"value", text_of(value)}});
        records.push_back(json::object{{"step", each.step},
                                       {"name", each.name},
                                       {"type", each.type},
                                       {"value", text_of(each.value)},
                                       {"ttl", each.ttl},
                                       {"done", each.already_right},
                                       {"replaces", std::move(replaces)},
                                       {"in_form", advise::form_name(each.name, of.place.zone, provider)},
                                       {"why", base::printable(each.why, 1'000)}});
    }
    return {{"format", advise::to_string(format)},
            {"text", of.text},
            {"records", std::move(records)},
            {"zone", of.place.zone},
            {"needs", json::value_from(of.records.needs)},
            {"provider", provider_json(of)}};
}

json::object past_document(const domain_past& of, base::utc_seconds now) {
    json::array served, changes, fetches, states;
    for (const auto& each : of.served)
        served.push_back(json::object{{"mode", sts::to_string(each.mode)},
                                      {"max_age", each.max_age},
                                      {"ids", ids_of(each)},
                                      {"first_served", base::format_utc(each.first_served)},
                                      {"last_served", time_or_null(each.last_served)},
                                      {"binds_until", base::format_utc(each.last_served.value_or(now) +
                                                                       std::chrono::seconds(each.max_age))},
                                      {"ours", each.ours},
                                      {"body", text_of(each.body)}});
    for (const auto& each : of.changes)
        changes.push_back(json::object{{"number", each.number},
                                       {"at", base::format_utc(each.at)},
                                       {"domain", each.domain},
                                       {"who", base::printable(each.who)},
                                       {"what", each.what},
                                       {"from", base::printable(each.from)},
                                       {"to", base::printable(each.to)},
                                       {"why", base::printable(each.why)}});
    // A row a day and agent in the store; here one a network and id.
    std::map<std::pair<std::string, std::string>, model::policy_fetches> by_network;
    std::map<std::pair<std::string, std::string>, std::chrono::sys_days> first;
    for (const auto& each : of.fetches) {
        const auto key = std::pair(each.network, each.id);
        auto [at, fresh] = by_network.try_emplace(key, each);
        first.try_emplace(key, each.day);
        if (!fresh) {
            at->second.count += each.count;
            at->second.last = std::max(at->second.last, each.last);
            first[key] = std::min(first[key], each.day);
        }
    }
    for (const auto& [key, each] : by_network)
        fetches.push_back(json::object{{"network", each.network},
                                       {"id", base::printable(each.id)},
                                       {"agent", base::printable(each.agent)},
                                       {"first", base::format_utc(base::utc_seconds(first[key]))},
                                       {"last", base::format_utc(each.last)},
                                       {"count", each.count}});
    for (const auto& each : of.states)
        states.push_back(json::object{{"first", base::format_utc(each.first)},
                                      {"last", base::format_utc(each.last)},
                                      {"state", each.verdict},
                                      {"id", base::printable(each.record_id)},
                                      {"mx", json::value_from(each.mx)},
                                      {"problems", json::value_from(each.findings)}});
    return {{"served", std::move(served)},
            {"changes", std::move(changes)},
            {"fetches", std::move(fetches)},
            {"states", std::move(states)}};
}

json::object readiness_document(std::string_view domain, const model::enforce_evidence& of) {
    insight::readiness said{.ready = of.ready, .reasons = {}, .sentence = of.sentence};
    for (const auto& each : of.reasons)
        said.reasons.push_back({.met = each.met, .code = each.code, .text = each.text, .known = each.known});
    return insight::readiness_json(domain, said);
}

} // namespace mailtight::api
