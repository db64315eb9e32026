// SPDX-License-Identifier: Apache-2.0
// A whole daemon in this process, over unix sockets in a folder of its own.
#pragma once

#include "app/control_client.h"
#include "app/daemon.h"
#include "app/store_access.h"
#include "support/scratch.h"
#include "wire/smtp_client.h"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <cstring>
#include <thread>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace mailtight::app {

class running : public testing::Test {
protected:
    void SetUp() override {
        common_.set.store_where = folder_ + "/store.db";
        common_.set.control_socket = folder_ + "/control.sock";
        common_.set.lmtp_listen = {"unix:" + folder_ + "/lmtp.sock"};
        common_.set.plain_listen = {"unix:" + folder_ + "/http.sock"};
        common_.set.dns_servers = {"127.0.0.1:1"};
        common_.set.dns_timeout = std::chrono::milliseconds(100);
        common_.set.domains = {"example.com"};
        common_.set.mailboxes = {"tls-report@reports.example.com"};
        common_.set.log_level = "error";
        common_.set.web_listen.clear(); // one port for all tests would be too few
        fresh_ = common_.set;
        common_.read_again = [this] { return fresh_; };
    }
    void TearDown() override {
        if (thread_.joinable())
            end();
    }
    void begin() {
        auto made = daemon::make(common_);
        ASSERT_TRUE(made) << made.error();
        daemon_ = std::move(*made);
        thread_ = std::thread([this] { status_ = daemon_->run(); });
        int tries = 0;
        while (!ask("/status") && ++tries < 3'000) // generous: the machine may be busy
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        ASSERT_LT(tries, 3'000) << "the daemon does not answer";
    }
    void end() {
        ::kill(::getpid(), SIGTERM);
        thread_.join();
        daemon_.reset();
    }
    std::expected<boost::json::value, control_error>
    ask(const std::string& path, const std::string& body = {}, const std::string& method = "GET") {
        io::loop loop;
        return call_daemon(loop, common_.set, path, body, method);
    }
    /// To the report site instead of the control socket.
    std::expected<boost::json::value, control_error> post(const std::string& path, const std::string& body) {
        settings to = common_.set;
        to.control_socket = folder_ + "/http.sock";
        io::loop loop;
        return call_daemon(loop, to, path, body, "POST");
    }
    /// What `status` shows of alarms, as soon as there is one.
    std::string alarms() {
        for (int i = 0; i < 400; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
            const auto status = ask("/status");
            if (!status || status->at("alarms").as_array().empty())
                continue;
            return boost::json::serialize(status->at("alarms"));
        }
        return "";
    }
    std::string token(const std::string& domain) {
        auto from = open_to_ask(common_.set);
        EXPECT_TRUE(from);
        const auto all = (*from)->domains();
        for (const auto& one : *all)
            if (one.name == domain)
                return one.token;
        return "";
    }
    std::uint64_t sessions(const std::string& domain) {
        auto from = open_to_ask(common_.set);
        EXPECT_TRUE(from);
        std::uint64_t sum = 0;
        store::filter about;
        about.domains = {domain};
        const auto rows = (*from)->days(about);
        for (const auto& row : *rows)
            sum += row.success;
        return sum;
    }
    wire::smtp_client_outcome mail(const std::string& recipient, const std::string& message) {
        wire::smtp_client client({.lmtp = true, .helo = "mx.example.org", .start_tls = false},
                                 {.sender = "a@google.com", .recipients = {recipient}, .message = message});
        const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
        sockaddr_un to{};
        to.sun_family = AF_UNIX;
        std::strncpy(to.sun_path, (folder_ + "/lmtp.sock").c_str(), sizeof to.sun_path - 1);
        EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
        for (;;) {
            const auto step = client.step();
            const std::string out = client.output();
            if (!out.empty())
                EXPECT_EQ(::send(fd, out.data(), out.size(), MSG_NOSIGNAL), static_cast<ssize_t>(out.size()));
            if (step == wire::smtp_client_step::done)
                break;
            if (step != wire::smtp_client_step::need_bytes)
                continue;
            char bytes[4096];
            const auto got = ::recv(fd, bytes, sizeof bytes, 0);
            if (got <= 0) {
                client.connection_lost("closed");
                break;
            }
            client.feed({bytes, static_cast<std::size_t>(got)});
        }
        ::close(fd);
        return client.outcome();
    }

    const tests::scratch_folder scratch_;
    const std::string folder_ = scratch_.path().string();
    common_options common_;
    settings fresh_;
    std::unique_ptr<daemon> daemon_;
    std::thread thread_;
    std::atomic<int> status_ = -1;
};

} // namespace mailtight::app
