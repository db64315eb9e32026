// SPDX-License-Identifier: Apache-2.0
// Dynamic updates of DNS (RFC 2136) and their signatures (TSIG, RFC 8945), as bytes: a message is built, a
// reply is read. Pure; the clock and the keyed hash are arguments. Reading takes any bytes.
#pragma once

#include "base/time.h"
#include "wire/dns_message.h"

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::wire {

/// One record with its value in text: TXT its whole value, CNAME a name, A and AAAA an address.
struct update_record {
    std::string name;
    dns_type type{};
    std::uint32_t ttl = 0;
    std::string value;
    /// Its RDATA as a server gave it, names uncompressed; "" : made of the value. A server compares RDATA
    /// (RFC 2136 §1.1.1), so that a TXT record of others must come back with its very character-strings.
    std::string rdata = {};
    friend bool operator==(const update_record&, const update_record&) = default;
};

struct dns_update {
    std::string zone;
    /// Prerequisites: the whole RRset is exactly this (RFC 2136 §2.4.2), there is none of it (§2.4.3), no
    /// record at all at the name (§2.4.5).
    std::vector<update_record> as_it_is;
    std::vector<std::pair<std::string, dns_type>> none_of;
    std::vector<std::string> unused;
    std::vector<update_record> remove; ///< single records (§2.5.4)
    std::vector<update_record> add;    ///< §2.5.1
};

struct tsig_key {
    std::string name, algorithm; ///< "hmac-sha256" or "hmac-sha512"; hmac-md5 is refused
    std::string secret;          ///< raw bytes
};
/// name:algorithm:base64, algorithm:name:base64 (as kdig and nsupdate take it), or name:base64 for
/// hmac-sha256; or the whole of what tsig-keygen and keymgr write. The error never holds the secret.
std::expected<tsig_key, std::string> parse_tsig_key(std::string_view text);

using keyed_hash =
    std::function<std::string(std::string_view algorithm, std::string_view key, std::string_view bytes)>;

struct signed_message {
    std::string bytes;
    std::string mac; ///< which the reply's signature covers too
};
/// Nothing where a name or value is none, or it becomes longer than a message can be.
std::optional<std::string> build_dns_update(const dns_update& update, std::uint16_t id);
signed_message sign_dns_message(std::string_view message, const tsig_key& with, base::utc_seconds now,
                                const keyed_hash& hash, std::uint16_t fudge = 300);

enum class tsig_fault {
    missing,
    bad_form,
    other_key,
    bad_mac,
    bad_time,
    refused_key,
    refused_signature,
    refused_time,
    refused_truncation
};
std::string_view explain(tsig_fault fault);
/// Verifies a reply to a signed message (RFC 8945 §5.3): key, MAC over the request's MAC and the reply, time.
/// A server's own TSIG error (BADKEY, BADSIG, BADTIME, BADTRUNC) is told as refused_*.
std::expected<void, tsig_fault> verify_dns_reply(std::string_view reply, std::string_view request_mac,
                                                 const tsig_key& with, base::utc_seconds now,
                                                 const keyed_hash& hash);
/// Verifies the messages of one long reply to a signed message, in their order, of which not each is signed
/// (RFC 8945 §5.3.1): the first is, and after that at least every hundredth. What came since the last
/// signature is believed only once the next one is verified.
class tsig_stream {
public:
    tsig_stream(tsig_key with, std::string request_mac, keyed_hash hash);
    /// True where this message is signed, and with it all up to here are verified.
    std::expected<bool, tsig_fault> take(std::string_view message, base::utc_seconds now);

private:
    tsig_key with_;
    keyed_hash hash_;
    std::string covered_; ///< by the next signature: the MAC before it, and what came since
    unsigned since_ = 0;  ///< messages without signature
    bool begun_ = false;
};
/// The server's clock as a reply tells it: with BADTIME what it adds (RFC 8945 §5.2.3), else when it signed.
std::optional<base::utc_seconds> time_of_dns_reply(std::string_view reply);

/// What a reply says, whoever signed it.
struct dns_update_reply {
    std::uint16_t id = 0, code = 0;
    bool response = false, authoritative = false;
    unsigned opcode = 0;
    std::vector<update_record> answers;  ///< with RDATA and value for TXT, CNAME, A and AAAA, else bare
    std::optional<std::string> zone;     ///< owner of the SOA in answer or authority
    std::optional<std::string> alias;    ///< owner of a CNAME in the answer
    std::optional<std::uint32_t> serial; ///< of that SOA
};
std::expected<dns_update_reply, dns_parse_error> read_dns_update_reply(std::string_view bytes);

/// "NOTAUTH", "NXRRSET" and the rest of RFC 2136 §2.2.
std::string update_rcode_name(std::uint16_t code);
/// What it means for who pushes, and what to do.
std::string_view explain_update_rcode(std::uint16_t code);

} // namespace mailtight::wire
