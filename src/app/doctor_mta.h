// SPDX-License-Identifier: Apache-2.0
// `doctor` for who sends: from what the mail server's own programs print to what is right, what is not, and
// the exact lines for it. Pure; doctor_look.cpp runs the programs.
#pragma once

#include "app/doctor.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace mailtight::app {

/// `3.7.11`, `3.12-20260821`, `4.96`, `8.17.1.9`: as far as rules depend on it.
struct mta_version {
    int major = 0, minor = 0, patch = 0;
    std::string text;
    auto operator<=>(const mta_version& other) const {
        return std::tie(major, minor, patch) <=> std::tie(other.major, other.minor, other.patch);
    }
    bool operator==(const mta_version& other) const { return (*this <=> other) == 0; }
};
std::optional<mta_version> parse_version(std::string_view text);

/// `name = value` a line, as postconf prints; folded lines are joined.
std::map<std::string, std::string> parse_postconf(std::string_view text);
/// The value in the text of a main.cf (the last one counts, `$name` is not expanded); nothing where it is not
/// set.
std::optional<std::string> main_cf_value(std::string_view main_cf, std::string_view name);

/// One of our listeners as this host has it.
struct socket_seen {
    bool there = false;
    bool open_to_all = false;           ///< the socket and every folder above it
    std::optional<std::string> answers; ///< what it said to a question for `localhost`; nothing: it did not
};

struct sending_facts {
    std::vector<std::string> socketmap, lines; ///< as configured
    std::map<std::string, socket_seen> seen;   ///< of each of them
    std::optional<bool> validated;             ///< the resolver validates
    std::string roots;                         ///< the file with the system's trusted roots, "" : none found
};

struct postfix_facts {
    std::string parameters;          ///< postconf NAME...
    std::string master;              ///< postconf -M smtp/unix
    std::string report_service = {}; ///< postconf -M mailtight-report/unix
};

/// The dialect for this version, by its map name.
std::string_view postfix_map_name(const mta_version& version);
/// `postfix`: socketmap:unix:mailtight/policy.sock:postfix, of the listener that this Postfix can reach;
/// "" where there is none.
std::string postfix_map(const postfix_facts& facts, const std::vector<std::string>& listeners);
/// The lines for main.cf that are not there yet.
std::string postfix_lines(const postfix_facts& facts, const sending_facts& ours);
std::vector<check_row> judge_postfix(const postfix_facts& facts, const sending_facts& ours);

/// `exim -bV`
std::vector<check_row> judge_exim(std::string_view version_text, const sending_facts& ours);
/// `sendmail -d0.13 -bv root`, and the text of sendmail.cf
std::vector<check_row> judge_sendmail(std::string_view version_text, std::string_view configuration,
                                      const sending_facts& ours);

} // namespace mailtight::app
