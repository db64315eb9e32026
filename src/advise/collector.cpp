// SPDX-License-Identifier: Apache-2.0
#include "advise/collector.h"

#include <algorithm>
#include <cassert>
#include <iterator>

namespace mailtight::advise {

std::string fill(std::string_view text, std::string_view subject, std::string_view domain) {
    std::string filled;
    filled.reserve(text.size() + subject.size());
    for (std::size_t at = 0; at < text.size();) {
        const std::string_view rest = text.substr(at);
        if (rest.starts_with("{subject}")) {
            filled += subject;
            at += 9;
        } else if (rest.starts_with("{domain}")) {
            filled += domain;
            at += 8;
        } else {
            filled += text[at++];
        }
    }
    return filled;
}

void collector::emit(std::string_view code, words said) {
    const findings::code_entry* entry = findings::find_code(code);
    assert(entry != nullptr);
    if (!entry || options_.without.contains(code))
        return;
    const findings::severity weight = said.severity.value_or(entry->weigh(where_));
    if (weight == findings::severity::ok && !said.severity)
        return;
    found_.push_back({
        .code = std::string(entry->code),
        .severity = weight,
        .subject = said.subject,
        .message = said.message.empty() ? std::string(entry->title) : std::move(said.message),
        .evidence = std::move(said.evidence),
        .consequence = said.consequence.empty() ? fill(entry->consequence, said.subject, domain_)
                                                : std::move(said.consequence),
        .fix = said.fix.empty() ? fill(entry->fix, said.subject, domain_) : std::move(said.fix),
        .reference = std::string(entry->reference),
    });
}

bool collector::has_error(std::string_view part) const {
    return std::ranges::any_of(found_, [&](const findings::finding& f) {
        return f.severity == findings::severity::error && findings::find_code(f.code)->part == part;
    });
}

std::vector<findings::finding> collector::take() {
    // libstdc++ 12's stable_sort calls a function that it deprecates itself; four weights need no sort.
    std::vector<findings::finding> sorted;
    sorted.reserve(found_.size());
    for (const auto weight : {findings::severity::error, findings::severity::warning,
                              findings::severity::info, findings::severity::ok})
        std::ranges::copy_if(found_, std::back_inserter(sorted),
                             [&](const findings::finding& f) { return f.severity == weight; });
    found_.clear();
    return sorted;
}

} // namespace mailtight::advise
