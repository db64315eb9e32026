// SPDX-License-Identifier: Apache-2.0
// A DNS server for tests, on one port of 127.0.0.1 over UDP and TCP, in a thread of its own: a test says for
// each question what goes out, honest or not.
#pragma once

#include "io/resolver.h"
#include "wire/dns_message.h"

#include <boost/asio.hpp>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace mailtight::tests {

/// Builds answers byte by byte, so that they can lie.
class answer_bytes {
public:
    /// Header and question echoed from `query`; `flags` are the second two octets (QR is set).
    explicit answer_bytes(std::string_view query, unsigned flags = 0x8180)
        : bytes_(query.substr(0, question_end(query))) {
        set16(2, flags | 0x8000);
        set16(6, 0);
        set16(8, 0);
        set16(10, 0);
    }
    answer_bytes& answer(const std::string& owner, unsigned type, std::string rdata, unsigned ttl = 300) {
        return record(6, owner, type, 1, ttl, std::move(rdata));
    }
    answer_bytes& authority(const std::string& owner, unsigned type, std::string rdata, unsigned ttl = 300) {
        return record(8, owner, type, 1, ttl, std::move(rdata));
    }
    answer_bytes& soa(const std::string& zone, unsigned minimum, unsigned ttl = 3600) {
        return authority(zone, 6, soa_data(minimum), ttl);
    }
    /// OPT with an extended DNS error (RFC 8914).
    answer_bytes& extended_error(unsigned code, const std::string& text) {
        std::string option = be16(15) + be16(static_cast<unsigned>(text.size()) + 2) + be16(code) + text;
        return record(10, "", 41, 1232, 0, std::move(option));
    }
    answer_bytes& set16(std::size_t at, unsigned value) {
        bytes_.replace(at, 2, be16(value));
        return *this;
    }
    answer_bytes& raw(std::string_view more) {
        bytes_ += more;
        return *this;
    }
    operator std::string() const { return bytes_; }

    static std::string be16(unsigned value) {
        return {static_cast<char>(value >> 8 & 0xff), static_cast<char>(value & 0xff)};
    }
    static std::string be32(std::uint32_t value) { return be16(value >> 16) + be16(value & 0xffff); }
    static std::string name(const std::string& text);
    static std::string text(const std::string& value) {
        return static_cast<char>(static_cast<unsigned char>(value.size())) + value;
    }
    static std::string soa_data(unsigned minimum) {
        return name("ns.example") + name("admin.example") + be32(1) + be32(2) + be32(3) + be32(4) +
               be32(minimum);
    }

private:
    static std::size_t question_end(std::string_view query) {
        std::size_t at = 12;
        while (at < query.size() && query[at] != 0)
            at += static_cast<unsigned char>(query[at]) + 1U;
        return at + 5;
    }
    answer_bytes& record(std::size_t counter, const std::string& owner, unsigned type, unsigned record_class,
                         unsigned ttl, std::string rdata) {
        const auto count = static_cast<unsigned char>(bytes_[counter]) << 8 |
                           static_cast<unsigned char>(bytes_[counter + 1]);
        set16(counter, static_cast<unsigned>(count) + 1);
        bytes_ += name(owner) + be16(type) + be16(record_class) + be32(ttl) +
                  be16(static_cast<unsigned>(rdata.size())) + rdata;
        return *this;
    }
    std::string bytes_;
};

class fake_dns {
public:
    struct question {
        std::string bytes; ///< the whole query
        wire::dns_message message;
        bool tcp = false;
        unsigned number = 0; ///< from 1, of this server
    };
    /// Each string is one datagram (or one message over TCP) to send, as it is; none: silence.
    using handler = std::function<std::vector<std::string>(const question&)>;

    explicit fake_dns(handler answers, const char* address = "127.0.0.1");
    ~fake_dns();
    io::endpoint at() const { return at_; }
    unsigned asked() const { return asked_; }
    unsigned asked_by_tcp() const { return by_tcp_; }

private:
    void receive();
    void accept();
    std::vector<std::string> ask(std::string bytes, bool tcp);

    handler answers_;
    boost::asio::io_context context_;
    boost::asio::ip::udp::socket udp_{context_};
    boost::asio::ip::tcp::acceptor tcp_{context_};
    boost::asio::ip::udp::endpoint from_;
    std::array<char, 4096> buffer_{};
    io::endpoint at_;
    std::atomic<unsigned> asked_ = 0, by_tcp_ = 0;
    std::thread thread_;
};

} // namespace mailtight::tests
