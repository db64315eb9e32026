// SPDX-License-Identifier: Apache-2.0
// The account at the authority (RFC 8555 §7.3): its key is made and sealed before the authority hears of it,
// so that no crash leaves an account behind whose key is lost. One for all machines.
#include "publish/issuer_state.h"

#include "publish/acme_words.h"

#include "base/text.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <exception>

namespace mailtight::publish {

namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

constexpr auto lease_time = 120s;
constexpr auto lease_patience = 60s;

struct kept_account {
    std::string key, url;
    std::vector<std::string> contacts;
};

std::string to_text(const kept_account& value) {
    json::array contacts;
    for (const auto& one : value.contacts)
        contacts.emplace_back(one);
    return json::serialize(json::object{{"key", value.key}, {"url", value.url}, {"contacts", contacts}});
}

std::optional<kept_account> from_text(const std::string& text) {
    boost::system::error_code wrong;
    const auto value = json::parse(text, wrong, {}, {.max_depth = 3});
    const auto* object = wrong ? nullptr : value.if_object();
    const auto word = [&](std::string_view name) {
        const auto* found = object->if_contains(name);
        return found != nullptr && found->is_string()
                   ? std::string(found->get_string().data(), found->get_string().size())
                   : std::string();
    };
    if (object == nullptr)
        return std::nullopt;
    kept_account out{.key = word("key"), .url = word("url")};
    if (const auto* all = object->if_contains("contacts"); all != nullptr && all->is_array())
        for (const auto& one : all->get_array())
            if (one.is_string())
                out.contacts.emplace_back(one.get_string().data(), one.get_string().size());
    return out;
}

} // namespace

io::task<std::expected<std::optional<std::string>, std::string>> issuer::state::secret(std::string name) {
    const auto got = co_await in_store<std::optional<std::string>>(
        [name](store::domain_store& to) { return to.secret(name); });
    if (!got)
        co_return std::unexpected(got.error().message);
    if (!*got)
        co_return std::optional<std::string>{};
    auto open = seal.open(name, **got);
    if (!open)
        co_return std::unexpected(fmt::format("the secret {} cannot be opened: {}", name, open.error()));
    co_return std::optional(std::move(*open));
}

io::task<std::expected<void, std::string>> issuer::state::put_secret(std::string name, std::string value) {
    const auto sealed = value.empty() ? std::string() : seal.seal(name, value);
    const auto done = co_await in_store<void>(
        [name, sealed](store::domain_store& to) { return to.put_secret(name, sealed); });
    if (!done)
        co_return std::unexpected(done.error().message);
    co_return std::expected<void, std::string>{};
}

io::task<std::expected<void, std::string>> issuer::state::save_account(const base::ec_key& key,
                                                                       std::string url) {
    auto text = to_text({.key = key.pem(), .url = std::move(url), .contacts = options.contacts});
    co_return co_await put_secret(account_name(), std::move(text));
}

io::task<std::expected<issuer::state::account_ptr, std::string>> issuer::state::who(bool anew) {
    if (known && !anew)
        co_return known;
    const auto permit = co_await account_gate.acquire();
    if (known && !anew)
        co_return known; // made while we waited
    // One machine at a time: two would make two accounts.
    const auto what = "acme/" + options.directory;
    std::optional<store::lease> held;
    for (const auto until = loop.now() + lease_patience; !held;) {
        auto got = co_await in_store<std::optional<store::lease>>(
            [what, who = options.machine](store::domain_store& to) {
                return to.take_lease(what, who, lease_time);
            });
        if (!got)
            co_return std::unexpected(got.error().message);
        held = std::move(*got);
        if (!held && loop.now() > until)
            co_return std::unexpected("another machine is busy with the account at the authority");
        if (!held)
            co_await loop.sleep_for(250ms);
    }
    auto done = co_await load_account(anew);
    static_cast<void>(co_await in_store<void>(
        [lease = *held](store::domain_store& to) { return to.release_lease(lease); }));
    if (done)
        known = *done;
    co_return done;
}

io::task<std::expected<issuer::state::account_ptr, std::string>> issuer::state::load_account(bool anew) {
    const auto next = co_await secret(next_key_name());
    const auto stored = co_await secret(account_name());
    if (!stored || !next)
        co_return std::unexpected(!stored ? stored.error() : next.error());
    if (!*stored) {
        auto key = base::ec_key::make();
        if (!key)
            co_return std::unexpected(key.error());
        if (const auto saved = co_await save_account(*key, ""); !saved)
            co_return std::unexpected(saved.error());
        co_return co_await register_account(std::move(*key));
    }
    auto kept_value = from_text(**stored);
    auto key = kept_value ? base::ec_key::from_pem(kept_value->key)
                          : std::expected<base::ec_key, std::string>(std::unexpected("it is damaged"));
    if (!key)
        co_return std::unexpected(fmt::format("the account's key cannot be read: {}", key.error()));
    if (*next) {
        auto old = std::make_shared<const account>(account{std::move(*key), kept_value->url});
        co_return co_await settle_key_change(**next, old);
    }
    // Another machine may have changed the key meanwhile: what it wrote is not asked about anew.
    const bool stale = anew && (!known || known->key.pem() == kept_value->key);
    if (kept_value->url.empty() || stale)
        co_return co_await register_account(std::move(*key));
    auto ready = std::make_shared<const account>(account{std::move(*key), kept_value->url});
    if (kept_value->contacts != options.contacts) {
        const auto reply =
            co_await post(ready, nullptr, ready->url, wire::contacts_payload(options.contacts), false);
        if (reply.status == 200)
            static_cast<void>(co_await save_account(ready->key, ready->url));
    }
    co_return ready;
}

/// With the same key the same account comes back, so it does no harm to ask twice (RFC 8555 §7.3).
io::task<std::expected<issuer::state::account_ptr, std::string>>
issuer::state::register_account(base::ec_key key) {
    if (!directory.terms.empty() && !options.agree)
        co_return std::unexpected(fmt::format("the authority's terms must be agreed to before it gives "
                                              "certificates: read {} and say so in the configuration",
                                              directory.terms));
    if (directory.account_binding_required && !options.eab)
        co_return std::unexpected("the authority gives certificates to its customers alone: get a key id and "
                                  "an HMAC key from it, and enter them as its external account");
    const auto reply = co_await post(
        nullptr, &key, directory.new_account,
        wire::new_account_payload(key, directory.new_account, options.contacts, options.eab), false);
    if (reply.status == 0)
        co_return std::unexpected(reply.error);
    if (reply.status != 200 && reply.status != 201)
        co_return std::unexpected(
            fmt::format("the authority makes no account: {}",
                        words_of(wire::read_acme_problem(reply.status, reply.body), "")));
    const auto made = wire::read_acme_account(reply.body);
    if (reply.location.empty())
        co_return std::unexpected("the authority made an account and did not say where it is");
    if (made && !made->status.empty() && made->status != "valid")
        co_return std::unexpected(
            fmt::format("the account at the authority is {}", base::printable(made->status, 40)));
    if (const auto saved = co_await save_account(key, reply.location); !saved)
        co_return std::unexpected(saved.error());
    co_return std::make_shared<const account>(account{std::move(key), reply.location});
}

/// A key change was begun, and nobody knows whether the authority took it: it is asked by which key it knows
/// the account.
io::task<std::expected<issuer::state::account_ptr, std::string>>
issuer::state::settle_key_change(std::string next_pem, account_ptr old) {
    auto next = base::ec_key::from_pem(next_pem);
    if (!next)
        co_return std::unexpected(fmt::format("the account's next key cannot be read: {}", next.error()));
    const auto reply =
        co_await post(nullptr, &*next, directory.new_account, wire::known_account_payload(), false);
    account_ptr now = std::move(old);
    if (reply.status == 200) {
        const auto url = reply.location.empty() ? now->url : reply.location;
        if (const auto saved = co_await save_account(*next, url); !saved)
            co_return std::unexpected(saved.error());
        now = std::make_shared<const account>(account{std::move(*next), url});
    } else if (wire::read_acme_problem(reply.status, reply.body).type != "accountDoesNotExist") {
        co_return std::unexpected("the authority does not say whether it took the account's new key");
    }
    if (const auto gone = co_await put_secret(next_key_name(), ""); !gone)
        co_return std::unexpected(gone.error());
    co_return now;
}

io::task<std::expected<void, std::string>> issuer::change_account_key() {
    auto& self = *state_;
    if (const auto learnt = co_await self.learn_directory(); !learnt)
        co_return learnt;
    if (self.directory.key_change.empty())
        co_return std::unexpected("the authority offers no change of the account's key");
    const auto old = co_await self.who();
    if (!old)
        co_return std::unexpected(old.error());
    auto next = base::ec_key::make();
    if (!next)
        co_return std::unexpected(next.error());
    // Written down first: from the request on, either key may be the account's.
    if (const auto put = co_await self.put_secret(self.next_key_name(), next->pem()); !put)
        co_return put;
    const auto& url = self.directory.key_change;
    const auto reply = co_await self.post(
        *old, nullptr, url, wire::key_change_payload((*old)->key, *next, (*old)->url, url), true);
    self.known.reset();
    const auto settled = co_await self.who(true);
    if (!settled)
        co_return std::unexpected(settled.error());
    if ((*settled)->key.pem() != next->pem())
        co_return std::unexpected(reply.status == 0
                                      ? reply.error
                                      : words_of(wire::read_acme_problem(reply.status, reply.body), ""));
    co_return std::expected<void, std::string>{};
}

} // namespace mailtight::publish
