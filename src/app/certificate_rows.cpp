// SPDX-License-Identifier: Apache-2.0
#include "app/certificate_rows.h"

#include "base/text.h"
#include "publish/certificate_folder.h"
#include "publish/name_certificates.h"

#include <boost/json.hpp>

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

namespace mailtight::app {

namespace {

constexpr std::string_view host_prefix = "mta-sts.";
constexpr auto forgotten_after = std::chrono::days(7);
constexpr std::size_t page = 1'000, trouble_bytes = 300;

boost::json::value time_or_null(const std::optional<base::utc_seconds>& at) {
    return at ? boost::json::value(base::format_utc(*at)) : boost::json::value(nullptr);
}

} // namespace

std::string policy_host_of(std::string_view name) {
    auto host =
        name.starts_with("*.") ? std::string(host_prefix) + std::string(name.substr(2)) : std::string(name);
    return host.starts_with(host_prefix) ? host : std::string();
}

std::vector<folder_certificate> read_certificate_folder(const std::string& folder,
                                                        std::vector<std::string>& trouble) {
    publish::certificate_folder in(folder);
    std::map<std::string, folder_certificate> newest;
    auto found = in.look();
    trouble = std::move(found.trouble);
    // What is wrong with a file is said at the second look that finds it so.
    std::ranges::move(in.look().trouble, std::back_inserter(trouble));
    for (const auto& each : found.fresh)
        for (const auto& typed : each.names) {
            const auto name = policy_host_of(typed);
            auto& one = newest[name];
            if (one.file.empty() || one.not_before < each.not_before)
                one = {name, each.file, each.not_before, each.not_after};
        }
    newest.erase("");
    std::vector<folder_certificate> all;
    for (auto& [name, one] : newest)
        all.push_back(std::move(one));
    return all;
}

store::result<std::vector<certificate_row>> certificate_rows(store::domain_store& kept,
                                                             std::span<const folder_certificate> folder,
                                                             base::utc_seconds now) {
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
    for (std::string after;;) {
        const auto some = kept.noted_work(publish::name_work, after, page);
        if (!some)
            return std::unexpected(some.error());
        for (const auto& each : *some)
            if (after = each.domain; !each.last_error.empty())
                row_of(each.domain).trouble = each.last_error;
        if (some->size() < page)
            break;
    }
    for (const auto& each : folder) {
        auto& row = row_of(each.name);
        if (row.not_before && *row.not_before > each.not_before)
            continue;
        row.not_before = each.not_before;
        row.not_after = each.not_after;
        row.renew_at.reset(); // whoever keeps the folder knows
        row.in_use = true;
        row.issuer.clear();
        row.file = each.file;
    }
    std::erase_if(all, [now](const auto& each) {
        const auto& row = each.second;
        return row.domain.empty() && row.not_after && *row.not_after + forgotten_after < now;
    });
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
            {"file",
             row.file.empty() ? boost::json::value(nullptr) : boost::json::value(base::printable(row.file))},
            {"trouble", row.trouble.empty()
                            ? boost::json::value(nullptr)
                            : boost::json::value(base::printable(row.trouble, trouble_bytes))}});
    return all;
}

} // namespace mailtight::app
