// SPDX-License-Identifier: Apache-2.0
// Any bytes as TLSA records and as the chain they are held against. Layout: blocks of a two-byte length and
// so many bytes; the first byte of a block says record (even) or certificate (odd).
#include "dane/tlsa.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

using namespace mailtight;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    std::vector<dane::tlsa> rrset;
    std::vector<base::certificate> chain;
    while (rest.size() > 2) {
        const auto high = static_cast<unsigned char>(rest[0]);
        const auto low = static_cast<unsigned char>(rest[1]);
        const auto block = rest.substr(2, static_cast<std::size_t>(high) * 256 + low);
        rest.remove_prefix(2 + block.size());
        if (block.empty())
            continue;
        if (block[0] % 2 == 0) {
            const auto number = [&](std::size_t i) { return static_cast<std::uint8_t>(block[i]); };
            if (block.size() > 3)
                rrset.push_back({number(1), number(2), number(3), std::string(block.substr(4))});
        } else if (auto cert = base::parse_certificate(block.substr(1))) {
            chain.push_back(std::move(*cert));
        }
    }
    const auto left = dane::effective(rrset);
    const std::vector<std::string> names{"mx1.example.com"};
    const auto verdict =
        dane::match(rrset, chain, names, base::utc_seconds{std::chrono::seconds{1'780'000'000}});
    using enum dane::verdict::outcome;
    if ((verdict.result == empty) != rrset.empty() ||
        (verdict.result == all_unusable) != (!rrset.empty() && left.empty()))
        std::abort();
    if (verdict.result == matches && dane::judge(rrset.at(verdict.matched_record)) != dane::usability::usable)
        std::abort();
    for (const auto& record : rrset)
        if (record.to_string().empty() || dane::explain(dane::judge(record)).empty())
            std::abort();
    return 0;
}
