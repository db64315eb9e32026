// SPDX-License-Identifier: Apache-2.0
#include "io/process.h"

#include "io/loop_state.h"

#include <boost/asio/signal_set.hpp>

#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <vector>

#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace mailtight::io {

struct signals::state : std::enable_shared_from_this<signals::state> {
    state(loop& on, std::function<void()> at_stop, std::function<void()> at_reload)
        : set(on.native().context, SIGTERM, SIGINT, SIGHUP)
        , stop(std::move(at_stop))
        , reload(std::move(at_reload)) {}

    void wait() {
        set.async_wait([held = shared_from_this()](const boost::system::error_code& error, int number) {
            if (error || held->gone)
                return;
            const auto act = number == SIGHUP ? held->reload : held->stop;
            held->wait();
            if (act)
                act();
        });
    }

    boost::asio::signal_set set;
    std::function<void()> stop, reload;
    bool gone = false;
};

signals::signals(loop& on, std::function<void()> stop, std::function<void()> reload)
    : state_(std::make_shared<state>(on, std::move(stop), std::move(reload))) {
    // A pipe that nobody reads is an error of that write, not the end of the daemon.
    std::signal(SIGPIPE, SIG_IGN);
    state_->wait();
}

signals::~signals() {
    state_->gone = true;
    boost::system::error_code ignored;
    state_->set.clear(ignored);
    state_->set.cancel(ignored);
}

void notify_manager(std::string_view what) {
    const char* where = std::getenv("NOTIFY_SOCKET");
    if (!where || (*where != '/' && *where != '@'))
        return;
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    const std::size_t length = std::strlen(where);
    if (length >= sizeof to.sun_path)
        return;
    std::memcpy(to.sun_path, where, length);
    if (*where == '@') // Linux's abstract names
        to.sun_path[0] = '\0';
    std::string message(what);
    if (message.find("RELOADING=1") != message.npos) {
        // Type=notify-reload wants to know that this is no answer to an older signal (sd_notify(3)).
        timespec now{};
        ::clock_gettime(CLOCK_MONOTONIC, &now);
        message += fmt::format("\nMONOTONIC_USEC={}", now.tv_sec * 1'000'000LL + now.tv_nsec / 1'000);
    }
    const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket < 0)
        return;
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
    // Without waiting: a manager that does not read must not hold up the service.
    ::sendto(socket, message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
             reinterpret_cast<const sockaddr*>(&to), size);
    ::close(socket);
}

namespace {

std::optional<std::int64_t> number_in(const char* variable) {
    const char* text = std::getenv(variable);
    std::int64_t value = 0;
    if (!text)
        return std::nullopt;
    const auto* end = text + std::strlen(text);
    const auto [at, wrong] = std::from_chars(text, end, value);
    if (wrong != std::errc{} || at != end)
        return std::nullopt;
    return value;
}

} // namespace

std::optional<std::chrono::milliseconds> watchdog_interval() {
    const auto period = number_in("WATCHDOG_USEC");
    const auto meant = number_in("WATCHDOG_PID");
    if (!period || *period <= 0 || (meant && *meant != ::getpid()))
        return std::nullopt;
    return std::max(std::chrono::milliseconds(1), std::chrono::duration_cast<std::chrono::milliseconds>(
                                                      std::chrono::microseconds(*period / 2)));
}

namespace {

using failure = std::unexpected<std::string>;

struct account {
    uid_t uid = 0;
    gid_t gid = 0;
    std::vector<gid_t> groups;
};

/// The user, with the groups that the system gives it, and the group where one is named.
std::expected<account, std::string> look_up(const std::string& user, const std::string& group) {
    std::vector<char> buffer(65'536);
    account result;
    passwd entry{};
    passwd* found = nullptr;
    if (::getpwnam_r(user.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || !found)
        return failure(fmt::format("there is no user \"{}\" on this machine", user));
    result.uid = entry.pw_uid;
    result.gid = entry.pw_gid;
    if (!group.empty()) {
        std::vector<char> group_buffer(65'536);
        ::group group_entry{};
        ::group* group_found = nullptr;
        if (::getgrnam_r(group.c_str(), &group_entry, group_buffer.data(), group_buffer.size(),
                         &group_found) != 0 ||
            !group_found)
            return failure(fmt::format("there is no group \"{}\" on this machine", group));
        result.gid = group_entry.gr_gid;
    }
    int count = 64;
    result.groups.resize(64);
    if (::getgrouplist(user.c_str(), result.gid, result.groups.data(), &count) < 0) {
        result.groups.resize(static_cast<std::size_t>(count));
        ::getgrouplist(user.c_str(), result.gid, result.groups.data(), &count);
    }
    result.groups.resize(static_cast<std::size_t>(count));
    return result;
}

/// All three ids of user and group are these.
bool is(const account& wanted) {
    uid_t real = 0, effective = 0, saved = 0;
    gid_t group_real = 0, group_effective = 0, group_saved = 0;
    return ::getresuid(&real, &effective, &saved) == 0 &&
           ::getresgid(&group_real, &group_effective, &group_saved) == 0 && real == wanted.uid &&
           effective == wanted.uid && saved == wanted.uid && group_real == wanted.gid &&
           group_effective == wanted.gid && group_saved == wanted.gid;
}

} // namespace

std::expected<void, std::string> drop_privileges(const std::string& user, const std::string& group) {
    if (user.empty())
        return group.empty() ? std::expected<void, std::string>{}
                             : failure("a group to become is named without a user");
    const auto wanted = look_up(user, group);
    if (!wanted)
        return failure(wanted.error());
    if (is(*wanted)) // started by the service manager as this user
        return {};
    if (::geteuid() != 0)
        return failure(fmt::format("only root can become the user \"{}\"", user));
    // Groups first: once the user is another, the right to change them is gone.
    if (::setgroups(wanted->groups.size(), wanted->groups.data()) != 0 ||
        ::setresgid(wanted->gid, wanted->gid, wanted->gid) != 0 ||
        ::setresuid(wanted->uid, wanted->uid, wanted->uid) != 0)
        return failure(fmt::format("cannot become the user \"{}\": {}", user, std::strerror(errno)));
    if (!is(*wanted) || (wanted->uid != 0 && (::setuid(0) == 0 || ::seteuid(0) == 0)))
        return failure(fmt::format("became the user \"{}\", but there is a way back to root", user));
    return {};
}

} // namespace mailtight::io
