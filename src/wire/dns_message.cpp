// SPDX-License-Identifier: Apache-2.0
// The one entry for bytes from outside is parse_dns_message(). A reader that knows where the message ends
// hands out integers and names; records are read in order, so nothing is ever looked up by an offset that the
// message gave, except by compression (wire/dns_name.cpp).
#include "wire/dns_message.h"

#include "base/limits.h"
#include "base/text.h"
#include "wire/dns_name.h"

#include <array>
#include <optional>
#include <utility>

namespace mailtight::wire {

namespace {

void put16(std::string& to, unsigned value) {
    to += static_cast<char>(value >> 8 & 0xff);
    to += static_cast<char>(value & 0xff);
}

/// Walks a message up to `end`; failed() once anything was not there.
class reader {
public:
    reader(std::string_view message, std::size_t at, std::size_t end)
        : message_(message)
        , at_(at)
        , end_(end) {}
    std::uint8_t u8() {
        if (!have(1))
            return 0;
        return static_cast<std::uint8_t>(message_[at_++]);
    }
    std::uint16_t u16() {
        const unsigned high = u8();
        return static_cast<std::uint16_t>(high << 8 | u8());
    }
    std::uint32_t u32() {
        const std::uint32_t high = u16();
        return high << 16 | u16();
    }
    std::string_view take(std::size_t length) {
        if (!have(length))
            return {};
        return message_.substr(std::exchange(at_, at_ + length), length);
    }
    std::string name() {
        // The name itself must end inside this part; what it points to may stand anywhere before.
        auto text = failed_ ? std::nullopt : read_dns_name(message_.substr(0, end_), at_);
        if (!text)
            failed_ = true;
        return text.value_or("");
    }
    std::size_t at() const { return at_; }
    std::size_t left() const { return end_ - at_; }
    bool failed() const { return failed_; }

private:
    bool have(std::size_t length) {
        if (failed_ || length > end_ - at_)
            failed_ = true;
        return !failed_;
    }
    std::string_view message_;
    std::size_t at_, end_;
    bool failed_ = false;
};

using rdata = decltype(dns_record::data);

// 8461-3.1-r, 8460-3-w: joined with nothing between.
dns_text read_text(reader& in) {
    dns_text text;
    text.joined.reserve(in.left());
    do { // at least one character-string (RFC 1035 §3.3.14)
        text.joined += in.take(in.u8());
    } while (in.left() > 0 && !in.failed());
    return text;
}

dns_soa read_soa(reader& in) {
    dns_soa soa;
    soa.primary = in.name();
    soa.mailbox = in.name();
    soa.serial = in.u32();
    soa.refresh = in.u32();
    soa.retry = in.u32();
    soa.expire = in.u32();
    soa.minimum = in.u32();
    return soa;
}

dns_tlsa read_tlsa(reader& in) {
    dns_tlsa tlsa;
    tlsa.usage = in.u8();
    tlsa.selector = in.u8();
    tlsa.matching = in.u8();
    tlsa.data = in.take(in.left());
    return tlsa;
}

dns_caa read_caa(reader& in) {
    dns_caa caa;
    caa.flags = in.u8();
    caa.tag = in.take(in.u8());
    caa.value = in.take(in.left());
    return caa;
}

base::ip_address read_v4(reader& in) {
    std::array<std::uint8_t, 4> bytes{};
    for (auto& byte : bytes)
        byte = in.u8();
    return base::ip_address::v4(bytes);
}

base::ip_address read_v6(reader& in) {
    std::array<std::uint8_t, 16> bytes{};
    for (auto& byte : bytes)
        byte = in.u8();
    return base::ip_address::v6(bytes);
}

/// Nothing where the RDATA is shorter or longer than its type says.
std::optional<rdata> read_rdata(dns_type type, reader in) {
    rdata data;
    switch (type) {
    case dns_type::a:
        data = read_v4(in);
        break;
    case dns_type::aaaa:
        data = read_v6(in);
        break;
    case dns_type::cname:
    case dns_type::ns:
    case dns_type::ptr:
        data = dns_target{in.name()};
        break;
    case dns_type::mx: {
        const auto preference = in.u16();
        data = dns_mx{preference, in.name()};
        break;
    }
    case dns_type::txt:
        data = read_text(in);
        break;
    case dns_type::soa:
        data = read_soa(in);
        break;
    case dns_type::tlsa:
        data = read_tlsa(in);
        break;
    case dns_type::caa:
        data = read_caa(in);
        break;
    case dns_type::rrsig:
        data = dns_rrsig{static_cast<dns_type>(in.u16())};
        in.take(in.left());
        break;
    default:
        in.take(in.left());
    }
    if (in.failed() || in.left() != 0)
        return {};
    return data;
}

/// RFC 6891 §6.1.2 and RFC 8914 §2.
bool read_opt(reader in, dns_message& into) {
    constexpr unsigned extended_error_option = 15;
    while (in.left() > 0 && !in.failed()) {
        const auto code = in.u16();
        const std::size_t length = in.u16();
        reader option = in;
        in.take(length);
        if (code != extended_error_option || in.failed())
            continue;
        if (length < 2)
            return false;
        const auto info = option.u16();
        into.extended_errors.push_back({info, std::string(option.take(length - 2))});
    }
    return !in.failed();
}

struct section_reader {
    std::string_view bytes;
    dns_message& message;
    std::size_t records = 0;

    std::optional<dns_parse_error> read(std::size_t& at, unsigned count, std::vector<dns_record>& into) {
        for (unsigned i = 0; i < count; ++i) {
            if (++records > dns_records_max)
                return dns_parse_error::many_records;
            if (const auto error = read_one(at, into))
                return error;
        }
        return {};
    }

private:
    std::optional<dns_parse_error> read_one(std::size_t& at, std::vector<dns_record>& into) {
        dns_record record;
        auto owner = at < bytes.size() ? read_dns_name(bytes, at) : std::nullopt;
        if (!owner)
            return at < bytes.size() ? dns_parse_error::bad_name : dns_parse_error::cut_short;
        reader in(bytes, at, bytes.size());
        record.owner = std::move(*owner);
        record.type = static_cast<dns_type>(in.u16());
        const auto record_class = in.u16();
        record.ttl = in.u32();
        const std::size_t length = in.u16();
        const std::size_t begin = in.at();
        in.take(length);
        if (in.failed())
            return dns_parse_error::cut_short;
        at = in.at();
        const reader inside(bytes, begin, begin + length);
        if (record.type == dns_type::opt)
            return read_edns(record, inside);
        if (record_class != dns_class_in)
            return {};
        auto data = read_rdata(record.type, inside);
        if (!data)
            return dns_parse_error::bad_rdata;
        record.data = std::move(*data);
        if (record.ttl > 0x7fffffffU)
            record.ttl = 0;
        into.push_back(std::move(record));
        return {};
    }

    std::optional<dns_parse_error> read_edns(const dns_record& record, const reader& inside) {
        if (message.edns || !record.owner.empty() || !read_opt(inside, message))
            return dns_parse_error::bad_opt;
        message.edns = true;
        const unsigned high = record.ttl >> 24;
        message.rcode = static_cast<dns_rcode>(high << 4 | static_cast<unsigned>(message.rcode));
        return {};
    }
};

/// The letters of the name's labels, each raised where its bit is set (draft-vixie-dnsext-dns0x20).
void raise_letters(std::string& name, std::uint64_t bits) {
    std::size_t letter = 0;
    for (std::size_t at = 0; at < name.size() && name[at] != 0;) {
        const std::size_t end = at + 1 + static_cast<unsigned char>(name[at]);
        for (++at; at < end; ++at)
            if (base::is_alpha(name[at]) && (bits >> (letter++ % 64) & 1) != 0)
                name[at] = static_cast<char>(name[at] & ~0x20);
    }
}

} // namespace

std::optional<std::string> build_dns_query(const dns_question& question, const dns_query_options& options) {
    const auto text = canonical_dns_name(question.name);
    auto name = text ? dns_name_bytes(*text) : std::nullopt;
    if (!name)
        return {};
    raise_letters(*name, options.case_bits);
    std::string bytes;
    put16(bytes, options.id);
    put16(bytes, (options.recursion_desired ? 0x0100U : 0U) | (options.authentic_data ? 0x0020U : 0U) |
                     (options.checking_disabled ? 0x0010U : 0U));
    put16(bytes, 1);
    put16(bytes, 0);
    put16(bytes, 0);
    put16(bytes, options.edns ? 1 : 0);
    bytes += *name;
    put16(bytes, static_cast<unsigned>(question.type));
    put16(bytes, dns_class_in);
    if (options.edns) {
        bytes += '\0'; // the root owns OPT
        put16(bytes, static_cast<unsigned>(dns_type::opt));
        put16(bytes, options.udp_bytes);
        put16(bytes, 0); // extended rcode, version 0
        put16(bytes, options.dnssec_ok ? 0x8000U : 0U);
        put16(bytes, 0);
    }
    return bytes;
}

std::expected<dns_message, dns_parse_error> parse_dns_message(std::string_view bytes) {
    bytes = bytes.substr(0, base::limits::dns_message_bytes);
    dns_message message;
    reader in(bytes, 0, bytes.size());
    message.id = in.u16();
    const unsigned flags = in.u16();
    const unsigned questions = in.u16();
    const unsigned answers = in.u16();
    const unsigned authority = in.u16();
    const unsigned additional = in.u16();
    if (in.failed())
        return std::unexpected(dns_parse_error::short_header);
    message.response = (flags & 0x8000) != 0;
    message.opcode = flags >> 11 & 0xf;
    message.authoritative = (flags & 0x0400) != 0;
    message.truncated = (flags & 0x0200) != 0;
    message.recursion_desired = (flags & 0x0100) != 0;
    message.recursion_available = (flags & 0x0080) != 0;
    message.authentic_data = (flags & 0x0020) != 0;
    message.checking_disabled = (flags & 0x0010) != 0;
    message.rcode = static_cast<dns_rcode>(flags & 0xf);
    if (questions > 1) // RFC 9619 §3
        return std::unexpected(dns_parse_error::many_questions);
    if (questions == 1) {
        const std::size_t begin = in.at();
        dns_question question{in.name(), {}};
        if (in.failed())
            return std::unexpected(dns_parse_error::bad_name);
        question.type = static_cast<dns_type>(in.u16());
        in.u16(); // the class: ours is the only one that we ask
        if (in.failed())
            return std::unexpected(dns_parse_error::cut_short);
        message.question = std::move(question);
        message.question_bytes = bytes.substr(begin, in.at() - begin);
    }
    if (message.truncated)
        return message;
    std::size_t at = in.at();
    section_reader sections{bytes, message};
    for (auto [count, into] : {std::pair{answers, &message.answers},
                               {authority, &message.authority},
                               {additional, &message.additional}})
        if (const auto error = sections.read(at, count, *into))
            return std::unexpected(*error);
    return message;
}

} // namespace mailtight::wire
