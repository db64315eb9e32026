// SPDX-License-Identifier: Apache-2.0
// One table of the error types of RFC 8555 §6.7, RFC 9773 §7.4 and the profiles extension.
#include "publish/acme_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace mailtight::publish {

namespace {

struct row {
    std::string_view type;
    blame whose;
    std::string_view fix; ///< `{}` is the host
};

constexpr std::array rows{
    row{"accountDoesNotExist", blame::ours,
        "The authority does not know our account any more: a new one is made at the next try."},
    row{"alreadyReplaced", blame::passing, "The certificate was renewed by somebody else already."},
    row{"badCSR", blame::ours,
        "The authority takes no certificate request of this form: choose another "
        "profile or authority."},
    row{"badNonce", blame::passing, "The authority refused one nonce after the other; it is asked again."},
    row{"badPublicKey", blame::ours, "The authority takes no EC P-256 keys: choose another one."},
    row{"badSignatureAlgorithm", blame::ours, "The authority takes no ES256 signatures: choose another one."},
    row{"caa", blame::name,
        "The CAA records forbid this authority for {}: add one that allows it, or choose "
        "another authority."},
    row{"compound", blame::challenge, ""},
    row{"connection", blame::challenge,
        "The authority could not connect to {}: its addresses must be ours, "
        "and ports 443 and 80 open to everybody."},
    row{"dns", blame::name,
        "The authority could not look up {}: it needs a CNAME or addresses that lead to "
        "this host on every name server, and CAA questions must be answered."},
    row{"externalAccountRequired", blame::ours,
        "Get a key id and an HMAC key from the authority, and enter "
        "them as its external account."},
    row{"incorrectResponse", blame::challenge,
        "Something else answers at {}: a proxy or another server "
        "stands before ours."},
    row{"invalidContact", blame::ours, "Correct the contact address of the certificates' account."},
    row{"invalidProfile", blame::ours, "Choose one of the authority's profiles, or none."},
    row{"malformed", blame::ours, ""},
    row{"orderNotReady", blame::passing, ""},
    row{"rateLimited", blame::passing, "The authority's limit is reached; it is asked again later."},
    row{"rejectedIdentifier", blame::name,
        "The authority issues no certificate for {}: ask it why, or "
        "choose another one."},
    row{"serverInternal", blame::passing, "The authority has trouble of its own; it is asked again."},
    row{"tls", blame::challenge, "The TLS handshake with {} failed: something else answers on port 443."},
    row{"unauthorized", blame::challenge,
        "What answered at {} was not ours: its addresses must all lead to "
        "this host."},
    row{"unsupportedContact", blame::ours,
        "Use an e-mail address as the contact of the certificates' "
        "account."},
    row{"unsupportedIdentifier", blame::name,
        "The authority issues no certificates for such names: choose "
        "another one."},
    row{"userActionRequired", blame::ours,
        "Open the address above in a browser and do what is asked there, "
        "as the owner of the account."},
};

const row* find(std::string_view type) {
    const auto* at = std::ranges::find(rows, type, &row::type);
    return at == rows.end() ? nullptr : at;
}

} // namespace

std::string words_of(const wire::acme_problem& problem, std::string_view host) {
    std::string out = problem.detail;
    if (out.empty())
        out = problem.type.empty() ? fmt::format("HTTP status {}", problem.status) : problem.type;
    for (const auto& [name, detail] : problem.by_name)
        if (!detail.empty() && out.find(detail) == out.npos)
            out += name.empty() ? fmt::format("; {}", detail) : fmt::format("; {}: {}", name, detail);
    if (!problem.type.empty() && out != problem.type)
        out += fmt::format(" ({})", problem.type);
    if (const auto* known = find(problem.type); known != nullptr && !known->fix.empty()) {
        std::string fix(known->fix);
        if (const auto at = fix.find("{}"); at != fix.npos)
            fix.replace(at, 2, host);
        out += fmt::format(". {}", fix);
    }
    return out;
}

blame blame_of(const wire::acme_problem& problem) {
    if (const auto* known = find(problem.type); known != nullptr)
        return known->whose;
    return problem.status >= 500 || problem.status == 429 || problem.status == 408 ? blame::passing
                                                                                   : blame::challenge;
}

} // namespace mailtight::publish
