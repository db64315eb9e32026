// SPDX-License-Identifier: Apache-2.0
// Messages of dynamic update (RFC 2136): build_dns_update() and the reader of replies. Names are written
// uncompressed, so that what was written can be compared byte by byte.
#include "wire/dns_update.h"

#include "base/limits.h"
#include "wire/dns_name.h"
#include "wire/dns_raw.h"

#include <algorithm>
#include <array>
#include <utility>

namespace mailtight::wire {

namespace {

constexpr unsigned opcode_update = 5;
constexpr std::size_t character_string_max = 255;

/// RFC 1035 §3.3.14.
std::optional<std::string> text_data(std::string_view value) {
    if (value.size() > base::limits::txt_bytes)
        return {};
    std::string data;
    do {
        const auto part = value.substr(0, character_string_max);
        data += static_cast<char>(part.size());
        data += part;
        value.remove_prefix(part.size());
    } while (!value.empty());
    return data;
}

std::optional<std::string> name_bytes(std::string_view text) {
    const auto canonical = canonical_dns_name(text);
    return canonical ? dns_name_bytes(*canonical) : std::nullopt;
}

std::optional<std::string> data_of(const update_record& record) {
    if (!record.rdata.empty())
        return record.rdata;
    switch (record.type) {
    case dns_type::txt:
        return text_data(record.value);
    case dns_type::cname:
        return record.value.empty() ? std::nullopt : name_bytes(record.value);
    case dns_type::a:
    case dns_type::aaaa: {
        const auto address = base::ip_address::parse(record.value);
        if (!address || address->is_v4() != (record.type == dns_type::a))
            return {};
        return std::string(address->bytes());
    }
    default:
        return {};
    }
}

/// Appends records; counts them; stays failed once one could not be written.
class section_writer {
public:
    explicit section_writer(std::string& message)
        : message_(message) {}
    void write(std::string_view owner, std::uint16_t type, std::uint16_t record_class, std::uint32_t ttl,
               const std::optional<std::string>& data) {
        const auto name = name_bytes(owner);
        if (!name || !data || data->size() > 0xffff) {
            failed_ = true;
            return;
        }
        message_ += *name;
        put16(message_, type);
        put16(message_, record_class);
        put32(message_, ttl);
        put16(message_, static_cast<unsigned>(data->size()));
        message_ += *data;
        ++count_;
    }
    void write(const update_record& record, std::uint16_t record_class, std::uint32_t ttl) {
        write(record.name, static_cast<std::uint16_t>(record.type), record_class, ttl, data_of(record));
    }
    bool failed() const { return failed_ || count_ > 0xffff; }
    unsigned count() const { return count_; }

private:
    std::string& message_;
    unsigned count_ = 0;
    bool failed_ = false;
};

void set16(std::string& message, std::size_t at, unsigned value) {
    message[at] = static_cast<char>(value >> 8 & 0xff);
    message[at + 1] = static_cast<char>(value & 0xff);
}

/// The RDATA of a record, names uncompressed and in lower case. Nothing where it is none of its type.
std::optional<std::string> plain_data(std::string_view bytes, const raw_record& record) {
    if (record.type != static_cast<std::uint16_t>(dns_type::cname))
        return std::string(bytes.substr(record.data, record.length));
    auto at = record.data;
    const auto name = read_dns_name(bytes.substr(0, record.data + record.length), at);
    if (!name || at != record.data + record.length)
        return {};
    return dns_name_bytes(*name);
}

bool is_read(dns_type type) {
    return type == dns_type::txt || type == dns_type::cname || type == dns_type::a || type == dns_type::aaaa;
}

/// As text. Nothing where the RDATA is none of its type.
std::optional<std::string> value_of(std::uint16_t type, std::string_view data) {
    switch (static_cast<dns_type>(type)) {
    case dns_type::txt: {
        std::string joined;
        if (data.empty())
            return {};
        while (!data.empty()) {
            const std::size_t length = static_cast<unsigned char>(data.front());
            if (data.size() <= length)
                return {};
            joined += data.substr(1, length);
            data.remove_prefix(1 + length);
        }
        return joined;
    }
    case dns_type::cname: {
        std::size_t at = 0;
        return read_dns_name(data, at);
    }
    case dns_type::a: {
        std::array<std::uint8_t, 4> octets{};
        if (data.size() != octets.size())
            return {};
        std::ranges::copy(data, octets.begin());
        return base::ip_address::v4(octets).to_string();
    }
    case dns_type::aaaa: {
        std::array<std::uint8_t, 16> octets{};
        if (data.size() != octets.size())
            return {};
        std::ranges::copy(data, octets.begin());
        return base::ip_address::v6(octets).to_string();
    }
    default:
        return {};
    }
}

/// SERIAL stands behind two names (RFC 1035 §3.3.13).
std::optional<std::uint32_t> serial_of(std::string_view bytes, const raw_record& soa) {
    const auto inside = bytes.substr(0, soa.data + soa.length);
    auto at = soa.data;
    if (!read_dns_name(inside, at) || !read_dns_name(inside, at) || inside.size() - at < 4)
        return {};
    return get32(inside, at);
}

} // namespace

std::optional<std::string> build_dns_update(const dns_update& update, std::uint16_t id) {
    const auto zone = name_bytes(update.zone);
    if (!zone)
        return {};
    std::string message;
    put16(message, id);
    put16(message, opcode_update << 11); // RFC 2136 §2.2
    put16(message, 1);
    put16(message, 0);
    put16(message, 0);
    put16(message, 0);
    message += *zone; // §2.3
    put16(message, static_cast<unsigned>(dns_type::soa));
    put16(message, dns_class_in);

    section_writer prerequisites(message), changes(message);
    for (const auto& record : update.as_it_is) // §2.4.2
        prerequisites.write(record, dns_class_in, 0);
    for (const auto& [name, type] : update.none_of) // §2.4.3
        prerequisites.write(name, static_cast<std::uint16_t>(type), dns_class_none, 0, "");
    for (const auto& name : update.unused) // §2.4.5
        prerequisites.write(name, dns_type_any, dns_class_none, 0, "");
    // What goes stands before what comes, since a server adds nothing that would stand beside a CNAME, and
    // does not say so (§3.4.2.2; erratum 4469).
    for (const auto& record : update.remove) // §2.5.4
        changes.write(record, dns_class_none, 0);
    for (const auto& record : update.add) // §2.5.1
        changes.write(record, dns_class_in, record.ttl);
    if (prerequisites.failed() || changes.failed() || message.size() > base::limits::dns_message_bytes)
        return {};
    set16(message, 6, prerequisites.count());
    set16(message, 8, changes.count());
    return message;
}

std::expected<dns_update_reply, dns_parse_error> read_dns_update_reply(std::string_view bytes) {
    const auto message = read_raw_message(bytes);
    if (!message)
        return std::unexpected(message.error());
    dns_update_reply reply;
    reply.id = message->id;
    reply.code = message->rcode();
    reply.response = message->response();
    reply.authoritative = message->authoritative();
    reply.opcode = message->opcode();
    for (const auto& record : message->records) {
        const auto type = static_cast<dns_type>(record.type);
        if (record.section == raw_record::part::additional && type == dns_type::opt) // RFC 6891 §6.1.3
            reply.code |= static_cast<std::uint16_t>(record.ttl >> 24 << 4);
        if (record.record_class != dns_class_in || record.section == raw_record::part::additional)
            continue;
        if (type == dns_type::soa) {
            reply.zone = record.owner;
            reply.serial = serial_of(bytes, record);
        }
        if (record.section != raw_record::part::answer)
            continue;
        if (!is_read(type)) {
            reply.answers.push_back({record.owner, type, record.ttl, {}, {}});
            continue;
        }
        auto data = plain_data(bytes, record);
        auto value = data ? value_of(record.type, *data) : std::nullopt;
        if (!value)
            return std::unexpected(dns_parse_error::bad_rdata);
        if (type == dns_type::cname)
            reply.alias = record.owner;
        reply.answers.push_back({record.owner, type, record.ttl, std::move(*value), std::move(*data)});
    }
    return reply;
}

} // namespace mailtight::wire
