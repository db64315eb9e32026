// SPDX-License-Identifier: Apache-2.0
#include "api/route.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace mailtight::api {

namespace {

io::task<wire::http_reply> describe(context& with, call) {
    wire::http_reply reply;
    reply.media_type = "application/json";
    reply.body = openapi(with.version);
    co_return reply;
}

/// What stands for `{...}`; nothing where the path is another.
std::optional<std::string> match(std::string_view pattern, std::string_view path) {
    const auto wanted = base::split(pattern, '/'), given = base::split(path, '/');
    if (wanted.size() != given.size())
        return {};
    std::string item;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        if (wanted[i].starts_with('{') && !given[i].empty())
            item = given[i];
        else if (wanted[i] != given[i])
            return {};
    }
    return item;
}

std::optional<std::string> decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+') {
            out += ' ';
        } else if (text[i] != '%') {
            out += text[i];
        } else {
            unsigned value = 0;
            if (i + 2 >= text.size())
                return {};
            const auto* end = text.data() + i + 3;
            if (auto [stop, error] = std::from_chars(text.data() + i + 1, end, value, 16);
                error != std::errc{} || stop != end)
                return {};
            out += static_cast<char>(value);
            i += 2;
        }
    }
    return out;
}

bool fits(query_parameter::type type, std::string_view value) {
    using enum query_parameter::type;
    switch (type) {
    case text:
        return !value.empty();
    case number:
        return !value.empty() && value.size() <= 9 && std::ranges::all_of(value, base::is_digit);
    case yes:
        return value == "1" || value == "true" || value == "0" || value == "false";
    }
    return false;
}

} // namespace

std::span<const route> routes() {
    static const std::vector<route> all = [] {
        std::vector<route> rows;
        const auto add = [&rows](std::vector<route> some, part_of part) {
            for (auto& each : some) {
                each.part = part;
                rows.push_back(std::move(each));
            }
        };
        add(policy_routes(), part_of::policies);
        add(override_routes(), part_of::policies);
        add(exchange_routes(), part_of::policies);
        add(result_routes(), part_of::results);
        add(outbox_routes(), part_of::outbox);
        add(domain_routes(), part_of::domains);
        add(look_routes(), part_of::looks);
        add(received_routes(), part_of::received);
        add(sending_routes(), part_of::system);
        add(system_routes(), part_of::system);
        add(access_routes(), part_of::access);
        rows.push_back({.method = "GET",
                        .path = "/openapi.json",
                        .operation = "describe",
                        .summary = "This API, described",
                        .description = "An OpenAPI 3.1 document, made from the table that routes every call.",
                        .answer = "openapi",
                        .handle = describe});
        return rows;
    }();
    return all;
}

found_route find_route(std::string_view method, std::string_view path) {
    found_route found;
    if (!path.starts_with(root))
        return found;
    path.remove_prefix(root.size());
    for (const auto& each : routes()) {
        auto item = match(each.path, path);
        if (!item)
            continue;
        if (each.method == method) {
            found.at = &each;
            found.item = std::move(*item);
            return found;
        }
        found.allowed.push_back(each.method);
    }
    return found;
}

std::expected<std::map<std::string, std::string>, std::string> read_query(const route& of,
                                                                          std::string_view query) {
    std::map<std::string, std::string> all;
    if (query.empty())
        return all;
    for (const auto pair : base::split(query, '&')) {
        const auto equals = pair.find('=');
        const auto name = decoded(pair.substr(0, equals));
        const auto value = decoded(equals == std::string_view::npos ? "" : pair.substr(equals + 1));
        if (!name || !value)
            return std::unexpected("the query is not well encoded");
        const auto known = std::ranges::find(of.query, *name, &query_parameter::name);
        if (known == of.query.end())
            return std::unexpected(
                fmt::format("there is no parameter '{}' here", base::printable(*name, 60)));
        if (!fits(known->takes, *value))
            return std::unexpected(fmt::format("the parameter '{}' takes {}", known->name,
                                               known->takes == query_parameter::type::number ? "a number"
                                               : known->takes == query_parameter::type::yes  ? "0 or 1"
                                                                                             : "a text"));
        if (!all.emplace(*name, *value).second)
            return std::unexpected(fmt::format("the parameter '{}' stands there twice", known->name));
    }
    return all;
}

} // namespace mailtight::api
