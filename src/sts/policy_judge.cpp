// SPDX-License-Identifier: Apache-2.0
// Entry point: judge_policy(). It walks the lines once and names everything that is wrong or odd; what the
// whole body adds up to comes last.
#include "base/issue_list.h"
#include "base/limits.h"
#include "base/text.h"
#include "sts/policy.h"
#include "sts/policy_line.h"

#include <algorithm>
#include <array>
#include <utility>

namespace mailtight::sts {
namespace {
using enum policy_problem;

constexpr std::array<std::string_view, 4> known_keys{"version", "mode", "max_age", "mx"};

// The known key that a line was meant to hold, even where the line is broken or its case is wrong: a broken
// `mode` line is one fault, not a missing mode as well.
std::optional<policy_key> meant_key(std::string_view line) {
    const std::string_view name = base::trim(line.substr(0, line.find(':')));
    if (line.find(':') == line.npos)
        return std::nullopt;
    for (std::size_t i = 0; i < known_keys.size(); ++i)
        if (base::iequals(name, known_keys[i]))
            return static_cast<policy_key>(i);
    return std::nullopt;
}

// The first byte that no line may hold: no well-formed UTF-8, or a control character other than TAB.
std::size_t first_bad_byte(std::string_view line) {
    const std::size_t invalid = base::first_invalid_utf8(line);
    const auto control =
        std::ranges::find_if(line, [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == '\x7f'; });
    const auto at = static_cast<std::size_t>(control - line.begin());
    return std::min(invalid, at == line.size() ? line.npos : at);
}

policy_problem mx_problem(std::string_view pattern) {
    if (pattern == "." || pattern == "0 .")
        return mx_null;
    if (std::ranges::any_of(pattern, [](char c) { return c < 0; })) // 8461-3.2-l
        return mx_unicode;
    return mx_syntax; // 8461-3.2-k, 8461-3.2-q
}
bool is_numeric_name(std::string_view pattern) {
    return std::ranges::all_of(pattern, [](char c) { return base::is_digit(c) || c == '.'; });
}

// One pass over a body. The members are what the whole body adds up to.
class judge {
public:
    explicit judge(std::string_view body)
        : body_(body)
        , issues_(out_.issues) {}

    policy_judgement run() {
        if (body_.size() > base::limits::policy_bytes) { // A10
            issues_.fault({too_large, 0, 0, std::to_string(body_.size())});
            return std::move(out_);
        }
        if (body_.find_first_not_of(" \t\r\n") == body_.npos) {
            issues_.fault({empty, 0, 0, ""});
            return std::move(out_);
        }
        policy_line_reader reader(body_);
        for (policy_line line; reader.read(line);)
            read(line);
        if (blank_)
            trailing_blanks();
        if (never_a_policy())
            return std::move(out_);
        whole_body();
        if (!issues_.faulty()) {
            out_.valid = !blank_;
            out_.value = std::move(value_);
        }
        return std::move(out_);
    }

private:
    void fault(policy_problem problem, const policy_line& line, std::size_t at, std::string_view detail) {
        issues_.fault({problem, line.number, at, std::string(detail)});
    }
    void remark(policy_problem problem, const policy_line& line, std::size_t at, std::string_view detail) {
        issues_.remark({problem, line.number, at, std::string(detail)});
    }
    bool& meant(policy_key key) { return meant_[static_cast<std::size_t>(key)]; }
    bool& seen(policy_key key) { return seen_[static_cast<std::size_t>(key)]; }
    std::size_t offset_of(std::string_view part) const {
        return static_cast<std::size_t>(part.data() - body_.data());
    }

    void read(policy_line line) {
        if (line.number == 1 && line.text.starts_with("\xef\xbb\xbf")) { // A7
            fault(bom, line, 0, line.text.substr(0, 3));
            line.text.remove_prefix(3);
        }
        line_ending(line);
        if (is_blank(line.text)) {
            if (!blank_)
                blank_ = line;
            return;
        }
        if (blank_) { // A7: only those after the last field are tolerated
            fault(blank_line, *blank_, blank_->offset, "");
            blank_.reset();
        }
        const auto key = meant_key(line.text);
        const bool first = !std::exchange(past_first_, true);
        const auto field = field_of(line);
        if (key && (!field || field->key == *key))
            meant(*key) = true;
        any_known_ = any_known_ || key;
        if (!field)
            return;
        if (field->key == policy_key::version && !first && !seen(policy_key::version))
            remark(version_not_first, line, line.offset, ""); // 8461-3.2-t allows it, the guides do not
        take(*field, line);
    }

    void line_ending(const policy_line& line) {
        if (line.end == line_end::cr) {
            fault(bare_cr, line, line.offset + line.text.size(), "\r");
        } else if (line.end != line_end::none) {
            if (ending_ != line_end::none && ending_ != line.end && !std::exchange(mixed_, true))
                remark(mixed_line_endings, line, offset_of(line.text) + line.text.size(), "");
            ending_ = line.end;
        }
    }

    // The field of a line, or the fault that makes it none.
    std::optional<policy_field> field_of(const policy_line& line) {
        const std::size_t start = offset_of(line.text);
        if (const std::size_t bad = first_bad_byte(line.text); bad != line.text.npos) {
            fault(encoding, line, start + bad, line.text.substr(bad, 1));
            any_bad_byte_ = true;
            return std::nullopt;
        }
        if (base::is_wsp(line.text.front())) { // 8461-3.2-m
            fault(leading_space, line, start, line.text);
            return std::nullopt;
        }
        const auto field = split_field(line.text);
        if (!field)
            fault(syntax, line, start, line.text);
        return field;
    }

    void take(const policy_field& field, const policy_line& line) {
        const std::size_t at = offset_of(field.value);
        if (field.key == policy_key::mx) {
            take_mx(field.value, line, at);
            return;
        }
        if (field.key == policy_key::other || seen(field.key)) {
            take_without_effect(field, line);
            return;
        }
        seen(field.key) = true; // A6: a bad value of a known field is a fault, never an unknown field
        switch (field.key) {
        case policy_key::version: // 8461-3.2-e
            if (field.value != "STSv1")
                fault(version_invalid, line, at, field.value);
            return;
        case policy_key::mode: // 8461-3.2-f
            if (const auto m = parse_mode(field.value))
                mode_ = value_.mode = *m;
            else
                fault(mode_invalid, line, at, field.value);
            return;
        case policy_key::max_age: // 8461-3.2-g, A4
            if (const auto seconds = read_max_age(field.value))
                value_.max_age = *seconds;
            else
                fault(max_age_invalid, line, at, field.value);
            if (value_.max_age > base::limits::max_age_max)
                remark(max_age_too_large, line, at, field.value);
            return;
        case policy_key::mx:
        case policy_key::other:
            return;
        }
    }

    void take_mx(std::string_view pattern, const policy_line& line, std::size_t at) {
        if (!valid_mx_pattern(pattern)) {
            fault(mx_problem(pattern), line, at, pattern);
            return;
        }
        if (is_numeric_name(pattern))
            remark(mx_address, line, at, pattern);
        value_.mx.emplace_back(pattern);
    }

    // 8461-3.2-v, 8461-3.2-w, A3: of an unknown or repeated field only the form matters.
    void take_without_effect(const policy_field& field, const policy_line& line) {
        if (!is_extension_text(field.value)) { // 8461-3.2-s
            fault(syntax, line, line.offset, line.text);
        } else if (field.key != policy_key::other) {
            remark(duplicate_field, line, offset_of(field.name), field.name);
        } else {
            remark(meant_key(line.text) ? key_case : unknown_field, line, offset_of(field.name), field.name);
            value_.extensions.emplace_back(field.name, field.value);
        }
    }

    void trailing_blanks() { issues_.insist({trailing_blank_lines, blank_->number, blank_->offset, ""}); }

    // Content without a single known key was never meant as a policy; its issues would only be noise.
    bool never_a_policy() {
        const std::size_t start = body_.find_first_not_of(" \t\r\n\xef\xbb\xbf");
        const bool markup = start != body_.npos && (body_[start] == '<' || body_[start] == '{');
        if (any_known_ && !markup)
            return false;
        std::optional<policy_issue> only;
        if (any_bad_byte_ && !markup)
            if (const auto found = std::ranges::find(out_.issues, encoding, &policy_issue::problem);
                found != out_.issues.end())
                only = std::move(*found);
        out_.issues.clear();
        issues_.fault(only ? std::move(*only) : policy_issue{not_a_policy, 0, 0, ""});
        return true;
    }

    void whole_body() {
        const auto missing = [this](policy_key key, policy_problem problem) {
            if (!meant(key))
                issues_.fault({problem, 0, body_.size(), ""});
        };
        missing(policy_key::version, version_missing);
        missing(policy_key::mode, mode_missing);
        missing(policy_key::max_age, max_age_missing);
        if (mode_ && *mode_ != mode::none) // 8461-3.2-n, A8
            missing(policy_key::mx, mx_missing);
    }

    std::string_view body_;
    policy_judgement out_;
    base::issue_list<policy_issue> issues_;
    policy value_;
    std::optional<sts::mode> mode_;
    std::array<bool, 4> meant_{};      // by policy_key: a line was meant for it
    std::array<bool, 4> seen_{};       // by policy_key: the occurrence that counts was read
    std::optional<policy_line> blank_; // the first of the blank lines just read
    line_end ending_ = line_end::none;
    bool mixed_ = false;
    bool past_first_ = false;
    bool any_known_ = false;
    bool any_bad_byte_ = false;
};
} // namespace

policy_judgement judge_policy(std::string_view body) {
    return judge(body).run();
}

} // namespace mailtight::sts
