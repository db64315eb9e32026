// SPDX-License-Identifier: Apache-2.0
// What the documents of reports received look like.
#include "api/route.h"

#include <array>

namespace mailtight::api {

namespace {

constexpr std::array table = {
    schema{"report-row", R"({
"type":"object","description":"A report received, as `report list --json` has it.",
"required":["number","start","end","reporter","organization_name","report_domain","success","failure","trust","state","why","report_id","way","received_at","warnings","times_seen"],
"properties":{
 "number":{"type":"integer"},
 "start":{"type":["string","null"],"format":"date-time"},"end":{"type":["string","null"],"format":"date-time"},
 "reporter":{"type":"string"},"organization_name":{"type":"string"},
 "report_domain":{"type":"string","description":"Empty where the report names none."},
 "success":{"type":"integer","minimum":0},"failure":{"type":"integer","minimum":0},
 "trust":{"enum":["verified","authorised","unverified","rejected"]},
 "state":{"enum":["counted","quarantined","superseded","test"]},
 "why":{"type":"string"},"report_id":{"type":"string"},"way":{"type":"string"},
 "received_at":{"type":["string","null"],"format":"date-time"},
 "warnings":{"type":"integer","minimum":0},"times_seen":{"type":"integer","minimum":1},
 "part":{"type":"boolean","description":"The report tells of domains of others too; counted here are those of the tenant who asks."}}})"},
    schema{"report-list", R"({
"type":"object","required":["reports","next"],
"properties":{
 "reports":{"type":"array","items":{"$ref":"#/components/schemas/report-row"}},
 "next":{"type":["integer","null"],"description":"For `offset`; null on the last page."}}})"},
    schema{"diagnosis", R"({
"type":"object","required":["rule","title","cause","fix","check","who","policy_age","confidence","finding","ours","still_so","now"],
"properties":{
 "rule":{"type":"string"},"title":{"type":"string"},"cause":{"type":"string"},"fix":{"type":"string"},
 "check":{"type":"string"},"who":{"type":"string"},"policy_age":{"type":"string"},
 "confidence":{"enum":["certain","likely","possible"]},
 "finding":{"type":["string","null"]},"ours":{"type":"boolean"},
 "still_so":{"type":["boolean","null"],"description":"Null where nobody looked."},"now":{"type":"string"}}})"},
    schema{"failed-fate", R"({
"type":"object","required":["held_back","delivered","unknown"],
"properties":{"held_back":{"type":"integer","minimum":0},"delivered":{"type":"integer","minimum":0},"unknown":{"type":"integer","minimum":0}}})"},
    schema{"headline", R"({
"type":"object","required":["success","failure"],
"properties":{"success":{"type":"integer","minimum":0},"failure":{"type":"integer","minimum":0}}})"},
    schema{"report-policy", R"({
"type":"object","required":["type","domain","inferred","strings","mx_patterns","success","failure","failed","details","remarks"],
"properties":{
 "type":{"type":"string"},"domain":{"type":"string"},
 "inferred":{"type":"array","items":{"type":"string"}},"strings":{"type":"array","items":{"type":"string"}},
 "mx_patterns":{"type":"array","items":{"type":"string"}},
 "success":{"type":"integer","minimum":0},"failure":{"type":"integer","minimum":0},
 "failed":{"$ref":"#/components/schemas/failed-fate"},
 "details":{"type":"array","items":{"type":"object",
  "required":["result_type","count","sending_mta_ip","receiving_mx","receiving_mx_helo","receiving_ip","additional_information","reason_code","diagnosis"],
  "properties":{
   "result_type":{"type":"string"},"count":{"type":"integer","minimum":0},"sending_mta_ip":{"type":"string"},
   "receiving_mx":{"type":"string"},"receiving_mx_helo":{"type":"string"},"receiving_ip":{"type":"string"},
   "additional_information":{"type":"string"},"reason_code":{"type":"string"},
   "diagnosis":{"$ref":"#/components/schemas/diagnosis"}}}},
 "remarks":{"type":"array","items":{"$ref":"#/components/schemas/diagnosis"}}}})"},
    schema{"report", R"({
"type":"object","description":"A report read, as `report read --json` has it.",
"required":["source","format","organization_name","contact_info","report_id","start","end","submitter","report_domain","dkim","trust","trust_reason","truncated","left_out","test","warnings","headline","sentence","policies"],
"properties":{
 "source":{"type":"string"},"format":{"type":"string"},"organization_name":{"type":"string"},
 "contact_info":{"type":"string"},"report_id":{"type":"string"},
 "start":{"type":["string","null"],"format":"date-time"},"end":{"type":["string","null"],"format":"date-time"},
 "inferred":{"type":"array","items":{"type":"string"}},
 "submitter":{"type":"string"},"report_domain":{"type":["string","null"]},
 "dkim":{"type":["object","null"],"required":["result","domain","selector","reason"],"properties":{
  "result":{"type":"string"},"domain":{"type":"string"},"selector":{"type":"string"},"reason":{"type":"string"}}},
 "trust":{"enum":["verified","authorised","unverified","rejected"]},"trust_reason":{"type":"string"},
 "truncated":{"type":"boolean"},
 "left_out":{"type":"integer","minimum":0,"description":"Details and policies that are counted and not shown."},
 "test":{"type":"boolean"},
 "warnings":{"type":"array","items":{"type":"object","required":["code","where","message"],"properties":{
  "code":{"type":"string"},"where":{"type":"string"},"message":{"type":"string"},"detail":{"type":"string"}}}},
 "headline":{"$ref":"#/components/schemas/headline"},
 "sentence":{"type":"string"},
 "policies":{"type":"array","items":{"$ref":"#/components/schemas/report-policy"}}}})"},
    schema{"stored-report", R"({
"$ref":"#/components/schemas/report",
"description":"A report of the store, as `report show --json` has it.",
"required":["number","state","why","received_at","way","times_seen","raw","versions"],
"properties":{
 "number":{"type":"integer"},"state":{"enum":["counted","quarantined","superseded","test"]},"why":{"type":"string"},
 "received_at":{"type":"string","format":"date-time"},"way":{"type":"string"},
 "times_seen":{"type":"integer","minimum":1},
 "raw":{"type":"boolean","description":"The JSON text is still kept."},
 "part":{"type":"boolean","description":"The report tells of domains of others too, which are not shown to the tenant who asks."},
 "versions":{"type":"array","items":{"type":"integer"},"description":"Other reports under the same id."}}})"},
    schema{"raw-report", R"({"description":"Whatever the reporter wrote."})"},
    schema{"report-file", R"({
"type":"string","description":"The bytes of a file: JSON, gzip, zip, a mail or an mbox."})"},
    schema{"file-error", R"({
"type":"object","required":["source","error"],
"properties":{"source":{"type":"string"},"error":{"type":"object","required":["code","message"],"properties":{
 "code":{"type":"string"},"message":{"type":"string"}}}}})"},
    schema{"read-answer", R"({
"type":"object","required":["reports","errors","left_out"],
"properties":{
 "reports":{"type":"array","items":{"$ref":"#/components/schemas/report"}},
 "errors":{"type":"array","items":{"$ref":"#/components/schemas/file-error"}},
 "left_out":{"type":"integer","minimum":0,"description":"Reports of the file that are not shown."}}})"},
    schema{"reports-imported", R"({
"type":"object","required":["added","duplicates","corrections","quarantined","reports","errors"],
"properties":{
 "added":{"type":"integer","minimum":0},"duplicates":{"type":"integer","minimum":0},
 "corrections":{"type":"integer","minimum":0},"quarantined":{"type":"integer","minimum":0},
 "reports":{"type":"array","items":{"type":"object","required":["fate","number","why"],"properties":{
  "fate":{"enum":["added","duplicate","correction","outvoted","quarantined","test"]},
  "number":{"type":"integer"},"why":{"type":"string"}}}},
 "errors":{"type":"array","items":{"$ref":"#/components/schemas/file-error"}}}})"},
    schema{"report-summary", R"({
"type":"object",
"description":"Days and reporters are sums over all domains in question; their `domain` is empty where these are several.",
"required":["headline","days","by_reporter","reporters","domains","results","reporter_mx","not_counted","trends","from","to","marks","newest","silence"],
"properties":{
 "headline":{"$ref":"#/components/schemas/headline"},
 "days":{"type":"array","items":{"type":"object",
  "required":["domain","day","success","failure","share","reporters","reports","sts_success","sts_failure","tlsa_success","tlsa_failure","none_success","none_failure"],
  "properties":{
   "domain":{"type":"string"},"day":{"type":"string","format":"date"},
   "success":{"type":"integer","minimum":0},"failure":{"type":"integer","minimum":0},"share":{"type":["number","null"]},
   "reporters":{"type":"integer","minimum":0},"reports":{"type":"integer","minimum":0},
   "sts_success":{"type":"integer","minimum":0},"sts_failure":{"type":"integer","minimum":0},
   "tlsa_success":{"type":"integer","minimum":0},"tlsa_failure":{"type":"integer","minimum":0},
   "none_success":{"type":"integer","minimum":0},"none_failure":{"type":"integer","minimum":0}}}},
 "by_reporter":{"type":"array","description":"Of the reporters with the most sessions; an empty name stands for all others.",
  "items":{"type":"object","required":["reporter","day","success","failure"],"properties":{
   "reporter":{"type":"string"},"day":{"type":"string","format":"date"},
   "success":{"type":"integer","minimum":0},"failure":{"type":"integer","minimum":0}}}},
 "reporters":{"type":"array","items":{"type":"object",
  "required":["domain","reporter","organization_name","success","failure","share","reports","first","last","verified","usual_interval","last_received"],
  "properties":{
   "domain":{"type":"string"},"reporter":{"type":"string"},"organization_name":{"type":"string"},
   "success":{"type":"integer","minimum":0},"failure":{"type":"integer","minimum":0},"share":{"type":["number","null"]},
   "reports":{"type":"integer","minimum":0},
   "first":{"type":"string","format":"date"},"last":{"type":"string","format":"date"},"verified":{"type":"boolean"},
   "usual_interval":{"type":["integer","null"],"description":"Seconds."},
   "last_received":{"type":["string","null"],"format":"date-time"}}}},
 "domains":{"type":"array","description":"Those with the most failures.","items":{"type":"object",
  "required":["domain","success","failure"],"properties":{
   "domain":{"type":"string"},"success":{"type":"integer","minimum":0},"failure":{"type":"integer","minimum":0}}}},
 "results":{"type":"array","items":{"type":"object","required":["result_type","count","reporters","first","last"],"properties":{
  "result_type":{"type":"string"},"count":{"type":"integer","minimum":0},"reporters":{"type":"integer","minimum":0},
  "first":{"type":"string","format":"date"},"last":{"type":"string","format":"date"}}}},
 "reporter_mx":{"type":"array","items":{"type":"object","required":["reporter","mx","failure","first","last"],"properties":{
  "reporter":{"type":"string"},"mx":{"type":"string"},"failure":{"type":"integer","minimum":0},
  "first":{"type":"string","format":"date"},"last":{"type":"string","format":"date"}}}},
 "not_counted":{"type":"array","items":{"type":"object","required":["why","domain","reporter","trust","reports","success","failure","last"],"properties":{
  "why":{"type":"string"},"domain":{"type":"string"},"reporter":{"type":"string"},"trust":{"type":"string"},
  "reports":{"type":"integer","minimum":0},"success":{"type":"integer","minimum":0},"failure":{"type":"integer","minimum":0},
  "last":{"type":["string","null"],"format":"date-time"}}}},
 "trends":{"type":"array","description":"Of one domain.","items":{"type":"object"}},
 "from":{"type":"string","format":"date"},"to":{"type":"string","format":"date"},
 "marks":{"type":"array","items":{"type":"object","required":["at","domain","kind","words"],"properties":{
  "at":{"type":"string","format":"date-time"},"domain":{"type":"string"},
  "kind":{"enum":["policy","mode","mx","record"]},"words":{"type":"string"}}}},
 "newest":{"type":["string","null"],"format":"date","description":"The newest day that a counted report tells of."},
 "silence":{"type":"array","description":"Why nothing comes.","items":{"type":"object","required":["domain","causes"],"properties":{
  "domain":{"type":"string"},
  "causes":{"type":"array","items":{"type":"object","required":["code","certain","text","fix"],"properties":{
   "code":{"type":"string"},"certain":{"type":"boolean"},"text":{"type":"string"},"fix":{"type":"string"}}}}}}}}})"},
    schema{"failure-list", R"({
"type":"object","required":["groups","left_out"],
"properties":{
 "groups":{"type":"array","items":{"type":"object",
  "required":["domain","result_type","reason_code","mx","policy_type","count","failed","reporters","reporters_fine","first","last","sending_ips","receiving_ips","last_report","diagnosis","muted","looked_at"],
  "properties":{
   "domain":{"type":"string"},"result_type":{"type":"string"},"reason_code":{"type":"string"},"mx":{"type":"string"},
   "policy_type":{"type":"string"},"count":{"type":"integer","minimum":0},
   "failed":{"$ref":"#/components/schemas/failed-fate"},
   "reporters":{"type":"array","items":{"type":"string"}},"reporters_fine":{"type":"integer","minimum":0},
   "first":{"type":"string","format":"date"},"last":{"type":"string","format":"date"},
   "sending_ips":{"type":"array","items":{"type":"string"}},"receiving_ips":{"type":"array","items":{"type":"string"}},
   "last_report":{"type":"integer","description":"0: it is no longer kept."},
   "diagnosis":{"$ref":"#/components/schemas/diagnosis"},
   "muted":{"anyOf":[{"$ref":"#/components/schemas/mute"},{"type":"null"}]},
   "looked_at":{"type":["string","null"],"format":"date-time","description":"The look that `still_so` follows from."}}}},
 "left_out":{"type":"integer","minimum":0,"description":"Kinds with fewer sessions that are not shown."}}})"},
    schema{"mute", R"({
"type":"object","required":["name","key","domain","result_type","mx","until","why","by"],
"properties":{
 "name":{"type":"string"},"key":{"type":"string","description":"Of the alarm, or what several begin with."},
 "domain":{"type":"string"},"result_type":{"type":"string","description":"Empty: every one."},
 "mx":{"type":"string","description":"Empty: every one."},
 "until":{"type":["string","null"],"format":"date-time"},"why":{"type":"string"},"by":{"type":"string"}}})"},
    schema{"mute-list", R"({
"type":"object","required":["mutes"],
"properties":{"mutes":{"type":"array","items":{"$ref":"#/components/schemas/mute"}}}})"},
    schema{"mute-request", R"({
"type":"object","additionalProperties":false,
"properties":{
 "domain":{"type":"string"},
 "result_type":{"type":"string","description":"Left out: every failure of the domain."},
 "mx":{"type":["string","null"],"description":"Left out: at every host. Empty: where reporters name none."},
 "key":{"type":"string","description":"Of an alarm, instead of a domain."},
 "until":{"type":["string","null"],"description":"A day, which is included, or a time."},
 "why":{"type":"string"}}})"},
    schema{"report-test-request", R"({
"type":"object","required":["domain"],"additionalProperties":false,"properties":{"domain":{"type":"string"}}})"},
    schema{"report-test", R"({
"type":"object","required":["token","domain","finished","trouble","sent","arrived"],
"properties":{
 "token":{"type":"string"},"domain":{"type":"string"},
 "finished":{"type":"boolean","description":"Every address was tried."},
 "trouble":{"type":"string","description":"Why nothing could be sent."},
 "sent":{"type":"array","items":{"type":"object","required":["to","ok","server","stage","words","arrived"],"properties":{
  "to":{"type":"string"},"ok":{"type":"boolean"},"server":{"type":"string"},
  "stage":{"type":"string","description":"Where it was lost."},"words":{"type":"string"},
  "arrived":{"type":["integer","null"],"description":"As the report of this number."}}}},
 "arrived":{"type":["integer","null"]}}})"},
};

} // namespace

std::span<const schema> received_schemas() {
    return table;
}

} // namespace mailtight::api
