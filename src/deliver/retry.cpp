// SPDX-License-Identifier: Apache-2.0
// Entries: of_http() and of_smtp() judge an answer, after() draws the conclusion.
#include "deliver/retry.h"

#include "base/text.h"
#include "deliver/compose_clean.h"
#include "wire/http_date.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::deliver {
namespace {

using kind = try_outcome::kind;
using model::delivery_state;

constexpr std::size_t words_bytes = 300;

std::string shown(std::string_view words) {
    return one_line(base::printable(one_line(words, 2 * words_bytes), words_bytes), 2 * words_bytes);
}

std::string with_words(std::string head, std::string_view words) {
    const auto rest = shown(words);
    return rest.empty() ? head : head + ": " + rest;
}

// Before MAIL the server speaks of us or of itself (an address block, a host out of service, a password of
// ours that is wrong), not of this report; a person can put that right within the day.
bool speaks_of_the_connection(std::string_view stage) {
    return stage == "greeting" || stage == "EHLO" || stage == "HELO" || stage == "LHLO" ||
           stage == "STARTTLS" || stage == "AUTH" || stage == "connect";
}

// Doubled with each try, and up to a quarter more, so that what failed together does not come back together.
std::chrono::seconds wait_after(std::uint32_t tries, const retry_rules& rules, std::uint64_t dice) {
    auto wait =
        std::clamp(rules.first, std::chrono::seconds(1), std::max(rules.longest, std::chrono::seconds(1)));
    for (std::uint32_t i = 1; i < tries && wait < rules.longest; ++i)
        wait = std::min(wait * 2, rules.longest); // 8460-5.5-b
    const auto spread = static_cast<std::uint64_t>(wait.count() / 4 + 1);
    return wait + std::chrono::seconds(dice % spread);
}

void end(model::outgoing_delivery& it, delivery_state how, base::utc_seconds now) {
    it.state = how;
    it.ended_at = now;
}

} // namespace

// 8460-5.4-d, A41
try_outcome of_http(int status, const std::string& retry_after, const std::string& words,
                    base::utc_seconds now) {
    try_outcome out;
    out.words =
        status == 0 ? with_words("no answer", words) : with_words(fmt::format("status {}", status), words);
    if (status >= 200 && status <= 299) // 8460-5.4-c
        out.what = kind::accepted;
    else if (status >= 300 && status <= 499 && status != 408 && status != 425 && status != 429)
        out.what = kind::refused;
    else if (status != 0)
        out.retry_after = wire::read_retry_after(retry_after, now);
    return out;
}

try_outcome of_smtp(int code, const std::string& enhanced, const std::string& words, const std::string& stage,
                    bool for_good) {
    try_outcome out;
    std::string head = code == 0 ? "no answer" : std::to_string(code);
    if (code != 0 && !enhanced.empty())
        head += " " + shown(enhanced);
    if (!stage.empty())
        head += " at " + shown(stage);
    std::string_view said = words; // most servers say the enhanced code once more
    if (!enhanced.empty() && said.starts_with(enhanced))
        said = base::trim(said.substr(enhanced.size()));
    out.words = with_words(std::move(head), said);
    if (code >= 200 && code <= 299)
        out.what = kind::accepted;
    else if (((code >= 500 && code <= 599) || (code == 0 && for_good)) && !speaks_of_the_connection(stage))
        out.what = kind::refused;
    return out;
}

model::outgoing_delivery after(model::outgoing_delivery before, const try_outcome& seen,
                               const retry_rules& rules, base::utc_seconds now, std::uint64_t dice) {
    auto out = std::move(before);
    if (out.first_at == base::utc_seconds{})
        out.first_at = now;
    ++out.tries;
    out.words = seen.words;
    if (seen.certificate_ignored) // 8460-3-e, 8460-7-c
        out.words += out.words.empty() ? "its certificate is not valid" : "; its certificate is not valid";

    switch (seen.what) {
    case kind::accepted:
        end(out, delivery_state::sent, now);
        return out;
    case kind::blocked:
        end(out, delivery_state::suppressed, now);
        return out;
    case kind::refused:
        if (!seen.over_v6 || out.family == model::address_family::v4) {
            end(out, delivery_state::refused, now);
            return out;
        }
        out.family = model::address_family::v4;
        out.words += "; that was over IPv6, next over IPv4";
        out.state = delivery_state::waiting;
        out.next_at = now;
        return out;
    case kind::later:
        break;
    }
    const auto last = out.first_at + rules.in_all; // 8460-5.5-a
    if (now >= last) {
        end(out, delivery_state::given_up, now);
        return out;
    }
    const auto wait =
        std::max(wait_after(out.tries, rules, dice), seen.retry_after.value_or(std::chrono::seconds(0)));
    out.state = delivery_state::waiting;
    out.next_at = std::min(now + wait, last); // the last try at the very end
    return out;
}

} // namespace mailtight::deliver
