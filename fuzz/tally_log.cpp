// SPDX-License-Identifier: Apache-2.0
// Any bytes as a log: lines are read or passed over, memory stays bounded, and every session is one that a
// report can name.
#include "base/text.h"
#include "mail/domain_name.h"
#include "tally/postfix_log.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

using namespace mailtight;

namespace {
void must(bool holds) {
    if (!holds)
        std::abort();
}
void nameable(const model::session_seen& s) {
    using model::tls_reached;
    must(mail::canonical_name(s.domain) == s.domain);
    must(base::is_utf8(s.mx_host) && s.mx_host.size() <= 255);
    must(base::is_utf8(s.reason) && s.reason.size() <= 256);
    const bool bad =
        s.tls == tls_reached::not_offered || s.tls == tls_reached::refused || s.tls == tls_reached::failed;
    must(bad == s.failure.has_value());
}
} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const base::utc_seconds now{std::chrono::seconds(1'795'330'000)};
    tally::postfix_log log({.processes = 4});
    std::vector<tally::session_at> out;
    std::uint64_t lines = 0;
    for (const auto line : base::split(bytes, '\n')) {
        // As it came, and as the text of a line whose envelope is right.
        if (const auto parsed = tally::parse_log_line(line, now, std::chrono::hours(1))) {
            must(parsed->text.size() <= line.size());
            log.take(*parsed, now, out);
            ++lines;
        }
        log.take({.at = now + std::chrono::seconds(lines),
                  .host = "h",
                  .program = "postfix/smtp",
                  .pid = 1,
                  .text = line},
                 now, out);
        ++lines;
    }
    for (const auto& one : out)
        nameable(one.what);
    const auto counted = log.counted();
    must(counted.lines == lines && counted.used <= lines && counted.sessions == out.size());
    return 0;
}
