// SPDX-License-Identifier: Apache-2.0
// Every limit on input from outside, in one place, with its source.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace mailtight::base::limits {

inline constexpr std::size_t policy_bytes = 65'536;             ///< RFC 8461 §3.3 "64 kilobytes"; A10
inline constexpr std::size_t policy_bytes_comfortable = 10'240; ///< one sender reads no more than this; A10
inline constexpr std::uint64_t max_age_max = 31'557'600;        ///< RFC 8461 §3.2
inline constexpr std::uint64_t max_age_guides_min = 86'400;     ///< the administrator guides: one day
inline constexpr std::size_t id_length_max = 32;                ///< RFC 8461 §3.1
inline constexpr std::size_t dns_name_text_max = 253; ///< RFC 1035 §2.3.4, text form without the final dot
inline constexpr std::size_t dns_label_max = 63;
inline constexpr std::size_t txt_bytes = 65'535; ///< one TXT RDATA, joined
inline constexpr std::size_t dns_message_bytes = 65'535;
inline constexpr int cname_hops = 16;
inline constexpr std::size_t http_head_bytes = 32'768; ///< status line and all header fields
inline constexpr std::size_t smtp_line_bytes = 4'096;  ///< RFC 5321 says 512; some servers exceed it
inline constexpr std::size_t smtp_reply_lines = 256;
inline constexpr std::size_t mx_hosts = 64; ///< looked at; more are counted and named
inline constexpr std::size_t addresses_per_host = 32;
inline constexpr std::size_t certificates_per_chain = 16;
inline constexpr std::size_t certificate_bytes = 131'072;    ///< one DER; OpenSSL takes chains of 100 kB
inline constexpr std::chrono::seconds policy_fetch_time{60}; ///< RFC 8461 §3.3

} // namespace mailtight::base::limits
