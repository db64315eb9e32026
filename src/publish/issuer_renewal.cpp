// SPDX-License-Identifier: Apache-2.0
// When a certificate is renewed: in the window that the authority suggests (RFC 9773), else when two thirds
// of its life are over.
#include "publish/issuer_state.h"
#include "publish/renewal.h"

#include "base/encode.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace mailtight::publish {

namespace {

using namespace std::chrono_literals;

// RFC 9773 §4.3.2: a client sets limits of its own, and asks a few times a day where it is told nothing.
constexpr std::chrono::seconds soonest = 60s, latest = 86'400s, usual = 6h;

std::string field(const io::http_answer& answer, std::string_view name) {
    const auto at = std::ranges::find(answer.fields, name, &std::pair<std::string, std::string>::first);
    return at == answer.fields.end() ? std::string() : at->second;
}

} // namespace

base::utc_seconds by_lifetime(base::utc_seconds not_before, base::utc_seconds not_after) {
    return not_before + (not_after - not_before) * 2 / 3;
}

base::utc_seconds in_window(const wire::acme_window& window, std::string_view renewal_id) {
    const auto length = (window.to - window.from).count();
    const auto digest =
        base::sha256(fmt::format("{}/{}/{}", renewal_id, window.from.time_since_epoch().count(),
                                 window.to.time_since_epoch().count()));
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < sizeof number; ++i)
        number = number << 8U | static_cast<unsigned char>(digest[i]);
    if (length <= 0)
        return window.from;
    return window.from + std::chrono::seconds(number % static_cast<std::uint64_t>(length));
}

io::task<issuer::renewal> issuer::renewal_of(store::kept_certificate of) {
    auto& self = *state_;
    renewal out{.at = by_lifetime(of.not_before, of.not_after), .ask_again = usual};
    const auto id = base::renewal_id(of.chain);
    if (of.issuer != self.options.directory || !id)
        co_return out;
    const auto learnt = co_await self.learn_directory();
    if (!learnt || self.directory.renewal_info.empty())
        co_return out;
    const bool slash = self.directory.renewal_info.ends_with('/');
    const auto answer =
        co_await self.get(fmt::format("{}{}{}", self.directory.renewal_info, slash ? "" : "/", *id));
    if (const auto wait = wire::retry_after(field(answer, "retry-after"), self.clock.now()))
        out.ask_again = std::clamp(*wait, soonest, latest);
    if (answer.status != 200)
        co_return out;
    const auto window = wire::read_acme_window(answer.body);
    if (!window)
        co_return out;
    // An authority may be wrong about days, or hostile: nothing is served until its last day for that.
    const auto at = in_window(*window, *id);
    const auto last = of.not_before + (of.not_after - of.not_before) * 9 / 10;
    out.by_authority = at <= last;
    out.at = std::min(at, last);
    out.explanation = window->explanation_url;
    co_return out;
}

io::task<base::utc_seconds> issuer::renew_at(store::kept_certificate of) {
    const auto found = co_await renewal_of(std::move(of));
    co_return found.at;
}

} // namespace mailtight::publish
