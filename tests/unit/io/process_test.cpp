// SPDX-License-Identifier: Apache-2.0
#include "io/process.h"
#include "support/scratch.h"
#include "support/sockets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <functional>

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/wait.h>

using namespace mailtight;
using namespace std::chrono_literals;
using testing::HasSubstr;

namespace {

/// In a process of its own, since ids, signals and the environment belong to the process.
int in_child(const std::function<bool()>& works) {
    const pid_t child = ::fork();
    if (child == 0)
        ::_exit(works() ? 0 : 1);
    int status = 0;
    ::waitpid(child, &status, 0);
    return status;
}

TEST(Signals, ComeAsCallsOnTheLoop) {
    EXPECT_EQ(in_child([] {
                  io::loop on;
                  std::string order;
                  const io::signals handled(on, [&] { order += 's'; }, [&] { order += 'r'; });
                  for (const int number : {SIGHUP, SIGTERM, SIGHUP, SIGINT}) {
                      const auto before = order.size();
                      ::raise(number);
                      if (!tests::eventually(on, [&] { return order.size() > before; }))
                          return false;
                  }
                  ::raise(SIGPIPE);
                  return order == "rsrs";
              }),
              0);
}

TEST(Signals, HaveTheirOldMeaningWhenTheObjectIsGone) {
    const int status = in_child([] {
        io::loop on;
        {
            const io::signals handled(on, [] {}, [] {});
        }
        ::raise(SIGTERM);
        return true;
    });
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

TEST(Notify, TellsTheManager) {
    const tests::scratch_folder folder;
    for (const bool abstract : {false, true}) {
        sockaddr_un local{};
        local.sun_family = AF_UNIX;
        auto name = abstract ? "@mailtight-test-" + std::to_string(::getpid()) : folder / "notify";
        name.copy(local.sun_path, sizeof local.sun_path - 1);
        if (abstract)
            local.sun_path[0] = '\0';
        const int manager = ::socket(AF_UNIX, SOCK_DGRAM, 0);
        ASSERT_EQ(::bind(manager, reinterpret_cast<sockaddr*>(&local),
                         static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size())),
                  0);
        const auto next = [&] {
            std::string text(1'000, '\0');
            const auto got = ::recv(manager, text.data(), text.size(), MSG_DONTWAIT);
            text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
            return text;
        };
        ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
        io::notify_manager("READY=1\nSTATUS=all well");
        EXPECT_EQ(next(), "READY=1\nSTATUS=all well");
        io::notify_manager("RELOADING=1");
        EXPECT_THAT(next(), testing::MatchesRegex("RELOADING=1\nMONOTONIC_USEC=[0-9]+"));
        ::unsetenv("NOTIFY_SOCKET");
        io::notify_manager("READY=1");
        EXPECT_EQ(next(), "") << "nobody asked";
        ::close(manager);
    }
}

TEST(Notify, TheWatchdogIsFedTwiceAsOftenAsAsked) {
    EXPECT_EQ(in_child([] {
                  const bool without = !io::watchdog_interval();
                  ::setenv("WATCHDOG_USEC", "30000000", 1);
                  const bool half = io::watchdog_interval() == 15s;
                  ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
                  const bool ours = io::watchdog_interval() == 15s;
                  ::setenv("WATCHDOG_PID", "1", 1);
                  const bool not_ours = !io::watchdog_interval();
                  ::unsetenv("WATCHDOG_PID");
                  ::setenv("WATCHDOG_USEC", "soon", 1);
                  return without && half && ours && not_ours && !io::watchdog_interval();
              }),
              0);
}

TEST(Privileges, WhatCannotBeIsSaid) {
    EXPECT_TRUE(io::drop_privileges("", ""));
    EXPECT_THAT(io::drop_privileges("no-such-user-here", "").error(),
                HasSubstr("no user \"no-such-user-here\""));
    EXPECT_FALSE(io::drop_privileges("", "root")) << "a group alone";
    const auto* me = ::getpwuid(::geteuid());
    ASSERT_NE(me, nullptr);
    EXPECT_THAT(io::drop_privileges(me->pw_name, "no-such-group").error(), HasSubstr("no group"));
}

TEST(Privileges, ThereIsNoWayBack) {
    if (::geteuid() != 0)
        GTEST_SKIP() << "only root can become others";
    EXPECT_EQ(in_child([] {
                  const auto dropped = io::drop_privileges("nobody", "");
                  std::vector<gid_t> groups(100);
                  const int count = ::getgroups(100, groups.data());
                  groups.resize(static_cast<std::size_t>(std::max(count, 0)));
                  const bool rootless = std::find(groups.begin(), groups.end(), 0U) == groups.end();
                  return dropped && ::geteuid() != 0 && ::getegid() != 0 && rootless && ::setuid(0) != 0 &&
                         ::seteuid(0) != 0 && ::setgid(0) != 0 && ::open("/etc/shadow", 0) < 0 &&
                         // Already that user: fine. Another: not any more.
                         io::drop_privileges("nobody", "") && !io::drop_privileges("daemon", "");
              }),
              0);
    EXPECT_EQ(in_child([] {
                  const auto* wanted = ::getgrnam("daemon");
                  return wanted && io::drop_privileges("nobody", "daemon") && ::getegid() == wanted->gr_gid;
              }),
              0);
}

} // namespace
