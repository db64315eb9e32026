// SPDX-License-Identifier: Apache-2.0
// The table of routes and the document that comes from it.
#include "api/route.h"
#include "json_schema.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace mailtight::api {
namespace {

boost::json::object document() {
    return boost::json::parse(openapi("1.2.3")).as_object();
}

TEST(routes, each_is_whole_and_none_stands_there_twice) {
    std::set<std::string> calls, names;
    std::set<std::string_view> known;
    for (const auto& each : schemas())
        EXPECT_TRUE(known.insert(each.name).second) << each.name;
    for (const auto& each : routes()) {
        SCOPED_TRACE(std::string(each.method) + " " + std::string(each.path));
        EXPECT_TRUE(calls.insert(std::string(each.method) + " " + std::string(each.path)).second);
        EXPECT_TRUE(names.insert(std::string(each.operation)).second);
        EXPECT_TRUE(each.handle);
        EXPECT_TRUE(each.path.starts_with('/'));
        EXPECT_LE(std::ranges::count(each.path, '{'), 1) << "call::item holds one";
        EXPECT_FALSE(each.summary.empty());
        EXPECT_TRUE(known.contains(each.answer)) << each.answer;
        EXPECT_TRUE(each.request.empty() || known.contains(each.request)) << each.request;
        const bool asks = each.path == "/reports/read"; // a POST since the question is a file
        EXPECT_EQ(each.changes || each.tells, each.method != "GET" && !asks) << "others change something";
        EXPECT_FALSE(each.changes && each.tells);
    }
}

TEST(routes, what_changes_something_needs_more_than_looking) {
    for (const auto& each : routes()) {
        SCOPED_TRACE(std::string(each.method) + " " + std::string(each.path));
        const bool own = each.path == "/session"; // one's own coming and going
        EXPECT_TRUE(own || !(each.changes || each.tells) || each.needs >= role::operates);
        EXPECT_EQ(each.open, own && each.method == "POST") << "nothing else answers strangers";
        EXPECT_FALSE(each.open && each.body_bytes == 0) << "strangers send little";
        EXPECT_FALSE(each.tenants && each.needs == role::administrator)
            << "who administers the installation sees all of it";
    }
}

TEST(routes, a_path_is_found_with_what_stands_in_it) {
    struct good {
        const char *method, *path, *operation, *item;
    };
    for (const good& g :
         {good{"GET", "/api/v1/policy/example.com", "getPolicy", "example.com"},
          good{"GET", "/api/v1/policy/[mx.example.com]:587", "getPolicy", "[mx.example.com]:587"},
          good{"DELETE", "/api/v1/policy/example.com", "forgetPolicy", "example.com"},
          good{"POST", "/api/v1/policy/example.com/refresh", "refreshPolicy", "example.com"},
          good{"GET", "/api/v1/policies", "listPolicies", ""},
          good{"GET", "/api/v1/policies/example.com", "getRemembered", "example.com"},
          good{"GET", "/api/v1/openapi.json", "describe", ""}}) {
        SCOPED_TRACE(g.path);
        const auto found = find_route(g.method, g.path);
        ASSERT_TRUE(found.at);
        EXPECT_EQ(found.at->operation, g.operation);
        EXPECT_EQ(found.item, g.item);
    }
    for (const char* none : {"/", "/api/v1", "/api/v1/", "/api/v1/policy", "/api/v1/policy/",
                             "/api/v2/policies", "/api/v1/policy/a.example/refresh/x", "/api/v1/policiesx"}) {
        const auto found = find_route("GET", none);
        EXPECT_FALSE(found.at) << none;
        EXPECT_TRUE(found.allowed.empty()) << none;
    }
    EXPECT_THAT(find_route("PATCH", "/api/v1/policy/example.com").allowed,
                testing::UnorderedElementsAre("GET", "DELETE"));
}

TEST(routes, a_query_is_understood_or_refused) {
    const auto& of = *find_route("GET", "/api/v1/policies").at;
    const auto good = read_query(of, "after=a%2Eexample&limit=10&text=1");
    ASSERT_TRUE(good);
    EXPECT_EQ(good->at("after"), "a.example");
    EXPECT_EQ(good->at("limit"), "10");
    EXPECT_TRUE(read_query(of, "")->empty());
    struct bad {
        const char *query, *says;
    };
    for (const bad& b : {bad{"limit=ten", "takes a number"}, bad{"limit=", "takes a number"},
                         bad{"limit=-1", "takes a number"}, bad{"limit=9999999999", "takes a number"},
                         bad{"limit=1&limit=2", "twice"}, bad{"page=2", "no parameter 'page'"},
                         bad{"text=maybe", "takes 0 or 1"}, bad{"after=%2", "encoded"},
                         bad{"after=%zz", "encoded"}, bad{"&", "no parameter ''"}}) {
        const auto refused = read_query(of, b.query);
        ASSERT_FALSE(refused) << b.query;
        EXPECT_THAT(refused.error(), testing::HasSubstr(b.says)) << b.query;
    }
}

TEST(openapi, every_route_stands_in_the_document_and_nothing_else) {
    const auto whole = document();
    EXPECT_EQ(whole.at("openapi").as_string(), "3.1.0");
    EXPECT_EQ(whole.at("info").at("version").as_string(), "1.2.3");
    std::size_t operations = 0;
    for (const auto& [path, methods] : whole.at("paths").as_object())
        operations += methods.as_object().size();
    EXPECT_EQ(operations, routes().size());
    for (const auto& each : routes()) {
        SCOPED_TRACE(std::string(each.operation));
        std::string method(each.method);
        std::ranges::transform(method, method.begin(), [](unsigned char c) { return std::tolower(c); });
        const auto& said =
            whole.at("paths").at(std::string(root) + std::string(each.path)).at(method).as_object();
        EXPECT_EQ(said.at("operationId").as_string(), each.operation);
        EXPECT_EQ(said.contains("requestBody"), !each.request.empty());
        const bool guarded = each.changes || each.tells || each.needs > role::viewer;
        EXPECT_TRUE(said.at("responses").as_object().contains("403") || !guarded);
        EXPECT_EQ(said.at("responses").as_object().contains("401"), !each.open || each.operation == "logIn");
        EXPECT_EQ(said.at("security").as_array().empty(), each.open);
        const bool placeholder = each.path.find('{') != std::string_view::npos;
        std::size_t in_path = 0;
        if (said.contains("parameters"))
            for (const auto& parameter : said.at("parameters").as_array())
                in_path += parameter.at("in").as_string() == "path" ? 1 : 0;
        EXPECT_EQ(in_path, placeholder ? 1u : 0u);
    }
}

TEST(openapi, every_reference_leads_somewhere_and_every_schema_is_used) {
    const std::string text = openapi("1");
    const auto whole = document();
    for (std::size_t at = 0; (at = text.find("#/components/schemas/", at)) != std::string::npos; ++at) {
        const auto begin = at + 21;
        const auto name = text.substr(begin, text.find('"', begin) - begin);
        EXPECT_TRUE(whole.at("components").at("schemas").as_object().contains(name)) << name;
    }
    for (const auto& each : schemas()) {
        EXPECT_NE(text.find("#/components/schemas/" + std::string(each.name) + "\""), std::string::npos)
            << each.name << " is used by nobody";
        EXPECT_TRUE(whole.at("components").at("schemas").at(each.name).is_object())
            << each.name << " is JSON";
    }
}

TEST(openapi, the_checker_of_these_tests_finds_what_does_not_fit) {
    const tests::json_schema checker(document());
    EXPECT_THAT(checker.complaints(boost::json::parse(R"({"removed":1})"), "removed"), testing::IsEmpty());
    for (const auto& [text, schema] : std::vector<std::pair<const char*, const char*>>{
             {R"({})", "removed"},
             {R"({"removed":"1"})", "removed"},
             {R"({"removed":-1})", "removed"},
             {R"([])", "removed"},
             {R"({"as":"drop","why":"x"})", "override-request"},
             {R"({"as":"exempt","why":""})", "override-request"},
             {R"({"as":"exempt","why":"x","colour":"red"})", "override-request"},
             {R"({"policies":[{}],"next":null})", "policy-list"},
             {R"({"looked":true,"changed":false,"words":"","now":{}})", "refreshed"}})
        EXPECT_THAT(checker.complaints(boost::json::parse(text), schema), testing::Not(testing::IsEmpty()))
            << text;
}

} // namespace
} // namespace mailtight::api
