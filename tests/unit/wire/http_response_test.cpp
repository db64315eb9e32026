// SPDX-License-Identifier: Apache-2.0
#include "wire/http_response.h"

#include "support/proves.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <tuple>
#include <vector>

using namespace mailtight::wire;

namespace {

struct outcome {
    int status = 0;
    std::string body, location, content_type, content_encoding;
    bool done = false, head_done = false;
    std::optional<http_error> error;
    bool operator==(const outcome&) const = default;
};

outcome read(const std::vector<std::string>& pieces, bool in_order = true) {
    http_response_reader reader;
    for (const auto& piece : pieces)
        reader.feed(piece);
    reader.eof(in_order);
    const auto& r = reader.response();
    return {r.status,           r.body,        r.location,         r.content_type,
            r.content_encoding, reader.done(), reader.head_done(), reader.error()};
}

std::vector<std::string> bytewise(const std::string& text) {
    std::vector<std::string> pieces;
    for (char c : text)
        pieces.emplace_back(1, c);
    return pieces;
}

const std::string ok = "HTTP/1.1 200 OK\r\n";

struct row {
    const char* why;
    std::string bytes;
    int status;
    std::string body;
};

const std::vector<row>& good() {
    static const std::vector<row> rows = {
        {"a length", ok + "Content-Length: 5\r\n\r\nhello", 200, "hello"},
        {"bytes behind the end are not ours", ok + "Content-Length: 5\r\n\r\nhelloHTTP/1.1 500 no", 200,
         "hello"},
        {"no length: until the end", ok + "\r\nhello", 200, "hello"},
        {"HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nhello", 200, "hello"},
        {"chunks", ok + "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", 200, "hello"},
        {"chunks with extension and trailer",
         ok + "transfer-encoding: CHUNKED\r\n\r\n5;a=b\r\nhello\r\n0\r\nX: y\r\nContent-Type: no\r\n\r\n",
         200, "hello"},
        {"chunk size in upper case, zeros and a space",
         ok + "Transfer-Encoding: chunked\r\n\r\n00A \r\n0123456789\r\n0\r\n\r\n", 200, "0123456789"},
        {"bare LF (RFC 9112 2.2)", "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", 200, "hi"},
        {"no reason", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi", 200, "hi"},
        {"an empty body", ok + "Content-Length: 0\r\n\r\n", 200, ""},
        {"one length twice", ok + "Content-Length: 2\r\nContent-Length: 2, 2\r\n\r\nhi", 200, "hi"},
        {"an interim answer first",
         "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + ok +
             "Content-Length: 2\r\n\r\nhi",
         200, "hi"},
        {"204 has no body, whatever it says", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", 204,
         ""},
        {"304 has none either", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 304, ""},
        {"a field on two lines", ok + "X-Long: a\r\n  b\r\nContent-Length: 2\r\n\r\nhi", 200, "hi"},
        {"bytes beyond ASCII in a field", ok + "X: \xc3\xa4\r\nContent-Length: 2\r\n\r\nhi", 200, "hi"},
        {"an empty field", ok + "X:\r\nContent-Length: 2\r\n\r\nhi", 200, "hi"},
        {"65,536 bytes", ok + "Content-Length: 65536\r\n\r\n" + std::string(65'536, 'x'), 200,
         std::string(65'536, 'x')},
        {"65,536 bytes until the end", ok + "\r\n" + std::string(65'536, 'x'), 200, std::string(65'536, 'x')},
        {"65,536 bytes in chunks",
         ok + "Transfer-Encoding: chunked\r\n\r\n8000\r\n" + std::string(32'768, 'x') + "\r\n8000\r\n" +
             std::string(32'768, 'x') + "\r\n0\r\n\r\n",
         200, std::string(65'536, 'x')},
    };
    return rows;
}

struct bad_row {
    const char* why;
    std::string bytes;
    http_error error;
};

const std::vector<bad_row>& bad() {
    using enum http_error;
    const std::string chunked = ok + "Transfer-Encoding: chunked\r\n\r\n";
    static const std::vector<bad_row> rows = {
        {"another protocol", "220 mx ESMTP\r\n", not_http},
        {"HTTP/2 in clear text", "HTTP/2 200\r\n\r\n", not_http},
        {"HTTP/0.9", "<html>\n", not_http},
        {"status of two digits", "HTTP/1.1 20 OK\r\n\r\n", not_http},
        {"status 000", "HTTP/1.1 000 x\r\n\r\n", not_http},
        {"status 600", "HTTP/1.1 600 x\r\n\r\n", not_http},
        {"status of four digits", "HTTP/1.1 2000 x\r\n\r\n", not_http},
        {"a NUL in the status line", std::string("HTTP/1.1 200 \0\r\n\r\n", 18), not_http},
        {"nothing at all", "", cut_short},
        {"the head is cut", ok + "Content-Le", cut_short},
        {"half of what the length says", ok + "Content-Length: 10\r\n\r\nhello", cut_short},
        {"the last chunk is missing", chunked + "5\r\nhello\r\n", cut_short},
        {"the trailer is cut", chunked + "0\r\nX: y\r\n", cut_short},
        {"a negative length", ok + "Content-Length: -1\r\n\r\n", bad_length},
        {"a signed length", ok + "Content-Length: +5\r\n\r\nhello", bad_length},
        {"a length with a unit", ok + "Content-Length: 5 bytes\r\n\r\nhello", bad_length},
        {"an empty length", ok + "Content-Length:\r\n\r\nhello", bad_length},
        {"a length beyond 64 bits", ok + "Content-Length: 99999999999999999999\r\n\r\n", bad_length},
        {"two lengths that differ", ok + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", bad_length},
        {"length and chunks", ok + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", bad_coding},
        {"gzip as a transfer coding", ok + "Transfer-Encoding: gzip, chunked\r\n\r\n", bad_coding},
        {"chunked twice", ok + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
         bad_coding},
        {"chunks in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", bad_coding},
        {"a chunk size that is none", chunked + "xyz\r\n", bad_chunk},
        {"an empty chunk size", chunked + "\r\n", bad_chunk},
        {"a negative chunk size", chunked + "-5\r\nhello\r\n", bad_chunk},
        {"a chunk longer than said", chunked + "3\r\nhello\r\n0\r\n\r\n", bad_chunk},
        {"a chunk size beyond 64 bits", chunked + "FFFFFFFFFFFFFFFFFF\r\n", bad_chunk},
        {"a huge chunk", chunked + "FFFFFFFFFFFFFFFF\r\n", too_large},
        {"65,537 bytes said", ok + "Content-Length: 65537\r\n\r\n", too_large},
        {"65,537 bytes until the end", ok + "\r\n" + std::string(65'537, 'x'), too_large},
        {"65,537 bytes in chunks",
         chunked + "10000\r\n" + std::string(65'536, 'x') + "\r\n1\r\nx\r\n0\r\n\r\n", too_large},
        {"a field without colon", ok + "Content-Length 5\r\n\r\n", bad_field},
        {"a space before the colon", ok + "Content-Length : 5\r\n\r\nhello", bad_field},
        {"a field without name", ok + ": x\r\n\r\n", bad_field},
        {"a continuation of nothing", ok + "  x\r\n\r\n", bad_field},
        {"a bare CR in a field", ok + "X: a\rb\r\n\r\n", bad_field},
        {"an escape in a field", ok + "X: \x1b[2J\r\n\r\n", bad_field},
        {"a head that never ends", ok + "X: " + std::string(40'000, 'x'), head_too_large},
        {"fields without end",
         [] {
             std::string text = ok;
             for (int i = 0; i < 8000; ++i)
                 text += "X: y\r\n";
             return text;
         }(),
         head_too_large},
        {"interim answers without end",
         [] {
             std::string text;
             for (int i = 0; i < 2'000; ++i)
                 text += "HTTP/1.1 100 Continue\r\n\r\n";
             return text;
         }(),
         head_too_large},
        {"an endless chunk extension", chunked + "5;" + std::string(40'000, 'x'), head_too_large},
        {"an endless trailer", chunked + "0\r\n" + "X: " + std::string(40'000, 'x'), head_too_large},
        {"a switch that nobody asked for", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
         unasked_upgrade},
    };
    return rows;
}

TEST(HttpResponse, Good) {
    PROVES("8461-3.3-m");
    for (const auto& row : good()) {
        for (const auto& pieces : {std::vector{row.bytes}, bytewise(row.bytes)}) {
            const auto seen = read(pieces);
            EXPECT_FALSE(seen.error) << row.why << ": " << (seen.error ? explain(*seen.error) : "");
            EXPECT_TRUE(seen.done) << row.why;
            EXPECT_EQ(seen.status, row.status) << row.why;
            EXPECT_TRUE(seen.body == row.body) << row.why;
        }
    }
}

TEST(HttpResponse, Bad) {
    PROVES("8461-3.3-m");
    for (const auto& row : bad()) {
        for (const auto& pieces : {std::vector{row.bytes}, bytewise(row.bytes)}) {
            const auto seen = read(pieces);
            ASSERT_TRUE(seen.error) << row.why;
            EXPECT_EQ(*seen.error, row.error) << row.why << ": " << explain(*seen.error);
            EXPECT_FALSE(seen.done) << row.why;
            EXPECT_FALSE(explain(*seen.error).empty()) << row.why;
            if (row.error == http_error::too_large)
                EXPECT_TRUE(seen.body.empty()) << row.why;
        }
    }
}

TEST(HttpResponse, ABodyUntilTheEndMustEndInOrder) {
    EXPECT_EQ(read({ok + "\r\nversion: STSv1"}, false).error, http_error::cut_short)
        << "else a cut policy would pass for a whole one";
    EXPECT_FALSE(read({ok + "Content-Length: 2\r\n\r\nhi"}, false).error) << "a length says it all";
}

TEST(HttpResponse, KeepsTheFieldsThatCount) {
    const auto seen = read({"HTTP/1.1 301 Moved\r\nlocation:  https://www.example.com/x \r\nContent-Type: "
                            "Text/HTML; charset=x\r\nContent-Type: second\r\nCONTENT-ENCODING: br\r\n"
                            "Content-Length: 0\r\n\r\n"});
    EXPECT_EQ(seen.status, 301);
    EXPECT_EQ(seen.location, "https://www.example.com/x");
    EXPECT_EQ(seen.content_type, "Text/HTML; charset=x") << "the first counts";
    EXPECT_EQ(seen.content_encoding, "br");
}

TEST(HttpResponse, AnInterimAnswerLeavesNothingBehind) {
    const auto seen = read({"HTTP/1.1 103 x\r\nLocation: y\r\nContent-Type: z\r\nContent-Length: 99\r\n\r\n" +
                            ok + "Content-Length: 2\r\n\r\nhi"});
    EXPECT_EQ(seen.location, "");
    EXPECT_EQ(seen.content_type, "");
    EXPECT_EQ(seen.body, "hi");
}

RC_GTEST_PROP(HttpResponseProperty, AnyCutsGiveTheSame, ()) {
    std::string bytes;
    if (*rc::gen::arbitrary<bool>()) {
        const auto& rows = good();
        bytes = rows[*rc::gen::inRange<std::size_t>(0, rows.size())].bytes;
    } else {
        const auto& rows = bad();
        bytes = rows[*rc::gen::inRange<std::size_t>(0, rows.size())].bytes;
    }
    const auto most = *rc::gen::element<std::size_t>(3, 50, 5'000, 40'000);
    std::vector<std::string> pieces;
    for (std::size_t at = 0; at < bytes.size();) {
        const auto size = *rc::gen::inRange<std::size_t>(1, most);
        pieces.push_back(bytes.substr(at, bytes.size() > 10'000 ? size * 100 : size));
        at += pieces.back().size();
    }
    RC_ASSERT(read(pieces) == read({bytes}));
}

RC_GTEST_PROP(HttpResponseProperty, ChunksInAnyCutGiveTheBodyBack, (const std::string& body)) {
    std::string bytes = ok + "Transfer-Encoding: chunked\r\n\r\n";
    char size[20];
    for (std::size_t at = 0; at < body.size();) {
        const auto part = body.substr(at, *rc::gen::inRange<std::size_t>(1, 20));
        std::snprintf(size, sizeof size, "%zx\r\n", part.size());
        bytes += size + part + "\r\n";
        at += part.size();
    }
    bytes += "0\r\n\r\n";
    const auto seen = read({bytes});
    RC_ASSERT(!seen.error);
    RC_ASSERT(seen.body == body);
}

} // namespace
