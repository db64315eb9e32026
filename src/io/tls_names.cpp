// SPDX-License-Identifier: Apache-2.0
// Names of verification errors and of alerts, as reports and logs write them (standards: the reason code of a
// certificate-not-trusted is the X509_V_ERR_ name).
#include "io/tls_classify.h"

#include <openssl/x509_vfy.h>

#include <algorithm>
#include <array>

namespace mailtight::io {

namespace {

struct row {
    int code;
    const char* name;
};

#define ROW(name)                                                                                            \
    row {                                                                                                    \
        X509_V_ERR_##name, "X509_V_ERR_" #name                                                               \
    }
constexpr auto verify_errors = std::to_array<row>({
    ROW(UNSPECIFIED),
    ROW(UNABLE_TO_GET_ISSUER_CERT),
    ROW(UNABLE_TO_GET_CRL),
    ROW(UNABLE_TO_DECRYPT_CERT_SIGNATURE),
    ROW(UNABLE_TO_DECRYPT_CRL_SIGNATURE),
    ROW(UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY),
    ROW(CERT_SIGNATURE_FAILURE),
    ROW(CRL_SIGNATURE_FAILURE),
    ROW(CERT_NOT_YET_VALID),
    ROW(CERT_HAS_EXPIRED),
    ROW(CRL_NOT_YET_VALID),
    ROW(CRL_HAS_EXPIRED),
    ROW(ERROR_IN_CERT_NOT_BEFORE_FIELD),
    ROW(ERROR_IN_CERT_NOT_AFTER_FIELD),
    ROW(ERROR_IN_CRL_LAST_UPDATE_FIELD),
    ROW(ERROR_IN_CRL_NEXT_UPDATE_FIELD),
    ROW(OUT_OF_MEM),
    ROW(DEPTH_ZERO_SELF_SIGNED_CERT),
    ROW(SELF_SIGNED_CERT_IN_CHAIN),
    ROW(UNABLE_TO_GET_ISSUER_CERT_LOCALLY),
    ROW(UNABLE_TO_VERIFY_LEAF_SIGNATURE),
    ROW(CERT_CHAIN_TOO_LONG),
    ROW(CERT_REVOKED),
    ROW(NO_ISSUER_PUBLIC_KEY),
    ROW(PATH_LENGTH_EXCEEDED),
    ROW(INVALID_PURPOSE),
    ROW(CERT_UNTRUSTED),
    ROW(CERT_REJECTED),
    ROW(SUBJECT_ISSUER_MISMATCH),
    ROW(AKID_SKID_MISMATCH),
    ROW(AKID_ISSUER_SERIAL_MISMATCH),
    ROW(KEYUSAGE_NO_CERTSIGN),
    ROW(UNABLE_TO_GET_CRL_ISSUER),
    ROW(UNHANDLED_CRITICAL_EXTENSION),
    ROW(KEYUSAGE_NO_CRL_SIGN),
    ROW(UNHANDLED_CRITICAL_CRL_EXTENSION),
    ROW(INVALID_NON_CA),
    ROW(PROXY_PATH_LENGTH_EXCEEDED),
    ROW(KEYUSAGE_NO_DIGITAL_SIGNATURE),
    ROW(PROXY_CERTIFICATES_NOT_ALLOWED),
    ROW(INVALID_EXTENSION),
    ROW(INVALID_POLICY_EXTENSION),
    ROW(NO_EXPLICIT_POLICY),
    ROW(DIFFERENT_CRL_SCOPE),
    ROW(UNSUPPORTED_EXTENSION_FEATURE),
    ROW(UNNESTED_RESOURCE),
    ROW(PERMITTED_VIOLATION),
    ROW(EXCLUDED_VIOLATION),
    ROW(SUBTREE_MINMAX),
    ROW(APPLICATION_VERIFICATION),
    ROW(UNSUPPORTED_CONSTRAINT_TYPE),
    ROW(UNSUPPORTED_CONSTRAINT_SYNTAX),
    ROW(UNSUPPORTED_NAME_SYNTAX),
    ROW(CRL_PATH_VALIDATION_ERROR),
    ROW(PATH_LOOP),
    ROW(SUITE_B_INVALID_VERSION),
    ROW(SUITE_B_INVALID_ALGORITHM),
    ROW(SUITE_B_INVALID_CURVE),
    ROW(SUITE_B_INVALID_SIGNATURE_ALGORITHM),
    ROW(SUITE_B_LOS_NOT_ALLOWED),
    ROW(SUITE_B_CANNOT_SIGN_P_384_WITH_P_256),
    ROW(HOSTNAME_MISMATCH),
    ROW(EMAIL_MISMATCH),
    ROW(IP_ADDRESS_MISMATCH),
    ROW(DANE_NO_MATCH),
    ROW(EE_KEY_TOO_SMALL),
    ROW(CA_KEY_TOO_SMALL),
    ROW(CA_MD_TOO_WEAK),
    ROW(INVALID_CALL),
    ROW(STORE_LOOKUP),
    ROW(NO_VALID_SCTS),
    ROW(PROXY_SUBJECT_NAME_VIOLATION),
    ROW(UNSUPPORTED_SIGNATURE_ALGORITHM),
    ROW(SIGNATURE_ALGORITHM_MISMATCH),
    ROW(SIGNATURE_ALGORITHM_INCONSISTENCY),
    ROW(INVALID_CA),
    ROW(PATHLEN_INVALID_FOR_NON_CA),
    ROW(PATHLEN_WITHOUT_KU_KEY_CERT_SIGN),
    ROW(KU_KEY_CERT_SIGN_INVALID_FOR_NON_CA),
    ROW(ISSUER_NAME_EMPTY),
    ROW(SUBJECT_NAME_EMPTY),
    ROW(MISSING_AUTHORITY_KEY_IDENTIFIER),
    ROW(MISSING_SUBJECT_KEY_IDENTIFIER),
    ROW(EMPTY_SUBJECT_ALT_NAME),
    ROW(EMPTY_SUBJECT_SAN_NOT_CRITICAL),
    ROW(CA_BCONS_NOT_CRITICAL),
    ROW(AUTHORITY_KEY_IDENTIFIER_CRITICAL),
    ROW(SUBJECT_KEY_IDENTIFIER_CRITICAL),
    ROW(CA_CERT_MISSING_KEY_USAGE),
    ROW(EXTENSIONS_REQUIRE_VERSION_3),
    ROW(EC_KEY_EXPLICIT_PARAMS),
});
#undef ROW

constexpr auto alerts = std::to_array<row>({
    {0, "close_notify"},
    {10, "unexpected_message"},
    {20, "bad_record_mac"},
    {21, "decryption_failed"},
    {22, "record_overflow"},
    {30, "decompression_failure"},
    {40, "handshake_failure"},
    {42, "bad_certificate"},
    {43, "unsupported_certificate"},
    {44, "certificate_revoked"},
    {45, "certificate_expired"},
    {46, "certificate_unknown"},
    {47, "illegal_parameter"},
    {48, "unknown_ca"},
    {49, "access_denied"},
    {50, "decode_error"},
    {51, "decrypt_error"},
    {60, "export_restriction"},
    {70, "protocol_version"},
    {71, "insufficient_security"},
    {80, "internal_error"},
    {86, "inappropriate_fallback"},
    {90, "user_canceled"},
    {100, "no_renegotiation"},
    {109, "missing_extension"},
    {110, "unsupported_extension"},
    {111, "certificate_unobtainable"},
    {112, "unrecognized_name"},
    {113, "bad_certificate_status_response"},
    {114, "bad_certificate_hash_value"},
    {115, "unknown_psk_identity"},
    {116, "certificate_required"},
    {120, "no_application_protocol"},
});

} // namespace

std::string verify_error_name(int code) {
    const auto found = std::ranges::find(verify_errors, code, &row::code);
    return found != verify_errors.end() ? found->name : "X509_V_ERR_" + std::to_string(code);
}

std::string alert_name(int alert) {
    const auto found = std::ranges::find(alerts, alert, &row::code);
    return found != alerts.end() ? found->name : "alert_" + std::to_string(alert);
}

} // namespace mailtight::io
