// SPDX-License-Identifier: Apache-2.0
#include "app/published_news.h"

#include "publish/challenge.h"
#include "publish/renewal.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::app {

namespace {

constexpr std::size_t page = 10'000;

} // namespace

store::result<published_news> read_news(news_reader& by, const std::string& where,
                                        const base::sealing_key* seal, base::utc_seconds now) {
    if (!by.kept) {
        auto opened = store::open_domains({.where = where});
        if (!opened)
            return std::unexpected(opened.error());
        by.kept = std::move(*opened);
    }
    published_news out;
    auto policies = by.kept->published_after(by.policies, page);
    if (!policies)
        return std::unexpected(policies.error());
    auto certificates = by.kept->certificates_after(by.certificates, page);
    if (!certificates)
        return std::unexpected(certificates.error());
    auto answers = by.kept->challenges(now);
    if (!answers)
        return std::unexpected(answers.error());
    out.policies = std::move(*policies);
    out.answers = std::move(*answers);
    for (const auto& each : out.policies)
        by.policies = std::max(by.policies, each.change);
    out.more = out.policies.size() == page || certificates->size() == page;
    for (auto& each : *certificates) {
        by.certificates = std::max(by.certificates, each.change);
        if (!each.name.starts_with(host_prefix))
            continue; // of the pages
        opened_certificate one{
            .name = each.name,
            .chain = {},
            .key = {},
            .not_before = each.not_before,
            .not_after = each.not_after,
            .renew_at = each.renew_at.value_or(publish::by_lifetime(each.not_before, each.not_after)),
            .file = {},
            .gone = each.gone};
        if (!each.gone) {
            auto key = seal
                           ? seal->open(publish::certificate_seal_name(each.name), each.sealed_key)
                           : std::expected<std::string, std::string>(std::unexpected("there is no key file"));
            if (!key) {
                out.troubles.push_back(fmt::format("the key of {}: {}", each.name, key.error()));
                continue;
            }
            one.chain = std::move(each.chain);
            one.key = std::move(*key);
        }
        out.certificates.push_back(std::move(one));
    }
    return out;
}

} // namespace mailtight::app
