// SPDX-License-Identifier: Apache-2.0
// Datagrams from the socket's thread to the loop: all of them arrive, and the buffers go round.
#include "app/drained_input.h"

#include "support/scratch.h"

#include <gtest/gtest.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

namespace mailtight::app {
namespace {

using namespace std::chrono_literals;

struct counted_buffer {
    static inline std::atomic<int> made = 0;
    std::vector<std::string> all;
    counted_buffer() { ++made; }
    bool add(std::string_view one) {
        if (all.size() == 10)
            return false;
        all.emplace_back(one);
        return true;
    }
    bool empty() const { return all.empty(); }
};

class sending_socket {
public:
    explicit sending_socket(const std::string& path)
        : fd_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
        to_.sun_family = AF_UNIX;
        std::strncpy(to_.sun_path, path.c_str(), sizeof to_.sun_path - 1);
    }
    ~sending_socket() { ::close(fd_); }
    sending_socket(const sending_socket&) = delete;
    sending_socket& operator=(const sending_socket&) = delete;
    void send(const std::string& what) {
        ASSERT_EQ(
            ::sendto(fd_, what.data(), what.size(), 0, reinterpret_cast<const sockaddr*>(&to_), sizeof to_),
            static_cast<ssize_t>(what.size()))
            << std::strerror(errno);
    }

private:
    int fd_;
    sockaddr_un to_{};
};

TEST(drained_input, makes_no_buffers_once_it_runs) {
    const tests::scratch_folder folder;
    io::loop loop;
    std::vector<std::string> got;
    std::vector<counted_buffer> read; // as the collector keeps what it has read
    int rounds = 0;
    io::drain_options options;
    options.path = (folder.path() / "in.sock").string();
    options.hand_over = 1ms;
    auto input = drained_input<counted_buffer>::open(loop, options, [&](counted_buffer full) {
        ++rounds;
        got.insert(got.end(), full.all.begin(), full.all.end());
        full.all.clear();
        read.push_back(std::move(full));
        if (read.size() < 2)
            return counted_buffer();
        auto spare = std::move(read.front());
        read.erase(read.begin());
        return spare;
    });
    ASSERT_TRUE(input) << input.error();
    sending_socket out(options.path);
    constexpr int datagrams = 2'000;
    std::vector<std::string> sent;
    const auto arrive = [&] {
        loop.block_on([](io::loop& on, const std::vector<std::string>& have, std::size_t want) -> io::task<> {
            for (const auto until = on.now() + 20s; have.size() < want && on.now() < until;)
                co_await on.sleep_for(1ms);
        }(loop, got, sent.size()));
    };
    for (int i = 0; i < datagrams; ++i) {
        sent.push_back(std::to_string(i));
        out.send(sent.back());
        if (i % 5 == 0)
            arrive();
    }
    arrive();
    (*input)->close();
    EXPECT_EQ(got, sent);
    EXPECT_GT(rounds, datagrams / 10 - 1);
    EXPECT_LE(counted_buffer::made, 6) << "in " << rounds << " rounds";
}

} // namespace
} // namespace mailtight::app
