// SPDX-License-Identifier: Apache-2.0
// Signatures of DNS messages by a shared secret (RFC 8945): sign_dns_message() and verify_dns_reply(). Only
// whole MACs are made and taken.
#include "base/limits.h"
#include "wire/dns_name.h"
#include "wire/dns_raw.h"
#include "wire/dns_update.h"

#include <algorithm>
#include <utility>

namespace mailtight::wire {

namespace {

constexpr std::uint16_t type_tsig = 250;
constexpr std::uint16_t bad_signature = 16, bad_key = 17, bad_time = 18, bad_truncation = 22;
constexpr std::size_t counts_additional = 10; ///< where ARCOUNT stands

void put48(std::string& to, std::uint64_t value) {
    put16(to, static_cast<unsigned>(value >> 32 & 0xffff));
    put32(to, static_cast<std::uint32_t>(value & 0xffffffff));
}

std::uint64_t seconds_of(base::utc_seconds at) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, at.time_since_epoch().count()));
}

/// Canonical wire form: lower case, uncompressed (§4.3.3).
std::string canonical_bytes(std::string_view name) {
    const auto canonical = canonical_dns_name(name);
    return (canonical ? dns_name_bytes(*canonical) : std::nullopt).value_or(std::string(1, '\0'));
}

/// The variables of TSIG that a signature covers (§4.3.3).
std::string variables(const tsig_key& key, std::uint64_t time, std::uint16_t fudge, std::uint16_t error,
                      std::string_view other) {
    std::string out = canonical_bytes(key.name);
    put16(out, dns_class_any);
    put32(out, 0);
    out += canonical_bytes(key.algorithm);
    put48(out, time);
    put16(out, fudge);
    put16(out, error);
    put16(out, static_cast<unsigned>(other.size()));
    out += other;
    return out;
}

/// Takes as long wherever they differ.
bool same_mac(std::string_view a, std::string_view b) {
    if (a.size() != b.size())
        return false;
    unsigned char differs = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
        differs |= static_cast<unsigned char>(a[i] ^ b[i]);
    return differs == 0;
}

struct tsig {
    std::string key, algorithm;
    std::uint64_t time = 0;
    std::uint16_t fudge = 0, original_id = 0, error = 0;
    std::string_view mac, other;
    std::size_t begin = 0; ///< of the record in the message
};

std::uint64_t get48(std::string_view bytes, std::size_t at) {
    return std::uint64_t{get16(bytes, at)} << 32 | get32(bytes, at + 2);
}

/// The record's own form (§4.2).
std::optional<tsig> read_data(std::string_view bytes, const raw_record& record) {
    const auto all = bytes.substr(0, record.data + record.length);
    auto at = record.data;
    auto algorithm = read_dns_name(all, at);
    constexpr std::size_t before_mac = 10, after_mac = 6;
    if (!algorithm || all.size() - at < before_mac)
        return {};
    tsig read{.key = record.owner,
              .algorithm = std::move(*algorithm),
              .time = get48(all, at),
              .fudge = get16(all, at + 6),
              .begin = record.begin};
    const std::size_t mac = get16(all, at + 8);
    at += before_mac;
    if (all.size() - at < mac || all.size() - at - mac < after_mac)
        return {};
    read.mac = all.substr(at, mac);
    at += mac;
    read.original_id = get16(all, at);
    read.error = get16(all, at + 2);
    const std::size_t other = get16(all, at + 4);
    at += after_mac;
    if (all.size() - at != other)
        return {};
    read.other = all.substr(at, other);
    return read;
}

/// The one TSIG, at the very end (§5.2).
std::expected<tsig, tsig_fault> find_tsig(std::string_view bytes, std::size_t most = dns_records_max) {
    const auto message = read_raw_message(bytes, most);
    if (!message)
        return std::unexpected(tsig_fault::bad_form);
    const auto many = std::ranges::count(message->records, type_tsig, &raw_record::type);
    if (many == 0)
        return std::unexpected(tsig_fault::missing);
    const auto& last = message->records.back();
    if (many > 1 || last.type != type_tsig || last.section != raw_record::part::additional ||
        last.record_class != dns_class_any || last.ttl != 0 || message->end != bytes.size())
        return std::unexpected(tsig_fault::bad_form);
    if (auto read = read_data(bytes, last))
        return std::move(*read);
    return std::unexpected(tsig_fault::bad_form);
}

std::string length_first(std::string_view bytes) {
    std::string out;
    put16(out, static_cast<unsigned>(bytes.size()));
    out += bytes;
    return out;
}

/// The message as it was before it was signed (§4.3.2, §5.3).
std::string unsigned_form(std::string_view bytes, const tsig& signature) {
    std::string plain;
    put16(plain, signature.original_id);
    plain += bytes.substr(2, counts_additional - 2);
    put16(plain, get16(bytes, counts_additional) - 1U);
    plain += bytes.substr(dns_header_bytes, signature.begin - dns_header_bytes);
    return plain;
}

std::optional<tsig_fault> told(std::uint16_t error) {
    switch (error) {
    case 0:
        return {};
    case bad_signature:
        return tsig_fault::refused_signature;
    case bad_key:
        return tsig_fault::refused_key;
    case bad_time:
        return tsig_fault::refused_time;
    case bad_truncation:
        return tsig_fault::refused_truncation;
    default:
        return tsig_fault::bad_form;
    }
}

/// Whose signature, whether it is right for what it covers, and whether it is of now (§5.3).
std::expected<void, tsig_fault> judge(const tsig& found, const tsig_key& with, std::string_view covered,
                                      base::utc_seconds now, const keyed_hash& hash) {
    const auto error = told(found.error);
    // A server that shares no secret, or could not verify ours, has nothing to sign with (§5.2.1, §5.2.2).
    if (found.mac.empty() && error)
        return std::unexpected(*error);
    if (!same_mac(found.mac, hash(with.algorithm, with.secret, covered)))
        return std::unexpected(tsig_fault::bad_mac);
    if (error)
        return std::unexpected(*error);
    const auto here = seconds_of(now);
    const auto apart = here > found.time ? here - found.time : found.time - here;
    if (apart > found.fudge) // §5.2.3
        return std::unexpected(tsig_fault::bad_time);
    return {};
}

bool is_by(const tsig& found, const tsig_key& key) {
    return found.key == canonical_dns_name(key.name) && found.algorithm == key.algorithm;
}

} // namespace

signed_message sign_dns_message(std::string_view message, const tsig_key& with, base::utc_seconds now,
                                const keyed_hash& hash, std::uint16_t fudge) {
    const auto time = seconds_of(now);
    signed_message out;
    out.mac = hash(with.algorithm, with.secret, std::string(message) + variables(with, time, fudge, 0, {}));
    out.bytes = message;
    const unsigned additional = get16(message, counts_additional) + 1U;
    out.bytes[counts_additional] = static_cast<char>(additional >> 8 & 0xff);
    out.bytes[counts_additional + 1] = static_cast<char>(additional & 0xff);

    std::string data = canonical_bytes(with.algorithm);
    put48(data, time);
    put16(data, fudge);
    put16(data, static_cast<unsigned>(out.mac.size()));
    data += out.mac;
    put16(data, get16(message, 0)); // original id
    put16(data, 0);
    put16(data, 0);
    out.bytes += canonical_bytes(with.name);
    put16(out.bytes, type_tsig);
    put16(out.bytes, dns_class_any);
    put32(out.bytes, 0);
    put16(out.bytes, static_cast<unsigned>(data.size()));
    out.bytes += data;
    return out;
}

std::expected<void, tsig_fault> verify_dns_reply(std::string_view reply, std::string_view request_mac,
                                                 const tsig_key& with, base::utc_seconds now,
                                                 const keyed_hash& hash) {
    const auto found = find_tsig(reply);
    if (!found)
        return std::unexpected(found.error());
    if (!is_by(*found, with))
        return std::unexpected(tsig_fault::other_key);
    return judge(*found, with,
                 length_first(request_mac) + unsigned_form(reply, *found) +
                     variables(with, found->time, found->fudge, found->error, found->other),
                 now, hash);
}

tsig_stream::tsig_stream(tsig_key with, std::string request_mac, keyed_hash hash)
    : with_(std::move(with))
    , hash_(std::move(hash))
    , covered_(length_first(request_mac)) {}

std::expected<bool, tsig_fault> tsig_stream::take(std::string_view message, base::utc_seconds now) {
    constexpr unsigned most_unsigned = 99;
    const auto found = find_tsig(message, dns_records_possible);
    if (!found) {
        if (found.error() != tsig_fault::missing || !begun_ || since_ == most_unsigned)
            return std::unexpected(found.error());
        ++since_;
        covered_ += message;
        return false;
    }
    if (!is_by(*found, with_))
        return std::unexpected(tsig_fault::other_key);
    covered_ += unsigned_form(message, *found);
    if (begun_) { // the timers alone
        put48(covered_, found->time);
        put16(covered_, found->fudge);
    } else {
        covered_ += variables(with_, found->time, found->fudge, found->error, found->other);
    }
    if (const auto right = judge(*found, with_, covered_, now, hash_); !right)
        return std::unexpected(right.error());
    covered_ = length_first(found->mac);
    since_ = 0;
    begun_ = true;
    return true;
}

std::optional<base::utc_seconds> time_of_dns_reply(std::string_view reply) {
    const auto found = find_tsig(reply);
    if (!found)
        return {};
    const bool told_apart = found->error == bad_time && found->other.size() == 6;
    const auto seconds = told_apart ? get48(found->other, 0) : found->time;
    return base::utc_seconds{std::chrono::seconds(seconds)};
}

} // namespace mailtight::wire
