// SPDX-License-Identifier: Apache-2.0
#include "io/spawn.h"

#include <csignal>

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

namespace mailtight::io {

int spawn_program(pid_t& child, const std::vector<std::string>& words, int input, int output,
                  int complaints) {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawnattr_init(&attributes);
    const auto connect = [&files](int from, int to) {
        if (from >= 0)
            ::posix_spawn_file_actions_adddup2(&files, from, to);
        else
            ::posix_spawn_file_actions_addopen(&files, to, "/dev/null", O_RDWR, 0);
    };
    connect(input, STDIN_FILENO);
    connect(output, STDOUT_FILENO);
    connect(complaints, STDERR_FILENO);
    // What the daemon ignores or holds back is not the program's habit.
    sigset_t none, ordinary;
    ::sigemptyset(&none);
    ::sigemptyset(&ordinary);
    ::sigaddset(&ordinary, SIGPIPE);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &ordinary);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    std::vector<char*> arguments;
    for (const auto& word : words)
        arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    const int error =
        ::posix_spawnp(&child, arguments.front(), &files, &attributes, arguments.data(), ::environ);
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&files);
    return error;
}

} // namespace mailtight::io
