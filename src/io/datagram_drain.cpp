// SPDX-License-Identifier: Apache-2.0
// Entry: datagram_drain::open. The thread reads without waiting until the socket is empty, and waits in
// poll() for the next datagram, the time of the next beat, or the end.
#include "io/datagram_drain.h"

#include "io/descriptor.h"
#include "io/listen_socket.h"
#include "io/socket_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <optional>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace mailtight::io {

namespace {

using steady = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::size_t slots = 64; ///< datagrams a system call
constexpr auto after_error = 100ms;
constexpr auto at_most_at_end = 1s; ///< where senders go on meanwhile

/// net.unix.max_dgram_qlen of this network namespace, which a socket keeps from when it is made.
std::size_t kernel_queue_length() {
    const descriptor file{::open("/proc/sys/net/unix/max_dgram_qlen", O_RDONLY | O_CLOEXEC)};
    std::array<char, 32> text{};
    const auto got = ::read(file.get(), text.data(), text.size());
    std::size_t value = 0;
    if (got > 0)
        std::from_chars(text.data(), text.data() + got, value);
    return value;
}

/// A sender to this socket; none where we may not send.
descriptor sender_to(const std::string& path) {
    descriptor sender{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    const auto there = unix_address_of(path);
    if (path.empty() || ::connect(sender.get(), reinterpret_cast<const sockaddr*>(&there), sizeof there) != 0)
        return descriptor{};
    return sender;
}

/// The senders do not wait: this thread goes before those that have time, where the process may say so (a
/// daemon that begins as root may).
void go_first() {
    constexpr int nice = -10;
    if (::getpriority(PRIO_PROCESS, 0) > nice) // 0: of this thread
        ::setpriority(PRIO_PROCESS, 0, nice);
}

/// What one recvmmsg fills. A page that no datagram ever reached costs no memory.
class slot_buffers {
public:
    explicit slot_buffers(std::size_t datagram_bytes)
        // At one distance of a power of two, all would fall into the same few lines of the processor's cache.
        : stride_((datagram_bytes + 4'095) / 4'096 * 4'096 + 9 * 64)
        , bytes_(std::make_unique_for_overwrite<char[]>(stride_ * slots)) {
        for (std::size_t i = 0; i < slots; ++i) {
            parts_[i] = {bytes_.get() + i * stride_, datagram_bytes};
            headers_[i].msg_hdr.msg_iov = &parts_[i];
            headers_[i].msg_hdr.msg_iovlen = 1;
        }
    }
    int fill(int socket) { return ::recvmmsg(socket, headers_.data(), slots, MSG_DONTWAIT, nullptr); }
    std::string_view datagram(std::size_t i) const {
        return {static_cast<const char*>(parts_[i].iov_base), headers_[i].msg_len};
    }
    bool was_cut(std::size_t i) const { return (headers_[i].msg_hdr.msg_flags & MSG_TRUNC) != 0; }

private:
    std::size_t stride_;
    std::unique_ptr<char[]> bytes_;
    std::array<iovec, slots> parts_{};
    std::array<mmsghdr, slots> headers_{};
};

} // namespace

struct datagram_drain::state {
    state(drain_options from, std::function<void(std::string_view)> to, std::function<void()> tell)
        : options(std::move(from))
        , take(std::move(to))
        , beat(std::move(tell))
        , buffers(options.datagram_bytes) {}

    drain_options options;
    std::function<void(std::string_view)> take;
    std::function<void()> beat;
    listen_socket at;
    descriptor wake;  ///< written to at the end
    descriptor asker; ///< connected to our own socket
    slot_buffers buffers;
    std::thread thread;

    std::atomic<std::uint64_t> datagrams = 0, bytes = 0, cut = 0, batches = 0, was_full = 0;
    std::size_t queue_length = 0;
    std::string path;
    bool inherited = false;
    std::atomic<bool> stopping = false;

    bool owed = false; ///< datagrams were taken since the last beat
    steady::time_point last_beat{};

    /// A sender like any other learns from poll() whether the queue has room: the one way in which the kernel
    /// tells it. False where we may not send to our own socket.
    bool queue_is_full() const {
        pollfd room{asker.get(), POLLOUT, 0};
        return asker && ::poll(&room, 1, 0) == 0;
    }

    /// One batch. How many came, 0 where there are none, -1 on an error.
    int read_some() {
        const bool full = queue_is_full();
        const int got = buffers.fill(at.socket.get());
        if (got <= 0)
            return got < 0 && errno != EAGAIN && errno != EINTR ? -1 : 0;
        std::uint64_t whole = 0, size = 0;
        for (std::size_t i = 0; i < static_cast<std::size_t>(got); ++i) {
            if (buffers.was_cut(i))
                continue;
            const auto one = buffers.datagram(i);
            ++whole;
            size += one.size();
            take(one);
        }
        owed = true;
        constexpr auto order = std::memory_order_relaxed;
        datagrams.fetch_add(static_cast<std::uint64_t>(got), order);
        cut.fetch_add(static_cast<std::uint64_t>(got) - whole, order);
        bytes.fetch_add(size, order);
        batches.fetch_add(1, order);
        was_full.fetch_add(full ? 1 : 0, order);
        return got;
    }

    void tell() {
        beat();
        owed = false;
        last_beat = steady::now();
    }
    void tell_when_due() {
        if (owed && steady::now() - last_beat >= options.hand_over)
            tell();
    }

    /// Until the next datagram, beat or the end; true at the end.
    bool wait() {
        std::array<pollfd, 2> sources{{{at.socket.get(), POLLIN, 0}, {wake.get(), POLLIN, 0}}};
        int patience = -1;
        if (owed) {
            const auto left =
                std::chrono::ceil<std::chrono::milliseconds>(last_beat + options.hand_over - steady::now());
            patience = static_cast<int>(std::max<std::chrono::milliseconds::rep>(left.count(), 0));
        }
        ::poll(sources.data(), sources.size(), patience);
        return sources[1].revents != 0;
    }

    void serve() {
        bool over = false;
        while (!over) {
            const int got = read_some();
            tell_when_due();
            if (got > 0)
                over = stopping; // looked at between batches too: senders may never leave the queue empty
            else if (got == 0)
                over = wait();
            else
                over = pause();
        }
        finish();
    }
    /// The kernel has no memory, or worse: not at once again.
    bool pause() const {
        pollfd source{wake.get(), POLLIN, 0};
        return ::poll(&source, 1, static_cast<int>(after_error.count())) > 0;
    }
    /// From here on senders are told that nobody listens, so that what the kernel has accepted has an end. A
    /// socket of the service manager's stays open for the next process, and so does what comes meanwhile.
    void finish() {
        const bool ours = !inherited;
        if (ours)
            ::shutdown(at.socket.get(), SHUT_RD);
        const auto latest = steady::now() + at_most_at_end;
        while (read_some() > 0 && (ours || steady::now() < latest)) {
        }
        if (owed)
            tell();
    }
};

datagram_drain::datagram_drain() = default;

std::expected<std::unique_ptr<datagram_drain>, std::string>
datagram_drain::open(drain_options options, std::function<void(std::string_view)> take,
                     std::function<void()> beat) {
    const auto queue_length = kernel_queue_length();
    auto at = options.inherited >= 0
                  ? inherit_datagram_socket(options.inherited)
                  : open_datagram_socket({options.path, options.permissions, options.owner, options.group});
    if (!at)
        return std::unexpected(std::move(at.error()));
    std::unique_ptr<datagram_drain> made(new datagram_drain);
    made->state_ = std::make_unique<state>(std::move(options), std::move(take), std::move(beat));
    auto& it = *made->state_;
    it.at = std::move(*at);
    it.queue_length = queue_length;
    it.path = unix_path_of(it.at.socket.get());
    it.wake = descriptor{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    if (!it.wake)
        return std::unexpected(fmt::format("cannot take datagrams at {}: {}", it.path, std::strerror(errno)));
    // Linux bounds unix datagrams by their number and by the sender's buffer; elsewhere this one counts.
    const int wanted = static_cast<int>(std::min<std::size_t>(it.options.receive_buffer, 1u << 30));
    ::setsockopt(it.at.socket.get(), SOL_SOCKET, SO_RCVBUF, &wanted, sizeof wanted);
    it.asker = sender_to(it.path);
    it.inherited = it.at.file.empty();
    // Signals are for the threads that wait for them.
    sigset_t all, before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    it.thread = std::thread([&it] {
        ::pthread_setname_np(::pthread_self(), "datagrams");
        go_first();
        it.serve();
    });
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return made;
}

datagram_drain::~datagram_drain() {
    if (!state_)
        return;
    state_->at.remove_file(); // who comes from here on learns it at once
    if (!state_->thread.joinable())
        return;
    state_->stopping = true;
    const std::uint64_t one = 1;
    while (::write(state_->wake.get(), &one, sizeof one) < 0 && errno == EINTR) {
    }
    state_->thread.join();
}

datagram_drain::figures datagram_drain::counted() const {
    constexpr auto order = std::memory_order_relaxed;
    return {.datagrams = state_->datagrams.load(order),
            .bytes = state_->bytes.load(order),
            .cut = state_->cut.load(order),
            .batches = state_->batches.load(order),
            .queue_was_full = state_->was_full.load(order),
            .queue_length = state_->queue_length};
}

const std::string& datagram_drain::path() const {
    return state_->path;
}

} // namespace mailtight::io
