// SPDX-License-Identifier: Apache-2.0
// An authority that means harm, or was taken over: it names addresses of the inside, it never comes to an
// end.
#include "publish/issuer.h"
#include "support/certificates.h"
#include "support/domain_store_fake.h"
#include "support/fixed_resolver.h"
#include "support/scratch.h"
#include "support/tls_server.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <map>

namespace mailtight::publish {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class HostileAuthority : public testing::Test {
protected:
    HostileAuthority() {
        std::ofstream(folder_ / "ca") << root_.pem();
        for (const auto* name : {"newNonce", "newAccount", "newOrder", "keyChange"})
            names_[name] = fmt::format("https://localhost:{}/{}", authority_.port(), name);
        options_ = {.directory = fmt::format("https://localhost:{}/dir", authority_.port()),
                    .machine = "one",
                    .exempt = true};
    }
    /// Runs `with` an issuer before this authority.
    template<class F>
    auto before_it(F with) {
        const auto seal = base::sealing_key::make(folder_ / ("key" + std::to_string(keys_++))).value();
        tests::fixed_resolver dns;
        const io::tls_client tls(folder_ / "ca");
        const base::address_guard guard;
        const base::system_clock clock;
        io::worker thread(on_, "store");
        tests::domain_store_fake kept;
        issuer one(on_, dns, tls, guard, clock, thread, kept, seal, options_, {});
        return with(one, kept, clock);
    }
    std::string answer(const std::string& path) const {
        const auto reply = [](int status, const std::string& fields, const std::string& body) {
            return fmt::format("HTTP/1.1 {} X\r\nReplay-Nonce: abc\r\n{}Content-Length: {}\r\n\r\n{}", status,
                               fields, body.size(), body);
        };
        const auto location = [this](const char* of) {
            return fmt::format("Location: https://localhost:{}/{}\r\n", authority_.port(), of);
        };
        if (path == "/dir") {
            std::string body;
            for (const auto& [name, url] : names_)
                body += fmt::format(R"({}"{}":"{}")", body.empty() ? "" : ",", name, url);
            return reply(200, "", "{" + body + "}");
        }
        if (path == "/newAccount")
            return reply(201, location("account"), R"({"status":"valid"})");
        const auto order = fmt::format(R"({{"status":"processing","finalize":"https://localhost:{}/f"}})",
                                       authority_.port());
        if (path == "/newOrder")
            return reply(201, location("order"), order);
        return reply(200, "", order);
    }
    void serve(tests::peer& client) {
        if (!client.start_tls(tls_))
            return;
        for (auto head = client.head(); !head.empty(); head = client.head()) {
            const auto from = head.find(' ') + 1;
            const auto length = head.find("Content-Length: ");
            if (length != head.npos)
                client.bytes(std::stoul(head.substr(length + 16)));
            if (!client.send(answer(head.substr(from, head.find(' ', from) - from))))
                return;
        }
    }

    tests::scratch_folder folder_;
    tests::identity root_ = tests::make_root();
    tests::identity host_ = tests::make_leaf(root_, {"localhost"});
    tests::server_tls tls_{host_};
    io::loop on_;
    int keys_ = 0;
    std::map<std::string, std::string> names_;
    issuer_options options_;
    std::atomic<int> inside_asked_ = 0;
    tests::test_server inside_{[this](tests::peer&) { ++inside_asked_; }};
    tests::test_server authority_{[this](tests::peer& client) { serve(client); }};
};

TEST_F(HostileAuthority, LeadsNowhereButToItselfAndThePublicNetwork) {
    struct row {
        const char* name;
        std::string url;
        const char* why;
    };
    const auto inside = inside_.port();
    for (const auto& [name, url, why] : {
             row{"newNonce", fmt::format("https://localhost:{}/", inside), "another port of ours"},
             row{"newNonce", fmt::format("https://127.0.0.1:{}/", inside), "an address of the inside"},
             row{"newNonce", fmt::format("http://localhost:{}/", inside), "without TLS"},
             row{"newNonce", fmt::format("http://localhost:{}/", authority_.port()), "itself without TLS"},
             row{"newAccount", fmt::format("https://localhost:{}/", inside), "what is signed, too"},
             row{"keyChange", fmt::format("https://localhost:{}/", inside), "when the account stands"},
         }) {
        const auto usual = std::exchange(names_[name], url);
        const auto done =
            before_it([&](issuer& one, auto&, auto&) { return on_.block_on(one.change_account_key()); });
        EXPECT_FALSE(done) << why;
        EXPECT_EQ(inside_asked_, 0) << why;
        names_[name] = usual;
    }
    names_["renewalInfo"] = fmt::format("https://localhost:{}/", inside);
    const auto leaf = tests::make_leaf(root_, {"mta-sts.example.com"});
    const store::kept_certificate kept{.name = "mta-sts.example.com",
                                       .chain = leaf.pem() + root_.pem(),
                                       .not_before = base::utc_seconds{1'000s},
                                       .not_after = base::utc_seconds{4'000s},
                                       .issuer = options_.directory};
    const auto when =
        before_it([&](issuer& one, auto&, auto&) { return on_.block_on(one.renewal_of(kept)); });
    EXPECT_EQ(when.at, base::utc_seconds{3'000s});
    EXPECT_EQ(inside_asked_, 0) << "nor is it asked when to renew";
}

TEST_F(HostileAuthority, ATurnEndsHoweverLongItProcesses) {
    options_.turn = 300ms;
    const auto done = before_it([&](issuer& one, tests::domain_store_fake& kept, const base::clock& clock) {
        kept.plan_work("certificate", "example.com", clock.now()).value();
        auto work = kept.take_work("certificate", clock.now(), "one", 300s, 1).value().at(0);
        auto ended = on_.block_on(one.issue(work, "example.com"));
        EXPECT_THAT(work.state, HasSubstr("/order")) << "the next turn goes on with it";
        return ended;
    });
    EXPECT_FALSE(done.ok);
    EXPECT_TRUE(done.ours) << "no failed try of the name";
    EXPECT_THAT(done.words, HasSubstr("so slow"));
}

} // namespace
} // namespace mailtight::publish
