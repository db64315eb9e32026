// SPDX-License-Identifier: Apache-2.0
// Holds a JSON value against a schema of our OpenAPI document: the words of JSON Schema that it uses, and no
// others (a word that is not known is a complaint, so that no schema says more than is held to).
#pragma once

#include <boost/json.hpp>
#include <fmt/format.h>

#include <set>
#include <string>
#include <vector>

namespace mailtight::tests {

class json_schema {
public:
    explicit json_schema(const boost::json::object& document)
        : named_(document.at("components").at("schemas").as_object()) {}

    /// What is wrong, "path: why" each; empty: it fits.
    std::vector<std::string> complaints(const boost::json::value& value, const std::string& schema) const {
        std::vector<std::string> all;
        if (!named_.contains(schema))
            return {"there is no schema " + schema};
        check(value, named_.at(schema), "", all);
        return all;
    }

private:
    static bool is(const boost::json::value& value, std::string_view type) {
        return (type == "object" && value.is_object()) || (type == "array" && value.is_array()) ||
               (type == "string" && value.is_string()) || (type == "boolean" && value.is_bool()) ||
               (type == "null" && value.is_null()) || (type == "number" && value.is_number()) ||
               (type == "integer" && (value.is_int64() || value.is_uint64()));
    }

    void check(const boost::json::value& value, const boost::json::value& schema, const std::string& at,
               std::vector<std::string>& all) const {
        static const std::set<std::string_view> notes = {"description", "format", "title"};
        const auto wrong = [&](const std::string& why) {
            all.push_back((at.empty() ? "(whole)" : at) + ": " + why);
        };
        if (!schema.is_object())
            return wrong("the schema is no object");
        for (const auto& [key, rule] : schema.as_object()) {
            const std::string_view word(key);
            if (notes.contains(word)) {
                // for people
            } else if (word == "$ref") {
                const std::string_view to(rule.as_string());
                check(value, named_.at(to.substr(to.rfind('/') + 1)), at, all);
            } else if (word == "type") {
                bool fits = rule.is_string() && is(value, rule.as_string());
                if (rule.is_array())
                    for (const auto& one : rule.as_array())
                        fits = fits || is(value, one.as_string());
                if (!fits)
                    wrong("is not " + boost::json::serialize(rule));
            } else if (word == "enum") {
                bool found = false;
                for (const auto& one : rule.as_array())
                    found = found || one == value;
                if (!found)
                    wrong(boost::json::serialize(value) + " is none of " + boost::json::serialize(rule));
            } else if (word == "anyOf") {
                bool any = false;
                for (const auto& one : rule.as_array()) {
                    std::vector<std::string> inner;
                    check(value, one, at, inner);
                    any = any || inner.empty();
                }
                if (!any)
                    wrong("fits none of anyOf");
            } else if (word == "required") {
                for (const auto& name : rule.as_array())
                    if (value.is_object() && !value.as_object().contains(name.as_string()))
                        wrong("lacks " + std::string(name.as_string()));
            } else if (word == "properties") {
                for (const auto& [name, inner] : rule.as_object())
                    if (value.is_object() && value.as_object().contains(name))
                        check(value.as_object().at(name), inner, at + "." + std::string(name), all);
            } else if (word == "additionalProperties") {
                for (const auto& [name, inner] :
                     value.is_object() ? value.as_object() : boost::json::object{}) {
                    const auto* known = schema.as_object().if_contains("properties");
                    if (known && known->as_object().contains(name))
                        continue;
                    if (rule.is_bool() && !rule.as_bool())
                        wrong("has an unknown " + std::string(name));
                    else if (rule.is_object())
                        check(inner, rule, at + "." + std::string(name), all);
                }
            } else if (word == "items") {
                std::size_t i = 0;
                for (const auto& one : value.is_array() ? value.as_array() : boost::json::array{})
                    check(one, rule, fmt::format("{}[{}]", at, i++), all);
            } else if (word == "minimum") {
                if (value.is_int64() && value.as_int64() < rule.as_int64())
                    wrong("is too small");
            } else if (word == "minItems") {
                if (value.is_array() && static_cast<std::int64_t>(value.as_array().size()) < rule.as_int64())
                    wrong("has too few items");
            } else if (word == "maxItems") {
                if (value.is_array() && static_cast<std::int64_t>(value.as_array().size()) > rule.as_int64())
                    wrong("has too many items");
            } else if (word == "minLength") {
                if (value.is_string() &&
                    static_cast<std::int64_t>(value.as_string().size()) < rule.as_int64())
                    wrong("is too short");
            } else {
                wrong("the schema uses an unknown word: " + std::string(word));
            }
        }
    }

    boost::json::object named_;
};

} // namespace mailtight::tests
