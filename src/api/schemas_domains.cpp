// SPDX-License-Identifier: Apache-2.0
// What the documents of domains looked after look like.
#include "api/route.h"

#include <array>

namespace mailtight::api {

namespace {

constexpr std::array table = {
    schema{"part-state", R"({"enum":["valid","invalid","missing","not-tested"]})"},
    schema{"parts", R"({
"type":"object","required":["sts_record","policy_file","tlsrpt_record","mail_servers"],"properties":{
 "sts_record":{"$ref":"#/components/schemas/part-state"},
 "policy_file":{"$ref":"#/components/schemas/part-state"},
 "tlsrpt_record":{"$ref":"#/components/schemas/part-state"},
 "mail_servers":{"$ref":"#/components/schemas/part-state"}}})"},
    schema{"verdict", R"({
"enum":["protected","testing","unverified","retiring","broken","absent","unreachable","unseen"],
"description":"unseen: not looked at yet."})"},
    schema{"next-step", R"({
"type":"object","required":["kind","title","state","by","not_before"],
"properties":{
 "kind":{"type":"string","description":"As in plans: publish-record, wait, evidence, …"},
 "title":{"type":"string"},
 "state":{"enum":["now","waiting","later"]},
 "by":{"enum":["us","person"]},
 "not_before":{"type":["string","null"],"format":"date-time"}}})"},
    schema{"overview-row", R"({
"type":"object","additionalProperties":false,
"required":["domain","owner","labels","light","verdict","mode","aim","parts","errors","warnings","seen_at","sessions","series","changed","next"],
"properties":{
 "domain":{"type":"string"},"owner":{"type":"string"},
 "labels":{"type":"array","items":{"type":"string"}},
 "light":{"enum":["good","attention","bad","unknown"]},
 "verdict":{"$ref":"#/components/schemas/verdict"},
 "mode":{"enum":["enforce","testing","none",null],"description":"Of the policy that is served."},
 "aim":{"enum":["testing","enforce","off"]},
 "parts":{"$ref":"#/components/schemas/parts"},
 "errors":{"type":"integer","minimum":0},"warnings":{"type":"integer","minimum":0},
 "seen_at":{"type":["string","null"],"format":"date-time"},
 "sessions":{"type":"object","description":"Of the last 30 days.","required":["success","failure"],"properties":{
  "success":{"type":"integer","minimum":0},"failure":{"type":"integer","minimum":0}}},
 "series":{"type":"array","description":"Success and failure of each of the last 30 days, oldest first.",
  "items":{"type":"array","minItems":2,"maxItems":2,"items":{"type":"integer","minimum":0}}},
 "changed":{"type":["object","null"],"required":["at","what"],"properties":{
  "at":{"type":"string","format":"date-time"},"what":{"type":"string"}}},
 "next":{"anyOf":[{"$ref":"#/components/schemas/next-step"},{"type":"null"}]}}})"},
    schema{"label-list", R"({
"type":"object","required":["labels"],
"properties":{"labels":{"type":"array","items":{"type":"object","required":["label","domains"],"additionalProperties":false,
 "properties":{"label":{"type":"string"},"domains":{"type":"integer","minimum":1}}}}}})"},
    schema{"overview", R"({
"type":"object","additionalProperties":false,"required":["rows","total","counts"],
"properties":{
 "rows":{"type":"array","items":{"$ref":"#/components/schemas/overview-row"}},
 "total":{"type":"integer","minimum":0,"description":"That fit the question."},
 "counts":{"type":"object","additionalProperties":false,
  "description":"That fit everything but the state, by state.",
  "required":["all","attention","protected","testing","broken","absent","unseen"],"properties":{
  "all":{"type":"integer"},"attention":{"type":"integer"},"protected":{"type":"integer"},
  "testing":{"type":"integer"},"broken":{"type":"integer"},"absent":{"type":"integer"},
  "unseen":{"type":"integer"}}}}})"},
    schema{"overview-csv", R"({"type":"string","description":"RFC 4180, with a head line."})"},
    schema{"wish", R"({
"type":"object","additionalProperties":false,"description":"What is wanted of a domain.",
"required":["domain","owner","aim","off","max_age","mx","mx_adding","mx_removing","rua","host","policy_host","sts_target","dns","dns_server","leave","keep_mx","paused","labels","like","marks","added_at","changed_at","revision"],
"properties":{
 "domain":{"type":"string"},"owner":{"type":"string","description":"The tenant; empty: the operator."},
 "aim":{"enum":["testing","enforce","off"]},"off":{"enum":["none","expiry"]},
 "max_age":{"type":["integer","null"],"description":"null: as the plan's ladder goes."},
 "mx":{"type":"array","items":{"type":"string"},"description":"Empty: as DNS has them."},
 "mx_adding":{"type":"array","items":{"type":"string"}},"mx_removing":{"type":"array","items":{"type":"string"}},
 "rua":{"type":"array","items":{"type":"string"}},
 "host":{"enum":["here","proxied","elsewhere","delegated"]},
 "policy_host":{"type":"string"},"sts_target":{"type":"string"},
 "dns":{"enum":["hand","update","hook"]},"dns_server":{"type":"string"},
 "leave":{"enum":["nothing","records","all"]},
 "keep_mx":{"type":"boolean"},"paused":{"type":"boolean"},
 "labels":{"type":"array","items":{"type":"string"}},"like":{"type":"string"},
 "marks":{"type":"object","additionalProperties":{"type":"object","required":["at","by","text"],"properties":{
  "at":{"type":"string","format":"date-time"},"by":{"type":"string"},"text":{"type":"string"}}}},
 "added_at":{"type":"string","format":"date-time"},"changed_at":{"type":"string","format":"date-time"},
 "revision":{"type":"integer","minimum":1}}})"},
    schema{"domain-view", R"({
"type":"object","additionalProperties":false,"required":["wish","row","look","looked_at"],
"properties":{
 "wish":{"$ref":"#/components/schemas/wish"},
 "row":{"$ref":"#/components/schemas/overview-row"},
 "look":{"description":"What the last full look saw, as `check --json` has it.",
  "anyOf":[{"$ref":"#/components/schemas/check"},{"type":"null"}]},
 "looked_at":{"type":["string","null"],"format":"date-time"}}})"},
    schema{"domain-request", R"({
"type":"object","additionalProperties":false,"required":["domain"],
"properties":{
 "domain":{"type":"string","minLength":1},
 "like":{"type":"string","description":"A domain whose wishes it takes over."},
 "aim":{"type":"string"},"off":{"type":"string"},"max_age":{"type":["integer","null"]},
 "mx":{"type":"array","items":{"type":"string"}},
 "mx_adding":{"type":"array","items":{"type":"string"}},"mx_removing":{"type":"array","items":{"type":"string"}},
 "rua":{"type":"array","items":{"type":"string"}},
 "host":{"type":"string"},"policy_host":{"type":"string"},"sts_target":{"type":"string"},
 "dns":{"type":"string"},"dns_server":{"type":"string"},"leave":{"type":"string"},
 "keep_mx":{"type":"boolean"},"paused":{"type":"boolean"},
 "labels":{"type":"array","items":{"type":"string"}},
 "owner":{"type":"string","description":"Only from operators without a tenant."},
 "why":{"type":"string","description":"Kept in the log of changes."}}})"},
    schema{"domain-change", R"({
"type":"object","additionalProperties":false,"required":["revision"],
"properties":{
 "revision":{"type":"integer","minimum":1},
 "aim":{"type":"string"},"off":{"type":"string"},"max_age":{"type":["integer","null"]},
 "mx":{"type":"array","items":{"type":"string"}},
 "mx_adding":{"type":"array","items":{"type":"string"}},"mx_removing":{"type":"array","items":{"type":"string"}},
 "rua":{"type":"array","items":{"type":"string"}},
 "host":{"type":"string"},"policy_host":{"type":"string"},"sts_target":{"type":"string"},
 "dns":{"type":"string"},"dns_server":{"type":"string"},"leave":{"type":"string"},
 "keep_mx":{"type":"boolean"},"paused":{"type":"boolean"},
 "labels":{"type":"array","items":{"type":"string"}},
 "owner":{"type":"string"},"why":{"type":"string"}}})"},
    schema{"plan-step", R"({
"type":"object","additionalProperties":false,
"required":["number","kind","state","by","title","why","how","not_before","until","earliest","records","policy","id","host","blocked","on_word","last_try"],
"properties":{
 "number":{"type":"integer","minimum":1},"kind":{"type":"string"},
 "state":{"enum":["done","now","waiting","later"]},"by":{"enum":["us","person"]},
 "title":{"type":"string"},"why":{"type":"string"},"how":{"type":"string"},
 "not_before":{"type":["string","null"],"format":"date-time"},"until":{"type":"string"},
 "earliest":{"type":["string","null"],"format":"date-time"},
 "records":{"type":"array","items":{"type":"object","required":["name","type","add","remove","ttl"],"properties":{
  "name":{"type":"string"},"type":{"type":"string"},
  "add":{"type":"array","items":{"type":"string"}},"remove":{"type":"array","items":{"type":"string"}},
  "ttl":{"type":"integer","minimum":0}}}},
 "policy":{"type":"string"},"id":{"type":"string"},"host":{"type":"string"},"blocked":{"type":"string"},
 "on_word":{"type":"boolean","description":"A person's to decide and ours to do."},
 "last_try":{"type":["object","null"],"required":["at","why"],"properties":{
  "at":{"type":"string","format":"date-time"},"why":{"type":"string"}}}}})"},
    schema{"plan", R"({
"type":"object","additionalProperties":false,"description":"As `plan --json` has it.",
"required":["domain","from","to","finished","next","come_back","warnings","steps"],
"properties":{
 "domain":{"type":"string"},"from":{"type":"string"},"to":{"type":"string"},
 "finished":{"type":"boolean"},"next":{"type":["integer","null"],"description":"Number of the step."},
 "come_back":{"type":["string","null"],"format":"date-time"},
 "warnings":{"type":"array","items":{"type":"string"}},
 "steps":{"type":"array","items":{"$ref":"#/components/schemas/plan-step"}}}})"},
    schema{"step-request", R"({
"type":"object","additionalProperties":false,"description":"One of do, said and force.",
"properties":{
 "do":{"type":"boolean"},
 "said":{"type":"string","description":"report-way (reports arrive) or checked-mx (mail servers that cannot be tested from here are in order)."},
 "force":{"type":"string","description":"The reason."},
 "why":{"type":"string"}}})"},
    schema{"step-done", R"({
"type":"object","additionalProperties":false,"required":["did","failed","plan"],
"properties":{
 "did":{"type":"string","description":"Empty: nothing could be done."},
 "failed":{"type":"string","description":"Why the step did not succeed."},
 "plan":{"$ref":"#/components/schemas/plan"}}})"},
    schema{"dns-form", R"({
"type":"object","additionalProperties":false,"required":["format","text","records","zone","needs","provider"],
"properties":{
 "format":{"enum":["table","bind","nsupdate","dnscontrol","octodns","terraform","cloudflare","route53"]},
 "text":{"type":"string","description":"The document of this format; empty where nothing is left to publish."},
 "zone":{"type":"string"},
 "needs":{"type":"array","items":{"type":"string"},"description":"Words in it that only a person can replace."},
 "records":{"type":"array","items":{"type":"object","required":["step","name","type","value","ttl","done","in_form","why"],"properties":{
  "step":{"type":"integer"},"name":{"type":"string"},"type":{"type":"string"},"value":{"type":"string"},
  "ttl":{"type":"integer"},"done":{"type":"boolean"},
  "in_form":{"type":"string","description":"The name as the provider's form wants it."},"why":{"type":"string"}}}},
 "provider":{"type":["object","null"],"required":["name","guessed","labels"],"properties":{
  "name":{"type":"string"},"guessed":{"type":"boolean","description":"By the names of its servers."},
  "labels":{"type":"object","required":["name","type","value","ttl"],"properties":{
   "name":{"type":"string"},"type":{"type":"string"},"value":{"type":"string"},"ttl":{"type":"string"}}}}}}})"},
    schema{"history", R"({
"type":"object","additionalProperties":false,"required":["served","changes","fetches","states"],
"properties":{
 "served":{"type":"array","items":{"type":"object","required":["mode","max_age","ids","first_served","last_served","binds_until","ours","body"],"properties":{
  "mode":{"type":"string"},"max_age":{"type":"integer"},"ids":{"type":"array","items":{"type":"string"}},
  "first_served":{"type":"string","format":"date-time"},"last_served":{"type":["string","null"],"format":"date-time"},
  "binds_until":{"type":"string","format":"date-time","description":"Senders may hold it until then."},
  "ours":{"type":"boolean"},"body":{"type":"string"}}}},
 "changes":{"type":"array","items":{"type":"object","required":["number","at","domain","who","what","from","to","why"],"properties":{
  "number":{"type":"integer"},"at":{"type":"string","format":"date-time"},"domain":{"type":"string"},
  "who":{"type":"string"},"what":{"type":"string"},"from":{"type":"string"},"to":{"type":"string"},"why":{"type":"string"}}}},
 "fetches":{"type":"array","description":"Who fetched which policy from here, in two weeks.","items":{"type":"object","required":["network","id","agent","first","last","count"],"properties":{
  "network":{"type":"string"},"id":{"type":"string"},"agent":{"type":"string"},
  "first":{"type":"string","format":"date-time"},"last":{"type":"string","format":"date-time"},"count":{"type":"integer"}}}},
 "states":{"type":"array","description":"What looks saw when something differed, newest first.","items":{"type":"object","required":["first","last","state","id","mx","problems"],"properties":{
  "first":{"type":"string","format":"date-time"},"last":{"type":"string","format":"date-time"},"state":{"$ref":"#/components/schemas/verdict"},
  "id":{"type":"string"},"mx":{"type":"array","items":{"type":"string"}},"problems":{"type":"array","items":{"type":"string"}}}}}}})"},
    schema{"readiness", R"({
"type":"object","additionalProperties":false,"required":["domain","ready","sentence","reasons"],
"properties":{
 "domain":{"type":"string"},"ready":{"type":["boolean","null"],"description":"null: not enough is known."},
 "sentence":{"type":"string"},
 "reasons":{"type":"array","items":{"type":"object","required":["code","met","known","text"],"properties":{
  "code":{"type":"string"},"met":{"type":"boolean"},"known":{"type":"boolean"},"text":{"type":"string"}}}}}})"},
};

} // namespace

std::span<const schema> domain_schemas() {
    return table;
}

} // namespace mailtight::api
