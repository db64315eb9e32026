// SPDX-License-Identifier: Apache-2.0
// The mail around a report: its fields and parts as RFC 8460 §5.3 has them, within the limits of lines, and
// no value that breaks out of its field.
#include "tlsrpt/report_mail.h"

#include "base/encode.h"
#include "base/text.h"
#include "support/proves.h"
#include "tlsrpt/mail_fields.h"
#include "tlsrpt/write_report.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <map>

namespace mailtight::tlsrpt {
namespace {

using namespace testing;

const std::string body = "\x1f\x8b" + std::string(300, 'z');

report_mail some_mail() {
    report_mail out;
    out.from_name = "Example Net";
    out.from = "tls-reports@example.net";
    out.to = "tls@example.com";
    out.report_domain = "example.com";
    out.report_id = "20260102.abcdefgh.example.com@example.net";
    out.file_name = "example.net!example.com!1767312000!1767398399.json.gz";
    out.text = {"A report.", "Nothing to do."};
    out.body = body;
    out.date = *base::parse_utc("2026-01-03T04:05:06Z");
    return out;
}

// Cut with no library: what a mail consists of.
struct taken_apart {
    std::vector<std::pair<std::string, std::string>> fields; // unfolded
    std::string body;
    std::string field(std::string_view name) const {
        std::string out;
        int count = 0;
        for (const auto& [n, v] : fields)
            if (n == name) {
                out = v;
                ++count;
            }
        return count == 1 ? out : std::to_string(count) + " times";
    }
};
taken_apart take_apart(std::string_view mail) {
    taken_apart out;
    while (!mail.starts_with("\r\n")) {
        const auto end = mail.find("\r\n");
        if (end == mail.npos)
            throw std::runtime_error("no end of the header");
        const auto line = mail.substr(0, end);
        if (line.starts_with(' ')) {
            out.fields.back().second += line;
        } else {
            const auto colon = line.find(':');
            if (colon == line.npos)
                throw std::runtime_error("no field: " + std::string(line));
            out.fields.emplace_back(line.substr(0, colon), line.substr(std::min(colon + 2, line.size())));
        }
        mail.remove_prefix(end + 2);
    }
    out.body = mail.substr(2);
    return out;
}

TEST(report_mail, has_the_fields_of_a_report) {
    PROVES("8460-5.3-b", "8460-5.3-e", "8460-5.3-f", "8460-5.3-i", "8460-5.3-j", "8460-3-g", "8460-5.3.1-a",
           "8460-5-a");
    const auto mail = take_apart(compose(some_mail()));
    std::vector<std::string> names;
    for (const auto& [name, value] : mail.fields)
        names.push_back(name);
    EXPECT_THAT(names, ElementsAre("Date", "From", "To", "Subject", "Message-ID", "TLS-Report-Domain",
                                   "TLS-Report-Submitter", "TLS-Required", "Auto-Submitted", "MIME-Version",
                                   "Content-Type"));
    EXPECT_EQ(mail.field("Date"), "Sat, 03 Jan 2026 04:05:06 +0000");
    EXPECT_EQ(mail.field("From"), "Example Net <tls-reports@example.net>");
    EXPECT_EQ(mail.field("To"), "<tls@example.com>");
    EXPECT_EQ(mail.field("Subject"), "Report Domain: example.com Submitter: example.net Report-ID: "
                                     "<20260102.abcdefgh.example.com@example.net>");
    EXPECT_EQ(mail.field("Message-ID"), "<20260102.abcdefgh.example.com@example.net>");
    EXPECT_EQ(mail.field("TLS-Report-Domain"), "example.com");
    EXPECT_EQ(mail.field("TLS-Report-Submitter"), "example.net");
    EXPECT_EQ(mail.field("TLS-Required"), "No"); // RFC 8689 §3: this very word
    EXPECT_EQ(mail.field("Auto-Submitted"), "auto-generated");
    EXPECT_EQ(mail.field("MIME-Version"), "1.0");
    EXPECT_THAT(mail.field("Content-Type"),
                MatchesRegex("multipart/report; report-type=\"tlsrpt\"; boundary=\"=_[0-9a-f]+\""));
}

TEST(report_mail, has_a_text_and_then_the_report) {
    PROVES("8460-5.3-c", "8460-5.3-d", "8460-6.4-a");
    const auto mail = take_apart(compose(some_mail()));
    const auto type = mail.field("Content-Type");
    const auto from = type.find("=_");
    const auto boundary = "--" + type.substr(from, type.size() - from - 1);
    ASSERT_TRUE(mail.body.starts_with(boundary + "\r\n"));
    const auto second = mail.body.find(boundary, boundary.size());
    const auto end = mail.body.find(boundary + "--\r\n");
    ASSERT_NE(end, std::string::npos);
    EXPECT_EQ(end + boundary.size() + 4, mail.body.size());
    const auto text = take_apart(mail.body.substr(boundary.size() + 2, second - boundary.size() - 2));
    EXPECT_EQ(text.field("Content-Type"), "text/plain; charset=us-ascii");
    EXPECT_EQ(text.body, "A report.\r\n\r\nNothing to do.\r\n");
    const auto attached =
        take_apart(mail.body.substr(second + boundary.size() + 2, end - second - boundary.size() - 2));
    EXPECT_EQ(attached.field("Content-Type"), "application/tlsrpt+gzip");
    EXPECT_EQ(attached.field("Content-Transfer-Encoding"), "base64");
    EXPECT_EQ(attached.field("Content-Disposition"),
              "attachment; filename=\"example.net!example.com!1767312000!1767398399.json.gz\"");
    std::string joined;
    for (const auto line : base::split(attached.body, '\n')) {
        EXPECT_LE(line.size(), 77u);
        joined += base::trim(line);
    }
    EXPECT_EQ(base::unbase64(joined), body);
}

TEST(report_mail, tells_mails_of_one_report_apart_by_the_message_id) {
    auto mail = some_mail();
    mail.message_unique = "d17";
    const auto read = take_apart(compose(mail));
    EXPECT_EQ(read.field("Message-ID"), "<d17.20260102.abcdefgh.example.com@example.net>");
    EXPECT_THAT(read.field("Subject"), HasSubstr("<20260102.abcdefgh.example.com@example.net>"));
}

TEST(report_mail, folds_a_long_subject_and_keeps_a_long_file_name_whole) {
    PROVES("8460-5.3-i");
    const std::string label(60, 'a'), domain = label + "." + label + "." + label + ".example";
    auto mail = some_mail();
    mail.report_domain = domain;
    mail.report_id = "20260102.abcdefgh." + domain + "@" + domain;
    mail.from = "tls@" + domain;
    mail.file_name = domain + "!" + domain + "!1767312000!1767398399.json.gz";
    const auto text = compose(mail);
    const auto read = take_apart(text);
    EXPECT_EQ(read.field("Subject"), (report_subject{domain, domain, mail.report_id}.to_string()));
    EXPECT_THAT(text, HasSubstr("\r\n filename=\"" + mail.file_name + "\"\r\n"));
    for (const auto line : base::split(text, '\n'))
        EXPECT_LE(line.size(), mail_line_most);
    mail = some_mail();
    mail.file_name = std::string(2'000, 'n') + ".json.gz"; // no name that RFC 8460 makes
    const auto longer = compose(mail);
    EXPECT_THAT(longer, HasSubstr("filename*0=\"nnn"));
    EXPECT_THAT(longer, HasSubstr("filename*33=\""));
    for (const auto line : base::split(longer, '\n'))
        EXPECT_LE(line.size(), mail_line_best + 1);
}

struct shown_name {
    const char* name;
    const char* field;
};
TEST(report_mail, writes_names_as_mail_has_them) {
    const std::vector<shown_name> rows{
        {"Example Net", "Example Net <a@b.example>"},
        {"", "<a@b.example>"},
        {"Example, Inc.", "\"Example, Inc.\" <a@b.example>"},
        {"say \"hi\" \\o/", "\"say \\\"hi\\\" \\\\o/\" <a@b.example>"},
        {"B\xc3\xbc"
         "cher",
         "=?utf-8?B?QsO8Y2hlcg==?= <a@b.example>"},
        {"=?utf-8?B?QQ==?=", "=?utf-8?B?PT91dGYtOD9CP1FRPT0/PQ==?= <a@b.example>"},
        {"a\r\nBcc: x@y", "\"a\\\\r\\\\nBcc: x@y\" <a@b.example>"},
    };
    for (const auto& [name, field] : rows) {
        auto mail = some_mail();
        mail.from_name = name;
        mail.from = "a@b.example";
        EXPECT_EQ(take_apart(compose(mail)).field("From"), field);
    }
}

TEST(report_mail, encodes_a_text_that_would_not_travel) {
    const auto part = [](std::string_view text) {
        std::string out;
        append_text_part(out, text);
        return out;
    };
    const std::string quoted = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: "
                               "quoted-printable\r\n\r\n";
    EXPECT_EQ(part("a b"), "Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: "
                           "7bit\r\n\r\na b\r\n");
    EXPECT_EQ(part("gr\xc3\xbc\xc3\x9f"
                   "e = 1"),
              quoted + "gr=C3=BC=C3=9Fe =3D 1\r\n");
    EXPECT_EQ(part("x\nFrom me"), quoted + "x\r\n=46rom me\r\n");
    EXPECT_EQ(part("end \nx"), quoted + "end=20\r\nx\r\n");
    EXPECT_EQ(part(std::string(80, 'a')), quoted + std::string(75, 'a') + "=\r\naaaaa\r\n");
}

// Texts that try to end a field, a part or a line.
rc::Gen<std::string> hostile() {
    const auto piece = rc::gen::element<std::string>(
        "a", " ", "\r\n", "\n", "\r", "\r\n\r\n", "\r\nBcc: x@example.org", "\"", "<", ">", "@", ";", "=?",
        "?=", "\\", ".", "\t", "--=_", "\xc3\xa4", "\xff", "\x01", "From ", ":", "\xe2\x80\xa8",
        std::string(1, '\0'), std::string(1200, 'w'), std::string(90, ' '));
    return rc::gen::map(rc::gen::resize(8, rc::gen::container<std::vector<std::string>>(piece)),
                        [](const std::vector<std::string>& pieces) { return base::join(pieces, ""); });
}

TEST(report_mail, stays_one_mail_whatever_its_values_hold) {
    const auto holds = rc::check([] {
        report_mail mail;
        mail.from_name = *hostile();
        mail.from = *hostile();
        mail.to = *hostile();
        mail.report_domain = *hostile();
        mail.report_id = *hostile();
        mail.message_unique = *hostile();
        mail.file_name = *hostile();
        mail.text = {*hostile(), *hostile()};
        mail.body = body;
        mail.date = *base::parse_utc("2026-01-03T04:05:06Z");
        mail.more = {{"X-Note", *hostile()}, {*hostile(), "x"}};
        const auto text = compose(mail);
        for (const char c : text)
            RC_ASSERT((c >= ' ' && c <= '~') || c == '\r' || c == '\n');
        for (std::size_t at = 0; at < text.size(); ++at) {
            RC_ASSERT(text[at] != '\n' || (at > 0 && text[at - 1] == '\r'));
            RC_ASSERT(text[at] != '\r' || (at + 1 < text.size() && text[at + 1] == '\n'));
        }
        std::size_t longest = 0;
        for (const auto line : base::split(text, '\n'))
            longest = std::max(longest, line.size());
        RC_ASSERT(longest <= mail_line_most + 1);
        const auto read = take_apart(text);
        std::map<std::string, int> count;
        for (const auto& [name, value] : read.fields)
            ++count[name];
        for (const auto* name :
             {"Date", "From", "To", "Subject", "Message-ID", "TLS-Report-Domain", "TLS-Report-Submitter",
              "TLS-Required", "Auto-Submitted", "MIME-Version", "Content-Type"})
            RC_ASSERT(count[name] == 1);
        RC_ASSERT(count["Bcc"] == 0);
        const auto type = read.field("Content-Type");
        const auto from = type.find("=_");
        const auto boundary = "--" + type.substr(from, type.size() - from - 1);
        int lines = 0;
        for (const auto line : base::split(read.body, '\n'))
            lines += line.starts_with(boundary) ? 1 : 0;
        RC_ASSERT(lines == 3);
    });
    EXPECT_TRUE(holds);
}

} // namespace
} // namespace mailtight::tlsrpt
