// SPDX-License-Identifier: Apache-2.0
#include "store/domain_rows.h"

#include "base/limits.h"
#include "base/text.h"
#include "store/hashed_fields.h"
#include "store/words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace mailtight::store {
namespace {

using model::looked_after;

// A word of the file, or the default of the model where somebody else wrote something unknown.
template<auto Member, auto Parse>
void write_word(looked_after& to, std::string_view text) {
    if (const auto value = Parse(text))
        to.*Member = *value;
}
template<auto Member>
std::string read_word(const looked_after& from) {
    return std::string(model::to_string(from.*Member));
}
template<std::string looked_after::* Member>
std::string read_text(const looked_after& from) {
    return from.*Member;
}
template<std::string looked_after::* Member>
void write_text(looked_after& to, std::string_view text) {
    to.*Member = text;
}
template<std::vector<std::string> looked_after::* Member>
std::string read_texts(const looked_after& from) {
    return write_list(from.*Member);
}
template<std::vector<std::string> looked_after::* Member>
void write_texts(looked_after& to, std::string_view text) {
    to.*Member = read_list(text);
}
template<bool looked_after::* Member>
std::string read_yes(const looked_after& from) {
    return from.*Member ? "yes" : "";
}
template<bool looked_after::* Member>
void write_yes(looked_after& to, std::string_view text) {
    to.*Member = text == "yes";
}
std::string read_max_age(const looked_after& from) {
    return from.max_age ? std::to_string(*from.max_age) : "";
}
void write_max_age(looked_after& to, std::string_view text) {
    std::uint64_t value = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc())
        to.max_age = value;
}

using l = looked_after;
constexpr auto fields = std::to_array<wish_field>({
    {"owner", "owner", read_text<&l::owner>, write_text<&l::owner>},
    {"aim", "mode", read_word<&l::aim>, write_word<&l::aim, model::parse_aim>},
    {"max_age", "max-age", read_max_age, write_max_age},
    {"mx", "mx", read_texts<&l::mx>, write_texts<&l::mx>, true},
    {"mx_adding", "mx-adding", read_texts<&l::mx_adding>, write_texts<&l::mx_adding>, true},
    {"mx_removing", "mx-removing", read_texts<&l::mx_removing>, write_texts<&l::mx_removing>, true},
    {"rua", "rua", read_texts<&l::rua>, write_texts<&l::rua>, true},
    {"host", "hosting", read_word<&l::host>, write_word<&l::host, model::parse_hosting>},
    {"policy_host", "policy-host", read_text<&l::policy_host>, write_text<&l::policy_host>},
    {"sts_target", "sts-target", read_text<&l::sts_target>, write_text<&l::sts_target>},
    {"dns", "dns", read_word<&l::dns>, write_word<&l::dns, model::parse_dns_way>},
    {"dns_server", "dns-server", read_text<&l::dns_server>, write_text<&l::dns_server>},
    {"leave", "leave", read_word<&l::leave>, write_word<&l::leave, model::parse_leave>},
    {"off", "off", read_word<&l::off>, write_word<&l::off, model::parse_off_way>},
    {"keep_mx", "keep-mx", read_yes<&l::keep_mx>, write_yes<&l::keep_mx>},
    {"paused", "paused", read_yes<&l::paused>, write_yes<&l::paused>},
    {"labels", "labels", read_texts<&l::labels>, write_texts<&l::labels>, true},
    {"like_domain", "like", read_text<&l::like>, write_text<&l::like>},
});

store_error wrong(std::string message) {
    return {.what = store_error::kind::wrong, .message = std::move(message)};
}

constexpr std::size_t text_max = 255, label_max = 64, list_max = 256, address_max = 1'000;
constexpr std::size_t certificate_max = 1u << 20, key_max = 65'536, findings_max = 10'000;

std::optional<store_error> refused_list(std::string_view what, const std::vector<std::string>& list,
                                        std::size_t most) {
    if (list.size() > list_max)
        return wrong(fmt::format("{}: {} entries; at most {} are kept", what, list.size(), list_max));
    for (const auto& each : list) {
        if (each.empty())
            return wrong(fmt::format("{}: an empty entry", what));
        if (auto problem = refused_name(what, each, most))
            return problem;
    }
    return std::nullopt;
}

} // namespace

std::span<const wish_field> wish_fields() {
    return fields;
}

std::string for_people(const wish_field& field, const model::looked_after& of) {
    const auto text = field.read(of);
    return field.list ? base::join(read_list(text), ", ") : text;
}

const std::string& looked_after_columns() {
    static const std::string all = [] {
        std::string out = "domain, added_at, changed_at, revision";
        for (const auto& field : fields)
            out += fmt::format(", {}", field.column);
        return out;
    }();
    return all;
}

model::looked_after read_looked_after(const sql::row& from) {
    looked_after out;
    out.domain = from.string(0);
    out.added_at = from.at(1);
    out.changed_at = from.at(2);
    out.revision = from.integer(3);
    int column = 4;
    for (const auto& field : fields)
        field.write(out, from.text(column++));
    return out;
}

std::optional<store_error> refused_name(std::string_view what, std::string_view text, std::size_t most) {
    if (text.size() > most)
        return wrong(fmt::format("{}: {} bytes; at most {} are kept", what, text.size(), most));
    if (!base::is_utf8(text) ||
        std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }))
        return wrong(
            fmt::format("{}: a control character, or no UTF-8: {}", what, base::printable(text, 60)));
    return std::nullopt;
}

std::optional<store_error> refused_bytes(std::string_view what, std::string_view bytes, std::size_t most) {
    if (bytes.size() > most)
        return wrong(fmt::format("{}: {} bytes; at most {} are kept", what, bytes.size(), most));
    return std::nullopt;
}

std::optional<store_error> refused_domain(std::string_view domain) {
    const auto plain = [](char c) {
        return base::is_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '_';
    };
    std::size_t label = 0;
    bool good = !domain.empty() && domain.size() <= base::limits::dns_name_text_max;
    for (const char c : domain) {
        if (c == '.') {
            good = good && label > 0;
            label = 0;
        } else {
            good = good && plain(c) && ++label <= base::limits::dns_label_max;
        }
    }
    if (good && label > 0)
        return std::nullopt;
    return wrong(
        fmt::format("not a domain name in lower case and A-label form: {}", base::printable(domain, 60)));
}

std::optional<store_error> refused(const model::looked_after& value) {
    if (auto problem = refused_domain(value.domain))
        return problem;
    for (const auto& [what, text] : {std::pair<std::string_view, std::string_view>("owner", value.owner),
                                     {"policy host", value.policy_host},
                                     {"sts target", value.sts_target},
                                     {"dns server", value.dns_server},
                                     {"like", value.like}})
        if (auto problem = refused_name(what, text, text_max))
            return problem;
    for (const auto& [what, list] : {std::pair("mx", &value.mx),
                                     {"mx to be added", &value.mx_adding},
                                     {"mx to be removed", &value.mx_removing}})
        if (auto problem = refused_list(what, *list, text_max))
            return problem;
    if (auto problem = refused_list("report address", value.rua, address_max))
        return problem;
    if (auto problem = refused_list("label", value.labels, label_max))
        return problem;
    if (value.max_age && *value.max_age > base::limits::max_age_max) // 8461-3.2-g
        return wrong(fmt::format("max_age {} is beyond {}", *value.max_age, base::limits::max_age_max));
    for (const auto& [name, mark] : value.marks)
        if (auto problem = refused(mark, name))
            return problem;
    return std::nullopt;
}

std::optional<store_error> refused(const model::mark& value, std::string_view name) {
    if (name.empty())
        return wrong("a mark without a name");
    if (auto problem = refused_name("mark", name, text_max))
        return problem;
    if (auto problem = refused_bytes("mark", value.text, base::limits::policy_bytes))
        return problem;
    return refused_bytes("name of who set the mark", value.by, text_max);
}

std::optional<store_error> refused(const model::publication& value) {
    if (auto problem = refused_domain(value.domain))
        return problem;
    if (auto problem = refused_bytes("policy", value.body, base::limits::policy_bytes))
        return problem;
    return refused_name("policy id", value.id, text_max);
}

std::optional<store_error> refused(const kept_certificate& value) {
    if (auto problem = refused_domain(value.name))
        return problem;
    if (value.not_after <= base::utc_seconds{})
        return wrong("a certificate without an end");
    if (auto problem = refused_name("issuer", value.issuer, address_max))
        return problem;
    // Neither is text of ours: no byte of them goes into a message.
    for (const auto& [what, text, most] :
         {std::tuple("certificate", std::string_view(value.chain), certificate_max),
          std::tuple("sealed key", std::string_view(value.sealed_key), key_max)}) {
        if (auto problem = refused_bytes(what, text, most))
            return problem;
        if (!std::ranges::all_of(text,
                                 [](char c) { return c == '\n' || c == '\r' || (c >= 0x20 && c < 0x7f); }))
            return wrong(fmt::format("{}: not PEM", what));
    }
    return std::nullopt;
}

std::optional<store_error> refused(const model::watched_state& value) {
    if (auto problem = refused_domain(value.domain))
        return problem;
    if (auto problem = refused_bytes("policy", value.policy, base::limits::policy_bytes))
        return problem;
    if (value.mx.size() > findings_max || value.findings.size() > findings_max)
        return wrong(fmt::format("more than {} findings or MX hosts", findings_max));
    return std::nullopt;
}

std::string digest_of(const model::watched_state& state) {
    hashed_fields all;
    all << state.verdict << state.record_id << state.policy_sha256 << state.policy << state.mx
        << state.findings;
    return all.digest();
}

body_facts facts_of(std::string_view body) {
    if (const auto parsed = sts::parse_policy(body))
        return {.mode = parsed->mode, .max_age = parsed->effective_max_age()};
    // Some sender may read more leniently than we do: then it remembers what these lines say.
    body_facts out;
    for (std::string_view line : base::split(body, '\n')) {
        const auto colon = line.find(':');
        if (colon == std::string_view::npos)
            continue;
        const auto name = base::trim(line.substr(0, colon)), value = base::trim(line.substr(colon + 1));
        if (base::iequals(name, "mode"))
            out.mode = sts::parse_mode(base::lower(value)).value_or(out.mode);
        else if (base::iequals(name, "max_age")) {
            std::uint64_t seconds = 0;
            const auto read = std::from_chars(value.data(), value.data() + value.size(), seconds);
            if (read.ec == std::errc::result_out_of_range)
                seconds = base::limits::max_age_max;
            out.max_age = std::max(out.max_age, std::min(seconds, base::limits::max_age_max));
        }
    }
    return out;
}

} // namespace mailtight::store
