// SPDX-License-Identifier: Apache-2.0
// An order led by any replies: it comes to an end, never asks for two orders without an end of the first,
// never finalizes what was not ready, and what is written down leads a new process to the same place. Layout:
// replies between NUL bytes; the first byte of each says its status.
#include "publish/acme_order.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

using namespace mailtight;
using kind = publish::order_step::kind;

namespace {
void must(bool holds) {
    if (!holds)
        std::abort();
}
} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    const base::utc_seconds now{std::chrono::seconds{1'790'000'000}};
    const publish::order_wish wish{.host = "mta-sts.example.com",
                                   .replaces = size % 2 == 0 ? "a.b" : "",
                                   .kinds = {publish::challenge_kind::tls_alpn_01,
                                             publish::challenge_kind::http_01,
                                             publish::challenge_kind::dns_01}};
    publish::acme_order order(wish, {.directory = "https://ca.example/dir"});
    for (int steps = 0; order.next().what != kind::done && order.next().what != kind::failed; ++steps) {
        must(steps < 5'000);
        const auto memory = order.memory();
        must(publish::read_order_memory(publish::to_json(memory)) == memory || memory.empty());
        switch (order.next().what) {
        case kind::wait:
            order.waited();
            continue;
        case kind::take:
            order.taken();
            continue;
        case kind::put:
            must(!memory.answer_kind.empty() && !memory.answer_token.empty());
            order.put(steps % 7 == 6 ? "not here" : "");
            continue;
        case kind::finalize:
            must(memory.answer_kind.empty() && !memory.order.empty());
            order.keep_key("sealed");
            break;
        case kind::create:
            must(memory.asked && memory.order.empty());
            break;
        default:
            break;
        }
        const auto part = rest.substr(0, rest.find('\0'));
        rest.remove_prefix(std::min(rest.size(), part.size() + 1));
        constexpr std::array statuses{200, 201, 400, 403, 404, 429, 500, 0};
        const auto first = part.empty() ? 7U : static_cast<unsigned char>(part[0]);
        order.replied({.status = statuses[first % statuses.size()],
                       .error = "no answer",
                       .location = "https://ca.example/order/1",
                       .body = std::string(part.empty() ? part : part.substr(1))},
                      now);
    }
    must(order.next().what != kind::failed || !order.next().words.empty());
    return 0;
}
