// SPDX-License-Identifier: Apache-2.0
// The server of small requests with clients that are slow, many, hostile or gone.
#include "request_sessions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/wait.h>

using namespace mailtight;
using namespace std::chrono_literals;
using testing::HasSubstr;
using tests::beside;
using tests::eventually;
using tests::netstring;
using tests::raw_client;
using tests::scripted_server;

namespace {

/// A TCP connection that can do what raw_client would not: reset, never read, small buffers.
class raw_socket {
public:
    explicit raw_socket(std::uint16_t port, int receive_buffer = 0)
        : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        if (receive_buffer > 0)
            ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0)
            throw std::runtime_error("connect");
        ::fcntl(socket_, F_SETFL, O_NONBLOCK);
    }
    raw_socket(raw_socket&& other) noexcept
        : socket_(std::exchange(other.socket_, -1)) {}
    raw_socket& operator=(raw_socket&&) = delete;
    ~raw_socket() {
        if (socket_ >= 0)
            ::close(socket_);
    }
    /// As much as is taken at once.
    std::size_t send(std::string_view bytes) const {
        const auto put = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        return put > 0 ? static_cast<std::size_t>(put) : 0;
    }
    std::size_t receive() const {
        std::array<char, 65'536> bytes;
        const auto got = ::recv(socket_, bytes.data(), bytes.size(), 0);
        return got > 0 ? static_cast<std::size_t>(got) : 0;
    }
    /// The other side closed, and nothing is left to be read.
    bool ended() const {
        char byte = 0;
        const auto got = ::recv(socket_, &byte, 1, MSG_PEEK);
        return got == 0 || (got < 0 && errno != EAGAIN);
    }
    /// Ends with RST.
    void reset() {
        const linger at_once{1, 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        ::close(std::exchange(socket_, -1));
    }

private:
    int socket_;
};

std::size_t resident() {
    std::size_t pages = 0, mine = 0;
    std::ifstream("/proc/self/statm") >> pages >> mine;
    return mine * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

std::string ask(io::loop& on, const raw_client& client, const std::string& text) {
    return beside(on, [&] {
        client.send(netstring("echo " + text));
        return client.until(",");
    });
}

/// Clients in a process of their own, so that their memory and descriptors are not the server's. It says
/// when `many` are connected, and asks with some of them when it is told.
class crowd {
public:
    crowd(std::uint16_t port, std::size_t first, std::size_t many) {
        if (::pipe2(said_.data(), O_CLOEXEC) != 0 || ::pipe2(told_.data(), O_CLOEXEC) != 0)
            throw std::runtime_error("pipe2");
        pid_ = ::fork();
        if (pid_ == 0)
            ::_exit(run(port, first, many));
    }
    crowd(const crowd&) = delete;
    ~crowd() {
        for (const int end : {said_[0], said_[1], told_[0], told_[1]})
            ::close(end);
        int status = 0;
        ::waitpid(pid_, &status, 0);
    }
    /// What it says next, while the loop runs.
    char says(io::loop& on) const {
        return beside(on, [this] {
            char word = '-';
            return ::read(said_[0], &word, 1) == 1 ? word : '?';
        });
    }
    void tell() const { (void)!::write(told_[1], "g", 1); }

private:
    int run(std::uint16_t port, std::size_t first, std::size_t many) const {
        const auto say = [this](char word) { (void)!::write(said_[1], &word, 1); };
        const auto wait = [this] {
            char word = 0;
            (void)!::read(told_[0], &word, 1);
        };
        std::vector<raw_client> clients;
        clients.reserve(many);
        for (const auto count : {first, many}) {
            while (clients.size() < count) {
                clients.push_back(raw_client::tcp(port));
                if (!clients.back().connected())
                    return say('!'), 1;
            }
            say('c');
            wait();
        }
        bool right = true;
        for (const auto i : {std::size_t{0}, many / 2, many - 1})
            right = clients[i].send(netstring("echo still there")) &&
                    clients[i].until(",") == netstring("still there") && right;
        say(right ? 'y' : 'n');
        wait();
        return 0;
    }
    std::array<int, 2> said_{}, told_{};
    pid_t pid_ = 0;
};

#if defined(__has_feature) && (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
constexpr std::size_t each_at_most = 8'192; // what the sanitizer adds
#else
constexpr std::size_t each_at_most = 1'500;
#endif

TEST(RequestServer, TenThousandIdleClientsCostLittle) {
    constexpr std::size_t first = 500, many = 10'000; // what is allocated once comes with the first
    rlimit files{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
    rlimit more = files;
    more.rlim_cur = std::max<rlim_t>(files.rlim_cur, many + 500);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &more), 0);
    {
        io::loop on;
        scripted_server server(on);
        const crowd clients(server.port(), first, many);
        const auto all_are_in = [&](std::size_t count) {
            return clients.says(on) == 'c' &&
                   eventually(on, [&] { return server.server.open_connections() == count; });
        };
        ASSERT_TRUE(all_are_in(first));
        const auto before = resident();
        clients.tell();
        ASSERT_TRUE(all_are_in(many));
        const auto each = (resident() - before) / (many - first);
        RecordProperty("bytes_of_an_idle_client", static_cast<int>(each));
        EXPECT_LT(each, each_at_most) << "session, link and notes of the test included";
        EXPECT_EQ(server.script.called, 0u);
        clients.tell();
        EXPECT_EQ(clients.says(on), 'y');
        EXPECT_EQ(server.script.called, 3u);
        clients.tell();
        EXPECT_TRUE(eventually(on, [&] { return server.server.open_connections() == 0; }));
        EXPECT_EQ(server.script.alive, 0u);
    }
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &files), 0);
}

TEST(RequestServer, AnIdleClientIsNeverCutOff) {
    io::loop on;
    scripted_server server(on, {.stuck_time = 20ms});
    const auto idle = raw_client::tcp(server.port()), halfway = raw_client::tcp(server.port());
    halfway.send("9:echo");
    on.block_on(on.sleep_for(300ms));
    EXPECT_EQ(server.server.open_connections(), 2u);
    EXPECT_EQ(ask(on, idle, "a"), netstring("a"));
    halfway.send(" tail,");
    EXPECT_EQ(beside(on, [&] { return halfway.until(","); }), netstring("tail"));
}

TEST(RequestServer, WhoNeverReadsIsNotReadFrom) {
    io::loop on;
    scripted_server server(on, {.unsent_bytes = 100'000, .stuck_time = 400ms});
    const raw_socket client(server.port(), 4'096);
    std::size_t sent = 0;
    std::string bytes;
    for (int i = 0; i < 1'000; ++i)
        bytes += netstring("big 9000");
    // Answers of 9 kB to requests of 11 bytes, asked for ever: the server stops reading long before that
    // is much.
    const auto begun = on.now();
    ASSERT_TRUE(eventually(on, [&] {
        sent += client.send(bytes);
        return server.server.open_connections() == 0 && !server.script.peers.empty();
    })) << "and closes who takes nothing";
    EXPECT_GE(on.now() - begun, 400ms);
    EXPECT_EQ(server.script.alive, 0u);
    EXPECT_LT(server.script.called, 3'000u);
    EXPECT_GT(sent, 0u);
}

TEST(RequestServer, WhoReadsSlowlyGetsEverything) {
    io::loop on;
    scripted_server server(on, {.unsent_bytes = 50'000, .stuck_time = 10'000ms});
    const raw_socket client(server.port(), 4'096);
    constexpr std::size_t count = 400;
    const auto one = netstring(std::string(9'000, 'x'));
    std::string bytes;
    for (std::size_t i = 0; i < count; ++i)
        bytes += netstring("big 9000");
    std::string_view left = bytes;
    std::size_t got = 0;
    ASSERT_TRUE(eventually(on, [&] {
        left.remove_prefix(client.send(left));
        got += client.receive();
        return got >= count * one.size();
    }));
    EXPECT_EQ(got, count * one.size());
    EXPECT_TRUE(left.empty());
    EXPECT_EQ(server.server.open_connections(), 1u);
}

// A session that said its last word to somebody who never takes it.
TEST(RequestServer, WhoNeverHearsTheEndIsClosed) {
    io::loop on;
    scripted_server server(on, {.stuck_time = 100ms});
    const raw_socket client(server.port());
    client.send("no netstring");
    ASSERT_TRUE(eventually(
        on, [&] { return !server.script.peers.empty() && server.server.open_connections() == 0; }));
}

TEST(RequestServer, AnAnswerThatWaitsForOneDoesNotHoldTheOthers) {
    io::loop on;
    scripted_server server(on, {.unsent_bytes = 10'000, .stuck_time = 60'000ms});
    const raw_socket stuck(server.port(), 4'096);
    stuck.send(netstring("big 9000000"));
    const auto client = raw_client::tcp(server.port());
    for (int i = 0; i < 50; ++i)
        EXPECT_EQ(ask(on, client, std::to_string(i)), netstring(std::to_string(i)));
}

TEST(RequestServer, ARequestThatNeverEndsIsCutOff) {
    io::loop on;
    scripted_server server(on, {.request_bytes = 5'000});
    const raw_socket client(server.port());
    const std::string endless = "9000:" + std::string(6'000, 'x');
    EXPECT_EQ(client.send(endless), endless.size());
    EXPECT_TRUE(eventually(on, [&] { return client.ended(); }));
    EXPECT_EQ(server.server.open_connections(), 0u);
}

TEST(RequestServer, ARequestMayBeAsLongAsTheLimit) {
    io::loop on;
    const std::string text(4'000, 'y');
    scripted_server server(on, {.request_bytes = netstring("echo " + text).size()});
    const auto client = raw_client::tcp(server.port());
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(ask(on, client, text), netstring(text));
}

// While an answer is under way a long request waits; once that is given it is judged.
TEST(RequestServer, ATooLongRequestBehindAnAnswerIsCutOffAfterIt) {
    io::loop on;
    scripted_server server(on, {.request_bytes = 1'000});
    const auto client = raw_client::tcp(server.port());
    client.send(netstring("later first") + "5000:" + std::string(3'000, 'x'));
    ASSERT_TRUE(eventually(on, [&] { return server.script.owed_now() == 1; }));
    on.block_on(on.sleep_for(20ms));
    EXPECT_EQ(server.server.open_connections(), 1u) << "something is owed";
    server.script.answer_all();
    EXPECT_TRUE(eventually(on, [&] { return server.server.open_connections() == 0; }));
}

TEST(RequestServer, BrokenBytesEndOnlyTheirConnection) {
    io::loop on;
    scripted_server server(on);
    const auto good = raw_client::tcp(server.port());
    for (const char* bytes : {"x", "GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x02", "1:ab", "01:a,", "99999:"}) {
        const auto bad = raw_client::tcp(server.port());
        bad.send(bytes);
        EXPECT_EQ(beside(on, [&] { return bad.rest(); }), netstring("broken")) << bytes;
    }
    EXPECT_EQ(ask(on, good, "a"), netstring("a"));
}

TEST(RequestServer, ResetsInEveryState) {
    io::loop on;
    scripted_server server(on, {.unsent_bytes = 10'000, .stuck_time = 60'000ms});
    struct row {
        const char* when;
        std::string bytes;
    };
    for (const auto& [when, bytes] : {
             row{"before anything", ""},
             row{"in a request", "19:postfix exa"},
             row{"behind a request", netstring("echo a")},
             row{"while an answer is under way", netstring("later a")},
             row{"while a large one is not taken", netstring("big 8000000")},
             row{"behind the last word", netstring("bye")},
             row{"behind nonsense", "nonsense"},
         }) {
        const auto before = server.script.peers.size();
        raw_socket client(server.port(), 4'096);
        client.send(bytes);
        ASSERT_TRUE(eventually(on, [&] { return server.script.peers.size() == before + 1; })) << when;
        on.block_on(on.sleep_for(5ms));
        client.reset();
        EXPECT_TRUE(eventually(on, [&] { return server.server.open_connections() == 0; })) << when;
        EXPECT_EQ(server.script.alive, 0u) << when;
    }
}

TEST(RequestServer, UnixClientsThatGoAway) {
    io::loop on;
    const tests::scratch_folder folder;
    const auto path = folder / "s";
    scripted_server server(on, {.unsent_bytes = 10'000, .stuck_time = 300ms}, "unix:" + path);
    for (const std::string& bytes : {std::string(), std::string("5:ech"), netstring("echo a"),
                                     netstring("big 8000000"), netstring("bye"), std::string("x")}) {
        {
            const auto client = raw_client::local(path);
            client.send(bytes);
            ASSERT_TRUE(eventually(on, [&] { return !server.script.peers.empty(); }));
        }
        EXPECT_TRUE(eventually(on, [&] { return server.server.open_connections() == 0; })) << bytes;
        server.script.peers.clear();
    }
    EXPECT_EQ(server.script.alive, 0u);
}

TEST(RequestServer, KeepsTheLimits) {
    io::loop on;
    scripted_server server(on, {.listening = {.connections = 4, .per_source = 2}});
    const auto port = server.port();
    const auto one = raw_client::tcp(port), two = raw_client::tcp(port);
    const auto third = raw_client::tcp(port);
    EXPECT_EQ(beside(on, [&] { return third.some(); }), "");
    EXPECT_EQ(server.server.refused(), 1u);
    const auto other = raw_client::tcp(port, "127.0.0.1", "127.0.0.2"),
               another = raw_client::tcp(port, "127.0.0.1", "127.0.0.3");
    EXPECT_EQ(ask(on, another, "a"), netstring("a"));
    const auto fifth = raw_client::tcp(port, "127.0.0.1", "127.0.0.4");
    EXPECT_EQ(beside(on, [&] { return fifth.some(); }), "");
    EXPECT_EQ(server.server.refused(), 2u);
    EXPECT_EQ(server.server.open_connections(), 4u);
}

TEST(RequestServer, WaitsForDescriptors) {
    io::loop on;
    std::string complaint;
    io::request_server_options options;
    options.listening.complain = [&](std::string_view what) { complaint = what; };
    scripted_server server(on, std::move(options));
    const auto first = raw_client::tcp(server.port());
    EXPECT_EQ(ask(on, first, "a"), netstring("a"));
    const auto second = raw_client::tcp(server.port()); // in the kernel's queue
    std::vector<int> hoard;
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
    const auto served = ask(on, first, "b");
    for (const int fd : hoard)
        ::close(fd);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_TRUE(told);
    EXPECT_THAT(complaint, HasSubstr("Too many open files"));
    EXPECT_EQ(served, netstring("b")) << "who is there already is served";
    EXPECT_EQ(ask(on, second, "c"), netstring("c")) << "and who waited too";
}

TEST(RequestServer, ASessionThatThrowsEndsAlone) {
    struct throwing final : io::request_session {
        std::size_t received(std::string_view, std::string&) override { throw std::runtime_error("no"); }
        bool idle() const override { return true; }
    };
    io::loop on;
    std::string complaint;
    io::request_server_options options;
    options.listening.complain = [&](std::string_view what) { complaint = what; };
    int made = 0;
    io::request_server server(
        on, std::move(options),
        [&](std::shared_ptr<io::request_link>, const io::peer&) -> std::unique_ptr<io::request_session> {
            if (++made == 1)
                throw std::runtime_error("not now");
            if (made == 2)
                return nullptr;
            return std::make_unique<throwing>();
        });
    ASSERT_TRUE(server.listen(tests::listening_at("127.0.0.1:0")));
    const auto address = server.address();
    const auto port = static_cast<std::uint16_t>(std::stoul(address.substr(address.rfind(':') + 1)));
    for (const char* says : {"not now", "", "no"}) {
        complaint.clear();
        const auto client = raw_client::tcp(port);
        client.send("x");
        EXPECT_EQ(beside(on, [&] { return client.some(); }), "");
        EXPECT_THAT(complaint, HasSubstr(says));
        EXPECT_EQ(server.open_connections(), 0u);
    }
}

// In a child, since descriptor 3 and the environment belong to the process.
TEST(RequestServer, TakesASocketOfTheServiceManager) {
    const pid_t pid = ::fork();
    if (pid == 0) {
        const tests::scratch_folder folder;
        const auto path = folder / "s";
        sockaddr_un local{};
        local.sun_family = AF_UNIX;
        path.copy(local.sun_path, sizeof local.sun_path - 1);
        const int handed = ::socket(AF_UNIX, SOCK_STREAM, 0);
        bool works = ::bind(handed, reinterpret_cast<sockaddr*>(&local), sizeof local) == 0 &&
                     ::listen(handed, 5) == 0;
        if (handed != 3) {
            ::dup2(handed, 3);
            ::close(handed);
        }
        ::setenv("LISTEN_FDS", "1", 1);
        ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
        {
            io::loop on;
            scripted_server server(on, {}, "unix:" + path);
            const auto client = raw_client::local(path);
            client.send(netstring("echo a"));
            works = works && eventually(on, [&] { return server.script.called == 1; }) &&
                    client.until(",") == netstring("a");
        }
        works = works && std::filesystem::exists(path); // it is the manager's
        ::_exit(works ? 0 : 1);
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    EXPECT_EQ(status, 0);
}

} // namespace
