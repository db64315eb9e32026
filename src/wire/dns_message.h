// SPDX-License-Identifier: Apache-2.0
// DNS messages, without sockets: a query is built, an answer is read (RFC 1035 §4, RFC 6891). Pure. Reading
// takes any bytes: every length is checked before use, the records are bounded, and a message with one lying
// length is refused whole.
#pragma once

#include "base/ip.h"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace mailtight::wire {

enum class dns_type : std::uint16_t {
    a = 1,
    ns = 2,
    cname = 5,
    soa = 6,
    ptr = 12,
    mx = 15,
    txt = 16,
    aaaa = 28,
    opt = 41,
    ds = 43,
    rrsig = 46,
    dnskey = 48,
    tlsa = 52,
    caa = 257,
};
/// "TXT"; "TYPE65280" for one that has no name here (RFC 3597 §5).
std::string to_string(dns_type type);
/// The types that have a name here; nothing for another text.
std::optional<dns_type> dns_type_named(std::string_view name);

/// The 12 bits of header and EDNS (RFC 6895 §2.3).
enum class dns_rcode : std::uint16_t {
    no_error = 0,
    format_error = 1,
    server_failure = 2,
    nx_domain = 3,
    not_implemented = 4,
    refused = 5,
    bad_version = 16,
};
/// "SERVFAIL"; "RCODE17" for one that has no name here.
std::string to_string(dns_rcode code);

inline constexpr std::uint16_t dns_class_in = 1;

struct dns_question {
    std::string name; ///< text as in wire/dns_name.h
    dns_type type{};
    friend bool operator==(const dns_question&, const dns_question&) = default;
};

struct dns_query_options {
    std::uint16_t id = 0;
    bool recursion_desired = true;
    bool edns = true;
    bool dnssec_ok = false;         ///< DO (RFC 3225)
    bool authentic_data = false;    ///< AD: "tell me whether you validated it" (RFC 6840 §5.7)
    bool checking_disabled = false; ///< CD (RFC 4035 §3.2.2)
    std::uint16_t udp_bytes = 1232; ///< what fits every path unfragmented
    std::uint64_t case_bits = 0;    ///< each set bit turns one letter of the name to upper case; 0: all lower
};
/// The message that asks; nothing where the name is none.
std::optional<std::string> build_dns_query(const dns_question& question, const dns_query_options& options);

struct dns_mx {
    std::uint16_t preference = 0;
    std::string host;
    friend bool operator==(const dns_mx&, const dns_mx&) = default;
};
struct dns_soa {
    std::string primary, mailbox;
    std::uint32_t serial = 0, refresh = 0, retry = 0, expire = 0, minimum = 0;
    friend bool operator==(const dns_soa&, const dns_soa&) = default;
};
/// CNAME, NS and PTR.
struct dns_target {
    std::string name;
    friend bool operator==(const dns_target&, const dns_target&) = default;
};
/// The character-strings of one record, joined (RFC 8461 §3.1, RFC 7208 §3.3).
struct dns_text {
    std::string joined;
    friend bool operator==(const dns_text&, const dns_text&) = default;
};
struct dns_tlsa {
    std::uint8_t usage = 0, selector = 0, matching = 0;
    std::string data;
    friend bool operator==(const dns_tlsa&, const dns_tlsa&) = default;
};
struct dns_caa {
    std::uint8_t flags = 0;
    std::string tag, value;
    friend bool operator==(const dns_caa&, const dns_caa&) = default;
};
struct dns_rrsig {
    dns_type covers{};
    friend bool operator==(const dns_rrsig&, const dns_rrsig&) = default;
};

struct dns_record {
    std::string owner;
    dns_type type{};
    std::uint32_t ttl = 0; ///< with the top bit set it counts as 0 (RFC 2181 §8)
    /// monostate: a type that is not read here.
    std::variant<std::monostate, base::ip_address, dns_target, dns_mx, dns_text, dns_soa, dns_tlsa, dns_caa,
                 dns_rrsig>
        data;
};

/// RFC 8914.
struct dns_extended_error {
    std::uint16_t code = 0;
    std::string text; ///< any bytes; printable() before it is shown
};
/// "DNSSEC Bogus" and so on, from the IANA registry; "" for an unknown code.
std::string_view explain_extended_error(std::uint16_t code);
/// True for the codes that say that DNSSEC validation failed (6 to 12).
bool means_bogus(const dns_extended_error& error);

struct dns_message {
    std::uint16_t id = 0;
    bool response = false, authoritative = false, truncated = false, recursion_desired = false,
         recursion_available = false, authentic_data = false, checking_disabled = false;
    unsigned opcode = 0;
    dns_rcode rcode = dns_rcode::no_error;
    std::optional<dns_question> question;
    std::string question_bytes; ///< as it stood in the message, for comparing the letters' case
    std::vector<dns_record> answers, authority, additional;
    bool edns = false;
    std::vector<dns_extended_error> extended_errors;
};

enum class dns_parse_error {
    short_header,
    many_questions,
    bad_name,
    cut_short,    ///< a count or a length that reaches beyond the message
    bad_rdata,    ///< RDATA that is shorter or longer than its type
    many_records, ///< more than dns_records_max
    bad_opt,
};
std::string_view explain(dns_parse_error error);

inline constexpr std::size_t dns_records_max = 2048; ///< of one message; no honest answer comes near

/// Reads a message. Of a truncated one (TC) only header and question are read: RFC 2181 §9 has the rest
/// ignored, and some servers cut inside a record. Records of other classes than IN are skipped; bytes behind
/// the last record are ignored.
std::expected<dns_message, dns_parse_error> parse_dns_message(std::string_view bytes);

} // namespace mailtight::wire
