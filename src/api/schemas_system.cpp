// SPDX-License-Identifier: Apache-2.0
// What the documents of the system and of sending look like.
#include "api/route.h"

#include <array>

namespace mailtight::api {

namespace {

constexpr std::array table = {
    schema{"status", R"({
"type":"object","description":"Parts that are switched off are null.",
"required":["version","pid","since","domains","parts","store","reports","alarms","certificates","sending","collect","deliver","publish","carry"],
"properties":{
 "version":{"type":"string"},"pid":{"type":"integer"},"since":{"type":"string","format":"date-time"},
 "domains":{"type":"integer","minimum":0},
 "parts":{"type":"array","items":{"type":"object",
  "required":["name","where","running","failing","accepted","refused","open","last_success","last_error","last_error_at"],
  "properties":{
   "name":{"type":"string"},"where":{"type":"string"},"running":{"type":"boolean"},"failing":{"type":"boolean"},
   "accepted":{"type":"integer","minimum":0},"refused":{"type":"integer","minimum":0},"open":{"type":"integer","minimum":0},
   "last_success":{"type":["string","null"]},"last_error":{"type":"string"},"last_error_at":{"type":["string","null"]}}}},
 "store":{"type":"object","required":["where","writable","queued_bytes","commits","last_error"],"properties":{
  "where":{"type":"string"},"writable":{"type":"boolean"},"queued_bytes":{"type":"integer","minimum":0},
  "commits":{"type":"integer","minimum":0},"last_error":{"type":"string"},
  "reports":{"type":"integer","minimum":0},"bytes":{"type":"integer","minimum":0},"schema":{"type":"integer"}}},
 "reports":{"type":"object","required":["inputs","added","duplicates","corrections","kept_apart","tests","refused","later","last"],"properties":{
  "last":{"type":["string","null"]}}},
 "alarms":{"type":"array","items":{"type":"object","required":["key","title","since"],"properties":{
  "key":{"type":"string"},"title":{"type":"string"},"since":{"type":"string","format":"date-time"}}}},
 "certificates":{"type":"array","items":{"type":"object","required":["file","names","not_after"],"properties":{
  "file":{"type":"string"},"names":{"type":"array","items":{"type":"string"}},"not_after":{"type":"string","format":"date-time"}}}},
 "sending":{"type":["object","null"]},"collect":{"type":["object","null"]},"deliver":{"type":["object","null"]},
 "publish":{"type":["object","null"]},"carry":{"type":["object","null"]}}})"},
    schema{"doctor", R"({
"type":"object","required":["looked_at","looking","checks"],
"properties":{
 "looked_at":{"type":["string","null"],"format":"date-time"},
 "looking":{"type":"boolean","description":"A look is under way: ask again in some seconds."},
 "checks":{"type":"array","items":{"type":"object","required":["check","state","seen","fix","lines"],"properties":{
  "check":{"type":"string"},"state":{"enum":["ok","problem","unknown"]},"seen":{"type":"string"},"fix":{"type":"string"},
  "lines":{"type":"string","description":"Configuration to copy."}}}}}})"},
    schema{"certificate-list", R"({
"type":"object","required":["certificates"],
"properties":{"certificates":{"type":"array","items":{"type":"object",
 "required":["name","domain","not_before","not_after","renew_at","in_use","issuer","file","trouble"],
 "properties":{
  "name":{"type":"string"},"domain":{"type":"string"},
  "not_before":{"type":["string","null"],"format":"date-time"},"not_after":{"type":["string","null"],"format":"date-time"},
  "renew_at":{"type":["string","null"],"format":"date-time"},
  "in_use":{"type":"boolean","description":"Seen over the public path; of the pages and of a folder: the one that is served."},
  "issuer":{"type":"string","description":"The URL of the authority's directory."},
  "file":{"type":["string","null"],"description":"Where it lies in certificates.folder; null: in the database."},
  "trouble":{"type":["string","null"]}}}}}})"},
    schema{"sending", R"({
"type":"object","required":["destinations","decisions","answers","said","days","failures","outbox","parts"],
"properties":{
 "destinations":{"type":"integer","minimum":0},
 "decisions":{"type":"object","description":"Of the destinations remembered; without: no policy.",
  "required":["enforce","testing","none","without"],"properties":{
  "enforce":{"type":"integer","minimum":0},"testing":{"type":"integer","minimum":0},"none":{"type":"integer","minimum":0},
  "without":{"type":"integer","minimum":0}}},
 "answers":{"type":"integer","minimum":0},
 "said":{"type":"object","description":"Answers by decision.","additionalProperties":{"type":"integer","minimum":0}},
 "days":{"type":"array","items":{"type":"object","required":["day","success","failure"],"properties":{
  "day":{"type":"string","format":"date"},"success":{"type":"integer","minimum":0},"failure":{"type":"integer","minimum":0}}}},
 "failures":{"type":"array","items":{"type":"object","required":["domain","result_type","mx","reason","count","day"],"properties":{
  "domain":{"type":"string"},"result_type":{"type":"string"},"mx":{"type":"string"},"reason":{"type":"string"},
  "count":{"type":"integer","minimum":0},"day":{"type":"string","format":"date"}}}},
 "outbox":{"type":"object","required":["waiting","sent","refused","given_up"],"properties":{
  "waiting":{"type":"integer","minimum":0},"sent":{"type":"integer","minimum":0},"refused":{"type":"integer","minimum":0},
  "given_up":{"type":"integer","minimum":0}}},
 "parts":{"type":"object","description":"What is switched on.","required":["policies","results","reports"],"properties":{
  "policies":{"type":"boolean"},"results":{"type":"boolean"},"reports":{"type":"boolean"}}}}})"},
};

} // namespace

std::span<const schema> system_schemas() {
    return table;
}

} // namespace mailtight::api
