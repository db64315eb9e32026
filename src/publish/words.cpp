// SPDX-License-Identifier: Apache-2.0
#include "publish/export.h"
#include "publish/issuer.h"
#include "publish/watch.h"

#include <array>

namespace mailtight::publish {

std::string_view to_string(challenge_kind value) {
    switch (value) {
    case challenge_kind::tls_alpn_01:
        return "tls-alpn-01";
    case challenge_kind::http_01:
        return "http-01";
    case challenge_kind::dns_01:
        return "dns-01";
    }
    return "";
}
std::optional<challenge_kind> parse_challenge_kind(std::string_view word) {
    for (const auto one :
         std::array{challenge_kind::tls_alpn_01, challenge_kind::http_01, challenge_kind::dns_01})
        if (to_string(one) == word)
            return one;
    return std::nullopt;
}

std::string_view to_string(export_form value) {
    switch (value) {
    case export_form::directory:
        return "directory";
    case export_form::nginx:
        return "nginx";
    case export_form::caddy:
        return "caddy";
    case export_form::apache:
        return "apache";
    case export_form::worker:
        return "worker";
    }
    return "";
}
std::optional<export_form> parse_export_form(std::string_view word) {
    for (const auto one : std::array{export_form::directory, export_form::nginx, export_form::caddy,
                                     export_form::apache, export_form::worker})
        if (to_string(one) == word)
            return one;
    return std::nullopt;
}

std::string_view to_string(change_kind value) {
    switch (value) {
    case change_kind::mx_without_policy:
        return "mx-without-policy";
    case change_kind::id_without_policy:
        return "id-without-policy";
    case change_kind::policy_without_id:
        return "policy-without-id";
    case change_kind::foreign_policy:
        return "foreign-policy";
    case change_kind::policy_gone:
        return "policy-gone";
    case change_kind::record_gone:
        return "record-gone";
    case change_kind::certificate_expiring:
        return "certificate-expiring";
    case change_kind::certificate_not_loaded:
        return "certificate-not-loaded";
    case change_kind::addresses_disagree:
        return "addresses-disagree";
    case change_kind::servers_disagree:
        return "servers-disagree";
    case change_kind::new_finding:
        return "new-finding";
    case change_kind::verdict_worse:
        return "verdict-worse";
    case change_kind::sub_domain_unprotected:
        return "sub-domain-unprotected";
    case change_kind::needs_person:
        return "needs-person";
    case change_kind::step_fails:
        return "step-fails";
    }
    return "";
}

} // namespace mailtight::publish
