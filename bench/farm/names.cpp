// SPDX-License-Identifier: Apache-2.0
#include "farm/names.h"

#include <charconv>
#include <vector>

namespace mailtight::farm {

namespace {

constexpr std::uint16_t type_a = 1, type_ns = 2, type_soa = 6, type_mx = 15, type_txt = 16, type_opt = 41;
constexpr std::string_view apex = "bench";

struct domain {
    char kind;
    std::uint32_t number;
};

/// `f17` and the like.
std::optional<domain> parse_label(std::string_view label) {
    domain found{};
    if (label.size() < 2 || std::string_view("dfshp").find(label[0]) == std::string_view::npos)
        return {};
    found.kind = label[0];
    const auto* end = label.data() + label.size();
    const auto [stop, error] = std::from_chars(label.data() + 1, end, found.number);
    if (error != std::errc{} || stop != end)
        return {};
    return found;
}

void put16(std::string& to, unsigned value) {
    to += static_cast<char>(value >> 8 & 0xff);
    to += static_cast<char>(value & 0xff);
}
void put32(std::string& to, std::uint32_t value) {
    put16(to, value >> 16);
    put16(to, value & 0xffff);
}
std::string wire_name(std::string_view name) {
    std::string wire;
    while (!name.empty()) {
        const auto label = name.substr(0, name.find('.'));
        wire += static_cast<char>(label.size());
        wire += label;
        name.remove_prefix(std::min(name.size(), label.size() + 1));
    }
    return wire + '\0';
}
std::string address(std::uint32_t value) {
    std::string data;
    put32(data, value);
    return data;
}
std::string text(std::string_view value) {
    return std::string(1, static_cast<char>(value.size())) + std::string(value);
}
std::string mx(unsigned preference, const std::string& host) {
    std::string data;
    put16(data, preference);
    return data + wire_name(host);
}
std::string soa() {
    std::string data = wire_name("ns.bench") + wire_name("hostmaster.bench");
    for (const std::uint32_t value : {1u, 3600u, 600u, 86400u, 300u})
        put32(data, value);
    return data;
}

std::string name_of(domain of) {
    return of.kind + std::to_string(of.number) + "." + std::string(apex);
}
std::string mail_host(domain of) {
    const std::string label = of.kind + std::to_string(of.number);
    return "mx." + label + (of.kind == 'p' ? ".big." : ".") + std::string(apex);
}
domain shared_host(std::uint32_t number) {
    return {'h', number % shared_hosts};
}

struct answer {
    bool exists = false;
    std::vector<std::string> data;
};

/// At `prefix` below a domain; the prefix of the domain itself is empty.
answer of_domain(domain of, std::string_view prefix, std::uint16_t type) {
    if (of.kind == 'd' && of.number % 2 == 1)
        return {};
    const bool records =
        of.kind == 'f' || of.kind == 's' || of.kind == 'p' || (of.kind == 'd' && of.number % 4 == 0);
    answer found;
    if (prefix.empty()) {
        found.exists = true;
        if (type == type_mx && (of.kind == 'f' || of.kind == 'p'))
            found.data = {mx(10, mail_host(of))};
        else if (type == type_mx && of.kind != 'h')
            found.data = {mx(10, mail_host(shared_host(of.number))),
                          mx(20, mail_host(shared_host(of.number + 1)))};
    } else if (prefix == "_mta-sts" && records) {
        found.exists = true;
        if (type == type_txt)
            found.data = {text("v=STSv1; id=20260102030405;")};
    } else if (prefix == "_smtp._tls" && records) {
        found.exists = true;
        if (type == type_txt)
            found.data = {text("v=TLSRPTv1; rua=mailto:tls-reports@" + name_of(of))};
    } else if (prefix == "mta-sts" && records) {
        found.exists = true;
        if (type == type_a)
            found.data = {address(web_address)};
    } else if (prefix == "mx" && (of.kind == 'f' || of.kind == 'h')) {
        found.exists = true;
        if (type == type_a)
            found.data = {address((of.kind == 'f' ? own_hosts : common_hosts) + of.number)};
    }
    return found;
}

answer look_up(std::string_view name, std::uint16_t type) {
    if (name == apex)
        return {true, type == type_soa  ? std::vector{soa()}
                      : type == type_ns ? std::vector{wire_name("ns.bench")}
                                        : std::vector<std::string>()};
    name.remove_suffix(apex.size() + 1);
    if (name == "ns")
        return {true, type == type_a ? std::vector{address(0x7f000101)} : std::vector<std::string>()};
    if (name == "big")
        return {true, {}};
    if (name.ends_with(".big") && name.starts_with("mx.")) {
        const auto of = parse_label(name.substr(3, name.size() - 7));
        if (!of || of->kind != 'p')
            return {};
        return {true,
                type == type_a ? std::vector{address(big_hosts + of->number)} : std::vector<std::string>()};
    }
    const auto dot = name.rfind('.');
    const auto label = dot == std::string_view::npos ? name : name.substr(dot + 1);
    const auto of = parse_label(label);
    return of ? of_domain(*of, dot == std::string_view::npos ? "" : name.substr(0, dot), type) : answer{};
}

void put_record(std::string& to, std::string_view owner, unsigned type, const std::string& data) {
    to += owner;
    put16(to, type);
    put16(to, 1);
    put32(to, 3600);
    put16(to, static_cast<unsigned>(data.size()));
    to += data;
}

/// The first name of a datagram, in small letters; `at` moves behind it. Nothing where it is none.
std::optional<std::string> read_name(std::string_view datagram, std::size_t& at) {
    std::string name;
    while (at < datagram.size()) {
        const auto length = static_cast<unsigned char>(datagram[at++]);
        if (length == 0)
            return name;
        if (length > 63 || at + length > datagram.size())
            return {};
        if (!name.empty())
            name += '.';
        for (const char c : datagram.substr(at, length))
            name += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
        at += length;
    }
    return {};
}

} // namespace

std::string answer_dns(std::string_view datagram) {
    constexpr std::size_t header = 12;
    if (datagram.size() < header || (datagram[2] & 0x80) != 0)
        return {};
    std::size_t at = header;
    const auto name = read_name(datagram, at);
    if (!name || at + 4 > datagram.size())
        return {};
    const auto type = static_cast<std::uint16_t>(static_cast<unsigned char>(datagram[at]) << 8 |
                                                 static_cast<unsigned char>(datagram[at + 1]));
    at += 4;
    const bool ours = *name == apex || name->ends_with(".bench");
    const auto found = ours ? look_up(*name, type) : answer{};
    const bool edns = datagram[11] != 0;
    const unsigned code = !ours ? 5 : found.exists ? 0 : 3;
    std::string reply(datagram.substr(0, 2));
    put16(reply, 0x8480u | (static_cast<unsigned>(datagram[2]) & 1u) << 8 | code); // QR AA RA, RD as asked
    put16(reply, 1);
    put16(reply, static_cast<unsigned>(found.data.size()));
    put16(reply, ours && found.data.empty() ? 1 : 0);
    put16(reply, edns ? 1 : 0);
    reply += datagram.substr(header, at - header);
    for (const auto& data : found.data)
        put_record(reply, std::string_view("\xc0\x0c", 2), type, data);
    if (ours && found.data.empty())
        put_record(reply, wire_name(apex), type_soa, soa());
    if (edns) {
        reply += '\0';
        put16(reply, type_opt);
        put16(reply, 1232);
        put32(reply, 0);
        put16(reply, 0);
    }
    return reply;
}

std::string host_at(std::uint32_t address) {
    if (address >= big_hosts)
        return mail_host({'p', address - big_hosts});
    if (address >= common_hosts)
        return mail_host({'h', address - common_hosts});
    return mail_host({'f', address - own_hosts});
}

std::optional<std::string> policy_of(std::string_view policy_host) {
    constexpr std::string_view prefix = "mta-sts.";
    if (!policy_host.starts_with(prefix))
        return {};
    policy_host.remove_prefix(prefix.size());
    const auto of = parse_label(policy_host.substr(0, policy_host.find('.')));
    if (!of)
        return {};
    std::string policy = "version: STSv1\r\nmode: enforce\r\n";
    if (of->kind == 's')
        policy += "mx: " + mail_host(shared_host(of->number)) +
                  "\r\nmx: " + mail_host(shared_host(of->number + 1)) + "\r\n";
    else
        policy += "mx: " + mail_host(*of) + "\r\n";
    return policy + "max_age: 2419200\r\n";
}

} // namespace mailtight::farm
