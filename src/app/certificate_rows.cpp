// SPDX-License-Identifier: Apache-2.0
#include "app/certificate_rows.h"

#include "base/text.h"

#include <boost/json.hpp>

#include <algorithm>
#include <map>
#include <utility>

namespace mailtight::app {

namespace {

constexpr std::string_view host_prefix = "mta-sts.";
constexpr std::size_t page = 1'000, trouble_bytes = 300;

boost::json::value time_or_null(const std::optional<base::utc_seconds>& at) {
    return at ? boost::json::value(base::format_utc(*at)) : boost::json::value(nullptr);
}

} // namespace

store::result<std::vector<certificate_row>> certificate_rows(store::domain_store& kept) {
    std::map<std::string, certificate_row> all;
    const auto row_of = [&all](const std::string& name) -> certificate_row& {
        auto& row = all[name];
        row.name = name;
        if (name.starts_with(host_prefix))
            row.domain = name.substr(host_prefix.size());
        return row;
    };
    for (std::int64_t change = 0;;) {
        auto some = kept.certificates_after(change, page);
        if (!some)
            return std::unexpected(some.error());
        for (auto& each : *some) {
            change = std::max(change, each.change);
            if (each.gone) {
                all.erase(each.name);
                continue;
            }
            auto& row = row_of(each.name);
            row.not_before = each.not_before;
            row.not_after = each.not_after;
            row.renew_at = each.renew_at;
            row.in_use = each.proven;
            row.issuer = std::move(each.issuer);
        }
        if (some->size() < page)
            break;
    }
    for (std::string after;;) { // of those with and without a certificate
        const auto some = kept.noted_work("certificate", after, page);
        if (!some)
            return std::unexpected(some.error());
        for (const auto& each : *some)
            if (after = each.domain; !each.last_error.empty())
                row_of(std::string(host_prefix) + each.domain).trouble = each.last_error;
        if (some->size() < page)
            break;
    }
    std::vector<certificate_row> rows;
    for (auto& [name, row] : all)
        rows.push_back(std::move(row));
    return rows;
}

boost::json::array certificates_json(std::span<const certificate_row> rows) {
    boost::json::array all;
    for (const auto& row : rows)
        all.push_back(boost::json::object{
            {"name", row.name},
            {"domain", row.domain},
            {"not_before", time_or_null(row.not_before)},
            {"not_after", time_or_null(row.not_after)},
            {"renew_at", time_or_null(row.renew_at)},
            {"in_use", row.in_use},
            {"issuer", base::printable(row.issuer)},
            {"trouble", row.trouble.empty()
                            ? boost::json::value(nullptr)
                            : boost::json::value(base::printable(row.trouble, trouble_bytes))}});
    return all;
}

} // namespace mailtight::app
