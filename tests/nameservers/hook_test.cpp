// SPDX-License-Identifier: Apache-2.0
// Records by a command: scripts in both conventions, which here end in nsupdate and a real server; and
// scripts that fail, hang, or lie.
#include "world.h"

#include <filesystem>
#include <fstream>
#include <sstream>

namespace mailtight::publish {
namespace {

using namespace mailtight::tests;
using fate = pushed::fate;
using convention = dns_pusher::hook::convention;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* sts = "_mta-sts.example.com";
constexpr const char* id1 = "v=STSv1; id=1;";
constexpr const char* id2 = "v=STSv1; id=2;";

struct hook_world : push_world {
    explicit hook_world(const std::string& more = "")
        : push_world(software::knot, more) {
        wait_for_others = 3s;
    }
    /// A script that notes its words, then does `body`.
    std::string script(const std::string& body) {
        const auto path = folder / "hook.sh";
        std::ofstream(path) << "#!/bin/sh\necho \"$@\" >> " << folder / "calls" << "\n" << body;
        std::filesystem::permissions(path, std::filesystem::perms::owner_all);
        return path;
    }
    /// Sends one line of nsupdate.
    std::string nsupdate(const std::string& line) const {
        const auto root = nameserver_tree();
        const std::string key = name_server::key_256;
        return fmt::format("LD_LIBRARY_PATH={0}/usr/lib/{1} {0}/usr/bin/nsupdate "
                           "-y hmac-sha256:push.example.com:{2} <<END\n"
                           "server 127.0.0.1 {3}\nzone example.com.\n{4}\nsend\nEND\n",
                           root, MAILTIGHT_LIBRARY_ARCHITECTURE, key.substr(key.rfind(':') + 1), port, line);
    }
    std::string own_script() {
        return script("if [ \"$1\" = add ]; then\n" + nsupdate("update add $2. $4 $3 \"$5\"") + "else\n" +
                      nsupdate("update delete $2. $3 \"$5\"") + "fi\n");
    }
    std::string lego_script() {
        return script("if [ \"$1\" = present ]; then\n" + nsupdate("update add $2 120 TXT \"$3\"") +
                      "else\n" + nsupdate("update delete $2 TXT \"$3\"") + "fi\n");
    }
    std::string calls() const {
        std::ifstream in(folder / "calls");
        std::ostringstream all;
        all << in.rdbuf();
        return all.str();
    }
    pushed run(std::vector<std::string> command, std::vector<plan::record_change> changes,
               convention how = convention::own, std::chrono::seconds limit = 20s) {
        dns_pusher pusher(loop, dns, guard, clock, port, patience, wait_for_others);
        return loop.block_on(pusher.run_hook({std::move(command), how, limit}, std::move(changes)));
    }
    scratch_folder folder;
};

TEST(DnsHook, OurOwnWords) {
    hook_world world("_mta-sts IN TXT \"v=STSv1; id=1;\"\n");
    const auto done = world.run({world.own_script()}, {text_change(sts, {id2}, {id1}, 60)});
    EXPECT_EQ(done.what, fate::done) << done.words;
    EXPECT_THAT(world.texts(sts), ElementsAre(id2));
    EXPECT_EQ(world.calls(), "add _mta-sts.example.com TXT 60 v=STSv1; id=2;\n"
                             "remove _mta-sts.example.com TXT 60 v=STSv1; id=1;\n");
    const auto again = world.run({world.own_script()}, {text_change(sts, {id2}, {id1}, 60)});
    EXPECT_EQ(again.what, fate::already) << again.words;
    EXPECT_EQ(std::ranges::count(world.calls(), '\n'), 2) << "it is not called for nothing";
}

TEST(DnsHook, TheWordsOfLegoWithTheNewBeforeTheOld) {
    hook_world world("_mta-sts IN TXT \"v=STSv1; id=1;\"\n");
    const auto done =
        world.run({world.lego_script()}, {text_change(sts, {id2}, {id1})}, convention::lego_exec);
    EXPECT_EQ(done.what, fate::done) << done.words;
    EXPECT_EQ(world.calls(), "present _mta-sts.example.com. v=STSv1; id=2;\n"
                             "cleanup _mta-sts.example.com. v=STSv1; id=1;\n");
    EXPECT_EQ(world
                  .run({world.lego_script()}, {{"mta-sts.example.com", "A", {"192.0.2.9"}, {}, 60}},
                       convention::lego_exec)
                  .what,
              fate::stopped)
        << "lego's words are for TXT alone";
}

TEST(DnsHook, AnAliasComesAfterTheTextWent) {
    hook_world world("_mta-sts IN TXT \"v=STSv1; id=1;\"\n");
    const auto script =
        world.script("if [ \"$1\" = add ]; then\n" + world.nsupdate("update add $2. $4 $3 $5") + "else\n" +
                     world.nsupdate("update delete $2. $3 \"$5\"") + "fi\n");
    const auto done =
        world.run({script}, {{sts, "CNAME", {"x.example.net"}, {}, 60}, text_change(sts, {}, {id1}, 60)});
    EXPECT_EQ(done.what, fate::done) << done.words;
    EXPECT_THAT(world.calls(), testing::StartsWith("remove"));
    EXPECT_THAT(world.ask(sts, "CNAME").texts, ElementsAre("x.example.net"));
}

// acme-dns: the name is an alias into its zone, and the script writes there.
TEST(DnsHook, BehindAnAliasTheTargetIsLookedAt) {
    hook_world world("_acme-challenge.mta-sts IN CNAME 0815.acme.example.com.\n");
    world.dns.aliases["_acme-challenge.mta-sts.example.com"] = "0815.acme.example.com";
    const auto script = world.script("[ \"$1\" = present ] || exit 0\n" +
                                     world.nsupdate("update add 0815.acme.example.com. 1 TXT \"$3\""));
    const auto done = world.run({script}, {text_change("_acme-challenge.mta-sts.example.com", {"-token_"})},
                                convention::lego_exec);
    EXPECT_EQ(done.what, fate::done) << done.words;
    EXPECT_EQ(world.calls(), "present _acme-challenge.mta-sts.example.com. -token_\n");
}

TEST(DnsHook, APolicyRecordOfOthersStopsItToo) {
    hook_world world("_mta-sts IN TXT \"v=STSv1; id=theirs;\"\n");
    const auto stopped = world.run({world.own_script()}, {text_change(sts, {id1})});
    EXPECT_EQ(stopped.what, fate::stopped);
    EXPECT_THAT(stopped.words, HasSubstr("id=theirs"));
    EXPECT_EQ(world.calls(), "");
}

TEST(DnsHook, OneThatFailsIsTold) {
    hook_world world;
    const auto failed = world.run({world.script("echo 'the API says no' >&2; exit 3"), "--token=secret"},
                                  {text_change(sts, {id1}), text_change("_smtp._tls.example.com", {"x"})});
    EXPECT_EQ(failed.what, fate::failed);
    EXPECT_THAT(failed.words,
                AllOf(HasSubstr("hook.sh"), HasSubstr("status 3"), HasSubstr("the API says no")));
    EXPECT_THAT(failed.words, Not(HasSubstr("secret"))) << "its own words may hold one";
    EXPECT_EQ(std::ranges::count(world.calls(), '\n'), 1) << "after the first, no second";

    const auto absent = world.run({world.folder / "nothing-here"}, {text_change(sts, {id1})});
    EXPECT_EQ(absent.what, fate::failed);
    EXPECT_THAT(absent.words, HasSubstr("nothing-here"));
    EXPECT_EQ(world.run({}, {text_change(sts, {id1})}).what, fate::stopped);
}

TEST(DnsHook, OneThatHangsIsEnded) {
    hook_world world;
    const auto begin = std::chrono::steady_clock::now();
    const auto failed =
        world.run({world.script("exec sleep 60\n")}, {text_change(sts, {id1})}, convention::own, 1s);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
    EXPECT_EQ(failed.what, fate::failed);
    EXPECT_THAT(failed.words, HasSubstr("within 1 s"));
}

TEST(DnsHook, OneThatOnlySaysSoIsFoundOut) {
    hook_world world;
    const auto lies = world.run({world.script("exit 0\n")}, {text_change(sts, {id1})});
    EXPECT_EQ(lies.what, fate::spreading);
    EXPECT_THAT(lies.words, AllOf(HasSubstr("ns1.example.net"), HasSubstr("not yet")));
}

// docs/examples/acme-dns.sh, with a curl that notes what it is given.
TEST(DnsHook, TheScriptForAcmeDns) {
    scratch_folder folder;
    const auto file = [&](const std::string& name, const std::string& text) {
        std::ofstream(folder / name) << text;
        std::filesystem::permissions(folder / name, std::filesystem::perms::owner_all);
    };
    file("curl", "#!/bin/sh\necho \"$@\" > \"$0.words\"\ncat > \"$0.input\"\n");
    file("accounts", "_acme-challenge.mta-sts.example.org. https://no u x y\n"
                     "_acme-challenge.mta-sts.example.com. https://auth.example.net 0815 user key-of-it\n");
    const auto run = [&](std::vector<std::string> words) {
        std::vector<std::string> all{"env", "PATH=" + folder.path().string() + ":/usr/bin:/bin",
                                     "ACME_DNS_ACCOUNTS=" + (folder / "accounts"),
                                     MAILTIGHT_SOURCE_DIR "/docs/examples/acme-dns.sh"};
        all.insert(all.end(), words.begin(), words.end());
        return io::run_command(all, "", 10s);
    };
    const auto read = [&](const std::string& name) {
        std::ifstream in(folder / name);
        std::ostringstream all;
        all << in.rdbuf();
        return all.str();
    };
    EXPECT_EQ(run({"present", "_acme-challenge.mta-sts.example.com.", "-token_"}).exit_status, 0);
    EXPECT_THAT(read("curl.input"),
                AllOf(HasSubstr("url = \"https://auth.example.net/update\""),
                      HasSubstr("X-Api-Key: key-of-it"),
                      HasSubstr(R"(data = "{\"subdomain\": \"0815\", \"txt\": \"-token_\"}")")));
    EXPECT_THAT(read("curl.words"), Not(HasSubstr("key-of-it"))) << "every user sees a program's words";
    EXPECT_EQ(run({"cleanup", "_acme-challenge.mta-sts.example.com.", "-token_"}).exit_status, 0);
    const auto unknown = run({"present", "_acme-challenge.mta-sts.example.net.", "x"});
    EXPECT_EQ(unknown.exit_status, 1);
    EXPECT_THAT(unknown.said, HasSubstr("no account"));
}

// Nothing of a value can become another word or another command.
TEST(DnsHook, AValueIsOneWord) {
    hook_world world;
    const auto script = world.script("[ $# = 5 ] || exit 9\nprintf %s \"$5\" > " + (world.folder / "value"));
    const std::string value = "a b'c\"d$(touch x)`y`;*&\\";
    world.run({script}, {text_change(sts, {value})});
    std::ifstream in(world.folder / "value");
    std::string seen;
    std::getline(in, seen);
    EXPECT_EQ(seen, value);
}

} // namespace
} // namespace mailtight::publish
