// SPDX-License-Identifier: Apache-2.0
#include "api/documents.h"

#include "api/json_body.h"

#include "base/text.h"
#include "mail/next_hop.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace mailtight::api {

namespace {

constexpr std::size_t why_bytes = 500;
constexpr std::size_t mx_patterns = 100;

boost::json::value time_or_null(base::utc_seconds at) {
    if (at == base::utc_seconds{})
        return nullptr;
    return boost::json::string(base::format_utc(at));
}

std::string_view word(sts::record_sighting::kind what) {
    using enum sts::record_sighting::kind;
    switch (what) {
    case never:
        return "never";
    case error:
        return "error";
    case none:
        return "none";
    case multiple:
        return "multiple";
    case invalid:
        return "invalid";
    case valid:
        return "valid";
    }
    return "never";
}

boost::json::array texts(const std::vector<std::string>& from) {
    boost::json::array all;
    for (const auto& text : from)
        all.emplace_back(base::printable(text, 253));
    return all;
}

/// The day that is meant, its end: `2030-01-31` holds through that day.
std::optional<base::utc_seconds> read_until(std::string_view text) {
    if (auto exact = base::parse_utc(text))
        return exact;
    if (auto day = base::parse_utc(std::string(text) + "T00:00:00Z"))
        return *day + std::chrono::days(1);
    return {};
}

} // namespace

boost::json::object policy_document(const model::kept_policy& of, base::utc_seconds now, bool text) {
    const auto& state = of.state;
    boost::json::object out{{"domain", of.domain}};
    if (state.held) {
        const auto& held = *state.held;
        out["mode"] = sts::to_string(held.value.mode);
        out["id"] = base::printable(held.id, 64);
        out["mx"] = texts(held.value.mx);
        out["max_age"] = held.value.max_age;
        out["fetched_at"] = time_or_null(held.fetched_at);
        out["expires_at"] = time_or_null(held.expires_at());
        out["expired"] = held.expires_at() <= now;
        if (text)
            out["text"] = base::is_utf8(held.body) ? held.body : base::printable(held.body, 65'536);
    } else {
        for (const char* name : {"mode", "id", "max_age", "fetched_at", "expires_at"})
            out[name] = nullptr;
        out["mx"] = boost::json::array();
        out["expired"] = false;
    }
    out["record"] = boost::json::object{{"state", word(state.record.what)},
                                        {"id", base::printable(state.record.id, 64)},
                                        {"ttl", state.record.ttl},
                                        {"seen_at", time_or_null(state.record_at)},
                                        {"detail", base::printable(state.record.detail, 500)}};
    if (state.failed)
        out["failure"] = boost::json::object{{"fault", sts::to_string(state.failed->fault)},
                                             {"detail", base::printable(state.failed->detail, 500)},
                                             {"at", time_or_null(state.failed->at)},
                                             {"in_a_row", state.failures},
                                             {"since", time_or_null(state.failing_since)}};
    else
        out["failure"] = nullptr;
    out["next_check_at"] = time_or_null(sts::next_check(state));
    out["refresh_at"] = time_or_null(state.refresh_at);
    out["used_at"] = time_or_null(of.used_at);
    return out;
}

boost::json::object override_document(const model::policy_override& of, base::utc_seconds now) {
    return {{"domain", of.domain},
            {"as", model::to_string(of.what)},
            {"mx", texts(of.mx)},
            {"why", base::printable(of.why, why_bytes)},
            {"by", base::printable(of.by, 100)},
            {"since", time_or_null(of.since)},
            {"until", of.until ? time_or_null(*of.until) : boost::json::value(nullptr)},
            {"holds", of.holds(now)}};
}

std::expected<model::policy_override, std::string> make_override(std::string_view domain, std::string_view as,
                                                                 std::vector<std::string> mx,
                                                                 std::string_view why, std::string_view until,
                                                                 std::string_view by, base::utc_seconds now) {
    const auto hop = mail::parse_next_hop(domain);
    if (!hop.can_have_policy())
        return std::unexpected(
            fmt::format("'{}': {}", base::printable(domain, 253), mail::explain(hop.what)));
    const auto what = model::parse_override(as);
    if (!what)
        return std::unexpected(
            fmt::format("'{}' is no exception: exempt, pin, testing or require", base::printable(as, 40)));
    model::policy_override made{.domain = hop.domain, .what = *what, .mx = {}, .why = {}, .by = {}};
    made.why = base::trim(why);
    if (made.why.empty())
        return std::unexpected("say why: an exception without a reason is one that nobody dares to remove");
    if (made.why.size() > why_bytes || !base::is_utf8(made.why))
        return std::unexpected(fmt::format("the reason is at most {} bytes of UTF-8", why_bytes));
    if (!mx.empty() && *what != model::policy_override::kind::pin)
        return std::unexpected("MX patterns go with pin alone");
    if (mx.empty() && *what == model::policy_override::kind::pin)
        return std::unexpected("pin needs the MX patterns that may be delivered to");
    if (mx.size() > mx_patterns)
        return std::unexpected(fmt::format("at most {} MX patterns", mx_patterns));
    for (auto& pattern : mx) {
        pattern = base::lower(pattern);
        if (!sts::valid_mx_pattern(pattern))
            return std::unexpected(fmt::format("'{}' is no MX pattern: give mx1.example.com or *.example.com",
                                               base::printable(pattern, 253)));
    }
    made.mx = std::move(mx);
    if (!until.empty()) {
        made.until = read_until(until);
        if (!made.until)
            return std::unexpected(
                fmt::format("'{}' is no day such as 2030-01-31", base::printable(until, 40)));
        if (*made.until <= now)
            return std::unexpected("the end is past already");
    }
    made.by = base::printable(by, 100);
    made.since = now;
    return made;
}

std::expected<model::policy_override, std::string>
read_override(std::string_view domain, std::string_view body, std::string_view by, base::utc_seconds now) {
    const auto object = read_object(body);
    if (!object)
        return std::unexpected(object.error());
    constexpr std::array known = {"as", "why", "mx", "until", "by"};
    std::string as, why, until, from(by);
    std::vector<std::string> mx;
    for (const auto& member : *object) {
        const std::string_view name(member.key());
        if (std::ranges::find(known, name) == known.end())
            return std::unexpected(fmt::format("there is no member '{}'", base::printable(name, 60)));
        if (name == "mx") {
            const auto* list = member.value().if_array();
            for (const auto& pattern : list ? *list : boost::json::array{nullptr}) {
                if (!pattern.is_string())
                    return std::unexpected("mx takes a list of texts");
                mx.emplace_back(pattern.as_string());
            }
            continue;
        }
        if (name == "until" && member.value().is_null())
            continue;
        if (!member.value().is_string())
            return std::unexpected(fmt::format("{} takes a text", name));
        const std::string text(member.value().as_string());
        (name == "as" ? as : name == "why" ? why : name == "until" ? until : from) = text;
    }
    return make_override(domain, as, std::move(mx), why, until, from, now);
}

} // namespace mailtight::api
