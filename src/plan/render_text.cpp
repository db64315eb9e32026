// SPDX-License-Identifier: Apache-2.0
// A plan for a person. What is done takes one line; the step of today has all that is needed for it; what
// comes later its title, its date and its reason.
#include "base/text.h"
#include "plan/plan.h"
#include "plan/say.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::plan {
namespace {

enum class ink { plain, bold, dim, green, yellow, red, blue };

std::string_view code_of(ink colour) {
    switch (colour) {
    case ink::bold:
        return "1";
    case ink::dim:
        return "2";
    case ink::green:
        return "32";
    case ink::yellow:
        return "33";
    case ink::red:
        return "1;31";
    case ink::blue:
        return "36";
    case ink::plain:
        break;
    }
    return "0";
}

class sheet {
public:
    sheet(std::size_t width, bool colour)
        : width_(std::max<std::size_t>(width, 40))
        , colour_(colour) {}

    /// Wrapped behind `first`; later lines begin below the text.
    void put(std::string_view first, std::string_view text, ink colour = ink::plain,
             ink first_colour = ink::plain) {
        const std::size_t indent = base::display_width(first);
        std::string lead = paint(first_colour, first);
        for (const auto& line : base::wrap(text, width_ - std::min(indent, width_ - 20))) {
            const std::string_view kept(line);
            write(lead + paint(colour, kept));
            lead = std::string(indent, ' ');
        }
    }
    /// Never wrapped: it is there to be copied.
    void copy(std::string_view indent, std::string_view text) {
        write(std::string(indent) + paint(ink::bold, text));
    }
    void gap() {
        if (!out_.empty() && !out_.ends_with("\n\n"))
            out_ += '\n';
    }
    std::string take() { return std::move(out_); }

private:
    std::string paint(ink colour, std::string_view text) const {
        if (!colour_ || colour == ink::plain || text.find_first_not_of(' ') == text.npos)
            return std::string(text);
        return fmt::format("\x1b[{}m{}\x1b[0m", code_of(colour), text);
    }
    void write(std::string_view line) {
        out_ += line.substr(0, line.find_last_not_of(' ') + 1);
        out_ += '\n';
    }
    std::size_t width_;
    bool colour_;
    std::string out_;
};

struct state_look {
    std::string_view mark;
    ink colour;
};

state_look look_of(const step& one) {
    if (one.state == step_state::done)
        return {"done", ink::green};
    if (one.state == step_state::now)
        return {"NOW", one.by == step_actor::person ? ink::yellow : ink::blue};
    return {one.state == step_state::waiting ? "wait" : "", ink::dim};
}

constexpr std::string_view indent = "          "; // under the titles

std::string shown(std::string_view text) {
    std::string out; // line by line, so that our own line ends stay
    for (const auto line : base::split(text, '\n'))
        out += (out.empty() ? "" : "\n") + base::printable(line, 1'000);
    return out;
}

void put_records(sheet& page, const step& one) {
    for (const auto& change : one.records) {
        for (const auto& value : change.remove) {
            page.put(indent, fmt::format("delete {} {}", change.type, base::printable(change.name)),
                     ink::dim);
            page.copy("            ", base::printable(value));
        }
        for (const auto& value : change.add) {
            page.put(
                indent,
                fmt::format("add {} {}  (TTL {})", change.type, base::printable(change.name), change.ttl),
                ink::dim);
            page.copy("            ", base::printable(value));
        }
    }
}

void put_policy(sheet& page, const step& one) {
    if (one.kind != step_kind::serve_policy || one.policy.empty())
        return;
    page.put(indent, one.by == step_actor::person && !one.on_word ? "mta-sts.txt:" : "the policy:", ink::dim);
    for (auto line : base::split(one.policy, '\n'))
        if (line = base::trim(line); !line.empty())
            page.copy("            ", base::printable(line));
}

std::string date_words(const step& one, base::utc_seconds now) {
    if (!one.not_before || *one.not_before <= now)
        return {};
    return fmt::format("Not before {}{}{}.", say_moment(*one.not_before),
                       one.until_words.empty() ? "" : ", when ", one.until_words);
}

void put_details(sheet& page, const step& one, base::utc_seconds now) {
    const auto state = look_of(one);
    if (!one.blocked.empty())
        page.put(indent, shown(one.blocked), ink::red);
    if (one.last_try)
        page.put(indent,
                 fmt::format("Last try {}: {}", say_moment(one.last_try->at), shown(one.last_try->why)),
                 ink::red);
    if (!one.why.empty())
        page.put(indent, shown(one.why));
    if (const auto date = date_words(one, now); !date.empty())
        page.put(indent, date, state.colour == ink::dim ? ink::plain : state.colour);
    if (one.state != step_state::now && one.state != step_state::waiting)
        return;
    for (const auto line : base::split(one.how, '\n'))
        if (!line.empty())
            page.put(indent, shown(line));
    put_records(page, one);
    if (one.state == step_state::now)
        put_policy(page, one);
}

bool brief(const step& one) {
    return one.state == step_state::done;
}

void put_step(sheet& page, const step& one, std::size_t number, base::utc_seconds now) {
    const auto state = look_of(one);
    const auto front = fmt::format("{:>3}. {:<4} ", number, state.mark);
    const bool soon = one.state == step_state::now || one.state == step_state::waiting;
    const auto who = soon && one.by == step_actor::person ? "  [you]" : "";
    page.put(front, shown(one.title) + who, brief(one) ? ink::plain : ink::bold, state.colour);
    if (!brief(one))
        put_details(page, one, now);
}

} // namespace

std::string render_text(const plan& p, base::utc_seconds now, std::size_t width, bool colour) {
    sheet page(width, colour);
    page.put("", fmt::format("Plan for {}", p.domain), ink::bold);
    page.put("  from  ", shown(p.from));
    page.put("  to    ", shown(p.to));
    if (!p.warnings.empty())
        page.gap();
    for (const auto& one : p.warnings)
        page.put("  ! ", shown(one), ink::plain, ink::yellow);
    page.gap();
    std::size_t number = 0;
    for (const auto& one : p.steps) {
        if (one.kind == step_kind::come_back)
            continue; // the last line says it
        if (number > 0 && (!brief(one) || !brief(p.steps[number - 1])))
            page.gap();
        put_step(page, one, ++number, now);
    }
    if (p.finished || p.come_back)
        page.gap();
    if (p.finished)
        page.put("", "Nothing is to be done: the domain is where it should be.", ink::green);
    else if (p.come_back)
        page.put("", fmt::format("Come back on {}.", say_moment(*p.come_back)), ink::bold);
    return page.take();
}

} // namespace mailtight::plan
