// SPDX-License-Identifier: Apache-2.0
// Exported policies: each form gives back the very bytes, as a reader of its language sees them, and the
// steps are the guides'.
#include "publish/export.h"
#include "support/proves.h"
#include "support/scratch.h"

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <map>

namespace mailtight::publish {
namespace {

using testing::HasSubstr;

const std::string crlf =
    "version: STSv1\r\nmode: enforce\r\nmx: mx.example.com\r\nmx: *.example.net\r\nmax_age: 604800\r\n";

std::vector<exported_policy> some() {
    return {{"example.com", crlf, "20260101", ""},
            {"other.example", "version: STSv1\nmode: none\nmax_age: 86400\n", "2", ""},
            {"bare.example", "version: STSv1\nmode: none\nmax_age: 86400", "3", ""},
            {"odd.example", "version: STSv1\r\nmode: none\r\nmax_age: 86400\r\nx: \"a\\b\" $host {c} 'd'\r\n",
             "4", ""}};
}

std::string file_of(const exported_policy& what, export_form form, const std::string& name) {
    for (const auto& [path, bytes] : export_policy(what, form))
        if (path == name)
            return bytes;
    return "(no " + name + ")";
}

/// The words in double quotes behind `set` and `return 200`, read as nginx does, joined.
std::string nginx_reads(std::string_view text) {
    std::map<std::string, std::string> variables{{"mailtight_dollar", "$"}};
    const auto word = [&](std::string_view& from) {
        std::string read;
        for (from.remove_prefix(from.find('"') + 1); from.front() != '"'; from.remove_prefix(1)) {
            if (from.front() == '\\') {
                from.remove_prefix(1);
                read += from.front() == 'r' ? '\r' : from.front() == 'n' ? '\n' : from.front();
            } else if (from.starts_with("${")) {
                from.remove_prefix(2);
                read += variables.at(std::string(from.substr(0, from.find('}'))));
                from.remove_prefix(from.find('}'));
            } else {
                read += from.front();
            }
        }
        return read;
    };
    for (auto at = text.find(" set $"); at != text.npos; at = text.find(" set $")) {
        text.remove_prefix(at + 6);
        const std::string name(text.substr(0, text.find(' ')));
        variables[name] = word(text);
    }
    text.remove_prefix(text.find("return 200 "));
    return word(text);
}

TEST(Export, NginxGivesTheBytes) {
    for (const auto& one : some()) {
        const auto text = file_of(one, export_form::nginx, "mta-sts." + one.domain + ".conf");
        EXPECT_EQ(nginx_reads(text), one.body) << one.domain;
        EXPECT_THAT(text, HasSubstr("server_name mta-sts." + one.domain + ";"));
        EXPECT_THAT(text, HasSubstr("location = /.well-known/mta-sts.txt {")) << "this path alone";
        EXPECT_EQ(text.contains("geo $mailtight_dollar"), one.body.contains('$'));
    }
    std::string many = "version: STSv1\r\nmode: testing\r\n";
    for (int i = 0; i < 1'000; ++i)
        many += "mx: mx" + std::to_string(i) + ".example.com\r\n";
    many += "max_age: 604800\r\n";
    const auto text = file_of({"big.example", many, "1", ""}, export_form::nginx, "mta-sts.big.example.conf");
    EXPECT_EQ(nginx_reads(text), many);
    for (std::size_t at = 0; at < text.size();) {
        const auto end = text.find('\n', at);
        EXPECT_LT(end - at, 4'000U) << "nginx reads no longer word";
        at = end + 1;
    }
}

/// What Caddy's templates make of a text that names bytes alone: `{{"\r"}}`, `{{"\x7b"}}`.
std::string as_template(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        if (!text.starts_with("{{\"")) {
            out += text.front();
            text.remove_prefix(1);
            continue;
        }
        const auto end = text.find("\"}}");
        const auto named = text.substr(3, end - 3);
        if (named == "\\r")
            out += '\r';
        else if (named.starts_with("\\x"))
            out += static_cast<char>(std::stoi(std::string(named.substr(2)), nullptr, 16));
        else
            ADD_FAILURE() << "no byte: " << named;
        text.remove_prefix(end + 3);
    }
    return out;
}

TEST(Export, CaddyGivesTheBytes) {
    for (const auto& one : some()) {
        const auto text = file_of(one, export_form::caddy, "Caddyfile");
        const auto begin = text.find("respond @policy `") + 17;
        auto word = text.substr(begin, text.find("` 200\n", begin) - begin);
        EXPECT_EQ(as_template(word), one.body) << one.domain;
        EXPECT_FALSE(text.contains("on_demand"));
    }
    auto asked = some();
    for (auto& one : asked)
        one.directory_url = "http://127.0.0.1:8461/ask";
    const auto text = export_all(asked, export_form::caddy);
    EXPECT_TRUE(text.starts_with("{\n\ton_demand_tls {\n\t\task http://127.0.0.1:8461/ask\n\t}\n}\n"))
        << text;
    EXPECT_EQ(text.find("on_demand_tls", 20), text.npos) << "once";
    for (const auto& one : asked)
        EXPECT_THAT(text, HasSubstr("mta-sts." + one.domain + " {\n\ttls {\n\t\ton_demand\n\t}\n"));
}

TEST(Export, FilesAreTheBytes) {
    PROVES("8461-9-a");
    for (const auto& one : some())
        for (const auto form : {export_form::directory, export_form::apache})
            EXPECT_EQ(file_of(one, form, ".well-known/mta-sts.txt"), one.body);
    const auto text = export_all(some(), export_form::apache);
    for (const auto& one : some())
        EXPECT_THAT(text, HasSubstr("ServerName mta-sts." + one.domain + "\n"));
    EXPECT_THAT(text, HasSubstr("SSLStrictSNIVHostCheck on"));
    EXPECT_EQ(export_all(some(), export_form::directory), "") << "a folder for each, no configuration";
}

TEST(Export, TheWorkersTableHoldsTheBytesOfEveryDomain) {
    const auto text = export_all(some(), export_form::worker);
    const auto begin = text.find("new Map([\n") + 9;
    auto list = text.substr(begin, text.find("\n]);") - begin);
    list.erase(list.rfind(','));
    const auto read = boost::json::parse("[" + list + "]").as_array();
    const auto wanted = some();
    ASSERT_EQ(read.size(), wanted.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        EXPECT_EQ(read[i].as_array()[0].as_string(), "mta-sts." + wanted[i].domain);
        EXPECT_EQ(read[i].as_array()[1].as_string(), wanted[i].body);
    }
}

TEST(Export, TheWorkerAnswersAsTheHostDoes) {
    if (std::system("node -e 'if (typeof Response === \"undefined\") process.exit(1)' >/dev/null 2>&1") != 0)
        GTEST_SKIP() << "no node with Response here";
    const tests::scratch_folder folder;
    std::ofstream(folder / "worker.mjs") << export_all(some(), export_form::worker);
    std::ofstream(folder / "ask.mjs") << R"(import worker from "./worker.mjs";
const file = "/.well-known/mta-sts.txt";
for (const [method, url] of [["GET", "https://mta-sts.example.com" + file], ["HEAD", "https://mta-sts.example.com" + file],
    ["GET", "https://mta-sts.bare.example" + file], ["GET", "https://mta-sts.odd.example" + file],
    ["GET", "https://mta-sts.unknown.example" + file], ["GET", "https://mta-sts.example.com/"],
    ["GET", "https://mta-sts.example.com" + file + "?x"], ["POST", "https://mta-sts.example.com" + file]]) {
  const reply = await worker.fetch(new Request(url, { method }));
  console.log(JSON.stringify([reply.status, reply.headers.get("content-type"), reply.headers.get("allow"), await reply.text()]));
}
)";
    const std::unique_ptr<FILE, int (*)(FILE*)> out(::popen(("node " + folder / "ask.mjs").c_str(), "r"),
                                                    ::pclose);
    std::string said;
    std::array<char, 4'096> bytes{};
    while (const auto got = std::fread(bytes.data(), 1, bytes.size(), out.get()))
        said.append(bytes.data(), got);
    std::vector<boost::json::array> replies;
    for (std::size_t at = 0; at < said.size(); at = said.find('\n', at) + 1)
        replies.push_back(boost::json::parse(said.substr(at, said.find('\n', at) - at)).as_array());
    ASSERT_EQ(replies.size(), 8U) << said;
    const std::int64_t statuses[] = {200, 200, 200, 200, 404, 404, 404, 405};
    for (std::size_t i = 0; i < replies.size(); ++i) {
        EXPECT_EQ(replies[i][0].as_int64(), statuses[i]) << i;
        EXPECT_EQ(replies[i][1].as_string(), "text/plain; charset=utf-8") << i;
    }
    EXPECT_EQ(replies[0][3].as_string(), crlf);
    EXPECT_EQ(replies[1][3].as_string(), "");
    EXPECT_EQ(replies[2][3].as_string(), some()[2].body);
    EXPECT_EQ(replies[3][3].as_string(), some()[3].body);
    EXPECT_EQ(replies[7][2].as_string(), "GET, HEAD");
}

TEST(Export, TheStepsAreTheGuides) {
    for (const auto form : {export_form::directory, export_form::nginx, export_form::caddy,
                            export_form::apache, export_form::worker}) {
        const auto steps = file_of(some()[0], form, "STEPS.txt");
        EXPECT_THAT(steps, HasSubstr("mta-sts.example.com"));
        EXPECT_THAT(steps,
                    HasSubstr("Open https://mta-sts.example.com/.well-known/mta-sts.txt in a browser"));
        const auto look = steps.find("Open https"), record = steps.find("v=STSv1; id=20260101");
        EXPECT_LT(look, record) << "the file first, the record last";
        EXPECT_THAT(steps, HasSubstr("_mta-sts.example.com, type TXT"));
        EXPECT_TRUE(steps.contains("\n1. ") && steps.contains("\n4. ")) << "numbered";
    }
    EXPECT_THAT(file_of(some()[0], export_form::directory, "STEPS.txt"),
                HasSubstr("Create a folder named .well-known"));
}

} // namespace
} // namespace mailtight::publish
