// SPDX-License-Identifier: Apache-2.0
#include "app/domain_desk_state.h"

#include "app/domain_access.h"
#include "app/policy_time.h"
#include "app/report_domains.h"
#include "app/sending.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace mailtight::app {

namespace {

using api::refusal;
using api::told;
using namespace std::chrono_literals;

constexpr auto fetches_shown = std::chrono::days(14);
constexpr std::size_t states_shown = 50;

overview_sources sources_of(const settings& from) {
    const auto where = store_place(from);
    // The tables of domains are made where nobody has yet: not read-only.
    return {.domains = [where] { return store::open_domains({.where = where}); },
            .reports = [where] { return store::open({.where = where, .read_only = true, .create = false}); }};
}

} // namespace

refusal refuse(refusal::kind what, std::string words) {
    return {.what = what, .words = std::move(words)};
}

refusal store_away(const store::store_error& error) {
    return refuse(refusal::kind::away, "the database: " + base::printable(error.message, 500));
}

std::expected<std::unique_ptr<api::domain_desk>, std::string> make_domain_desk(daemon_core& core) {
    auto say = publish_settings_of(core.set);
    if (!say)
        return std::unexpected(say.error());
    return std::make_unique<daemon_domain_desk>(core, std::move(*say));
}

daemon_domain_desk::daemon_domain_desk(daemon_core& core, publish_settings say)
    : core_(core)
    , say_(std::move(say))
    , worker_(core.loop(), "domains")
    , table_(core.loop(), policy_time(), sources_of(core.set)) {}

daemon_domain_desk::~daemon_domain_desk() = default;

io::task<told<void>> daemon_domain_desk::ready() {
    while (opening_)
        co_await core_.loop().sleep_for(5ms);
    if (kept_)
        co_return told<void>{};
    opening_ = true;
    using opened = store::result<std::shared_ptr<store::domain_store>>;
    auto made = co_await worker_.run<opened>([where = store_place(core_.set)]() -> opened {
        auto fresh = store::open_domains({.where = where});
        if (!fresh)
            return std::unexpected(fresh.error());
        return std::shared_ptr<store::domain_store>(std::move(*fresh));
    });
    opening_ = false;
    if (!made)
        co_return std::unexpected(store_away(made.error()));
    kept_ = std::move(*made);
    hands_ = std::make_unique<publish_hands>(publish_needs{
        .with = *core_.with,
        .set = core_.set,
        .say = say_,
        .store_thread = worker_,
        .policy_time = policy_time(),
        .report_addresses = [this](const std::string& domain) -> std::vector<std::string> {
            const auto found = std::ranges::find(core_.domains, domain, &store::own_domain::name);
            return found == core_.domains.end() ? std::vector<std::string>{}
                                                : report_addresses(core_.set, *found);
        },
        .kept = kept_.get()});
    auto hands = hands_->all();
    hands.get_certificate = [](store::due_work&, std::string) -> io::task<publish::done_by_hand> {
        co_return publish::done_by_hand{
            .ok = false,
            .words = "certificates are got where [publish] and [certificates] are configured",
            .again = {}};
    };
    publish::carrier_options options;
    options.machine = "pages on " + machine_name_of(core_.set);
    own_ = std::make_unique<publish::carrier>(core_.loop(), worker_, *kept_, std::move(hands), policy_time(),
                                              std::move(options), publish::carrier::heard{});
    co_return told<void>{};
}

io::task<told<model::looked_after>> daemon_domain_desk::theirs(std::string domain, const api::caller& by) {
    if (auto open = co_await ready(); !open)
        co_return std::unexpected(open.error());
    auto found = co_await ask<std::optional<model::looked_after>>(
        [domain = std::move(domain)](store::domain_store& from) { return from.find(domain); });
    if (!found)
        co_return std::unexpected(store_away(found.error()));
    if (!*found || !by.sees((*found)->owner))
        co_return std::unexpected(refuse(refusal::kind::absent, "no such domain is looked after"));
    co_return std::move(**found);
}

io::task<told<api::overview_page>> daemon_domain_desk::pick(api::overview_question which) {
    auto all = co_await table_.rows();
    if (!all)
        co_return std::unexpected(store_away(all.error()));
    co_return co_await worker_.run<api::overview_page>(
        [all = std::move(*all), which = std::move(which)] { return api::pick(*all, which); });
}

io::task<told<api::overview_page>> daemon_domain_desk::overview(api::overview_question which) {
    return pick(std::move(which));
}

io::task<told<std::string>> daemon_domain_desk::overview_table(api::overview_question which) {
    which.offset = 0;
    which.limit = std::numeric_limits<std::size_t>::max();
    auto page = co_await pick(std::move(which));
    if (!page)
        co_return std::unexpected(page.error());
    co_return co_await worker_.run<std::string>(
        [page = std::move(*page)] { return api::overview_csv(page); });
}

io::task<told<std::map<std::string, std::size_t>>>
daemon_domain_desk::labels(std::optional<std::string> owner) {
    auto all = co_await table_.rows();
    if (!all)
        co_return std::unexpected(store_away(all.error()));
    if (!*all)
        co_return std::map<std::string, std::size_t>();
    co_return co_await worker_.run<std::map<std::string, std::size_t>>(
        [all = std::move(*all), owner = std::move(owner)] { return api::labels_of(*all, owner); });
}

io::task<api::domain_file> daemon_domain_desk::file_of(model::looked_after wish, bool with_look) {
    api::domain_file out;
    if (with_look) {
        auto look = co_await ask<std::optional<model::kept_look>>(
            [domain = wish.domain](store::domain_store& from) { return from.last_look(domain); });
        if (look)
            out.look = std::move(*look);
        if (const auto all = co_await table_.rows(); all && *all) {
            const auto found =
                std::ranges::lower_bound(**all, wish.domain, {}, [](const auto& row) { return row->domain; });
            if (found != (*all)->end() && (*found)->domain == wish.domain)
                out.row = std::make_shared<const api::overview_row>(api::with_wish(**found, wish));
        }
    }
    if (!out.row)
        out.row = std::make_shared<const api::overview_row>(api::make_row(wish, nullptr, {}));
    out.wish = std::move(wish);
    co_return out;
}

io::task<told<api::domain_file>> daemon_domain_desk::find(std::string domain, api::caller by) {
    auto wish = co_await theirs(std::move(domain), by);
    if (!wish)
        co_return std::unexpected(wish.error());
    co_return co_await file_of(std::move(*wish), true);
}

io::task<told<api::domain_past>> daemon_domain_desk::past(std::string domain, std::int64_t before,
                                                          std::size_t limit, api::caller by) {
    const auto wish = co_await theirs(std::move(domain), by);
    if (!wish)
        co_return std::unexpected(wish.error());
    const auto since = std::chrono::floor<std::chrono::days>(policy_time().now()) - fetches_shown;
    auto all =
        co_await ask<api::domain_past>([name = wish->domain, before, limit,
                                        since](store::domain_store& from) -> store::result<api::domain_past> {
            api::domain_past out;
            auto changes = from.changes(name, before, limit);
            if (!changes)
                return std::unexpected(changes.error());
            out.changes = std::move(*changes);
            if (before > 0) // a further page of the changes
                return out;
            auto served = from.served(name);
            if (!served)
                return std::unexpected(served.error());
            out.served = std::move(*served);
            auto fetches = from.fetches(name, since);
            if (!fetches)
                return std::unexpected(fetches.error());
            out.fetches = std::move(*fetches);
            auto states = from.history(name, states_shown);
            if (!states)
                return std::unexpected(states.error());
            out.states = std::move(*states);
            return out;
        });
    if (!all)
        co_return std::unexpected(store_away(all.error()));
    co_return std::move(*all);
}

} // namespace mailtight::app
