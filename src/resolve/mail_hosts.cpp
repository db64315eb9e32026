// SPDX-License-Identifier: Apache-2.0
#include "resolve/mail_hosts.h"

#include "base/limits.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace mailtight::resolve {

namespace {

void list(mail_hosts& into, std::vector<model::mx_record> records) {
    // 7672-2.2.1-a: the preference comes before everything; the name makes the order always the same.
    std::ranges::sort(records, {}, [](const auto& r) { return std::tie(r.preference, r.host); });
    for (auto& record : records) {
        if (record.host.empty()) // beside real hosts a null MX means nothing (RFC 7505 §3)
            continue;
        auto name = base::lower(record.host);
        if (std::ranges::find(into.hosts, name, &mail_host::name) != into.hosts.end())
            continue;
        if (into.hosts.size() < base::limits::mx_hosts)
            into.hosts.push_back({std::move(name), record.preference});
        else
            ++into.left_out;
    }
}

} // namespace

bool unanswered(const model::dns_fact& seen) {
    using enum model::dns_status;
    // 7672-2.1.1-b: bogus and indeterminate are failures; every insecure answer is an answer.
    return model::is_dns_error(seen.status) || seen.status == not_asked || seen.status == cname_loop ||
           seen.security == model::dnssec::bogus;
}

bool means_bogus(const model::dns_fact& seen) {
    // What a validator says of a bogus answer may stand behind another status.
    return seen.security == model::dnssec::bogus || seen.status == model::dns_status::bogus;
}

std::string words_of_failure(const model::dns_fact& seen) {
    const bool bogus = means_bogus(seen);
    return fmt::format("the {} look-up of {} failed: {}", seen.type.empty() ? "DNS" : seen.type, seen.name,
                       seen.detail.empty() ? bogus ? std::string_view("DNSSEC validation failed")
                                                   : model::to_string(seen.status)
                                           : std::string_view(seen.detail));
}

mail_hosts mail_hosts_of(const std::string& domain, const model::mx_set_fact& seen) {
    mail_hosts out;
    if (unanswered(seen)) {
        out.detail = words_of_failure(seen);
        out.bogus = means_bogus(seen);
        return out;
    }
    out.secure = seen.security == model::dnssec::secure;
    if (seen.status == model::dns_status::nx_domain) {
        out.what = mail_hosts::kind::no_domain;
        return out;
    }
    if (seen.records.empty()) {
        out.what = mail_hosts::kind::implicit;
        out.hosts.push_back({base::lower(domain), 0});
        return out;
    }
    list(out, seen.records);
    out.what = out.hosts.empty() ? mail_hosts::kind::null_mx : mail_hosts::kind::listed;
    return out;
}

} // namespace mailtight::resolve
