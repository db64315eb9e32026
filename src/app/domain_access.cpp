// SPDX-License-Identifier: Apache-2.0
#include "app/domain_access.h"

#include "app/control_client.h"
#include "app/domain_book.h"
#include "app/policy_time.h"
#include "app/store_access.h"
#include "base/crypto/sealed.h"
#include "base/text.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <pwd.h>
#include <unistd.h>

namespace mailtight::app {

namespace {

constexpr std::size_t woken_most = 1'000; ///< of more the daemon finds the rest by itself
constexpr std::size_t page = 1'000;

} // namespace

std::expected<std::unique_ptr<store::domain_store>, std::string> open_domains_to_ask(const settings& from) {
    auto place = place_to_ask(from, "mailtight domain add");
    if (!place)
        return std::unexpected(std::move(place.error()));
    auto opened = store::open_domains({.where = *place, .read_only = true, .create = false});
    if (!opened)
        return std::unexpected(words(opened.error()));
    return std::move(*opened);
}

std::expected<std::unique_ptr<store::domain_store>, std::string>
open_domains_to_change(const settings& from) {
    const std::string place = store_place(from);
    if (auto made = prepare_place(place); !made)
        return std::unexpected(made.error());
    auto opened = store::open_domains({.where = place});
    if (!opened)
        return std::unexpected(words(opened.error()));
    leave_to_owner(place);
    return std::move(*opened);
}

std::unique_ptr<store::domain_store> open_domains_if_there(const settings& from) {
    const std::string place = store_place(from);
    if (!store::is_postgres(place) && ::access(place.c_str(), R_OK) != 0)
        return nullptr;
    auto opened = store::open_domains({.where = place,
                                       .read_only = true,
                                       .create = false,
                                       .wait_for_lock = std::chrono::milliseconds(1'000)});
    return opened ? std::move(*opened) : nullptr;
}

std::expected<std::optional<std::string>, std::string> sealed_under(const settings& from) {
    const std::string place = store_place(from);
    std::error_code error;
    if (!store::is_postgres(place) && !std::filesystem::exists(place, error))
        return std::optional<std::string>{};
    const auto kept = store::open_domains({.where = place, .read_only = true, .create = false});
    if (!kept) {
        using enum store::store_error::kind;
        if (kept.error().what == nothing || kept.error().what == wrong)
            return std::optional<std::string>{}; // no domains are in it yet, or it waits for its upgrade
        return std::unexpected(words(kept.error()));
    }
    const auto all = (*kept)->secrets("");
    if (!all)
        return std::unexpected(words(all.error()));
    for (const auto& [name, sealed] : *all)
        if (auto id = base::sealing_key::id_of(sealed))
            return id;
    for (std::int64_t change = 0;;) {
        const auto some = (*kept)->certificates_after(change, page);
        if (!some)
            return std::unexpected(words(some.error()));
        for (const auto& each : *some) {
            change = std::max(change, each.change);
            if (auto id = base::sealing_key::id_of(each.sealed_key); id && !each.gone)
                return id;
        }
        if (some->size() < page)
            return std::optional<std::string>{};
    }
}

std::string person() {
    if (const char* behind = std::getenv("SUDO_USER"); behind && *behind)
        return base::printable(behind, 64);
    std::array<char, 4'096> buffer;
    passwd entry{};
    passwd* found = nullptr;
    if (::getpwuid_r(::getuid(), &entry, buffer.data(), buffer.size(), &found) == 0 && found)
        return found->pw_name;
    return fmt::format("uid {}", ::getuid());
}

std::expected<void, std::string> begin_work(const settings& from, store::domain_store& kept,
                                            std::span<const std::string> domains, base::utc_seconds now) {
    if (auto due = make_due(from, kept, domains, now); !due)
        return std::unexpected(words(due.error()));
    wake_daemon(from, domains);
    return {};
}

void wake_daemon(const settings& from, std::span<const std::string> domains) {
    boost::json::array names;
    for (const auto& domain : domains.first(std::min(domains.size(), woken_most)))
        names.emplace_back(domain);
    io::loop loop;
    static_cast<void>(call_daemon(loop, from, "/wake",
                                  boost::json::serialize(boost::json::object{{"domains", std::move(names)}}),
                                  "POST", std::chrono::seconds(10)));
}

bool daemon_carries_out(const settings& from) {
    io::loop loop;
    return call_daemon(loop, from, "/wake", R"({"domains":[]})", "POST", std::chrono::seconds(10))
        .has_value();
}

base::utc_seconds policy_now(const settings& from) {
    io::loop loop;
    const auto told = call_daemon(loop, from, "/time", {}, "GET", std::chrono::seconds(5));
    if (told && told->is_object())
        if (const auto* now = told->as_object().if_contains("now"); now && now->is_string())
            if (const auto at = base::parse_utc(now->as_string()))
                return *at;
    return policy_time().now();
}

store::result<std::vector<std::string>> all_names(store::domain_store& kept) {
    std::vector<std::string> names;
    store::domain_question which{.limit = page};
    for (bool more = true; more;) {
        auto some = kept.list(which);
        if (!some)
            return std::unexpected(some.error());
        more = some->size() == page;
        for (auto& each : *some)
            names.push_back(std::move(each.domain));
        if (more)
            which.after = names.back();
    }
    return names;
}

store::result<std::vector<model::looked_after>> all_domains(store::domain_store& kept,
                                                            store::domain_question which) {
    std::vector<model::looked_after> all;
    which.limit = page;
    for (;;) {
        auto some = kept.list(which);
        if (!some)
            return std::unexpected(some.error());
        const bool more = some->size() == page;
        if (more)
            which.after = some->back().domain;
        all.insert(all.end(), std::make_move_iterator(some->begin()), std::make_move_iterator(some->end()));
        if (!more)
            return all;
    }
}

} // namespace mailtight::app
