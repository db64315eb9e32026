// SPDX-License-Identifier: Apache-2.0
#include "publish/acme_order.h"

#include <boost/json.hpp>

namespace mailtight::publish {

namespace {

namespace json = boost::json;

constexpr std::size_t bytes_max = 65'536;

std::string text_of(const json::object& from, std::string_view name) {
    const auto* value = from.if_contains(name);
    return value != nullptr && value->is_string()
               ? std::string(value->get_string().data(), value->get_string().size())
               : std::string();
}

} // namespace

std::string to_json(const order_memory& memory) {
    if (memory.empty())
        return {};
    json::object out = {{"directory", memory.directory}};
    const auto put = [&](std::string_view name, const std::string& value) {
        if (!value.empty())
            out[name] = value;
    };
    if (memory.asked)
        out["asked"] = true;
    put("order", memory.order);
    put("replaces", memory.replaces);
    put("key", memory.sealed_key);
    put("answer_kind", memory.answer_kind);
    put("answer_token", memory.answer_token);
    if (!memory.failed.empty()) {
        json::object failed;
        for (const auto& [kind, why] : memory.failed)
            failed[to_string(kind)] = why;
        out["failed"] = std::move(failed);
    }
    return json::serialize(out);
}

order_memory read_order_memory(std::string_view text) {
    order_memory memory;
    boost::system::error_code wrong;
    if (text.empty() || text.size() > bytes_max)
        return memory;
    const auto value = json::parse({text.data(), text.size()}, wrong, {}, {.max_depth = 3});
    const auto* object = wrong ? nullptr : value.if_object();
    if (object == nullptr)
        return memory;
    memory.directory = text_of(*object, "directory");
    const auto* asked = object->if_contains("asked");
    memory.asked = asked != nullptr && asked->is_bool() && asked->get_bool();
    memory.order = text_of(*object, "order");
    memory.replaces = text_of(*object, "replaces");
    memory.sealed_key = text_of(*object, "key");
    memory.answer_kind = text_of(*object, "answer_kind");
    memory.answer_token = text_of(*object, "answer_token");
    if (const auto* failed = object->if_contains("failed"); failed != nullptr && failed->is_object())
        for (const auto& entry : failed->get_object())
            if (const auto kind = parse_challenge_kind(entry.key()); kind && entry.value().is_string())
                memory.failed.emplace_back(*kind, text_of(failed->get_object(), entry.key()));
    return memory;
}

} // namespace mailtight::publish
