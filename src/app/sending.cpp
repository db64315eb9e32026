// SPDX-License-Identifier: Apache-2.0
#include "app/sending.h"

#include "app/doctor_mta.h"
#include "app/store_access.h"
#include "app/typed.h"
#include "base/text.h"
#include "mail/next_hop.h"
#include "resolve/policy_fetch.h"
#include "resolve/testing_probe.h"

#include <fmt/format.h>

#include <algorithm>

#include <unistd.h>

namespace mailtight::app {

namespace {

constexpr std::size_t main_cf_bytes = 1024 * 1024;
constexpr const char* main_cf_file = "/etc/postfix/main.cf";

std::string host_name() {
    char name[256] = {};
    return ::gethostname(name, sizeof name - 1) == 0 ? name : "";
}

std::expected<resolve::dialect, std::string> dialect_named(std::string_view key, std::string_view name) {
    if (const auto found = resolve::dialect_of(name))
        return *found;
    return std::unexpected(fmt::format("{}: there is no dialect '{}'", key, base::printable(name, 60)));
}

} // namespace

std::expected<std::vector<std::string>, std::string> prefetch_list(const settings& from) {
    return read_names("resolve.prefetch", from.prefetch, from.prefetch_file,
                      [](std::string_view text) -> std::expected<std::string, std::string> {
                          auto hop = mail::parse_next_hop(text);
                          if (!hop.can_have_policy())
                              return std::unexpected(std::string(mail::explain(hop.what)));
                          return std::move(hop.domain);
                      });
}

std::expected<resolve::service_options, std::string> service_options_of(const settings& from) {
    auto prefetch = prefetch_list(from);
    if (!prefetch)
        return std::unexpected(prefetch.error());
    resolve::service_options made;
    made.budget = from.answer_budget;
    made.deciding.defer_on_dns_error = from.on_dns_error == "defer";
    made.looking.half_dane = from.half_dane;
    made.domains = std::max<std::size_t>(from.cache_domains, 1);
    made.bytes = static_cast<std::size_t>(std::max<std::uint64_t>(from.cache_memory, 1)) << 20;
    made.fetches = std::max<std::size_t>(from.policy_fetches, 1);
    made.refreshes_a_second = std::max<std::size_t>(from.policy_refreshes, 1);
    made.prefetch = std::move(*prefetch);
    return made;
}

std::expected<resolve::front_options, std::string> front_options_of(const settings& from,
                                                                    std::string_view main_cf) {
    resolve::front_options made;
    made.replies.mta_has_dane =
        from.mta_dane == "yes" ||
        (from.mta_dane == "auto" && main_cf_value(main_cf, "smtp_dns_support_level") == "dnssec");
    for (const auto& text : from.map_names) {
        const auto equals = text.find('=');
        if (equals == std::string::npos || equals == 0)
            return std::unexpected(
                fmt::format("resolve.map-names: '{}' is no NAME=DIALECT", base::printable(text, 100)));
        auto dialect = dialect_named("resolve.map-names", base::trim(text.substr(equals + 1)));
        if (!dialect)
            return std::unexpected(dialect.error());
        made.aliases[std::string(base::trim(text.substr(0, equals)))] = *dialect;
    }
    auto dialect = dialect_named("resolve.tcp-table-dialect", from.tcp_table_dialect);
    if (!dialect)
        return std::unexpected(dialect.error());
    made.tcp_table = *dialect;
    return made;
}

std::string main_cf_here() {
    return read_bytes(main_cf_file, main_cf_bytes).value_or("");
}

std::string machine_name_of(const settings& from) {
    return from.machine_name.empty() ? host_name() : from.machine_name;
}

resolve::keeper_options keeper_options_of(const settings& from) {
    resolve::keeper_options made;
    made.database.where = store_place(from);
    made.machine = machine_name_of(from);
    return made;
}

resolve::fetch_fn fetcher_of(world& with, const settings& from) {
    return resolve::policy_fetcher(with.probe_context(), *with.dns,
                                   {.any_content_type = !from.require_text_plain});
}

resolve::probe_fn prober_of(world& with, const settings& from) {
    if (!from.probe_testing)
        return {};
    return resolve::testing_prober(with.probe_context(), *with.dns);
}

} // namespace mailtight::app
