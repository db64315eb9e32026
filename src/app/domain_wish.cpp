// SPDX-License-Identifier: Apache-2.0
#include "app/domain_wish.h"

#include "base/ip.h"
#include "base/limits.h"
#include "base/text.h"
#include "mail/domain_name.h"
#include "sts/policy.h"
#include "tlsrpt/record.h"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

namespace mailtight::app {

namespace {

constexpr std::size_t cells_max = 64, rows_max = 2'000'000; ///< of a table
constexpr std::size_t label_bytes = 64, owner_bytes = 253;

using done = std::expected<void, wish_fault>;

std::unexpected<wish_fault> fault(std::string_view option, std::string words) {
    return std::unexpected(wish_fault{std::string(option), std::move(words)});
}
std::unexpected<wish_fault> wrong(std::string_view option, std::string_view value, std::string_view takes) {
    return fault(option, fmt::format("'{}': it takes {}", base::printable(value, 200), takes));
}

done take_mode(const std::string& word, model::looked_after& to) {
    const std::string text = base::lower(word);
    const auto aim = model::parse_aim(text == "none" ? "off" : text);
    if (!aim)
        return wrong("mode", word, "testing, enforce or off");
    to.aim = *aim;
    return {};
}

done take_max_age(const std::string& word, model::looked_after& to) {
    if (word == "ladder") {
        to.max_age.reset();
        return {};
    }
    std::uint64_t seconds = 0;
    const auto* end = word.data() + word.size();
    const auto [stop, error] = std::from_chars(word.data(), end, seconds);
    if (error != std::errc{} || stop != end || seconds == 0 || seconds > base::limits::max_age_max)
        return wrong("max-age", word,
                     fmt::format("seconds from 1 to {}, or ladder", base::limits::max_age_max));
    to.max_age = seconds;
    return {};
}

done take_mx(const std::vector<std::string>& words, model::looked_after& to) {
    if (words.size() == 1 && words.front() == "follow") {
        to.mx.clear();
        return {};
    }
    std::vector<std::string> all;
    for (const auto& word : words) {
        const bool wild = word.starts_with("*.");
        const auto ascii = mail::to_ascii(std::string_view(word).substr(wild ? 2 : 0));
        const auto name = ascii ? mail::canonical_name(*ascii) : std::nullopt;
        const std::string pattern = (wild ? "*." : "") + name.value_or("");
        if (!name || name->find('.') == std::string::npos || !sts::valid_mx_pattern(pattern) ||
            base::ip_address::parse(pattern))
            return wrong("mx", word, "a host or a pattern such as *.example.com, or follow alone");
        if (std::ranges::find(all, pattern) == all.end())
            all.push_back(pattern);
    }
    to.mx = std::move(all);
    return {};
}

done take_hosts(std::string_view option, const std::vector<std::string>& words,
                std::vector<std::string>& to) {
    std::vector<std::string> all;
    for (const auto& word : words) {
        auto name = mail_host(word);
        if (!name)
            return wrong(option, word, "the name of a mail server");
        if (std::ranges::find(all, *name) == all.end())
            all.push_back(std::move(*name));
    }
    to = std::move(all);
    return {};
}

done take_rua(const std::vector<std::string>& words, model::looked_after& to) {
    if (words.size() == 1 && words.front() == "default") {
        to.rua.clear();
        return {};
    }
    std::vector<std::string> all;
    for (const auto& word : words) {
        auto uri = tlsrpt::understand_rua(word);
        if (!uri)
            return fault("rua", fmt::format("'{}': {}", base::printable(word, 200), uri.error()));
        all.push_back(std::move(uri->text));
    }
    to.rua = std::move(all);
    return {};
}

done take_dns(const std::string& word, model::looked_after& to, const publish_settings& with) {
    const auto colon = word.find(':');
    const auto way = model::parse_dns_way(word.substr(0, colon));
    if (!way || (colon != std::string::npos && *way != model::dns_way::update))
        return wrong("dns", word, "hand, hook, update, or update:NAME of dns-update.servers");
    const std::string server = colon == std::string::npos ? "" : word.substr(colon + 1);
    if (*way == model::dns_way::update && !with.server(server)) {
        std::vector<std::string> names;
        for (const auto& each : with.servers)
            names.push_back(each.name);
        return fault("dns", names.empty() ? "update: dns-update.servers of the configuration names no server"
                                          : fmt::format("'{}': dns-update.servers knows {}",
                                                        base::printable(word, 100), base::join(names, ", ")));
    }
    if (*way == model::dns_way::hook && !with.hook)
        return fault("dns", "hook: dns-update.hook of the configuration names no command");
    to.dns = *way;
    to.dns_server = server;
    return {};
}

/// A name or an address; "" for default.
std::expected<std::string, wish_fault> host_or_address(std::string_view option, const std::string& word,
                                                       bool address_too) {
    if (word == "default")
        return std::string();
    if (const auto address = base::ip_address::parse(word); address && address_too)
        return address->to_string();
    const auto ascii = mail::to_ascii(word);
    auto name = ascii ? mail::canonical_name(*ascii) : std::nullopt;
    if (!name || name->find('.') == std::string::npos || base::ip_address::parse(word))
        return wrong(option, word,
                     address_too ? "a host name, an address, or default" : "a name, or default");
    return std::move(*name);
}

done take_labels(const std::vector<std::string>& words, model::looked_after& to) {
    for (const auto& word : words) {
        const bool away = word.starts_with('-');
        const std::string label = word.substr(away ? 1 : 0);
        if (label.empty() || label.size() > label_bytes ||
            std::ranges::any_of(label, [](char c) { return c <= ' ' || c == ',' || c == '"' || c == 0x7f; }))
            return wrong("label", word,
                         fmt::format("a word of at most {} bytes without spaces and commas", label_bytes));
        std::erase(to.labels, label);
        if (!away)
            to.labels.push_back(label);
    }
    std::ranges::sort(to.labels);
    return {};
}

std::vector<std::string> words_of(std::string_view cell) {
    std::vector<std::string> all;
    for (const auto part : base::split(cell, ' '))
        if (!base::trim(part).empty())
            all.emplace_back(base::trim(part));
    return all;
}

std::string_view words_of(model::hosting how) {
    switch (how) {
    case model::hosting::here:
        return "hosted here";
    case model::hosting::proxied:
        return "hosted here behind a proxy";
    case model::hosting::elsewhere:
        return "hosted elsewhere";
    case model::hosting::delegated:
        return "delegated to a provider";
    }
    return "";
}

} // namespace

std::optional<std::string> mail_host(const std::string& typed) {
    const auto ascii = mail::to_ascii(typed);
    auto name = ascii ? mail::canonical_name(*ascii) : std::nullopt;
    if (!name || name->find('.') == std::string::npos || base::ip_address::parse(typed))
        return std::nullopt;
    return name;
}

std::string wish_fault::text() const {
    return option.empty() ? words : fmt::format("--{} {}", option, words);
}

std::expected<void, std::string> apply(const domain_wishes& said, model::looked_after& to,
                                       const publish_settings& with) {
    if (auto taken = take(said, to, with); !taken)
        return std::unexpected(taken.error().text());
    return {};
}

done take(const domain_wishes& said, model::looked_after& to, const publish_settings& with) {
    if (!said.mode.empty())
        if (auto taken = take_mode(said.mode, to); !taken)
            return taken;
    if (!said.max_age.empty())
        if (auto taken = take_max_age(said.max_age, to); !taken)
            return taken;
    if (!said.mx.empty())
        if (auto taken = take_mx(said.mx, to); !taken)
            return taken;
    if (!said.rua.empty())
        if (auto taken = take_rua(said.rua, to); !taken)
            return taken;
    if (!said.hosting.empty()) {
        const auto how = model::parse_hosting(said.hosting);
        if (!how)
            return wrong("hosting", said.hosting, "here, proxied, elsewhere or delegated");
        to.host = *how;
    }
    if (!said.dns.empty())
        if (auto taken = take_dns(said.dns, to, with); !taken)
            return taken;
    if (!said.leave.empty()) {
        const auto leave = model::parse_leave(said.leave);
        if (!leave)
            return wrong("leave", said.leave, "nothing, records or all");
        to.leave = *leave;
    }
    if (!said.owner.empty()) {
        // It is shown on terminals.
        const bool control =
            std::ranges::any_of(said.owner, [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; });
        if (said.owner.size() > owner_bytes || !base::is_utf8(said.owner) || control)
            return wrong("owner", said.owner, fmt::format("a name of at most {} bytes", owner_bytes));
        to.owner = said.owner == "none" ? "" : said.owner;
    }
    if (!said.policy_host.empty()) {
        auto host = host_or_address("policy-host", said.policy_host, true);
        if (!host)
            return std::unexpected(host.error());
        to.policy_host = std::move(*host);
    }
    if (!said.sts_target.empty()) {
        auto target = host_or_address("sts-target", said.sts_target, false);
        if (!target)
            return std::unexpected(target.error());
        to.sts_target = std::move(*target);
    }
    if (said.pause && said.resume)
        return fault("", "--pause and --resume exclude each other");
    if (said.pause || said.resume)
        to.paused = said.pause;
    if (!said.off.empty()) {
        const auto way = model::parse_off_way(base::lower(said.off));
        if (!way)
            return wrong("off", said.off, "none or expiry");
        to.off = *way;
    }
    to.keep_mx = said.keep_mx.value_or(to.keep_mx);
    if (said.mx_adding)
        if (auto taken = take_hosts("mx-adding", *said.mx_adding, to.mx_adding); !taken)
            return taken;
    if (said.mx_removing)
        if (auto taken = take_hosts("mx-removing", *said.mx_removing, to.mx_removing); !taken)
            return taken;
    if (said.all_labels) {
        if (std::ranges::any_of(*said.all_labels, [](const auto& label) { return label.starts_with('-'); }))
            return fault("label", "begins with '-'");
        to.labels.clear();
        if (auto taken = take_labels(*said.all_labels, to); !taken)
            return taken;
    }
    return take_labels(said.labels, to);
}

model::looked_after fresh_domain(std::string domain, const domain_wishes& said, const publish_settings& with,
                                 base::utc_seconds now) {
    model::looked_after made;
    made.domain = std::move(domain);
    made.leave = with.leave;
    made.added_at = made.changed_at = now;
    if (with.policy_host.empty() && said.policy_host.empty()) // nothing could point here
        made.host = model::hosting::elsewhere;
    return made;
}

model::looked_after domain_like(const model::looked_after& old, std::string domain, base::utc_seconds now) {
    model::looked_after made = old;
    made.domain = std::move(domain);
    made.like = old.domain;
    made.aim = old.aim == model::aim::off ? model::aim::testing : old.aim;
    made.mx_adding.clear();
    made.mx_removing.clear();
    made.sts_target.clear();
    made.marks.clear();
    made.paused = false;
    made.revision = 0;
    made.added_at = made.changed_at = now;
    return made;
}

std::expected<model::looked_after, std::string> new_domain(std::string domain, const domain_wishes& said,
                                                           const publish_settings& with,
                                                           base::utc_seconds now) {
    auto made = fresh_domain(std::move(domain), said, with, now);
    if (auto taken = apply(said, made, with); !taken)
        return std::unexpected(taken.error());
    return made;
}

std::expected<std::vector<std::vector<std::string>>, std::string> csv_rows(std::string_view bytes) {
    std::vector<std::vector<std::string>> rows;
    std::vector<std::string> row;
    std::string cell;
    bool quoted = false, was_quoted = false;
    std::size_t line = 1;
    bool too_wide = false;
    auto end_cell = [&] {
        too_wide = too_wide || row.size() == cells_max;
        row.push_back(was_quoted ? cell : std::string(base::trim(cell)));
        cell.clear();
        was_quoted = false;
    };
    auto end_row = [&] {
        end_cell();
        if (row.size() > 1 || !row.front().empty())
            rows.push_back(std::move(row));
        row.clear();
    };
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const char c = bytes[i];
        if (too_wide || rows.size() > rows_max)
            break;
        line += c == '\n';
        if (quoted) {
            if (c != '"')
                cell += c;
            else if (i + 1 < bytes.size() && bytes[i + 1] == '"')
                cell += bytes[++i];
            else
                quoted = false;
        } else if (c == '"' && base::trim(cell).empty()) {
            quoted = was_quoted = true;
            cell.clear();
        } else if (c == ',') {
            end_cell();
        } else if (c == '\n') {
            end_row();
        } else if (c != '\r') {
            cell += c;
        }
    }
    if (quoted)
        return std::unexpected(fmt::format("line {}: a quote is not closed", line));
    if (!cell.empty() || !row.empty())
        end_row();
    if (too_wide)
        return std::unexpected(fmt::format("line {}: more than {} cells", line, cells_max));
    if (rows.size() > rows_max)
        return std::unexpected(fmt::format("more than {} rows; split the table", rows_max));
    return rows;
}

std::expected<std::vector<csv_domain>, std::string> read_domain_csv(std::string_view bytes) {
    if (bytes.starts_with("\xef\xbb\xbf")) // spreadsheets write it
        bytes.remove_prefix(3);
    auto rows = csv_rows(bytes);
    if (!rows)
        return std::unexpected(rows.error());
    if (rows->empty())
        return std::unexpected(std::string("the table is empty"));
    static const std::vector<std::string_view> known = {
        "domain", "mode",  "max_age", "mx",   "rua",         "hosting",   "dns",
        "labels", "owner", "leave",   "like", "policy_host", "sts_target"};
    std::vector<std::string> head = rows->front();
    for (auto& name : head) {
        name = base::lower(name);
        std::ranges::replace(name, '-', '_');
        if (std::ranges::count(head, name) > 1)
            return std::unexpected(fmt::format("there are two columns '{}'", base::printable(name, 60)));
        if (std::ranges::find(known, name) == known.end()) {
            if (rows->front().size() == 1 && name.find_first_of(";\t") != std::string::npos)
                return std::unexpected(std::string("the cells have to be separated by commas"));
            const auto near = base::nearest(name, known);
            return std::unexpected(fmt::format(
                "there is no column '{}'; {}", base::printable(name, 60),
                near.empty() ? fmt::format("the first line names the columns: {}", fmt::join(known, ", "))
                             : fmt::format("did you mean {}?", near)));
        }
    }
    if (std::ranges::find(head, "domain") == head.end())
        return std::unexpected(std::string("the head line names no column domain"));
    std::vector<csv_domain> all;
    for (std::size_t i = 1; i < rows->size(); ++i) {
        const auto& cells = (*rows)[i];
        if (cells.size() > head.size())
            return std::unexpected(fmt::format("row {} has more cells than the head line", i + 1));
        csv_domain one;
        one.line = i + 1;
        auto& w = one.wishes;
        for (std::size_t k = 0; k < cells.size(); ++k) {
            const auto& name = head[k];
            const auto& cell = cells[k];
            if (name == "mx" || name == "rua" || name == "labels")
                (name == "mx" ? w.mx : name == "rua" ? w.rua : w.labels) = words_of(cell);
            else
                (name == "domain"        ? one.name
                 : name == "like"        ? one.like
                 : name == "mode"        ? w.mode
                 : name == "max_age"     ? w.max_age
                 : name == "hosting"     ? w.hosting
                 : name == "dns"         ? w.dns
                 : name == "owner"       ? w.owner
                 : name == "leave"       ? w.leave
                 : name == "policy_host" ? w.policy_host
                                         : w.sts_target) = cell;
        }
        all.push_back(std::move(one));
    }
    return all;
}

boost::json::object to_json(const model::looked_after& domain) {
    boost::json::object marks;
    for (const auto& [name, mark] : domain.marks)
        marks[name] = boost::json::object{
            {"at", base::format_utc(mark.at)}, {"by", mark.by}, {"text", base::printable(mark.text)}};
    return {{"domain", domain.domain},
            {"owner", domain.owner},
            {"mode", model::to_string(domain.aim)},
            {"max_age", domain.max_age ? boost::json::value(*domain.max_age) : boost::json::value(nullptr)},
            {"mx", boost::json::value_from(domain.mx)},
            {"mx_adding", boost::json::value_from(domain.mx_adding)},
            {"mx_removing", boost::json::value_from(domain.mx_removing)},
            {"rua", boost::json::value_from(domain.rua)},
            {"hosting", model::to_string(domain.host)},
            {"policy_host", domain.policy_host},
            {"sts_target", domain.sts_target},
            {"dns", model::to_string(domain.dns)},
            {"dns_server", domain.dns_server},
            {"leave", model::to_string(domain.leave)},
            {"off", model::to_string(domain.off)},
            {"keep_mx", domain.keep_mx},
            {"paused", domain.paused},
            {"labels", boost::json::value_from(domain.labels)},
            {"like", domain.like},
            {"marks", std::move(marks)},
            {"added_at", base::format_utc(domain.added_at)},
            {"changed_at", base::format_utc(domain.changed_at)},
            {"revision", domain.revision}};
}

std::string summary_of(const model::looked_after& domain) {
    std::string out(domain.paused ? "paused (testing for now)" : model::to_string(domain.aim));
    out += domain.mx.empty() ? ", MX as in DNS" : ", MX " + base::join(domain.mx, " ");
    out += fmt::format(", {}", words_of(domain.host));
    switch (domain.dns) {
    case model::dns_way::by_hand:
        out += ", DNS by hand";
        break;
    case model::dns_way::update:
        out += domain.dns_server.empty() ? ", DNS by update" : ", DNS by update to " + domain.dns_server;
        break;
    case model::dns_way::hook:
        out += ", DNS by the hook";
        break;
    }
    if (domain.leave != model::leave::records)
        out += fmt::format(", leaves {} to the daemon", model::to_string(domain.leave));
    return out;
}

} // namespace mailtight::app
