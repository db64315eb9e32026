// SPDX-License-Identifier: Apache-2.0
// Plays an authority to the order's state machine, one answer after the other.
#pragma once

#include "publish/acme_order.h"

#include <string>
#include <string_view>
#include <vector>

namespace mailtight::tests {

inline const base::utc_seconds order_time{std::chrono::seconds{1'790'000'000}};

inline std::string order_json(std::string_view status, std::string_view more = "") {
    return R"({"status":")" + std::string(status) +
           R"(","identifiers":[{"type":"dns","value":"mta-sts.example.com"}],"expires":"2099-01-01T00:00:00Z",)"
           R"("authorizations":["https://ca.example/authz/1"],"finalize":"https://ca.example/fin/1")" +
           std::string(more) + "}";
}
inline std::string challenge_json(std::string_view type, std::string_view status,
                                  std::string_view more = "") {
    return R"({"type":")" + std::string(type) + R"(","url":"https://ca.example/chall/)" + std::string(type) +
           R"(","token":"token-)" + std::string(type) + R"(","status":")" + std::string(status) + "\"" +
           std::string(more) + "}";
}
inline std::string error_json(std::string_view type, std::string_view detail = "a reason") {
    return R"(,"error":{"type":"urn:ietf:params:acme:error:)" + std::string(type) + R"(","detail":")" +
           std::string(detail) + "\"}";
}
inline std::string authorization_json(std::string_view status, const std::vector<std::string>& challenges) {
    std::string out = R"({"status":")" + std::string(status) +
                      R"(","identifier":{"type":"dns","value":"mta-sts.example.com"},"challenges":[)";
    for (const auto& one : challenges)
        out += (out.ends_with('[') ? "" : ",") + one;
    return out + "]}";
}
inline std::vector<std::string> all_pending() {
    return {challenge_json("http-01", "pending"), challenge_json("dns-01", "pending"),
            challenge_json("tls-alpn-01", "pending")};
}
inline publish::order_reply answer(int status, std::string body, std::string location = "",
                                   std::string retry_after = "") {
    return {.status = status,
            .location = std::move(location),
            .retry_after = std::move(retry_after),
            .body = std::move(body)};
}
inline publish::order_reply problem(int status, std::string_view type, std::string_view detail = "a reason",
                                    std::string retry_after = "") {
    return answer(status,
                  R"({"type":"urn:ietf:params:acme:error:)" + std::string(type) + R"(","detail":")" +
                      std::string(detail) + "\"}",
                  "", std::move(retry_after));
}

class order_script {
public:
    using kind = publish::order_step::kind;
    explicit order_script(publish::order_memory memory = {.directory = "https://ca.example/dir"},
                          std::vector<publish::challenge_kind> kinds = {publish::challenge_kind::tls_alpn_01,
                                                                        publish::challenge_kind::http_01},
                          std::string replaces = "")
        : order({.host = "mta-sts.example.com", .replaces = std::move(replaces), .kinds = std::move(kinds)},
                std::move(memory)) {}

    /// What is wanted now, waits passed over.
    const publish::order_step& next() {
        while (order.next().what == kind::wait) {
            waits.push_back(order.next().pause);
            order.waited();
        }
        return order.next();
    }
    order_script& reply(const publish::order_reply& with) {
        next();
        order.replied(with, order_time);
        return *this;
    }
    order_script& created() {
        return reply(answer(201, order_json("pending"), "https://ca.example/order/1"));
    }
    order_script& offered() { return reply(answer(200, authorization_json("pending", all_pending()))); }
    order_script& put(const std::string& trouble = "") {
        next();
        order.put(trouble);
        return *this;
    }
    order_script& told() { return reply(answer(200, challenge_json("x", "processing"))); }
    order_script& taken() {
        next();
        order.taken();
        return *this;
    }
    /// Up to the moment when the authority was told to look.
    order_script& asked() { return created().offered().put().told(); }

    publish::acme_order order;
    std::vector<std::chrono::milliseconds> waits;
};

} // namespace mailtight::tests
