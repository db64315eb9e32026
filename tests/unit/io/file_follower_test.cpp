// SPDX-License-Identifier: Apache-2.0
// A growing file with real rotation: each line once, in order, whatever happens to the file.
#include "io/file_follower.h"
#include "support/scratch.h"
#include "support/sockets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

using namespace mailtight;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using tests::eventually;
namespace fs = std::filesystem;

namespace {

void append(const std::string& path, std::string_view text) {
    std::ofstream(path, std::ios::app) << text << std::flush;
}

/// A log, and who follows it.
struct followed {
    tests::scratch_folder folder;
    std::string path = folder / "mail.log";
    io::loop on;
    std::vector<std::string> lines, complaints;
    io::file_position position;
    std::unique_ptr<io::file_follower> follower;

    void start(io::follow_options options = {}) {
        options.path = path;
        options.look_every = 2ms;
        follower = std::make_unique<io::file_follower>(
            on, std::move(options), [this](std::string_view line) { lines.emplace_back(line); },
            [this](const io::file_position& to) { position = to; },
            [this](std::string_view words) { complaints.emplace_back(words); });
        on.spawn(follower->run());
        turn();
    }
    void resume() { start({.from = io::file_position::parse(position.to_string())}); }
    /// Ends as a daemon does; what was taken is kept.
    void stop() {
        follower->stop();
        turn();
        follower.reset();
        lines.clear();
    }
    /// Lets it look a few times.
    void turn() { on.block_on(on.sleep_for(25ms)); }
    bool has(std::size_t count) {
        return eventually(on, [this, count] { return lines.size() >= count; });
    }
    /// As logrotate with `create`.
    void rename_and_create() {
        for (int i = 8; i > 0; --i)
            if (const auto old = path + "." + std::to_string(i); fs::exists(old))
                fs::rename(old, path + "." + std::to_string(i + 1));
        fs::rename(path, path + ".1");
        append(path, "");
    }
};

TEST(FilePosition, IsKeptAsText) {
    const io::file_position one{.device = 65'024, .inode = 4'711, .offset = 18'446'744'073'709'551'615u};
    EXPECT_EQ(one.to_string(), "65024:4711:18446744073709551615");
    const auto read = io::file_position::parse(one.to_string());
    EXPECT_EQ(read.device, one.device);
    EXPECT_EQ(read.inode, one.inode);
    EXPECT_EQ(read.offset, one.offset);
    for (const char* bad :
         {"", "1", "1:2", "1:2:", "1:2:3:4", "1:2:x", "-1:2:3", "1:2:99999999999999999999", " 1:2:3"})
        EXPECT_EQ(io::file_position::parse(bad).inode, 0u) << bad;
}

TEST(FileFollower, BeginsAtTheEndAndTakesWhatComes) {
    followed log;
    append(log.path, "old\nolder\n");
    log.start();
    append(log.path, "one\ntwo\n");
    ASSERT_TRUE(log.has(2));
    append(log.path, "\nthree\r\n");
    ASSERT_TRUE(log.has(4));
    EXPECT_THAT(log.lines, ElementsAre("one", "two", "", "three\r"));
    EXPECT_EQ(log.position.offset, fs::file_size(log.path));
    EXPECT_EQ(log.follower->counted().lines, 4u);
}

TEST(FileFollower, WhatThereIsNoRoomForStaysInTheFileOverRotation) {
    followed log;
    bool no_room = false;
    append(log.path, "old\n");
    log.start({.wait = [&] { return no_room; }});
    no_room = true;
    append(log.path, "one\n");
    log.turn();
    log.rename_and_create();
    append(log.path, "two\n");
    log.turn();
    EXPECT_THAT(log.lines, IsEmpty());
    EXPECT_EQ(log.position.offset, 4u);
    no_room = false;
    ASSERT_TRUE(log.has(2));
    EXPECT_THAT(log.lines, ElementsAre("one", "two"));
}

TEST(FileFollower, ALineIsWaitedForUntilItsEnd) {
    followed log;
    append(log.path, "old\nhalf of ");
    log.start();
    EXPECT_EQ(log.position.offset, 4u) << "a line that ends later is new";
    append(log.path, "a line");
    log.turn();
    EXPECT_THAT(log.lines, IsEmpty());
    append(log.path, "\nnext");
    ASSERT_TRUE(log.has(1));
    EXPECT_THAT(log.lines, ElementsAre("half of a line"));
    EXPECT_EQ(log.position.offset, 19u) << "the beginning of the next";
    // Whoever begins there again reads it whole.
    log.stop();
    append(log.path, " one\n");
    log.resume();
    ASSERT_TRUE(log.has(1));
    EXPECT_THAT(log.lines, ElementsAre("next one"));
}

TEST(FileFollower, AMissingFileIsWaitedForAndReadFromItsBeginning) {
    followed log;
    log.start();
    EXPECT_TRUE(log.follower->counted().missing);
    EXPECT_FALSE(log.follower->counted().was_there) << "a path that nobody writes to";
    log.turn();
    EXPECT_THAT(log.complaints, ElementsAre(HasSubstr("mail.log is not there"))) << "once";
    append(log.path, "first\n");
    ASSERT_TRUE(log.has(1));
    EXPECT_THAT(log.lines, ElementsAre("first"));
    EXPECT_FALSE(log.follower->counted().missing);
    EXPECT_TRUE(log.follower->counted().was_there);
}

TEST(FileFollower, WhatIsNoFileIsComplainedOf) {
    followed log;
    fs::create_directory(log.path);
    log.start();
    EXPECT_THAT(log.complaints, ElementsAre(HasSubstr("Is a directory")));
    fs::remove(log.path);
    ASSERT_EQ(::mkfifo(log.path.c_str(), 0600), 0);
    EXPECT_TRUE(eventually(log.on, [&] {
        return log.complaints.back().find("Invalid argument") != std::string::npos;
    })) << log.complaints.back();
    fs::remove(log.path);
    append(log.path, "first\n");
    ASSERT_TRUE(log.has(1));
}

TEST(FileFollower, RotationByRenaming) {
    followed log;
    append(log.path, "");
    log.start();
    append(log.path, "one\n");
    ASSERT_TRUE(log.has(1));
    log.rename_and_create();
    append(log.path + ".1", "two\n"); // the writer has not been told yet
    ASSERT_TRUE(log.has(2));
    append(log.path + ".1", "three\nfour without an end");
    append(log.path, "five\n"); // now it has
    ASSERT_TRUE(log.has(5));
    append(log.path, "six\n");
    ASSERT_TRUE(log.has(6));
    EXPECT_THAT(log.lines, ElementsAre("one", "two", "three", "four without an end", "five", "six"));
    EXPECT_EQ(log.follower->counted().rotations, 1u);
    EXPECT_EQ(log.position.offset, 9u);
}

TEST(FileFollower, ManyRotationsInOneMoment) {
    followed log;
    append(log.path, "");
    log.start();
    std::vector<std::string> expected;
    for (int round = 0; round < 5; ++round) {
        for (int i = 0; i < 3; ++i) {
            expected.push_back(std::to_string(round) + "." + std::to_string(i));
            append(log.path, expected.back() + "\n");
        }
        log.rename_and_create();
    }
    append(log.path, "end\n");
    expected.emplace_back("end");
    ASSERT_TRUE(log.has(expected.size()));
    EXPECT_EQ(log.lines, expected);
}

TEST(FileFollower, RotationByCopyAndTruncation) {
    followed log;
    append(log.path, "old and long enough\n");
    log.start();
    append(log.path, "one\nhalf");
    ASSERT_TRUE(log.has(1));
    fs::copy_file(log.path, log.path + ".1");
    fs::resize_file(log.path, 0);
    log.turn();
    append(log.path, "two\n");
    ASSERT_TRUE(log.has(2));
    EXPECT_THAT(log.lines, ElementsAre("one", "two"));
    EXPECT_EQ(log.follower->counted().rotations, 1u);
    EXPECT_EQ(log.position.offset, 4u);
}

TEST(FileFollower, ADeletedFileIsReadToItsEnd) {
    followed log;
    append(log.path, "");
    log.start();
    std::ofstream writer(log.path, std::ios::app);
    fs::remove(log.path);
    writer << "one\n" << std::flush;
    ASSERT_TRUE(log.has(1));
    EXPECT_TRUE(eventually(log.on, [&] { return log.follower->counted().missing; }));
    writer << "two\n" << std::flush;
    writer.close();
    append(log.path, "three\n");
    ASSERT_TRUE(log.has(3));
    EXPECT_THAT(log.lines, ElementsAre("one", "two", "three"));
}

TEST(FileFollower, LongLinesAreCutAndCounted) {
    followed log;
    append(log.path, "");
    log.start({.line_bytes = 100, .chunk = 64});
    const std::string fits(100, 'a'), over(101, 'b'), far(1'000, 'c');
    append(log.path, fits + "\n" + over + "\n" + far + "\nshort\n");
    ASSERT_TRUE(log.has(4));
    EXPECT_THAT(log.lines, ElementsAre(fits, over.substr(0, 100), far.substr(0, 100), "short"));
    EXPECT_EQ(log.follower->counted().cut, 2u);
}

TEST(FileFollower, TheRestOfALongLineIsNoLine) {
    followed log;
    append(log.path, std::string(1'000, 'x'));
    log.start({.line_bytes = 100});
    append(log.path, "xxx\nnext\n");
    ASSERT_TRUE(log.has(1));
    EXPECT_THAT(log.lines, ElementsAre("next"));
}

TEST(FileFollower, AnyBytesAreALine) {
    followed log;
    append(log.path, "");
    log.start();
    const std::string odd("a\0b\xff\xfe\x1b[2J", 9);
    append(log.path, odd + "\n");
    ASSERT_TRUE(log.has(1));
    EXPECT_THAT(log.lines, ElementsAre(odd));
}

TEST(FileFollower, GoesOnWhereItWas) {
    followed log;
    append(log.path, "old\n");
    log.start();
    append(log.path, "one\n");
    ASSERT_TRUE(log.has(1));
    log.stop();
    append(log.path, "two\n");
    log.resume();
    ASSERT_TRUE(log.has(1));
    EXPECT_THAT(log.lines, ElementsAre("two"));
}

TEST(FileFollower, APositionIsToldBeforeTheFirstLine) {
    followed log;
    append(log.path, "old\n");
    log.start();
    log.stop();
    append(log.path, "written meanwhile\n");
    log.resume();
    ASSERT_TRUE(log.has(1));
    EXPECT_THAT(log.lines, ElementsAre("written meanwhile"));
}

TEST(FileFollower, FinishesTheFileThatWasRotatedMeanwhile) {
    followed log;
    append(log.path, "");
    log.start();
    append(log.path, "one\n");
    ASSERT_TRUE(log.has(1));
    log.stop();
    append(log.path, "two\n");
    log.rename_and_create();
    append(log.path, "three\n");
    log.rename_and_create();
    append(log.path, "four\n");
    log.resume();
    ASSERT_TRUE(log.has(3));
    EXPECT_THAT(log.lines, ElementsAre("two", "three", "four"));
}

TEST(FileFollower, FinishesADatedFile) {
    followed log;
    append(log.path, "");
    append(log.path + "-20261119", "older\n");
    append(log.path + "-20261119.gz", "packed\n");
    append(log.path + "-copy", "nobody's\n");
    log.start();
    log.stop();
    append(log.path, "one\n");
    fs::rename(log.path, log.path + "-20261120");
    append(log.path + "-20261121", "two\n");
    append(log.path + "-20261122", "three\n");
    append(log.path, "four\n");
    log.resume();
    ASSERT_TRUE(log.has(4));
    EXPECT_THAT(log.lines, ElementsAre("one", "two", "three", "four"));
}

TEST(FileFollower, AFileThatIsGoneIsSaidAndTheNewOneReadWhole) {
    followed log;
    append(log.path, "");
    log.start();
    append(log.path, "one\n");
    ASSERT_TRUE(log.has(1));
    log.stop();
    append(log.path + ".new", "another\n");
    fs::rename(log.path + ".new", log.path); // while the old one still has its inode
    log.resume();
    ASSERT_TRUE(log.has(1));
    EXPECT_THAT(log.lines, ElementsAre("another"));
    EXPECT_THAT(log.complaints, ElementsAre(HasSubstr("is gone")));
}

TEST(FileFollower, AnInodeThatIsUsedAgainIsAnotherFile) {
    // What tells them apart: the size, and that a line begins at the offset.
    for (const auto* text : {"short\n", "a line that is longer than what was read\n"}) {
        followed log;
        append(log.path, "");
        log.start();
        append(log.path, "12345678901234567890\n");
        ASSERT_TRUE(log.has(1));
        log.stop();
        fs::resize_file(log.path, 0); // the same inode
        append(log.path, text);
        log.resume();
        ASSERT_TRUE(log.has(1));
        EXPECT_EQ(log.lines.front() + "\n", text);
    }
}

TEST(FileFollower, TheNumberOfADeviceMayChange) {
    followed log;
    append(log.path, "old\nnew\n");
    struct stat found{};
    ASSERT_EQ(::stat(log.path.c_str(), &found), 0);
    log.start({.from = {.device = found.st_dev + 1, .inode = found.st_ino, .offset = 4}});
    ASSERT_TRUE(log.has(1));
    EXPECT_THAT(log.lines, ElementsAre("new"));
}

std::size_t resident_kb() {
    std::ifstream in("/proc/self/statm");
    std::size_t all = 0, pages = 0;
    in >> all >> pages;
    return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) / 1'024;
}

TEST(FileFollower, AMillionLinesInBoundedMemory) {
    constexpr std::size_t count = 1'000'000;
    const tests::scratch_folder folder;
    const auto path = folder / "mail.log";
    {
        std::ofstream out(path);
        for (std::size_t i = 0; i < count; ++i)
            out << "Nov 22 07:00:00 mx postfix/smtp[4711]: Trusted TLS connection established to mx.example "
                << i << '\n';
    }
    struct stat found{};
    ASSERT_EQ(::stat(path.c_str(), &found), 0);
    io::loop on;
    std::size_t lines = 0, turns = 0, out_of_order = 0;
    io::file_follower follower(
        on, {.path = path, .from = {.device = found.st_dev, .inode = found.st_ino, .offset = 0}},
        [&](std::string_view line) {
            const auto number = line.substr(line.rfind(' ') + 1);
            out_of_order += number == std::to_string(lines) ? 0 : 1;
            ++lines;
        },
        [](const io::file_position&) {}, [](std::string_view) {});
    const auto before = resident_kb();
    on.spawn(follower.run());
    ASSERT_TRUE(eventually(on, [&] { return ++turns > 0 && lines == count; }, 60s));
    EXPECT_EQ(out_of_order, 0u);
    EXPECT_GT(turns, 20u) << "the loop goes on meanwhile";
    EXPECT_LT(resident_kb(), before + 8'192);
}

} // namespace
