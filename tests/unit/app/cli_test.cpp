// SPDX-License-Identifier: Apache-2.0
// The tree of commands: each has words and an example, the manual holds them all, and a wrong command line
// is status 2.
#include "app/cli.h"
#include "app/options.h"
#include "app/settings.h"
#include "base/text.h"
#include "support/scratch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <set>

namespace mailtight::tests {
namespace {

using testing::HasSubstr;

struct ended {
    int status;
    std::string out, err;
};

ended run(std::vector<std::string> words) {
    words.insert(words.begin(), "mailtight");
    std::vector<char*> raw;
    for (auto& word : words)
        raw.push_back(word.data());
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int status = app::command_line{}.run(static_cast<int>(raw.size()), raw.data());
    std::fflush(stdout);
    return {status, testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr()};
}

TEST(cli, every_command_has_words_and_an_example_of_itself) {
    std::set<std::string> names;
    for (const auto& command : app::command_line{}.commands()) {
        SCOPED_TRACE(command.name);
        names.insert(command.name);
        EXPECT_FALSE(command.description.empty());
        EXPECT_THAT(command.example, testing::StartsWith("Example"));
        EXPECT_THAT(command.example, HasSubstr("mailtight " + command.name));
        for (const auto& option : command.options) {
            EXPECT_FALSE(option.description.empty()) << option.name;
            EXPECT_FALSE(option.name.ends_with(' '))
                << option.name << "is a flag, and nothing comes after it";
        }
    }
    EXPECT_THAT(names,
                testing::ElementsAre(
                    "access end-sessions", "access log", "access tenant allow", "access tenant list",
                    "access tenant remove", "access token add", "access token list", "access token remove",
                    "access user add", "access user list", "access user password", "access user remove",
                    "cache export", "cache import", "cache list", "cache override", "cache overrides",
                    "cache purge", "cache refresh", "cache show", "certificate key-rollover",
                    "certificate list", "certificate renew", "check", "dns", "dns push", "dns zone", "doctor",
                    "domain add", "domain list", "domain remove", "domain set", "domain show", "login-link",
                    "plan", "policy export", "policy lint", "policy match", "policy new", "protect",
                    "record lint", "report address", "report digest", "report failures", "report import",
                    "report keys", "report list", "report mute", "report mutes", "report outbox",
                    "report preview", "report read", "report ready", "report send", "report show",
                    "report silence", "report summary", "report test", "resolve", "scan", "serve", "status"));
}

TEST(cli, every_command_that_goes_out_has_the_options_of_a_closed_network) {
    const std::set<std::string> outgoing = {
        "check",       "dns",           "doctor",         "policy new",    "report import",
        "report read", "report ready",  "report silence", "report test",   "scan",
        "serve",       "report show",   "resolve",        "cache refresh", "report failures",
        "report keys", "report send",   "report preview", "dns push",      "domain show",
        "plan",        "policy export", "protect",        "dns zone"};
    for (const auto& command : app::command_line{}.commands()) {
        SCOPED_TRACE(command.name);
        std::string network;
        for (const auto& option : command.options)
            if (option.network)
                network += option.name + "\n";
        for (const char* name : {"--resolver", "--ca-file", "--allow-net", "--smtp-port", "--https-port",
                                 "--dns-timeout", "--connect-timeout"})
            EXPECT_EQ(network.find(name) != std::string::npos, outgoing.contains(command.name)) << name;
    }
}

TEST(cli, what_the_commands_about_our_own_reports_cannot_take_is_told) {
    struct bad {
        std::vector<std::string> words;
        const char* says;
    };
    const bad rows[] = {
        {{"report", "send"}, "--day is required"},
        {{"report", "send", "--day", "yesterday"}, "--day takes a day"},
        {{"report", "send", "--day", "2026-02-30"}, "--day takes a day"},
        {{"report", "send", "--day", "2026-01-31"}, "deliver.contact"},
        {{"report", "preview", "example.com", "--day", "x"}, "--day takes a day"},
        {{"report", "preview", "no domain"}, "domain"},
        {{"report", "keys"}, "deliver.contact"},
        {{"report", "keys", "burn"}, "make or show"},
        {{"report", "keys", "--format", "xml"}, "is unknown"},
        {{"report", "outbox", "seven"}, "no number"},
        {{"report", "outbox", "-1"}, ""},
        {{"report", "outbox", "suppress"}, "say which address"},
        {{"report", "outbox", "7", "a@b.example"}, "suppress and allow alone"},
        {{"report", "outbox", "suppress", "nobody"}, "no mail address"},
        {{"report", "outbox", "--state", "lost"}, "--state takes"},
        {{"report", "outbox", "--day", "x"}, "--day takes"},
    };
    for (const auto& row : rows) {
        const auto done = run(row.words);
        EXPECT_EQ(done.status, 2) << row.words.back();
        EXPECT_EQ(done.out, "");
        EXPECT_THAT(done.err, HasSubstr(row.says)) << row.words.back();
    }
}

TEST(cli, the_manual_holds_every_command_every_option_and_every_key) {
    app::command_line line;
    std::string page = line.manual();
    std::erase(page, '\\'); // roff writes a hyphen as \-
    for (const auto& command : line.commands()) {
        EXPECT_THAT(page, HasSubstr(".SS mailtight " + command.name + "\n"));
        for (const auto& option : command.options)
            EXPECT_THAT(page, HasSubstr(".B " + option.name + "\n")) << command.name;
    }
    std::string keys = line.configuration_manual();
    std::erase(keys, '\\');
    for (const auto& key : app::setting_keys()) {
        EXPECT_THAT(keys, HasSubstr(fmt::format(".SH \"[{}]\"\n", key.section)));
        EXPECT_THAT(keys, HasSubstr(fmt::format("\nfB{} = ", key.name)));
    }
    page += keys;
    for (std::size_t at = 0; (at = page.find("\n.", at)) != std::string::npos; ++at)
        EXPECT_TRUE(std::isupper(static_cast<unsigned char>(page[at + 2])) ||
                    page.substr(at + 1, 3) == ".nf" || page.substr(at + 1, 3) == ".fi")
            << page.substr(at + 1, 40) << ": no text is taken for a command of the typesetter";
}

TEST(cli, a_wrong_command_line_is_status_2_and_says_what) {
    struct row {
        std::vector<std::string> words;
        std::string says;
    };
    const row rows[] = {
        {{"--nonsense"}, "--nonsense"},
        {{"nonsense"}, "nonsense"},
        {{"check", "--nonsense", "example.com"}, "--nonsense"},
        {{"dns"}, "which domain? For example: mailtight dns example.com"},
        {{"dns", "push"}, "domain"},
        {{"domain"}, "subcommand"},
        {{"domain", "add"}, "which domain? For example: mailtight domain add example.com"},
        {{"domain", "remove", "example.com", "--force"}, "--force needs a reason"},
        {{"plan", "example.com", "--force"}, "--force needs a reason"},
        {{"plan", "example.com", "--said", "nothing"}, "--said takes report-way"},
        {{"policy", "export", "example.com", "out", "--form", "iis"}, "--form 'iis'"},
        {{"policy", "export", "example.com"}, "where to?"},
        {{"check", "not a domain"}, "not a domain"},
        {{"check", "--wait", "a.example", "b.example"}, "--wait takes one domain"},
        {{"check", "--wait-limit", "soon", "example.com"}, "--wait-limit"},
        {{"check", "--dns-timeout", "0", "example.com"}, "--dns-timeout"},
        {{"check", "--smtp-port", "70000", "example.com"}, "--smtp-port"},
        {{"policy"}, "subcommand"},
        {{"policy", "new"}, "domain"},
        {{"policy", "new", "example.com", "--max-age", "31557601"}, "--max-age"},
        {{"policy", "new", "example.com", "--mx", "*.*.example.com"}, "--mx"},
        {{"policy", "match", "file"}, "host"},
        {{"record", "lint"}, "text"},
        {{"dns", "example.com", "--format", "excel"}, "excel"},
        {{"dns", "example.com", "--id", "2026-01-02"}, "--id"},
        {{"dns", "example.com", "--rua", "http://example.com/"}, "--rua"},
        {{"dns", "example.com", "--policy-host", "localhost"}, "--policy-host"},
        {{"report"}, "subcommand"},
        {{"report", "read"}, "which report? For example: mailtight report read report.json.gz"},
        {{"report", "read", "--dkim-keys", "/does/not/exist", "x"}, "--dkim-keys"},
        {{"report", "import"}, "path"},
        {{"report", "list", "--from", "yesterday"}, "--from takes a day such as 2026-01-31"},
        {{"report", "list", "--from", "2026-02-30"}, "--from takes a day"},
        {{"report", "list", "--days", "7", "--to", "2026-01-31"}, "--days goes without --from and --to"},
        {{"report", "list", "--domain", "not a domain"}, "not a domain"},
        {{"report", "summary", "--by", "week"}, "--by takes day, reporter, mx, result or policy"},
        {{"report", "show"}, "number"},
        {{"report", "show", "seven"}, "number"},
        {{"report", "address"}, "Set reports.mailboxes, reports.url or both"},
        {{"report", "test", "--wait", "soon", "example.com"}, "--wait takes a duration"},
        {{"report", "mute", "new-failure/"}, "say --until YYYY-MM-DD, or --off"},
        {{"report", "mute", "new-failure/", "--off", "--until", "2030-01-31"}, "say --until"},
        {{"report", "mute", "new-failure/", "--until", "2001-01-31"}, "--until is past already"},
    };
    for (const row& r : rows) {
        const ended end = run(r.words);
        SCOPED_TRACE(r.words.back());
        EXPECT_EQ(end.status, app::wrong_usage);
        EXPECT_THAT(end.err, HasSubstr("mailtight: error: "));
        EXPECT_THAT(end.err, HasSubstr(r.says));
        EXPECT_EQ(end.out, "");
    }
}

TEST(cli, what_is_unknown_is_told_with_the_nearest_also_beside_help) {
    struct row {
        std::vector<std::string> words;
        std::string says;
    };
    const row rows[] = {
        {{"chek"}, "there is no command 'chek'; did you mean check?\n"},
        {{"help", "check"}, "there is no command 'help'\n"},
        {{"unlike-any"}, "there is no command 'unlike-any'\n"},
        {{"dok", "man"}, "there is no command 'dok'\n"}, // doc is not shown to people
        {{"report", "sumary"}, "there is no command 'report sumary'; did you mean report summary?\n"},
        {{"report", "unlike-any"}, "there is no command 'report unlike-any'\n"},
        {{"access", "user", "ad"}, "there is no command 'access user ad'\n"},
        {{"access", "user", "adds"},
         "there is no command 'access user adds'; did you mean access user add?\n"},
        {{"--jsn"}, "mailtight has no option --jsn; did you mean --json?\n"},
        {{"check", "--jsn", "example.com"}, "mailtight check has no option --jsn; did you mean --json?\n"},
        {{"check", "--smtp-prt=25"}, "mailtight check has no option --smtp-prt; did you mean --smtp-port?\n"},
    };
    for (const row& r : rows) {
        for (const char* beside : {"", "--help", "--json"}) {
            auto words = r.words;
            if (*beside != 0)
                words.emplace_back(beside);
            SCOPED_TRACE(fmt::format("{}", fmt::join(words, " ")));
            const ended end = run(words);
            EXPECT_EQ(end.status, app::wrong_usage);
            EXPECT_THAT(end.err, HasSubstr("mailtight: error: " + r.says));
            EXPECT_EQ(end.out, "");
        }
    }
    EXPECT_THAT(run({"report", "show", "1", "2"}).err, HasSubstr("not expected: 2\n"));
    EXPECT_EQ(run({"--help", "chek"}).status, app::wrong_usage);
    EXPECT_EQ(run({"chek", "--version"}).status, app::wrong_usage);
}

TEST(cli, an_unknown_key_of_the_configuration_is_status_2_and_names_the_nearest) {
    const tests::scratch_folder scratch;
    const std::string pattern = scratch.path().string();
    const std::string file = pattern + "/mailtight.toml";
    std::ofstream(file) << "[doctor]\nsigned-nam = \"org\"\n";
    const ended end = run({"check", "--config", file, "example.com"});
    EXPECT_EQ(end.status, app::wrong_usage);
    EXPECT_THAT(end.err, HasSubstr("line 2: unknown key signed-nam; did you mean signed-name?"));
    EXPECT_EQ(run({"check", "--config", pattern + "/gone", "example.com"}).status, app::wrong_usage);
}

TEST(cli, help_and_version_are_fine) {
    EXPECT_EQ(run({}).status, app::fine);
    const ended version = run({"--version"});
    EXPECT_EQ(version.status, app::fine);
    EXPECT_THAT(version.out, testing::StartsWith("mailtight "));
    for (const auto& command : app::command_line{}.commands()) {
        std::vector<std::string> words;
        for (const auto word : base::split(command.name, ' '))
            words.emplace_back(word);
        words.emplace_back("--help");
        const ended end = run(words);
        EXPECT_EQ(end.status, app::fine) << command.name;
        EXPECT_THAT(end.out, HasSubstr(command.example)) << command.name;
    }
}

TEST(cli, lints_end_with_what_they_found) {
    EXPECT_EQ(run({"record", "lint", "v=STSv1; id=20190425085700"}).status, app::fine);
    EXPECT_EQ(run({"record", "lint", "v=STSv1;"}).status, app::problems_found);
    const ended json = run({"record", "lint", "--json", "v=TLSRPTv1; rua=mailto:a@example.com"});
    EXPECT_EQ(json.out, "{\"valid\":true,\"kind\":\"tlsrpt\",\"value\":{\"rua\":[\"mailto:a@example.com\"],"
                        "\"extensions\":{}},\"findings\":[]}\n");
    EXPECT_EQ(run({"policy", "lint", "/does/not/exist"}).status, app::not_done);
    EXPECT_EQ(run({"policy", "match", "/does/not/exist", "mx.example.com"}).status, app::not_done);
}

TEST(cli, each_shell_completes_every_command_and_option) {
    const app::command_line line;
    for (const char* shell : {"bash", "zsh", "fish"}) {
        SCOPED_TRACE(shell);
        const std::string script = line.completion(shell);
        for (const auto& command : line.tree()) {
            EXPECT_THAT(script, HasSubstr(command.name));
            for (const auto& option : command.options)
                for (const auto& flag : option.flags)
                    EXPECT_THAT(script,
                                HasSubstr(shell == std::string("fish") ? "-l " + flag.substr(2) : flag))
                        << command.name;
        }
    }
    EXPECT_EQ(line.completion("tcsh"), "");
}

TEST(cli, the_tree_has_the_groups_that_commands_leaves_out) {
    const app::command_line line;
    std::set<std::string> groups;
    for (const auto& command : line.tree())
        if (!command.works)
            groups.insert(command.name);
    EXPECT_TRUE(groups.contains("domain"));
    EXPECT_FALSE(groups.contains("dns")) << "it does something itself";
    for (const auto& command : line.commands())
        EXPECT_FALSE(groups.contains(command.name));
}

TEST(cli, what_needs_a_daemon_or_a_store_says_that_there_is_none) {
    const tests::scratch_folder scratch;
    const std::string pattern = scratch.path().string();
    const std::string file = pattern + "/mailtight.toml";
    std::ofstream(file) << "[store]\nwhere = \"" << pattern << "/none.db\"\n[serve]\ncontrol-socket = \""
                        << pattern << "/none.sock\"\n[web]\nlisten = []\n";
    const ended status = run({"status", "--config", file});
    EXPECT_EQ(status.status, app::not_done);
    EXPECT_THAT(status.err, HasSubstr("no daemon answers at " + pattern + "/none.sock"));
    for (const char* question : {"list", "summary", "failures", "digest", "mutes"}) {
        const ended end = run({"report", question, "--config", file});
        EXPECT_EQ(end.status, app::not_done) << question;
        EXPECT_THAT(end.err, HasSubstr("there is no store at " + pattern + "/none.db yet"));
        EXPECT_FALSE(std::filesystem::exists(pattern + "/none.db")) << "a question makes no store";
    }
    for (const char* list : {"list", "overrides"}) { // what was never kept is an empty list
        const ended end = run({"cache", list, "--config", file});
        EXPECT_EQ(end.status, app::fine) << list << end.err;
        EXPECT_EQ(end.out, "") << list;
        EXPECT_THAT(end.err, testing::AnyOf(HasSubstr("no policy is kept yet"), HasSubstr("no exceptions")));
        EXPECT_EQ(run({"cache", list, "--json", "--config", file}).err, "") << list;
        EXPECT_FALSE(std::filesystem::exists(pattern + "/none.db")) << "a question makes no store";
    }
    std::ofstream(pattern + "/none.db").close(); // and so is a store that holds other things alone
    EXPECT_EQ(run({"cache", "list", "--config", file}).status, app::fine);
    EXPECT_EQ(run({"cache", "show", "example.com", "--config", file}).status, app::not_done);
    const ended serve = run({"serve", "--config", file});
    EXPECT_EQ(serve.status, app::not_done);
    EXPECT_THAT(serve.err, HasSubstr("nothing to do is configured"));
}

} // namespace
} // namespace mailtight::tests
