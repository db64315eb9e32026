// SPDX-License-Identifier: Apache-2.0
// A unix datagram socket that is emptied by a thread of its own, as fast as the kernel gives (recvmmsg), so
// that a burst does not overflow its short queue while the loop is busy. The thread does nothing but hand
// each datagram to `take`.
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
    int inherited = -1;                       ///< a socket of the service manager's, in place of `path`
};

class datagram_drain {
public:
    /// `take` and `beat` are called on the drain's thread: each datagram; after each batch, and after
    /// `hand_over` of silence once. Errors are for a person.
    static std::expected<std::unique_ptr<datagram_drain>, std::string>
    open(drain_options options, std::function<void(std::string_view)> take, std::function<void()> beat);
    ~datagram_drain(); ///< takes what the kernel still holds, then ends; removes the file where it is ours
    struct figures {
        std::uint64_t datagrams = 0, bytes = 0, cut = 0, batches = 0;
        /// Batches that found the kernel's queue full: senders may have lost some just before. The protocol
        /// has no number by which to tell how many.
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
