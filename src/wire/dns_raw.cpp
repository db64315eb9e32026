// SPDX-License-Identifier: Apache-2.0
#include "wire/dns_raw.h"

#include "base/limits.h"
#include "wire/dns_name.h"

#include <utility>

namespace mailtight::wire {

std::uint16_t get16(std::string_view bytes, std::size_t at) {
    return static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[at]) << 8 |
                                      static_cast<unsigned char>(bytes[at + 1]));
}

std::uint32_t get32(std::string_view bytes, std::size_t at) {
    return std::uint32_t{get16(bytes, at)} << 16 | get16(bytes, at + 2);
}

void put16(std::string& to, unsigned value) {
    to += static_cast<char>(value >> 8 & 0xff);
    to += static_cast<char>(value & 0xff);
}

void put32(std::string& to, std::uint32_t value) {
    put16(to, value >> 16);
    put16(to, value & 0xffff);
}

std::expected<raw_message, dns_parse_error> read_raw_message(std::string_view bytes, std::size_t most) {
    bytes = bytes.substr(0, base::limits::dns_message_bytes);
    if (bytes.size() < dns_header_bytes)
        return std::unexpected(dns_parse_error::short_header);
    raw_message message;
    message.id = get16(bytes, 0);
    message.flags = get16(bytes, 2);
    const unsigned questions = get16(bytes, 4);
    if (questions > 1) // RFC 9619 §3; RFC 2136 §2.3
        return std::unexpected(dns_parse_error::many_questions);
    std::size_t at = dns_header_bytes;
    constexpr std::size_t after_question = 4, after_owner = 10;
    if (questions == 1) {
        if (!read_dns_name(bytes, at))
            return std::unexpected(dns_parse_error::bad_name);
        if (bytes.size() - at < after_question)
            return std::unexpected(dns_parse_error::cut_short);
        at += after_question;
    }
    using part = raw_record::part;
    for (const auto [section, count] : {std::pair{part::answer, get16(bytes, 6)},
                                        {part::authority, get16(bytes, 8)},
                                        {part::additional, get16(bytes, 10)}}) {
        for (unsigned i = 0; i < count; ++i) {
            if (message.records.size() >= most)
                return std::unexpected(dns_parse_error::many_records);
            if (at >= bytes.size())
                return std::unexpected(dns_parse_error::cut_short);
            raw_record record;
            record.section = section;
            record.begin = at;
            auto owner = read_dns_name(bytes, at);
            if (!owner)
                return std::unexpected(dns_parse_error::bad_name);
            if (bytes.size() - at < after_owner)
                return std::unexpected(dns_parse_error::cut_short);
            record.owner = std::move(*owner);
            record.type = get16(bytes, at);
            record.record_class = get16(bytes, at + 2);
            record.ttl = get32(bytes, at + 4);
            record.length = get16(bytes, at + 8);
            record.data = at + after_owner;
            if (bytes.size() - record.data < record.length)
                return std::unexpected(dns_parse_error::cut_short);
            at = record.data + record.length;
            message.records.push_back(std::move(record));
        }
    }
    message.end = at;
    return message;
}

} // namespace mailtight::wire
