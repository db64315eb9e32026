// SPDX-License-Identifier: Apache-2.0
// The JSON of `plan --json`: its keys are a contract, and every key is always there.
#include "base/text.h"
#include "plan/plan.h"

#include <boost/json.hpp>

namespace mailtight::plan {
namespace {

namespace json = boost::json;

/// Bytes that are no UTF-8 become visible escapes: JSON holds UTF-8 alone.
json::string safe(std::string_view bytes) {
    return json::string(base::is_utf8(bytes) ? std::string(bytes) : base::printable(bytes, bytes.size()));
}

json::value or_null(const std::optional<base::utc_seconds>& at) {
    return at ? json::value(base::format_utc(*at)) : json::value(nullptr);
}

json::array strings(const std::vector<std::string>& texts) {
    json::array all;
    for (const auto& text : texts)
        all.emplace_back(safe(text));
    return all;
}

json::object change_json(const record_change& one) {
    return {{"name", safe(one.name)},
            {"type", one.type},
            {"add", strings(one.add)},
            {"remove", strings(one.remove)},
            {"ttl", one.ttl}};
}

json::object step_json(const step& one, std::size_t number) {
    json::array records;
    for (const auto& change : one.records)
        records.emplace_back(change_json(change));
    return {{"number", number},
            {"kind", to_string(one.kind)},
            {"state", to_string(one.state)},
            {"by", one.by == step_actor::us ? "us" : "person"},
            {"title", safe(one.title)},
            {"why", safe(one.why)},
            {"how", safe(one.how)},
            {"not_before", or_null(one.not_before)},
            {"until", safe(one.until_words)},
            {"earliest", or_null(one.earliest)},
            {"records", std::move(records)},
            {"policy", safe(one.policy)},
            {"id", safe(one.id)},
            {"host", safe(one.host)},
            {"blocked", safe(one.blocked)},
            {"on_word", one.on_word},
            {"last_try", one.last_try ? json::value{{"at", base::format_utc(one.last_try->at)},
                                                    {"why", safe(one.last_try->why)}}
                                      : json::value(nullptr)}};
}

} // namespace

std::string render_json(const plan& p) {
    json::array steps;
    json::value next = nullptr;
    for (std::size_t i = 0; i < p.steps.size(); ++i) {
        steps.emplace_back(step_json(p.steps[i], i + 1));
        if (&p.steps[i] == p.next())
            next = i + 1;
    }
    const json::object out{{"domain", safe(p.domain)},
                           {"from", safe(p.from)},
                           {"to", safe(p.to)},
                           {"finished", p.finished},
                           {"next", next},
                           {"come_back", or_null(p.come_back)},
                           {"warnings", strings(p.warnings)},
                           {"steps", std::move(steps)}};
    return json::serialize(out);
}

} // namespace mailtight::plan
