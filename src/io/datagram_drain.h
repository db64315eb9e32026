// SPDX-License-Identifier: Apache-2.0
// A unix datagram socket that is emptied by a thread of its own, as fast as the kernel gives (recvmmsg), so
// that a burst does not overflow its short queue while the loop is busy. The thread does nothing but hand
// each datagram to `take`. Serves syslog's sockets as well: a datagram is a line with its `<PRI>` then,
// perhaps with a line end or a NUL; what writes to such a socket expects permissions 0666.
#pragma once

#include "io/loop.h"

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace mailtight::io {

struct drain_options {
    std::string path;                     ///< made, with the directories above it that are missing
    unsigned permissions = 0622;          ///< of the socket's file: who may write may send
    std::string owner, group;             ///< "" : as it comes
    std::size_t datagram_bytes = 262'144; ///< longer ones are cut by the kernel, counted and dropped
    std::size_t receive_buffer = 4u << 20;
    std::chrono::milliseconds hand_over{100}; ///< `beat` is called at least so often while datagrams come
    /// A socket that was handed over, in place of `path`; owned from here on, its file is left alone. (One of
    /// the service manager's at `path`, by LISTEN_FDS, is found without.)
    int inherited = -1;
};

class datagram_drain {
public:
    /// `take` and `beat` are called on the drain's thread: each datagram; after each batch, and after
    /// `hand_over` of silence once. Errors are for a person.
    static std::expected<std::unique_ptr<datagram_drain>, std::string>
    open(drain_options options, std::function<void(std::string_view)> take, std::function<void()> beat);
    /// Takes what the kernel has accepted, then ends; removes the file where it is ours. Senders are refused
    /// from then on, so that nothing gets lost between.
    ~datagram_drain();
    struct figures {
        std::uint64_t datagrams = 0, bytes = 0, cut = 0, batches = 0; ///< datagrams: cut ones too
        /// Batches that found the kernel's queue full: senders may have lost some just before. The protocol
        /// has no number by which to tell how many. Always 0 where this process may not send to the socket.
        std::uint64_t queue_was_full = 0;
        std::size_t queue_length = 0; ///< net.unix.max_dgram_qlen when the socket was made
    };
    figures counted() const; ///< from any thread
    const std::string& path() const;

private:
    datagram_drain();
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace mailtight::io
