// SPDX-License-Identifier: Apache-2.0
#include "app/settings.h"

#include "base/text.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>

namespace mailtight::app {

namespace {

constexpr const char* default_file = "/etc/mailtight/mailtight.toml";

using kind = setting_key::kind;

setting_key text(std::string_view section, std::string_view name, std::string settings::* field,
                 std::string_view fallback, std::string_view comment) {
    return {section,  name,    kind::text,
            fallback, comment, [field](settings& into, const std::string& value) { into.*field = value; },
            {},       {}};
}
setting_key texts(std::string_view section, std::string_view name, std::vector<std::string> settings::* field,
                  std::string_view comment) {
    return {section,
            name,
            kind::texts,
            "[]",
            comment,
            {},
            [field](settings& into, std::vector<std::string> value) { into.*field = std::move(value); },
            {}};
}
setting_key number(std::string_view section, std::string_view name, std::uint64_t settings::* field,
                   std::string_view fallback, std::string_view comment) {
    return {
        section, name, kind::number, fallback,
        comment, {},   {},           [field](settings& into, std::uint64_t value) { into.*field = value; }};
}
setting_key port(std::string_view section, std::string_view name, std::uint16_t settings::* field,
                 std::string_view fallback, std::string_view comment) {
    return {
        section, name, kind::port, fallback, comment, {}, {}, [field](settings& into, std::uint64_t value) {
            into.*field = static_cast<std::uint16_t>(value);
        }};
}
setting_key duration(std::string_view section, std::string_view name,
                     std::chrono::milliseconds settings::* field, std::string_view fallback,
                     std::string_view comment) {
    return {section,
            name,
            kind::duration,
            fallback,
            comment,
            {},
            {},
            [field](settings& into, std::uint64_t value) { into.*field = std::chrono::milliseconds(value); }};
}

const std::vector<setting_key>& keys() {
    static const std::vector<setting_key> all = {
        texts("dns", "servers", &settings::dns_servers,
              "Name servers to ask, as ADDRESS or ADDRESS:PORT. Empty: those of /etc/resolv.conf."),
        text("dns", "mode", &settings::dns_mode, "\"automatic\"",
             "How DNSSEC is validated. \"forwarding\": the servers above validate, and their AD bit is "
             "believed (only over a "
             "trusted path such as loopback). \"validating\": ask them and validate here. \"recursive\": ask "
             "the "
             "authoritative servers from the root on. \"automatic\": forwarding where every server is on "
             "loopback, else "
             "validating."),
        text("dns", "trust-anchor", &settings::dns_trust_anchor, "\"\"",
             "File with the DNSSEC trust anchor. Empty: the system's root key."),
        text("dns", "root-hints", &settings::dns_root_hints, "\"\"",
             "File with the root name servers, for mode \"recursive\". Empty: built in."),
        duration("dns", "timeout", &settings::dns_timeout, "\"5s\"", "For one question, retries included."),
        port("dns", "authoritative-port", &settings::dns_port, "53",
             "Port of the authoritative servers when each is asked directly; another one only in a test "
             "world."),

        texts("network", "allow-net", &settings::allow_net,
              "Networks that may be connected to although they are not globally routable. Addresses learnt "
              "from DNS that "
              "are private, loopback, link-local and so on are refused otherwise."),
        text("network", "ca-file", &settings::ca_file, "\"\"",
             "PEM file with the trusted roots. Empty: those of the system."),
        duration("network", "connect-timeout", &settings::connect_timeout, "\"10s\"",
                 "For one TCP connection."),
        duration("network", "smtp-timeout", &settings::smtp_timeout, "\"30s\"",
                 "For each reply of a mail server; tarpits and greylisting are slow."),
        duration("network", "https-timeout", &settings::https_timeout, "\"60s\"",
                 "For a whole policy fetch (RFC 8461 section 3.3 suggests one minute)."),
        port("network", "smtp-port", &settings::smtp_port, "25",
             "Port of the MX hosts; another one only in a test world."),
        port("network", "https-port", &settings::https_port, "443",
             "Port of the policy hosts; another one only in a test world."),
        text("network", "ehlo-name", &settings::ehlo_name, "\"\"",
             "The name that we give in EHLO. Empty: this host's name."),

        text("check", "smtp-control", &settings::smtp_control, "\"gmail-smtp-in.l.google.com\"",
             "A mail server known to accept connections. It is asked only when every MX of a run is silent, "
             "to tell a closed "
             "port 25 of ours from a dead server of theirs. Empty: never asked."),
        text("check", "state-directory", &settings::state_directory, "\"\"",
             "Where the last result of each domain is kept, for check --changed. Empty: "
             "$XDG_STATE_HOME/mailtight, or "
             "~/.local/state/mailtight."),

        number("scan", "in-flight", &settings::scan_in_flight, "0",
               "Domains looked at simultaneously by scan. 0: 2000 for DNS only, 500 with probes."),
        number("scan", "smtp-connections", &settings::smtp_connections, "200",
               "SMTP connections open simultaneously, over all hosts."),
        number("scan", "connections-per-host", &settings::connections_per_host, "2",
               "Simultaneous SMTP connections to one address."),

        text("doctor", "signed-name", &settings::signed_name, "\"org\"",
             "A zone with DNSSEC and an SOA record: a resolver that validates must say that it is secure."),
        text("doctor", "forged-name", &settings::forged_name, "\"dnssec-failed.org\"",
             "A name with an address whose DNSSEC is wrong on purpose: a resolver that validates must refuse "
             "it."),
    };
    return all;
}

std::string where(const std::string& file, const toml::node& node) {
    return fmt::format("{}, line {}", file, node.source().begin.line);
}

std::expected<void, std::string> take(settings& into, const setting_key& key, const toml::node& node,
                                      const std::string& file) {
    auto wrong = [&](std::string_view wants) {
        return std::unexpected(
            fmt::format("{}: {}.{} takes {}", where(file, node), key.section, key.name, wants));
    };
    switch (key.what) {
    case kind::text:
        if (auto value = node.value_exact<std::string>()) {
            key.set(into, *value);
            return {};
        }
        return wrong("a text in quotes");
    case kind::texts: {
        std::vector<std::string> values;
        const auto* list = node.as_array();
        if (!list)
            return wrong("a list of texts: [\"…\", \"…\"]");
        for (const auto& item : *list) {
            auto value = item.value_exact<std::string>();
            if (!value)
                return wrong("a list of texts: [\"…\", \"…\"]");
            values.push_back(*value);
        }
        key.set_many(into, std::move(values));
        return {};
    }
    case kind::number:
    case kind::port: {
        const auto value = node.value_exact<std::int64_t>();
        const std::int64_t most = key.what == kind::port ? 65535 : std::numeric_limits<std::int32_t>::max();
        const std::int64_t least = key.what == kind::port ? 1 : 0;
        if (!value || *value < least || *value > most)
            return wrong(key.what == kind::port ? "a port, 1 to 65535" : "a number, 0 or more");
        key.set_number(into, static_cast<std::uint64_t>(*value));
        return {};
    }
    case kind::duration: {
        std::optional<std::chrono::milliseconds> value;
        if (auto words = node.value_exact<std::string>())
            value = parse_duration(*words);
        else if (auto seconds = node.value_exact<std::int64_t>(); seconds && *seconds >= 0)
            value = parse_duration(std::to_string(*seconds));
        if (!value)
            return wrong("a duration such as \"5s\" or \"1500ms\"");
        key.set_number(into, static_cast<std::uint64_t>(value->count()));
        return {};
    }
    }
    return {};
}

std::string unknown(const std::string& file, const toml::node& node, const std::string& name,
                    const std::vector<std::string_view>& known) {
    const auto near = base::nearest(name, known);
    return fmt::format("{}: unknown key {}{}", where(file, node), base::printable(name),
                       near.empty() ? std::string() : fmt::format("; did you mean {}?", near));
}

} // namespace

std::span<const setting_key> setting_keys() {
    return keys();
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
    std::uint64_t value = 0;
    const auto* end = text.data() + text.size();
    auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc{} || value > 86'400'000)
        return {};
    const std::string_view unit(stop, static_cast<std::size_t>(end - stop));
    std::uint64_t factor = 0;
    if (unit.empty() || unit == "s")
        factor = 1000;
    else if (unit == "ms")
        factor = 1;
    else if (unit == "m" || unit == "min")
        factor = 60'000;
    else if (unit == "h")
        factor = 3'600'000;
    if (factor == 0 || value * factor > 86'400'000)
        return {};
    return std::chrono::milliseconds(value * factor);
}

std::expected<settings, std::string> parse_settings(std::string_view toml_text,
                                                    const std::string& file_name) {
    settings into;
    toml::table document;
    try {
        document = toml::parse(toml_text, file_name);
    } catch (const toml::parse_error& error) {
        return std::unexpected(fmt::format("{}, line {}: {}", file_name, error.source().begin.line,
                                           base::printable(error.description())));
    }
    std::vector<std::string_view> sections;
    for (const auto& key : keys())
        if (sections.empty() || sections.back() != key.section)
            sections.push_back(key.section);
    for (const auto& [section, node] : document) {
        const std::string section_name(section.str());
        const auto* table = node.as_table();
        if (!table || std::find(sections.begin(), sections.end(), section_name) == sections.end())
            return std::unexpected(unknown(file_name, node, section_name, sections));
        std::vector<std::string_view> names;
        for (const auto& key : keys())
            if (key.section == section_name)
                names.push_back(key.name);
        for (const auto& [name, value] : *table) {
            const std::string key_name(name.str());
            const setting_key* found = nullptr;
            for (const auto& key : keys())
                if (key.section == section_name && key.name == key_name)
                    found = &key;
            if (!found)
                return std::unexpected(unknown(file_name, value, key_name, names));
            if (auto taken = take(into, *found, value, file_name); !taken)
                return std::unexpected(taken.error());
        }
    }
    return into;
}

std::expected<settings, std::string> load_settings(const std::string& named) {
    const std::string file = named.empty() ? default_file : named;
    std::error_code ignored;
    if (named.empty() && !std::filesystem::exists(file, ignored))
        return settings{};
    std::ifstream stream(file, std::ios::binary);
    if (!stream)
        return std::unexpected(fmt::format("{}: cannot be read", file));
    const std::string bytes((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
    return parse_settings(bytes, file);
}

std::string example_settings() {
    std::string out = "# Mailtight. Every key stands here with its default; uncomment what you change.\n"
                      "# Options on the command line win over this file.\n";
    std::string_view section;
    for (const auto& key : keys()) {
        if (key.section != section) {
            section = key.section;
            out += fmt::format("\n[{}]\n", section);
        }
        out += "\n";
        for (const auto& line : base::wrap(key.comment, 98))
            out += fmt::format("# {}\n", line);
        out += fmt::format("# {} = {}\n", key.name, key.fallback);
    }
    return out;
}

} // namespace mailtight::app
