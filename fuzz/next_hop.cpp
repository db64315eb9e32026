// SPDX-License-Identifier: Apache-2.0
// Whatever a mail server asks for: what can have a policy is a name within the limits, and it is understood
// again as itself, bare and in brackets.
#include "mail/next_hop.h"
#include "mail/domain_name.h"

#include <cstdint>
#include <cstdlib>
#include <string>

namespace mail = mailtight::mail;
using kind = mail::next_hop::kind;

namespace {
void must(bool holds) {
    if (!holds)
        std::abort();
}
} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view key(reinterpret_cast<const char*>(data), size);
    const auto hop = mail::parse_next_hop(key);
    must(hop.can_have_policy() == mail::explain(hop.what).empty());
    if (!hop.can_have_policy()) {
        must(hop == mail::next_hop{hop.what});
        return 0;
    }
    must(mail::canonical_name(hop.domain) == hop.domain);
    must(hop.domain.find('.') != std::string::npos);
    must(hop.domain.size() <= 244); // room for _mta-sts.
    must(mail::parse_next_hop(hop.domain) == mail::next_hop{kind::domain, hop.domain});
    must(mail::parse_next_hop("[" + hop.domain + "]") == mail::next_hop{kind::smart_host, hop.domain});
    must(mail::parse_next_hop("." + hop.domain).what == kind::parent);
    return 0;
}
