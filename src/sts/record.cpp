// SPDX-License-Identifier: Apache-2.0
// Entry points: read_record_view() is the grammar alone, without allocation; judge_record() says everything.
// Both walk the fields with base::tag_reader, so that they cannot disagree on where a field begins.
#include "sts/record.h"

#include "base/issue_list.h"
#include "base/tag_list.h"
#include "sts/id.h"

#include <algorithm>
#include <cassert>

namespace mailtight::sts {
namespace {
constexpr std::string_view version_word = "v=STSv1"; // 8461-3.1-c, 8461-3.1-i, 8461-3.1-m: exact, first
bool invalidates(record_problem problem) {
    switch (problem) {
    case record_problem::not_a_record:
    case record_problem::syntax:
    case record_problem::id_missing:
    case record_problem::id_invalid:
        return true;
    case record_problem::space_before_delimiter:
    case record_problem::duplicate_field:
    case record_problem::unknown_field:
        return false;
    }
    return true;
}
} // namespace

std::string_view explain(record_problem problem) {
    switch (problem) {
    case record_problem::not_a_record:
        return "The text does not begin with v=STSv1 and a semicolon, so no sender takes it for an MTA-STS "
               "record.";
    case record_problem::syntax:
        return "The record breaks the grammar of RFC 8461, so senders act as if the domain had no policy.";
    case record_problem::id_missing:
        return "The record has no id, so senders act as if the domain had no policy.";
    case record_problem::id_invalid:
        return "The id is not made of 1 to 32 letters and digits, so senders act as if the domain had no "
               "policy.";
    case record_problem::space_before_delimiter:
        return "A blank before the first semicolon is grammatical, but senders that look for the exact text "
               "v=STSv1; miss the record.";
    case record_problem::duplicate_field:
        return "A field is given twice; the first one counts for most senders, the last one for some.";
    case record_problem::unknown_field:
        return "Senders ignore a field that the standard does not define.";
    }
    return "";
}

bool claims_record(std::string_view text) {
    const auto version = base::version_of(text, version_word);
    return version == base::tag_version::exact || version == base::tag_version::spaced;
}

std::optional<record_view> read_record_view(std::string_view text) {
    if (!claims_record(text))
        return std::nullopt;
    record_view out;
    bool has_id = false;
    base::tag_reader reader(text, version_word);
    for (base::tag field; reader.read(field);) {
        if (!field.is_extension())
            return std::nullopt;
        if (has_id || field.name != "id") {
            ++out.other_fields;
            continue;
        }
        if (!valid_id(field.value))
            return std::nullopt;
        out.id = field.value;
        has_id = true;
    }
    if (!has_id)
        return std::nullopt;
    return out;
}

record_judgement judge_record(std::string_view text) {
    using enum record_problem;
    record_judgement out;
    base::issue_list<record_issue> issues(out.issues);
    const auto version = base::version_of(text, version_word);
    if (version == base::tag_version::foreign) {
        issues.fault({not_a_record, 0, std::string(text)});
        return out;
    }
    if (version == base::tag_version::alone) {
        issues.fault({syntax, version_word.size(), std::string(text.substr(version_word.size()))});
        return out;
    }
    if (version == base::tag_version::spaced) // 8461-3.1-h, A2
        issues.remark({space_before_delimiter, version_word.size(), ""});

    record value;
    bool has_id = false; // an `id` was seen, whatever its value
    base::tag_reader reader(text, version_word);
    for (base::tag field; reader.read(field);) {
        if (field.name == "id" && !has_id) { // 8461-3.1-d, 8461-3.1-j; of several the first counts (A3)
            has_id = true;
            if (valid_id(field.value))
                value.id = field.value;
            else
                issues.fault({id_invalid, field.offset, std::string(field.value)});
        } else if (!field.is_extension()) { // 8461-3.1-b, 8461-3.1-g, 8461-3.1-k, 8461-3.1-l
            issues.fault({syntax, field.offset, std::string(field.text)});
        } else if (field.name == "id") { // 8461-3.2-w
            issues.remark({duplicate_field, field.offset, std::string(field.name)});
        } else { // 8461-3.2-u, 8461-3.2-v, 8461-9-b: shown, without effect
            issues.remark({unknown_field, field.offset, std::string(field.name)});
            value.extensions.emplace_back(field.name, field.value);
        }
    }
    if (!has_id && !issues.faulty())
        issues.fault({id_missing, text.size(), ""});
    if (!issues.faulty())
        out.value = std::move(value);
    return out;
}

std::expected<record, record_issue> parse_record(std::string_view text) {
    if (const auto view = read_record_view(text); view && view->other_fields == 0)
        return record{std::string(view->id), {}};
    auto judged = judge_record(text);
    if (judged.value)
        return std::move(*judged.value);
    const auto fault = std::ranges::find_if(judged.issues, invalidates, &record_issue::problem);
    assert(fault != judged.issues.end()); // no value, so there is one
    if (fault == judged.issues.end())
        return std::unexpected(record_issue{record_problem::syntax, 0, ""});
    return std::unexpected(std::move(*fault));
}

rrset_judgement judge_rrset(std::span<const std::string> texts) {
    rrset_judgement out;
    auto selected = base::select_tagged(texts, version_word); // A2, 8461-3.1-n
    out.counted = std::move(selected.counted);
    out.unrelated = std::move(selected.unrelated);
    if (out.counted.empty())
        return out;
    if (out.counted.size() > 1) { // 8461-3.1-o
        out.result = rrset_judgement::outcome::multiple;
        return out;
    }
    out.chosen = out.counted.front();
    out.judgement = judge_record(texts[*out.chosen]);
    out.result = out.judgement.valid() ? rrset_judgement::outcome::valid
                                       : rrset_judgement::outcome::invalid; // 8461-3.1-p
    return out;
}

std::string format_record(std::string_view id) {
    assert(valid_id(id));
    std::string out(version_word);
    out += "; id=";
    out += id;
    return out;
}

} // namespace mailtight::sts
