// SPDX-License-Identifier: Apache-2.0
// The HTTP API: one root, /api/v1, for all parts of the daemon. Every route is declared once, in a table from
// which both the routing (site.cpp) and the OpenAPI document (openapi.cpp) come. Handlers live on the loop;
// what they use outlives the site. A refusal is a problem document (RFC 9457).
#pragma once

#include "api/access.h"
#include "api/context.h"
#include "io/event_stream.h"
#include "wire/http_request.h"

#include <expected>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::api {

inline constexpr std::string_view root = "/api/v1";

/// A call whose route is known and whose query was understood.
struct call {
    std::string item;                         ///< what stands for `{...}` in the path
    std::map<std::string, std::string> query; ///< parameters of the route alone, each once
    std::string body;
    std::string who;                          ///< the person or program behind it, for what remembers it
    caller by;                                ///< what they may do and see
    const io::http_exchange* asked = nullptr; ///< as it came, without the body; as long as the call
};

struct query_parameter {
    std::string_view name;
    enum class type { text, number, yes } takes = type::text; ///< yes: `1` or `true`, else `0` or `false`
    std::string_view description;
};

/// The part of the daemon that a route belongs to: it answers where that part is on.
enum class part_of { everything, policies, results, outbox, domains, looks, received, system, access };

/// A route: a method at a path, with all that the OpenAPI document says of it.
struct route {
    std::string_view method;
    std::string_view path;      ///< below the root; at most one `{name}`, as a whole segment
    std::string_view operation; ///< operationId
    std::string_view summary;
    std::string_view description{};
    std::vector<query_parameter> query = {};
    std::string_view request{}; ///< schema of the body, "" : there is none
    std::string_view answer;    ///< schema of what a 200 holds
    std::string_view media = "application/json";
    std::vector<int> problems = {}; ///< further statuses, each with a problem document
    bool changes = false;           ///< answers only where who asks may change something
    bool tells = false;        ///< answers only where who asks may tell results: programs of this machine
    role needs = role::viewer; ///< at least
    bool tenants = false; ///< answers those too who see the domains of one owner alone; it filters by `by`
    bool open = false;    ///< answers those too who show no credential: a login
    std::size_t body_bytes = 0; ///< of a request; 0: as many as the site takes
    part_of part = part_of::everything;
    io::task<wire::http_reply> (*handle)(context&, call) = nullptr;
    /// Where set, and the client accepts text/event-stream: answers with events instead.
    io::task<> (*stream)(context&, call, io::event_stream&) = nullptr;
};

/// All routes, in the order of the document.
std::span<const route> routes();

/// The routes of one part.
std::vector<route> policy_routes();   ///< policy_routes.cpp
std::vector<route> override_routes(); ///< override_routes.cpp
std::vector<route> exchange_routes(); ///< exchange_routes.cpp
std::vector<route> result_routes();   ///< result_routes.cpp
std::vector<route> outbox_routes();   ///< outbox_routes.cpp
std::vector<route> domain_routes();   ///< domain_routes.cpp: overview, domains, plans, records, history
std::vector<route> look_routes();     ///< look_routes.cpp: a look now, stage by stage
std::vector<route> received_routes(); ///< received_routes.cpp: reports received, failures, mutes, files
std::vector<route> sending_routes();  ///< sending_routes.cpp: what deliveries came to
std::vector<route> system_routes();   ///< system_routes.cpp: status, doctor, certificates
std::vector<route> access_routes();   ///< access_routes.cpp: sessions, tokens, users, audit
std::vector<route> allowed_routes();  ///< allowed_routes.cpp: names that tenants may add

/// Finds the route, and what stands for its `{...}`. Where the path is one of ours and the method is not,
/// `allowed` names those that are.
struct found_route {
    const route* at = nullptr;
    std::string item;
    std::vector<std::string_view> allowed;
};
found_route find_route(std::string_view method, std::string_view path);

/// The query, understood by the route's parameters. The error is for the caller: unknown, twice, not a
/// number.
std::expected<std::map<std::string, std::string>, std::string> read_query(const route& of,
                                                                          std::string_view query);

/// The OpenAPI 3.1 document of routes() and schemas(), as JSON text.
std::string openapi(std::string_view version);

/// A named schema of the document (JSON Schema 2020-12), as JSON text.
struct schema {
    std::string_view name, text;
};
std::span<const schema> schemas();          ///< all of them
std::span<const schema> sending_schemas();  ///< schemas.cpp
std::span<const schema> domain_schemas();   ///< schemas_domains.cpp
std::span<const schema> look_schemas();     ///< schemas_look.cpp
std::span<const schema> received_schemas(); ///< schemas_received.cpp
std::span<const schema> system_schemas();   ///< schemas_system.cpp: the system, and sending
std::span<const schema> access_schemas();   ///< schemas_access.cpp

} // namespace mailtight::api
