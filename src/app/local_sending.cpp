// SPDX-License-Identifier: Apache-2.0
#include "app/local_sending.h"

#include "base/text.h"
#include "mail/next_hop.h"

#include <fmt/format.h>

#include <cstring>

#include <unistd.h>

namespace mailtight::app {

namespace {

/// What a command sees of the store: one destination and the exceptions. Nothing is written.
class glimpse final : public store::policy_store {
public:
    std::optional<model::kept_policy> row;
    std::vector<model::policy_override> exceptions;

    store::result<void> put(std::span<const model::kept_policy>) override { return {}; }
    store::result<void> remove(std::span<const std::string>) override { return {}; }
    store::result<std::optional<model::kept_policy>> get(std::string_view domain) override {
        return row && row->domain == domain ? row : std::nullopt;
    }
    store::result<void> each(const std::function<bool(model::kept_policy)>& take) override {
        if (row)
            take(*row);
        return {};
    }
    store::result<std::vector<model::kept_policy>> after(std::string_view, std::size_t,
                                                         std::string_view) override {
        return std::vector<model::kept_policy>();
    }
    store::result<changes> since(std::int64_t mark, std::size_t) override {
        changes all;
        all.mark = 1;
        if (mark == 0 && row)
            all.rows.push_back(*row);
        return all;
    }
    store::result<bool> lease(std::string_view, std::string_view, std::chrono::seconds,
                              base::utc_seconds) override {
        return true;
    }
    store::result<void> release(std::string_view, std::string_view) override { return {}; }
    store::result<std::uint64_t> count() override { return row ? 1 : 0; }
    store::result<void> set_override(const model::policy_override&) override { return {}; }
    store::result<bool> remove_override(std::string_view) override { return false; }
    store::result<std::vector<model::policy_override>> overrides() override { return exceptions; }
    store::result<void> put_verdicts(std::span<const model::testing_verdict>, base::utc_seconds) override {
        return {};
    }
    store::result<std::vector<model::testing_verdict>> verdicts(std::string_view) override {
        return std::vector<model::testing_verdict>();
    }
};

/// Reads it, where there is a store and it may be read; `notes` says what could not be.
std::unique_ptr<glimpse> look_into_store(const settings& from, const std::string& key,
                                         std::vector<std::string>& notes) {
    auto seen = std::make_unique<glimpse>();
    const std::string place = store_place(from);
    if (!store::is_postgres(place) && ::access(place.c_str(), R_OK) != 0)
        return seen; // nothing is kept, or not for us
    auto store = policies_to_ask(from);
    if (!store) {
        notes.push_back(store.error());
        return seen;
    }
    if (auto kept = (*store)->get(mail::parse_next_hop(key).domain))
        seen->row = std::move(*kept);
    else
        notes.push_back(words(kept.error()));
    if (auto all = (*store)->overrides())
        seen->exceptions = std::move(*all);
    else
        notes.push_back(words(all.error()));
    return seen;
}

} // namespace

std::string path_segment(std::string_view text) {
    std::string out;
    for (const char c : text)
        if (base::is_alnum(c) || c == '.' || c == '-' || c == '_')
            out += c;
        else
            out += fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    return out;
}

std::expected<std::unique_ptr<store::policy_store>, std::string> policies_if_any(const settings& from) {
    if (no_store_yet(from))
        return nullptr;
    auto place = place_to_ask(from);
    if (!place)
        return std::unexpected(std::move(place.error()));
    auto opened = store::open_policies({.where = *place, .read_only = true, .create = false});
    if (!opened && opened.error().what == store::store_error::kind::nothing)
        return nullptr;
    if (!opened)
        return std::unexpected(words(opened.error()));
    return std::move(*opened);
}

std::expected<std::unique_ptr<store::policy_store>, std::string> policies_to_ask(const settings& from) {
    auto opened = policies_if_any(from);
    if (opened && !*opened)
        return std::unexpected(fmt::format("no policy is kept at {} yet: mailtight serve keeps them",
                                           base::printable(store_name(store_place(from)))));
    return opened;
}

std::expected<writable_policies, std::string> policies_to_write(const settings& from) {
    auto base = open_to_write(from); // the file with its owner, and the reports' part of the schema
    if (!base)
        return std::unexpected(base.error());
    auto opened = store::open_policies({.where = store_place(from)});
    if (!opened)
        return std::unexpected(words(opened.error()));
    return writable_policies{std::move(base->lock), std::move(*opened)};
}

std::expected<std::unique_ptr<local_sending>, std::string>
local_sending::make(const settings& from, const std::string& key, std::vector<std::string>& notes) {
    auto made = std::make_unique<local_sending>();
    auto with = world::make(from, {});
    if (!with)
        return std::unexpected(with.error());
    made->with_ = std::move(*with);
    auto& loop = made->with_->loop;
    auto fronts = front_options_of(from, main_cf_here());
    if (!fronts)
        return std::unexpected(fronts.error());
    made->replies_ = fronts->replies;
    auto options = service_options_of(from);
    if (!options)
        return std::unexpected(options.error());
    options->prefetch.clear();
    made->keeper_ = std::make_unique<resolve::keeper>(
        loop, made->with_->clock, look_into_store(from, key, notes), resolve::keeper_options{});
    made->service_ = std::make_unique<resolve::service>(loop, *made->with_->dns, made->with_->clock,
                                                        fetcher_of(*made->with_, from), resolve::probe_fn{},
                                                        *made->keeper_, std::move(*options));
    if (auto begun = loop.block_on(made->service_->start()); !begun)
        return std::unexpected(words(begun.error()));
    return made;
}

resolve::shared_decision local_sending::decide(const std::string& key, bool live) {
    return with_->loop.block_on(live ? service_->look_live(key) : service_->decide(key));
}

resolve::service::refreshed local_sending::refresh(const std::string& key) {
    return with_->loop.block_on(service_->refresh(key));
}

std::optional<model::kept_policy> local_sending::kept(const std::string& domain) const {
    return service_->policies().get(domain);
}

} // namespace mailtight::app
