// SPDX-License-Identifier: Apache-2.0
// Report mails as they are met: what a part holds, whatever gateways and odd senders did to it. The fixtures
// are written for these tests; 8460-5.3-h asks to take what is known and to pass over the rest.
#include "base/encode.h"
#include "base/text.h"
#include "mail/message.h"
#include "support/proves.h"

#include <gtest/gtest.h>

using namespace mailtight;
using namespace mailtight::mail;
using namespace std::string_literals;

namespace {

const std::string body =
    R"({"organization-name":"Example Inc.","report-id":"2026-11-20T00:00:00Z_example.net"})";

// A mail made of lines, with CRLF.
std::string lines(std::initializer_list<std::string_view> all) {
    std::string out;
    for (const auto line : all)
        out.append(line).append("\r\n");
    return out;
}
std::string unix_lines(std::string text) {
    std::erase(text, '\r');
    return text;
}
std::string wrapped(const std::string& base64, std::size_t width) {
    std::string out;
    for (std::size_t at = 0; at < base64.size(); at += width)
        out += base64.substr(at, width) + "\r\n";
    return out;
}
message read(const std::string& bytes) {
    auto out = read_message(bytes);
    EXPECT_TRUE(out.has_value()) << bytes;
    return out ? std::move(*out) : message{};
}

const std::string report =
    lines({
        "Received: from mx.example.com by mx.example.net; Fri, 20 Nov 2026 10:00:02 +0000",
        "From: \"TLS reports\" <noreply@Reports.Example.COM>",
        "To: reports@example.net",
        "Date: Fri, 20 Nov 2026 11:00:00 +0100",
        "Subject: Report Domain: example.net",
        "\tSubmitter: example.com",
        " Report-ID: <1@example.com>",
        "MIME-Version: 1.0",
        "TLS-Report-Domain: example.net",
        "TLS-Report-Submitter: example.com",
        "Content-Type: multipart/report; report-type=\"tlsrpt\";",
        "\tboundary=\"=_b1\"",
        "",
        "This is MIME.",
        "--=_b1",
        "Content-Type: text/plain; charset=us-ascii",
        "",
        "A report for people.",
        "--=_b1",
        "Content-Type: application/tlsrpt+json",
        "Content-Transfer-Encoding: base64",
        "Content-Disposition: attachment;",
        " filename=\"example.com!example.net!1!2.json\"",
    }) +
    "\r\n" + wrapped(base::base64(body), 60) + "--=_b1--\r\nafter\r\n";

TEST(Message, AReportAsTheRfcWantsIt) {
    PROVES("8460-5.3-h", "8460-6.2-a");
    for (const auto& bytes : {report, unix_lines(report), "\r\n" + report}) {
        const auto mail = read(bytes);
        EXPECT_TRUE(mail.is_report);
        EXPECT_FALSE(mail.truncated);
        ASSERT_EQ(mail.parts.size(), 2U);
        EXPECT_EQ(mail.parts[0].media_type, "text/plain");
        EXPECT_EQ(mail.parts[0].bytes, "A report for people.");
        EXPECT_EQ(mail.parts[0].name, "");
        EXPECT_EQ(mail.parts[1].media_type, "application/tlsrpt+json");
        EXPECT_EQ(mail.parts[1].bytes, body);
        EXPECT_EQ(mail.parts[1].name, "example.com!example.net!1!2.json");
        EXPECT_EQ(mail.parts[1].depth, 1U);
    }
}

TEST(Message, Headers) {
    const auto mail = read(report);
    EXPECT_EQ(mail.header("subject"),
              "Report Domain: example.net\tSubmitter: example.com Report-ID: <1@example.com>");
    EXPECT_EQ(mail.header("TLS-REPORT-DOMAIN"), "example.net");
    EXPECT_EQ(mail.header("X-None"), "");
    EXPECT_EQ(mail.count("received"), 1U);
    EXPECT_EQ(mail.count("x-none"), 0U);
    EXPECT_EQ(mail.headers.front().first, "Received");
    ASSERT_TRUE(mail.date().has_value());
    EXPECT_EQ(base::format_utc(*mail.date()), "2026-11-20T10:00:00Z");
    EXPECT_EQ(mail.from_domain(), "reports.example.com");
}

TEST(Message, HeaderValues) {
    struct row {
        std::string raw, value;
    };
    for (const auto& [raw, value] : {
             row{"plain", "plain"}, row{"", ""}, row{"  blanks around\t ", "blanks around"},
             row{"folded\r\n  twice\r\n\tover", "folded  twice\tover"},
             row{"=?utf-8?Q?Bericht_f=C3=BCr_example=2Enet?=", "Bericht f\xc3\xbcr example.net"},
             row{"=?UTF-8?B?QmVyaWNodA==?=", "Bericht"}, row{"=?iso-8859-1?q?f=FCr?= x", "f\xc3\xbcr x"},
             row{"=?utf-8?q?one_?=\r\n =?utf-8?q?word?=", "one word"},
             row{"=?utf-8?q?never closed", "=?utf-8?q?never closed"}, row{"=?no-such-charset?q?a=41?=", "aA"},
             row{"gr\xc3\xbc\xc3\x9f\x65", "gr\xc3\xbc\xc3\x9f\x65"},
             row{"gr\xfc\xdf\x65", "gr\xc3\xbc\xc3\x9f\x65"}, // Latin-1, unlabelled
         })
        EXPECT_EQ(read("From: a@example.com\r\nX-Test:" + raw + "\r\n\r\nx").header("X-Test"), value) << raw;
}

TEST(Message, FromDomain) {
    struct row {
        std::string from, domain;
    };
    for (const auto& [from, domain] : {
             row{"a@example.com", "example.com"},
             row{"<a@EXAMPLE.com>", "example.com"},
             row{"Name <a@example.com>", "example.com"},
             row{"\"a@example.org\" <a@example.com>", "example.com"},
             row{"\"x, y\" <a@example.com>, b@example.org", "example.com"},
             row{"a@b\xc3\xbc"
                 "cher.example",
                 "xn--bcher-kva.example"},
             row{"group: a@example.com, b@example.org;", "example.com"},
             // An encoded display name cannot bring another address.
             row{"=?utf-8?q?=22a=40example=2Eorg=22_=3Ca=40example=2Eorg=3E?= <a@example.com>",
                 "example.com"},
             row{"=?utf-8?q?a=40example=2Eorg=2C?= <a@example.com>", "example.com"},
             row{"nobody", ""},
             row{"", ""},
             row{"a@", ""},
             row{"a@[192.0.2.1]", ""},
         })
        EXPECT_EQ(read("Date: x\r\nFrom: " + from + "\r\n\r\nx").from_domain(), domain) << from;
}

TEST(Message, Dates) {
    struct row {
        std::string date, utc;
    };
    for (const auto& [date, utc] : {
             row{"Fri, 20 Nov 2026 10:00:00 +0000", "2026-11-20T10:00:00Z"},
             row{"20 Nov 2026 10:00:00 -0500", "2026-11-20T15:00:00Z"},
             row{"Fri, 20 Nov 2026 10:00:00 GMT (comment)", "2026-11-20T10:00:00Z"},
             row{"not a date", ""},
             row{"", ""},
         }) {
        const auto read_date = read("From: a@example.com\r\nDate: " + date + "\r\n\r\nx").date();
        EXPECT_EQ(read_date ? base::format_utc(*read_date) : "", utc) << date;
    }
}

// One attachment in a multipart, its header and its body as given.
message with_part(const std::string& head, const std::string& content) {
    return read("From: a@example.com\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + head +
                "\r\n" + content + "\r\n--b--\r\n");
}

TEST(Message, NamesOfParts) {
    struct row {
        std::string head, name;
    };
    for (const auto& [head, name] : {
             row{"Content-Type: application/gzip; name=r.json.gz\r\n", "r.json.gz"},
             row{"Content-Type: application/gzip; name=type.gz\r\nContent-Disposition: attachment; "
                 "filename=disposition.gz\r\n",
                 "disposition.gz"},
             row{"Content-Disposition: attachment; filename*0=\"example.com!example.net!\";\r\n"
                 " filename*1=\"1!2.json.gz\"\r\n",
                 "example.com!example.net!1!2.json.gz"},
             row{"Content-Disposition: attachment; filename*=utf-8''b%C3%BCcher%21.json\r\n", "b\xc3\xbc"
                                                                                              "cher!.json"},
             row{"Content-Disposition: attachment; filename*0*=iso-8859-1''b%FCcher;\r\n "
                 "filename*1*=%21.json\r\n",
                 "b\xc3\xbc"
                 "cher!.json"},
             row{"Content-Disposition: attachment; filename=\"=?utf-8?q?b=C3=BCcher=2Ejson?=\"\r\n",
                 "b\xc3\xbc"
                 "cher.json"},
             row{"Content-Disposition: attachment\r\n", ""},
             row{"Content-Type: application/tlsrpt+gzip\r\n", ""},
             row{"Content-Disposition: attachment; filename=\"../../etc/passwd\"\r\n",
                 "../../etc/passwd"}, // a hint
         }) {
        const auto mail = with_part(head, "x");
        ASSERT_EQ(mail.parts.size(), 1U) << head;
        EXPECT_EQ(mail.parts[0].name, name) << head;
        EXPECT_EQ(mail.parts[0].bytes, "x") << head;
    }
    EXPECT_EQ(with_part("Content-Description:\r\n a!b.json.gz\r\n", "x").parts.at(0).description,
              "a!b.json.gz");
}

TEST(Message, TypesOfParts) {
    struct row {
        std::string head, type;
    };
    for (const auto& [head, type] : {
             row{"Content-Type: Application/TLSRPT+gzip\r\n", "application/tlsrpt+gzip"},
             row{"Content-Type: application/tlsrpt (a comment)\r\n", "application/tlsrpt"},
             row{"Content-Type:\r\n application/json;\r\n charset=utf-8\r\n", "application/json"},
             row{"", "text/plain"},
             row{"ContentType: application/tlsrpt+gzip\r\n", "text/plain"}, // the typing error of one sender
             row{"Content-Type: gzip\r\n", "text/plain"},
             row{"Content-Type: ;\r\n", "text/plain"},
             row{"Content-Type: a/b/c\r\n", "text/plain"},
         }) {
        const auto mail = with_part(head, "x");
        ASSERT_EQ(mail.parts.size(), 1U) << head;
        EXPECT_EQ(mail.parts[0].media_type, type) << head;
        EXPECT_EQ(mail.parts[0].bytes, "x") << head;
    }
}

TEST(Message, TransferEncodings) {
    struct row {
        std::string encoding, content, bytes;
    };
    for (const auto& [encoding, content, bytes] : {
             row{"7bit", "a=3Db", "a=3Db"},
             row{"8bit", "\xc3\xbc", "\xc3\xbc"},
             row{"binary", "\x1f\x8b\x08\x00\x01"s, "\x1f\x8b\x08\x00\x01"s},
             row{"BASE64", "eyJhIjoxfQ==", "{\"a\":1}"},
             row{" base64 (as ever)", "eyJhIjoxfQ==", "{\"a\":1}"},
             row{"\"base64\"", "eyJhIjoxfQ==", "{\"a\":1}"},
             row{"quoted-printable", "{=22a=22:=\r\n1}", "{\"a\":1}"},
             row{"quoted-printable", "a=ZZb=", "a=ZZb"},
             row{"never-heard-of", "x", "x"},
             // Lost its label: gzip in base64 shows itself.
             row{"7bit", base::base64("\x1f\x8b\x08\x00\x01\x02"s), "\x1f\x8b\x08\x00\x01\x02"s},
         }) {
        const auto mail = with_part("Content-Transfer-Encoding: " + encoding + "\r\n", content);
        ASSERT_EQ(mail.parts.size(), 1U) << encoding;
        EXPECT_EQ(base::printable(mail.parts[0].bytes), base::printable(bytes)) << encoding;
    }
}

TEST(Message, WholeBodyIsTheReport) {
    const auto plain = read("From: a@example.com\r\nContent-Type: application/tlsrpt+json\r\n\r\n" + body);
    ASSERT_EQ(plain.parts.size(), 1U);
    EXPECT_EQ(plain.parts[0].media_type, "application/tlsrpt+json");
    EXPECT_EQ(plain.parts[0].bytes, body);
    EXPECT_EQ(plain.parts[0].depth, 0U);
    EXPECT_FALSE(plain.is_report);
    const auto encoded =
        read("From: a@example.com\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base::base64(body));
    EXPECT_EQ(encoded.parts.at(0).bytes, body);
    EXPECT_EQ(encoded.parts.at(0).media_type, "text/plain");
}

TEST(Message, NestedAndForwarded) {
    const auto listed = read("From: list@example.org\r\nContent-Type: multipart/mixed; boundary=outer\r\n\r\n"
                             "--outer\r\n" +
                             report.substr(report.find("Content-Type: multipart/report")) +
                             "\r\n--outer\r\n\r\nA list's footer.\r\n--outer--\r\n");
    EXPECT_TRUE(listed.is_report);
    ASSERT_EQ(listed.parts.size(), 3U);
    EXPECT_EQ(listed.parts[1].bytes, body);
    EXPECT_EQ(listed.parts[1].depth, 2U);
    EXPECT_EQ(listed.parts[2].bytes, "A list's footer.");

    for (const auto* encoding : {"7bit", "base64"}) {
        const bool encoded = encoding == "base64"s;
        const auto forwarded =
            with_part("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: "s + encoding + "\r\n",
                      encoded ? base::base64(report) : report);
        EXPECT_TRUE(forwarded.is_report);
        ASSERT_EQ(forwarded.parts.size(), 2U) << encoding;
        EXPECT_EQ(forwarded.parts[1].bytes, body);
        EXPECT_EQ(forwarded.parts[1].depth, 3U);
        EXPECT_EQ(forwarded.header("TLS-Report-Domain"), "") << "the outer header is the mail's";
    }
    const auto digest =
        read("From: a@example.org\r\nContent-Type: multipart/digest; boundary=d\r\n\r\n--d\r\n\r\n" + report +
             "--d--\r\n");
    ASSERT_EQ(digest.parts.size(), 2U);
    EXPECT_EQ(digest.parts[1].bytes, body);
}

TEST(Message, CutShortKeepsWhatIsThere) {
    const auto second = report.find("--=_b1\r\n", report.find("--=_b1\r\n") + 1);
    const auto payload = report.find("\r\n\r\n", second) + 4;
    for (std::size_t size = report.find("\r\n") + 2; size < report.size(); ++size) {
        const auto mail = read_message(report.substr(0, size));
        ASSERT_TRUE(mail.has_value()) << size;
        if (size > second + 8) {
            ASSERT_FALSE(mail->parts.empty()) << size;
            EXPECT_EQ(mail->parts[0].bytes, "A report for people.") << size;
        }
        if (size > payload) {
            ASSERT_EQ(mail->parts.size(), 2U) << size;
            EXPECT_TRUE(body.starts_with(mail->parts[1].bytes)) << size << mail->parts[1].bytes;
            EXPECT_GE(mail->parts[1].bytes.size() + 1,
                      (std::min(size, report.find("\r\n--=_b1--")) - payload) / 2);
        }
    }
    const auto without_end = read(report.substr(0, report.find("--=_b1--")));
    EXPECT_EQ(without_end.parts.at(1).bytes, body);
    EXPECT_FALSE(without_end.truncated) << "no limit of ours cut it";
}

TEST(Message, DamagedStructure) {
    const auto part = "Content-Type: application/tlsrpt+json\r\n\r\n" + body + "\r\n";
    struct row {
        std::string bytes, what;
    };
    for (const auto& [bytes, what] : {
             row{"Content-Type: multipart/report\r\n\r\n--x\r\n" + part + "--x--\r\n",
                 "the boundary is lost"},
             row{"Content-Type: multipart/report; boundary=other\r\n\r\n--x\r\n" + part + "--x--\r\n",
                 "the boundary is another"},
             row{"Content-Type: multipart/report; boundary=y\r\n\r\n--y\r\n"
                 "Content-Type: multipart/mixed; boundary=x\r\n--x\r\n" +
                     part + "--x--\r\n",
                 "no empty line behind a part's header"},
             row{"Content-Type: multipart/report; boundary=x\r\n\r\n--x  \t\r\n" + part + "--x-- \r\n",
                 "blanks behind the delimiters"},
             row{"Content-Type: multipart/report; boundary=x\r\n\r\n--xy\r\n--x\r\n" + part + "--x--\r\n",
                 "a line that begins like a delimiter"},
             row{"Some words\r\nContent-Type: multipart/report; boundary=x\r\n\r\n--x\r\n" + part +
                     "--x--\r\n",
                 "a line in the header that is no field"},
             row{"Content-Type: multipart/report; boundary=x\r\nContent-Type: "
                 "text/plain\r\n\r\n--x\r\n" +
                     part + "--x--",
                 "two types: the first counts"},
         }) {
        const auto mail = read("From: a@example.com\r\n" + bytes);
        ASSERT_EQ(mail.parts.size(), 1U) << what;
        EXPECT_EQ(mail.parts[0].bytes, body) << what;
        EXPECT_EQ(mail.parts[0].media_type, "application/tlsrpt+json") << what;
    }
    const auto headless =
        read("From: a@example.com\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n" + body +
             "\r\n--x--");
    EXPECT_EQ(headless.parts.at(0).bytes, body) << "a part without header and empty line";
    const auto flat = read("From: a@example.com\r\nContent-Type: multipart/mixed\r\n\r\n" + body);
    EXPECT_EQ(flat.parts.at(0).bytes, body) << "no delimiter at all";
}

// DKIM hashes what stands behind the first empty line. Nothing before it may become a part, or a line added
// to the header of a signed report would bring another report.
TEST(Message, NothingOfTheHeaderBecomesTheBody) {
    for (const auto* smuggled : {"--=_b1\r\n", "--=_b1\r\nX-Content-Type: application/json\r\n",
                                 "{\"a\":1}\r\n", "words\r\n", "\t--=_b1\r\n"}) {
        const auto mail = read(smuggled + report);
        ASSERT_EQ(mail.parts.size(), 2U) << smuggled;
        EXPECT_EQ(mail.parts[1].bytes, body) << smuggled;
        auto before_end = report;
        before_end.insert(before_end.find("\r\n\r\n") + 2, smuggled);
        EXPECT_EQ(read(before_end).parts.back().bytes, body) << smuggled;
    }
    EXPECT_EQ(read("From: a@example.com\r\n{\"a\":1}\r\n").parts.at(0).bytes, "");
}

TEST(Message, Refused) {
    for (const auto& [bytes, problem] : {
             std::pair{""s, message_problem::empty},
             {"\r\n\n"s, message_problem::empty},
             {body, message_problem::no_message},
             {"just words\r\n"s, message_problem::no_message},
             {"\x1f\x8b\x08\x00\x00"s, message_problem::no_message},
         }) {
        const auto mail = read_message(bytes);
        ASSERT_FALSE(mail.has_value()) << bytes;
        EXPECT_EQ(mail.error(), problem) << bytes;
        EXPECT_FALSE(explain(mail.error()).empty());
    }
}

TEST(Message, LooksLikeOne) {
    for (const auto& yes : {report, unix_lines(report), "\r\n" + report,
                            "X-Odd: 1\r\nFROM : a@example.com\r\n"s, "Return-Path: <>\n"s})
        EXPECT_TRUE(looks_like_message(yes)) << yes.substr(0, 40);
    for (const auto& no :
         {""s, "\r\n"s, body, "{\r\n  \"from\": 1\r\n}"s, "[1]"s, "PK\x03\x04"s, "\x1f\x8b\x08"s,
          "words: and more\r\n"s, "<html>From: x</html>"s, "version: STSv1\r\nmode: none\r\n"s})
        EXPECT_FALSE(looks_like_message(no)) << no;
}

} // namespace
