// SPDX-License-Identifier: Apache-2.0
#include "app/report_domains.h"

#include "app/control_client.h"
#include "app/store_access.h"
#include "intake/keeper.h"
#include "tlsrpt/record.h"

namespace mailtight::app {

bool reports_come_here(const settings& from, const model::looked_after& domain) {
    return domain.rua.empty() && from.publish_rua.empty() && domain.aim != model::aim::off &&
           (!from.mailboxes.empty() || !from.report_url.empty());
}

std::vector<std::string> report_addresses(const settings& from, const store::own_domain& domain) {
    intake::address_book book(from.mailboxes);
    book.set_domains({domain});
    std::vector<std::string> typed;
    if (!from.mailboxes.empty())
        typed.push_back("mailto:" + book.mail_address(domain.name));
    if (!from.report_url.empty()) {
        std::string url = from.report_url;
        while (url.ends_with('/'))
            url.pop_back();
        typed.push_back(url + book.url_path(domain.name));
    }
    std::vector<std::string> all;
    for (const auto& text : typed)
        if (auto uri = tlsrpt::understand_rua(text))
            all.push_back(std::move(uri->text));
    return all;
}

std::expected<void, std::string> tell_reports_of(const settings& from,
                                                 std::span<const model::looked_after> domains) {
    std::vector<std::string> names;
    for (const auto& domain : domains)
        if (reports_come_here(from, domain))
            names.push_back(domain.domain);
    if (names.empty())
        return {};
    io::loop loop;
    const auto told = call_daemon(loop, from, "/reload", {}, "POST"); // it takes them from the database
    if (told || told.error().what == control_error::kind::broken)
        return {};
    if (told.error().what == control_error::kind::refused)
        return std::unexpected("the daemon learns of them at its next reload: " + told.error().message);
    auto store = open_to_write(from);
    if (!store)
        return std::unexpected(store.error());
    const base::system_clock clock;
    if (auto added = store->opened->add_domains(names, clock.now()); !added)
        return std::unexpected(words(added.error()));
    return {};
}

} // namespace mailtight::app
