// SPDX-License-Identifier: Apache-2.0
// Counting in the daemon: results by datagram, line, HTTP and log come out of the store as they were told; a
// report is made and delivered on demand; who may tell and who may change; the clock of the shipped program
// cannot be moved.
#include "app/policy_time.h"
#include "app/reporting.h"
#include "running_daemon.h"
#include "store/results.h"
#include "support/proves.h"

#include <filesystem>
#include <fstream>

namespace mailtight::app {
namespace {

using testing::HasSubstr;

constexpr const char* session =
    R"({"dpv":"1","d":"rcpt.example","pr":"v=TLSRPTv1; rua=mailto:tls@rcpt.example","policies":[)"
    R"({"policy-type":9,"policy-domain":"rcpt.example","t":0,"f":0}]})";

class counting : public running {
protected:
    void SetUp() override {
        running::SetUp();
        common_.set.lmtp_listen.clear();
        common_.set.plain_listen.clear();
        common_.set.domains.clear();
        common_.set.datagram_listen = {folder_ + "/tlsrpt.sock"};
        common_.set.result_lines_listen = {"unix:" + folder_ + "/results.sock,mode=0666"};
        fresh_ = common_.set;
    }
    void send_datagrams(const std::string& bytes, int times) {
        const int fd = ::socket(AF_UNIX, SOCK_DGRAM, 0);
        const auto to = address("/tlsrpt.sock");
        for (int i = 0; i < times; ++i)
            EXPECT_EQ(::sendto(fd, bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&to),
                               sizeof to),
                      static_cast<ssize_t>(bytes.size()))
                << std::strerror(errno);
        ::close(fd);
    }
    /// Tells lines and reads what is answered until the other side hangs up.
    std::string tell(const std::string& lines, std::size_t at_once = std::string::npos) {
        const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
        const auto to = address("/results.sock");
        EXPECT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
        for (std::string_view rest = lines; !rest.empty();) {
            const auto piece = rest.substr(0, at_once);
            EXPECT_EQ(::send(fd, piece.data(), piece.size(), MSG_NOSIGNAL),
                      static_cast<ssize_t>(piece.size()));
            rest.remove_prefix(piece.size());
            if (!rest.empty())
                std::this_thread::sleep_for(std::chrono::milliseconds(2));
        }
        ::shutdown(fd, SHUT_WR);
        std::string got;
        char part[4096];
        for (ssize_t n = 1; n > 0;) {
            n = ::recv(fd, part, sizeof part, 0);
            if (n > 0)
                got.append(part, static_cast<std::size_t>(n));
        }
        ::close(fd);
        return got;
    }
    /// What the store holds of today, as soon as it is so many sessions.
    std::vector<model::counted_result> counted(std::uint64_t sessions) {
        std::vector<model::counted_result> rows;
        for (int i = 0; i < 300; ++i) {
            auto from = results_to_ask(common_.set);
            if (!from) { // the daemon makes its tables with the first results, or a moment after the start
                std::this_thread::sleep_for(std::chrono::milliseconds(50));
                continue;
            }
            auto all = (*from)->results(std::chrono::floor<std::chrono::days>(policy_time().now()), "",
                                        model::report_audience::recipient_domain, true);
            if (!all) {
                ADD_FAILURE() << all.error().message;
                return {};
            }
            rows = std::move(*all);
            std::uint64_t sum = 0;
            for (const auto& each : rows)
                sum += each.success + each.failure;
            if (sum >= sessions)
                return rows;
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
        return rows;
    }
    boost::json::object collect() {
        const auto said = ask("/status");
        return said ? said->at("collect").as_object() : boost::json::object{};
    }

private:
    sockaddr_un address(const std::string& name) {
        sockaddr_un to{};
        to.sun_family = AF_UNIX;
        std::strncpy(to.sun_path, (folder_ + name).c_str(), sizeof to.sun_path - 1);
        return to;
    }
};

TEST_F(counting, equal_datagrams_are_each_a_session_and_bad_ones_harm_nobody) {
    begin();
    send_datagrams(session, 7);
    send_datagrams("{\"dpv\":\"2\"}", 2);
    send_datagrams("no json \xff\xfe", 1);
    send_datagrams(session, 3);
    const auto rows = counted(10);
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows[0].domain, "rcpt.example");
    EXPECT_EQ(rows[0].success, 10u);
    EXPECT_EQ(rows[0].failure, 0u);
    EXPECT_EQ(rows[0].record_seen, "v=TLSRPTv1; rua=mailto:tls@rcpt.example");
    const auto said = collect();
    EXPECT_EQ(said.at("bad_datagrams").to_number<int>(), 3);
    EXPECT_EQ(said.at("sessions").to_number<int>(), 10);
    EXPECT_TRUE(said.at("writable").as_bool());
}

TEST_F(counting, lines_are_counted_and_a_flush_is_answered_after_the_commit) {
    begin();
    const auto said = tell(R"({"domain":"a.example","mx":"mx.a.example","tls":"verified"})"
                           "\n"
                           R"({"domain":"a.example","mx":"mx.a.example","result":"certificate-expired"})"
                           "\nflush\n{\"domain\":7}\nflush\n"
                           R"({"domain":"a.example","mx":"mx.a.example","tls":"encrypted"})");
    const auto newline = said.find('\n');
    ASSERT_NE(newline, std::string::npos) << said;
    const auto first = boost::json::parse(said.substr(0, newline)).as_object();
    const auto second = boost::json::parse(said.substr(newline + 1)).as_object();
    EXPECT_EQ(first.at("taken").to_number<int>(), 2) << said;
    EXPECT_TRUE(first.at("durable").as_bool());
    EXPECT_EQ(second.at("taken").to_number<int>(), 0);
    EXPECT_EQ(second.at("refused").to_number<int>(), 1);
    EXPECT_EQ(second.at("errors").at(0).at("line").to_number<int>(), 4) << "the line, of all that came";
    const auto rows = counted(3); // the last line had no end and counts all the same
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows[0].success, 2u);
    EXPECT_EQ(rows[0].failure, 1u);
}

TEST_F(counting, lines_may_come_in_pieces) {
    begin();
    const std::string line = R"({"domain":"a.example","mx":"mx.a.example","tls":"verified"})";
    const auto said = tell(line + "\n\nflush\n" + line + "\nrubbish\n" + line + "\nflush\n" + line, 7);
    const auto newline = said.find('\n');
    ASSERT_NE(newline, std::string::npos) << said;
    EXPECT_EQ(boost::json::parse(said.substr(0, newline)).at("taken").to_number<int>(), 1) << said;
    const auto second = boost::json::parse(said.substr(newline + 1));
    EXPECT_EQ(second.at("taken").to_number<int>(), 2) << said;
    EXPECT_EQ(second.at("errors").at(0).at("line").to_number<int>(), 5) << said;
    const auto rows = counted(4);
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows[0].success, 4u);
}

TEST_F(counting, results_over_http_are_durable_when_they_are_answered) {
    begin();
    const auto done =
        ask("/api/v1/results",
            "{\"domain\":\"b.example\",\"mx\":\"mx.b.example\",\"tls\":\"verified\"}\nrubbish\n", "POST");
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_EQ(done->at("taken").to_number<int>(), 1);
    EXPECT_EQ(done->at("refused").to_number<int>(), 1);
    EXPECT_TRUE(done->at("durable").as_bool());
    auto from = results_to_ask(common_.set);
    ASSERT_TRUE(from) << from.error();
    const auto rows = (*from)->results(std::chrono::floor<std::chrono::days>(policy_time().now()),
                                       "b.example", model::report_audience::recipient_domain, false);
    ASSERT_TRUE(rows);
    ASSERT_EQ(rows->size(), 1u) << "at once, not within a second";
    const auto pretty = ask("/api/v1/results",
                            "{\n  \"domain\": \"b.example\",\n  \"mx\": \"mx.b.example\",\n"
                            "  \"tls\": \"verified\"\n}\n",
                            "POST");
    ASSERT_TRUE(pretty);
    EXPECT_EQ(pretty->at("taken").to_number<int>(), 1) << "one object on several lines";
}

TEST_F(counting, what_is_counted_is_written_before_the_end) {
    begin();
    send_datagrams(session, 5);
    while (collect().at("datagrams").to_number<int>() < 5)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    send_datagrams(session, 4); // these may still be in the kernel's queue
    end();
    EXPECT_EQ(status_, fine);
    const auto rows = counted(9);
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows[0].success, 9u);
}

TEST_F(counting, a_log_is_read_from_where_the_last_run_ended) {
    common_.set.datagram_listen.clear();
    const std::string log = folder_ + "/mail.log";
    common_.set.postfix_log = {"file:" + log};
    const auto line = [](const std::string& queue_id) {
        const std::string stamp = base::format_utc(base::system_clock().now());
        return stamp +
               " host postfix/smtp[12]: Trusted TLS connection established to "
               "mx.c.example[192.0.2.1]:25: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 "
               "(256/256 bits) key-exchange X25519 server-signature ECDSA (prime256v1) "
               "server-digest SHA256\n" +
               stamp + " host postfix/smtp[12]: " + queue_id +
               ": to=<a@c.example>, relay=mx.c.example[192.0.2.1]:25, delay=0.2, delays=0/0/0.1/0.1, "
               "dsn=2.0.0, status=sent (250 ok)\n";
    };
    std::ofstream(log, std::ios::app) << line("4A1B2C3D01");
    begin();
    while (!ask("/status")->at("collect").at("logs").at(0).at("trouble").as_string().empty())
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    std::this_thread::sleep_for(std::chrono::milliseconds(700)); // it begins at the end of the file
    std::ofstream(log, std::ios::app) << line("4A1B2C3D02");
    EXPECT_EQ(counted(1).size(), 1u);
    end();
    std::ofstream(log, std::ios::app) << line("4A1B2C3D03");
    begin();
    const auto rows = counted(2);
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows[0].domain, "c.example");
    EXPECT_EQ(rows[0].success + rows[0].failure, 2u) << "what was written in between counts, once";
}

TEST_F(counting, a_log_that_is_not_there_is_a_part_that_fails) {
    const std::string log = folder_ + "/mail.log";
    common_.set.postfix_log = {"file:" + log};
    begin();
    const auto fails = [this] {
        const auto status = ask("/status");
        for (const auto& part : status->at("parts").as_array())
            if (part.at("name") == "collect")
                return part.at("failing").as_bool();
        return false;
    };
    const auto soon = [&](bool wanted) {
        for (int i = 0; i < 300 && fails() != wanted; ++i)
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        return fails() == wanted;
    };
    EXPECT_TRUE(soon(true));
    testing::internal::CaptureStdout();
    const int status = cmd_status(common_);
    const auto shown = testing::internal::GetCapturedStdout();
    EXPECT_EQ(status, problems_found);
    EXPECT_THAT(shown, HasSubstr("FAILING  collect"));
    EXPECT_THAT(shown, HasSubstr("file " + log + ": the file is missing"));
    EXPECT_THAT(shown, HasSubstr("reports   taken in for 0 domains; last never"));
    std::ofstream(log) << "";
    EXPECT_TRUE(soon(false));
    std::filesystem::rename(log, log + ".1");
    const auto missing = [this] {
        const auto logs = ask("/status")->at("collect").at("logs").as_array();
        return logs.at(0).at("trouble").as_string() == "the file is missing";
    };
    for (int i = 0; i < 300 && !missing(); ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_TRUE(missing());
    EXPECT_FALSE(fails()) << "it is made anew with the next line of the log";
}

TEST_F(counting, without_a_contact_nobody_sends) {
    begin();
    const auto refused = ask("/api/v1/days/2026-01-31/send", "", "POST");
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("deliver.contact"));
    const auto none = ask("/api/v1/outbox");
    ASSERT_TRUE(none) << none.error().message;
    EXPECT_TRUE(none->at("reports").as_array().empty());
    EXPECT_TRUE(ask("/status")->at("deliver").is_null());
}

TEST_F(counting, addresses_are_suppressed_and_allowed_again) {
    begin();
    const auto set = ask("/api/v1/suppressed/Reports@Example.COM", R"({"why":"they asked"})", "PUT");
    ASSERT_TRUE(set) << set.error().message;
    EXPECT_EQ(set->at("who").as_string(), "reports@example.com");
    EXPECT_EQ(ask("/api/v1/suppressed")->at("suppressed").as_array().size(), 1u);
    EXPECT_FALSE(ask("/api/v1/suppressed/nonsense", "{}", "PUT"));
    EXPECT_FALSE(ask("/api/v1/suppressed/@example.com", R"({"until":"2001-01-31"})", "PUT"));
    EXPECT_TRUE(ask("/api/v1/suppressed/reports@example.com", "", "DELETE"));
    EXPECT_FALSE(ask("/api/v1/suppressed/reports@example.com", "", "DELETE"));
}

TEST_F(counting, the_clock_of_the_shipped_program_cannot_be_moved) {
    begin();
    const auto before = policy_time().now();
    const auto refused = ask("/lab/ahead", "86400", "POST");
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("POST /import"));
    EXPECT_LT(policy_time().now() - before, std::chrono::hours(1));
    EXPECT_EQ(policy_time().ahead().count(), 0);
    EXPECT_TRUE(lab_routes().empty());
}

std::string bytes_of(const char* file) {
    std::ifstream stream(file, std::ios::binary | std::ios::ate);
    std::string all(stream ? static_cast<std::size_t>(stream.tellg()) : 0, '\0');
    stream.seekg(0);
    stream.read(all.data(), static_cast<std::streamsize>(all.size()));
    return all;
}

TEST(shipped_program, knows_nothing_of_the_labs_clock) {
    const auto shipped = bytes_of(MAILTIGHT_PROGRAM), lab = bytes_of(MAILTIGHT_LAB_PROGRAM);
    ASSERT_GT(shipped.size(), 1'000'000u);
    EXPECT_EQ(shipped.find("/lab/ahead"), std::string::npos);
    EXPECT_NE(lab.find("/lab/ahead"), std::string::npos) << "or this test looks for the wrong thing";
}

} // namespace
} // namespace mailtight::app
