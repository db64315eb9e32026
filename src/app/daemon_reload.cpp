// SPDX-License-Identifier: Apache-2.0
// Reload: configuration, certificates and domains again, while everything goes on. All or nothing up to the
// point where nothing can fail any more.
#include "app/daemon_core.h"
#include "app/pages_part.h"
#include "app/publish_part.h"
#include "app/sending_part.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::app {

namespace {

/// Puts back what cannot change, and says what differs.
std::vector<std::string> keep_fixed(settings& now, const settings& before) {
    std::vector<std::string> changed;
    for (const auto& key : setting_keys()) {
        if (!needs_restart(key))
            continue;
        std::visit(
            [&](auto field) {
                if (now.*field == before.*field)
                    return;
                changed.push_back(fmt::format("{}.{}", key.section, key.name));
                now.*field = before.*field;
            },
            key.field);
    }
    return changed;
}

} // namespace

io::task<std::expected<std::vector<std::string>, std::string>> reload(daemon_core& core) {
    auto failed = [&core](const std::string& why) {
        core.log->write(base::event::reload_failed, {{"error", why}});
        return std::unexpected(why);
    };
    auto fresh = core.common.read_again();
    if (!fresh)
        co_return failed(fresh.error());
    auto restart = keep_fixed(*fresh, core.set);
    if (serves_policies(*fresh) != (core.sending != nullptr)) {
        restart.emplace_back("resolve"); // a part that begins or ends
        fresh->socketmap_listen = core.set.socketmap_listen;
        fresh->tcp_table_listen = core.set.tcp_table_listen;
        fresh->lines_listen = core.set.lines_listen;
    }
    // How the listeners of the pages speak is fixed; with which certificates is not.
    const bool pages_speak_otherwise =
        core.pages && fresh->web_certificates.empty() != core.set.web_certificates.empty();
    if (pages_speak_otherwise) {
        restart.emplace_back("web.tls-certificates");
        fresh->web_certificates = core.set.web_certificates;
    }
    auto names = our_domains(*fresh);
    if (!names)
        co_return failed(names.error());
    if (auto publishing = publish_settings_of(*fresh); !publishing)
        co_return failed(publishing.error());
    if (!fresh->tls_certificates.empty())
        if (auto loaded = core.certificates.load(certificate_files(fresh->tls_certificates)); !loaded)
            co_return failed(
                fmt::format("serve.tls-certificates: {}{}", loaded.error(),
                            core.set.user.empty() ? "" : " (read again as user " + core.set.user + ")"));

    if (core.pages)
        if (auto prepared = core.pages->prepare_change(*fresh, !pages_speak_otherwise); !prepared)
            co_return failed(prepared.error());
    if (core.sending)
        if (auto prepared = core.sending->prepare_change(*fresh); !prepared)
            co_return failed(prepared.error());

    // The domains: added in the store first, since their tokens come from there.
    const auto domains_before = core.domains.size();
    if (auto taken = co_await take_domains(core, *names, fresh->count_unverified); !taken) {
        if (takes_reports(*fresh) || !core.sending)
            co_return failed(words(taken.error()));
        core.domains_known = false; // watch_parts() takes them when the store is back
    }
    if (core.domains.size() != domains_before)
        core.log->write(base::event::domains_changed, {{"domains", std::to_string(core.domains.size())}});
    core.set = std::move(*fresh);
    if (core.sending)
        core.sending->change();
    if (core.pages)
        core.pages->change();
    core.book = intake::address_book(core.set.mailboxes);
    core.book.set_domains(core.domains);
    core.log->set_level(base::parse_log_level(core.set.log_level).value_or(base::log_level::info));
    core.alarms->wake();
    core.log->write(base::event::reloaded, {{"domains", std::to_string(core.domains.size())},
                                            {"restart", fmt::format("{}", fmt::join(restart, ","))}});
    co_return restart;
}

io::task<store::result<void>> take_domains(daemon_core& core, std::vector<std::string> names,
                                           bool count_unverified) {
    auto found = std::make_shared<std::vector<store::own_domain>>();
    if (core.carrying)
        for (auto& more : co_await core.carrying->reporting_here())
            names.push_back(std::move(more));
    auto done = co_await core.keeper->write([found, wanted = std::move(names), count_unverified,
                                             now = core.now()](store::store& to) -> store::result<void> {
        if (auto added = to.add_domains(wanted, now); !added)
            return added;
        if (auto counted = to.count_unverified(count_unverified); !counted)
            return counted;
        auto domains = to.domains();
        if (!domains)
            return std::unexpected(domains.error());
        *found = std::move(*domains);
        return {};
    });
    if (!done)
        co_return done;
    core.domains = std::move(*found);
    core.domains_known = true;
    core.book.set_domains(core.domains);
    co_return done;
}

} // namespace mailtight::app
