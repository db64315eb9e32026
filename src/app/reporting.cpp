// SPDX-License-Identifier: Apache-2.0
#include "app/reporting.h"

#include "app/outgoing.h"
#include "app/sending.h"
#include "app/store_access.h"
#include "app/v6_standing.h"
#include "base/text.h"
#include "mail/domain_name.h"
#include "model/dns_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <filesystem>

namespace mailtight::app {

namespace {

constexpr std::size_t local_part_bytes = 64; // RFC 5321 §4.5.3.1.1

bool is_dot_atom(std::string_view text) {
    static constexpr std::string_view special = "!#$%&'*+-/=?^_`{|}~.";
    return !text.empty() && text.size() <= local_part_bytes && text.front() != '.' && text.back() != '.' &&
           text.find("..") == std::string_view::npos && std::ranges::all_of(text, [](char c) {
               return base::is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      special.find(c) != std::string_view::npos;
           });
}

/// Where mail goes straight to the receivers, `v6` knows whether it may begin with IPv6.
io::task<io::mail_sent> post_mail(world& with, io::mail_route by, std::shared_ptr<v6_memory> v6,
                                  wire::outgoing_mail mail, model::address_family family,
                                  std::string why_not) {
    if (!why_not.empty()) {
        io::mail_sent held;
        held.outcome.stage = "DKIM";
        held.outcome.text = std::move(why_not);
        co_return held;
    }
    const bool fit = v6 && family == model::address_family::any && co_await v6->fit();
    by.over = io::families_for(family, fit);
    co_return co_await io::send_mail(with.loop, *with.dns, *with.tls, with.guard, with.clock, std::move(by),
                                     std::move(mail));
}

io::task<std::optional<std::vector<std::string>>> look_up_record(world& with, std::string domain) {
    auto found = co_await with.dns->txt("_smtp._tls." + domain);
    if (model::is_dns_error(found.status))
        co_return std::nullopt;
    co_return std::move(found.texts);
}

} // namespace

std::expected<deliver::reporter, std::string> reporter_of(const settings& from) {
    const std::string typed(base::trim(from.reporter_contact));
    const auto at = typed.rfind('@');
    const auto ascii = at == std::string::npos ? std::nullopt : mail::to_ascii(typed.substr(at + 1));
    const auto domain = ascii ? mail::canonical_name(*ascii) : std::nullopt;
    if (!domain || domain->find('.') == std::string::npos || !is_dot_atom(typed.substr(0, at)))
        return std::unexpected(fmt::format("deliver.contact: '{}' is no mail address such as "
                                           "tls-reports@example.com",
                                           base::printable(typed, 100)));
    deliver::reporter who;
    who.contact = typed.substr(0, at + 1) + *domain;
    who.organization = from.reporter_organization.empty() ? *domain : from.reporter_organization;
    who.sending_address = from.sending_address;
    return who;
}

std::string dkim_folder_of(const settings& from) {
    namespace fs = std::filesystem;
    if (!from.dkim_folder.empty())
        return from.dkim_folder;
    const auto place = store_place(from);
    if (!store::is_postgres(place))
        return (fs::path(place).parent_path() / "dkim").string();
    settings local; // where a file would be
    return (fs::path(store_place(local)).parent_path() / "dkim").string();
}

deliver::guard_rails rails_of(const settings& from) {
    deliver::guard_rails made;
    made.mail = from.deliver_mail;
    made.https = from.deliver_https;
    made.per_address = from.per_address;
    made.per_host = from.per_host;
    made.per_day = from.per_day;
    made.minimum_sessions = from.minimum_sessions;
    made.success_only = from.success_only;
    for (const auto& typed : from.own_domains) {
        const auto ascii = mail::to_ascii(std::string(base::trim(typed)));
        made.own_domains.push_back(mail::canonical_name(ascii.value_or(typed)).value_or(base::lower(typed)));
    }
    made.to_self = from.report_to_self;
    return made;
}

std::string why_no_mail(const settings& from, const deliver::key_ring& keys) {
    if (!from.require_dkim || !keys.signers.empty())
        return ""; // 8460-3-j
    return "there is no DKIM key to sign with: run mailtight report keys make, publish what it prints, and "
           "start the daemon again";
}

open_results_fn results_opener(const settings& from) {
    return [where = store_place(from)] { return store::open_results({.where = where}); };
}

std::expected<std::unique_ptr<store::result_store>, std::string> results_if_any(const settings& from) {
    if (no_store_yet(from))
        return nullptr;
    auto place = place_to_ask(from);
    if (!place)
        return std::unexpected(std::move(place.error()));
    auto opened = store::open_results({.where = *place, .read_only = true, .create = false});
    if (!opened && opened.error().what == store::store_error::kind::nothing)
        return nullptr;
    if (!opened)
        return std::unexpected(words(opened.error()));
    return std::move(*opened);
}

std::expected<std::unique_ptr<store::result_store>, std::string> results_to_ask(const settings& from) {
    auto opened = results_if_any(from);
    if (opened && !*opened)
        return std::unexpected(fmt::format("no session is counted at {} yet: mailtight serve counts them",
                                           base::printable(store_name(store_place(from)))));
    return opened;
}

std::expected<deliver::sender_options, std::string> sender_options_of(const settings& from) {
    auto who = reporter_of(from);
    if (!who)
        return std::unexpected(who.error());
    auto keys = deliver::read_keys(dkim_folder_of(from), who->submitter());
    if (!keys)
        return std::unexpected("deliver.dkim-folder: " + keys.error());
    deliver::sender_options made;
    made.who = std::move(*who);
    made.rails = rails_of(from);
    made.keys = std::make_shared<const deliver::key_ring>(std::move(*keys));
    made.first_that_works = from.deliver_to == "first";
    made.tlsa_base = from.tlsa_base;
    made.ignore_certificate = from.ignore_certificate;
    made.copy_to = from.report_copy_to;
    made.dry_run = from.dry_run;
    made.machine = machine_name_of(from);
    made.at_once = std::max<std::size_t>(from.deliveries_at_once, 1);
    made.keep = std::chrono::days(std::max<std::uint64_t>(from.keep_results, 2));
    made.open = results_opener(from);
    return made;
}

std::expected<deliver::ways_out, std::string> ways_out_of(world& with, const settings& from,
                                                          std::function<std::string()> may_mail) {
    auto route = mail_route(from, with.probes.ehlo_name);
    if (!route)
        return std::unexpected("mail.password-file: " + route.error());
    std::shared_ptr<v6_memory> v6;
    if (const auto who = reporter_of(from); who && route->how == io::mail_route::kind::direct)
        v6 = std::make_shared<v6_memory>(with, who->submitter());
    deliver::ways_out out;
    out.mail = [&with, by = std::move(*route), v6 = std::move(v6),
                why = std::move(may_mail)](wire::outgoing_mail mail, model::address_family family) {
        return post_mail(with, by, v6, std::move(mail), family, why ? why() : std::string());
    };
    out.post = [&with](io::http_call call) {
        return io::http_request(with.loop, *with.dns, *with.tls, with.guard, with.clock, std::move(call));
    };
    out.record = [&with](std::string domain) { return look_up_record(with, std::move(domain)); };
    return out;
}

tally::collector_options collector_options_of(const settings& from) {
    tally::collector_options made;
    made.machine = machine_name_of(from);
    made.due_spread = std::chrono::duration_cast<std::chrono::seconds>(from.report_spread);
    made.counting.faults_per_policy = std::max<std::size_t>(from.faults_per_policy, 1);
    made.open = results_opener(from);
    return made;
}

std::optional<unsigned> parse_permissions(std::string_view text) {
    unsigned value = 0;
    const auto* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value, 8);
    if (text.empty() || text.size() > 4 || error != std::errc{} || stop != end || value > 0777)
        return {};
    return value;
}

} // namespace mailtight::app
