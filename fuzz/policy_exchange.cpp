// SPDX-License-Identifier: Apache-2.0
// Any bytes as a file of policies: nothing crashes, what is read is canonical and can be written and read
// again without a change, and nothing of it lies in the future.
#include "mail/domain_name.h"
#include "resolve/exchange.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

using namespace mailtight;

namespace {
const base::utc_seconds now{std::chrono::seconds(1'790'000'000)};

void must(bool holds) {
    if (!holds)
        std::abort();
}
void written_and_read(const model::kept_policy& value) {
    must(mail::canonical_name(value.domain) == value.domain);
    must(value.used_at <= now + std::chrono::minutes(5));
    if (value.state.held)
        must(value.state.held->fetched_at <= now + std::chrono::minutes(5) &&
             sts::parse_policy(value.state.held->body) == value.state.held->value);
    const auto line = resolve::exchange_line(value);
    must(line.find('\n') == line.size() - 1 && line.size() <= resolve::exchange_line_max);
    const auto again = resolve::read_exchange_line(line, now);
    must(again && resolve::exchange_line(*again) == line);
}
} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    static_cast<void>(resolve::recognise_exchange(bytes));
    std::size_t refused = 0;
    resolve::read_exchange(
        bytes, now,
        {.policy = written_and_read,
         .look_up = [](const std::string& domain) { must(mail::canonical_name(domain) == domain); },
         .refused =
             [&](const resolve::exchange_error& error) {
                 must(!explain(error.fault).empty() && error.detail.size() <= 400 && error.line > 0);
                 ++refused;
             }});
    must(refused <= size + 1);
    const auto end = bytes.find('\n');
    if (end == std::string_view::npos)
        return 0;
    const auto row = resolve::read_foreign({.domain = std::string(bytes.substr(0, end)),
                                            .id = "1",
                                            .body_or_json = std::string(bytes.substr(end + 1)),
                                            .fetched_at = now - std::chrono::minutes(1)},
                                           now);
    if (row)
        written_and_read(*row);
    return 0;
}
