// SPDX-License-Identifier: Apache-2.0
// openapi(): the document, from the same rows that route the calls.
#include "api/route.h"

#include "base/text.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace mailtight::api {

namespace {

namespace json = boost::json;

json::object reference(std::string_view name) {
    return {{"$ref", fmt::format("#/components/schemas/{}", name)}};
}

json::object content(std::string_view media, std::string_view schema_name) {
    return {{std::string(media), json::object{{"schema", reference(schema_name)}}}};
}

std::string_view title(int status) {
    struct named {
        int status;
        std::string_view title;
    };
    constexpr std::array all = {named{400, "The request cannot be understood"},
                                named{401, "Who asks is not known"},
                                named{403, "Not allowed here"},
                                named{404, "There is no such thing"},
                                named{409, "It does not fit what is there"},
                                named{413, "Too large"},
                                named{422, "Understood, and it cannot be done so"},
                                named{429, "Too many attempts that were wrong"},
                                named{503, "The database is away"}};
    const auto* found = std::ranges::find(all, status, &named::status);
    return found == all.end() ? "Refused" : found->title;
}

json::array parameters_of(const route& of) {
    json::array all;
    if (const auto brace = of.path.find('{'); brace != std::string_view::npos)
        all.push_back(json::object{{"name", of.path.substr(brace + 1, of.path.find('}') - brace - 1)},
                                   {"in", "path"},
                                   {"required", true},
                                   {"schema", json::object{{"type", "string"}}}});
    for (const auto& each : of.query) {
        using enum query_parameter::type;
        const std::string_view type = each.takes == number ? "integer"
                                      : each.takes == yes  ? "boolean"
                                                           : "string";
        all.push_back(json::object{{"name", each.name},
                                   {"in", "query"},
                                   {"description", each.description},
                                   {"schema", json::object{{"type", type}}}});
    }
    return all;
}

json::object operation_of(const route& of) {
    json::object out{{"operationId", of.operation}, {"summary", of.summary}};
    std::string description(of.description);
    const auto add = [&description](const std::string& sentence) {
        description += (description.empty() ? "" : " ") + sentence;
    };
    if (of.open)
        add("Needs no credential.");
    else
        add(fmt::format("Needs the role {}{}.", to_string(of.needs),
                        of.tenants ? "; a tenant sees its own domains alone" : ", and is not for tenants"));
    if (of.changes && !of.open)
        add("On the control socket it answers root, the daemon's user and its group.");
    if (of.tells)
        add("On the listeners of [resolve] it answers programs of the same machine.");
    out["description"] = description;
    out["x-mailtight-role"] = of.open ? std::string_view("none") : to_string(of.needs);
    out["x-mailtight-tenants"] = of.tenants;
    out["security"] = of.open ? json::array{}
                              : json::array{json::object{{"token", json::array{}}},
                                            json::object{{"session", json::array{}}}};
    if (auto parameters = parameters_of(of); !parameters.empty())
        out["parameters"] = std::move(parameters);
    if (!of.request.empty())
        out["requestBody"] =
            json::object{{"content", content(of.request == "import-request" || of.request == "results-request"
                                                 ? "application/x-ndjson"
                                             : of.request == "report-file" ? "application/octet-stream"
                                                                           : "application/json",
                                             of.request)}};
    json::object responses{
        {"200", json::object{{"description", of.summary}, {"content", content(of.media, of.answer)}}}};
    auto problems = of.problems;
    problems.push_back(400);
    if (of.changes || of.tells || of.needs > role::viewer)
        problems.push_back(403);
    if (!of.open)
        problems.insert(problems.end(), {401, 429});
    std::ranges::sort(problems);
    for (const int status : problems)
        responses[std::to_string(status)] = json::object{
            {"description", title(status)}, {"content", content("application/problem+json", "problem")}};
    out["responses"] = std::move(responses);
    return out;
}

json::object security() {
    return {{"token", json::object{{"type", "http"},
                                   {"scheme", "bearer"},
                                   {"description", "A token of `mailtight access token add`, or of POST "
                                                   "/tokens: mt_ and 43 characters."}}},
            {"session", json::object{{"type", "apiKey"},
                                     {"in", "cookie"},
                                     {"name", "__Host-mailtight"},
                                     {"description", "Of POST /session, for browsers; mailtight-session over "
                                                     "plain HTTP on loopback. What changes something needs "
                                                     "the field X-CSRF-Token as well."}}}};
}

} // namespace

std::string openapi(std::string_view version) {
    json::object paths;
    for (const auto& each : routes()) {
        auto& path = paths[fmt::format("{}{}", root, each.path)];
        if (!path.is_object())
            path = json::object{};
        path.as_object()[base::lower(each.method)] = operation_of(each);
    }
    json::object named;
    for (const auto& each : schemas()) {
        boost::system::error_code error;
        named[each.name] = json::parse({each.text.data(), each.text.size()}, error);
    }
    return json::serialize(json::object{
               {"openapi", "3.1.0"},
               {"info", json::object{{"title", "Mailtight"},
                                     {"version", version},
                                     {"description", "What Mailtight knows and does, over HTTP."},
                                     {"license",
                                      json::object{{"name", "Apache-2.0"}, {"identifier", "Apache-2.0"}}}}},
               {"paths", std::move(paths)},
               {"components",
                json::object{{"schemas", std::move(named)}, {"securitySchemes", security()}}}}) +
           "\n";
}

} // namespace mailtight::api
