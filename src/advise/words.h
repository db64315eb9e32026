// SPDX-License-Identifier: Apache-2.0
// Small wording shared by the rules: lists, addresses, certificates.
#pragma once

#include "base/crypto/certificate.h"
#include "model/observation.h"

#include <string>
#include <vector>

namespace mailtight::advise {

/// "a", "a and b", "a, b and c"; beyond `limit` "and 7 more".
std::string list(const std::vector<std::string>& items, std::size_t limit = 8);
/// The texts in quotes, as a list of at most four.
std::string quoted(const std::vector<std::string>& texts);
/// "no such name", "timed out (…)": the outcome of a look-up for people.
std::string lookup_words(const model::dns_fact& fact);
/// "valid 2026-01-01 to 2026-03-01, names a and b, issued by C".
std::string certificate_words(const base::certificate& cert);
/// What a handshake's certificate showed: the leaf, and the verifier's reason where there is one.
std::string tls_words(const model::tls_fact& tls);
/// "1 host", "2 hosts".
std::string count(std::size_t n, std::string_view one, std::string_view many = {});

} // namespace mailtight::advise
