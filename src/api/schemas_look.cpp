// SPDX-License-Identifier: Apache-2.0
// What a look at a domain says, in JSON Schema: the document of `check --json`.
#include "api/route.h"

#include <array>

namespace mailtight::api {

namespace {

constexpr std::array table = {
    schema{"finding", R"({
"type":"object","required":["code","severity","subject","message","evidence","consequence","fix","reference"],
"properties":{
 "code":{"type":"string"},
 "severity":{"enum":["error","warning","info","ok"]},
 "subject":{"type":"string"},"message":{"type":"string"},"evidence":{"type":"string"},
 "consequence":{"type":"string"},"fix":{"type":"string"},"reference":{"type":"string"}}})"},
    schema{"certificate", R"({
"type":["object","null"],"required":["names","issuer","not_before","not_after","trusted","faults","key"],
"properties":{
 "names":{"type":"array","items":{"type":"string"}},
 "issuer":{"type":"string"},
 "not_before":{"type":"string","format":"date-time"},"not_after":{"type":"string","format":"date-time"},
 "trusted":{"type":"boolean"},"faults":{"type":"array","items":{"type":"string"}},"key":{"type":"string"}}})"},
    schema{"seen-mx", R"({
"type":"object","description":"A mail server, at each of its addresses.",
"required":["host","preference","in_policy","admitted_by","addresses","dane","criteria"],
"properties":{
 "host":{"type":"string"},"preference":{"type":"integer"},
 "in_policy":{"type":["boolean","null"]},
 "admitted_by":{"type":["string","null"],"description":"The pattern of the policy."},
 "addresses":{"type":"array","items":{"type":"object","required":["ip","outcome","starttls","tls","certificate"],"properties":{
  "ip":{"type":"string"},"outcome":{"type":"string"},"starttls":{"type":["boolean","null"]},
  "tls":{"type":["string","null"]},"certificate":{"$ref":"#/components/schemas/certificate"},
  "milliseconds":{"type":"integer"},"stages":{"type":"object","additionalProperties":{"type":"integer"}},
  "detail":{"type":"string"}}}},
 "dane":{"type":["string","null"],"description":"What its TLSA records come to."},
 "criteria":{"type":"array","items":{"type":"object","required":["name","state","why"],"properties":{
  "name":{"type":"string"},"state":{"enum":["pass","fail","not-tested"]},"why":{"type":"string"}}}}}})"},
    schema{"suggestion", R"({
"type":"object","description":"What to publish, in this order.",
"required":["policy","policy_already_right","provider","needs","records","remarks"],
"properties":{
 "policy":{"type":"string"},"policy_already_right":{"type":"boolean"},
 "provider":{"type":["string","null"],"description":"Of the mail servers, where they are known."},
 "needs":{"type":"array","items":{"type":"string"},"description":"Words in it that only a person can replace."},
 "records":{"type":"array","items":{"type":"object","required":["step","name","type","value","ttl","already_right","why"],"properties":{
  "step":{"type":"integer"},"name":{"type":"string"},"type":{"type":"string"},"value":{"type":"string"},
  "ttl":{"type":"integer"},"already_right":{"type":"boolean"},"why":{"type":"string"},
  "replaces":{"type":"array","description":"What stands at the name and has to give way.","items":{"type":"object","required":["type","value"],"properties":{
   "type":{"type":"string"},"value":{"type":"string"}}}}}}},
 "remarks":{"type":"array","items":{"type":"string"}}}})"},
    schema{"check", R"({
"type":"object",
"description":"A domain as strict senders see it: what was found, what follows, and how to fix it.",
"required":["domain","checked_at","verdict","mode","ready_to_enforce","findings","sts_record","policy","mx","tlsrpt_record","suggestion","parts","also_recommended","notes"],
"properties":{
 "domain":{"type":"string"},
 "checked_at":{"type":"string","format":"date-time"},
 "verdict":{"enum":["protected","testing","unverified","retiring","broken","absent","unreachable"]},
 "mode":{"enum":["enforce","testing","none",null]},
 "ready_to_enforce":{"type":["boolean","null"]},
 "findings":{"type":"array","items":{"$ref":"#/components/schemas/finding"}},
 "sts_record":{"type":"object","required":["status","dnssec","cname","texts","id","ttl"],"properties":{
  "status":{"type":"string"},"dnssec":{"type":"string"},"cname":{"type":"array","items":{"type":"string"}},
  "texts":{"type":"array","items":{"type":"string"}},"id":{"type":["string","null"]},"ttl":{"type":"integer"}}},
 "policy":{"type":["object","null"],"required":["url","mode","max_age","mx","text","addresses"],"properties":{
  "url":{"type":"string"},"mode":{"enum":["enforce","testing","none",null]},"max_age":{"type":["integer","null"]},
  "mx":{"type":"array","items":{"type":"string"}},"text":{"type":"string"},
  "addresses":{"type":"array","items":{"type":"object","required":["ip","agent","outcome","status","content_type","tls","certificate","milliseconds","stages","detail"],"properties":{
   "ip":{"type":"string"},"agent":{"type":"string"},"outcome":{"type":"string"},"status":{"type":"integer"},
   "content_type":{"type":"string"},"tls":{"type":"string"},"certificate":{"$ref":"#/components/schemas/certificate"},
   "milliseconds":{"type":"integer"},"stages":{"type":"object","additionalProperties":{"type":"integer"}},
   "detail":{"type":"string"}}}}}},
 "mx":{"type":"array","items":{"$ref":"#/components/schemas/seen-mx"}},
 "tlsrpt_record":{"type":"object","required":["status","dnssec","cname","texts","rua","ttl"],"properties":{
  "status":{"type":"string"},"dnssec":{"type":"string"},"cname":{"type":"array","items":{"type":"string"}},
  "texts":{"type":"array","items":{"type":"string"}},"rua":{"type":"array","items":{"type":"string"}},
  "ttl":{"type":"integer"}}},
 "suggestion":{"$ref":"#/components/schemas/suggestion"},
 "parts":{"$ref":"#/components/schemas/parts"},
 "also_recommended":{"type":"string"},
 "notes":{"type":"array","items":{"type":"string"}}}})"},
};

} // namespace

std::span<const schema> look_schemas() {
    return table;
}

} // namespace mailtight::api
