// SPDX-License-Identifier: Apache-2.0
#include "app/pages_certificates.h"

#include "app/policy_time.h"
#include "app/publish_part.h"
#include "app/sending.h"
#include "app/store_access.h"
#include "base/text.h"
#include "publish/preflight.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace mailtight::app {

namespace {

using namespace std::chrono_literals;

constexpr std::string_view dns_prefix = "_acme-challenge.";
constexpr std::uint32_t told_tries = 3;          ///< so many are told by an alarm
constexpr auto ends_soon = std::chrono::days(7); ///< of a long life; of a short one a sixth

/// Whether one of these addresses has that port.
bool has_port(const std::vector<std::string>& listeners, std::uint16_t usual, std::uint16_t port) {
    return std::ranges::any_of(listeners, [&](const std::string& text) {
        const auto at = io::parse_listen_address(text, usual);
        return at && at->tcp && at->tcp->port == port;
    });
}

bool answers_port_443(const settings& of) {
    constexpr std::uint16_t https = 443;
    return has_port(of.web_listen, 8460, https) || has_port(of.publish_listen, https, https) ||
           has_port(of.https_listen, https, https);
}

bool answers_port_80(const settings& of) {
    constexpr std::uint16_t http = 80;
    const bool shared = std::ranges::find(of.publish_listen, "https") != of.publish_listen.end();
    return has_port(of.web_http_listen, http, http) || has_port(of.publish_http_listen, http, http) ||
           (shared && has_port(of.plain_listen, http, http));
}

bool is_below(std::string_view name, std::string_view zone) {
    return name == zone ||
           (name.size() > zone.size() && name.ends_with(zone) && name[name.size() - zone.size() - 1] == '.');
}

boost::json::value time_or_null(const std::optional<base::utc_seconds>& at) {
    return at ? boost::json::value(base::format_utc(*at)) : boost::json::value(nullptr);
}

} // namespace

std::expected<std::vector<std::string>, std::string> names_for_acme(const settings& from) {
    if (!from.web_certificates.empty())
        return std::unexpected("web.acme and web.tls-certificates are two ways to the same: take one out");
    std::vector<std::string> names;
    for (const auto& host : from.web_hosts) {
        if (host.starts_with("*."))
            return std::unexpected(fmt::format(
                "web.acme: no certificate can be had for \"{}\": write out each name in web.hosts",
                base::printable(host, 300)));
        auto name = base::lower(host);
        if (!base::ip_address::parse(name) && name != "localhost" &&
            std::ranges::find(names, name) == names.end())
            names.push_back(std::move(name));
    }
    if (names.empty())
        return std::unexpected("web.acme needs web.hosts: the names under which browsers reach the pages, "
                               "such as [\"mailtight.example.com\"]; a certificate is asked for each");
    if (!from.acme_agree)
        return std::unexpected(fmt::format(
            "web.acme needs certificates.agree-to-terms = true: without your agreement to the terms "
            "of {} no certificate is asked for",
            base::printable(from.acme_directory, 200)));
    return names;
}

pages_certificates::pages_certificates(daemon_core& core, publish_settings say,
                                       std::vector<std::string> names, std::function<void()> swapped)
    : core_(core)
    , say_(std::move(say))
    , worker_(std::make_unique<io::worker>(core.loop(), "pages")) {
    // Beside what carries out plans: one process, yet two holders of leases.
    say_.issuing.machine += "/pages";
    if (!core.set.acme_ca_file.empty())
        own_roots_ = std::make_unique<io::tls_client>(core.set.acme_ca_file);
    publish::name_certificates_hands with;
    with.open = [where = store_place(core.set),
                 who = say_.issuing.machine]() -> store::result<std::shared_ptr<store::domain_store>> {
        auto made = store::open_domains({.where = where});
        if (!made)
            return std::unexpected(made.error());
        if (auto ended = (*made)->take_back(who); !ended) // leases of the process before this one
            return std::unexpected(ended.error());
        return std::shared_ptr<store::domain_store>(std::move(*made));
    };
    with.opened = [this](store::domain_store& kept) { opened(kept); };
    with.issue = [this](store::due_work& work, std::string host) {
        return issuer_->issue_name(work, std::move(host));
    };
    with.renewal = [this](store::kept_certificate of) { return issuer_->renewal_of(std::move(of)); };
    with.told = [this](const std::string& name, const publish::issued& done) { told(name, done); };
    with.trouble = [this](std::string_view words) {
        core_.log->write(base::event::hosting_trouble, {{"error", base::printable(words, 500)}});
    };
    with.swapped = std::move(swapped);
    keeper_ = std::make_unique<publish::name_certificates>(
        core.loop(), *worker_, core.with->clock, *core.seal, std::move(names), std::move(with),
        publish::name_certificates_options{.machine = say_.issuing.machine});
}

pages_certificates::~pages_certificates() = default;

void pages_certificates::opened(store::domain_store& kept) {
    kept_ = &kept;
    hands_ = std::make_unique<publish_hands>(publish_needs{.with = *core_.with,
                                                           .set = core_.set,
                                                           .say = say_,
                                                           .store_thread = *worker_,
                                                           .policy_time = policy_time(),
                                                           .report_addresses = {},
                                                           .kept = kept_});
    publish::issuer_hands with;
    with.preflight = [this](std::string host) { return preflight(std::move(host)); };
    with.dns_record = [this](std::string name, std::string value, bool put) {
        return dns_record(std::move(name), std::move(value), put);
    };
    // The policy host of this machine, or of another one, may be the one that is asked.
    const auto spread =
        std::max(keeper_->spread(), core_.hosting ? core_.hosting->spread() : std::chrono::milliseconds(0));
    with.spread = [this, spread] { return core_.loop().sleep_for(spread); };
    issuer_ = std::make_unique<publish::issuer>(
        core_.loop(), *core_.with->dns, own_roots_ ? *own_roots_ : *core_.with->tls, core_.with->guard,
        core_.with->clock, *worker_, kept, *core_.seal, say_.issuing, std::move(with));
}

/// The way of a domain above it that is looked after, else that of [dns-update].
io::task<model::looked_after> pages_certificates::way_of(std::string host) {
    model::looked_after way;
    for (std::string_view above = host; above.find('.') != above.npos;) {
        auto found = co_await worker_->run<store::result<std::optional<model::looked_after>>>(
            [kept = kept_, name = std::string(above)] { return kept->find(name); });
        if (found && *found && (*found)->dns != model::dns_way::by_hand)
            co_return std::move(**found);
        above.remove_prefix(above.find('.') + 1);
    }
    way.domain = host;
    way.dns = model::dns_way::by_hand;
    for (const auto& server : say_.servers) {
        if (!server.zone.empty() ? !is_below(host, server.zone) : say_.servers.size() != 1)
            continue;
        way.dns = model::dns_way::update;
        way.dns_server = server.name;
        co_return way;
    }
    if (say_.hook)
        way.dns = model::dns_way::hook;
    co_return way;
}

io::task<publish::preflight_verdict> pages_certificates::preflight(std::string host) {
    const auto way = co_await way_of(host);
    publish::preflight_rules rules{.looked_after = true,
                                   .ours = {},
                                   .identities = publish::caa_identities(say_.issuing.directory),
                                   .account = {},
                                   .kinds = {},
                                   .policy_host = false};
    rules.kinds = publish::kinds_here(say_.issuing.order, answers_port_443(core_.set),
                                      answers_port_80(core_.set), way.dns != model::dns_way::by_hand);
    if (rules.kinds.empty())
        co_return publish::preflight_verdict{
            .in_the_way = fmt::format("none of certificates.challenges can succeed for {} here: tls-alpn-01 "
                                      "needs port 443 in web.listen or publish.listen, http-01 port 80 in "
                                      "web.http-listen, dns-01 a server or hook in [dns-update]",
                                      host),
            .kinds = {}};
    const auto seen =
        co_await publish::look_before_name(core_.loop(), *core_.with->dns, host, publish::unlikely_label());
    co_return publish::judge(seen, rules);
}

io::task<std::string> pages_certificates::dns_record(std::string name, std::string value, bool put) {
    if (!name.starts_with(dns_prefix))
        co_return "this is no name of a challenge: " + base::printable(name, 253);
    auto way = co_await way_of(name.substr(dns_prefix.size()));
    plan::record_change change{.name = name, .type = "TXT", .add = {}, .remove = {}, .ttl = 60};
    (put ? change.add : change.remove).push_back(std::move(value));
    std::vector<plan::record_change> changes;
    changes.push_back(std::move(change));
    auto done = co_await hands_->write_records(std::move(way), std::move(changes));
    if (done.ok)
        co_return std::string();
    co_return done.words.empty() ? std::string("the record could not be written") : done.words;
}

void pages_certificates::told(const std::string& name, const publish::issued& done) {
    if (done.ok)
        core_.log->write(base::event::certificate_issued, {{"name", name}, {"words", done.words}});
    else
        core_.log->write(base::event::certificate_failed, {{"name", name}, {"error", done.words}});
}

boost::json::array pages_certificates::status_json() const {
    boost::json::array all;
    for (const auto& row : rows())
        all.push_back(boost::json::object{
            {"name", row.name},
            {"not_after", time_or_null(row.not_after)},
            {"renew_at", time_or_null(row.renew_at)},
            {"state", row.ordering    ? "ordering"
                      : row.not_after ? "served"
                                      : "waiting"},
            {"trouble", row.trouble.empty() ? boost::json::value(nullptr)
                                            : boost::json::value(base::printable(row.trouble, 500))}});
    return all;
}

std::vector<insight::alarm> pages_certificates::alarms() const {
    std::vector<insight::alarm> all;
    const auto now = core_.now();
    for (const auto& row : rows()) {
        insight::alarm alarm;
        alarm.key = "web/certificate/" + row.name;
        alarm.kind = "web";
        alarm.weight = insight::weight::error;
        const auto last = row.trouble.empty() ? std::string("nothing went wrong that is known")
                                              : base::printable(row.trouble, 300);
        if (!row.not_after) {
            if (row.tries < told_tries)
                continue;
            alarm.title = fmt::format("The pages have no certificate for {}", row.name);
            alarm.text =
                fmt::format("Nobody can open them under that name. {} tries; the last: {}", row.tries, last);
        } else {
            const auto soon =
                std::min<std::chrono::seconds>(ends_soon, (*row.not_after - *row.not_before) / 6);
            const bool ends = *row.not_after - now < soon;
            if (!ends && row.tries < told_tries)
                continue;
            alarm.title =
                *row.not_after <= now ? fmt::format("The certificate of the pages for {} has ended", row.name)
                : ends                ? fmt::format("The certificate of the pages for {} ends {}", row.name,
                                                    base::format_utc(*row.not_after))
                       : fmt::format("The certificate of the pages for {} cannot be renewed", row.name);
            alarm.text = fmt::format("{} tries to renew it; the last: {}", row.tries, last);
        }
        alarm.fix =
            fmt::format("Fix that, then: mailtight certificate renew {}. It is tried again by itself, "
                        "and mailtight certificate list says until when the present one is valid.",
                        row.name);
        all.push_back(std::move(alarm));
    }
    return all;
}

publish::issuer::counters pages_certificates::counted() const {
    return issuer_ ? issuer_->counted() : publish::issuer::counters{};
}

io::task<std::expected<void, std::string>> pages_certificates::change_account_key() {
    if (!issuer_)
        co_return std::unexpected("the database is away: nothing can be done just now");
    co_return co_await issuer_->change_account_key();
}

} // namespace mailtight::app
