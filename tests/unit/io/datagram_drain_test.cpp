// SPDX-License-Identifier: Apache-2.0
// The drain with real sockets: what the kernel accepted arrives, once, whole and in order.
#include "io/datagram_drain.h"
#include "support/scratch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <mutex>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace mailtight;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

sockaddr_un address_of(const std::string& path) {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    path.copy(to.sun_path, sizeof to.sun_path - 1);
    return to;
}

/// Sends as libtlsrpt does: unbound, without waiting.
class sender {
public:
    explicit sender(std::string path)
        : path_(std::move(path))
        , socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {}
    ~sender() { ::close(socket_); }
    sender(const sender&) = delete;
    sender& operator=(const sender&) = delete;
    /// 0, or the error: EAGAIN where the queue is full.
    int send(std::string_view bytes, int flags = MSG_DONTWAIT) const {
        const auto to = address_of(path_);
        const auto put = ::sendto(socket_, bytes.data(), bytes.size(), flags | MSG_NOSIGNAL,
                                  reinterpret_cast<const sockaddr*>(&to), sizeof to);
        return put == static_cast<ssize_t>(bytes.size()) ? 0 : errno;
    }
    void buffer(int bytes) const { ::setsockopt(socket_, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes); }

private:
    std::string path_;
    int socket_;
};

/// What a drain handed over.
struct taken {
    std::mutex guard;
    std::vector<std::string> datagrams;
    std::atomic<std::size_t> count = 0, beats = 0;

    std::function<void(std::string_view)> take() {
        return [this](std::string_view one) {
            const std::lock_guard held(guard);
            datagrams.emplace_back(one);
            ++count;
        };
    }
    std::function<void()> beat() {
        return [this] { ++beats; };
    }
    std::vector<std::string> all() {
        const std::lock_guard held(guard);
        return datagrams;
    }
};

bool eventually(const std::function<bool()>& so, std::chrono::milliseconds patience = 20s) {
    for (const auto until = std::chrono::steady_clock::now() + patience; !so();) {
        if (std::chrono::steady_clock::now() >= until)
            return false;
        std::this_thread::sleep_for(1ms);
    }
    return true;
}

std::unique_ptr<io::datagram_drain> open(taken& into, io::drain_options options) {
    auto opened = io::datagram_drain::open(std::move(options), into.take(), into.beat());
    if (!opened)
        throw std::runtime_error(opened.error());
    return std::move(*opened);
}
std::unique_ptr<io::datagram_drain> open(taken& into, const std::string& path) {
    return open(into, io::drain_options{.path = path});
}

/// In a process of its own, since namespaces, descriptors and the environment belong to it.
int in_child(const std::function<int()>& work) {
    const pid_t child = ::fork();
    if (child == 0)
        ::_exit(work());
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(DatagramDrain, TakesBytesAsTheyAreInOrder) {
    const tests::scratch_folder folder;
    taken got;
    const auto drain = open(got, folder / "socket");
    const sender from(folder / "socket");
    const std::string odd("\0\xff\xfe\n{\"d\":\"\x80\"}\0", 14);
    for (const auto& one : {std::string("{}"), odd, std::string(), std::string("last")})
        ASSERT_EQ(from.send(one), 0);
    ASSERT_TRUE(eventually([&] { return got.count == 4; }));
    EXPECT_THAT(got.all(), ElementsAre("{}", odd, "", "last"));
    const auto figures = drain->counted();
    EXPECT_EQ(figures.datagrams, 4u);
    EXPECT_EQ(figures.bytes, 2u + odd.size() + 4u);
    EXPECT_EQ(figures.cut, 0u);
    EXPECT_GE(figures.batches, 1u);
}

TEST(DatagramDrain, TakesEverySizeThatTheKernelCarries) {
    const tests::scratch_folder folder;
    taken got;
    const auto drain = open(got, folder / "socket");
    const sender from(folder / "socket");
    std::vector<std::size_t> sizes{1, 305, 4'095, 4'096, 4'097, 65'535, 65'536, 150'000};
    std::size_t largest = 200'000, before = 0; // up to what the sender's buffer holds
    for (std::size_t step = 65'536; step > 0; step /= 2)
        while (from.send(std::string(largest + step, 'x'), 0) == 0)
            largest += step, ++before;
    EXPECT_GE(largest, 200'000u);
    EXPECT_LE(largest, io::drain_options{}.datagram_bytes);
    sizes.push_back(largest);
    ASSERT_TRUE(eventually([&] { return got.count == before; }));
    for (const auto size : sizes)
        ASSERT_EQ(from.send(std::string(size, static_cast<char>('a' + size % 26)), 0), 0) << size;
    ASSERT_TRUE(eventually([&] { return got.count == before + sizes.size(); }));
    const auto all = got.all();
    for (std::size_t i = 0; i < sizes.size(); ++i)
        EXPECT_EQ(all[before + i], std::string(sizes[i], static_cast<char>('a' + sizes[i] % 26)));
    EXPECT_EQ(drain->counted().cut, 0u);
}

TEST(DatagramDrain, WhatIsCutIsCountedAndNotHandedOver) {
    const tests::scratch_folder folder;
    taken got;
    const auto drain = open(got, io::drain_options{.path = folder / "socket", .datagram_bytes = 1'000});
    const sender from(folder / "socket");
    ASSERT_EQ(from.send(std::string(1'001, 'x')), 0);
    ASSERT_EQ(from.send(std::string(1'000, 'y')), 0);
    ASSERT_EQ(from.send(std::string(100'000, 'z')), 0);
    ASSERT_EQ(from.send("end"), 0);
    ASSERT_TRUE(eventually([&] { return got.count == 2; }));
    EXPECT_THAT(got.all(), ElementsAre(std::string(1'000, 'y'), "end"));
    EXPECT_EQ(drain->counted().cut, 2u);
    EXPECT_EQ(drain->counted().datagrams, 4u);
}

TEST(DatagramDrain, BeatsWhileTheyComeAndOnceAfterwards) {
    const tests::scratch_folder folder;
    taken got;
    std::atomic<std::size_t> at_beat = 0;
    auto opened = io::datagram_drain::open({.path = folder / "socket", .hand_over = 20ms}, got.take(), [&] {
        at_beat = got.count.load();
        ++got.beats;
    });
    ASSERT_TRUE(opened) << opened.error();
    const sender from(folder / "socket");
    std::this_thread::sleep_for(60ms);
    EXPECT_EQ(got.beats, 0u) << "nothing came yet";
    std::size_t sent = 0;
    const auto begun = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() < begun + 300ms)
        sent += from.send("x", 0) == 0 ? 1 : 0;
    ASSERT_TRUE(eventually([&] { return at_beat == sent; })) << "the last ones are told of too";
    const auto beats = got.beats.load();
    const auto took = std::chrono::steady_clock::now() - begun;
    EXPECT_GE(beats, 2u) << "while datagrams come";
    EXPECT_LE(beats, static_cast<std::size_t>(took / 20ms) + 2) << "not after each";
    std::this_thread::sleep_for(100ms);
    EXPECT_EQ(got.beats, beats) << "silence is told of once";
    (*opened).reset();
    EXPECT_EQ(got.beats, beats) << "nothing came since";
}

// The network namespace is where a queue's length comes from. A test without the right to make one has the
// machine's.
bool in_namespace_of(int queue_length) {
    if (::unshare(CLONE_NEWNET) != 0)
        return false;
    std::ofstream out("/proc/sys/net/unix/max_dgram_qlen");
    out << queue_length << std::flush;
    return out.good();
}

struct burst_outcome {
    std::uint64_t accepted = 0, taken = 0, was_full = 0, refused = 0;
    std::size_t queue_length = 0;
};
burst_outcome burst(int size, bool patient, std::chrono::microseconds slow = {}) {
    const tests::scratch_folder folder;
    taken got;
    auto take = got.take();
    burst_outcome outcome;
    std::unique_ptr<io::datagram_drain> drain;
    if (auto opened = io::datagram_drain::open(
            {.path = folder / "socket"},
            [&](std::string_view one) {
                if (slow.count() > 0)
                    std::this_thread::sleep_for(slow);
                take(one);
            },
            got.beat()))
        drain = std::move(*opened);
    else
        return outcome;
    for (int i = 0; i < size; ++i) {
        // One socket each, as Postfix does: what a sender's own buffer holds is not the queue's length.
        const sender from(folder / "socket");
        const int error = from.send(std::to_string(i), patient ? 0 : MSG_DONTWAIT);
        (error == 0 ? outcome.accepted : outcome.refused) += 1;
    }
    if (!eventually([&] { return got.count >= outcome.accepted; }))
        return outcome;
    const auto figures = drain->counted();
    outcome.queue_length = figures.queue_length;
    outcome.was_full = figures.queue_was_full;
    drain.reset();
    outcome.taken = got.count;
    return outcome;
}

TEST(DatagramDrain, ABurstIsTakenWholeAtEveryQueueLength) {
    for (const int queue : {10, 512}) {
        const int status = in_child([queue] {
            const bool own = in_namespace_of(queue);
            for (const int size : {12, 25, 50, 100, 500}) {
                const auto patient = burst(size, true);
                if (patient.taken != static_cast<std::uint64_t>(size) || patient.refused != 0 ||
                    (own && patient.queue_length != static_cast<std::size_t>(queue)))
                    return 10;
                const auto hasty = burst(size, false);
                if (hasty.taken != hasty.accepted) // the kernel's refusals are the sender's to see, no more
                    return 20;
                if (own && size <= queue && hasty.refused != 0)
                    return 30;
            }
            return 0;
        });
        EXPECT_EQ(status, 0) << "queue length " << queue;
    }
}

TEST(DatagramDrain, AFullQueueIsSeen) {
    const int status = in_child([] {
        if (!in_namespace_of(10))
            return 77;
        const auto slow = burst(200, false, 1ms);
        if (slow.refused == 0 || slow.was_full == 0 || slow.taken != slow.accepted)
            return 1;
        const auto room = burst(5, false);
        return room.was_full == 0 && room.refused == 0 ? 0 : 2;
    });
    if (status == 77)
        GTEST_SKIP() << "needs a network namespace of its own";
    EXPECT_EQ(status, 0);
}

TEST(DatagramDrain, SendersComeAndGo) {
    const tests::scratch_folder folder;
    taken got;
    const auto drain = open(got, folder / "socket");
    constexpr int senders = 8, each = 500;
    std::vector<std::thread> threads;
    for (int who = 0; who < senders; ++who)
        threads.emplace_back([&, who] {
            for (int i = 0; i < each; ++i)
                while (sender(folder / "socket").send(std::to_string(who * each + i), 0) != 0)
                    std::this_thread::yield();
        });
    for (auto& one : threads)
        one.join();
    ASSERT_TRUE(eventually([&] { return got.count == senders * each; }));
    auto all = got.all();
    std::ranges::sort(all);
    EXPECT_EQ(std::ranges::unique(all).size(), 0u);
}

TEST(DatagramDrain, NothingAcceptedIsLostAtTheEnd) {
    const tests::scratch_folder folder;
    for (int round = 0; round < 20; ++round) {
        taken got;
        auto drain = open(got, folder / "socket");
        std::atomic<std::uint64_t> accepted = 0;
        std::vector<std::thread> threads;
        for (int who = 0; who < 3; ++who)
            threads.emplace_back([&] {
                const sender from(folder / "socket");
                // Until it is told that nobody listens.
                for (int error = 0; error == 0 || error == EAGAIN;) {
                    error = from.send("{\"dpv\":\"1\"}");
                    accepted += error == 0 ? 1 : 0;
                }
            });
        std::this_thread::sleep_for(std::chrono::milliseconds(1 + round));
        drain.reset();
        for (auto& one : threads)
            one.join();
        EXPECT_EQ(got.count, accepted) << "round " << round;
        EXPECT_GT(accepted, 0u);
    }
}

TEST(DatagramDrain, TheFileIsAsAskedAndGoesWithIt) {
    const tests::scratch_folder folder;
    const auto path = folder / "run/deeper/socket";
    taken got;
    auto drain = open(got, io::drain_options{.path = path,
                                             .permissions = 0666,
                                             .owner = std::to_string(::getuid()),
                                             .group = std::to_string(::getgid())});
    struct stat found{};
    ASSERT_EQ(::lstat(path.c_str(), &found), 0);
    EXPECT_TRUE(S_ISSOCK(found.st_mode));
    EXPECT_EQ(found.st_mode & 07777u, 0666u);
    EXPECT_EQ(found.st_uid, ::getuid());
    EXPECT_EQ(found.st_gid, ::getgid());
    EXPECT_EQ(drain->path(), path);
    ASSERT_EQ(::stat((folder / "run/deeper").c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777u, 0755u) << "those who send must reach it";
    drain.reset();
    EXPECT_NE(::lstat(path.c_str(), &found), 0);
}

TEST(DatagramDrain, AStaleFileIsReplaced) {
    const tests::scratch_folder folder;
    const auto path = folder / "socket";
    EXPECT_EQ(in_child([&] {
                  taken got;
                  return io::datagram_drain::open({.path = path}, got.take(), got.beat()) ? (::_exit(0), 0)
                                                                                          : 1;
              }),
              0);
    EXPECT_TRUE(std::filesystem::exists(path)) << "it was killed";
    taken got;
    const auto drain = open(got, path);
    EXPECT_EQ(sender(path).send("x"), 0);
    EXPECT_TRUE(eventually([&] { return got.count == 1; }));
}

TEST(DatagramDrain, WhatIsNotOursIsLeftAlone) {
    const tests::scratch_folder folder;
    taken got, second;
    const auto refusal = [&](io::drain_options options) {
        auto opened = io::datagram_drain::open(std::move(options), second.take(), second.beat());
        return opened ? "" : opened.error();
    };
    auto drain = open(got, folder / "socket");
    EXPECT_THAT(refusal({.path = folder / "socket"}), HasSubstr("another program takes them there"));
    EXPECT_EQ(sender(folder / "socket").send("x"), 0);
    EXPECT_TRUE(eventually([&] { return got.count == 1; })) << "who was there first still is";

    std::ofstream(folder / "file") << "kept";
    EXPECT_THAT(refusal({.path = folder / "file"}), HasSubstr("File exists"));
    EXPECT_EQ(std::filesystem::file_size(folder / "file"), 4u);
    EXPECT_THAT(refusal({.path = folder / "file/socket"}), HasSubstr("Not a directory"));
    EXPECT_THAT(refusal({.path = ""}), HasSubstr("absolute path"));
    EXPECT_THAT(refusal({.path = "relative"}), HasSubstr("absolute path"));
    EXPECT_THAT(refusal({.path = "/" + std::string(107, 'x')}),
                HasSubstr("at most 107 bytes, this one has 108"));
    EXPECT_THAT(refusal({.path = folder / "mine", .owner = "no-such-user-here"}),
                HasSubstr("there is no user \"no-such-user-here\""));
    EXPECT_THAT(refusal({.path = folder / "mine", .group = "no-such-group-here"}),
                HasSubstr("there is no group \"no-such-group-here\""));
    EXPECT_FALSE(std::filesystem::exists(folder / "mine")) << "nothing is left of what failed";

    // A file that somebody else has put in its place meanwhile is theirs.
    std::filesystem::remove(folder / "socket");
    std::ofstream(folder / "socket") << "theirs";
    drain.reset();
    EXPECT_TRUE(std::filesystem::exists(folder / "socket"));
}

int bound(const std::string& path) {
    const int made = ::socket(AF_UNIX, SOCK_DGRAM, 0);
    const auto to = address_of(path);
    return ::bind(made, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0 ? made : -1;
}

TEST(DatagramDrain, TakesOverADescriptor) {
    const tests::scratch_folder folder;
    taken got;
    const int handed = bound(folder / "socket");
    ASSERT_GE(handed, 0);
    const int kept = ::dup(handed); // as the service manager keeps it
    ASSERT_EQ(sender(folder / "socket").send("before"), 0);
    auto drain = open(got, io::drain_options{.inherited = handed});
    EXPECT_EQ(drain->path(), folder / "socket");
    ASSERT_TRUE(eventually([&] { return got.count == 1; }));
    drain.reset();
    EXPECT_TRUE(std::filesystem::exists(folder / "socket"));
    EXPECT_EQ(sender(folder / "socket").send("between"), 0) << "it waits for the next";
    auto next = open(got, io::drain_options{.inherited = kept});
    ASSERT_TRUE(eventually([&] { return got.count == 2; }));
    EXPECT_THAT(got.all(), ElementsAre("before", "between"));

    const int stream = ::socket(AF_UNIX, SOCK_STREAM, 0);
    EXPECT_FALSE(io::datagram_drain::open({.inherited = stream}, got.take(), got.beat()));
    ::close(stream);
    EXPECT_FALSE(io::datagram_drain::open({.inherited = 9'999}, got.take(), got.beat()));
}

TEST(DatagramDrain, FindsTheSocketOfTheServiceManager) {
    const tests::scratch_folder folder;
    EXPECT_EQ(in_child([&] {
                  const int handed = bound(folder / "socket");
                  if (handed < 0 || (handed != 3 && ::dup2(handed, 3) != 3))
                      return 1;
                  ::setenv("LISTEN_FDS", "1", 1);
                  ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
                  taken got;
                  auto opened = io::datagram_drain::open({.path = folder / "socket"}, got.take(), got.beat());
                  if (!opened || sender(folder / "socket").send("x") != 0)
                      return 2;
                  if (!eventually([&] { return got.count == 1; }))
                      return 3;
                  opened->reset();
                  return std::filesystem::exists(folder / "socket") ? 0 : 4;
              }),
              0);
}

TEST(DatagramDrain, LinesOfSyslogComeAsTheyAre) {
    const tests::scratch_folder folder;
    taken got;
    const auto drain = open(got, io::drain_options{.path = folder / "log", .permissions = 0666});
    const sender from(folder / "log");
    const std::string line = "<22>Nov 22 07:00:00 postfix/smtp[4711]: Trusted TLS connection established";
    ASSERT_EQ(from.send(line), 0);
    ASSERT_TRUE(eventually([&] { return got.count == 1; }));
    EXPECT_THAT(got.all(), ElementsAre(line));
}

} // namespace
