// SPDX-License-Identifier: Apache-2.0
#include "api/outbox_documents.h"

#include "base/text.h"
#include "mail/domain_name.h"

#include <boost/json.hpp>

#include <algorithm>

namespace mailtight::api {

namespace {

constexpr std::size_t address_bytes = 320; // RFC 5321: 64, an at sign, 255

boost::json::value time_or_null(base::utc_seconds at) {
    if (at == base::utc_seconds{})
        return nullptr;
    return boost::json::string(base::format_utc(at));
}

std::string_view word(model::address_family family) {
    switch (family) {
    case model::address_family::any:
        return "any";
    case model::address_family::v4:
        return "ipv4";
    case model::address_family::v6:
        return "ipv6";
    }
    return "any";
}

boost::json::object delivery_document(const model::outgoing_delivery& of) {
    return {{"number", of.number},
            {"to", base::printable(of.uri, 500)},
            {"state", model::to_string(of.state)},
            {"tries", of.tries},
            {"first_at", time_or_null(of.first_at)},
            {"next_at",
             of.state == model::delivery_state::waiting ? time_or_null(of.next_at) : boost::json::value()},
            {"ended_at", time_or_null(of.ended_at)},
            {"family", word(of.family)},
            {"words", base::printable(of.words, 1'000)}};
}

} // namespace

boost::json::object outgoing_document(const model::outgoing_report& of) {
    boost::json::array deliveries;
    for (const auto& each : of.deliveries)
        deliveries.push_back(delivery_document(each));
    return {{"number", of.number},
            {"day", base::format_date(base::utc_seconds(of.day))},
            {"domain", of.domain},
            {"audience", model::to_string(of.audience)},
            {"part", of.part},
            {"report_id", of.report_id},
            {"file", of.file_name},
            {"success", of.success},
            {"failure", of.failure},
            {"made_at", time_or_null(of.made_at)},
            {"deliveries", std::move(deliveries)}};
}

boost::json::object suppressed_document(const store::suppressed_address& of) {
    return {{"who", base::printable(of.who, address_bytes)},
            {"why", base::printable(of.why, 1'000)},
            {"since", time_or_null(of.since)},
            {"until", of.until ? time_or_null(*of.until) : boost::json::value()}};
}

boost::json::object day_document(std::chrono::sys_days day, const deliver::sender::day_result& of) {
    boost::json::array troubles;
    for (const auto& each : of.troubles)
        troubles.emplace_back(base::printable(each, 1'000));
    return {{"day", base::format_date(base::utc_seconds(day))},
            {"filed", of.filed},
            {"nobody_asks", of.nobody_asks},
            {"not_made", of.not_made},
            {"sent", of.sent},
            {"waiting", of.waiting},
            {"refused", of.refused},
            {"suppressed", of.suppressed},
            {"troubles", std::move(troubles)}};
}

std::optional<std::chrono::sys_days> parse_day(std::string_view text) {
    const auto at = base::parse_utc(std::string(text) + "T00:00:00Z");
    if (!at)
        return {};
    return std::chrono::floor<std::chrono::days>(*at);
}

std::expected<std::string, std::string> read_address(std::string_view typed) {
    const auto wrong = std::unexpected(
        std::string("this is no mail address, no @domain and no host name of an https address"));
    const std::string text = base::lower(base::trim(typed));
    if (text.empty() || text.size() > address_bytes ||
        !std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; }))
        return wrong;
    const auto at = text.rfind('@');
    const auto domain = at == std::string::npos ? text : text.substr(at + 1);
    const auto name = mail::canonical_name(domain);
    if (!name || name->find('.') == std::string::npos)
        return wrong;
    return at == std::string::npos ? *name : text.substr(0, at + 1) + *name;
}

} // namespace mailtight::api
