// SPDX-License-Identifier: Apache-2.0
// A validating resolver says SERVFAIL where aliases lead in a circle, and does not say why. Asked for the
// alias alone it answers: so the chain can be walked, and the cause told (8461-3.1-t).
#include "base/limits.h"
#include "observe/state.h"

#include <algorithm>

namespace mailtight::observe {

io::task<bool> look_for_alias_loop(observer::state& with, model::dns_fact& fact) {
    if (fact.status != model::dns_status::servfail || !fact.chain.empty())
        co_return false;
    std::vector<std::string> chain;
    std::string at = fact.name;
    while (chain.size() < static_cast<std::size_t>(base::limits::cname_hops)) {
        const auto alias = co_await with.dns.cname(at);
        if (!alias.ok() || alias.chain.empty())
            co_return false; // the failure has another cause
        at = alias.chain.front();
        const bool seen_before = at == fact.name || std::ranges::find(chain, at) != chain.end();
        chain.push_back(at);
        if (seen_before)
            break;
    }
    fact.status = model::dns_status::cname_loop;
    fact.chain = std::move(chain);
    fact.detail = "the CNAMEs come back to themselves, or there are too many";
    co_return true;
}

} // namespace mailtight::observe
