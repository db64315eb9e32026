// SPDX-License-Identifier: Apache-2.0
// The pages as a site: which path gets which file, in which form, and how long it is kept.
#include "api/pages_site.h"
#include "io/loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mailtight::api {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr page_file files[] = {
    {.path = "/assets/main-AbCd1234.js",
     .media_type = "text/javascript; charset=utf-8",
     .etag = "main",
     .plain = "plain script",
     .gzip = "gzipped",
     .brotli = "brotli",
     .lasting = true},
    {.path = "/favicon.svg", .media_type = "image/svg+xml", .etag = "icon", .plain = "<svg/>"},
    {.path = "/index.html",
     .media_type = "text/html; charset=utf-8",
     .etag = "index",
     .plain = "<!doctype html>",
     .gzip = "index gzipped"},
};

wire::http_reply ask(const std::string& path, std::vector<std::pair<std::string, std::string>> fields = {},
                     const std::string& method = "GET") {
    io::loop on;
    io::http_exchange asked;
    asked.request.method = method;
    asked.request.path = path;
    asked.request.fields = std::move(fields);
    return on.block_on(make_pages_site(files, {}).handle(std::move(asked)));
}

std::string field(const wire::http_reply& reply, std::string_view name) {
    for (const auto& [is, value] : reply.fields)
        if (is == name)
            return value;
    return "";
}

TEST(pages_site, each_path_has_its_file_and_pages_of_the_application_have_the_index) {
    struct row {
        const char* path;
        const char* body; ///< nullptr: 404
        const char* why;
    };
    for (const auto& [path, body, why] : {
             row{"/", "<!doctype html>", "the first page"},
             row{"/index.html", "<!doctype html>", "the file itself"},
             row{"/favicon.svg", "<svg/>", "a file"},
             row{"/assets/main-AbCd1234.js", "plain script", "a file in a folder"},
             row{"/check", "<!doctype html>", "a page"},
             row{"/domains/example.com", "<!doctype html>", "a page whose name has a dot"},
             row{"/reports/12", "<!doctype html>", "a page below another"},
             row{"/domains/a/b/c", "<!doctype html>", "the application says that there is none"},
             row{"/assets/gone-00000000.js", nullptr,
                 "a script must not be a page: the build before this one"},
             row{"/assets/", nullptr, "no listing"},
             row{"/robots.txt", nullptr, "a file that there is not"},
             row{"/favicon.ico", nullptr, "a file that there is not"},
             row{"/.well-known/mta-sts.txt", nullptr, "what others ask for is not a page"},
             row{"/.env", nullptr, "nor what strangers try"},
             row{"/api", nullptr, "the API has a site of its own"},
             row{"/api/v2/overview", nullptr, "and no other version"},
         }) {
        const auto reply = ask(path);
        EXPECT_EQ(reply.status, body ? 200 : 404) << path << ": " << why;
        if (body)
            EXPECT_EQ(reply.body, body) << path << ": " << why;
    }
}

TEST(pages_site, the_client_chooses_the_form) {
    struct row {
        const char* accepts;
        const char* coding;
        const char* why;
    };
    for (const auto& [accepts, coding, why] : {
             row{"", "", "no field: as it is"},
             row{"gzip, deflate, br", "br", "the smallest of those that it likes equally"},
             row{"gzip, deflate", "gzip", "what it knows"},
             row{"GZIP", "gzip", "in any case"},
             row{"br;q=0.5, gzip;q=0.8", "gzip", "what it likes better"},
             row{"br;q=0, gzip;q=0", "", "what it refuses"},
             row{"br;q=0, *", "gzip", "any other"},
             row{"*;q=0", "", "none"},
             row{"identity", "", "none"},
             row{"br;q=2", "", "no weight: not a word for it"},
             row{"br;q=", "", "no number"},
             row{"brotli", "", "another name"},
             row{";;,,q=", "", "no sense at all"},
         }) {
        const auto reply = ask("/assets/main-AbCd1234.js", {{"accept-encoding", accepts}});
        EXPECT_EQ(field(reply, "Content-Encoding"), coding) << accepts << ": " << why;
        EXPECT_EQ(field(reply, "Vary"), "Accept-Encoding");
        EXPECT_EQ(reply.media_type, "text/javascript; charset=utf-8");
    }
    EXPECT_EQ(field(ask("/", {{"accept-encoding", "br, gzip"}}), "Content-Encoding"), "gzip")
        << "where one is not smaller it is not kept";
}

TEST(pages_site, what_a_cache_has_is_not_sent_again) {
    const auto first = ask("/");
    EXPECT_EQ(field(first, "ETag"), "\"index\"");
    EXPECT_EQ(field(first, "Cache-Control"), "no-cache") << "asked for each time, so that an upgrade shows";
    EXPECT_EQ(field(ask("/assets/main-AbCd1234.js"), "Cache-Control"), "public, max-age=31536000, immutable");
    EXPECT_EQ(field(ask("/favicon.svg"), "Cache-Control"), "no-cache") << "its name does not change";
    for (const char* known : {"\"index\"", "\"other\", \"index\"", "W/\"index\"", "*"}) {
        const auto again = ask("/", {{"if-none-match", known}});
        EXPECT_EQ(again.status, 304) << known;
        EXPECT_EQ(field(again, "ETag"), "\"index\"") << known;
        EXPECT_THAT(again.body, IsEmpty());
    }
    for (const char* other : {"\"other\"", "index", "\"index-gzip\"", "\"Index\""})
        EXPECT_EQ(ask("/", {{"if-none-match", other}}).status, 200) << other;
    EXPECT_EQ(ask("/", {{"if-none-match", "\"index-gzip\""}, {"accept-encoding", "gzip"}}).status, 304)
        << "each form has a tag of its own";
}

TEST(pages_site, is_read_and_nothing_else) {
    EXPECT_EQ(ask("/", {}, "HEAD").status, 200);
    for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "TRACE"}) {
        const auto reply = ask("/", {}, method);
        EXPECT_EQ(reply.status, 405) << method;
        EXPECT_EQ(field(reply, "Allow"), "GET, HEAD") << method;
    }
}

TEST(pages_site, the_fields_that_protect_forbid_what_is_inline_and_all_other_hosts) {
    std::string policy;
    for (const auto& [name, value] : protecting_fields())
        if (name == "Content-Security-Policy")
            policy = value;
    EXPECT_THAT(policy, testing::StartsWith("default-src 'none';"));
    for (const char* part :
         {"script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"})
        EXPECT_THAT(policy, HasSubstr(part));
    for (const char* part : {"unsafe", "http:", "https:", "*", "blob:"})
        EXPECT_THAT(policy, testing::Not(HasSubstr(part)));
}

TEST(pages_site, what_the_build_made_has_an_index_and_every_file_is_found) {
    const auto built = built_pages();
    EXPECT_TRUE(std::ranges::is_sorted(built, {}, &page_file::path));
    EXPECT_TRUE(std::ranges::any_of(built, [](const auto& each) { return each.path == "/index.html"; }));
    const auto site = make_pages_site(built, {});
    for (const auto& each : built) {
        io::loop on;
        io::http_exchange asked;
        asked.request.method = "GET";
        asked.request.path = each.path;
        const auto reply = on.block_on(site.handle(std::move(asked)));
        EXPECT_EQ(reply.body, each.plain) << each.path;
        EXPECT_FALSE(each.plain.empty()) << each.path;
    }
}

} // namespace
} // namespace mailtight::api
