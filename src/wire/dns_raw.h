// SPDX-License-Identifier: Apache-2.0
// A DNS message as it stands: header, and each record with the place of its bytes. For what must give back or
// sign the very bytes (updates, signatures); what only reads values takes wire/dns_message.h. Pure; takes any
// bytes: every length is checked before use, records are bounded.
#pragma once

#include "wire/dns_message.h"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::wire {

struct raw_record {
    enum class part { answer, authority, additional };
    part section = part::answer;
    std::string owner; ///< text as in wire/dns_name.h
    std::uint16_t type = 0, record_class = 0;
    std::uint32_t ttl = 0;
    std::size_t begin = 0;            ///< of the record in the message
    std::size_t data = 0, length = 0; ///< its RDATA
};

struct raw_message {
    std::uint16_t id = 0, flags = 0;
    std::vector<raw_record> records;
    std::size_t end = 0; ///< behind the last record
    bool response() const { return (flags & 0x8000) != 0; }
    bool authoritative() const { return (flags & 0x0400) != 0; }
    unsigned opcode() const { return flags >> 11 & 0xf; }
    std::uint16_t rcode() const { return flags & 0xf; } ///< the header's four bits
};
/// The names in RDATA are not looked at. More than `most` records are refused.
std::expected<raw_message, dns_parse_error> read_raw_message(std::string_view bytes,
                                                             std::size_t most = dns_records_max);

/// Unsigned integers in network order. The caller has checked that they are there.
std::uint16_t get16(std::string_view bytes, std::size_t at);
std::uint32_t get32(std::string_view bytes, std::size_t at);
void put16(std::string& to, unsigned value);
void put32(std::string& to, std::uint32_t value);

inline constexpr std::size_t dns_header_bytes = 12;
/// What fits a message: each of them has eleven octets at least. For the messages of a zone transfer.
inline constexpr std::size_t dns_records_possible = 65'535 / 11;
inline constexpr std::uint16_t dns_type_any = 255;
inline constexpr std::uint16_t dns_class_none = 254, dns_class_any = 255;

} // namespace mailtight::wire
