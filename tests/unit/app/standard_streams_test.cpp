// SPDX-License-Identifier: Apache-2.0
// What becomes of output that cannot be written, and of files that are opened while a standard stream is
// closed. Each case is a process of its own, since it closes what the test program needs.
#include "app/app.h"
#include "app/terminal.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace mailtight::tests {
namespace {

int status_of(const std::function<int()>& work) {
    std::fflush(nullptr); // or the child writes what is still to be written here once more
    const pid_t child = ::fork();
    if (child == 0)
        ::_exit(work());
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void become(int fd, const char* path) {
    ::dup2(::open(path, O_WRONLY), fd);
}

int mailtight(std::vector<std::string> words) {
    words.insert(words.begin(), "mailtight");
    std::vector<char*> raw;
    for (auto& word : words)
        raw.push_back(word.data());
    return app::run(static_cast<int>(raw.size()), raw.data());
}
int lint(std::string text) {
    return mailtight({"record", "lint", std::move(text)});
}

constexpr auto good = "v=STSv1; id=1", bad = "v=STSv1";

TEST(standard_streams, output_that_was_not_written_is_no_success) {
    EXPECT_EQ(status_of([] {
                  become(STDOUT_FILENO, "/dev/null");
                  return lint(good);
              }),
              0);
    for (const auto* text : {good, bad})
        EXPECT_EQ(status_of([&] {
                      become(STDERR_FILENO, "/dev/null");
                      become(STDOUT_FILENO, "/dev/full");
                      return lint(text);
                  }),
                  3)
            << text;
    EXPECT_EQ(status_of([] {
                  become(STDERR_FILENO, "/dev/null");
                  ::close(STDOUT_FILENO);
                  return lint(good);
              }),
              3);
}

// A man page or a completion that a package build writes to a full disk must not pass for whole.
TEST(standard_streams, help_that_was_not_written_is_no_success_either) {
    for (const std::vector<std::string>& words : {std::vector<std::string>{},
                                                  {"--help"},
                                                  {"--version"},
                                                  {"check", "--help"},
                                                  {"record", "lint", "-h"},
                                                  {"doc", "man"},
                                                  {"doc", "completion-bash"},
                                                  {"doc", "openapi"}}) {
        const auto named = words.empty() ? std::string("alone") : words.front() + " " + words.back();
        EXPECT_EQ(status_of([&] {
                      become(STDOUT_FILENO, "/dev/null");
                      return mailtight(words);
                  }),
                  0)
            << named;
        EXPECT_EQ(status_of([&] {
                      become(STDERR_FILENO, "/dev/null");
                      become(STDOUT_FILENO, "/dev/full");
                      return mailtight(words);
                  }),
                  3)
            << named;
    }
}

TEST(standard_streams, a_reader_who_left_changes_no_verdict) {
    const auto without_reader = [](const char* text) {
        return status_of([&] {
            std::array<int, 2> ends{};
            if (::pipe(ends.data()) != 0)
                return 99;
            ::dup2(ends[1], STDOUT_FILENO);
            ::close(ends[0]);
            return lint(text);
        });
    };
    EXPECT_EQ(without_reader(good), 0);
    EXPECT_EQ(without_reader(bad), 1);
}

TEST(standard_streams, csv_on_a_terminal_moves_no_cursor) {
    const std::string csv = "a,b\r\n\"\x1b]0;title\x07\nnext\",1\r\n";
    const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY);
    ASSERT_EQ(::grantpt(terminal) | ::unlockpt(terminal), 0);
    const std::string other_end = ::ptsname(terminal);
    EXPECT_EQ(status_of([&] {
                  ::dup2(::open(other_end.c_str(), O_RDWR | O_NOCTTY), STDOUT_FILENO);
                  return app::print_csv(csv) ? 0 : 1;
              }),
              0);
    std::string shown(200, '\0');
    shown.resize(
        static_cast<std::size_t>(std::max<ssize_t>(::read(terminal, shown.data(), shown.size()), 0)));
    ::close(terminal);
    EXPECT_EQ(shown, "a,b\r\n\"\\x1b]0;title\\x07\r\nnext\",1\r\n") << "the terminal adds the CR";

    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    EXPECT_EQ(status_of([&] {
                  ::dup2(ends[1], STDOUT_FILENO);
                  return app::print_csv(csv) ? 0 : 1;
              }),
              0);
    std::string piped(csv.size(), '\0');
    EXPECT_EQ(::read(ends[0], piped.data(), piped.size()), static_cast<ssize_t>(csv.size()));
    EXPECT_EQ(piped, csv) << "byte for byte, where no terminal reads it";
    ::close(ends[0]);
    ::close(ends[1]);
}

TEST(standard_streams, no_file_takes_the_place_of_a_closed_one) {
    const int next = ::open("/dev/null", O_RDWR); // who runs the tests may have files open here
    ::close(next);
    EXPECT_EQ(status_of([] {
                  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
                      ::close(fd);
                  app::hold_standard_streams();
                  return ::open("/dev/null", O_RDWR);
              }),
              next);
    EXPECT_EQ(status_of([] {
                  ::close(STDERR_FILENO);
                  app::hold_standard_streams();
                  char byte = 0;
                  return ::write(STDERR_FILENO, &byte, 1) < 0 && ::read(STDIN_FILENO, &byte, 0) == 0 ? 0 : 1;
              }),
              0)
        << "what was closed stays unwritable, what was open is left alone";
}

} // namespace
} // namespace mailtight::tests
