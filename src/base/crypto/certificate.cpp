// SPDX-License-Identifier: Apache-2.0
// DER to the value: one function a field, read() puts them together.
#include "base/crypto/certificate.h"

#include "base/crypto/openssl_ptr.h"
#include "base/crypto/x509_value.h"
#include "base/encode.h"
#include "base/ip.h"
#include "base/limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>

namespace mailtight::base {
namespace {

using namespace openssl;
using failure = std::unexpected<std::string>;

std::string_view view(const ASN1_STRING* text) {
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
            static_cast<std::size_t>(ASN1_STRING_length(text))};
}

// A name with NUL inside once passed for its first half: here it becomes text that matches no host.
std::string without_nul(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\0')
            out += "\\x00";
        else
            out += c;
    }
    return out;
}

std::string utf8_of(const ASN1_STRING* text) {
    unsigned char* utf8 = nullptr;
    const int length = ASN1_STRING_to_UTF8(&utf8, text);
    if (length < 0)
        return without_nul(view(text));
    const owner<unsigned char, [](unsigned char* p) { OPENSSL_free(p); }> guard(utf8);
    return without_nul({reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(length)});
}

/// The value of the last (most specific) entry of that kind, or "".
std::string last_entry(const X509_NAME* name, int nid) {
    int found = -1;
    for (int next = found; (next = X509_NAME_get_index_by_NID(name, nid, next)) >= 0;)
        found = next;
    if (found < 0)
        return {};
    return utf8_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, found)));
}

std::string one_line(const X509_NAME* name) {
    const bio_ptr out(BIO_new(BIO_s_mem()));
    // RFC 2253 escapes, but letters beyond ASCII stay letters.
    constexpr unsigned long flags = XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB);
    if (!out || X509_NAME_print_ex(out.get(), name, 0, flags) < 0)
        return {};
    char* data = nullptr;
    const long length = BIO_get_mem_data(out.get(), &data);
    return length > 0 ? std::string(data, static_cast<std::size_t>(length)) : std::string();
}

std::optional<utc_seconds> time_of(const ASN1_TIME* time) {
    using namespace std::chrono;
    std::tm t{};
    if (time == nullptr || ASN1_TIME_to_tm(time, &t) != 1)
        return std::nullopt;
    const auto date = year{t.tm_year + 1900} / month{static_cast<unsigned>(t.tm_mon + 1)} /
                      day{static_cast<unsigned>(t.tm_mday)};
    if (!date.ok())
        return std::nullopt;
    return sys_days{date} + hours{t.tm_hour} + minutes{t.tm_min} + seconds{t.tm_sec};
}

std::string serial_of(const X509* cert) {
    const ASN1_INTEGER* serial = X509_get0_serialNumber(cert);
    const bool negative = (ASN1_STRING_type(serial) & V_ASN1_NEG) != 0;
    return (negative ? "-" : "") + hex(view(serial));
}

std::string key_of(const X509* cert) {
    const EVP_PKEY* key = X509_get0_pubkey(cert); // kept by the certificate
    if (key == nullptr)
        return "unknown";
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
        return fmt::format("RSA {}", EVP_PKEY_get_bits(key));
    case EVP_PKEY_RSA_PSS:
        return fmt::format("RSA-PSS {}", EVP_PKEY_get_bits(key));
    case EVP_PKEY_DSA:
        return fmt::format("DSA {}", EVP_PKEY_get_bits(key));
    case EVP_PKEY_ED25519:
        return "Ed25519";
    case EVP_PKEY_ED448:
        return "Ed448";
    case EVP_PKEY_EC: {
        std::array<char, 80> group{};
        std::size_t length = 0;
        if (EVP_PKEY_get_group_name(key, group.data(), group.size(), &length) != 1)
            return fmt::format("EC {}", EVP_PKEY_get_bits(key));
        const std::string_view name(group.data(), length);
        if (name == "prime256v1")
            return "EC P-256";
        if (name == "secp384r1")
            return "EC P-384";
        if (name == "secp521r1")
            return "EC P-521";
        return fmt::format("EC {}", name);
    }
    default: {
        const char* name = EVP_PKEY_get0_type_name(key);
        return name != nullptr ? name : "unknown";
    }
    }
}

std::string spki_of(const X509* cert) {
    unsigned char* der = nullptr;
    const int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
    if (length <= 0)
        return {};
    const owner<unsigned char, [](unsigned char* p) { OPENSSL_free(p); }> guard(der);
    return {reinterpret_cast<const char*>(der), static_cast<std::size_t>(length)};
}

std::string ca_issuers_of(const X509* cert) {
    const info_access_ptr access(
        static_cast<AUTHORITY_INFO_ACCESS*>(X509_get_ext_d2i(cert, NID_info_access, nullptr, nullptr)));
    for (int i = 0; access && i < sk_ACCESS_DESCRIPTION_num(access.get()); ++i) {
        const ACCESS_DESCRIPTION* entry = sk_ACCESS_DESCRIPTION_value(access.get(), i);
        if (OBJ_obj2nid(entry->method) == NID_ad_ca_issuers && entry->location->type == GEN_URI)
            return without_nul(view(entry->location->d.uniformResourceIdentifier));
    }
    return {};
}

std::string ip_text(std::string_view bytes) {
    const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
    if (bytes.size() == 4)
        return ip_address::v4({at(0), at(1), at(2), at(3)}).to_string();
    if (bytes.size() == 16) {
        std::array<std::uint8_t, 16> v6{};
        for (std::size_t i = 0; i < v6.size(); ++i)
            v6[i] = at(i);
        return ip_address::v6(v6).to_string();
    }
    return hex(bytes); // no length that an address has
}

/// Fills the SANs. One that cannot be read must not pass for one that is not there.
std::optional<std::string> read_alternative_names(const X509* cert, certificate& into) {
    int critical = 0; // -1 where there is none, -2 where there are several, else OpenSSL could not read it
    const general_names_ptr names(
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(cert, NID_subject_alt_name, &critical, nullptr)));
    if (!names && critical != -1)
        return critical == -2 ? "more than one subjectAltName extension"
                              : "its subjectAltName extension cannot be read";
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
        if (name->type == GEN_DNS)
            into.dns_names.push_back(without_nul(view(name->d.dNSName)));
        else if (name->type == GEN_IPADD)
            into.ip_addresses.push_back(ip_text(view(name->d.iPAddress)));
    }
    return std::nullopt;
}

/// Everything but the DER itself.
std::expected<certificate, std::string> read_value(X509* cert) {
    certificate out;
    if (const auto error = read_alternative_names(cert, out))
        return failure(*error);
    const auto from = time_of(X509_get0_notBefore(cert));
    const auto until = time_of(X509_get0_notAfter(cert));
    if (!from || !until)
        return failure(fmt::format("its {} is no valid time", from ? "notAfter" : "notBefore"));
    out.not_before = *from;
    out.not_after = *until;

    const X509_NAME* subject = X509_get_subject_name(cert);
    const X509_NAME* issuer = X509_get_issuer_name(cert);
    out.common_name = last_entry(subject, NID_commonName);
    out.subject = one_line(subject);
    out.issuer = one_line(issuer);
    out.issuer_organization = last_entry(issuer, NID_organizationName);
    if (out.issuer_organization.empty())
        out.issuer_organization = last_entry(issuer, NID_commonName);
    out.self_issued = X509_NAME_cmp(subject, issuer) == 0;
    out.serial = serial_of(cert);
    out.is_ca = (X509_get_extension_flags(cert) & EXFLAG_CA) != 0;
    out.key = key_of(cert);
    out.ca_issuers_url = ca_issuers_of(cert);
    out.spki_der = spki_of(cert);
    return out;
}

} // namespace

std::expected<certificate, std::string> parse_certificate(std::string_view der) {
    if (der.empty())
        return failure("the certificate is empty");
    if (der.size() > limits::certificate_bytes)
        return failure(
            fmt::format("the certificate has {} bytes, more than {}", der.size(), limits::certificate_bytes));
    const clean_errors scope;
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    const auto* const end = at + der.size();
    const x509_ptr cert(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
    if (!cert)
        return failure("not a DER certificate: " + last_reason());
    if (at != end)
        return failure(fmt::format("{} bytes follow the certificate", end - at));

    auto out = read_value(cert.get());
    if (out)
        out->der = der;
    return out;
}

std::expected<certificate, std::string> openssl::read_certificate(X509* cert) {
    const clean_errors scope;
    unsigned char* der = nullptr;
    const int length = i2d_X509(cert, &der);
    if (length <= 0)
        return failure("the certificate cannot be encoded");
    const owner<unsigned char, [](unsigned char* p) { OPENSSL_free(p); }> guard(der);
    if (static_cast<std::size_t>(length) > limits::certificate_bytes)
        return failure(
            fmt::format("the certificate has {} bytes, more than {}", length, limits::certificate_bytes));
    auto out = read_value(cert);
    if (out)
        out->der.assign(reinterpret_cast<const char*>(der), static_cast<std::size_t>(length));
    return out;
}

std::expected<std::vector<certificate>, std::string> parse_pem_chain(std::string_view pem) {
    constexpr std::string_view begin = "-----BEGIN CERTIFICATE-----";
    constexpr std::string_view end = "-----END CERTIFICATE-----";
    std::vector<certificate> chain;
    while (true) {
        const auto start = pem.find(begin);
        if (start == std::string_view::npos)
            break;
        pem.remove_prefix(start + begin.size());
        const auto stop = pem.find(end);
        const auto where = fmt::format("certificate {}: ", chain.size() + 1);
        if (stop == std::string_view::npos)
            return failure(where + "its END line is missing");
        if (stop > 2 * limits::certificate_bytes)
            return failure(where + "too large");
        std::string text;
        std::ranges::copy_if(pem.substr(0, stop), std::back_inserter(text),
                             [](char c) { return c != '\n' && c != '\r' && c != ' ' && c != '\t'; });
        const auto der = unbase64(text);
        if (!der)
            return failure(where + "the text between its BEGIN and END lines is not base64");
        auto parsed = parse_certificate(*der);
        if (!parsed)
            return failure(where + parsed.error());
        chain.push_back(std::move(*parsed));
        pem.remove_prefix(stop + end.size());
    }
    if (chain.empty())
        return failure("no BEGIN CERTIFICATE line");
    return chain;
}

} // namespace mailtight::base
