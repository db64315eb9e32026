// SPDX-License-Identifier: Apache-2.0
// The whole way with the real store: by SMTP under TLS, by LMTP and by POST into SQLite, each report once.
#include "intake/ways_in.h"
#include "intake_world.h"
#include "support/proves.h"
#include "support/scratch.h"
#include "support/tls_server.h"

#include <gmock/gmock.h>

#include <fstream>

namespace mailtight::intake {
namespace {

using namespace std::chrono_literals;
using namespace tests;
using enum store::add_outcome::fate;
using testing::HasSubstr;
using testing::SizeIs;

struct real_store {
    scratch_folder folder;
    std::unique_ptr<store::store> open() const {
        auto opened = store::open({.where = folder / "store.db"});
        if (!opened)
            throw std::runtime_error(opened.error().message);
        return std::move(*opened);
    }
    std::unique_ptr<store::store> with_domain() const {
        auto opened = open();
        const std::vector<std::string> names{"example.com"};
        EXPECT_TRUE(opened->add_domains(names, mail_time));
        return opened;
    }
    std::uint64_t counted() const {
        std::uint64_t sessions = 0;
        for (const auto& day : open()->days({}).value())
            sessions += day.success;
        return sessions;
    }
};

TEST(whole_way, a_report_counts_once_however_often_and_by_whichever_way_it_comes) {
    PROVES("8460-3-k", "8460-5.3-j");
    const real_store disk;
    {
        intake_world world({}, disk.with_domain());
        world.book.set_domains(disk.open()->domains().value());
        const auto mail = signed_mail("one");
        EXPECT_EQ(world.keep(mail).outcomes.at(0).what, added);
        EXPECT_EQ(world.keep(mail, model::way_in::smtp).outcomes.at(0).what, duplicate);
        EXPECT_EQ(world.keep(mail, model::way_in::imap).outcomes.at(0).what, duplicate);
        EXPECT_EQ(world.keep(report_mail(make_report("example.com", "forged"))).outcomes.at(0).what,
                  quarantined);
        EXPECT_EQ(world
                      .keep(signed_by(report_mail(make_report("other.example", "foreign"), {.domain = ""}),
                                      "reporter.example"))
                      .outcomes.at(0)
                      .what,
                  quarantined);
        EXPECT_EQ(world
                      .keep(signed_by(report_mail(make_report("example.com",
                                                              test_report_id("abcdefgh1234", "x.example"))),
                                      "reporter.example"))
                      .outcomes.at(0)
                      .what,
                  test);
    }
    EXPECT_EQ(disk.counted(), 10U);
    EXPECT_THAT(disk.open()->list({.what = store::filter::which::counted}, {}).value(), SizeIs(1));
    EXPECT_TRUE(disk.open()->find_test("abcdefgh1234").value());
}

TEST(whole_way, mail_under_starttls) {
    const real_store disk;
    intake_world world({}, disk.with_domain());
    const auto root = make_root();
    const auto middle = make_intermediate(root);
    const auto leaf = make_leaf(middle, {"reports.example"});
    std::ofstream(disk.folder / "cert.pem") << leaf.pem() + middle.pem();
    std::ofstream(disk.folder / "key.pem") << leaf.key_pem();
    io::tls_server certificates;
    ASSERT_TRUE(certificates.load({{disk.folder / "cert.pem", disk.folder / "key.pem"}}));

    smtp_intake_options options;
    options.lmtp = false;
    options.at = *io::parse_listen_address("127.0.0.1:0", 0);
    options.tls = &certificates;
    options.protocol.host_name = "reports.example";
    options.protocol.require_starttls = true;
    smtp_intake way(world.loop, *world.keeper, world.book, world.clock, options);
    ASSERT_TRUE(way.start());
    const auto address = way.address();
    const io::endpoint to{*base::ip_address::parse("127.0.0.1"),
                          static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)))};

    const root_file trusted{{&root}};
    const io::tls_client client(trusted.path());
    auto talk = [](io::loop& on, io::endpoint server, const io::tls_client& tls) -> io::task<std::string> {
        const base::address_guard guard;
        const auto deadline = on.now() + 20s;
        auto connected = co_await io::connect_tcp(on, server, guard, deadline, true);
        auto stream = std::move(connected.connection);
        std::string heard;
        const auto until = [&](std::string_view end) -> io::task<> {
            while (heard.find(end) == heard.npos) {
                auto got = co_await stream->read_some(65'536, deadline);
                if (got.status != io::io_status::ok)
                    co_return;
                heard += got.bytes;
            }
        };
        co_await until("220 ");
        co_await stream->write_all("EHLO x\r\nMAIL FROM:<a@b.example>\r\n", deadline);
        co_await until("530 "); // not without TLS
        co_await stream->write_all("STARTTLS\r\n", deadline);
        co_await until("220 2.0.0");
        io::tls_options options;
        options.host = "reports.example";
        auto secured = co_await io::start_tls(on, std::move(stream), tls, options, mail_time, deadline);
        stream = std::move(secured.connection);
        if (!stream)
            co_return heard + " no TLS";
        auto mail = signed_mail("one");
        co_await stream->write_all(
            "EHLO x\r\nMAIL FROM:<tls@reporter.example>\r\nRCPT TO:<tls-report@reports.example>\r\n"
            "DATA\r\n" +
                std::move(mail) + ".\r\nQUIT\r\n",
            deadline);
        co_await until("221 ");
        stream->close();
        co_return heard;
    };
    const auto heard = world.loop.block_on(talk(world.loop, to, client));
    EXPECT_THAT(heard, HasSubstr("250 2.6.0 report kept"));
    way.stop();
    EXPECT_TRUE(eventually(world.loop, [&] { return way.status().open == 0; }));
    EXPECT_EQ(disk.counted(), 10U);
}

TEST(whole_way, what_was_acknowledged_is_there_after_the_process_is_gone) {
    const real_store disk;
    std::size_t acknowledged = 0;
    {
        intake_world world({}, disk.with_domain());
        std::vector<io::started<kept>> waiting;
        for (int i = 0; i < 500; ++i) {
            circumstances how;
            how.way = model::way_in::https;
            how.domain_of_token = "example.com";
            waiting.push_back(io::start(
                world.loop, world.keeper->keep(json_of(make_report("example.com", std::to_string(i))), how)));
        }
        // Gone in the middle: nobody waits for the rest.
        EXPECT_TRUE(eventually(world.loop, [&] { return waiting.front().box_->done.is_set(); }));
        world.keeper.reset();
        for (auto& each : waiting)
            acknowledged += world.loop.block_on(each.get()).what == kept::fate::stored ? 1U : 0U;
        world.keeper = std::make_unique<keeper>(world.loop, disk.open(), world.dns, world.clock);
    }
    EXPECT_GT(acknowledged, 0U);
    EXPECT_EQ(disk.counted(), acknowledged * 10);
}

} // namespace
} // namespace mailtight::intake
