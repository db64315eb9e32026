// SPDX-License-Identifier: Apache-2.0
// Maildirs and mboxes watched: what is taken, when it is marked, and what a crash or a rotation does.
#include "base/time.h"
#include "intake/maildir.h"
#include "intake/mbox_file.h"
#include "intake/mbox_lock.h"
#include "intake/ways_in.h"
#include "intake_world.h"
#include "support/scratch.h"

#include <gmock/gmock.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace mailtight::intake {
namespace {

using namespace std::chrono_literals;
using namespace tests;
using mood = memory_database::mood;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;
namespace fs = std::filesystem;

void write(const std::string& path, std::string_view bytes, bool append = false) {
    std::ofstream(path, append ? std::ios::app : std::ios::trunc) << bytes;
}
std::vector<std::string> names_in(const std::string& folder) {
    std::vector<std::string> out;
    for (const auto& entry : fs::directory_iterator(folder))
        out.push_back(entry.path().filename().string());
    std::ranges::sort(out);
    return out;
}

struct maildir_world : intake_world {
    scratch_folder folder;
    std::string maildir = folder / "Maildir";
    std::optional<folder_intake> way;
    io::started<bool> running;

    maildir_world() {
        for (const char* sub : {"", "/tmp", "/new", "/cur"})
            fs::create_directory(maildir + sub);
    }
    void deliver(const std::string& name, const std::string& mail) const {
        write(maildir + "/tmp/" + name, mail);
        fs::rename(maildir + "/tmp/" + name, maildir + "/new/" + name);
    }
    void start(folder_intake_options options) {
        way.emplace(loop, *keeper, clock, std::move(options));
        auto run = [](folder_intake& of) -> io::task<bool> {
            co_await of.run();
            co_return true;
        };
        running = io::start(loop, run(*way));
    }
    void start(const std::string& after = "seen", std::chrono::milliseconds interval = 10s) {
        folder_intake_options options;
        options.maildir = maildir;
        options.after = after;
        options.interval = interval;
        start(std::move(options));
    }
    void stop() {
        if (!way)
            return;
        way->stop();
        loop.block_on(running.get());
        way.reset();
    }
    ~maildir_world() { stop(); }
    bool until(std::function<bool()> so) { return eventually(loop, std::move(so)); }
};

TEST(folder_intake, takes_what_is_unread_and_marks_it_after_the_commit) {
    maildir_world world;
    world.deliver("1.new", signed_mail("one"));
    write(world.maildir + "/cur/2.unread:2,", signed_mail("two"));
    write(world.maildir + "/cur/3.read:2,S", signed_mail("three"));
    write(world.maildir + "/cur/4.flagged:2,F", signed_mail("four"));
    world.database->hold(true);
    world.start();
    EXPECT_TRUE(world.until([&] { return world.keeper->counters().queued == 3; }));
    EXPECT_THAT(names_in(world.maildir + "/new"), ElementsAre("1.new")); // not before the commit
    world.database->hold(false);
    EXPECT_TRUE(world.until([&] { return names_in(world.maildir + "/cur").size() == 4; }));
    EXPECT_THAT(names_in(world.maildir + "/cur"),
                ElementsAre("1.new:2,S", "2.unread:2,S", "3.read:2,S", "4.flagged:2,FS"));
    EXPECT_THAT(world.database->ids(), UnorderedElementsAre("one", "two", "four"));
    EXPECT_EQ(world.way->status().accepted, 3U);
    EXPECT_EQ(world.way->status().name, "maildir");
}

TEST(folder_intake, wakes_when_a_mail_arrives) {
    maildir_world world;
    world.start("seen", 10min);
    world.loop.block_on(world.loop.sleep_for(50ms));
    world.deliver("1.new", signed_mail("one"));
    EXPECT_TRUE(world.until([&] { return world.database->count() == 1; }));
}

TEST(folder_intake, removes_or_moves_as_it_is_told) {
    maildir_world remove;
    remove.deliver("1.new", signed_mail("one"));
    remove.start("delete");
    EXPECT_TRUE(remove.until([&] { return names_in(remove.maildir + "/new").empty(); }));
    EXPECT_THAT(names_in(remove.maildir + "/cur"), IsEmpty());

    maildir_world move;
    move.deliver("1.new", signed_mail("one"));
    move.start(".Reports");
    EXPECT_TRUE(move.until([&] { return names_in(move.maildir + "/new").empty(); }));
    EXPECT_THAT(names_in(move.maildir + "/.Reports/cur"), ElementsAre("1.new:2,S"));
    EXPECT_EQ(move.database->count(), 1U);
}

TEST(folder_intake, leaves_what_holds_no_report_to_a_person) {
    maildir_world world;
    world.deliver("1.letter", "From: a@b.example\r\nSubject: x\r\n\r\nHello\r\n");
    fs::create_symlink("/etc/passwd", world.maildir + "/new/2.link");
    ASSERT_EQ(::mkfifo((world.maildir + "/new/3.pipe").c_str(), 0600), 0);
    world.start("delete", 20ms);
    EXPECT_TRUE(world.until([&] { return world.way->status().refused == 3; }));
    world.loop.block_on(world.loop.sleep_for(100ms)); // some more rounds
    EXPECT_EQ(world.keeper->counters().inputs, 1U);   // read once, not at every round; the link never
    EXPECT_THAT(names_in(world.maildir + "/new"), ElementsAre("1.letter", "2.link", "3.pipe"));
}

TEST(folder_intake, tries_once_an_hour_what_cannot_be_read) {
    maildir_world world;
    const auto place = world.maildir + "/new/1.new";
    fs::create_directory(place); // as little to be read as a file on a disk that fails
    world.start("seen", 20ms);
    ASSERT_TRUE(world.until([&] { return world.way->status().refused == 1; }));
    fs::remove(place);
    world.deliver("1.new", signed_mail("one"));
    world.clock.passed = 3'599;
    world.loop.block_on(world.loop.sleep_for(100ms)); // some more rounds
    EXPECT_EQ(world.database->count(), 0U);
    world.clock.passed = 3'600;
    EXPECT_TRUE(world.until([&] { return world.database->count() == 1; }));
    EXPECT_EQ(world.way->status().refused, 1U);
}

TEST(folder_intake, tries_again_after_the_store_has_recovered) {
    maildir_world world;
    world.database->behaves = mood::full;
    world.deliver("1.new", signed_mail("one"));
    world.start("delete", 20ms);
    EXPECT_TRUE(world.until([&] { return world.keeper->counters().later > 0; }));
    EXPECT_THAT(names_in(world.maildir + "/new"), ElementsAre("1.new"));
    EXPECT_THAT(world.way->status().last_error, HasSubstr("no space"));
    world.database->behaves = mood::fine;
    EXPECT_TRUE(world.until([&] { return names_in(world.maildir + "/new").empty(); }));
    EXPECT_EQ(world.database->count(), 1U);
}

TEST(folder_intake, a_full_maildir_is_taken_in_chunks) {
    maildir_world world;
    for (int i = 0; i < 700; ++i)
        world.deliver(std::to_string(1000 + i), signed_mail(std::to_string(i)));
    world.start("delete");
    EXPECT_TRUE(world.until([&] { return names_in(world.maildir + "/new").empty(); }));
    EXPECT_EQ(world.database->count(), 700U);
}

TEST(maildir, understands_what_becomes_of_a_mail) {
    for (const char* good : {"seen", "delete", ".Reports", ".a.b"})
        EXPECT_TRUE(parse_maildir_end(good)) << good;
    for (const char* bad : {"", ".", "Reports", "..", "../x", "./x", ".a/b", ".a..b"})
        EXPECT_FALSE(parse_maildir_end(bad)) << bad;
}

// ---- mbox ----

std::string postmarked(const std::string& mail) {
    auto text = "From tls@reporter.example Mon May  4 06:00:00 2026\n" + mail;
    std::erase(text, '\r');
    return text + "\n";
}

struct mbox_world : maildir_world {
    std::string mbox = folder / "reports.mbox";
    void watch(std::chrono::milliseconds interval = 20ms) {
        folder_intake_options options;
        options.mbox = mbox;
        options.interval = interval;
        start(options);
    }
    mbox_place place() {
        const std::scoped_lock locked(database->guard);
        return mbox_place::parse(database->facts["mbox:" + mbox]);
    }
    bool reached_end() {
        return until([&] { return place().offset == fs::file_size(mbox); });
    }
};

TEST(folder_intake, an_mbox_is_read_on_from_its_place) {
    mbox_world world;
    write(world.mbox, postmarked(signed_mail("one")) + postmarked(signed_mail("two")));
    world.watch();
    EXPECT_TRUE(world.reached_end());
    EXPECT_THAT(world.database->ids(), ElementsAre("one", "two"));
    EXPECT_EQ(world.database->reports.at(0).trust, model::trust::verified);
    EXPECT_EQ(world.database->reports.at(0).way, model::way_in::mbox);
    write(world.mbox, postmarked(signed_mail("three")), true);
    EXPECT_TRUE(world.reached_end());
    EXPECT_THAT(world.database->ids(), ElementsAre("one", "two", "three"));
    EXPECT_EQ(world.keeper->counters().inputs, 3U); // each once
    world.stop();
    world.watch(); // the place is the store's, not the process's
    write(world.mbox, postmarked(signed_mail("four")), true);
    EXPECT_TRUE(world.reached_end());
    EXPECT_EQ(world.keeper->counters().inputs, 4U);
}

TEST(folder_intake, a_rotated_or_cut_mbox_begins_anew) {
    mbox_world world;
    write(world.mbox, postmarked(signed_mail("one")) + postmarked(signed_mail("two")));
    world.watch();
    EXPECT_TRUE(world.reached_end());
    fs::rename(world.mbox, world.mbox + ".1");
    write(world.mbox, postmarked(signed_mail("three")));
    EXPECT_TRUE(world.reached_end());
    write(world.mbox, ""); // cut, same file
    EXPECT_TRUE(world.reached_end());
    write(world.mbox, postmarked(signed_mail("four")) + postmarked(signed_mail("five")), true);
    EXPECT_TRUE(world.until([&] { return world.database->count() == 5; }));
    // Cut and grown past the place between two rounds: the bytes before it are others.
    EXPECT_TRUE(world.reached_end());
    world.stop();
    write(world.mbox, postmarked(signed_mail("six")) + postmarked(signed_mail("seven")) +
                          postmarked(signed_mail("eight")));
    world.watch();
    EXPECT_TRUE(world.until([&] { return world.database->count() == 8; }));
}

TEST(folder_intake, an_mbox_waits_for_the_store_and_for_its_writer) {
    mbox_world world;
    write(world.mbox, postmarked(signed_mail("one")));
    write(world.mbox + ".lock", "");
    world.database->behaves = mood::full;
    world.watch();
    world.loop.block_on(world.loop.sleep_for(60ms));
    EXPECT_EQ(world.keeper->counters().inputs, 0U);
    world.database->behaves = mood::fine;
    world.loop.block_on(world.loop.sleep_for(60ms));
    EXPECT_EQ(world.keeper->counters().inputs, 0U); // still locked
    fs::remove(world.mbox + ".lock");
    EXPECT_TRUE(world.reached_end());
    EXPECT_EQ(world.database->count(), 1U);
}

/// The lock of an mbox as it was made so long ago.
void lock_mbox(const mbox_world& world, const std::string& content, std::chrono::seconds age) {
    const auto path = world.mbox + ".lock";
    write(path, content);
    const auto made = (world.clock.now() - age).time_since_epoch().count();
    const std::array<timespec, 2> times{timespec{.tv_sec = made, .tv_nsec = 0},
                                        timespec{.tv_sec = made, .tv_nsec = 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times.data(), 0), 0);
}
/// A process that was.
pid_t gone_process() {
    const pid_t child = ::fork();
    if (child == 0)
        ::_exit(0);
    ::waitpid(child, nullptr, 0);
    return child;
}

TEST(folder_intake, a_lock_that_was_left_behind_is_told_and_never_removed) {
    mbox_world world;
    write(world.mbox, postmarked(signed_mail("one")));
    lock_mbox(world, std::to_string(gone_process()) + "\n", 10min);
    world.watch();
    EXPECT_TRUE(world.until([&] { return !world.way->status().last_error.empty(); }));
    const auto told = world.way->status();
    EXPECT_THAT(told.last_error, HasSubstr(world.mbox + ".lock is there since "));
    EXPECT_THAT(told.last_error, HasSubstr("is gone"));
    EXPECT_THAT(told.last_error, HasSubstr("remove it: rm "));
    EXPECT_EQ(told.last_error_at, world.clock.now());
    EXPECT_TRUE(fs::exists(world.mbox + ".lock"));
    EXPECT_EQ(world.keeper->counters().inputs, 0U);
    fs::remove(world.mbox + ".lock"); // by a person
    EXPECT_TRUE(world.reached_end());
    EXPECT_EQ(world.database->count(), 1U);
}

TEST(mbox_lock, is_told_by_its_age_and_its_holder) {
    const mbox_world world;
    const auto told = [&](const std::string& content, std::chrono::seconds age) {
        lock_mbox(world, content, age);
        const auto found = find_mbox_lock(world.mbox, {world.clock.now(), world.clock.now()});
        EXPECT_TRUE(found.has_value());
        return found ? found->trouble : "";
    };
    const auto ours = std::to_string(::getpid()), gone = std::to_string(gone_process());
    const mbox_wait begins{world.clock.now(), world.clock.now()};
    EXPECT_FALSE(find_mbox_lock(world.mbox, begins).has_value()) << "no lock";
    EXPECT_THAT(told(gone, 59s), IsEmpty()) << "a delivery may take so long";
    EXPECT_THAT(told("", -1h), IsEmpty()) << "another machine's clock";
    EXPECT_THAT(told(ours, 1min),
                HasSubstr("process " + ours + " (test_intake), which it names, is running"));
    EXPECT_THAT(told(ours, 24h), Not(HasSubstr("rm "))) << "whoever runs may write";
    EXPECT_THAT(told(gone, 2min), AllOf(HasSubstr("is gone"), Not(HasSubstr("rm "))));
    EXPECT_THAT(told(gone, 5min), HasSubstr("rm "));
    for (const auto* unknown :
         {"", "0", "-1", "1 2", "4711:mail.example.com", "\xff", "99999999999999999999"})
        EXPECT_THAT(told(unknown, 1h), AllOf(HasSubstr("names no process"), HasSubstr("rm "))) << unknown;
}

TEST(mbox_lock, that_is_made_again_and_again_is_told_by_how_long_nothing_was_read) {
    const mbox_world world;
    lock_mbox(world, "", 1s);
    const auto now = world.clock.now();
    const auto brief = find_mbox_lock(world.mbox, {now - 59s, now}),
               lasts = find_mbox_lock(world.mbox, {now - 60s, now});
    ASSERT_TRUE(brief && lasts);
    EXPECT_THAT(brief->trouble, IsEmpty());
    EXPECT_THAT(lasts->trouble, AllOf(HasSubstr("nothing is read since " + base::format_utc(now - 60s)),
                                      HasSubstr(world.mbox + ".lock is there since"), Not(HasSubstr("rm "))));
}

/// Another process with the kernel's lock for writing on a file, until it is let go.
class lock_holder {
public:
    explicit lock_holder(const std::string& path) {
        std::array<int, 2> ready{}, end{};
        if (::pipe2(ready.data(), O_CLOEXEC) != 0 || ::pipe2(end.data(), O_CLOEXEC) != 0)
            return;
        process_ = ::fork();
        if (process_ == 0) { // only what a fork of a program with threads may do
            ::close(end[1]);
            struct flock whole{};
            whole.l_type = F_WRLCK;
            whole.l_whence = SEEK_SET;
            const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
            char byte = ::fcntl(fd, F_SETLKW, &whole) == 0 ? 'y' : 'n';
            if (::write(ready[1], &byte, 1) == 1)
                ::read(end[0], &byte, 1) == 0 ? ::_exit(0) : ::_exit(1);
            ::_exit(2);
        }
        ::close(ready[1]);
        ::close(end[0]);
        char byte = 'n';
        holds_ = ::read(ready[0], &byte, 1) == 1 && byte == 'y';
        ::close(ready[0]);
        end_ = end[1];
    }
    lock_holder(const lock_holder&) = delete;
    lock_holder& operator=(const lock_holder&) = delete;
    ~lock_holder() { let_go(); }
    void let_go() {
        if (end_ < 0)
            return;
        ::close(std::exchange(end_, -1));
        ::waitpid(process_, nullptr, 0);
    }
    bool holds() const { return holds_; }
    pid_t process() const { return process_; }

private:
    pid_t process_ = -1;
    int end_ = -1;
    bool holds_ = false;
};

/// As the daemon sees it: what came last was a failure.
bool fails(const way_status& now) {
    return !now.last_error.empty() && now.last_error_at > now.last_success;
}

TEST(folder_intake, a_kernel_lock_that_lasts_is_told_with_its_holder_and_over_when_it_is_let_go) {
    mbox_world world;
    write(world.mbox, postmarked(signed_mail("one")));
    world.watch();
    ASSERT_TRUE(world.reached_end());
    ASSERT_TRUE(world.until([&] { return world.way->status().last_success == world.clock.now(); }));
    lock_holder other(world.mbox);
    ASSERT_TRUE(other.holds());
    write(world.mbox, postmarked(signed_mail("two")), true); // as the holder would
    const auto since = world.clock.now();
    world.loop.block_on(world.loop.sleep_for(300ms)); // some rounds
    world.clock.passed = 59;
    world.loop.block_on(world.loop.sleep_for(60ms));
    EXPECT_THAT(world.way->status().last_error, IsEmpty()) << "a delivery may take so long";
    world.clock.passed = 60;
    EXPECT_TRUE(world.until([&] { return fails(world.way->status()); }));
    EXPECT_THAT(world.way->status().last_error,
                AllOf(HasSubstr("nothing is read since " + base::format_utc(since)),
                      HasSubstr("process " + std::to_string(other.process()) + " ("),
                      HasSubstr("holds the kernel's lock (fcntl) on " + world.mbox)));
    EXPECT_EQ(world.keeper->counters().inputs, 1U);
    world.clock.passed = 3'600; // still, and since when
    EXPECT_TRUE(world.until([&] { return world.way->status().last_error_at == world.clock.now(); }));
    EXPECT_THAT(world.way->status().last_error, HasSubstr("since " + base::format_utc(since)));
    other.let_go();
    EXPECT_TRUE(world.reached_end());
    EXPECT_TRUE(world.until([&] { return !fails(world.way->status()); }));
    EXPECT_EQ(world.database->count(), 2U);
    // The next wait is another one.
    lock_holder again(world.mbox);
    ASSERT_TRUE(again.holds());
    world.loop.block_on(world.loop.sleep_for(60ms));
    EXPECT_FALSE(fails(world.way->status()));
}

TEST(mbox_lock, tells_of_a_kernel_lock_without_a_process) {
    const mbox_world world;
    write(world.mbox, "");
    const auto now = world.clock.now();
    auto ours = open_regular(world.mbox, follow_links::no);
    ASSERT_TRUE(ours);
    const auto free = lock_for_reading(ours->handle, world.mbox, {now, now});
    EXPECT_TRUE(free && !*free);
    ours = open_regular(world.mbox, follow_links::no); // the lock went with the file
    ASSERT_TRUE(ours);
    // An open file's lock has no process.
    const int writer = ::open(world.mbox.c_str(), O_RDWR | O_CLOEXEC);
    struct flock whole{};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    ASSERT_EQ(::fcntl(writer, F_OFD_SETLK, &whole), 0);
    const auto brief = lock_for_reading(ours->handle, world.mbox, {now - 59s, now});
    ASSERT_TRUE(brief && *brief);
    EXPECT_THAT((*brief)->trouble, IsEmpty());
    const auto lasts = lock_for_reading(ours->handle, world.mbox, {now - 60s, now});
    ASSERT_TRUE(lasts && *lasts);
    EXPECT_THAT((*lasts)->trouble,
                HasSubstr("another program (lslocks may name it) holds the kernel's lock"));
    ::close(writer);
    // What cannot be locked is told at once.
    const auto none = lock_for_reading(file_handle(), world.mbox, {now, now});
    ASSERT_FALSE(none);
    EXPECT_THAT(none.error(), HasSubstr(world.mbox + " cannot be locked: "));
}

TEST(folder_intake, what_holds_no_report_is_no_failure_of_the_folder) {
    maildir_world world;
    world.deliver("1.letter", "From: a@b.example\r\nSubject: x\r\n\r\nHello\r\n");
    world.start("seen", 20ms);
    ASSERT_TRUE(world.until([&] { return world.way->status().refused == 1; }));
    world.clock.passed = 1; // the next round finds nothing wrong
    EXPECT_TRUE(world.until([&] { return !fails(world.way->status()); }));
    EXPECT_THAT(world.way->status().last_error, HasSubstr("1.letter"));
    fs::rename(world.maildir + "/new", world.maildir + "/gone");
    world.clock.passed = 2;
    EXPECT_TRUE(world.until([&] { return fails(world.way->status()); }));
    fs::rename(world.maildir + "/gone", world.maildir + "/new");
    world.clock.passed = 3;
    EXPECT_TRUE(world.until([&] { return !fails(world.way->status()); })) << "without a new report";
}

TEST(mbox_reader, gives_every_message_and_its_end) {
    const scratch_folder folder;
    std::string all;
    std::vector<std::string> bodies;
    std::vector<std::uint64_t> ends;
    for (int i = 0; i < 200; ++i) { // windows of a megabyte are crossed several times
        bodies.push_back("Subject: " + std::to_string(i) + "\n\n" +
                         std::string(i % 7 == 0 ? 50'000 : 200, 'a') + "\n");
        all += "From x@y.example Mon May  4 06:00:00 2026\n" + bodies.back() + "\n";
        ends.push_back(all.size());
    }
    write(folder / "m", all);
    for (const std::size_t from : {std::size_t{0}, std::size_t{150}}) {
        auto file = open_regular(folder / "m", follow_links::no);
        ASSERT_TRUE(file);
        const auto start = from == 0 ? 0 : ends[from - 1];
        ::lseek(file->handle.get(), static_cast<off_t>(start), SEEK_SET);
        mbox_reader reader(std::move(file->handle), start, 1'000'000);
        std::size_t i = from;
        for (mbox_message message; reader.next(message); ++i) {
            EXPECT_EQ(message.bytes, bodies.at(i)) << i;
            EXPECT_EQ(message.end, ends.at(i)) << i;
        }
        EXPECT_EQ(i, bodies.size());
        EXPECT_EQ(reader.error(), "");
    }
}

TEST(mbox_reader, passes_over_a_message_that_is_too_large) {
    const scratch_folder folder;
    const std::string postmark = "From x@y.example Mon May  4 06:00:00 2026\n";
    write(folder / "m", postmark + "Subject: 1\n\nfirst\n\n" + postmark + "Subject: 2\n\n" +
                            std::string(5'000'000, 'x') + "\n\n" + postmark + "Subject: 3\n\nlast\n\n");
    auto file = open_regular(folder / "m", follow_links::no);
    mbox_reader reader(std::move(file->handle), 0, 100'000);
    std::vector<std::string> seen;
    std::uint64_t end = 0;
    for (mbox_message message; reader.next(message);) {
        seen.push_back(message.error.empty() ? message.bytes : "too large");
        end = message.end;
    }
    EXPECT_THAT(seen, ElementsAre("Subject: 1\n\nfirst\n", "too large", "Subject: 3\n\nlast\n"));
    EXPECT_EQ(end, fs::file_size(folder / "m"));
}

TEST(mbox_place, reads_what_it_writes) {
    const mbox_place place{42, 4711, "abcdef"};
    const auto again = mbox_place::parse(place.to_string());
    EXPECT_EQ(again.inode, 42U);
    EXPECT_EQ(again.offset, 4711U);
    EXPECT_EQ(again.before, "abcdef");
    for (const char* odd : {"", "x", "1", "1 x y", "1 2", "-1 2 3"})
        EXPECT_EQ(mbox_place::parse(odd).offset, 0U) << odd;
}

} // namespace
} // namespace mailtight::intake
