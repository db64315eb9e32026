// SPDX-License-Identifier: Apache-2.0
// Any bytes as one certificate and as a PEM text: a value or an error, and no name with NUL gets through.
#include "base/crypto/certificate.h"
#include "base/text.h"

#include <cstdint>
#include <cstdlib>

namespace base = mailtight::base;

namespace {

void must(bool holds) {
    if (!holds)
        std::abort();
}

void look_at(const base::certificate& cert) {
    for (const auto& name : cert.dns_names) {
        must(name.find('\0') == std::string::npos);
        // A name without a star matches itself or nothing; one that matches names the host.
        if (base::dns_name_matches(name, name))
            must(base::names_host(cert, name));
    }
    must(cert.common_name.find('\0') == std::string::npos);
    must(base::format_utc(cert.not_before).size() == 20 && base::format_utc(cert.not_after).size() == 20);
    must(!cert.key.empty() && !cert.der.empty());
    base::printable(cert.subject);
    base::printable(cert.issuer);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    if (const auto cert = base::parse_certificate(bytes)) {
        must(cert->der == bytes);
        look_at(*cert);
    } else {
        must(!cert.error().empty());
    }
    if (const auto chain = base::parse_pem_chain(bytes)) {
        must(!chain->empty());
        for (const auto& cert : *chain)
            look_at(cert);
    } else {
        must(!chain.error().empty());
    }
    return 0;
}
