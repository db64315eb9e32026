// SPDX-License-Identifier: Apache-2.0
#include "advise/issuers.h"

#include "base/text.h"

#include <string>

namespace mailtight::advise {
namespace {

struct authority {
    std::string_view organization; ///< lower case, contained in the issuer's organisation
    std::vector<std::string_view> names;
};

// Only authorities whose CAA names are published by themselves; a missing one yields no finding.
const std::vector<authority>& authorities() {
    static const std::vector<authority> table{
        {"let's encrypt", {"letsencrypt.org"}},
        {"google trust services", {"pki.goog"}},
        {"digicert", {"digicert.com", "symantec.com", "geotrust.com", "rapidssl.com", "thawte.com"}},
        {"geotrust", {"digicert.com", "geotrust.com"}},
        {"thawte", {"digicert.com", "thawte.com"}},
        {"sectigo", {"sectigo.com", "comodoca.com", "comodo.com", "usertrust.com", "trust-provider.com"}},
        {"comodo", {"sectigo.com", "comodoca.com", "comodo.com", "usertrust.com", "trust-provider.com"}},
        {"zerossl", {"sectigo.com", "comodoca.com", "comodo.com", "usertrust.com", "trust-provider.com"}},
        {"globalsign", {"globalsign.com"}},
        {"godaddy", {"godaddy.com", "starfieldtech.com"}},
        {"starfield", {"starfieldtech.com", "godaddy.com"}},
        {"amazon", {"amazon.com", "amazontrust.com", "awstrust.com", "amazonaws.com"}},
        {"entrust", {"entrust.net", "affirmtrust.com"}},
        {"buypass", {"buypass.com", "buypass.no"}},
        {"certum", {"certum.pl", "certum.eu"}},
        {"actalis", {"actalis.it"}},
        {"harica", {"harica.gr"}},
        {"hellenic academic", {"harica.gr"}},
        {"ssl corp", {"ssl.com"}},
        {"telesec", {"telesec.de"}},
        {"deutsche telekom security", {"telesec.de"}},
        {"swisssign", {"swisssign.com", "swisssign.net", "swissign.com"}},
        {"d-trust", {"d-trust.net", "dtrust.de"}},
    };
    return table;
}

} // namespace

std::vector<std::string_view> caa_names_of(std::string_view issuer_organization) {
    const std::string lowered = base::lower(issuer_organization);
    for (const authority& a : authorities())
        if (lowered.find(a.organization) != std::string::npos)
            return a.names;
    return {};
}

} // namespace mailtight::advise
