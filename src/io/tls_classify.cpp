// SPDX-License-Identifier: Apache-2.0
// Two entries: classify_certificate (8461-3.3-a..f, 8461-4.2-a..c) and classify_failure.
#include "io/tls_classify.h"

#include "base/text.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <algorithm>

namespace mailtight::io {

namespace {

using model::cert_fault;
using model::handshake_outcome;

bool is_missing_issuer(int code) {
    return code == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
           code == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT || code == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE;
}

/// What the missing issuer of this certificate means. Whether it is an intermediate that was not sent or a
/// private root cannot be seen from the outside; a leaf that came alone and a certificate that says where its
/// issuer is to be had speak for the first.
cert_fault missing_issuer_fault(const verify_error& error, const base::certificate& last) {
    return error.depth == 0 || !last.ca_issuers_url.empty() ? cert_fault::chain_incomplete
                                                            : cert_fault::untrusted;
}

cert_fault fault_of(const verify_error& error, const base::certificate& about) {
    if (is_missing_issuer(error.code))
        return missing_issuer_fault(error, about);
    switch (error.code) {
    case X509_V_ERR_CERT_HAS_EXPIRED: // 8461-3.3-c, 8461-4.2-a; an expired issuer makes the leaf untrusted
        return error.depth == 0 ? cert_fault::expired : cert_fault::untrusted;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return error.depth == 0 ? cert_fault::not_yet_valid : cert_fault::untrusted;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return cert_fault::self_signed;
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK:
        return cert_fault::weak;
    default: // 8461-3.3-b, 8461-4.2-b
        return cert_fault::untrusted;
    }
}

std::string name_of(const base::certificate& cert) {
    return cert.common_name.empty() ? cert.subject : cert.common_name;
}

std::string describe(const verify_error& error, const base::certificate& about) {
    if (is_missing_issuer(error.code)) {
        auto text = fmt::format("the issuer of \"{}\", \"{}\", was not sent and is no trusted root",
                                name_of(about), about.issuer);
        if (!about.ca_issuers_url.empty())
            text += fmt::format("; it is to be had at {}", about.ca_issuers_url);
        return text;
    }
    switch (error.code) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return fmt::format("\"{}\" expired on {}", name_of(about), base::format_utc(about.not_after));
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return fmt::format("\"{}\" is not valid before {}", name_of(about),
                           base::format_utc(about.not_before));
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return "the certificate is signed by itself";
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        return fmt::format("the chain ends in \"{}\", which is no trusted root", name_of(about));
    default:
        return fmt::format("\"{}\": {}", name_of(about), X509_verify_cert_error_string(error.code));
    }
}

/// Trust comes before dates, dates before weakness: the reason names what must be mended first.
int rank(cert_fault fault) {
    switch (fault) {
    case cert_fault::self_signed:
    case cert_fault::chain_incomplete:
    case cert_fault::untrusted:
        return 0;
    case cert_fault::expired:
    case cert_fault::not_yet_valid:
        return 1;
    default:
        return 2;
    }
}

void check_names(model::tls_fact& fact, std::string_view host) {
    const auto& leaf = fact.chain.front();
    // 8461-3.3-a, 8461-3.3-e, 8461-3.3-f, 8461-4.2-c, A17: dNSName SANs alone decide, by RFC 9525;
    // what the policy's patterns say is no matter here.
    if (base::names_host(leaf, host))
        return;
    fact.faults.push_back(cert_fault::name_mismatch);
    if (leaf.dns_names.empty() && base::dns_name_matches(leaf.common_name, host))
        fact.faults.push_back(cert_fault::cn_only);
    if (!fact.reason.empty())
        return;
    constexpr std::size_t shown = 10;
    fact.reason = verify_error_name(X509_V_ERR_HOSTNAME_MISMATCH);
    if (leaf.dns_names.empty()) {
        fact.detail = "the certificate has no dNSName at all";
        return;
    }
    std::vector<std::string> names(leaf.dns_names.begin(),
                                   leaf.dns_names.begin() +
                                       static_cast<std::ptrdiff_t>(std::min(shown, leaf.dns_names.size())));
    fact.detail = fmt::format("the certificate names {}{}, not {}", base::join(names, ", "),
                              leaf.dns_names.size() > shown ? ", …" : "", host);
}

} // namespace

void classify_certificate(model::tls_fact& fact, const std::vector<verify_error>& errors,
                          std::string_view host) {
    fact.faults.clear();
    fact.reason.clear();
    if (fact.chain.empty()) {
        fact.faults = {cert_fault::untrusted};
        fact.reason = verify_error_name(X509_V_ERR_UNSPECIFIED);
        fact.detail = "the server sent no certificate that can be read";
        return;
    }
    const bool issuer_missing_above =
        std::ranges::any_of(errors, [](const auto& e) { return is_missing_issuer(e.code) && e.depth > 0; });
    int best = 3;
    for (const auto& error : errors) {
        // OpenSSL complains of the leaf's signature too where the issuer of the chain's top is missing.
        if (error.code == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE && issuer_missing_above)
            continue;
        const auto& about = error.depth == 0 ? fact.chain.front() : error.about;
        const auto fault = fault_of(error, about);
        if (!fact.has(fault))
            fact.faults.push_back(fault);
        if (rank(fault) < best) {
            best = rank(fault);
            fact.reason = verify_error_name(error.code);
            fact.detail = describe(error, about);
        }
    }
    fact.trusted = fact.faults.empty();
    check_names(fact, host);
}

void classify_failure(model::tls_fact& fact, const handshake_failure& failure) {
    const int reason = ERR_GET_LIB(failure.error) == ERR_LIB_SSL ? ERR_GET_REASON(failure.error) : 0;
    if (failure.timed_out) {
        fact.outcome = handshake_outcome::timeout;
        fact.detail = "the TLS handshake was not complete in time";
        return;
    }
    if (!failure.looks_tls) {
        fact.outcome = handshake_outcome::not_tls;
        fact.detail = "the server answered the TLS handshake with bytes that are no TLS";
        return;
    }
    if (reason >= SSL_AD_REASON_OFFSET) {
        const int alert = reason - SSL_AD_REASON_OFFSET;
        fact.reason = alert_name(alert);
        fact.detail = fmt::format("the server sent the alert {}", fact.reason);
        fact.outcome = alert == SSL_AD_PROTOCOL_VERSION        ? handshake_outcome::protocol_too_old
                       : alert == SSL_AD_INSUFFICIENT_SECURITY ? handshake_outcome::no_shared_cipher
                                                               : handshake_outcome::alert;
        return;
    }
    switch (reason) {
    case SSL_R_UNSUPPORTED_PROTOCOL: // the ServerHello names a version below ours
    case SSL_R_WRONG_SSL_VERSION:
    case SSL_R_VERSION_TOO_LOW:
        fact.outcome = handshake_outcome::protocol_too_old;
        fact.reason = "protocol_version";
        fact.detail = "the server wants a TLS version before 1.2";
        return;
    case SSL_R_WRONG_CIPHER_RETURNED:
    case SSL_R_UNKNOWN_CIPHER_RETURNED:
    case SSL_R_NO_CIPHERS_AVAILABLE:
        fact.outcome = handshake_outcome::no_shared_cipher;
        fact.detail = "the server wants a cipher that was not offered";
        return;
    default:
        break;
    }
    if (failure.error != 0) {
        const char* text = ERR_reason_error_string(failure.error);
        fact.outcome = handshake_outcome::failed;
        fact.detail = text ? text : fmt::format("TLS error {:#x}", failure.error);
        // "too long" alone says nothing where it is a certificate that cannot be read.
        if (const char* library = ERR_lib_error_string(failure.error); library && reason == 0)
            fact.detail = fmt::format("{}: {}", library, fact.detail);
        return;
    }
    fact.outcome = failure.closed ? handshake_outcome::closed : handshake_outcome::failed;
    fact.detail = failure.closed ? "the server closed the connection in the middle of the TLS handshake"
                                 : failure.connection;
}

} // namespace mailtight::io
