// SPDX-License-Identifier: Apache-2.0
// `check --wait`, interrupted while a look is under way: the name server never answers.
#include "app/app.h"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace mailtight::tests {
namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

/// Takes questions, and says nothing.
class mute_name_server {
public:
    mute_name_server()
        : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof at;
        auto* const any = reinterpret_cast<sockaddr*>(&at);
        if (::bind(socket_, any, size) == 0 && ::getsockname(socket_, any, &size) == 0)
            port_ = ntohs(at.sin_port);
    }
    ~mute_name_server() { ::close(socket_); }
    mute_name_server(const mute_name_server&) = delete;
    mute_name_server& operator=(const mute_name_server&) = delete;
    std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
    bool asked_within(std::chrono::milliseconds time) const {
        pollfd waits{.fd = socket_, .events = POLLIN, .revents = 0};
        return ::poll(&waits, 1, static_cast<int>(time.count())) == 1;
    }

private:
    int socket_;
    std::uint16_t port_ = 0;
};

/// A process with the words as its command line, without anything to read or to write to.
pid_t start(std::vector<std::string> words) {
    std::fflush(nullptr);
    const pid_t child = ::fork();
    if (child != 0)
        return child;
    const int nowhere = ::open("/dev/null", O_RDWR);
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        ::dup2(nowhere, fd);
    std::vector<char*> raw;
    for (auto& word : words)
        raw.push_back(word.data());
    ::_exit(app::run(static_cast<int>(raw.size()), raw.data()));
}

TEST(check_wait, ends_at_once_when_it_is_interrupted) {
    for (const char* mode : {"forwarding", "validating"})
        for (const bool json : {false, true}) {
            const mute_name_server server;
            std::vector<std::string> words{
                "mailtight",  "check", "--wait",        "--resolver", server.address(),
                "--dns-mode", mode,    "--dns-timeout", "60s",        "example.com"};
            if (json)
                words.emplace_back("--json");
            const pid_t child = start(std::move(words));
            EXPECT_TRUE(server.asked_within(20s)) << "the look is under way";
            const auto begun = steady::now();
            ::kill(child, SIGINT);
            int status = 0;
            while (::waitpid(child, &status, WNOHANG) == 0 && steady::now() - begun < 20s)
                std::this_thread::sleep_for(10ms);
            const auto took = steady::now() - begun;
            ::kill(child, SIGKILL);
            EXPECT_LT(took, 5s) << "far from the time of a question; a second on a machine that is not busy";
            EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT)
                << mode << ": a shell says 130; status " << status;
        }
}

TEST(check_wait, its_limit_is_no_success) {
    const mute_name_server server;
    const auto begun = steady::now();
    const pid_t child =
        start({"mailtight", "check", "--wait", "--wait-limit", "1s", "--resolver", server.address(),
               "--dns-mode", "forwarding", "--dns-timeout", "100ms", "example.com"});
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 1) << status;
    EXPECT_GE(steady::now() - begun, 1s);
}

} // namespace
} // namespace mailtight::tests
