// SPDX-License-Identifier: Apache-2.0
// Any bytes as a datagram: a result within its limits, or an error that says what. What was read is fit for a
// report: well-formed UTF-8 without controls, domains as domains are written.
#include "base/text.h"
#include "mail/domain_name.h"
#include "tally/read_datagram.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

using namespace mailtight;

namespace {
void must(bool holds) {
    if (!holds)
        std::abort();
}
const tally::datagram_limits small{
    .bytes = 1 << 16, .policies = 8, .details = 16, .strings = 16, .patterns = 16, .text = 256};

void fit(const std::string& text) {
    must(text.size() <= small.text && base::is_utf8(text));
    for (const char c : text)
        must(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
}
void fit(const model::delivery_result& r) {
    must(mail::canonical_name(r.domain) == r.domain);
    must(!r.outcomes.empty() && r.outcomes.size() <= small.policies);
    fit(r.record_seen);
    for (const auto& o : r.outcomes) {
        must(mail::canonical_name(o.policy.domain) == o.policy.domain);
        must(o.policy.strings.size() <= small.strings && o.policy.mx_patterns.size() <= small.patterns);
        must(o.faults.size() <= small.details);
        for (const auto& line : o.policy.strings)
            fit(line);
        for (const auto& pattern : o.policy.mx_patterns)
            fit(pattern);
        for (const auto& f : o.faults) {
            must(f.sending_mta_ip.empty() || base::ip_address::parse(f.sending_mta_ip));
            must(f.receiving_ip.empty() || base::ip_address::parse(f.receiving_ip));
            for (const auto* text : {&f.receiving_mx, &f.receiving_mx_helo, &f.additional_information})
                fit(*text);
            must(base::is_utf8(f.reason_code) && f.reason_code.size() <= small.text + 80);
        }
    }
}
} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static tally::datagram_reader reader(small);
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto first = reader.read(bytes);
    const auto again = tally::datagram_reader(small).read(bytes);
    must(first.has_value() == again.has_value()); // nothing of the input before is left
    if (!first) {
        must(!first.error().words.empty() && !tally::to_string(first.error().code).empty());
        must(first.error().where.size() < 400 && base::is_utf8(first.error().where));
        return 0;
    }
    must(*first == *again);
    fit(*first);
    return 0;
}
