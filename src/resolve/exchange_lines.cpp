// SPDX-License-Identifier: Apache-2.0
// One policy, one line. Times are `2026-01-02T03:04:05Z`; what never happened is left out. Fields:
//   domain, used_at, refresh_at, failing_since, failures
//   policy {id, fetched_at, text}           what is held, with the bytes that were fetched
//   failed {id, at, fault, detail}          the latest fetch, where it failed
//   record {what, id, ttl, at, detail}      the latest look at _mta-sts
#include "base/limits.h"
#include "base/text.h"
#include "mail/domain_name.h"
#include "resolve/exchange.h"
#include "sts/policy_view.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <limits>
#include <utility>

namespace mailtight::resolve {
namespace {
namespace json = boost::json;
using kind = sts::record_sighting::kind;

constexpr std::chrono::seconds slack{300}, refresh_ahead{400 * 86'400};
constexpr std::size_t detail_max = 4'096;

constexpr auto kinds = std::to_array<std::pair<kind, std::string_view>>({{kind::never, "never"},
                                                                         {kind::error, "error"},
                                                                         {kind::none, "none"},
                                                                         {kind::multiple, "multiple"},
                                                                         {kind::invalid, "invalid"},
                                                                         {kind::valid, "valid"}});
constexpr auto faults = std::to_array<std::pair<sts::policy_fault, std::string_view>>(
    {{sts::policy_fault::fetch_error, "sts-policy-fetch-error"},
     {sts::policy_fault::webpki_invalid, "sts-webpki-invalid"},
     {sts::policy_fault::invalid, "sts-policy-invalid"}});
std::string_view word_of(const auto& table, auto what) {
    for (const auto& [value, word] : table)
        if (value == what)
            return word;
    return "";
}

// JSON holds Unicode alone.
std::string text_of(std::string_view bytes) {
    return bytes.size() <= detail_max && base::is_utf8(bytes) ? std::string(bytes)
                                                              : base::printable(bytes, 1'000);
}
void put_time(json::object& to, std::string_view name, base::utc_seconds at) {
    if (at != base::utc_seconds{})
        to[name] = base::format_utc(at);
}

/// Takes the fields of an object one by one; what is left at the end was not known. The first fault stays.
class field_reader {
public:
    field_reader(const json::object& from, std::string_view where, base::utc_seconds now,
                 std::optional<exchange_error>& error)
        : from_(from)
        , where_(where)
        , now_(now)
        , error_(error) {}

    void fail(exchange_fault fault, std::string_view name) {
        if (!error_)
            error_ = exchange_error{.fault = fault, .detail = where_ + std::string(name)};
    }
    const json::value* take(std::string_view name) {
        const auto* found = from_.if_contains(name);
        taken_ += found ? 1 : 0;
        return found;
    }
    std::string text(std::string_view name, bool required, std::size_t most) {
        const auto* found = take(name);
        if (!found && !required)
            return {};
        if (!found || !found->is_string() || found->get_string().size() > most) {
            fail(exchange_fault::field, name);
            return {};
        }
        return std::string(found->get_string());
    }
    std::uint32_t number(std::string_view name) {
        const auto* found = take(name);
        if (!found)
            return 0;
        if (!found->is_int64() || found->get_int64() < 0 ||
            found->get_int64() > std::numeric_limits<std::uint32_t>::max()) {
            fail(exchange_fault::field, name);
            return 0;
        }
        return static_cast<std::uint32_t>(found->get_int64());
    }
    /// Not later than now, or than so long after it.
    base::utc_seconds time(std::string_view name, bool required, std::chrono::seconds ahead = slack) {
        const auto* found = take(name);
        if (!found && !required)
            return {};
        const auto at = found && found->is_string() ? base::parse_utc(found->get_string()) : std::nullopt;
        if (!at || *at < base::utc_seconds{} || *at > now_ + ahead) {
            fail(exchange_fault::time, name);
            return {};
        }
        return *at;
    }
    /// An id of the record, or none.
    std::string id(std::string_view name) {
        auto out = text(name, false, base::limits::id_length_max);
        if (!std::ranges::all_of(out, base::is_alnum))
            fail(exchange_fault::field, name);
        return out;
    }
    template<class Table>
    auto word(std::string_view name, const Table& table) {
        const auto given = text(name, true, 64);
        for (const auto& [value, known] : table)
            if (known == given)
                return value;
        fail(exchange_fault::field, name);
        return table.front().first;
    }
    void end() {
        if (taken_ == from_.size())
            return;
        fail(exchange_fault::field, "(an unknown one)");
    }

private:
    const json::object& from_;
    std::string where_;
    base::utc_seconds now_;
    std::optional<exchange_error>& error_;
    std::size_t taken_ = 0;
};

sts::held_policy read_held(field_reader&& from) {
    sts::held_policy out{.id = from.id("id"),
                         .body = from.text("text", true, base::limits::policy_bytes),
                         .fetched_at = from.time("fetched_at", true)};
    if (auto parsed = sts::parse_policy(out.body))
        out.value = std::move(*parsed);
    else
        from.fail(exchange_fault::policy, "text");
    from.end();
    return out;
}
sts::failed_fetch read_failed(field_reader&& from) {
    sts::failed_fetch out{.id = from.id("id"),
                          .at = from.time("at", true),
                          .fault = from.word("fault", faults),
                          .detail = from.text("detail", false, detail_max)};
    from.end();
    return out;
}
void read_record(field_reader&& from, sts::resolution_state& to) {
    to.record = {.what = from.word("what", kinds),
                 .id = from.id("id"),
                 .ttl = from.number("ttl"),
                 .detail = from.text("detail", false, detail_max)};
    to.record_at = from.time("at", false);
    from.end();
}

} // namespace

std::string exchange_line(const model::kept_policy& policy) {
    const auto& s = policy.state;
    json::object out{{"domain", policy.domain}};
    put_time(out, "used_at", policy.used_at);
    if (s.held) {
        auto& held = out["policy"].emplace_object();
        held["id"] = s.held->id;
        put_time(held, "fetched_at", s.held->fetched_at);
        held["text"] = sts::gives(s.held->body, s.held->value) // else written canonically
                           ? s.held->body
                           : sts::format_policy(s.held->value).value_or("");
    }
    if (s.failed) {
        auto& failed = out["failed"].emplace_object();
        failed["id"] = s.failed->id;
        put_time(failed, "at", s.failed->at);
        failed["fault"] = word_of(faults, s.failed->fault);
        failed["detail"] = text_of(s.failed->detail);
    }
    if (s.record.what != kind::never) {
        auto& record = out["record"].emplace_object();
        record["what"] = word_of(kinds, s.record.what);
        if (!s.record.id.empty())
            record["id"] = s.record.id;
        record["ttl"] = s.record.ttl;
        put_time(record, "at", s.record_at);
        if (!s.record.detail.empty())
            record["detail"] = text_of(s.record.detail);
    }
    put_time(out, "refresh_at", s.refresh_at);
    put_time(out, "failing_since", s.failing_since);
    if (s.failures > 0)
        out["failures"] = s.failures;
    return json::serialize(out) + "\n";
}

std::expected<model::kept_policy, exchange_error> read_exchange_line(std::string_view line,
                                                                     base::utc_seconds now) {
    const auto refused = [](exchange_fault fault, std::string_view detail) {
        return std::unexpected(exchange_error{.fault = fault, .detail = std::string(detail.substr(0, 300))});
    };
    if (line.size() > exchange_line_max)
        return refused(exchange_fault::too_long, line);
    boost::system::error_code problem;
    const auto parsed = json::parse({line.data(), line.size()}, problem, {}, {.max_depth = 3});
    if (problem || !parsed.is_object())
        return refused(exchange_fault::json, line);

    std::optional<exchange_error> error;
    model::kept_policy out;
    auto& s = out.state;
    field_reader from(parsed.get_object(), "", now, error);
    const auto part = [&](std::string_view name, auto read) {
        const auto* found = from.take(name);
        if (found && !found->is_object())
            from.fail(exchange_fault::field, name);
        else if (found)
            read(field_reader(found->get_object(), std::string(name) + ".", now, error));
    };
    out.domain = from.text("domain", true, base::limits::dns_name_text_max);
    if (!error && (mail::canonical_name(out.domain) != out.domain || !out.domain.contains('.')))
        from.fail(exchange_fault::domain, "domain");
    out.used_at = from.time("used_at", false);
    part("policy", [&](field_reader&& in) { s.held = read_held(std::move(in)); });
    part("failed", [&](field_reader&& in) { s.failed = read_failed(std::move(in)); });
    part("record", [&](field_reader&& in) { read_record(std::move(in), s); });
    s.refresh_at = from.time("refresh_at", false, refresh_ahead);
    s.failing_since = from.time("failing_since", false);
    s.failures = from.number("failures");
    from.end();
    if (error)
        return std::unexpected(std::move(*error));
    return out;
}

} // namespace mailtight::resolve
