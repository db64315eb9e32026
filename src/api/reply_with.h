// SPDX-License-Identifier: Apache-2.0
// What handlers answer with.
#pragma once

#include "store/store.h"
#include "wire/http_request.h"

#include <boost/json.hpp>

#include <string_view>

namespace mailtight::api {

inline wire::http_reply json_reply(const boost::json::value& value, int status = 200) {
    wire::http_reply reply;
    reply.status = status;
    reply.media_type = "application/json";
    reply.body = boost::json::serialize(value) + "\n";
    return reply;
}

/// Understood, and it cannot be done so.
inline wire::http_reply unprocessable(std::string_view why) {
    return wire::problem(422, "Unprocessable Content", why);
}

/// What is said where the database gives no answer; what stands in memory is unaffected.
inline wire::http_reply store_problem(const store::store_error& error) {
    auto reply = wire::problem(503, "Service Unavailable", "the database: " + error.message);
    if (error.again())
        reply.fields.emplace_back("Retry-After", "10");
    return reply;
}

/// What a removal came to: gone, nothing of the kind there (`missing` says so), or no answer of the database.
inline wire::http_reply removal_reply(const store::result<bool>& removed, std::string_view missing) {
    if (!removed)
        return store_problem(removed.error());
    if (!*removed)
        return wire::problem(404, "Not Found", missing);
    return json_reply(boost::json::object{{"removed", 1}});
}

} // namespace mailtight::api
