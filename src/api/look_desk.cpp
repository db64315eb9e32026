// SPDX-License-Identifier: Apache-2.0
#include "api/look_desk.h"

#include "mail/domain_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>

namespace mailtight::api {

namespace {

/// A domain has no more mail servers than are looked at, and a few stages besides.
constexpr std::size_t most_stages = 1'000;
/// Who reloads a page is back before this.
constexpr auto comes_back = std::chrono::seconds(2);

wire::http_reply busy(std::string_view words) {
    auto reply = wire::problem(429, "Too Many Requests", words);
    reply.fields.emplace_back("Retry-After", "5");
    return reply;
}

} // namespace

std::string_view to_string(look_stage::kind k) {
    using enum look_stage::kind;
    switch (k) {
    case dns:
        return "dns";
    case policy:
        return "policy";
    case mail_server:
        return "mail-server";
    case tlsrpt:
        return "tlsrpt";
    case judge:
        return "judge";
    }
    return "";
}

io::task<> shared_look::wait(std::chrono::milliseconds at_most) const {
    if (done_)
        co_return;
    auto bell = std::make_shared<io::event>(loop_);
    waiting_.push_back(bell);
    loop_.spawn(
        [](io::loop& on, std::shared_ptr<io::event> of, std::chrono::milliseconds after) -> io::task<> {
            co_await on.sleep_for(after);
            of->set();
        }(loop_, bell, at_most));
    co_await *bell;
    std::erase(waiting_, bell);
}

void shared_look::wake() {
    for (const auto& each : std::exchange(waiting_, {}))
        each->set();
}

void shared_look::tell(look_stage stage) {
    if (stages_.size() < most_stages)
        stages_.push_back(
            {std::move(stage), std::chrono::duration_cast<std::chrono::milliseconds>(loop_.now() - begun_)});
    wake();
}

void shared_look::end(std::optional<boost::json::object> document) {
    document_ = std::move(document);
    done_ = true;
    ended_ = loop_.now();
    wake();
}

bool shared_look::wanted() const {
    if (!given_up_ && !done_ && listeners_ == 0 && loop_.now() - left_ >= comes_back)
        given_up_ = true;
    return !given_up_;
}

std::size_t look_desk::under_way_of(const std::string* who) const {
    const auto counts = [who](const shared_look& one) { return !one.done() && (!who || one.who_ == *who); };
    return static_cast<std::size_t>(
        std::ranges::count_if(looks_, [&](const auto& each) { return counts(*each.second); }) +
        std::ranges::count_if(ending_, [&](const auto& each) { return counts(*each); }));
}

std::size_t look_desk::under_way() const {
    return under_way_of(nullptr);
}

void look_desk::forget_old() {
    const auto now = loop_.now();
    std::erase_if(ending_, [](const auto& each) { return each->done(); });
    std::erase_if(looks_, [&](const auto& each) {
        return each.second->done() &&
               (!each.second->document() || now - each.second->ended_ >= limits_.shared);
    });
    while (looks_.size() >= limits_.kept) {
        auto oldest = looks_.end();
        for (auto each = looks_.begin(); each != looks_.end(); ++each)
            if (each->second->done() &&
                (oldest == looks_.end() || each->second->ended_ < oldest->second->ended_))
                oldest = each;
        if (oldest == looks_.end())
            return;
        looks_.erase(oldest);
    }
}

std::expected<std::shared_ptr<const shared_look>, wire::http_reply> look_desk::at(std::string_view typed,
                                                                                  const caller& by) {
    const auto domain = mail::understand_domain(typed);
    if (!domain)
        return std::unexpected(wire::problem(422, "", mail::explain(domain.error())));
    forget_old();
    const std::pair key(domain->name, !by.tenant);
    if (const auto known = looks_.find(key); known != looks_.end()) {
        if (known->second->wanted())
            return known->second;
        ending_.push_back(std::move(known->second));
        looks_.erase(known);
    }
    const auto theirs = under_way_of(&by.name);
    if (theirs >= limits_.of_one)
        return std::unexpected(
            busy(fmt::format("you look at {} domains just now; wait until one is done", theirs)));
    if (under_way() >= limits_.at_once)
        return std::unexpected(busy("many domains are looked at just now; try again in a few seconds"));
    auto fresh = std::make_shared<shared_look>(loop_);
    fresh->who_ = by.name;
    looks_.emplace(key, fresh);
    loop_.spawn(carry_out(look_, key.first, key.second, fresh));
    return fresh;
}

io::task<> look_desk::carry_out(look_fn look, std::string domain, bool whole,
                                std::shared_ptr<shared_look> of) {
    std::optional<boost::json::object> document;
    try {
        document = co_await look(
            std::move(domain), whole, [of](look_stage stage) { of->tell(std::move(stage)); },
            [of] { return of->wanted(); });
    } catch (const std::exception&) { // told by end()
    }
    if (of->given_up_) // it was cut short
        document.reset();
    of->end(std::move(document));
}

} // namespace mailtight::api
