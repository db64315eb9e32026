// SPDX-License-Identifier: Apache-2.0
#include "advise/words.h"

#include <fmt/format.h>

namespace mailtight::advise {

std::string list(const std::vector<std::string>& items, std::size_t limit) {
    std::string text;
    const std::size_t shown = items.size() <= limit ? items.size() : limit - 1;
    for (std::size_t i = 0; i < shown; ++i) {
        if (i > 0)
            text += i + 1 == items.size() ? " and " : ", ";
        text += items[i];
    }
    if (shown < items.size())
        text += fmt::format(" and {} more", items.size() - shown);
    return text;
}

std::string quoted(const std::vector<std::string>& texts) {
    std::vector<std::string> shown;
    for (const std::string& text : texts)
        shown.push_back("\"" + text + "\"");
    return list(shown, 4);
}

std::string lookup_words(const model::dns_fact& fact) {
    using model::dns_status;
    std::string words;
    switch (fact.status) {
    case dns_status::not_asked:
        words = "not asked";
        break;
    case dns_status::ok:
        words = "answered";
        break;
    case dns_status::no_data:
        words = "the name exists, without this record type";
        break;
    case dns_status::nx_domain:
        words = "the name does not exist";
        break;
    case dns_status::servfail:
        words = "the resolver got no usable answer (SERVFAIL)";
        break;
    case dns_status::refused:
        words = "the name server refused to answer";
        break;
    case dns_status::bogus:
        words = "the DNSSEC signatures are broken";
        break;
    case dns_status::timeout:
        words = "no answer in time";
        break;
    case dns_status::malformed:
        words = "the answer was no proper DNS message";
        break;
    case dns_status::cname_loop:
        words = "the aliases lead in a circle";
        break;
    }
    if (fact.status == dns_status::ok && fact.security == model::dnssec::bogus)
        words = "the DNSSEC signatures are broken";
    std::string text = fmt::format("{} {}: {}", fact.name, fact.type, words);
    if (!fact.chain.empty())
        text += fmt::format("; alias of {}", fmt::join(fact.chain, " -> "));
    if (!fact.detail.empty() && text.find(fact.detail) == std::string::npos)
        text += fmt::format(" ({})", fact.detail);
    return text;
}

std::string certificate_words(const base::certificate& cert) {
    std::vector<std::string> names = cert.dns_names;
    std::string text =
        fmt::format("valid {} to {}", base::format_date(cert.not_before), base::format_date(cert.not_after));
    if (!names.empty())
        text += fmt::format(", for {}", list(names));
    else if (!cert.common_name.empty())
        text += fmt::format(", common name {} and no alternative names", cert.common_name);
    const std::string& issuer = cert.issuer_organization.empty() ? cert.issuer : cert.issuer_organization;
    if (!issuer.empty())
        text += fmt::format(", issued by {}", issuer);
    return text;
}

std::string tls_words(const model::tls_fact& tls) {
    std::string text;
    if (!tls.chain.empty())
        text = "certificate " + certificate_words(tls.chain.front());
    for (const std::string& more : {tls.detail, tls.reason})
        if (!more.empty() && text.find(more) == std::string::npos)
            text += (text.empty() ? "" : "; ") + more;
    return text;
}

std::string count(std::size_t n, std::string_view one, std::string_view many) {
    return n == 1         ? fmt::format("1 {}", one)
           : many.empty() ? fmt::format("{} {}s", n, one)
                          : fmt::format("{} {}", n, many);
}

} // namespace mailtight::advise
