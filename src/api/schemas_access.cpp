// SPDX-License-Identifier: Apache-2.0
// What the documents about access look like. The tests hold every answer against them.
#include "api/route.h"

#include <array>

namespace mailtight::api {

namespace {

constexpr std::array table = {
    schema{"role", R"({"enum":["viewer","operator","administrator"]})"},
    schema{"session", R"({
"type":"object",
"description":"Who asks, and which parts are on; now is the clock of days and waits.",
"required":["name","role","tenant","csrf","expires_at","version","now","parts"],
"additionalProperties":false,
"properties":{
 "name":{"type":"string"},
 "role":{"$ref":"#/components/schemas/role"},
 "tenant":{"type":["string","null"],"description":"Sees the domains of this owner alone; null: all."},
 "csrf":{"type":"string","description":"Goes back in the field X-CSRF-Token; empty for a token."},
 "expires_at":{"type":["string","null"],"format":"date-time"},
 "version":{"type":"string"},
 "now":{"type":"string","format":"date-time"},
 "parts":{"type":"object","required":["domains","publish","reports","sending","collect","deliver","policy_host"],"properties":{
  "domains":{"type":"boolean"},"publish":{"type":"boolean"},"reports":{"type":"boolean"},"sending":{"type":"boolean"},
  "collect":{"type":"boolean"},"deliver":{"type":"boolean"},
  "policy_host":{"type":"boolean","description":"One is configured: it serves new domains, unless they say otherwise."}}}}})"},
    schema{"credentials", R"({
"type":"object","additionalProperties":false,
"description":"user and password, or a token, or the secret of a link.",
"oneOf":[{"required":["user","password"]},{"required":["token"]},{"required":["link"]}],
"properties":{"user":{"type":"string"},"password":{"type":"string"},"token":{"type":"string"},"link":{"type":"string"}}})"},
    schema{"token", R"({
"type":"object","required":["name","role","tenant","made_at","used_at","expires_at"],
"additionalProperties":false,
"properties":{
 "name":{"type":"string"},
 "role":{"$ref":"#/components/schemas/role"},
 "tenant":{"type":["string","null"]},
 "made_at":{"type":"string","format":"date-time"},
 "used_at":{"type":["string","null"],"format":"date-time"},
 "expires_at":{"type":["string","null"],"format":"date-time"},
 "token":{"type":"string","description":"Once, in the answer that made it."}}})"},
    schema{"token-list", R"({
"type":"object","required":["tokens"],
"properties":{"tokens":{"type":"array","items":{"$ref":"#/components/schemas/token"}}}})"},
    schema{"token-request", R"({
"type":"object","additionalProperties":false,"required":["name","role"],
"properties":{
 "name":{"type":"string"},
 "role":{"$ref":"#/components/schemas/role"},
 "tenant":{"type":["string","null"]},
 "expires_at":{"type":["string","null"],"format":"date-time"}}})"},
    schema{"user", R"({
"type":"object","required":["name","role","tenant","made_at","last_login"],
"additionalProperties":false,
"properties":{
 "name":{"type":"string"},
 "role":{"$ref":"#/components/schemas/role"},
 "tenant":{"type":["string","null"]},
 "made_at":{"type":"string","format":"date-time"},
 "last_login":{"type":["string","null"],"format":"date-time"}}})"},
    schema{"user-list", R"({
"type":"object","required":["users"],
"properties":{"users":{"type":"array","items":{"$ref":"#/components/schemas/user"}}}})"},
    schema{"user-request", R"({
"type":"object","additionalProperties":false,"required":["role"],
"properties":{
 "role":{"$ref":"#/components/schemas/role"},
 "tenant":{"type":["string","null"]},
 "password":{"type":["string","null"],"description":"At least 12 characters; null: the old one stays."}}})"},
    schema{"login-link", R"({
"type":"object","required":["path","expires_at"],"additionalProperties":false,
"properties":{
 "path":{"type":"string","description":"/login# and the secret: once, here."},
 "expires_at":{"type":"string","format":"date-time"}}})"},
    schema{"allowed-name-list", R"({
"type":"object","required":["names","next"],
"properties":{
 "names":{"type":"array","items":{"type":"object","required":["owner","name","at"],"additionalProperties":false,
  "properties":{"owner":{"type":"string"},"name":{"type":"string"},"at":{"type":"string","format":"date-time"}}}},
 "next":{"type":["object","null"],"description":"What the next page is asked with; null on the last.",
  "required":["after_owner","after_name"],
  "properties":{"after_owner":{"type":"string"},"after_name":{"type":"string"}}}}})"},
    schema{"allowed-names-request", R"({
"type":"object","additionalProperties":false,"required":["owner","names"],
"properties":{
 "owner":{"type":"string","minLength":1,"maxLength":253},
 "names":{"type":"array","minItems":1,"maxItems":1000,"items":{"type":"string"},
  "description":"example.com, or *.example.com for every name below it."}}})"},
    schema{"allowed-names", R"({
"type":"object","required":["owner","names","added"],"additionalProperties":false,
"properties":{
 "owner":{"type":"string"},
 "names":{"type":"array","items":{"type":"string"},"description":"As they are kept."},
 "added":{"type":"integer","description":"How many of them are new."}}})"},
    schema{"audit-list", R"({
"type":"object","required":["entries","next"],
"properties":{
 "entries":{"type":"array","items":{"type":"object","required":["number","at","who","from","what","subject","status"],
  "properties":{
   "number":{"type":"integer"},"at":{"type":"string","format":"date-time"},"who":{"type":"string"},
   "from":{"type":"string"},"what":{"type":"string"},"subject":{"type":"string"},"status":{"type":"integer"}}}},
 "next":{"type":["integer","null"],"description":"For `before`; null on the last page."}}})"},
};

} // namespace

std::span<const schema> access_schemas() {
    return table;
}

} // namespace mailtight::api
