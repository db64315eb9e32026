// SPDX-License-Identifier: Apache-2.0
// One JSON text -> a report: the fast parser where it takes the text, the mender before it where it does not;
// the fields are read in one place for both.
#include "tlsrpt/read_report.h"

#include "base/text.h"
#include "tlsrpt/date_time.h"
#include "tlsrpt/infer.h"
#include "tlsrpt/json_mend.h"
#include "tlsrpt/policy_fields.h"
#include "tlsrpt/reader_state.h"

#include <bit>

namespace mailtight::tlsrpt {
namespace {

namespace dom = simdjson::dom;

enum top_member : unsigned { organization, range, contact, id, policies };
constexpr std::array<std::string_view, 5> top_members{"organization-name", "date-range", "contact-info",
                                                      "report-id", "policies"};
constexpr std::array<other_name, 2> other_top_members{
    {{"organisation-name", organization}, {"policy", policies}}};
enum date_member : unsigned { start_date, end_date };
constexpr std::array<std::string_view, 2> date_members{"start-datetime", "end-datetime"};
constexpr std::array<other_name, 4> other_date_members{
    {{"start-date-time", start_date}, {"end-date-time", end_date}, {"start", start_date}, {"end", end_date}}};

constexpr auto ignored = [](std::string_view, dom::element) {};

void read_date(dom::element value, const place& at, reading& r, bool is_end,
               std::optional<base::utc_seconds>& into) {
    if (is_blank(value))
        return; // the gap is spoken of later
    std::string text;
    if (value.is_string())
        read_text(value, at, r, text);
    else
        text = simdjson::minify(value);
    const auto date = parse_date_time(text);
    if (!date || date->odd || !value.is_string())
        r.notes.add(quirk::date_odd, at, text);
    if (!date)
        return;
    if (!date->zone)
        r.notes.add(quirk::date_without_zone, at, text);
    into = date->date_only && is_end ? day_end(date->at) : date->at;
}

void read_range(dom::element value, const place& at, reading& r) {
    if (!value.is_object()) {
        if (!is_blank(value))
            r.notes.add(quirk::wrong_type, at, simdjson::minify(value));
        return;
    }
    each_member(
        value.get_object().value_unsafe(), date_members, other_date_members, at, r,
        [&](unsigned member, dom::element v, const place& here) {
            read_date(v, here, r, member == end_date, member == end_date ? r.into.end : r.into.start);
        },
        ignored);
}

void read_policies(dom::element value, const place& at, reading& r, const mended_json* mended) {
    auto& kept = r.into.policies;
    if (!value.is_array()) { // 8460-4-f
        r.notes.add(quirk::policies_not_array, at, bounded(std::string(simdjson::minify(value)), 200));
        if (value.is_object())
            if (auto p = read_policy_result(value, at, r))
                kept.push_back(std::move(*p));
        return;
    }
    const dom::array list = value.get_array().value_unsafe();
    kept.reserve(std::min(list.size(), r.limits.policies));
    std::size_t left = mended && mended->inside_policy ? list.size() : 0; // 1: the one that broke off
    place here{&at, {}, 0};
    for (const auto element : list) {
        if (kept.size() == r.limits.policies) {
            r.into.truncated = true;
            r.notes.add(quirk::truncated, at, "policies");
            return;
        }
        const bool whole = left != 1;
        if (auto p = read_policy_result(element, here, r, whole, whole || !mended->inside_detail))
            kept.push_back(std::move(*p));
        if (left > 0)
            --left;
        ++here.index;
    }
}

// The members as they stand; false where there is no `policies`.
bool read_members(dom::object top, reading& r, const mended_json* mended) {
    const place root{};
    bool has_policies = false;
    each_member(
        top, top_members, other_top_members, root, r,
        [&](unsigned member, dom::element v, const place& here) {
            switch (member) {
            case organization:
                read_text(v, here, r, r.into.organization_name);
                break;
            case range:
                read_range(v, here, r);
                break;
            case contact:
                read_text(v, here, r, r.into.contact_info);
                break;
            case id:
                read_text(v, here, r, r.into.report_id);
                break;
            default:
                has_policies = true;
                read_policies(v, here, r, mended);
            }
        },
        ignored);
    return has_policies;
}

void note_missing_dates(const report& of, remarks& notes) {
    const place root{};
    const place at{&root, top_members[range]};
    if (!of.start)
        notes.add(quirk::date_missing, place{&at, date_members[start_date]});
    if (!of.end)
        notes.add(quirk::date_missing, place{&at, date_members[end_date]});
}

// ASCII without an escape: since the parser lets no control character pass in a text, all texts are plain.
bool is_bare(std::string_view json) {
    unsigned char high = 0;
    bool escape = false;
    for (const char c : json) {
        high |= static_cast<unsigned char>(c);
        escape |= c == '\\';
    }
    return high < 0x80 && !escape;
}

bool has_hints(const report_hints& h) {
    return !(h.submitter.empty() && h.file_name.empty() && h.subject.empty());
}

} // namespace

std::string_view to_string(read_problem p) {
    switch (p) {
    case read_problem::empty:
        return "empty";
    case read_problem::not_a_report:
        return "not-a-report";
    case read_problem::not_json:
        return "not-json";
    case read_problem::too_large:
        return "too-large";
    case read_problem::bomb:
        return "bomb";
    case read_problem::damaged:
        return "damaged";
    }
    return "";
}

simdjson::error_code report_reader::state::parse(std::string_view json, bool padded, dom::element& into) {
    // Room in steps, so that reports of every size do not make it grow each time.
    if (parser.capacity() < json.size() || parser.capacity() == 0) {
        constexpr std::size_t least = 16 * 1024;
        const std::size_t room =
            std::max(least, json.size() > kept_capacity ? json.size() : std::bit_ceil(json.size()));
        if (const auto error = parser.allocate(room, limits.depth + 1); error != simdjson::SUCCESS)
            return error;
    }
    return parser.parse(json.data(), json.size(), !padded).get(into);
}

void report_reader::state::release() {
    if (parser.capacity() > kept_capacity)
        parser = dom::parser{};
}

std::expected<report, read_error> report_reader::state::read_json(std::string_view json, bool padded,
                                                                  const report_hints& hints) {
    std::expected<report, read_error> out{std::in_place};
    if (json.size() > limits.json_bytes)
        return std::unexpected(read_error{read_problem::too_large, "The JSON is larger than allowed.", 0});
    report& into = *out;
    remarks notes(into.warnings, limits.warnings);
    std::string other_encoding;
    std::string_view text = json;
    if (looks_like_utf16(text)) {
        notes.add(quirk::utf16, place{});
        other_encoding = from_utf16(text, notes);
        text = other_encoding;
        padded = false;
    } else if (text.starts_with("\xef\xbb\xbf")) {
        notes.add(quirk::byte_order_mark, place{});
        text.remove_prefix(3);
    }

    dom::element top;
    mended_json mended;
    bool was_mended = false;
    bool bare = is_bare(text);
    const auto error = parse(text, padded, top);
    if (error == simdjson::MEMALLOC)
        return std::unexpected(read_error{read_problem::too_large, "There is no memory to read the JSON."});
    if (error != simdjson::SUCCESS) {
        auto result = mend_json(text, limits, notes);
        if (!result)
            return std::unexpected(result.error());
        mended = std::move(*result);
        was_mended = true;
        bare = is_bare(mended.json);
        mended.json.reserve(mended.json.size() + simdjson::SIMDJSON_PADDING);
        if (parse(mended.json, true, top) != simdjson::SUCCESS)
            return std::unexpected(
                read_error{read_problem::not_json, "The text is no JSON that can be read."});
    }
    if (!top.is_object())
        return std::unexpected(read_error{read_problem::not_json, "The JSON is no object."});

    reading r{limits, into, notes, limits.details, bare};
    into.truncated = mended.cut;
    if (!read_members(top.get_object().value_unsafe(), r, was_mended ? &mended : nullptr))
        return std::unexpected(read_error{read_problem::not_a_report,
                                          mended.cut ? "The JSON breaks off before any policy."
                                                     : "The JSON object has no member \"policies\"."});
    if (mended.cut && into.policies.empty())
        return std::unexpected(read_error{read_problem::not_a_report,
                                          "The JSON breaks off before the first policy is complete."});
    note_missing_dates(into, notes);
    if (into.policies.empty())
        notes.add(quirk::policies_empty, "policies", "");
    fill_gaps(into, hints, json, notes);
    settle_period(into, notes);
    if (has_hints(hints))
        compare_with_hints(into, hints, notes);
    return out;
}

report_reader::report_reader(read_limits limits)
    : state_(std::make_unique<state>(limits)) {}
report_reader::~report_reader() = default;

std::expected<report, read_error> report_reader::read_json(std::string_view json, const report_hints& hints) {
    auto out = state_->read_json(json, false, hints);
    state_->release();
    return out;
}

} // namespace mailtight::tlsrpt
