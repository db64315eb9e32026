// SPDX-License-Identifier: Apache-2.0
#include "app/publish_settings.h"

#include "app/sending.h"
#include "app/store_access.h"
#include "app/typed.h"
#include "app/world.h"
#include "base/encode.h"
#include "base/text.h"
#include "mail/domain_name.h"
#include "store/store.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include <sys/stat.h>

namespace mailtight::app {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t key_file_bytes = 4'096;

template<class T>
using read = std::expected<T, std::string>;

/// A host name; nothing where the text is none.
std::optional<std::string> host_name_of(std::string_view text) {
    const auto ascii = mail::to_ascii(base::trim(text));
    auto name = ascii ? mail::canonical_name(*ascii) : std::nullopt;
    if (!name || name->find('.') == std::string::npos)
        return {};
    return name;
}

/// A small file of secrets, which others must not read.
read<std::string> secret_file(std::string_view key, const std::string& file) {
    struct stat is{};
    if (::stat(file.c_str(), &is) == 0 && S_ISREG(is.st_mode) && (is.st_mode & S_IROTH) != 0)
        return std::unexpected(
            fmt::format("{}: {} can be read by everybody: chmod 0640 it", key, base::printable(file)));
    auto bytes = read_bytes(file, key_file_bytes);
    if (!bytes)
        return std::unexpected(fmt::format("{}: {}", key, bytes.error()));
    if (bytes->size() > key_file_bytes)
        return std::unexpected(fmt::format("{}: {} is too long for a key", key, base::printable(file)));
    return std::string(base::trim(*bytes));
}

read<publish::update_server> update_server_of(const std::string& text) {
    constexpr std::string_view form = "NAME ADDRESS[:PORT] [zone=ZONE] [key=FILE]";
    std::vector<std::string> words;
    for (const auto word : base::split(text, ' '))
        if (!base::trim(word).empty())
            words.emplace_back(base::trim(word));
    // Its name alone: somebody may have written the secret itself here, and errors go into logs.
    auto wrong = [&](std::string_view why) {
        return std::unexpected(fmt::format("dns-update.servers: '{}': {}; it takes \"{}\"",
                                           words.empty() ? "" : base::printable(words[0], 60), why, form));
    };
    if (words.size() < 2)
        return wrong("a name and an address are needed");
    publish::update_server server;
    server.name = words[0];
    auto address = parse_endpoint(words[1], 53);
    if (!address)
        return wrong("the second word is no address");
    server.address = *address;
    for (std::size_t i = 2; i < words.size(); ++i) {
        const auto equals = words[i].find('=');
        const std::string key = words[i].substr(0, equals);
        const std::string value = equals == std::string::npos ? "" : words[i].substr(equals + 1);
        if (key == "zone" && !value.empty()) {
            const auto ascii = mail::to_ascii(value);
            auto zone = ascii ? mail::canonical_name(*ascii) : std::nullopt;
            if (!zone)
                return wrong("the zone is no domain");
            server.zone = std::move(*zone);
        } else if (key == "key" && !value.empty()) {
            if (wire::parse_tsig_key(value))
                return wrong("key= takes the name of a file that holds the key, not the key");
            auto secret = secret_file("dns-update.servers", value);
            if (!secret)
                return std::unexpected(secret.error());
            auto parsed = wire::parse_tsig_key(*secret);
            if (!parsed)
                return std::unexpected(
                    fmt::format("dns-update.servers: {}: {}", base::printable(value), parsed.error()));
            server.key = std::move(*parsed);
        } else {
            return wrong(fmt::format("word {} is neither zone=ZONE nor key=FILE", i + 1));
        }
    }
    return server;
}

read<publish::issuer_options> issuing_of(const settings& from) {
    publish::issuer_options made;
    made.directory = from.acme_directory;
    if (!io::parse_url(made.directory))
        return std::unexpected(fmt::format("certificates.directory: '{}' is no URL of an ACME directory",
                                           base::printable(made.directory, 200)));
    for (const auto& contact : from.acme_contact) {
        const std::string text(base::trim(contact));
        if (text.find('@') == std::string::npos || text.find_first_of(" ,") != std::string::npos)
            return std::unexpected(fmt::format("certificates.contact: '{}' is no mail address such as "
                                               "hostmaster@example.com",
                                               base::printable(text, 100)));
        made.contacts.push_back(text.starts_with("mailto:") ? text : "mailto:" + text);
    }
    if (from.acme_eab_id.empty() != from.acme_eab_key_file.empty())
        return std::unexpected("certificates.eab-id and certificates.eab-key-file go together");
    if (!from.acme_eab_id.empty()) {
        auto text = secret_file("certificates.eab-key-file", from.acme_eab_key_file);
        if (!text)
            return std::unexpected(text.error());
        std::string base64 = *text;
        std::ranges::replace(base64, '-', '+');
        std::ranges::replace(base64, '_', '/');
        while (base64.size() % 4 != 0)
            base64 += '=';
        auto key = base::unbase64(base64);
        if (!key || key->empty())
            return std::unexpected(fmt::format("certificates.eab-key-file: {} holds no base64url",
                                               base::printable(from.acme_eab_key_file)));
        made.eab = wire::external_account{.id = from.acme_eab_id, .hmac_key = std::move(*key)};
    }
    made.profile = from.acme_profile;
    made.order.clear();
    for (const auto& word : from.acme_challenges) {
        const auto kind = publish::parse_challenge_kind(word);
        if (!kind)
            return std::unexpected(
                fmt::format("certificates.challenges: '{}' is unknown: tls-alpn-01, http-01 or dns-01",
                            base::printable(word, 60)));
        made.order.push_back(*kind);
    }
    made.machine = machine_name_of(from);
    made.orders_per_hour = std::max<std::uint64_t>(from.acme_per_hour, 1);
    made.orders_at_once = made.orders_per_hour * 3;
    made.agree = from.acme_agree;
    made.exempt = true; // the operator named it
    return made;
}

} // namespace

const publish::update_server* publish_settings::server(std::string_view name) const {
    for (const auto& each : servers)
        if (name.empty() || each.name == name)
            return &each;
    return nullptr;
}

read<publish_settings> publish_settings_of(const settings& from) {
    publish_settings made;
    if (!from.policy_host_name.empty()) {
        if (const auto address = base::ip_address::parse(from.policy_host_name)) {
            made.policy_host = address->to_string();
            made.addresses.push_back(*address);
        } else if (auto name = host_name_of(from.policy_host_name)) {
            made.policy_host = std::move(*name);
        } else {
            return std::unexpected(fmt::format("publish.policy-host: '{}' is neither a host name such as "
                                               "mta-sts.example.net nor an address",
                                               base::printable(from.policy_host_name, 100)));
        }
    }
    for (const auto& text : from.policy_host_addresses) {
        const auto address = base::ip_address::parse(text);
        if (!address)
            return std::unexpected(
                fmt::format("publish.addresses: '{}' is no address", base::printable(text, 100)));
        if (std::ranges::find(made.addresses, *address) == made.addresses.end())
            made.addresses.push_back(*address);
    }
    for (const auto& text : from.publish_rua) {
        auto uri = tlsrpt::understand_rua(text);
        if (!uri)
            return std::unexpected(
                fmt::format("publish.rua: '{}': {}", base::printable(text, 200), uri.error()));
        made.rua.push_back(uri->text);
    }
    made.leave = model::parse_leave(from.leave_to_us).value_or(model::leave::records);
    for (const auto& text : from.update_servers) {
        auto server = update_server_of(text);
        if (!server)
            return std::unexpected(server.error());
        if (!made.servers.empty() && made.server(server->name))
            return std::unexpected(
                fmt::format("dns-update.servers: two have the name '{}'", base::printable(server->name, 60)));
        made.servers.push_back(std::move(*server));
    }
    if (!from.dns_hook.empty())
        made.hook = publish::dns_pusher::hook{
            .command = from.dns_hook,
            .how = from.dns_hook_convention == "lego" ? publish::dns_pusher::hook::convention::lego_exec
                                                      : publish::dns_pusher::hook::convention::own,
            .timeout = std::chrono::duration_cast<std::chrono::seconds>(from.dns_hook_timeout)};
    auto issuing = issuing_of(from);
    if (!issuing)
        return std::unexpected(issuing.error());
    made.issuing = std::move(*issuing);
    for (const auto& text : from.sub_domains) {
        auto name = host_name_of(text);
        if (!name)
            return std::unexpected(
                fmt::format("watch.sub-domains: '{}' is no domain", base::printable(text, 100)));
        made.sub_domains.push_back(std::move(*name));
    }
    for (const auto& name : from.zone_transfer) {
        if (name.empty() || !made.server(name))
            return std::unexpected(fmt::format("watch.zone-transfer: '{}' is no server of dns-update.servers",
                                               base::printable(name, 60)));
        made.transfer_from.push_back(name);
    }
    if (from.watch_cheap < std::chrono::minutes(1) || from.watch_full < from.watch_cheap)
        return std::unexpected("watch.cheap takes a minute or more, and watch.full no less than watch.cheap");
    return made;
}

std::string sealing_key_place(const settings& from) {
    if (!from.sealing_key_file.empty())
        return from.sealing_key_file;
    const std::string place = store_place(from);
    return (store::is_postgres(place) ? fs::path("/var/lib/mailtight") : fs::path(place).parent_path()) /
           "sealing.key";
}

read<base::sealing_key> sealing_key_of(const settings& from, bool make, bool* made) {
    const std::string file = sealing_key_place(from);
    auto named = [&](const std::string& why) {
        return std::unexpected(fmt::format("publish.key-file: {}", why));
    };
    std::error_code error;
    if (make && !fs::exists(file, error) && !error) {
        fs::create_directories(fs::path(file).parent_path(), error);
        auto fresh = base::sealing_key::make(file);
        if (fresh) {
            if (made)
                *made = true;
            return fresh;
        }
        if (!fs::exists(file, error)) // another one may have made it meanwhile
            return named(fresh.error());
    }
    auto key = base::sealing_key::load(file);
    if (!key)
        return named(key.error());
    return key;
}

} // namespace mailtight::app
