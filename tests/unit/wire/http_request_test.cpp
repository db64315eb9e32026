// SPDX-License-Identifier: Apache-2.0
// Requests as tables: what is read of the good ones, the status that each bad one gets and why it is bad.
// Every row runs in one piece and byte by byte.
#include "wire/http_request.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <cstdio>
#include <string>
#include <vector>

using namespace mailtight::wire;

namespace {

struct outcome {
    int refused = 0;
    bool head = false, done = false;
    std::string method, path, query, host, body;
    int minor_version = 1;
    bool keep_alive = false, expects_continue = false;
    std::vector<std::pair<std::string, std::string>> fields;
    std::size_t used = 0;
    bool operator==(const outcome&) const = default;
};

outcome read(const std::vector<std::string>& pieces, http_request_limits limits = {}) {
    http_request_reader reader(limits);
    std::size_t used = 0;
    for (const auto& piece : pieces) {
        const auto taken = reader.feed(piece);
        used += taken;
        if (taken < piece.size())
            break;
    }
    const auto& r = reader.request();
    if (reader.refused())
        used = 0; // how far it read before the refusal depends on the cuts
    return {reader.refused(),
            reader.head_complete(),
            reader.complete(),
            r.method,
            r.path,
            r.query,
            r.host,
            r.body,
            r.minor_version,
            r.keep_alive,
            r.expects_continue,
            r.fields,
            used};
}

std::vector<std::string> bytewise(const std::string& text) {
    std::vector<std::string> pieces;
    for (char c : text)
        pieces.emplace_back(1, c);
    return pieces;
}

const std::string host = "Host: reports.example\r\n";
const std::string get = "GET / HTTP/1.1\r\n" + host;
const std::string post = "POST /tlsrpt/x HTTP/1.1\r\n" + host;
const std::string chunked = post + "Transfer-Encoding: chunked\r\n\r\n";

struct row {
    const char* why;
    std::string bytes;
    std::string path;
    std::string body;
    bool keep_alive = true;
};

const std::vector<row>& good() {
    static const std::vector<row> rows = {
        {"the shortest", get + "\r\n", "/", ""},
        {"a length", post + "Content-Length: 5\r\n\r\nhello", "/tlsrpt/x", "hello"},
        {"a length of nothing", post + "Content-Length: 0\r\n\r\n", "/tlsrpt/x", ""},
        {"zeros before the length", post + "Content-Length: 005\r\n\r\nhello", "/tlsrpt/x", "hello"},
        {"GET may have a body; it is read and means nothing", get + "Content-Length: 2\r\n\r\nhi", "/", "hi"},
        {"chunks", chunked + "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", "/tlsrpt/x", "hello"},
        {"chunk size in either case, with zeros",
         chunked + "00A\r\n0123456789\r\n00b\r\n0123456789x\r\n000\r\n\r\n", "/tlsrpt/x",
         "01234567890123456789x"},
        {"extensions and trailers are read past",
         chunked + "5;a=b;c=\"d;\\\"e\"\r\nhello\r\n0;last\r\nX: y\r\nContent-Length: 9\r\n\r\n", "/tlsrpt/x",
         "hello"},
        {"the coding in any case", post + "transfer-encoding: CHUNKED\r\n\r\n0\r\n\r\n", "/tlsrpt/x", ""},
        {"an empty line first (RFC 9112 2.2)", "\r\n" + get + "\r\n", "/", ""},
        {"bytes beyond ASCII in a field", get + "X: \xc3\xa4\r\n\r\n", "/", ""},
        {"spaces and tabs around a value", get + "X: \t y \t\r\nY:z\r\nZ:\r\n\r\n", "/", ""},
        {"close", get + "Connection: close\r\n\r\n", "/", "", false},
        {"close among others, in any case", get + "Connection: x, CLOSE\r\nConnection: keep-alive\r\n\r\n",
         "/", "", false},
        {"HTTP/1.0 closes", "GET / HTTP/1.0\r\n\r\n", "/", "", false},
        {"HTTP/1.0 may ask to stay", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "/", "", true},
        {"HTTP/1.2 is read as 1.1", "GET / HTTP/1.2\r\n" + host + "\r\n", "/", ""},
        {"absolute form", "GET http://reports.example/a HTTP/1.1\r\n" + host + "\r\n", "/a", ""},
        {"absolute form without path", "GET HTTPS://reports.example:443 HTTP/1.1\r\n" + host + "\r\n", "/",
         ""},
        {"OPTIONS *", "OPTIONS * HTTP/1.1\r\n" + host + "\r\n", "*", ""},
        {"an upgrade is not taken up",
         get + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n", "/",
         ""},
        {"the largest body", post + "Content-Length: 1000\r\n\r\n" + std::string(1'000, 'x'), "/tlsrpt/x",
         std::string(1'000, 'x')},
        {"the largest body in chunks",
         chunked + "1f4\r\n" + std::string(500, 'x') + "\r\n1f4\r\n" + std::string(500, 'x') +
             "\r\n0\r\n\r\n",
         "/tlsrpt/x", std::string(1'000, 'x')},
    };
    return rows;
}

struct bad_row {
    const char* why;
    std::string bytes;
    int status;
};

std::string many(std::string_view text, int times) {
    std::string all;
    for (int i = 0; i < times; ++i)
        all += text;
    return all;
}

const std::vector<bad_row>& bad() {
    static const std::vector<bad_row> rows = {
        // framing: what request smuggling is made of
        {"length and chunks", post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {"chunks and length", post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", 400},
        {"two lengths that differ", post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", 400},
        {"two lengths that agree", post + "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", 400},
        {"a list of lengths", post + "Content-Length: 5, 5\r\n\r\n", 400},
        {"a negative length", post + "Content-Length: -1\r\n\r\n", 400},
        {"a signed length", post + "Content-Length: +5\r\n\r\n", 400},
        {"a hexadecimal length", post + "Content-Length: 0x5\r\n\r\n", 400},
        {"an empty length", post + "Content-Length:\r\n\r\n", 400},
        {"a length with a space inside", post + "Content-Length: 1 0\r\n\r\n", 400},
        {"chunked twice", post + "Transfer-Encoding: chunked, chunked\r\n\r\n", 400},
        {"chunked in two fields", post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
         400},
        {"an empty coding", post + "Transfer-Encoding:\r\n\r\n", 400},
        {"gzip", post + "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
        {"identity", post + "Transfer-Encoding: identity\r\n\r\n", 501},
        {"nearly chunked", post + "Transfer-Encoding: xchunked\r\n\r\n", 501},
        {"chunked with a vertical tab",
         post + "Transfer-Encoding: \x0b"
                "chunked\r\n\r\n",
         400},
        {"chunked with a comma", post + "Transfer-Encoding: chunked,\r\n\r\n", 501},
        {"chunks in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {"neither length nor chunks", post + "\r\n", 411},
        {"nor under PUT", "PUT / HTTP/1.1\r\n" + host + "\r\n", 411},
        {"a folded field", get + "X: a\r\n b\r\n\r\n", 400},
        {"a folded first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400},
        {"a space before the colon", get + "Content-Length : 0\r\n\r\n", 400},
        {"a tab before the colon", get + "Content-Length\t: 0\r\n\r\n", 400},
        {"no colon", get + "Content-Length 0\r\n\r\n", 400},
        {"no name", get + ": x\r\n\r\n", 400},
        {"a name with brackets", get + "X(y): z\r\n\r\n", 400},
        {"a name beyond ASCII", get + "\xc3\xa4: z\r\n\r\n", 400},
        {"LF behind the request line", "GET / HTTP/1.1\n" + host + "\r\n", 400},
        {"LF behind a field", get + "X: y\n\r\n", 400},
        {"LF for the empty line", get + "\n", 400},
        {"a bare CR in a field", get + "X: a\rb\r\n\r\n", 400},
        {"a bare CR before the end of a field", get + "X: a\r\r\n\r\n", 400},
        {"a NUL in a field", get + std::string("X: a\0b\r\n\r\n", 10), 400},
        {"a DEL in a field", get + "X: a\x7f\r\n\r\n", 400},
        // chunks
        {"an empty chunk size", chunked + "\r\n", 400},
        {"a chunk size that is none", chunked + "xyz\r\n", 400},
        {"a negative chunk size", chunked + "-1\r\n", 400},
        {"a chunk size with a prefix", chunked + "0x5\r\nhello\r\n", 400},
        {"a space behind the chunk size", chunked + "5 \r\nhello\r\n", 400},
        {"17 digits", chunked + many("0", 16) + "5\r\nhello\r\n", 400},
        {"a chunk longer than it says", chunked + "4\r\nhello\r\n", 400},
        {"a chunk that ends in LF", chunked + "5\r\nhello\n0\r\n\r\n", 400},
        {"a chunk size that ends in LF", chunked + "5\nhello\r\n", 400},
        {"a chunk size that ends in CR", chunked + "5\rhello\r\n0\r\n\r\n", 400},
        {"an extension without name", chunked + "5;;a\r\nhello\r\n", 400},
        {"an extension without value", chunked + "5;a=\r\nhello\r\n", 400},
        {"an open quote in an extension", chunked + "5;a=\"b\\\"\r\nhello\r\n", 400},
        {"a word behind a quote in an extension", chunked + "5;a=\"b\"c\r\nhello\r\n", 400},
        {"a bare CR in an extension", chunked + "5;a\rb\r\nhello\r\n", 400},
        {"an extension without end", chunked + "5;" + std::string(20'000, 'x'), 400},
        {"extensions without end", chunked + many("1;" + std::string(1'000, 'x') + "\r\ny\r\n", 20), 400},
        {"a folded trailer", chunked + "0\r\nX: y\r\n z\r\n\r\n", 400},
        {"a trailer that is none", chunked + "0\r\nGET / HTTP/1.1\r\n\r\n", 400},
        {"a trailer without end", chunked + "0\r\nX: " + std::string(20'000, 'y'), 431},
        {"trailers without end", chunked + "0\r\n" + many("X: y\r\n", 200), 431},
        // size
        {"a body beyond the limit", post + "Content-Length: 1001\r\n\r\n", 413},
        {"a length beyond 64 bits", post + "Content-Length: 18446744073709551617\r\n\r\n", 413},
        {"a chunk beyond the limit", chunked + "3e9\r\n", 413},
        {"a chunk of 64 bits", chunked + "ffffffffffffffff\r\n", 413},
        {"chunks beyond the limit", chunked + "3e8\r\n" + std::string(1'000, 'x') + "\r\n1\r\n", 413},
        {"a target without end", "GET /" + std::string(10'000, 'x'), 414},
        {"a field without end", get + "X: " + std::string(20'000, 'y'), 431},
        {"fields without end", get + many("X: " + std::string(1'000, 'y') + "\r\n", 20), 431},
        {"101 fields", get + many("X: y\r\n", 100) + "\r\n", 431},
        // request line
        {"a TLS ClientHello", "\x16\x03\x01\x02", 400},
        {"two empty lines", "\r\n\r\n" + get + "\r\n", 400},
        {"HTTP/0.9", "GET /\r\n", 400},
        {"two spaces", "GET  / HTTP/1.1\r\n", 400},
        {"a space at the end", "GET / HTTP/1.1 \r\n", 400},
        {"a tab", "GET\t/ HTTP/1.1\r\n", 400},
        {"no method", " / HTTP/1.1\r\n", 400},
        {"a method that is no token", "G(T / HTTP/1.1\r\n", 400},
        {"a method without sense", std::string(33, 'G') + " / HTTP/1.1\r\n", 400},
        {"a version in lower case", "GET / http/1.1\r\n", 400},
        {"a version of two digits", "GET / HTTP/1.10\r\n", 400},
        {"HTTP/2's preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
        {"HTTP/3", "GET / HTTP/3.0\r\n", 505},
        {"CONNECT", "CONNECT reports.example:443 HTTP/1.1\r\n", 501},
        {"TRACE", "TRACE / HTTP/1.1\r\n", 501},
        // target
        {"* for GET", "GET * HTTP/1.1\r\n", 400},
        {"another scheme", "GET ftp://a/ HTTP/1.1\r\n", 400},
        {"user information", "GET http://user@a/ HTTP/1.1\r\n", 400},
        {"a scheme without host", "GET http:///x HTTP/1.1\r\n", 400},
        {"a relative path", "GET x HTTP/1.1\r\n", 400},
        {"a fragment", "GET /#x HTTP/1.1\r\n", 400},
        {"a backslash", "GET /a\\b HTTP/1.1\r\n", 400},
        {"bytes beyond ASCII", "GET /\xc3\xa4 HTTP/1.1\r\n", 400},
        {"two dots", "GET /a/../b HTTP/1.1\r\n", 400},
        {"two dots at the end", "GET /a/.. HTTP/1.1\r\n", 400},
        {"encoded dots", "GET /%2e%2E/b HTTP/1.1\r\n", 400},
        {"half encoded", "GET /.%2e/b HTTP/1.1\r\n", 400},
        {"one dot", "GET /./a HTTP/1.1\r\n", 400},
        {"an empty segment", "GET //a HTTP/1.1\r\n", 400},
        {"an empty segment at the end", "GET /a// HTTP/1.1\r\n", 400},
        {"an encoded slash", "GET /a%2fb HTTP/1.1\r\n", 400},
        {"an encoded backslash", "GET /a%5Cb HTTP/1.1\r\n", 400},
        {"an encoded NUL", "GET /a%00 HTTP/1.1\r\n", 400},
        {"an encoded line end", "GET /a%0d%0aX HTTP/1.1\r\n", 400},
        {"a broken percent sign", "GET /a%2 HTTP/1.1\r\n", 400},
        {"a percent sign that is none", "GET /a%zz HTTP/1.1\r\n", 400},
        {"no UTF-8 behind it", "GET /a%ff HTTP/1.1\r\n", 400},
        {"an overlong slash", "GET /a%c0%af HTTP/1.1\r\n", 400},
        // Host
        {"no Host", "GET / HTTP/1.1\r\n\r\n", 400},
        {"none beside an absolute target", "GET http://a/ HTTP/1.1\r\n\r\n", 400},
        {"two", get + host + "\r\n", 400},
        {"two in HTTP/1.0", "GET / HTTP/1.0\r\n" + host + host + "\r\n", 400},
        {"an empty one", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400},
        {"a list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400},
        {"a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
        {"a port that is none", "GET / HTTP/1.1\r\nHost: a:80x\r\n\r\n", 400},
        {"IPv6 without brackets", "GET / HTTP/1.1\r\nHost: ::1\r\n\r\n", 400},
        // Connection, Expect
        {"two words without a comma", get + "Connection: close x\r\n\r\n", 400},
        {"another expectation", post + "Content-Length: 1\r\nExpect: 200-ok\r\n\r\n", 417},
    };
    return rows;
}

http_request_limits small() {
    http_request_limits limits;
    limits.body_bytes = 1'000;
    return limits;
}

TEST(HttpRequest, Good) {
    for (const auto& row : good()) {
        for (const auto& pieces : {std::vector{row.bytes}, bytewise(row.bytes)}) {
            const auto seen = read(pieces, small());
            EXPECT_EQ(seen.refused, 0) << row.why;
            EXPECT_TRUE(seen.head && seen.done) << row.why;
            EXPECT_EQ(seen.path, row.path) << row.why;
            EXPECT_EQ(seen.body, row.body) << row.why;
            EXPECT_EQ(seen.keep_alive, row.keep_alive) << row.why;
            EXPECT_EQ(seen.used, row.bytes.size()) << row.why;
        }
    }
}

TEST(HttpRequest, Bad) {
    for (const auto& row : bad()) {
        for (const auto& pieces : {std::vector{row.bytes}, bytewise(row.bytes)}) {
            const auto seen = read(pieces, small());
            EXPECT_EQ(seen.refused, row.status) << row.why;
            EXPECT_FALSE(seen.done) << row.why;
            EXPECT_FALSE(seen.keep_alive) << row.why;
            EXPECT_EQ(seen.body, "") << row.why;
        }
        http_request_reader reader(small());
        reader.feed(row.bytes);
        EXPECT_FALSE(reader.reason().empty()) << row.why;
    }
}

TEST(HttpRequest, TargetsAndHosts) {
    const auto target = [](const std::string& text, const std::string& with = "x") {
        return read({"GET " + text + " HTTP/1.1\r\nHost: " + with + "\r\n\r\n"});
    };
    EXPECT_EQ(target("/a/b").path, "/a/b");
    EXPECT_EQ(target("/a/").path, "/a/");
    EXPECT_EQ(target("/.well-known/mta-sts.txt").path, "/.well-known/mta-sts.txt");
    EXPECT_EQ(target("/...").path, "/...");
    EXPECT_EQ(target("/a%20b+c%2B%C3%a4").path, "/a b+c+\xc3\xa4") << "a plus is a plus in a path";
    EXPECT_EQ(target("/%252e%252e").path, "/%2e%2e") << "decoded once";
    EXPECT_EQ(target("/a?b=/../%00&c=|").query, "b=/../%00&c=|") << "as written";
    EXPECT_EQ(target("/a?").query, "");
    EXPECT_EQ(target("/a?b?c").query, "b?c");
    EXPECT_EQ(target("http://Other.Example:8080/a?b", "x").host, "other.example")
        << "RFC 9112 3.2.2: the target's host counts";
    EXPECT_EQ(target("http://a?b").path, "/");
    EXPECT_EQ(target("http://a?b").query, "b");
    EXPECT_EQ(target("/", "Reports.EXAMPLE:8443").host, "reports.example");
    EXPECT_EQ(target("/", "reports.example.").host, "reports.example");
    EXPECT_EQ(target("/", "192.0.2.1:80").host, "192.0.2.1");
    EXPECT_EQ(target("/", "[2001:DB8::1]:80").host, "[2001:db8::1]");
}

TEST(HttpRequest, FieldsAreJoined) {
    http_request_reader reader;
    reader.feed(get + "Accept: a\r\nX: 1\r\naccept:b \r\nEmpty:\r\nEmpty: x\r\n\r\n");
    EXPECT_EQ(reader.request().field("ACCEPT"), "a, b");
    EXPECT_EQ(reader.request().field("empty"), ", x");
    EXPECT_EQ(reader.request().field("none"), "");
    EXPECT_EQ(reader.request().fields[1], (std::pair<std::string, std::string>("accept", "a")));
}

TEST(HttpRequest, ExpectContinue) { // RFC 9110 §10.1.1
    EXPECT_TRUE(read({post + "Content-Length: 1\r\nExpect: 100-Continue\r\n\r\n"}).expects_continue);
    EXPECT_TRUE(read({post + "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"}).expects_continue);
    EXPECT_FALSE(read({post + "Content-Length: 0\r\nExpect: 100-continue\r\n\r\n"}).expects_continue)
        << "nothing to wait for";
    EXPECT_FALSE(
        read({"POST / HTTP/1.0\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n"}).expects_continue);
    EXPECT_EQ(http_continue, "HTTP/1.1 100 Continue\r\n\r\n");
}

TEST(HttpRequest, TheBodyMayBeLimitedFurther) {
    http_request_reader announced;
    announced.feed(post + "Content-Length: 10\r\n\r\nabc");
    announced.limit_body(10);
    EXPECT_EQ(announced.refused(), 0);
    announced.limit_body(9);
    EXPECT_EQ(announced.refused(), 413);
    EXPECT_EQ(announced.feed("more"), 0U);

    http_request_reader chunks;
    chunks.feed(chunked);
    chunks.limit_body(4);
    chunks.limit_body(400); // never back up
    chunks.feed("4\r\nabcd\r\n");
    EXPECT_EQ(chunks.refused(), 0);
    chunks.feed("1\r\n");
    EXPECT_EQ(chunks.refused(), 413);

    http_request_reader done;
    done.feed(post + "Content-Length: 3\r\n\r\nabc");
    ASSERT_TRUE(done.complete());
    done.limit_body(2);
    EXPECT_EQ(done.refused(), 413);
    EXPECT_FALSE(done.complete());

    http_request_reader early;
    early.limit_body(2); // before the head nothing is known
    early.feed(post + "Content-Length: 3\r\n\r\nabc");
    EXPECT_TRUE(early.complete());
}

TEST(HttpRequest, RequestsFollowEachOther) {
    const std::string bytes = post + "Content-Length: 2\r\n\r\nhi" + get + "\r\n";
    http_request_reader reader;
    const auto used = reader.feed(bytes);
    EXPECT_EQ(used, bytes.size() - get.size() - 2);
    EXPECT_EQ(reader.feed("x"), 0U) << "complete";
    EXPECT_EQ(reader.request().body, "hi");
    reader.reset();
    EXPECT_FALSE(reader.head_complete());
    reader.feed(std::string_view(bytes).substr(used));
    EXPECT_TRUE(reader.complete());
    EXPECT_EQ(reader.request().method, "GET");
    EXPECT_EQ(reader.request().body, "");
    EXPECT_EQ(reader.request().field("content-length"), "");
}

TEST(HttpRequest, MemoryIsThatOfTheBody) {
    http_request_limits limits;
    limits.body_bytes = 3'000'000;
    http_request_reader length(limits), chunks(limits);
    length.feed(post + "Content-Length: 1000000\r\n\r\n");
    chunks.feed(chunked);
    for (int i = 0; i < 100; ++i) {
        length.feed(std::string(10'000, 'x'));
        ASSERT_LE(length.request().body.capacity(), 1'000'000U);
    }
    EXPECT_TRUE(length.complete());
    for (int i = 0; i < 300; ++i) {
        chunks.feed("2710\r\n" + std::string(10'000, 'x') + "\r\n");
        ASSERT_LE(chunks.request().body.capacity(), limits.body_bytes);
    }
    EXPECT_EQ(chunks.request().body.size(), limits.body_bytes);
    chunks.feed("1\r\n");
    EXPECT_EQ(chunks.refused(), 413);
    EXPECT_LE(chunks.request().body.capacity(), 100U) << "given back";
}

// ---- any cut gives the same ----------------------------------------------------------------------

RC_GTEST_PROP(HttpRequestProperty, AnyCutsGiveTheSame, ()) {
    std::string bytes;
    if (*rc::gen::arbitrary<bool>()) {
        const auto& rows = good();
        bytes = rows[*rc::gen::inRange<std::size_t>(0, rows.size())].bytes;
    } else {
        const auto& rows = bad();
        bytes = rows[*rc::gen::inRange<std::size_t>(0, rows.size())].bytes;
    }
    if (*rc::gen::arbitrary<bool>())
        bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] = *rc::gen::arbitrary<char>();
    const auto most = *rc::gen::element<std::size_t>(3, 50, 5'000, 40'000);
    std::vector<std::string> pieces;
    for (std::size_t at = 0; at < bytes.size();) {
        const auto size = *rc::gen::inRange<std::size_t>(1, most);
        pieces.push_back(bytes.substr(at, bytes.size() > 5'000 ? size * 50 : size));
        at += pieces.back().size();
    }
    RC_ASSERT(read(pieces, small()) == read({bytes}, small()));
}

// ---- replies -------------------------------------------------------------------------------------

TEST(HttpReply, Bytes) {
    http_request to;
    to.method = "GET";
    http_reply reply;
    reply.body = "hi\n";
    reply.media_type = "text/plain";
    reply.fields = {{"X-One", "1"}};
    EXPECT_EQ(write_reply(reply, to, 784'111'777),
              "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/plain\r\n"
              "Content-Length: 3\r\nX-One: 1\r\n\r\nhi\n");
    to.method = "HEAD";
    EXPECT_TRUE(write_reply(reply, to, 0).ends_with("Content-Length: 3\r\nX-One: 1\r\n\r\n"));
    for (const int status : {204, 304}) {
        reply.status = status;
        const auto bytes = write_reply(reply, {}, 0);
        EXPECT_TRUE(bytes.ends_with("X-One: 1\r\n\r\n")) << status;
        EXPECT_EQ(bytes.find("Content-"), bytes.npos) << status;
    }
    EXPECT_EQ(write_reply({}, {}, 0),
              "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: 0\r\n\r\n");
}

TEST(HttpReply, Connection) {
    http_request to;
    http_reply reply;
    const auto says = [&](std::string_view what) {
        return write_reply(reply, to, 0).find(std::string("\r\nConnection: ").append(what) + "\r\n") !=
               std::string::npos;
    };
    EXPECT_FALSE(says("close") || says("keep-alive"));
    to.keep_alive = false;
    EXPECT_TRUE(says("close"));
    to = {};
    to.minor_version = 0;
    EXPECT_TRUE(says("keep-alive"));
    reply.close = true;
    EXPECT_TRUE(says("close"));
    EXPECT_FALSE(says("keep-alive"));
}

TEST(HttpReply, NoFieldCanEndItself) {
    http_reply reply;
    reply.fields = {{"X", "a\r\nSet-Cookie: b\n\0c"},
                    {"Bad Name", "x"},
                    {"Y:\r\nZ", "x"},
                    {"content-length", "99"},
                    {"Transfer-Encoding", "chunked"},
                    {"Location", "/caf\xc3\xa9"}};
    reply.body = "x";
    reply.media_type = "text/plain\r\nX: y";
    EXPECT_EQ(write_reply(reply, {}, 0),
              "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Type: text/plain  X: y\r\n"
              "Content-Length: 1\r\nX: a  Set-Cookie: b \r\nLocation: /caf\xc3\xa9\r\n\r\nx");
    reply.status = 100;
    EXPECT_TRUE(write_reply(reply, {}, 0).starts_with("HTTP/1.1 500 ")) << "no interim reply, nor a number";
}

TEST(HttpReply, Problem) { // RFC 9457
    const auto reply = problem(413, "too large", "20 MiB at most\n");
    EXPECT_EQ(reply.status, 413);
    EXPECT_EQ(reply.media_type, "application/problem+json");
    EXPECT_EQ(reply.body,
              R"({"type":"about:blank","title":"too large","status":413,"detail":"20 MiB at most\\n"})");
    EXPECT_EQ(problem(404, "", "").body, R"({"type":"about:blank","title":"Not Found","status":404})");
}

} // namespace
