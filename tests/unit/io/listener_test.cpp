// SPDX-License-Identifier: Apache-2.0
// Listeners with real sockets: who connects, how many may, and what survives.
#include "io/server.h"
#include "support/scratch.h"
#include "support/sockets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <future>
#include <thread>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

using namespace mailtight;
using namespace std::chrono_literals;
using testing::HasSubstr;
using tests::eventually;
using tests::raw_client;

namespace {

io::listen_address at(std::string_view text) {
    auto parsed = io::parse_listen_address(text, 0);
    if (!parsed)
        throw std::runtime_error(parsed.error());
    return *parsed;
}

/// Greets with the peer's name, then echoes until the peer ends.
io::listener::handler echo(io::loop& on) {
    return [&on](std::unique_ptr<io::stream> connection, io::peer who) -> io::task<> {
        co_await connection->write_all(who.to_string() + "\n", on.now() + 20s);
        for (;;) {
            auto got = co_await connection->read_some(1'000, on.now() + 20s);
            if (got.status != io::io_status::ok)
                co_return;
            co_await connection->write_all(std::move(got.bytes), on.now() + 20s);
        }
    };
}

std::unique_ptr<io::listener> open(io::loop& on, std::string_view where, io::listener_options options = {}) {
    auto opened = io::listen(on, at(where), options, echo(on));
    if (!opened)
        throw std::runtime_error(opened.error());
    return std::move(*opened);
}

/// Runs blocking client code beside the loop.
template<class Work>
auto beside(io::loop& on, Work work) {
    auto result = std::async(std::launch::async, std::move(work));
    EXPECT_TRUE(eventually(on, [&] { return result.wait_for(0s) == std::future_status::ready; }, 60s));
    return result.get();
}

TEST(ListenAddress, Good) {
    struct row {
        const char* text;
        const char* reads;
    };
    for (const auto& [text, reads] : {
             row{"127.0.0.1:8025", "127.0.0.1:8025"},
             row{"127.0.0.1", "127.0.0.1:443"},
             row{"[::1]:8025", "[::1]:8025"},
             row{"[::1]", "[::1]:443"},
             row{"::1", "[::1]:443"},
             row{"0.0.0.0:0", "0.0.0.0:0"},
             row{"unix:/run/mailtight/lmtp", "unix:/run/mailtight/lmtp"},
             row{"unix:/run/x,mode=0666", "unix:/run/x,mode=0666"},
             row{"unix:/run/x,mode=0660", "unix:/run/x"},
         }) {
        const auto parsed = io::parse_listen_address(text, 443);
        ASSERT_TRUE(parsed) << text << ": " << parsed.error();
        EXPECT_EQ(parsed->to_string(), reads) << text;
    }
}

TEST(ListenAddress, Bad) {
    struct row {
        const char* text;
        const char* why;
    };
    for (const auto& [text, why] : {
             row{"localhost:25", "a name could mean another address tomorrow"},
             row{"", "nothing"},
             row{":25", "no address"},
             row{"127.0.0.1:", "no port"},
             row{"127.0.0.1:65536", "no such port"},
             row{"127.0.0.1:2 5", "no number"},
             row{"127.0.0.1:-1", "no number"},
             row{"[::1", "no end of the bracket"},
             row{"[::1]25", "no colon"},
             row{"[127.0.0.1]:25", "brackets are for IPv6"},
             row{"fe80::1%eth0", "a zone"},
             row{"unix:relative", "depends on the folder one stands in"},
             row{"unix:", "no path"},
             row{"unix:/run/x,mode=0999", "no octal number"},
             row{"unix:/run/x,mode=01777", "no mode of a socket"},
         })
        EXPECT_FALSE(io::parse_listen_address(text, 443)) << why;
    EXPECT_FALSE(io::parse_listen_address("unix:/" + std::string(107, 'x'), 0))
        << "longer than a kernel takes";
}

TEST(Listener, TellsWhoConnectsOverEitherFamily) {
    io::loop on;
    const auto v4 = open(on, "127.0.0.1:0");
    EXPECT_NE(v4->bound().port, 0);
    const auto v6 = open(on, "[::1]:0");
    const auto texts = beside(on, [p4 = v4->bound().port, p6 = v6->bound().port] {
        return raw_client::tcp(p4).until("\n") + raw_client::tcp(p6, "::1").until("\n");
    });
    EXPECT_THAT(texts, testing::MatchesRegex("127\\.0\\.0\\.1:[0-9]+\n\\[::1\\]:[0-9]+\n"));
}

TEST(Listener, AnIPv6SocketLeavesIPv4Alone) {
    io::loop on;
    const auto v6 = open(on, "[::]:0");
    // The same port is free in the other family, and an IPv4 client does not come in through IPv6.
    EXPECT_FALSE(raw_client::tcp(v6->bound().port).connected());
}

TEST(Listener, TellsWhatIsWrongWithAnAddress) {
    io::loop on;
    const auto first = open(on, "127.0.0.1:0");
    const auto again = io::listen(on, at(first->bound().to_string()), {}, echo(on));
    ASSERT_FALSE(again);
    EXPECT_THAT(again.error(), HasSubstr("another program listens there"));
    const auto foreign = io::listen(on, at("192.0.2.1:0"), {}, echo(on));
    ASSERT_FALSE(foreign);
    EXPECT_THAT(foreign.error(), HasSubstr("no interface"));
}

TEST(Listener, AUnixSocketTellsTheUserAndItsGroups) {
    const tests::scratch_folder folder;
    io::loop on;
    io::peer seen;
    auto opened = io::listen(on, at("unix:" + folder / "s,mode=0606"), {},
                             [&](std::unique_ptr<io::stream> connection, io::peer who) -> io::task<> {
                                 seen = std::move(who);
                                 connection->close();
                                 co_return;
                             });
    ASSERT_TRUE(opened) << opened.error();
    struct stat made{};
    ASSERT_EQ(::stat((folder / "s").c_str(), &made), 0);
    EXPECT_EQ(made.st_mode & 0777, 0606u);
    const auto client = raw_client::local(folder / "s");
    ASSERT_TRUE(eventually(on, [&] { return seen.user.has_value(); }));
    EXPECT_EQ(seen.user->uid, ::geteuid());
    EXPECT_EQ(seen.user->gid, ::getegid());
    EXPECT_EQ(seen.user->pid, ::getpid());
    std::vector<gid_t> mine(static_cast<std::size_t>(::getgroups(0, nullptr)));
    mine.resize(static_cast<std::size_t>(::getgroups(static_cast<int>(mine.size()), mine.data())));
    EXPECT_THAT(seen.user->groups, testing::UnorderedElementsAreArray(mine));
    EXPECT_FALSE(seen.address);

    (*opened)->stop();
    EXPECT_NE(::access((folder / "s").c_str(), F_OK), 0) << "its file goes with it";
}

TEST(Listener, AStaleUnixSocketIsReplacedAndALiveOneIsNot) {
    const tests::scratch_folder folder;
    const auto path = folder / "s";
    { // what a killed daemon leaves behind: the file, and nobody who listens
        const int left = ::socket(AF_UNIX, SOCK_STREAM, 0);
        sockaddr_un local{};
        local.sun_family = AF_UNIX;
        path.copy(local.sun_path, sizeof local.sun_path - 1);
        ASSERT_EQ(::bind(left, reinterpret_cast<sockaddr*>(&local), sizeof local), 0);
        ::close(left);
    }
    io::loop on;
    const auto first = open(on, "unix:" + path);
    const auto second = io::listen(on, at("unix:" + path), {}, echo(on));
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error(), HasSubstr("another program listens there"));
    EXPECT_TRUE(raw_client::local(path).connected()) << "the first is unharmed";

    const auto file = folder / "file";
    std::ofstream(file) << "precious";
    EXPECT_FALSE(io::listen(on, at("unix:" + file), {}, echo(on)));
    EXPECT_TRUE(std::filesystem::is_regular_file(file)) << "only sockets are ever removed";
}

TEST(Listener, KeepsTheFileOfItsSuccessor) {
    const tests::scratch_folder folder;
    const auto path = folder / "s";
    io::loop on;
    auto first = open(on, "unix:" + path);
    std::filesystem::remove(path);
    const auto second = open(on, "unix:" + path);
    first.reset();
    EXPECT_TRUE(raw_client::local(path).connected());
}

TEST(Listener, ClosesAtOnceWhatIsBeyondTheLimits) {
    io::loop on;
    io::listener_options options;
    options.connections = 4;
    options.per_source = 2;
    const auto opened = open(on, "127.0.0.1:0", options);
    const auto port = opened->bound().port;
    const auto greeted = beside(on, [port] {
        std::vector<raw_client> held;
        std::string result;
        auto greet = [&](const char* from) {
            held.push_back(raw_client::tcp(port, "127.0.0.1", from));
            result += held.back().until("\n").empty() ? '-' : '+';
        };
        for (const auto* from :
             {"127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.2", "127.0.0.2", "127.0.0.2", "127.0.0.3"})
            greet(from);
        held[0].close();
        // Its end is seen soon, not at once.
        for (int i = 0; i < 2'000; ++i) {
            auto again = raw_client::tcp(port, "127.0.0.1", "127.0.0.3");
            if (!again.until("\n").empty())
                return result + " then +";
            std::this_thread::sleep_for(5ms);
        }
        return result + " then -";
    });
    EXPECT_EQ(greeted, "++-++-- then +") << "two of a source, four in all, and a place that got free";
    EXPECT_GE(opened->refused(), 3u);
    EXPECT_TRUE(eventually(on, [&] { return opened->open_connections() == 0; }));
}

TEST(Listener, ProxiesHaveNoLimitOfTheirOwn) {
    io::loop on;
    io::listener_options options;
    options.per_source = 1;
    options.unlimited = {*base::ip_network::parse("127.0.0.1")};
    const auto opened = open(on, "127.0.0.1:0", options);
    const auto greeted = beside(on, [port = opened->bound().port] {
        const auto a = raw_client::tcp(port), b = raw_client::tcp(port), c = raw_client::tcp(port);
        return !a.until("\n").empty() && !b.until("\n").empty() && !c.until("\n").empty();
    });
    EXPECT_TRUE(greeted);
}

TEST(Listener, OneHandlersExceptionEndsOneConnection) {
    io::loop on;
    std::string complaint;
    io::listener_options options;
    options.complain = [&](std::string_view what) { complaint = what; };
    int calls = 0;
    auto opened = io::listen(on, at("127.0.0.1:0"), options,
                             [&](std::unique_ptr<io::stream> connection, io::peer) -> io::task<> {
                                 if (++calls == 1)
                                     throw std::runtime_error("as asked");
                                 co_await connection->write_all("second", on.now() + 20s);
                             });
    ASSERT_TRUE(opened);
    const auto texts = beside(on, [port = (*opened)->bound().port] {
        const auto first = raw_client::tcp(port).rest();
        return first + "|" + raw_client::tcp(port).rest();
    });
    EXPECT_EQ(texts, "|second");
    EXPECT_THAT(complaint, HasSubstr("as asked"));
    EXPECT_TRUE(eventually(on, [&] { return (*opened)->open_connections() == 0; }));
}

TEST(Listener, SurvivesTheLackOfDescriptors) {
    io::loop on;
    std::string complaint;
    io::listener_options options;
    options.complain = [&](std::string_view what) { complaint = what; };
    const auto opened = open(on, "127.0.0.1:0", options);
    const auto port = opened->bound().port;
    // One goes all the way first: a sanitizer looks at each new class by a pipe, for which nothing is left
    // later.
    EXPECT_THAT(beside(on, [port] { return raw_client::tcp(port).until("\n"); }), HasSubstr("127.0.0.1"));
    ASSERT_TRUE(eventually(on, [&] { return opened->open_connections() == 0; }));
    const auto client = raw_client::tcp(port); // in the kernel's queue
    ASSERT_TRUE(client.connected());
    std::vector<int> hoard; // every descriptor that is left
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const int top = ::dup(0);
    rlimit small = before;
    small.rlim_cur = static_cast<rlim_t>(top) + 1;
    ::close(top);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &small), 0);
    for (int fd = ::dup(0); fd >= 0; fd = ::dup(0))
        hoard.push_back(fd);
    const bool told = eventually(on, [&] { return !complaint.empty(); });
    for (const int fd : hoard)
        ::close(fd);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_TRUE(told);
    EXPECT_THAT(complaint, HasSubstr("Too many open files"));
    const auto greeting = beside(on, [&] { return client.until("\n"); });
    EXPECT_THAT(greeting, HasSubstr("127.0.0.1")) << "the one who waited is served";
}

TEST(Listener, StopsWhileConnectionsGoOn) {
    io::loop on;
    const auto opened = open(on, "127.0.0.1:0");
    const auto port = opened->bound().port;
    const auto client = raw_client::tcp(port);
    EXPECT_THAT(beside(on, [&] { return client.until("\n"); }), HasSubstr("127.0.0.1"));
    opened->stop();
    opened->stop(); // twice is once
    EXPECT_FALSE(raw_client::tcp(port).connected());
    EXPECT_EQ(beside(on,
                     [&] {
                         client.send("still here");
                         return client.some();
                     }),
              "still here");
    EXPECT_EQ(opened->open_connections(), 1u);
}

TEST(Listener, AcceptsAFloodInTurns) {
    io::loop on;
    io::listener_options options;
    options.per_source = 1'000;
    const auto opened = open(on, "127.0.0.1:0", options);
    std::vector<raw_client> clients;
    for (int i = 0; i < 200; ++i)
        clients.push_back(raw_client::tcp(opened->bound().port));
    EXPECT_TRUE(eventually(on, [&] { return opened->open_connections() == 200; }));
    clients.clear();
    EXPECT_TRUE(eventually(on, [&] { return opened->open_connections() == 0; }));
}

/// Runs in a child, since descriptor 3 and the environment belong to the process.
int child(const std::function<bool()>& works) {
    const pid_t pid = ::fork();
    if (pid == 0)
        ::_exit(works() ? 0 : 1);
    int status = 0;
    ::waitpid(pid, &status, 0);
    return status;
}

TEST(Listener, TakesASocketOfTheServiceManager) {
    const auto adopts = [] {
        sockaddr_in local{};
        local.sin_family = AF_INET;
        local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof local;
        const int handed = ::socket(AF_INET, SOCK_STREAM, 0);
        if (::bind(handed, reinterpret_cast<sockaddr*>(&local), size) != 0 || ::listen(handed, 5) != 0 ||
            ::getsockname(handed, reinterpret_cast<sockaddr*>(&local), &size) != 0)
            return false;
        if (handed != 3) {
            ::dup2(handed, 3);
            ::close(handed);
        }
        ::setenv("LISTEN_FDS", "1", 1);
        ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
        io::loop on;
        const auto address = "127.0.0.1:" + std::to_string(ntohs(local.sin_port));
        const auto taken = io::listen(on, at(address), {}, echo(on));
        // Binding anew would have failed: the port is in use. A second time there is none to take.
        if (!taken || io::listen(on, at(address), {}, echo(on)))
            return false;
        const auto client = raw_client::tcp(ntohs(local.sin_port));
        const bool counted = eventually(on, [&] { return (*taken)->open_connections() == 1; });
        return counted && (::fcntl(3, F_GETFD) & FD_CLOEXEC) != 0 &&
               client.until("\n").starts_with("127.0.0.1:");
    };
    EXPECT_EQ(child(adopts), 0);
}

} // namespace
