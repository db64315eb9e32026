// SPDX-License-Identifier: Apache-2.0
#include "publish/sub_domains.h"

#include "base/host_name.h"
#include "base/text.h"

#include <set>

namespace mailtight::publish {

std::vector<std::string> sub_domains(std::string_view domain, std::span<const std::string> names,
                                     std::size_t most) {
    const auto suffix = "." + base::lower(domain);
    std::set<std::string> all;
    for (const auto& each : names) {
        if (all.size() >= most)
            break;
        auto name = base::lower(each);
        if (name.ends_with('.'))
            name.pop_back();
        if (!name.ends_with(suffix) || name.size() == suffix.size() || !base::is_host_name(name) ||
            name.starts_with('_') || name.find("._") != std::string::npos || name.starts_with("mta-sts.") ||
            name.find(".mta-sts.") != std::string::npos)
            continue;
        all.insert(std::move(name));
    }
    return {all.begin(), all.end()};
}

} // namespace mailtight::publish
