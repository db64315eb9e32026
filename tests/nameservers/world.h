// SPDX-License-Identifier: Apache-2.0
// A primary, its secondaries and a pusher beside them; what others do to the zone meanwhile is done with
// nsupdate.
#pragma once

#include "base/text.h"
#include "io/command.h"
#include "publish/dns_push.h"
#include "server.h"
#include "support/fixed_resolver.h"

#include <boost/asio.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

namespace mailtight::tests {

using namespace std::chrono_literals;

struct set_clock final : base::clock {
    std::chrono::seconds off{};
    base::utc_seconds now() const override { return base::system_clock().now() + off; }
};

/// Knows whose the zone is, as a resolver of the open would.
class zone_resolver final : public fixed_resolver {
public:
    std::string zone = "example.com";
    std::vector<std::string> servers{"ns1.example.net"};
    std::map<std::string, std::string> aliases;
    io::task<model::dns_fact> soa(std::string name) override {
        model::dns_fact fact;
        const bool known = name == zone || name.ends_with("." + zone);
        fact.status = known ? model::dns_status::ok : model::dns_status::nx_domain;
        fact.name = known ? zone : name;
        co_return fact;
    }
    io::task<model::ns_fact> ns(std::string name) override {
        model::ns_fact fact;
        fact.status = name == zone ? model::dns_status::ok : model::dns_status::no_data;
        fact.hosts = servers;
        co_return fact;
    }
    io::task<model::dns_fact> cname(std::string name) override {
        model::dns_fact fact;
        const auto found = aliases.find(name);
        fact.status = found == aliases.end() ? model::dns_status::no_data : model::dns_status::ok;
        if (found != aliases.end())
            fact.chain = {found->second};
        co_return fact;
    }
};

inline constexpr const char* plain_zone = R"($ORIGIN example.com.
$TTL 300
@ IN SOA ns1.example.net. hostmaster.example.com. 10 3600 600 1209600 60
@ IN NS ns1.example.net.
@ IN MX 10 mx.example.com.
mx IN A 192.0.2.25
www IN A 192.0.2.80
)";

struct push_world {
    explicit push_world(software kind, const std::string& more = "", bool with_second = false,
                        bool asleep = false, bool only_our_names = false)
        : port(free_port({"127.0.0.1", "127.0.0.2"}))
        , primary({.kind = kind,
                   .port = port,
                   .secondaries = with_second && !asleep ? std::vector<std::string>{"127.0.0.2"}
                                                         : std::vector<std::string>{},
                   .only_our_names = only_our_names,
                   .content = plain_zone + more}) {
        primary.start();
        dns.hosts["ns1.example.net"] = {base::ip_address::parse("127.0.0.1").value()};
        if (with_second) {
            server_wish wish{.address = "127.0.0.2", .port = port};
            // Always Knot: BIND listens only on addresses that an interface has. Asleep, it has a copy of its
            // own.
            if (asleep)
                wish.content = plain_zone + more;
            else
                wish.primary = "127.0.0.1";
            second = std::make_unique<name_server>(wish);
            second->start();
            dns.servers.emplace_back("ns2.example.net");
            dns.hosts["ns2.example.net"] = {base::ip_address::parse("127.0.0.2").value()};
        }
    }

    publish::update_server server(const char* key = name_server::key_256) const {
        publish::update_server to;
        to.name = "primary";
        to.address = via.value_or(primary.at());
        if (*key != '\0')
            to.key = wire::parse_tsig_key(key).value();
        return to;
    }
    publish::pushed push(std::vector<plan::record_change> changes, const char* key = name_server::key_256) {
        return push_to(server(key), std::move(changes));
    }
    publish::pushed push_to(publish::update_server to, std::vector<plan::record_change> changes) {
        publish::dns_pusher pusher(loop, dns, guard, clock, port, patience, wait_for_others);
        return loop.block_on(pusher.push(std::move(to), std::move(changes)));
    }
    model::server_answer ask(const std::string& name, const std::string& type = "TXT",
                             const std::string& address = "127.0.0.1") {
        return loop.block_on(
            io::ask_server(loop, {base::ip_address::parse(address).value(), port}, name, type, 2s));
    }
    std::vector<std::string> texts(const std::string& name) { return ask(name).texts; }
    std::string serial() {
        const auto soa = ask("example.com", "SOA").texts;
        return soa.empty() ? "" : soa.front();
    }
    /// What somebody else does, with nsupdate.
    void others(const std::string& commands) const {
        const auto root = nameserver_tree();
        const std::string key = name_server::key_256;
        const auto secret = key.substr(key.rfind(':') + 1);
        const auto done = io::run_command(
            {"env", "LD_LIBRARY_PATH=" + root + "/usr/lib/" + MAILTIGHT_LIBRARY_ARCHITECTURE,
             root + "/usr/bin/nsupdate", "-y", "hmac-sha256:push.example.com:" + secret},
            fmt::format("server 127.0.0.1 {}\nzone example.com.\n{}\nsend\n", port, commands), 10s, 4096);
        EXPECT_EQ(done.exit_status, 0) << done.error << done.said << done.wrote;
    }

    io::loop loop;
    zone_resolver dns;
    base::address_guard guard{{base::ip_network::parse("127.0.0.0/8").value()}};
    set_clock clock;
    std::chrono::milliseconds patience = 5s, wait_for_others = 5s;
    std::uint16_t port;
    name_server primary;
    std::unique_ptr<name_server> second;
    std::optional<io::endpoint> via; ///< a proxy
};

/// Stands between pusher and server, and does to each update what a test says.
class update_proxy {
public:
    enum class deed { pass, lose_request, lose_reply, forge_reply };
    using decide = std::function<deed(unsigned number)>; ///< of the update, from 1

    update_proxy(io::endpoint to, decide each)
        : to_(to)
        , each_(std::move(each))
        , acceptor_(context_, {boost::asio::ip::make_address("127.0.0.1"), 0})
        , thread_([this] { serve(); }) {}
    ~update_proxy() {
        over_ = true;
        boost::system::error_code ignored; // wakes accept()
        boost::asio::ip::tcp::socket(context_).connect(acceptor_.local_endpoint(), ignored);
        thread_.join();
    }
    io::endpoint at() const {
        return {base::ip_address::parse("127.0.0.1").value(), acceptor_.local_endpoint().port()};
    }
    unsigned updates() const { return updates_; }

private:
    using socket = boost::asio::ip::tcp::socket;
    using code = boost::system::error_code;
    static std::string read(socket& from, code& error) {
        std::array<unsigned char, 2> size{};
        boost::asio::read(from, boost::asio::buffer(size), error);
        std::string bytes(static_cast<std::size_t>(size[0] << 8 | size[1]), '\0');
        if (!error)
            boost::asio::read(from, boost::asio::buffer(bytes), error);
        return bytes;
    }
    static void write(socket& to, const std::string& bytes, code& error) {
        const std::string out =
            std::string{static_cast<char>(bytes.size() >> 8 & 0xff), static_cast<char>(bytes.size() & 0xff)} +
            bytes;
        boost::asio::write(to, boost::asio::buffer(out), error);
    }
    void serve() {
        for (;;) {
            code error;
            auto peer = acceptor_.accept(error);
            if (over_)
                return;
            talk(std::move(peer));
        }
    }
    void talk(socket peer) {
        code error;
        for (;;) {
            const auto request = read(peer, error);
            if (error)
                return;
            const bool update = (request[2] & 0x78) == 0x28;
            const auto what = update ? each_(++updates_) : deed::pass;
            if (what == deed::lose_request)
                return;
            socket server(context_);
            server.connect({boost::asio::ip::make_address(to_.address.to_string()), to_.port}, error);
            write(server, request, error);
            auto reply = read(server, error);
            if (error || what == deed::lose_reply)
                return;
            if (what == deed::forge_reply)
                reply[3] = static_cast<char>(reply[3] ^ 5); // another code
            write(peer, reply, error);
        }
    }

    io::endpoint to_;
    decide each_;
    boost::asio::io_context context_;
    boost::asio::ip::tcp::acceptor acceptor_;
    std::atomic<bool> over_ = false;
    std::atomic<unsigned> updates_ = 0;
    std::thread thread_;
};

inline plan::record_change text_change(std::string name, std::vector<std::string> add,
                                       std::vector<std::string> remove = {}, std::uint32_t ttl = 300) {
    return {std::move(name), "TXT", std::move(add), std::move(remove), ttl};
}

} // namespace mailtight::tests
