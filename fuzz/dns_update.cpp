// SPDX-License-Identifier: Apache-2.0
// What a server says stands at a name, from any bytes: what was read can be said back, byte for byte, as the
// prerequisite of an update. And the text of a TSIG key from anywhere.
#include "wire/dns_update.h"
#include "wire/dns_raw.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace mailtight::wire;
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto key = parse_tsig_key(bytes);
    if (key ? key->secret.empty() || key->name.empty() : key.error().empty())
        std::abort();

    const auto reply = read_dns_update_reply(bytes);
    if (!reply)
        return 0;
    dns_update update{.zone = "example.com"};
    for (const auto& record : reply->answers)
        if (!record.rdata.empty())
            update.as_it_is.push_back(record);
    const auto built = build_dns_update(update, 7);
    if (!built)
        return 0; // names uncompressed may be longer than a message
    const auto again = read_raw_message(*built);
    if (!again || again->records.size() != update.as_it_is.size() || again->end != built->size())
        std::abort();
    for (std::size_t i = 0; i < update.as_it_is.size(); ++i) {
        const auto& record = again->records[i];
        if (record.owner != update.as_it_is[i].name || record.ttl != 0 ||
            built->substr(record.data, record.length) != update.as_it_is[i].rdata)
            std::abort();
    }
    if (!parse_dns_message(*built))
        std::abort();
    return 0;
}
