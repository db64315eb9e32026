// SPDX-License-Identifier: Apache-2.0
// The journal by a program that stands in for journalctl, and by the real one over a journal of the test's.
#include "io/journal_export.h"
#include "io/journal_follower.h"
#include "support/scratch.h"
#include "support/sockets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <memory>
#include <sstream>
#include <vector>

#include <sched.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

using namespace mailtight;
using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using tests::eventually;

namespace {

std::string text_field(std::string_view name, std::string_view value) {
    return std::string(name) + "=" + std::string(value) + "\n";
}
std::string binary_field(std::string_view name, std::string_view value) {
    std::string out(name);
    out += '\n';
    for (std::size_t i = 0; i < 8; ++i)
        out += static_cast<char>(value.size() >> (8 * i) & 0xff);
    return out + std::string(value) + "\n";
}
std::string entry(std::string_view cursor, std::string_view message) {
    return text_field("__CURSOR", cursor) + text_field("__REALTIME_TIMESTAMP", "1763794800000123") +
           text_field("_HOSTNAME", "mx") + text_field("SYSLOG_IDENTIFIER", "postfix/smtp") +
           text_field("_PID", "4711") +
           (message.find('\n') == message.npos ? text_field("MESSAGE", message)
                                               : binary_field("MESSAGE", message)) +
           "\n";
}

std::vector<std::string> lines_in(std::string_view bytes, std::size_t step = 1'000'000,
                                  std::size_t message_bytes = 1'000) {
    std::vector<std::string> lines;
    io::journal_export_reader reader(message_bytes);
    for (std::size_t at = 0; at < bytes.size(); at += step)
        reader.feed(bytes.substr(at, step),
                    [&](const io::journal_entry& one) { lines.push_back(io::line_of(one)); });
    return lines;
}

TEST(JournalExport, AnEntryIsALine) {
    const std::string stamp = "2025-11-22T07:00:00.000123Z mx postfix/smtp[4711]: ";
    struct row {
        std::string bytes, line;
        const char* why;
    };
    for (const auto& [bytes, line, why] : {
             row{entry("c", "connect to mx.example"), stamp + "connect to mx.example", "text"},
             row{entry("c", "two\nlines"), stamp + "two lines", "a line end would begin another line"},
             row{entry("c", std::string_view("\0\xff\n", 3)), stamp + std::string("\0\xff ", 3), "any bytes"},
             row{"__REALTIME_TIMESTAMP=1\nSYSLOG_PID=7\n_PID=8\nMESSAGE=x\n\n",
                 "1970-01-01T00:00:00.000001Z - -[7]: x", "who sent it knows its own pid better"},
             row{"__REALTIME_TIMESTAMP=1\n_PID=8\nSYSLOG_PID=7\nMESSAGE=a=b\n\n",
                 "1970-01-01T00:00:00.000001Z - -[7]: a=b", "in any order"},
             row{"__REALTIME_TIMESTAMP=0\nSYSLOG_IDENTIFIER=a b\nMESSAGE=x\n\n",
                 "1970-01-01T00:00:00.000000Z - a_b: x", "a name is one word"},
             row{"\n\nMESSAGE=no time\n\n", "", "no time"},
             row{"__REALTIME_TIMESTAMP=-1\nMESSAGE=x\n\n", "", "no time"},
             row{"__REALTIME_TIMESTAMP=99999999999999999999\nMESSAGE=x\n\n", "", "no time"},
             row{"__REALTIME_TIMESTAMP=253402300800000000\nMESSAGE=x\n\n", "", "beyond year 9999"},
             row{"__REALTIME_TIMESTAMP=0\n" + binary_field("MESSAGE", "") + "\n", "", "no text"},
         })
        for (const std::size_t step : {std::size_t{1}, std::size_t{7}, bytes.size()})
            EXPECT_THAT(lines_in(bytes, step), ElementsAre(line)) << why;
}

TEST(JournalExport, LongTextsAreCut) {
    const std::string far(100'000, 'x');
    for (const auto& message : {far, "\n" + far}) {
        io::journal_export_reader reader(100);
        std::vector<io::journal_entry> seen;
        reader.feed(entry("c", message) + entry("d", "next"),
                    [&](const io::journal_entry& one) { seen.push_back(one); });
        ASSERT_THAT(seen, SizeIs(2));
        EXPECT_EQ(seen[0].message, message.substr(0, 100));
        EXPECT_TRUE(seen[0].cut);
        EXPECT_EQ(seen[1].message, "next");
        EXPECT_EQ(seen[1].cursor, "d");
        EXPECT_FALSE(seen[1].cut);
    }
}

TEST(JournalExport, NonsenseIsBounded) {
    io::journal_export_reader reader(100);
    std::size_t taken = 0;
    const auto count = [&](const io::journal_entry&) { ++taken; };
    reader.feed("NAME\n\xff\xff\xff\xff\xff\xff\xff\xff", count); // a value without an end
    for (int i = 0; i < 1'000; ++i)
        reader.feed(std::string(10'000, '\n'), count);
    EXPECT_EQ(taken, 0u);
}

std::string contents(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

struct followed {
    io::loop on;
    std::vector<std::string> lines, complaints;
    std::string cursor;
    std::unique_ptr<io::journal_follower> follower;
    bool done = false;

    void start(io::journal_options options) {
        options.again = 5ms;
        done = false;
        follower = std::make_unique<io::journal_follower>(
            on, std::move(options), [this](std::string_view line) { lines.emplace_back(line); },
            [this](std::string_view to) { cursor = to; },
            [this](std::string_view words) { complaints.emplace_back(words); });
        on.spawn(until_done(*this));
    }
    static io::task<> until_done(followed& it) {
        auto running = it.follower->run();
        co_await std::move(running);
        it.done = true;
    }
    bool stop() {
        follower->stop();
        return eventually(on, [this] { return done; });
    }
    bool has(std::size_t count) {
        return eventually(on, [this, count] { return lines.size() >= count; });
    }
};

/// Stands in for journalctl: notes its arguments, then does what the test says.
struct fake_journal {
    tests::scratch_folder folder;
    explicit fake_journal(const std::string& script) {
        std::ofstream(folder / "journalctl") << "#!/bin/sh\necho \"$*\" >>" << folder / "words" << "\n"
                                             << script << "\n";
        ::chmod((folder / "journalctl").c_str(), 0755);
    }
    void says(std::string_view bytes) const { std::ofstream(folder / "export", std::ios::app) << bytes; }
    io::journal_options options(std::string from = {}) const {
        return {.program = {folder / "journalctl"}, .from = std::move(from)};
    }
};

TEST(JournalFollower, TakesLinesAndTellsTheCursor) {
    fake_journal journal("cat $(dirname $0)/export; exec sleep 60");
    journal.says(entry("s=1;i=1", "one") + entry("s=1;i=2", "two"));
    followed log;
    log.start(journal.options());
    ASSERT_TRUE(log.has(2));
    EXPECT_THAT(log.lines, ElementsAre("2025-11-22T07:00:00.000123Z mx postfix/smtp[4711]: one",
                                       "2025-11-22T07:00:00.000123Z mx postfix/smtp[4711]: two"));
    EXPECT_EQ(log.cursor, "s=1;i=2");
    EXPECT_TRUE(log.follower->counted().running);
    const auto began = std::chrono::steady_clock::now();
    EXPECT_TRUE(log.stop());
    EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
    EXPECT_FALSE(log.follower->counted().running);
    EXPECT_EQ(
        contents(journal.folder / "words"),
        "--follow --merge --quiet --output=export "
        "--output-fields=MESSAGE,SYSLOG_IDENTIFIER,SYSLOG_PID,_PID,_HOSTNAME --lines=0 SYSLOG_FACILITY=2\n");
}

TEST(JournalFollower, WhatThereIsNoRoomForStaysInTheJournal) {
    fake_journal journal("cat $(dirname $0)/export; exec sleep 60");
    journal.says(entry("s=1;i=1", "one"));
    followed log;
    bool no_room = true;
    auto options = journal.options();
    options.wait = [&] { return no_room; };
    log.start(std::move(options));
    log.on.block_on(log.on.sleep_for(300ms));
    EXPECT_TRUE(log.follower->counted().running) << "it waits for us";
    EXPECT_THAT(log.lines, IsEmpty());
    EXPECT_EQ(log.cursor, "");
    no_room = false;
    ASSERT_TRUE(log.has(1));
    EXPECT_EQ(log.cursor, "s=1;i=1");
    no_room = true;
    EXPECT_TRUE(log.stop()) << "although it waits";
}

TEST(JournalFollower, IsStartedAgainBehindTheLastEntry) {
    fake_journal journal("test -e $(dirname $0)/again && exec sleep 60\n"
                         "touch $(dirname $0)/again; cat $(dirname $0)/export; echo 'lost it' >&2; exit 1");
    journal.says(entry("s=1;i=7", "one") + "__CURSOR=s=1;i=8\nMESSAGE=half an ent");
    followed log;
    log.start(journal.options("s=1;i=6"));
    ASSERT_TRUE(eventually(log.on, [&] { return log.follower->counted().starts == 2; }));
    EXPECT_THAT(log.complaints, ElementsAre(HasSubstr("journalctl ended: lost it")));
    EXPECT_THAT(log.lines, SizeIs(1));
    EXPECT_TRUE(log.stop());
    const auto words = contents(journal.folder / "words");
    EXPECT_THAT(words, HasSubstr("--no-tail --after-cursor=s=1;i=6 SYSLOG_FACILITY=2\n"));
    EXPECT_THAT(words, HasSubstr("--no-tail --after-cursor=s=1;i=7 SYSLOG_FACILITY=2\n"));
}

TEST(JournalFollower, ACursorThatIsNoneIsGivenUp) {
    fake_journal journal(
        "case \"$*\" in *--after-cursor*) echo 'Failed to seek to cursor: Invalid argument' >&2\n"
        "exit 1;; esac; cat $(dirname $0)/export; exec sleep 60");
    journal.says(entry("s=2;i=1", "one"));
    followed log;
    log.start(journal.options("nonsense"));
    ASSERT_TRUE(log.has(1));
    EXPECT_THAT(log.complaints, ElementsAre(HasSubstr("is not known any more")));
    EXPECT_EQ(log.cursor, "s=2;i=1");
    EXPECT_TRUE(log.stop());
}

TEST(JournalFollower, WhatCannotStartIsSaidOnceAndTriedAgain) {
    followed log;
    log.start({.program = {"/nonexistent/journalctl"}});
    log.on.block_on(log.on.sleep_for(60ms));
    EXPECT_THAT(log.complaints, ElementsAre(HasSubstr("cannot start /nonexistent/journalctl")));
    EXPECT_TRUE(log.stop());
}

TEST(JournalFollower, AProgramThatWillNotEndIsEnded) {
    fake_journal journal("trap '' TERM; cat $(dirname $0)/export; while :; do sleep 0.1; done");
    journal.says(entry("s=1;i=1", "one"));
    followed log;
    log.start(journal.options());
    ASSERT_TRUE(log.has(1));
    EXPECT_TRUE(log.stop());
    EXPECT_FALSE(log.follower->counted().running);
}

TEST(JournalFollower, ManyEntriesInOrder) {
    fake_journal journal("cat $(dirname $0)/export; exec sleep 60");
    std::string all;
    for (int i = 0; i < 50'000; ++i)
        all += entry("s=1;i=" + std::to_string(i), std::to_string(i));
    journal.says(all);
    followed log;
    log.start(journal.options());
    ASSERT_TRUE(log.has(50'000));
    for (int i = 0; i < 50'000; ++i)
        ASSERT_TRUE(log.lines[static_cast<std::size_t>(i)].ends_with(": " + std::to_string(i)));
    EXPECT_EQ(log.cursor, "s=1;i=49999");
    EXPECT_TRUE(log.stop());
}

/// A journald of the test's own behind a /run of its own. False where this machine does not allow it.
bool own_journal(pid_t& journald) {
    const char* program = "/lib/systemd/systemd-journald";
    if (::access(program, X_OK) != 0 || ::access("/usr/bin/journalctl", X_OK) != 0 ||
        ::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("none", "/run", "tmpfs", 0, nullptr) != 0)
        return false;
    std::filesystem::create_directories("/run/systemd/journal");
    std::filesystem::create_directories("/run/log/journal");
    std::string word = program;
    char* words[] = {word.data(), nullptr};
    if (::posix_spawn(&journald, program, nullptr, nullptr, words, ::environ) != 0)
        return false;
    for (int i = 0; i < 1'000; ++i, ::usleep(5'000))
        if (std::filesystem::exists("/run/systemd/journal/dev-log"))
            return true;
    return false;
}
void log_to_journal(std::string_view text) {
    const int socket = ::socket(AF_UNIX, SOCK_DGRAM, 0);
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    std::string_view("/run/systemd/journal/dev-log").copy(to.sun_path, sizeof to.sun_path - 1);
    ::sendto(socket, text.data(), text.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
    ::close(socket);
}

/// 0, 77 where there can be no journal, or the step that failed.
int follow_real_journal() {
    pid_t journald = 0;
    if (!own_journal(journald))
        return 77;
    const auto step = [] {
        followed log;
        log_to_journal("<22>Nov 22 07:00:00 postfix/smtp[4711]: before");
        log.start({});
        // Nothing tells when it has begun to follow.
        bool follows = false;
        for (int i = 0; i < 200 && !follows; ++i) {
            log_to_journal("<22>Nov 22 07:00:00 postfix/smtp[4711]: one");
            log.on.block_on(log.on.sleep_for(50ms));
            follows = !log.lines.empty();
        }
        if (!follows || !log.lines.front().ends_with(" postfix/smtp[4711]: one"))
            return 1;
        if (!log.stop() || log.cursor.empty())
            return 2;
        const auto cursor = log.cursor;
        log.lines.clear();
        log_to_journal("<22>Nov 22 07:00:00 postfix/smtp[4712]: meanwhile");
        log_to_journal("<38>Nov 22 07:00:00 sshd[1]: not of mail");
        log_to_journal("<22>Nov 22 07:00:00 postfix/smtp[4713]: last");
        log.start({.from = cursor});
        const auto is_last = [&] { return !log.lines.empty() && log.lines.back().ends_with("4713]: last"); };
        if (!eventually(log.on, is_last))
            return 3;
        const auto is_of_mail = [](const std::string& line) { return line.find("sshd") == line.npos; };
        if (!std::ranges::all_of(log.lines, is_of_mail))
            return 4;
        // Lines of the first run that were still on their way may stand before; none of those taken does.
        if (log.lines.size() < 2 || !log.lines[log.lines.size() - 2].ends_with("4712]: meanwhile"))
            return 5;
        if (!log.stop())
            return 6;
        log.lines.clear();
        log.start({.from = "no cursor at all"});
        const bool told = eventually(log.on, [&] { return !log.complaints.empty(); });
        return told && log.complaints.front().find("not known any more") != std::string::npos && log.stop()
                   ? 0
                   : 7;
    }();
    ::kill(journald, SIGTERM);
    ::waitpid(journald, nullptr, 0);
    return step;
}

TEST(JournalFollower, TheRealOne) {
    const pid_t child = ::fork();
    if (child == 0)
        ::_exit(follow_real_journal());
    int status = 0;
    ::waitpid(child, &status, 0);
    if (WEXITSTATUS(status) == 77)
        GTEST_SKIP() << "needs journald, and the right to a mount namespace of its own";
    EXPECT_EQ(status, 0) << "step " << WEXITSTATUS(status);
}

} // namespace
