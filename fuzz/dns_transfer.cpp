// SPDX-License-Identifier: Apache-2.0
// The messages of a zone transfer from anywhere, each behind its length as over TCP: unsigned, the names that
// come out are below the zone; signed, nothing comes out, since nobody knows the secret.
#include "wire/dns_transfer.h"
#include "base/crypto/issuing.h"
#include "wire/dns_name.h"

#include <cstdlib>

namespace {

using namespace mailtight;

std::string keyed(std::string_view, std::string_view key, std::string_view bytes) {
    return base::hmac_sha256(key, bytes);
}

void read(std::string_view bytes, wire::transfer_reader& reader, bool may_give_names) {
    const base::utc_seconds now{std::chrono::seconds(1'767'323'045)};
    bool whole = false;
    while (bytes.size() >= 2 && !whole) {
        const std::size_t length = wire::get16(bytes, 0);
        bytes.remove_prefix(2);
        const auto step = reader.take(bytes.substr(0, length), now);
        if (!step && explain(step.error()).empty())
            std::abort();
        if (!step)
            break;
        whole = *step;
        bytes.remove_prefix(std::min(length, bytes.size()));
    }
    if ((!whole || !may_give_names) && !reader.names().empty())
        std::abort();
    for (const auto& name : reader.names())
        if (!name.ends_with(".example.com") || !wire::dns_name_bytes(name))
            std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const wire::transfer_limits within{.messages = 50, .records = 1'000, .bytes = 100'000, .names = 100};
    wire::transfer_reader bare("example.com", 0x1234, {}, within);
    read(bytes, bare, true);
    wire::transfer_reader by_key(
        "example.com", 0x1234,
        wire::tsig_stream({"push.example.com", "hmac-sha256", "secret"}, "the request's", keyed), within);
    read(bytes, by_key, false);
    return 0;
}
