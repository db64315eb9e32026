// SPDX-License-Identifier: Apache-2.0
// The reader of lines: recognises the format by the first line that says something.
#include "resolve/exchange.h"

#include "base/text.h"
#include "mail/domain_name.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>

namespace mailtight::resolve {
namespace {

constexpr std::string_view sqlite_magic("SQLite format 3\0", 16);
constexpr std::string_view own_mark = "mailtight-policies";
constexpr std::int64_t own_version = 1;
constexpr auto levels = std::to_array<std::string_view>(
    {"none", "may", "encrypt", "dane", "dane-only", "fingerprint", "verify", "secure"});

std::string_view first_word(std::string_view& text) {
    text = base::trim(text);
    const auto end = std::min(text.find_first_of(" \t"), text.size());
    const auto word = text.substr(0, end);
    text = base::trim(text.substr(end));
    return word;
}
bool says_nothing(std::string_view line) {
    line = base::trim(line);
    return line.empty() || line.front() == '#';
}

bool is_level(std::string_view word) {
    return std::ranges::find(levels, word) != levels.end();
}

// The version of our header, or nothing where it is none.
std::optional<std::int64_t> header_version(std::string_view line) {
    boost::system::error_code problem;
    if (line.size() > 1'000)
        return std::nullopt;
    const auto parsed = boost::json::parse({line.data(), line.size()}, problem, {}, {.max_depth = 2});
    if (problem || !parsed.is_object())
        return std::nullopt;
    const auto& object = parsed.get_object();
    const auto *format = object.if_contains("format"), *version = object.if_contains("version");
    if (!format || !format->is_string() || std::string_view(format->get_string()) != own_mark || !version ||
        !version->is_int64())
        return std::nullopt;
    return version->get_int64();
}

exchange_format format_of(std::string_view line) {
    if (header_version(line))
        return exchange_format::own;
    auto rest = line;
    const auto domain = first_word(rest);
    if (!mail::understand_domain(domain))
        return exchange_format::unknown;
    if (says_nothing(rest))
        return exchange_format::domains;
    return is_level(first_word(rest)) ? exchange_format::tlspol_export : exchange_format::unknown;
}

} // namespace

std::string_view explain(exchange_fault fault) {
    using enum exchange_fault;
    switch (fault) {
    case unknown_format:
        return "neither an export of this program nor of postfix-tlspol, nor a list of domains";
    case version:
        return "written by a later version of this program";
    case too_long:
        return "the line is too long";
    case too_many:
        return "there are too many lines; the rest is not read";
    case json:
        return "not one JSON object";
    case field:
        return "a field is missing, of another type, or not known";
    case domain:
        return "not a mail domain, such as example.com";
    case time:
        return "not a time, or one that has not come yet";
    case policy:
        return "not a valid policy";
    case expired:
        return "the policy has expired";
    }
    return "";
}

exchange_format recognise_exchange(std::string_view beginning) {
    if (beginning.starts_with(sqlite_magic))
        return exchange_format::sqlite;
    for (const auto line : base::split(beginning.substr(0, 65'536), '\n'))
        if (!says_nothing(line))
            return format_of(line);
    return exchange_format::unknown;
}

std::string exchange_header(base::utc_seconds now) {
    return boost::json::serialize(boost::json::object{
               {"format", own_mark}, {"version", own_version}, {"exported_at", base::format_utc(now)}}) +
           "\n";
}

bool exchange_reader::refuse(exchange_fault fault, std::string_view detail) {
    into_.refused({.fault = fault, .line = lines_, .detail = std::string(detail.substr(0, 300))});
    return true;
}

bool exchange_reader::begin(std::string_view text) {
    format_ = format_of(text);
    if (format_ == exchange_format::unknown) {
        refuse(exchange_fault::unknown_format, text);
        return false;
    }
    if (format_ == exchange_format::own && header_version(text) != own_version) {
        refuse(exchange_fault::version, text);
        return false;
    }
    return true;
}

bool exchange_reader::line(std::string_view text) {
    if (++lines_ > exchange_lines_max) {
        refuse(exchange_fault::too_many, "");
        return false;
    }
    if (text.size() > exchange_line_max)
        return refuse(exchange_fault::too_long, text) && format_ != exchange_format::unknown;
    while (text.ends_with('\n') || text.ends_with('\r'))
        text.remove_suffix(1);
    if (says_nothing(text))
        return true;
    if (format_ == exchange_format::unknown) {
        if (!begin(text))
            return false;
        if (format_ == exchange_format::own)
            return true;
    }
    if (format_ == exchange_format::own) {
        auto got = read_exchange_line(text, now_);
        if (got)
            into_.policy(std::move(*got));
        else
            refuse(got.error().fault, got.error().detail);
        return true;
    }
    auto rest = text;
    const auto word = first_word(rest);
    const auto domain = mail::understand_domain(word);
    if (!domain)
        return refuse(exchange_fault::domain, word);
    const bool fits = format_ == exchange_format::domains ? says_nothing(rest) : is_level(first_word(rest));
    if (!fits)
        return refuse(exchange_fault::field, text);
    into_.look_up(domain->name);
    return true;
}

void read_exchange(std::string_view file, base::utc_seconds now, const exchange_taker& into) {
    exchange_reader reader(now, into);
    while (!file.empty()) {
        const auto end = std::min(file.find('\n'), file.size() - 1) + 1;
        if (!reader.line(file.substr(0, end)))
            return;
        file.remove_prefix(end);
    }
}

} // namespace mailtight::resolve
