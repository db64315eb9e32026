// SPDX-License-Identifier: Apache-2.0
// Any bytes as a line of results: facts of a session or a whole result, or an error that says what. What the
// datagram reader takes the line reader takes too, as the same result.
#include "base/text.h"
#include "mail/domain_name.h"
#include "tally/read_event.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

using namespace mailtight;

namespace {
void must(bool holds) {
    if (!holds)
        std::abort();
}
void consistent(const model::session_seen& s) {
    using model::tls_reached;
    must(mail::canonical_name(s.domain) == s.domain);
    must(base::is_utf8(s.mx_host) && base::is_utf8(s.helo) && base::is_utf8(s.reason));
    if (s.tls == tls_reached::not_offered || s.tls == tls_reached::refused || s.tls == tls_reached::failed ||
        s.tls == tls_reached::not_tried)
        must(s.failure || s.tls == tls_reached::not_tried);
}
} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static tally::event_reader lines;
    static tally::datagram_reader datagrams;
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto told = lines.read(bytes);
    const auto datagram = datagrams.read(bytes);
    if (datagram)
        must(told && std::get<model::delivery_result>(*told) == *datagram);
    if (!told)
        must(!told.error().words.empty() && base::is_utf8(told.error().where));
    else if (const auto* seen = std::get_if<model::session_seen>(&*told))
        consistent(*seen);
    return 0;
}
