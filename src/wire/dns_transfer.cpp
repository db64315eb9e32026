// SPDX-License-Identifier: Apache-2.0
#include "wire/dns_transfer.h"

#include "wire/dns_name.h"
#include "wire/dns_raw.h"

#include <utility>

namespace mailtight::wire {

namespace {

using kind = transfer_fault::kind;

constexpr std::uint16_t type_axfr = 252;

std::unexpected<transfer_fault> fault(kind what) {
    return std::unexpected(transfer_fault{.what = what});
}

/// Whether an MX record leads to a host; nothing where it is none.
std::optional<bool> leads_somewhere(std::string_view bytes, const raw_record& record) {
    constexpr std::size_t preference = 2;
    if (record.length <= preference)
        return {};
    auto at = record.data + preference;
    const auto end = record.data + record.length;
    const auto host = read_dns_name(bytes.substr(0, end), at);
    if (!host || at != end)
        return {};
    return !host->empty();
}

bool takes(std::size_t& left, std::size_t some) {
    if (left < some)
        return false;
    left -= some;
    return true;
}

} // namespace

std::optional<std::string> build_transfer_query(std::string_view zone, std::uint16_t id) {
    const auto canonical = canonical_dns_name(zone);
    const auto name = canonical ? dns_name_bytes(*canonical) : std::nullopt;
    if (!name)
        return {};
    std::string message;
    put16(message, id);
    put16(message, 0);
    put16(message, 1);
    put16(message, 0);
    put16(message, 0);
    put16(message, 0);
    message += *name;
    put16(message, type_axfr);
    put16(message, dns_class_in);
    return message;
}

std::string explain(const transfer_fault& fault) {
    switch (fault.what) {
    case kind::malformed:
        return "its reply cannot be read";
    case kind::foreign:
        return "its reply belongs to another question";
    case kind::refused:
        return "it answers " + update_rcode_name(fault.code);
    case kind::not_whole:
        return "it does not give the whole zone";
    case kind::not_ended:
        return "something stands behind the end of the zone";
    case kind::signature:
        return std::string(explain(fault.signature));
    case kind::too_much:
        return "the zone is larger than what is read of one";
    }
    return "";
}

transfer_reader::transfer_reader(std::string_view zone, std::uint16_t id,
                                 std::optional<tsig_stream> verified_by, transfer_limits within)
    : zone_(canonical_dns_name(zone).value_or(""))
    , id_(id)
    , verified_by_(std::move(verified_by))
    , left_(within)
    , most_names_(within.names) {}

std::expected<bool, transfer_fault> transfer_reader::take(std::string_view message, base::utc_seconds now) {
    if (std::exchange(over_, true)) // until this message is found good
        return fault(kind::not_ended);
    if (!takes(left_.messages, 1) || !takes(left_.bytes, message.size()))
        return fault(kind::too_much);
    const auto raw = read_raw_message(message, dns_records_possible);
    if (!raw)
        return fault(kind::malformed);
    if (!raw->response() || raw->opcode() != 0 || raw->id != id_) // RFC 5936 §2.2.1
        return fault(kind::foreign);
    bool verified = true;
    if (verified_by_) {
        const auto by_key = verified_by_->take(message, now);
        if (!by_key && (raw->rcode() == 0 || by_key.error() != tsig_fault::missing))
            return std::unexpected(transfer_fault{.what = kind::signature, .signature = by_key.error()});
        verified = by_key && *by_key;
    }
    if (raw->rcode() != 0)
        return std::unexpected(transfer_fault{.what = kind::refused, .code = raw->rcode()});
    const auto ended = read(message, *raw);
    if (!ended)
        return ended;
    if (*ended && !verified) // RFC 8945 §5.3.1: the last message is signed
        return std::unexpected(transfer_fault{.what = kind::signature, .signature = tsig_fault::missing});
    over_ = whole_ = *ended;
    return *ended;
}

std::expected<bool, transfer_fault> transfer_reader::read(std::string_view message, const raw_message& raw) {
    bool ended = false;
    for (const auto& record : raw.records) {
        if (record.section != raw_record::part::answer)
            break;
        if (ended)
            return fault(kind::not_ended);
        if (!takes(left_.records, 1))
            return fault(kind::too_much);
        const auto type = static_cast<dns_type>(record.type);
        const bool at_apex = record.owner == zone_;
        if (type == dns_type::soa && at_apex && record.record_class == dns_class_in) {
            ended = std::exchange(begun_, true); // the first begins, the second ends (RFC 5936 §2.2)
            continue;
        }
        if (!begun_)
            return fault(kind::not_whole);
        if (type != dns_type::mx || record.record_class != dns_class_in)
            continue;
        const auto leads = leads_somewhere(message, record);
        if (!leads)
            return fault(kind::malformed);
        if (!*leads || at_apex || !record.owner.ends_with("." + zone_) || names_.contains(record.owner))
            continue;
        if (names_.size() >= most_names_)
            return fault(kind::too_much);
        names_.insert(record.owner);
    }
    if (!begun_)
        return fault(kind::not_whole);
    return ended;
}

} // namespace mailtight::wire
