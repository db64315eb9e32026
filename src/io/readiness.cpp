// SPDX-License-Identifier: Apache-2.0
#include "io/readiness.h"

#include <array>
#include <cerrno>
#include <span>
#include <system_error>

#include <sys/epoll.h>

namespace mailtight::io {

namespace {

int make() {
    const int made = ::epoll_create1(EPOLL_CLOEXEC);
    if (made < 0)
        throw std::system_error(errno, std::system_category(), "epoll_create1");
    return made;
}

int control(int in, int operation, int socket, std::uint32_t events, readiness::waiter* tell) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = tell;
    return ::epoll_ctl(in, operation, socket, &event);
}

} // namespace

readiness::readiness(loop& on)
    : sockets_(on.native().context, make()) {}

bool readiness::add(int socket, std::uint32_t events, waiter& tell) {
    return control(sockets_.native_handle(), EPOLL_CTL_ADD, socket, events, &tell) == 0;
}

void readiness::change(int socket, std::uint32_t events, waiter& tell) {
    control(sockets_.native_handle(), EPOLL_CTL_MOD, socket, events, &tell);
}

void readiness::remove(int socket) {
    control(sockets_.native_handle(), EPOLL_CTL_DEL, socket, 0, nullptr);
}

void readiness::tell() {
    std::array<epoll_event, 256> events; // then the others on the loop have their turn
    const int count =
        ::epoll_wait(sockets_.native_handle(), events.data(), static_cast<int>(events.size()), 0);
    for (int i = 0; i < count; ++i) {
        const auto& event = events[static_cast<std::size_t>(i)];
        static_cast<waiter*>(event.data.ptr)->ready(event.events);
    }
}

} // namespace mailtight::io
