// SPDX-License-Identifier: Apache-2.0
// Entry points: read_record_view() is the grammar alone, without allocation; judge_record() says everything.
// Both divide a `rua` value with for_each_uri(), so that they cannot disagree on where a URI ends.
#include "tlsrpt/record.h"

#include "base/issue_list.h"
#include "base/tag_list.h"
#include "tlsrpt/report_uri.h"

#include <set>
#include <utility>

namespace mailtight::tlsrpt {
namespace {
using enum record_problem;

constexpr std::string_view version_word = "v=TLSRPTv1"; // 8460-3-b, 8460-3-q: exact, case-sensitive

// 8460-3-r: URI {WSP} "," {WSP} URI. An item may be empty here; that is for the caller to refuse.
template<class Visit>
void for_each_uri(std::string_view list, Visit visit) {
    for (std::size_t begin = 0;;) {
        const std::size_t comma = list.find(',', begin);
        std::size_t end = comma == list.npos ? list.size() : comma;
        std::size_t first = begin;
        if (begin > 0) // blanks before the first URI belong to no comma
            while (first < end && base::is_wsp(list[first]))
                ++first;
        if (comma != list.npos)
            while (end > first && base::is_wsp(list[end - 1]))
                --end;
        visit(list.substr(first, end - first));
        if (comma == list.npos)
            return;
        begin = comma + 1;
    }
}
} // namespace

std::string_view explain(record_problem problem) {
    switch (problem) {
    case not_a_record:
        return "The text does not begin with v=TLSRPTv1 and a semicolon, so no sender takes it for a TLS "
               "reporting record.";
    case syntax:
        return "The record breaks the grammar of RFC 8460, so senders send no reports.";
    case rua_missing:
        return "The record names no place for reports (rua), so senders send none.";
    case rua_syntax:
        return "An item of rua is no URI: mail addresses need mailto: in front, and lists no empty items.";
    case rua_scheme:
        return "Senders deliver reports to mailto and https only; a URI of another scheme is skipped.";
    case rua_unescaped:
        return "A character in a rua URI must be percent-encoded: ! as %21, a comma as %2C, a semicolon as "
               "%3B.";
    case rua_many:
        return "The record names several places for reports; some senders use only the first.";
    case rua_duplicate:
        return "The same place for reports is named twice.";
    case space_before_delimiter:
        return "A blank before the first semicolon is grammatical, but senders that look for the exact text "
               "v=TLSRPTv1; miss the record.";
    case duplicate_field:
        return "There is a second rua field; most senders add its places, some ignore them.";
    case unknown_field:
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
    bool good = true;
    base::tag_reader reader(text, version_word);
    for (base::tag field; good && reader.read(field);) {
        if (field.name != "rua") {
            good = field.is_extension();
            continue;
        }
        for_each_uri(field.value, [&](std::string_view item) {
            const auto scheme = check_report_uri(item);
            if (!scheme) {
                good = false;
            } else if (*scheme != report_uri::scheme_type::other && out.usable++ == 0) {
                out.first_uri = item;
            }
        });
    }
    if (!good || out.usable == 0)
        return std::nullopt;
    return out;
}

record_judgement judge_record(std::string_view text) {
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
    if (version == base::tag_version::spaced) // A2
        issues.remark({space_before_delimiter, version_word.size(), ""});

    record value;
    bool broken = false;   // beyond a single URI: the record is of no use
    bool uris_good = true; // every item is a URI
    bool has_rua = false;
    std::size_t usable = 0;
    std::set<std::string_view> uris; // views into the text
    const auto take_uri = [&](std::string_view item) {
        const auto offset = static_cast<std::size_t>(item.data() - text.data());
        auto uri = read_report_uri(item);
        if (!uri) { // A44: the others of the list still count
            issues.fault({uri.error(), offset, std::string(item)});
            uris_good = false;
            return;
        }
        if (!uris.insert(item).second)
            issues.remark({rua_duplicate, offset, std::string(item)});
        if (uri->scheme == report_uri::scheme_type::other) // 8460-3-c
            issues.remark({rua_scheme, offset, std::string(item)});
        else if (++usable == 2)
            issues.remark({rua_many, offset, std::string(item)});
        value.rua.push_back(std::move(*uri));
    };
    base::tag_reader reader(text, version_word);
    for (base::tag field; reader.read(field);) {
        if (field.name == "rua") {
            if (std::exchange(has_rua, true)) // A44: its URIs are added
                issues.remark({duplicate_field, field.offset, std::string(field.name)});
            for_each_uri(field.value, take_uri);
        } else if (!field.is_extension()) { // 8460-3-o, 8460-3-t
            issues.fault({syntax, field.offset, std::string(field.text)});
            broken = true;
        } else { // 8460-3-aa
            issues.remark({unknown_field, field.offset, std::string(field.name)});
            value.extensions.emplace_back(field.name, field.value);
        }
    }
    if (!has_rua && !broken) // 8460-3-p
        issues.fault({rua_missing, text.size(), ""});
    if (!broken && usable > 0)
        out.value = std::move(value);
    out.valid = !broken && uris_good && usable > 0;
    return out;
}

rrset_judgement judge_rrset(std::span<const std::string> texts) {
    rrset_judgement out;
    auto selected = base::select_tagged(texts, version_word); // A2, 8460-3-u
    out.counted = std::move(selected.counted);
    out.unrelated = std::move(selected.unrelated);
    if (out.counted.empty())
        return out;
    if (out.counted.size() > 1) { // 8460-3-v
        out.result = rrset_judgement::outcome::multiple;
        return out;
    }
    out.chosen = out.counted.front();
    out.judgement = judge_record(texts[*out.chosen]);
    out.result = out.judgement.valid ? rrset_judgement::outcome::valid : rrset_judgement::outcome::invalid;
    return out;
}

} // namespace mailtight::tlsrpt
