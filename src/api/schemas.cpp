// SPDX-License-Identifier: Apache-2.0
// What the API's documents look like, in JSON Schema (2020-12, as OpenAPI 3.1 uses it). The tests hold every
// answer against them.
#include "api/route.h"

#include <array>
#include <vector>

namespace mailtight::api {

namespace {

constexpr std::array table = {
    schema{"decision", R"({
"type":"object",
"description":"What a sender does for a destination, and why.",
"required":["domain","decision","source","id","fetched_at","expires_at","next_check_at","mx","replies","errors"],
"properties":{
 "domain":{"type":"string"},
 "decision":{"enum":["enforce","testing","none","dane","no-policy","unknown"]},
 "source":{"enum":["live","cache","override","dane","key"]},
 "id":{"type":["string","null"]},
 "fetched_at":{"type":["string","null"]},
 "expires_at":{"type":["string","null"]},
 "next_check_at":{"type":["string","null"]},
 "mx":{"type":"array","items":{"type":"object","required":["host","admitted_by"],"properties":{
  "host":{"type":"string"},"admitted_by":{"type":["string","null"]}}}},
 "replies":{"type":"object","description":"What each mail server is told.","additionalProperties":{"type":"string"}},
 "errors":{"type":"array","items":{"type":"object","required":["code","subject","message"],"properties":{
  "code":{"type":"string"},"subject":{"type":"string"},"message":{"type":"string"}}}},
 "reply":{"type":"object","required":["dialect","status","text"],"properties":{
  "dialect":{"type":"string"},"status":{"enum":["OK","NOTFOUND","TEMP","PERM"]},"text":{"type":"string"}}},
 "explanation":{"type":"string"}}})"},
    schema{"policy", R"({
"type":"object",
"description":"What is remembered of a destination; mode is null where no policy is held.",
"required":["domain","mode","id","mx","max_age","fetched_at","expires_at","expired","record","failure","next_check_at","refresh_at","used_at"],
"properties":{
 "domain":{"type":"string"},
 "mode":{"enum":["enforce","testing","none",null]},
 "id":{"type":["string","null"]},
 "mx":{"type":"array","items":{"type":"string"}},
 "max_age":{"type":["integer","null"]},
 "fetched_at":{"type":["string","null"],"format":"date-time"},
 "expires_at":{"type":["string","null"],"format":"date-time"},
 "expired":{"type":"boolean"},
 "text":{"type":"string"},
 "record":{"type":"object","required":["state","id","ttl","seen_at","detail"],"properties":{
  "state":{"enum":["never","error","none","multiple","invalid","valid"]},
  "id":{"type":"string"},"ttl":{"type":"integer"},"seen_at":{"type":["string","null"]},"detail":{"type":"string"}}},
 "failure":{"type":["object","null"],"required":["fault","detail","at","in_a_row","since"],"properties":{
  "fault":{"enum":["sts-policy-fetch-error","sts-webpki-invalid","sts-policy-invalid"]},
  "detail":{"type":"string"},"at":{"type":["string","null"]},"in_a_row":{"type":"integer"},"since":{"type":["string","null"]}}},
 "next_check_at":{"type":["string","null"],"format":"date-time"},
 "refresh_at":{"type":["string","null"],"format":"date-time"},
 "used_at":{"type":["string","null"],"format":"date-time"}}})"},
    schema{"policy-list", R"({
"type":"object","required":["policies","next"],
"properties":{
 "policies":{"type":"array","items":{"$ref":"#/components/schemas/policy"}},
 "next":{"type":["string","null"],"description":"For `after`; null on the last page."}}})"},
    schema{"override", R"({
"type":"object","required":["domain","as","mx","why","by","since","until","holds"],
"properties":{
 "domain":{"type":"string"},
 "as":{"enum":["exempt","pin","testing","require"]},
 "mx":{"type":"array","items":{"type":"string"}},
 "why":{"type":"string"},"by":{"type":"string"},
 "since":{"type":["string","null"],"format":"date-time"},
 "until":{"type":["string","null"],"format":"date-time"},
 "holds":{"type":"boolean"}}})"},
    schema{"override-list", R"({
"type":"object","required":["overrides"],
"properties":{"overrides":{"type":"array","items":{"$ref":"#/components/schemas/override"}}}})"},
    schema{"override-request", R"({
"type":"object","required":["as","why"],"additionalProperties":false,
"properties":{
 "as":{"enum":["exempt","pin","testing","require"],"description":"exempt: no policy, whatever is published. pin: deliver to these MX alone. testing: the policy, not enforced. require: no delivery without a policy or DANE."},
 "why":{"type":"string","minLength":1},
 "mx":{"type":"array","items":{"type":"string"},"description":"With pin: MX patterns."},
 "until":{"type":["string","null"],"description":"A day, which is included, or a time."},
 "by":{"type":"string"}}})"},
    schema{"failed-delivery", R"({
"type":"object","additionalProperties":false,
"properties":{"words":{"type":"string","description":"What the mail server said of it."}}})"},
    schema{"refreshed", R"({
"type":"object","required":["looked","changed","words","now"],
"properties":{
 "looked":{"type":"boolean"},"changed":{"type":"boolean"},"words":{"type":"string"},
 "now":{"anyOf":[{"$ref":"#/components/schemas/decision"},{"type":"null"}]}}})"},
    schema{"looked", R"({
"type":"object","required":["looked"],"properties":{"looked":{"type":"boolean"}}})"},
    schema{"export", R"({
"type":"string","description":"Lines of JSON: the first says what they are, each other is one destination."})"},
    schema{"import-request", R"({
"type":"string","description":"What export gives, an EXPORT of postfix-tlspol, or a domain a line."})"},
    schema{"imported", R"({
"type":"object","required":["taken","look_ups","refused","refused_lines"],
"properties":{
 "taken":{"type":"integer","minimum":0},
 "look_ups":{"type":"integer","minimum":0,"description":"Domains that are looked up in the background now."},
 "refused_lines":{"type":"integer","minimum":0},
 "refused":{"type":"array","description":"The first of them.","items":{"type":"object","required":["line","why"],"properties":{
  "line":{"type":"integer"},"why":{"type":"string"}}}}}})"},
    schema{"results-request", R"({
"type":"string","description":"JSON, one object a line: {\"domain\":…,\"mx\":…,\"ip\":…,\"tls\":…} or a whole result with \"policies\"."})"},
    schema{"results-taken", R"({
"type":"object","required":["taken","refused","errors","durable"],
"properties":{
 "taken":{"type":"integer","minimum":0},"refused":{"type":"integer","minimum":0},
 "durable":{"type":"boolean"},"trouble":{"type":"string"},
 "errors":{"type":"array","description":"The first of what was refused.","items":{"type":"object","required":["line","code","where","words"],"properties":{
  "line":{"type":"integer"},"code":{"type":"string"},"where":{"type":"string"},"words":{"type":"string"}}}}}})"},
    schema{"outgoing-report", R"({
"type":"object","required":["number","day","domain","audience","part","report_id","file","success","failure","made_at","deliveries"],
"properties":{
 "number":{"type":"integer"},"day":{"type":"string","format":"date"},"domain":{"type":"string"},
 "audience":{"enum":["recipient-domain","tlsa-base"]},
 "part":{"type":"integer","description":"0: the report of the day; more: what became known later."},
 "report_id":{"type":"string"},"file":{"type":"string"},
 "success":{"type":"integer"},"failure":{"type":"integer"},"made_at":{"type":["string","null"],"format":"date-time"},
 "deliveries":{"type":"array","items":{"type":"object","required":["number","to","state","tries","first_at","next_at","ended_at","family","words"],"properties":{
  "number":{"type":"integer"},"to":{"type":"string"},
  "state":{"enum":["waiting","sent","refused","given-up","suppressed","skipped","copied"]},
  "tries":{"type":"integer"},"first_at":{"type":["string","null"]},"next_at":{"type":["string","null"]},"ended_at":{"type":["string","null"]},
  "family":{"enum":["any","ipv4","ipv6"]},"words":{"type":"string"}}}}}})"},
    schema{"outgoing-list", R"({
"type":"object","required":["reports","next"],
"properties":{
 "reports":{"type":"array","items":{"$ref":"#/components/schemas/outgoing-report"}},
 "next":{"type":["integer","null"],"description":"For `before`; null on the last page."}}})"},
    schema{"day-sent", R"({
"type":"object","required":["day","filed","nobody_asks","not_made","sent","waiting","refused","suppressed","troubles"],
"properties":{
 "day":{"type":"string","format":"date"},
 "filed":{"type":"integer"},"nobody_asks":{"type":"integer"},"not_made":{"type":"integer"},"sent":{"type":"integer"},
 "waiting":{"type":"integer"},"refused":{"type":"integer"},"suppressed":{"type":"integer"},
 "troubles":{"type":"array","items":{"type":"string"}}}})"},
    schema{"suppressed", R"({
"type":"object","required":["who","why","since","until"],
"properties":{"who":{"type":"string"},"why":{"type":"string"},"since":{"type":["string","null"]},"until":{"type":["string","null"]}}})"},
    schema{"suppressed-list", R"({
"type":"object","required":["suppressed"],
"properties":{"suppressed":{"type":"array","items":{"$ref":"#/components/schemas/suppressed"}}}})"},
    schema{"suppress-request", R"({
"type":"object","additionalProperties":false,
"properties":{"why":{"type":"string"},"until":{"type":"string","description":"The last day on which it holds."}}})"},
    schema{"removed", R"({
"type":"object","required":["removed"],"properties":{"removed":{"type":"integer","minimum":0}}})"},
    schema{"problem", R"({
"type":"object","description":"RFC 9457","required":["title","status","detail"],
"properties":{"type":{"type":"string"},"title":{"type":"string"},"status":{"type":"integer"},"detail":{"type":"string"},
 "record":{"type":"object","description":"Where a tenant adds a domain: what shows that it is theirs, to be published in DNS.",
  "required":["name","type","value"],"properties":{"name":{"type":"string"},"type":{"type":"string"},"value":{"type":"string"}}}}})"},
    schema{
        "openapi",
        R"({"type":"object","required":["openapi","info","paths"],"properties":{"openapi":{"type":"string"}}})"},
};

} // namespace

std::span<const schema> sending_schemas() {
    return table;
}

std::span<const schema> schemas() {
    static const std::vector<schema> all = [] {
        std::vector<schema> rows;
        for (const auto some : {sending_schemas(), domain_schemas(), look_schemas(), received_schemas(),
                                system_schemas(), access_schemas()})
            rows.insert(rows.end(), some.begin(), some.end());
        return rows;
    }();
    return all;
}

} // namespace mailtight::api
