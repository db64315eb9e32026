// SPDX-License-Identifier: Apache-2.0
// A signed reply from anywhere. Any message that is signed is verified, and no longer once one byte differs.
#include "base/crypto/issuing.h"
#include "wire/dns_raw.h"
#include "wire/dns_update.h"

#include <algorithm>
#include <cstdlib>

namespace {

using namespace mailtight;

std::string keyed(std::string_view algorithm, std::string_view key, std::string_view bytes) {
    return algorithm == "hmac-sha512" ? base::hmac_sha512(key, bytes) : base::hmac_sha256(key, bytes);
}

const std::string request_mac = "the request's";

/// As a server signs: over the request's MAC too.
std::string keyed_as_server(std::string_view algorithm, std::string_view key, std::string_view bytes) {
    std::string covered;
    wire::put16(covered, static_cast<unsigned>(request_mac.size()));
    return keyed(algorithm, key, covered + request_mac + std::string(bytes));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    // 2026-01-02T03:04:05Z, when the seeds were signed
    const base::utc_seconds now{std::chrono::seconds(1'767'323'045)};
    const wire::tsig_key key{"push.example.com", size % 2 == 0 ? "hmac-sha256" : "hmac-sha512", "secret"};
    if (wire::verify_dns_reply(bytes, request_mac, key, now, keyed)) // nobody knows the secret
        std::abort();
    static_cast<void>(wire::time_of_dns_reply(bytes));

    const auto message = wire::read_raw_message(bytes);
    constexpr std::uint16_t tsig = 250;
    if (!message || message->end != bytes.size() || bytes.size() > 60'000 ||
        message->records.size() == wire::dns_records_max || wire::get16(bytes, 10) == 0xffff ||
        std::ranges::find(message->records, tsig, &wire::raw_record::type) != message->records.end())
        return 0;
    auto reply = wire::sign_dns_message(bytes, key, now, keyed_as_server).bytes;
    // A name may point into the header, and become another one by the count of records there.
    const auto again = wire::read_raw_message(reply);
    if (!again || again->records.size() != message->records.size() + 1 || again->end != reply.size())
        return 0;
    if (!wire::verify_dns_reply(reply, request_mac, key, now, keyed) || wire::time_of_dns_reply(reply) != now)
        std::abort();
    // Behind the id, which a server may change (RFC 8945 §5.3), and before the signature.
    if (bytes.size() > 2) {
        const auto at = 2 + size * 7 % (bytes.size() - 2);
        reply[at] = static_cast<char>(reply[at] ^ 0x80);
        if (wire::verify_dns_reply(reply, request_mac, key, now, keyed))
            std::abort();
    }
    return 0;
}
