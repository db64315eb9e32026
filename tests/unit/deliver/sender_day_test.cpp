// SPDX-License-Identifier: Apache-2.0
// A day at once, and the dry run that shows it without sending.
#include "base/compress.h"
#include "sender_world.h"
#include "tlsrpt/read_report.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace mailtight::deliver {
namespace {

using namespace tests;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

class a_day : public testing::Test, public sender_world {
protected:
    scratch_folder folder;
    sender::day_result send(std::chrono::sys_days day = report_day) {
        make();
        auto done = loop.block_on(sender->send_day(day));
        EXPECT_TRUE(done) << done.error().message;
        return done ? *done : sender::day_result{};
    }
    std::string read(const std::string& name) const {
        std::ifstream in(folder / name, std::ios::binary);
        std::ostringstream text;
        text << in.rdbuf();
        return text.str();
    }
    std::vector<std::string> files() const {
        std::vector<std::string> names;
        for (const auto& each : std::filesystem::directory_iterator(folder.path()))
            names.push_back(each.path().filename().string());
        std::ranges::sort(names);
        return names;
    }
};

TEST_F(a_day, is_sent_whether_due_or_not) {
    clock.at = report_day + 23h; // not over yet
    count({sessions("a.example", 5), sessions("b.example", 2), sessions("none.example", 2),
           sessions("silent.example", 2)});
    auto other = sessions("other.example", 3);
    other.day -= std::chrono::days(1);
    count({other});
    world.asks("a.example", "mailto:a@r.example,https://r.example/");
    world.asks("b.example", "mailto:b@r.example");
    world.asks("other.example", "mailto:o@r.example");
    world.silent = {"silent.example"};
    world.mail_answers["b@r.example"] = [](auto) { return outside::smtp(451); };
    const auto done = send();
    EXPECT_EQ(done.filed, 2u);
    EXPECT_EQ(done.nobody_asks, 1u);
    EXPECT_EQ(done.sent, 2u);
    EXPECT_EQ(done.waiting, 1u);
    EXPECT_THAT(done.troubles, ElementsAre(HasSubstr("silent.example")));
    EXPECT_EQ(world.tried("o@r.example"), 0);
    EXPECT_EQ(stored().unreported_sessions, 5u) << "of the silent one, and of the other day";
    const auto again = send();
    EXPECT_EQ(again.filed, 0u);
    EXPECT_EQ(world.taken("a@r.example"), 1);
}

TEST_F(a_day, of_more_reports_than_go_out_at_once) {
    options.at_once = 5;
    for (int i = 0; i < 23; ++i) {
        const auto domain = fmt::format("d{}.example", i);
        count({sessions(domain, 1)});
        world.asks(domain, fmt::format("mailto:{}@r.example", domain));
    }
    EXPECT_EQ(send().sent, 23u);
    EXPECT_THAT(world.accepted, SizeIs(23));
}

TEST_F(a_day, in_a_dry_run_is_written_and_stays_owed) {
    options.dry_run = folder.path().string();
    count({sessions("a.example", 5, 2), sessions("none.example", 2),
           dane_sessions("a.example", "mx.a.example", 4), dane_sessions("b.example", "mx.a.example", 4)});
    world.asks("a.example", "mailto:a@r.example,mailto:b@r.example,https://r.example/");
    world.asks("mx.a.example", "https://mx.example/");
    const auto before = stored();
    const auto done = send();
    EXPECT_EQ(done.filed, 2u);
    EXPECT_EQ(done.nobody_asks, 2u);
    EXPECT_EQ(done.sent, 0u);
    EXPECT_THAT(world.accepted, IsEmpty());
    EXPECT_THAT(outbox(), IsEmpty());
    EXPECT_EQ(stored().due, before.due);
    EXPECT_EQ(stored().unreported_sessions, before.unreported_sessions);

    const auto names = files();
    const std::string stem = "sender.example!a.example!1767312000!1767398399";
    EXPECT_THAT(names,
                testing::IsSupersetOf({stem + ".json.gz", stem + ".json", stem + ".eml", stem + ".2.eml"}));
    EXPECT_THAT(names, SizeIs(6));
    EXPECT_EQ(base::gunzip(read(stem + ".json.gz"), {.bytes = 1 << 20}).value().bytes, read(stem + ".json"));
    EXPECT_THAT(read(stem + ".json"), HasSubstr("\"organization-name\""));
    EXPECT_THAT(read(stem + ".eml"), HasSubstr("To: <a@r.example>"));
    EXPECT_THAT(read(stem + ".2.eml"), HasSubstr("To: <b@r.example>"));

    options.dry_run.clear(); // now in earnest
    EXPECT_EQ(send().sent, 4u);
}

TEST_F(a_day, in_a_dry_run_follows_no_link_and_is_not_for_everybody) {
    namespace fs = std::filesystem;
    const auto shared = folder.path() / "shared",
               name = shared / "sender.example!a.example!1767312000!1767398399.json";
    const auto precious = folder.path() / "precious";
    fs::create_directory(shared);
    std::ofstream(precious) << "kept";
    fs::create_symlink(precious, name);
    options.dry_run = shared.string();
    count({sessions("a.example", 5)});
    world.asks("a.example", "mailto:a@r.example");
    for (int i = 0; i < 2; ++i) // and in place of what it wrote itself
        EXPECT_EQ(send().filed, 1u);
    EXPECT_EQ(read("precious"), "kept");
    EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(name)));
    EXPECT_EQ(fs::status(name).permissions() & fs::perms::others_all, fs::perms::none);
}

TEST_F(a_day, in_a_dry_run_of_the_daemon_stays_owed_too) {
    options.dry_run = folder.path().string();
    count({sessions("a.example", 5)});
    world.asks("a.example", "mailto:a@r.example");
    begin();
    EXPECT_THAT(files(), SizeIs(3));
    pass(30h);
    EXPECT_THAT(world.accepted, IsEmpty());
    EXPECT_EQ(stored().unreported_sessions, 5u);
    end();
    options.dry_run.clear();
    begin();
    pass(24h);
    EXPECT_EQ(world.taken("a@r.example"), 1);
}

TEST_F(a_day, says_where_it_cannot_write) {
    options.dry_run = "/proc/no-such-folder";
    count({sessions("a.example", 5)});
    world.asks("a.example", "mailto:a@r.example");
    EXPECT_THAT(send().troubles, ElementsAre(HasSubstr("/proc/no-such-folder")));
}

TEST_F(a_day, without_a_database_is_an_error) {
    watched.away = true;
    make();
    EXPECT_FALSE(loop.block_on(sender->send_day(report_day)));
}

} // namespace
} // namespace mailtight::deliver
