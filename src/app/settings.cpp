// SPDX-License-Identifier: Apache-2.0
#include "app/settings.h"

#include "app/settings_keys.h"
#include "base/text.h"
#include "store/store.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <type_traits>

namespace mailtight::app {

namespace {

constexpr const char* default_file = "/etc/mailtight/mailtight.toml";

const std::vector<setting_key>& keys() {
    static const std::vector<setting_key> all = [] {
        std::vector<setting_key> rows = network_keys();
        for (auto& more :
             {report_keys(), resolve_keys(), result_keys(), publish_keys(), web_keys(), daemon_keys()})
            rows.insert(rows.end(), more.begin(), more.end());
        return rows;
    }();
    return all;
}

/// A duration as parse_duration() reads it.
std::string written(std::chrono::milliseconds length) {
    if (length.count() % 3'600'000 == 0 && length.count() > 0)
        return fmt::format("{}h", length.count() / 3'600'000);
    if (length.count() % 60'000 == 0 && length.count() > 60'000)
        return fmt::format("{}m", length.count() / 60'000);
    if (length.count() % 1000 == 0)
        return fmt::format("{}s", length.count() / 1000);
    return fmt::format("{}ms", length.count());
}

std::string in_quotes(std::string_view text) {
    return fmt::format("\"{}\"", text);
}

std::string where(const std::string& file, const toml::node& node) {
    return fmt::format("{}, line {}", file, node.source().begin.line);
}

/// One value of the file, taken into its field.
class taker {
public:
    taker(settings& into, const setting_key& key, const toml::node& node, const std::string& file)
        : into_(into)
        , key_(key)
        , node_(node)
        , file_(file) {}
    using result = std::expected<void, std::string>;

    result operator()(std::string settings::* field) const {
        const auto value = node_.value_exact<std::string>();
        if (!value)
            return wrong("a text in quotes");
        if (!key_.one_of.empty() && std::ranges::find(key_.one_of, *value) == key_.one_of.end())
            return wrong(fmt::format("one of {}", fmt::join(key_.one_of, ", ")));
        into_.*field = *value;
        return {};
    }
    result operator()(std::vector<std::string> settings::* field) const {
        constexpr std::string_view wants = "a list of texts: [\"…\", \"…\"]";
        std::vector<std::string> values;
        const auto* list = node_.as_array();
        if (!list)
            return wrong(wants);
        for (const auto& item : *list) {
            auto value = item.value_exact<std::string>();
            if (!value)
                return wrong(wants);
            values.push_back(*value);
        }
        into_.*field = std::move(values);
        return {};
    }
    result operator()(std::uint64_t settings::* field) const {
        const auto value = node_.value_exact<std::int64_t>();
        if (!value || *value < 0 || *value > std::numeric_limits<std::int32_t>::max())
            return wrong("a number, 0 or more");
        into_.*field = static_cast<std::uint64_t>(*value);
        return {};
    }
    result operator()(std::uint16_t settings::* field) const {
        const auto value = node_.value_exact<std::int64_t>();
        if (!value || *value < 1 || *value > 65535)
            return wrong("a port, 1 to 65535");
        into_.*field = static_cast<std::uint16_t>(*value);
        return {};
    }
    result operator()(std::chrono::milliseconds settings::* field) const {
        std::optional<std::chrono::milliseconds> value;
        if (auto words = node_.value_exact<std::string>())
            value = parse_duration(*words);
        else if (auto seconds = node_.value_exact<std::int64_t>(); seconds && *seconds >= 0)
            value = parse_duration(std::to_string(*seconds));
        if (!value)
            return wrong("a duration such as \"5s\" or \"1500ms\"");
        into_.*field = *value;
        return {};
    }
    result operator()(bool settings::* field) const {
        const auto value = node_.value_exact<bool>();
        if (!value)
            return wrong("true or false");
        into_.*field = *value;
        return {};
    }

private:
    result wrong(std::string_view wants) const {
        return std::unexpected(
            fmt::format("{}: {}.{} takes {}", where(file_, node_), key_.section, key_.name, wants));
    }

    settings& into_;
    const setting_key& key_;
    const toml::node& node_;
    const std::string& file_;
};

std::string unknown(const std::string& file, const toml::node& node, const std::string& name,
                    const std::vector<std::string_view>& known) {
    const auto near = base::nearest(name, known);
    return fmt::format("{}: unknown key {}{}", where(file, node), base::printable(name),
                       near.empty() ? std::string() : fmt::format("; did you mean {}?", near));
}

} // namespace

std::string setting_key::fallback() const {
    static const settings defaults;
    return std::visit(
        [](auto member) -> std::string {
            const auto& value = defaults.*member;
            using type = std::remove_cvref_t<decltype(value)>;
            if constexpr (std::is_same_v<type, std::string>) {
                return in_quotes(value);
            } else if constexpr (std::is_same_v<type, std::vector<std::string>>) {
                std::vector<std::string> items;
                for (const auto& item : value)
                    items.push_back(in_quotes(item));
                return fmt::format("[{}]", base::join(items, ", "));
            } else if constexpr (std::is_same_v<type, std::chrono::milliseconds>) {
                return in_quotes(written(value));
            } else {
                return fmt::format("{}", value);
            }
        },
        field);
}

std::span<const setting_key> setting_keys() {
    return keys();
}

bool needs_restart(const setting_key& key) {
    if (key.section == "store")
        return key.name == "where"; // what is kept for how long is looked up each time
    if (key.section == "watch" && key.name == "keep-days")
        return false;
    if (key.section == "web") {
        constexpr std::array fixed = {"listen", "acme", "http-listen", "trusted-proxies"};
        return std::ranges::find(fixed, key.name) != fixed.end();
    }
    constexpr std::array sections = {"dns",     "network", "lmtp",         "smtp",       "https",
                                     "maildir", "mbox",    "imap",         "metrics",    "collect",
                                     "deliver", "publish", "certificates", "dns-update", "watch"};
    if (key.section == "serve")
        return key.name != "tls-certificates";
    if (key.section == "reports")
        return key.name == "strict-dkim-service" || key.name == "trusted-authservers" ||
               key.name == "dkim-keys-file";
    if (key.section == "resolve") {
        constexpr std::array live = {"socketmap-listen",  "tcp-table-listen",    "lines-listen",
                                     "mta-dane",          "on-dns-error",        "half-dane",
                                     "prefetch",          "prefetch-file",       "map-names",
                                     "tcp-table-dialect", "refreshes-per-second"};
        return std::ranges::find(live, key.name) == live.end();
    }
    if (key.section == "log")
        return key.name == "format";
    return std::ranges::find(sections, key.section) != sections.end();
}

bool serves_policies(const settings& of) {
    return !of.socketmap_listen.empty() || !of.tcp_table_listen.empty() || !of.lines_listen.empty() ||
           !of.policy_http_listen.empty();
}

bool collects_results(const settings& of) {
    return !of.datagram_listen.empty() || !of.postfix_log.empty() || !of.result_lines_listen.empty();
}

bool sends_reports(const settings& of) {
    return !of.reporter_contact.empty();
}

bool hosts_policies(const settings& of) {
    return !of.publish_listen.empty() || !of.publish_plain_listen.empty();
}

bool carries_out(const settings& of) {
    // Machines that share a database say which of them it is; where there is one alone, it is that one.
    const bool alone = !of.web_listen.empty() && !store::is_postgres(of.store_where);
    return of.carry_out == "yes" || (of.carry_out == "automatic" && (hosts_policies(of) || alone));
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
            std::string key_name(name.str());
            std::ranges::replace(key_name, '_', '-');
            const setting_key* found = nullptr;
            for (const auto& key : keys())
                if (key.section == section_name && key.name == key_name)
                    found = &key;
            if (!found)
                return std::unexpected(unknown(file_name, value, key_name, names));
            if (auto taken = std::visit(taker(into, *found, value, file_name), found->field); !taken)
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
    errno = 0;
    std::ifstream stream(file, std::ios::binary);
    if (!stream)
        return std::unexpected(
            fmt::format("{}: cannot be read: {}", file, std::strerror(errno == 0 ? EIO : errno)));
    std::string bytes;
    try { // a folder, or a disk that fails: read again at a reload, it must not end the daemon
        bytes.assign(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
    } catch (const std::ios_base::failure& error) {
        return std::unexpected(fmt::format("{}: cannot be read: {}", file, error.code().message()));
    }
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
        out += fmt::format("# {} = {}\n", key.name, key.fallback());
    }
    return out;
}

} // namespace mailtight::app
