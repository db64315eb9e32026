// SPDX-License-Identifier: Apache-2.0
// The configuration, declared once: a table of keys from which the parser, the example file, the man page and
// the documentation come, so that none of them can drift. The command line's options of the same meaning win
// over the file.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::app {

struct settings {
    // [dns]
    std::vector<std::string> dns_servers;
    std::string dns_mode = "automatic";
    std::string dns_trust_anchor;
    std::string dns_root_hints;
    std::chrono::milliseconds dns_timeout{5000};
    std::uint16_t dns_port = 53;
    // [network]
    std::vector<std::string> allow_net;
    std::string ca_file;
    std::chrono::milliseconds connect_timeout{10'000};
    std::chrono::milliseconds smtp_timeout{30'000};
    std::chrono::milliseconds https_timeout{60'000};
    std::uint16_t smtp_port = 25;
    std::uint16_t https_port = 443;
    std::string ehlo_name;
    // [check]
    std::string smtp_control = "gmail-smtp-in.l.google.com";
    std::string state_directory;
    // [scan]
    std::uint64_t scan_in_flight = 0;
    std::uint64_t smtp_connections = 200;
    std::uint64_t connections_per_host = 2;
    // [doctor]
    std::string signed_name = "org";
    std::string forged_name = "dnssec-failed.org";
};

/// One key of the configuration file.
struct setting_key {
    std::string_view section, name;
    enum class kind { text, texts, number, duration, port } what;
    std::string_view fallback;                              ///< the default, as the example file shows it
    std::string_view comment;                               ///< what it is for, one or more sentences
    std::function<void(settings&, const std::string&)> set; ///< text
    std::function<void(settings&, std::vector<std::string>)> set_many; ///< texts
    std::function<void(settings&, std::uint64_t)> set_number; ///< number, port, duration (milliseconds)
};
std::span<const setting_key> setting_keys();

/// Reads a TOML text into the settings. The error names the file, the line and, for an unknown key, the
/// nearest known one.
std::expected<settings, std::string> parse_settings(std::string_view toml, const std::string& file_name);
/// The configuration file: the named one, else /etc/mailtight/mailtight.toml where it exists, else the
/// defaults.
std::expected<settings, std::string> load_settings(const std::string& named);
/// Every key with its default and its comment, ready to be edited.
std::string example_settings();

/// `5`, `5s`, `1500ms`, `2m`, `1h`: a bare number is seconds. Nothing on anything else, or beyond a day.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

} // namespace mailtight::app
