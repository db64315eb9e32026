// SPDX-License-Identifier: Apache-2.0
// Whatever is typed where a domain is asked for: what is understood is a name within the limits, is
// understood again as itself, and nothing in the notes can reach a terminal unescaped.
#include "base/text.h"
#include "mail/domain_name.h"

#include <cstdint>
#include <cstdlib>

namespace mail = mailtight::mail;

namespace {
void must(bool holds) {
    if (!holds)
        std::abort();
}
} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view typed(reinterpret_cast<const char*>(data), size);
    if (const auto domain = mail::understand_domain(typed)) {
        must(mail::canonical_name(domain->name) == domain->name);
        must(domain->name.size() <= 242); // room for _smtp._tls.
        must(mailtight::base::is_utf8(domain->display));
        for (const auto& note : domain->notes)
            must(mailtight::base::printable(note) == note);
        const auto again = mail::understand_domain(domain->name);
        must(again && again->name == domain->name);
        const auto organizational = mail::organizational_domain(domain->name);
        must(mail::is_within(domain->name, organizational));
    } else {
        must(!mail::explain(domain.error()).empty());
    }
    if (const auto name = mail::to_ascii(typed))
        must(mail::canonical_name(*name) == name);
    mail::to_unicode(typed);
    mail::organizational_domain(typed);
    mail::is_public_suffix(typed);
    return 0;
}
