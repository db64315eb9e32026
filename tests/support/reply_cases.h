// SPDX-License-Identifier: Apache-2.0
// Decisions to render.
#pragma once

#include "resolve/reply.h"

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace mailtight::resolve {

inline constexpr base::utc_seconds noon{std::chrono::seconds{1'790'000'000}};

inline sts::held_policy held(sts::mode mode, std::vector<std::string> mx, std::string body = "") {
    sts::held_policy made;
    made.value.mode = mode;
    made.value.max_age = 604'800;
    made.value.mx = std::move(mx);
    made.id = "20260101";
    made.fetched_at = noon - std::chrono::hours{1};
    if (body.empty())
        body = sts::format_policy(made.value).value_or("");
    made.body = std::move(body);
    return made;
}

inline tls_decision decided(decision what) {
    tls_decision made;
    made.what = what;
    made.hop = {mail::next_hop::kind::domain, "shop.example", 25};
    made.good_until = noon + std::chrono::minutes{5};
    return made;
}

inline tls_decision enforcing(std::vector<std::string> patterns, std::vector<std::string> hosts = {}) {
    tls_decision made = decided(decision::enforce);
    made.policy = held(sts::mode::enforce, std::move(patterns));
    made.expires_at = noon + std::chrono::hours{100};
    made.mx_known = !hosts.empty();
    for (auto& host : hosts)
        made.mx.push_back({std::move(host), "", host_class::none});
    return made;
}

inline tls_decision with_dane(bool every_host) {
    tls_decision made = decided(decision::dane);
    made.source = decision_source::dane;
    made.dane_only = every_host;
    made.mx_known = true;
    made.mx = {{"mx1.shop.example", "", host_class::usable}};
    return made;
}

} // namespace mailtight::resolve
