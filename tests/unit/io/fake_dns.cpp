// SPDX-License-Identifier: Apache-2.0
#include "fake_dns.h"

#include "wire/dns_name.h"

#include <gtest/gtest.h>

namespace mailtight::tests {

namespace asio = boost::asio;
using boost::system::error_code;

std::string answer_bytes::name(const std::string& text) {
    return wire::dns_name_bytes(text).value();
}

fake_dns::fake_dns(handler answers, const char* address)
    : answers_(std::move(answers)) {
    // The same port over UDP and TCP: the kernel picks the one, and it may be taken for the other.
    const auto host = asio::ip::make_address(address);
    for (int tries = 0;; ++tries) {
        udp_ = asio::ip::udp::socket(context_, asio::ip::udp::endpoint(host, 0));
        const auto port = udp_.local_endpoint().port();
        error_code error;
        tcp_ = asio::ip::tcp::acceptor(context_);
        const asio::ip::tcp::endpoint to(host, port);
        tcp_.open(to.protocol());
        tcp_.bind(to, error);
        if (!error) {
            tcp_.listen();
            at_ = {*base::ip_address::parse(address), port};
            break;
        }
        if (tries == 20)
            throw std::runtime_error("no free port for the fake DNS server");
    }
    receive();
    accept();
    thread_ = std::thread([this] { context_.run(); });
}

fake_dns::~fake_dns() {
    context_.stop();
    thread_.join();
}

std::vector<std::string> fake_dns::ask(std::string bytes, bool tcp) {
    question asked{std::move(bytes), {}, tcp, ++asked_};
    if (tcp)
        ++by_tcp_;
    auto message = wire::parse_dns_message(asked.bytes);
    if (!message || !message->question) {
        ADD_FAILURE() << "a query that cannot be read came";
        return {};
    }
    asked.message = std::move(*message);
    return answers_(asked);
}

void fake_dns::receive() {
    udp_.async_receive_from(asio::buffer(buffer_), from_, [this](const error_code& error, std::size_t size) {
        if (error)
            return;
        for (const auto& out : ask({buffer_.data(), size}, false))
            udp_.send_to(asio::buffer(out), from_);
        receive();
    });
}

void fake_dns::accept() {
    tcp_.async_accept([this](const error_code& error, asio::ip::tcp::socket peer) {
        if (error)
            return;
        error_code broken; // one question a connection, read in place: enough for tests
        std::array<unsigned char, 2> size{};
        asio::read(peer, asio::buffer(size), broken);
        std::string query(static_cast<std::size_t>(size[0] << 8 | size[1]), '\0');
        asio::read(peer, asio::buffer(query), broken);
        if (!broken)
            for (const auto& out : ask(query, true))
                asio::write(peer, asio::buffer(answer_bytes::be16(static_cast<unsigned>(out.size())) + out),
                            broken);
        accept();
    });
}

} // namespace mailtight::tests
