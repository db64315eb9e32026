// SPDX-License-Identifier: Apache-2.0
#include "publish/carrier_memo.h"

#include <boost/json.hpp>

#include <array>
#include <utility>

namespace mailtight::publish {
namespace {

constexpr std::size_t most_bytes = 1U << 20U; ///< as much as the store keeps: a signature holds a policy

std::string text_of(const boost::json::object& from, std::string_view key) {
    const auto* value = from.if_contains(key);
    return value && value->is_string() ? std::string(value->as_string()) : std::string();
}

const boost::json::object* object_of(const boost::json::object& from, std::string_view key) {
    const auto* value = from.if_contains(key);
    return value ? value->if_object() : nullptr;
}

} // namespace

std::string memo::to_text() const {
    boost::json::object out;
    if (doing)
        out["doing"] = {{"signature", doing->signature},
                        {"what", doing->what},
                        {"to", doing->to},
                        {"why", doing->why},
                        {"who", doing->who}};
    if (asks)
        out["asks"] = {{"kind", asks->kind},
                       {"title", asks->title},
                       {"text", asks->text},
                       {"fix", asks->fix},
                       {"since", base::format_utc(asks->since)}};
    return out.empty() ? std::string() : boost::json::serialize(out);
}

memo memo::parse(std::string_view text) {
    memo out;
    boost::system::error_code error;
    if (text.empty() || text.size() > most_bytes)
        return out;
    const auto value = boost::json::parse(text, error);
    if (error || !value.is_object())
        return out;
    if (const auto* doing = object_of(value.as_object(), "doing"))
        out.doing = {.signature = text_of(*doing, "signature"),
                     .what = text_of(*doing, "what"),
                     .to = text_of(*doing, "to"),
                     .why = text_of(*doing, "why"),
                     .who = text_of(*doing, "who")};
    if (const auto* asks = object_of(value.as_object(), "asks"))
        if (const auto since = base::parse_utc(text_of(*asks, "since")))
            out.asks = {.kind = text_of(*asks, "kind"),
                        .title = text_of(*asks, "title"),
                        .text = text_of(*asks, "text"),
                        .fix = text_of(*asks, "fix"),
                        .since = *since};
    return out;
}

std::string_view log_words(std::string_view kind) {
    constexpr auto words = std::to_array<std::pair<std::string_view, std::string_view>>({
        {"publish-tlsrpt", "published TLSRPT record"},
        {"point-host", "pointed policy host"},
        {"certificate", "got certificate"},
        {"publish-record", "published record"},
        {"remove-record", "removed record"},
        {"remove-host", "removed policy host"},
        {"remove-certificate", "removed certificate"},
    });
    for (const auto& [each, what] : words)
        if (each == kind)
            return what;
    return {}; // what is served is logged by the store, with the policy itself
}

} // namespace mailtight::publish
