// SPDX-License-Identifier: Apache-2.0
// One entry: mend_json(). A machine of three states (a name, a value, or what separates them is wanted) over
// a stack of open containers that is as deep as the limit at most.
#include "tlsrpt/json_mend.h"

#include "base/text.h"
#include "base/utf8.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <vector>

namespace mailtight::tlsrpt {
namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd"; // U+FFFD

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_word(char c) {
    return base::is_alnum(c) || c == '+' || c == '-' || c == '.' || c == '_';
}

// RFC 8259 §6.
struct number_form {
    bool valid = false, whole = false;
};
number_form form_of(std::string_view token) {
    std::size_t at = token.starts_with('-') ? 1 : 0;
    const auto digits = [&] {
        const std::size_t from = at;
        while (at < token.size() && base::is_digit(token[at]))
            ++at;
        return at - from;
    };
    const bool zero = at < token.size() && token[at] == '0';
    const std::size_t whole = digits();
    if (whole == 0 || (zero && whole > 1))
        return {};
    if (at == token.size())
        return {true, true};
    if (token[at] == '.') {
        ++at;
        if (digits() == 0)
            return {};
    }
    if (at < token.size() && (token[at] == 'e' || token[at] == 'E')) {
        ++at;
        if (at < token.size() && (token[at] == '+' || token[at] == '-'))
            ++at;
        if (digits() == 0)
            return {};
    }
    return {at == token.size(), false};
}

bool fits(std::string_view token, bool whole) {
    const char* end = token.data() + token.size();
    if (whole && token.starts_with('-')) {
        std::int64_t value = 0;
        return std::from_chars(token.data(), end, value).ec == std::errc{};
    }
    if (whole) {
        std::uint64_t value = 0;
        return std::from_chars(token.data(), end, value).ec == std::errc{};
    }
    double value = 0;
    return std::from_chars(token.data(), end, value).ec == std::errc{} && std::isfinite(value);
}

class mender {
public:
    mender(std::string_view text, const read_limits& limits, remarks& notes)
        : text_(text)
        , limits_(limits)
        , notes_(notes) {
        out_.reserve(std::min(text.size() + text.size() / 8, limits.json_bytes) + 64);
    }
    mended_json run();

private:
    enum class want { name, value, separator };
    struct frame {
        bool object;
        bool first = true;
        bool after_comma = false;
        std::size_t mark = 0; // where `out_` was before the member or element now read
        std::string name{};   // of that member
        std::size_t index = 0;
    };
    enum class step { goes_on, ends };

    bool done() const { return at_ >= text_.size(); }
    char peek() const { return text_[at_]; }
    void skip_space() {
        while (!done() && is_space(peek()))
            ++at_;
    }
    void remark(quirk code, std::string_view detail = {}) { notes_.add(code, here(), detail); }
    std::string here() const;
    std::string_view around() const { return text_.substr(std::min(at_, text_.size()), 40); }

    void begin_item();
    step read_name();
    step read_value();
    step read_separator();
    void value_ends() { want_ = want::separator; }
    void open(bool object);
    void close();
    step skip_too_deep();
    bool read_string();
    bool read_escape(std::optional<quirk>& surrogate, bool& syntax);
    std::optional<char32_t> hex4(std::size_t at) const;
    step read_word();
    void write_number(std::string_view token);
    void write_word(std::string_view token);
    mended_json broken_off();

    std::string_view text_;
    const read_limits& limits_;
    remarks& notes_;
    std::string out_;
    std::size_t at_ = 0;
    std::vector<frame> stack_;
    want want_ = want::value;
};

std::string mender::here() const {
    std::string path;
    for (const auto& f : stack_) {
        if (!f.object) {
            path += "[" + std::to_string(f.index) + "]";
        } else if (!f.name.empty()) {
            if (!path.empty())
                path += '.';
            path += f.name;
        }
    }
    return path;
}

mended_json mender::run() {
    while (true) {
        skip_space();
        // Every repair of one byte writes at most six.
        if (done() || out_.size() > 2 * limits_.json_bytes)
            return broken_off();
        const step next = want_ == want::name    ? read_name()
                          : want_ == want::value ? read_value()
                                                 : read_separator();
        if (next == step::ends)
            return broken_off();
        if (stack_.empty())
            break;
    }
    skip_space();
    if (!done())
        notes_.add(quirk::trailing_bytes, place{}, text_.substr(at_));
    return {.json = std::move(out_)};
}

// Closes what is open; a member or element that was not read to its end is taken back.
mended_json mender::broken_off() {
    remark(quirk::cut_short, around());
    mended_json result{.cut = true};
    const auto named = [&](std::size_t i, std::string_view name) {
        return stack_.size() > i && stack_[i].object && stack_[i].name == name;
    };
    result.inside_policy = named(0, "policies") && stack_.size() > 2;
    result.inside_detail = result.inside_policy &&
                           (named(2, "failure-details") || named(2, "failure_details")) && stack_.size() > 4;
    if (!stack_.empty() && want_ == want::value)
        out_.resize(stack_.back().mark);
    for (; !stack_.empty(); stack_.pop_back())
        out_ += stack_.back().object ? '}' : ']';
    result.json = std::move(out_);
    return result;
}

void mender::begin_item() {
    auto& top = stack_.back();
    top.mark = out_.size();
    if (!top.first)
        out_ += ',';
}

void mender::open(bool object) {
    out_ += object ? '{' : '[';
    stack_.push_back({.object = object, .mark = out_.size()});
    ++at_;
    want_ = object ? want::name : want::value;
}

void mender::close() {
    out_ += stack_.back().object ? '}' : ']';
    stack_.pop_back();
    ++at_;
    value_ends();
}

mender::step mender::read_name() {
    auto& top = stack_.back();
    const char c = peek();
    if (c == '}' || c == ']') {
        if (top.after_comma || c != '}')
            remark(quirk::json_syntax, around());
        close();
        return step::goes_on;
    }
    if (c == ',') { // one too many
        remark(quirk::json_syntax, around());
        ++at_;
        return step::goes_on;
    }
    if (c != '"')
        return step::ends;
    begin_item();
    const std::size_t from = out_.size() + 1;
    top.name.clear();
    if (!read_string()) {
        out_.resize(top.mark);
        return step::ends;
    }
    top.name = bounded(std::string_view(out_).substr(from, out_.size() - from - 1), 200);
    want_ = want::value;
    skip_space();
    if (done() || peek() != ':')
        return step::ends;
    ++at_;
    out_ += ':';
    return step::goes_on;
}

mender::step mender::read_separator() {
    auto& top = stack_.back();
    const char c = peek();
    if (c == '}' || c == ']') {
        if ((c == '}') != top.object)
            remark(quirk::json_syntax, around());
        close();
        return step::goes_on;
    }
    if (c == ',') {
        ++at_;
    } else if (c == '"' || c == '{' || c == '[') {
        remark(quirk::json_syntax, around()); // a forgotten comma
    } else {
        return step::ends;
    }
    top.first = false;
    top.mark = out_.size();
    top.after_comma = true;
    ++top.index;
    want_ = top.object ? want::name : want::value;
    return step::goes_on;
}

mender::step mender::read_value() {
    if (!stack_.empty() && !stack_.back().object) {
        if (peek() == ']') {
            if (stack_.back().after_comma)
                remark(quirk::json_syntax, around());
            close();
            return step::goes_on;
        }
        begin_item();
    }
    const char c = peek();
    if (c == '{' || c == '[') {
        std::size_t next = at_ + 1;
        while (next < text_.size() && is_space(text_[next]))
            ++next;
        const bool empty = next < text_.size() && text_[next] == (c == '{' ? '}' : ']');
        if (stack_.size() >= limits_.depth && !empty)
            return skip_too_deep();
        open(c == '{');
        return step::goes_on;
    }
    if (c == '"') {
        if (!read_string())
            return step::ends;
        value_ends();
        return step::goes_on;
    }
    if (is_word(c))
        return read_word();
    if (c == ',' || c == '}' || c == ']') { // no value at all
        remark(quirk::json_syntax, around());
        out_ += "null";
        value_ends();
        return step::goes_on;
    }
    return step::ends;
}

// Passes over a value that is nested too deep, whatever is in it.
mender::step mender::skip_too_deep() {
    remark(quirk::too_deep);
    std::size_t open = 0;
    bool quoted = false;
    for (; !done(); ++at_) {
        const char c = peek();
        if (quoted) {
            if (c == '\\')
                ++at_;
            else if (c == '"')
                quoted = false;
        } else if (c == '"') {
            quoted = true;
        } else if (c == '{' || c == '[') {
            ++open;
        } else if ((c == '}' || c == ']') && --open == 0) {
            ++at_;
            out_ += "null";
            value_ends();
            return step::goes_on;
        }
    }
    return step::ends;
}

// With its quotes; false where it does not end.
bool mender::read_string() {
    out_ += '"';
    ++at_;
    bool invalid = false, control = false, syntax = false;
    std::optional<quirk> surrogate;
    bool ended = false;
    while (!done() && !ended && out_.size() <= 2 * limits_.json_bytes) {
        const char c = peek();
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"') {
            ended = true;
            ++at_;
        } else if (c == '\\') {
            if (!read_escape(surrogate, syntax))
                break;
        } else if (byte < 0x20) {
            constexpr std::string_view hex = "0123456789abcdef";
            control = true;
            out_ += "\\u00";
            out_ += hex[byte >> 4U];
            out_ += hex[byte & 0xFU];
            ++at_;
        } else if (byte < 0x80) {
            out_ += c;
            ++at_;
        } else if (const auto character = base::utf8_at(text_, at_)) {
            out_ += text_.substr(at_, character->length);
            at_ += character->length;
        } else {
            invalid = true;
            out_ += replacement;
            ++at_;
        }
    }
    out_ += '"';
    if (invalid)
        remark(quirk::invalid_utf8);
    if (control)
        remark(quirk::control_character);
    if (surrogate)
        remark(*surrogate);
    if (syntax)
        remark(quirk::json_syntax, "a backslash before no known escape");
    return ended;
}

std::optional<char32_t> mender::hex4(std::size_t at) const {
    if (text_.size() < at + 4)
        return std::nullopt;
    std::uint32_t value = 0;
    const char* from = text_.data() + at;
    const auto [end, error] = std::from_chars(from, from + 4, value, 16);
    return error == std::errc{} && end == from + 4 ? std::optional<char32_t>(value) : std::nullopt;
}

// False where the text ends inside.
bool mender::read_escape(std::optional<quirk>& surrogate, bool& syntax) {
    if (at_ + 1 >= text_.size())
        return false;
    const char kind = text_[at_ + 1];
    if (std::string_view(R"("\/bfnrt)").find(kind) != std::string_view::npos) {
        out_ += text_.substr(at_, 2);
        at_ += 2;
        return true;
    }
    const auto unit = kind == 'u' ? hex4(at_ + 2) : std::nullopt;
    if (!unit) { // the backslash stands for itself
        syntax = true;
        out_ += "\\\\";
        ++at_;
        return true;
    }
    if (*unit < 0xD800 || *unit > 0xDFFF) {
        out_ += text_.substr(at_, 6);
        at_ += 6;
        return true;
    }
    const bool pair = *unit < 0xDC00 && text_.substr(at_ + 6, 2) == "\\u";
    if (const auto low = pair ? hex4(at_ + 8) : std::nullopt; low && *low >= 0xDC00 && *low <= 0xDFFF) {
        out_ += text_.substr(at_, 12);
        at_ += 12;
        return true;
    }
    surrogate = quirk::lone_surrogate; // 8460-4-a
    out_ += replacement;
    at_ += 6;
    return true;
}

mender::step mender::read_word() {
    const std::size_t from = at_;
    while (!done() && is_word(peek()))
        ++at_;
    const auto token = text_.substr(from, at_ - from);
    if (done()) { // nobody knows whether more of it was to come
        at_ = from;
        return step::ends;
    }
    if (base::is_digit(token[0]) || (token.size() > 1 && base::is_digit(token[1])))
        write_number(token);
    else
        write_word(token);
    value_ends();
    return step::goes_on;
}

void mender::write_number(std::string_view token) {
    const auto form = form_of(token);
    if (!form.valid) { // `007`, `+1`, `.5`: as text, which the field's reader understands
        remark(quirk::json_syntax, token);
        out_ += '"';
        out_ += token;
        out_ += '"';
    } else if (fits(token, form.whole)) {
        out_ += token;
    } else {
        remark(quirk::number_too_large, token);
        out_ += token[0] == '-' ? "-1" : "18446744073709551615";
    }
}

void mender::write_word(std::string_view token) {
    for (const std::string_view literal : {"true", "false", "null"})
        if (base::iequals(token, literal)) {
            if (token != literal)
                remark(quirk::json_syntax, token);
            out_ += literal;
            return;
        }
    const auto bare = token[0] == '-' || token[0] == '+' ? token.substr(1) : token;
    const bool no_number =
        base::iequals(bare, "nan") || base::iequals(bare, "inf") || base::iequals(bare, "infinity");
    remark(no_number ? quirk::not_a_number : quirk::json_syntax, token);
    out_ += '"';
    out_ += token;
    out_ += '"';
}

} // namespace

std::expected<mended_json, read_error> mend_json(std::string_view text, const read_limits& limits,
                                                 remarks& notes) {
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos)
        return std::unexpected(read_error{read_problem::empty, "There are no bytes in it."});
    if (text[first] != '{')
        return std::unexpected(
            read_error{read_problem::not_json, "The text does not begin as a JSON object.", first});
    return mender(text, limits, notes).run();
}

} // namespace mailtight::tlsrpt
