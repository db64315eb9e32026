// SPDX-License-Identifier: Apache-2.0
#include "sts/policy_view.h"

#include "base/limits.h"
#include "sts/match.h"
#include "sts/policy_line.h"

namespace mailtight::sts {
namespace {
// Which of the fields that count once were seen.
struct seen_fields {
    bool version = false;
    bool mode = false;
    bool max_age = false;
};

// Takes one field into the view; false where it makes the policy unusable (A6).
bool take(const policy_field& field, policy_view& view, seen_fields& seen) {
    switch (field.key) {
    case policy_key::mx:
        ++view.mx_count;
        return valid_mx_pattern(field.value);
    case policy_key::version:
        if (seen.version)
            break;
        seen.version = true;
        return field.value == "STSv1";
    case policy_key::mode:
        if (seen.mode)
            break;
        seen.mode = true;
        if (const auto m = parse_mode(field.value)) {
            view.mode = *m;
            return true;
        }
        return false;
    case policy_key::max_age:
        if (seen.max_age)
            break;
        seen.max_age = true;
        if (const auto seconds = read_max_age(field.value)) {
            view.max_age = *seconds;
            return true;
        }
        return false;
    case policy_key::other:
        break;
    }
    ++view.other_fields; // unknown, or repeated: only its form matters (A3)
    return is_extension_text(field.value);
}
} // namespace

std::optional<policy_view> read_policy_view(std::string_view body) {
    if (body.size() > base::limits::policy_bytes) // A10
        return std::nullopt;
    policy_view view;
    view.body = body;
    seen_fields seen;
    policy_line_reader reader(body);
    for (policy_line line; reader.read(line);) {
        if (line.end == line_end::cr)
            return std::nullopt;
        if (is_blank(line.text)) {
            view.trailing_blank_lines = true;
            continue;
        }
        if (view.trailing_blank_lines) // they were not trailing (A7)
            return std::nullopt;
        const auto field = split_field(line.text);
        if (!field || !take(*field, view, seen))
            return std::nullopt;
    }
    if (!seen.version || !seen.mode || !seen.max_age)
        return std::nullopt;
    if (view.mode != mode::none && view.mx_count == 0) // 8461-3.2-n, A8
        return std::nullopt;
    return view;
}

bool gives(std::string_view body, const policy& value) {
    const auto view = read_policy_view(body);
    if (!view || view->mode != value.mode || view->max_age != value.max_age ||
        view->mx_count != value.mx.size())
        return false;
    auto mx = value.mx.begin();
    auto extension = value.extensions.begin();
    policy_line_reader reader(body);
    for (policy_line line; reader.read(line);) {
        const auto field = split_field(line.text);
        if (!field)
            continue; // a blank line at the end
        if (field->key == policy_key::mx && field->value != *mx++)
            return false;
        if (field->key == policy_key::other) {
            if (extension == value.extensions.end() || field->name != extension->first ||
                field->value != extension->second)
                return false;
            ++extension;
        }
    }
    return extension == value.extensions.end();
}

std::optional<std::string_view> policy_view::admitted_by(std::string_view host) const {
    policy_line_reader reader(body);
    for (policy_line line; reader.read(line);) {
        const auto field = split_field(line.text);
        if (field && field->key == policy_key::mx && pattern_admits(field->value, host))
            return field->value;
    }
    return std::nullopt;
}

} // namespace mailtight::sts
