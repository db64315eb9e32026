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
"type":["object","null"],"required":["names","issuer","not_after","trusted"],
"properties":{
 "names":{"type":"array","items":{"type":"string"}},
 "issuer":{"type":"string"},"not_after":{"type":"string"},"trusted":{"type":"boolean"}}})"},
    schema{"check", R"({
"type":"object",
"description":"A domain as strict senders see it: what was found, what follows, and how to fix it.",
"required":["domain","checked_at","verdict","mode","ready_to_enforce","findings","sts_record","policy","mx","tlsrpt_record","suggestion","parts"],
"properties":{
 "domain":{"type":"string"},
 "checked_at":{"type":"string","format":"date-time"},
 "verdict":{"enum":["protected","testing","unverified","retiring","broken","absent","unreachable"]},
 "mode":{"type":["string","null"]},
 "ready_to_enforce":{"type":["boolean","null"]},
 "findings":{"type":"array","items":{"$ref":"#/components/schemas/finding"}},
 "sts_record":{"type":["object","null"],"required":["texts","id","ttl"],"properties":{
  "texts":{"type":"array","items":{"type":"string"}},"id":{"type":["string","null"]},"ttl":{"type":["integer","null"]}}},
 "policy":{"type":["object","null"],"required":["url","mode","max_age","mx","text","addresses"],"properties":{
  "url":{"type":"string"},"mode":{"type":["string","null"]},"max_age":{"type":["integer","null"]},
  "mx":{"type":"array","items":{"type":"string"}},"text":{"type":"string"},
  "addresses":{"type":"array","items":{"type":"object","required":["ip","outcome"],"properties":{
   "ip":{"type":"string"},"outcome":{"type":"string"},"certificate":{"$ref":"#/components/schemas/certificate"}}}}}},
 "mx":{"type":"array","items":{"type":"object","required":["host","preference","in_policy","addresses","dane"],"properties":{
  "host":{"type":"string"},"preference":{"type":"integer"},"in_policy":{"type":["boolean","null"]},
  "addresses":{"type":"array","items":{"type":"object","required":["ip","outcome","starttls","tls","certificate"],"properties":{
   "ip":{"type":"string"},"outcome":{"type":"string"},"starttls":{"type":["boolean","null"]},
   "tls":{"type":["string","null"]},"certificate":{"$ref":"#/components/schemas/certificate"}}}}}}},
 "tlsrpt_record":{"type":["object","null"],"required":["texts","rua","ttl"],"properties":{
  "texts":{"type":"array","items":{"type":"string"}},"rua":{"type":"array","items":{"type":"string"}},
  "ttl":{"type":["integer","null"]}}},
 "suggestion":{"type":"object","required":["policy","needs","records"],"properties":{
  "policy":{"type":"string"},"needs":{"type":"array","items":{"type":"string"}},
  "records":{"type":"array","items":{"type":"object","required":["step","name","type","value","ttl"],"properties":{
   "step":{"type":"integer"},"name":{"type":"string"},"type":{"type":"string"},"value":{"type":"string"},
   "ttl":{"type":"integer"}}}}}},
 "parts":{"type":"object","required":["sts_record","policy_file","tlsrpt_record","mail_servers"],
  "additionalProperties":{"enum":["valid","invalid","missing","not-tested"]}}}})"},
};

} // namespace

std::span<const schema> look_schemas() {
    return table;
}

} // namespace mailtight::api
