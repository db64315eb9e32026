// SPDX-License-Identifier: Apache-2.0
// Names of the probers' outcomes, and what the facts say by themselves.
#include "model/probe_facts.h"

#include "base/text.h"

namespace mailtight::model {

std::string_view to_string(connect_outcome outcome) {
    switch (outcome) {
    case connect_outcome::not_tried:
        return "not-tried";
    case connect_outcome::connected:
        return "connected";
    case connect_outcome::blocked:
        return "blocked";
    case connect_outcome::refused:
        return "refused";
    case connect_outcome::timeout:
        return "timeout";
    case connect_outcome::unreachable:
        return "unreachable";
    case connect_outcome::failed:
        return "failed";
    }
    return "unknown";
}

std::string_view to_string(fetch_outcome outcome) {
    switch (outcome) {
    case fetch_outcome::not_tried:
        return "not-tried";
    case fetch_outcome::fetched:
        return "fetched";
    case fetch_outcome::blocked:
        return "blocked";
    case fetch_outcome::connect_failed:
        return "connect-failed";
    case fetch_outcome::tls_failed:
        return "tls-failed";
    case fetch_outcome::timeout:
        return "timeout";
    case fetch_outcome::redirect:
        return "redirect";
    case fetch_outcome::http_status:
        return "http-status";
    case fetch_outcome::too_large:
        return "too-large";
    case fetch_outcome::http_invalid:
        return "http-invalid";
    }
    return "unknown";
}

bool fetch_fact::is_plain_text() const {
    const std::string_view value = content_type;
    return base::iequals(base::trim(value.substr(0, value.find(';'))), "text/plain");
}

std::string_view to_string(smtp_outcome outcome) {
    switch (outcome) {
    case smtp_outcome::not_tried:
        return "not-tried";
    case smtp_outcome::tls:
        return "tls";
    case smtp_outcome::blocked:
        return "blocked";
    case smtp_outcome::connect_failed:
        return "connect-failed";
    case smtp_outcome::banner_timeout:
        return "banner-timeout";
    case smtp_outcome::banner_refused:
        return "banner-refused";
    case smtp_outcome::no_starttls:
        return "no-starttls";
    case smtp_outcome::starttls_refused:
        return "starttls-refused";
    case smtp_outcome::injected:
        return "injected";
    case smtp_outcome::handshake_failed:
        return "handshake-failed";
    case smtp_outcome::protocol_error:
        return "protocol-error";
    case smtp_outcome::timeout:
        return "timeout";
    case smtp_outcome::closed:
        return "closed";
    }
    return "unknown";
}

} // namespace mailtight::model
