// SPDX-License-Identifier: Apache-2.0
#include "resolve/policy_words.h"

#include "base/limits.h"
#include "base/text.h"

#include <fmt/format.h>

namespace mailtight::resolve {

using model::fetch_outcome;

namespace {
constexpr std::size_t remote_text = 200;

std::string or_words(const std::string& detail, std::string_view otherwise) {
    return detail.empty() ? std::string(otherwise) : base::printable(detail, 2 * remote_text);
}
} // namespace

std::string words_of_fetch(const model::fetch_fact& seen, std::string_view policy_host) {
    const auto there = fmt::format("{} ({})", policy_host, seen.address.to_string());
    switch (seen.outcome) {
    case fetch_outcome::blocked:
        return fmt::format("{} is not connected to: the address is {}", there,
                           or_words(seen.detail, "not public"));
    case fetch_outcome::connect_failed:
        return fmt::format("{} cannot be connected to: {}", there,
                           or_words(seen.detail, model::to_string(seen.connect)));
    case fetch_outcome::tls_failed:
        return seen.tls.completed() ? fmt::format("the certificate of {} does not pass: {}", there,
                                                  or_words(seen.detail, seen.tls.reason))
                                    : fmt::format("the TLS handshake with {} fails: {}", there,
                                                  or_words(seen.detail, model::to_string(seen.tls.outcome)));
    case fetch_outcome::timeout:
        return fmt::format("{} does not give the policy in time", there);
    case fetch_outcome::redirect: // 8461-3.3-i
        return fmt::format("{} answers with a redirect (HTTP status {}, to {}), which is not followed", there,
                           seen.status, base::printable(seen.location, remote_text));
    case fetch_outcome::http_status: // 8461-3.3-h
        return fmt::format("{} answers with HTTP status {}, not 200", there, seen.status);
    case fetch_outcome::too_large: // 8461-3.3-m
        return fmt::format("{} sends more than {} bytes", there, base::limits::policy_bytes);
    case fetch_outcome::http_invalid:
        return fmt::format("{} gives no proper HTTP answer: {}", there,
                           or_words(seen.detail, "it cannot be read"));
    case fetch_outcome::not_tried:
    case fetch_outcome::fetched:
        break;
    }
    return fmt::format("{} was not asked", there);
}

namespace {
std::string_view reason_of(model::connect_outcome outcome) {
    switch (outcome) {
    case model::connect_outcome::refused:
        return "tcp-refused";
    case model::connect_outcome::timeout:
        return "tcp-timeout";
    case model::connect_outcome::unreachable:
        return "tcp-unreachable";
    default:
        return "tcp-failure";
    }
}
} // namespace

std::string reason_of_fetch(const model::fetch_fact& seen) {
    switch (seen.outcome) {
    case fetch_outcome::blocked:
        return "address-not-public";
    case fetch_outcome::connect_failed:
        return std::string(reason_of(seen.connect));
    case fetch_outcome::tls_failed: // an X509_V_ERR name, or the alert's
        if (!seen.tls.reason.empty())
            return base::printable(seen.tls.reason, 100);
        if (!seen.tls.completed())
            return "tls-handshake-failure";
        return seen.tls.faults.empty()
                   ? "tls-certificate"
                   : fmt::format("tls-certificate-{}", model::to_string(seen.tls.faults.front()));
    case fetch_outcome::timeout:
        return "http-timeout";
    case fetch_outcome::redirect:
        return "redirect";
    case fetch_outcome::http_status:
        return fmt::format("http-status-{}", seen.status);
    case fetch_outcome::too_large:
        return "too-large";
    case fetch_outcome::http_invalid:
        return "http-invalid";
    case fetch_outcome::not_tried:
    case fetch_outcome::fetched:
        break;
    }
    return "";
}

std::string words_of_problem(const sts::policy_issue& problem) {
    std::string sentence(sts::explain(problem.problem));
    if (!sentence.empty())
        sentence.front() = base::to_lower(sentence.front());
    while (sentence.ends_with('.'))
        sentence.pop_back();
    std::string words = "the policy is invalid: " + sentence;
    if (problem.line > 0)
        words += fmt::format(" (line {}{}{})", problem.line, problem.detail.empty() ? "" : ": ",
                             base::printable(problem.detail, 80));
    return words;
}

} // namespace mailtight::resolve
