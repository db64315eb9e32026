// SPDX-License-Identifier: Apache-2.0
// What `report read` and `report import` are given: files, maildirs, mboxes, folders of these.
#include "intake/ways_in.h"
#include "report_mail.h"
#include "support/scratch.h"
#include "support/sockets.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mailtight::intake {
namespace {

using namespace tests;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
namespace fs = std::filesystem;

void write(const std::string& path, std::string_view bytes) {
    fs::create_directories(fs::path(path).parent_path());
    std::ofstream(path) << bytes;
}
std::vector<input> all(const std::string& path) {
    std::vector<input> out;
    read_inputs(path, [&](input one) {
        out.push_back(std::move(one));
        return true;
    });
    return out;
}
std::vector<std::string> contents(const std::vector<input>& inputs) {
    std::vector<std::string> out;
    for (const auto& one : inputs)
        out.push_back(one.error.empty() ? one.bytes : "error: " + one.error);
    return out;
}

TEST(read_inputs, a_file_is_one_input) {
    const scratch_folder folder;
    write(folder / "a.json", "{}");
    const auto found = all(folder / "a.json");
    ASSERT_THAT(found, SizeIs(1));
    EXPECT_EQ(found[0].name, folder / "a.json");
    EXPECT_EQ(found[0].bytes, "{}");
    EXPECT_GT(found[0].modified.time_since_epoch().count(), 0);
    EXPECT_THAT(contents(all(folder / "missing")), ElementsAre("error: No such file or directory"));
}

TEST(read_inputs, a_folder_is_walked_in_order) {
    const scratch_folder folder;
    write(folder / "b/2.json", "2");
    write(folder / "a.json", "1");
    write(folder / "b/c/d/3.json", "3");
    write(folder / ".hidden", "x");
    write(folder / ".git/config", "x");
    EXPECT_THAT(contents(all(folder / "")), ElementsAre("1", "2", "3"));
}

TEST(read_inputs, an_mbox_is_its_messages) {
    const scratch_folder folder;
    const std::string postmark = "From x@y.example Mon May  4 06:00:00 2026\n";
    const std::string message = "Subject: x\nFrom: a@b.example\n\n>From here\n";
    write(folder / "m", postmark + message + "\n" + postmark + message + "\n");
    const auto found = all(folder / "m");
    ASSERT_THAT(found, SizeIs(2));
    EXPECT_EQ(found[1].name, folder / "m#2");
    EXPECT_TRUE(found[0].from_mbox);
    EXPECT_EQ(found[0].bytes, "Subject: x\nFrom: a@b.example\n\nFrom here\n");
}

TEST(read_inputs, a_maildir_is_its_mails_read_or_not) {
    const scratch_folder folder;
    for (const char* sub : {"M/new", "M/cur", "M/tmp", "M/.Old/new", "M/.Old/cur"})
        fs::create_directories(folder / sub);
    write(folder / "M/new/1", "new");
    write(folder / "M/cur/2:2,S", "seen");
    write(folder / "M/tmp/3", "being written");
    write(folder / "M/dovecot.index", "index");
    write(folder / "M/.Old/cur/4:2,S", "old");
    EXPECT_THAT(contents(all(folder / "M")), ElementsAre("new", "seen", "old"));
    EXPECT_THAT(contents(all(folder / "")), ElementsAre("new", "seen", "old"));
}

TEST(read_inputs, links_that_leave_the_folder_are_not_followed) {
    const scratch_folder folder, outside;
    write(folder / "in/a.json", "inside");
    write(outside / "secret", "secret");
    fs::create_symlink(outside / "secret", folder / "in/b");
    fs::create_symlink("/", folder / "in/root");
    fs::create_symlink(folder / "in", folder / "in/ring");
    fs::create_symlink("a.json", folder / "in/c");
    fs::create_symlink("../../../../../../etc/hostname", folder / "in/d");
    ASSERT_EQ(::mkfifo((folder / "in/pipe").c_str(), 0600), 0);
    EXPECT_THAT(contents(all(folder / "in")), ElementsAre("inside", "inside"));
    // What the person names is followed.
    fs::create_symlink(outside / "secret", folder / "named");
    EXPECT_THAT(contents(all(folder / "named")), ElementsAre("secret"));
}

TEST(read_inputs, depth_is_bounded) {
    const scratch_folder folder;
    std::string deep = "d";
    for (int i = 0; i < 40; ++i)
        deep += "/d";
    write(folder / (deep + "/a.json"), "x");
    EXPECT_THAT(contents(all(folder / "d")), ElementsAre("error: nested too deeply"));
}

TEST(read_inputs, a_file_that_is_too_large_is_an_error) {
    const scratch_folder folder;
    write(folder / "big", "");
    fs::resize_file(folder / "big", input_bytes + 1);
    EXPECT_THAT(contents(all(folder / "big")), ElementsAre("error: larger than 100 MiB"));
}

TEST(read_inputs, a_pipe_is_read_to_its_end) {
    const scratch_folder folder;
    const auto path = folder / "pipe";
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    std::thread writes([&] { write(path, "From x@y.example Mon May  4 06:00:00 2026\nSubject: 1\n\nb\n"); });
    const auto found = all(path);
    writes.join();
    ASSERT_THAT(found, SizeIs(1));
    EXPECT_EQ(found[0].bytes, "Subject: 1\n\nb\n");
    EXPECT_EQ(found[0].name, path + "#1");
}

TEST(read_inputs, the_caller_may_have_enough) {
    const scratch_folder folder;
    for (int i = 0; i < 10; ++i)
        write(folder / std::to_string(i), "x");
    int seen = 0;
    read_inputs(folder / "", [&](input) { return ++seen < 3; });
    EXPECT_EQ(seen, 3);
}

} // namespace
} // namespace mailtight::intake
