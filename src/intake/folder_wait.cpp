// SPDX-License-Identifier: Apache-2.0
#include "intake/folder_wait.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

namespace mailtight::intake {

folder_wait::folder_wait(const std::string& directory, std::string name)
    : changes_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC))
    , wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC))
    , name_(std::move(name)) {
    if (changes_)
        ::inotify_add_watch(changes_.get(), directory.c_str(), IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE);
}

void folder_wait::wake() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
}

/// Whether one of them was about our file.
bool folder_wait::drain_changes() {
    alignas(inotify_event) std::array<char, 16'384> buffer{};
    bool ours = false;
    for (;;) {
        const auto got = ::read(changes_.get(), buffer.data(), buffer.size());
        if (got <= 0)
            return ours;
        for (std::size_t at = 0; at + sizeof(inotify_event) <= static_cast<std::size_t>(got);) {
            inotify_event event{};
            std::memcpy(&event, buffer.data() + at, sizeof event);
            const char* text = buffer.data() + at + sizeof event;
            ours = ours || name_.empty() || (event.len > 0 && name_ == text) ||
                   (event.mask & IN_Q_OVERFLOW) != 0;
            at += sizeof event + event.len;
        }
    }
}

void folder_wait::wait(std::chrono::milliseconds at_most, bool watch) {
    using clock = std::chrono::steady_clock;
    const auto until = clock::now() + at_most;
    for (;;) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - clock::now()).count();
        if (left <= 0)
            return;
        std::array<pollfd, 2> sources{{{wake_.get(), POLLIN, 0}, {changes_.get(), POLLIN, 0}}};
        ::poll(sources.data(), watch && changes_ ? 2 : 1, static_cast<int>(std::min<long>(left, 86'400'000)));
        if (sources[0].revents != 0)
            return;
        if (sources[1].revents != 0 && drain_changes())
            return;
    }
}

} // namespace mailtight::intake
