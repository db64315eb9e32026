// SPDX-License-Identifier: Apache-2.0
// The signed mail of a report, before other eyes: libopendkim for the signatures, Python's email package and
// our own intake for what it says.
#include "base/compress.h"
#include "base/encode.h"
#include "base/text.h"
#include "deliver/compose.h"
#include "deliver/keys.h"
#include "intake/examine.h"
#include "mail/message.h"
#include "support/dkim.h"
#include "support/filter.h"
#include "support/opendkim.h"
#include "support/proves.h"
#include "tlsrpt/write_report.h"
#include "unit/deliver/some_results.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

namespace mailtight::deliver {
namespace {

using namespace testing;
using tlsrpt::result_type;

// What verifiers look at is real time.
const base::utc_seconds now{std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now())};

const key_ring& keys() {
    static const tests::scratch_folder folder;
    static const auto ring = [] {
        auto made = make_keys(folder / "keys", "example.net", "mt");
        if (!made)
            throw std::runtime_error(made.error());
        for (const auto& entry : made->entries)
            tests::opendkim_oracle::records()[entry.selector] = entry.record_value;
        return std::move(*made);
    }();
    return ring;
}
tests::fixed_keys published() {
    tests::fixed_keys out;
    for (const auto& entry : keys().entries)
        out.add(entry.record_name, entry.record_value);
    return out;
}

std::vector<model::counted_result> some_failures() {
    auto one = some_result();
    one.success = 1'234'567;
    one.faults = {{some_fault(result_type::certificate_expired), 40},
                  {some_fault(result_type::starttls_not_supported), 3},
                  {some_fault(result_type::certificate_host_mismatch), 2},
                  {some_fault(result_type::certificate_not_trusted), 1}};
    one.failure = 46;
    return {one};
}
model::outgoing_delivery to_example() {
    model::outgoing_delivery out;
    out.number = 17;
    out.tag = "d17-0123456789abcdef";
    out.uri = "mailto:tls@example.com";
    out.address = "tls@example.com";
    out.host = "example.com";
    return out;
}
std::string some_mail(const reporter& who = some_reporter()) {
    return make_mail(who, file_report(who, due_for("example.com"), 0, some_failures(), now), to_example(),
                     keys().signers, now);
}
boost::json::object read_by_python(const std::string& mail) {
    return boost::json::parse(tests::filter("python3 " MAILTIGHT_SOURCE_DIR "/tests/support/read_mail", mail))
        .as_object();
}
std::string field(const boost::json::object& mail, std::string_view name) {
    std::string out;
    int count = 0;
    for (const auto& pair : mail.at("fields").as_array())
        if (base::iequals(std::string_view(pair.as_array()[0].as_string()), name)) {
            out = pair.as_array()[1].as_string();
            ++count;
        }
    return count == 1 ? out : std::to_string(count) + " times";
}

// ---- signatures ----

TEST(make_mail, carries_signatures_that_opendkim_verifies) {
    PROVES("8460-3-j", "8463", "8301-3");
    auto& opendkim = tests::opendkim_oracle::instance();
    const int expected = opendkim.has_ed25519() ? 2 : 1;
    const auto mail = some_mail();
    EXPECT_TRUE(opendkim.verifies(mail)) << mail;
    EXPECT_EQ(opendkim.passed(mail), expected) << mail;
    auto changed = mail;
    changed.replace(changed.find("TLS-Report-Domain: example.com"), 30, "TLS-Report-Domain: example.org");
    EXPECT_EQ(opendkim.passed(changed), 0);
    changed = mail;
    changed.replace(changed.find("TLS-Required: No"), 16, "TLS-Required: Yo");
    EXPECT_EQ(opendkim.passed(changed), 0);
    changed = mail;
    changed.insert(changed.find("--=_", changed.find("application/tlsrpt")), "QQ==\r\n");
    EXPECT_EQ(opendkim.passed(changed), 0);
}

TEST(make_mail, signs_every_field_that_says_what_it_is) {
    PROVES("8460-5.3-g", "8460-3-l", "6376-3.5-h");
    const auto mail = some_mail();
    const auto read = mail::read_message(mail);
    ASSERT_TRUE(read);
    ASSERT_EQ(read->count("DKIM-Signature"), 2u);
    std::vector<std::string> algorithms;
    for (const auto& [name, value] : read->headers) {
        if (!base::iequals(name, "DKIM-Signature"))
            continue;
        std::map<std::string, std::string> tags;
        for (const auto tag : base::split(value, ';')) {
            const auto equals = tag.find('=');
            std::string text(tag.substr(equals + 1));
            std::erase_if(text, [](char c) { return c == ' ' || c == '\t'; });
            tags[std::string(base::trim(tag.substr(0, equals)))] = text;
        }
        algorithms.push_back(tags["a"]);
        EXPECT_EQ(tags["d"], "example.net") << "A37: the domain of the contact";
        EXPECT_EQ(tags["c"], "relaxed/relaxed");
        EXPECT_EQ(tags["t"], std::to_string(now.time_since_epoch().count()));
        EXPECT_FALSE(tags.contains("l"));
        EXPECT_FALSE(tags.contains("x"));
        const auto listed = base::lower(tags["h"]);
        std::vector<std::string> names;
        for (const auto name_of : base::split(listed, ':'))
            names.emplace_back(name_of);
        EXPECT_THAT(names, IsSupersetOf({"from", "to", "subject", "date", "message-id", "mime-version",
                                         "content-type", "tls-report-domain", "tls-report-submitter",
                                         "tls-required", "auto-submitted"}));
        EXPECT_EQ(std::ranges::count(names, "from"), 2) << "once more than it stands there";
    }
    EXPECT_THAT(algorithms, ElementsAre("rsa-sha256", "ed25519-sha256"));
}

TEST(make_mail, of_any_report_is_verified_and_read_by_others) {
    keys();
    auto& opendkim = tests::opendkim_oracle::instance();
    const auto record = published();
    const auto holds = rc::check([&] {
        std::vector<model::counted_result> counted;
        const int size = *rc::gen::inRange(1, 4);
        for (int i = 0; i < size; ++i)
            counted.push_back(any_result());
        auto who = some_reporter();
        who.organization = *hostile_text();
        const auto filed = file_report(who, due_for("example.com"), 0, counted, now);
        const auto mail = make_mail(who, filed, to_example(), keys().signers, now);
        RC_ASSERT(opendkim.verifies(mail));
        intake::examiner examiner;
        intake::circumstances how;
        how.way = model::way_in::smtp;
        how.now = now;
        const auto found = examiner.examine(mail, how, record);
        RC_ASSERT(found.errors.empty());
        RC_ASSERT(found.reports.size() == 1U);
        const auto& got = found.reports[0];
        RC_ASSERT(got.dkim.result == mail::dkim_result::pass);
        RC_ASSERT(got.report_domain == "example.com");
        RC_ASSERT(got.submitter == "example.net");
        RC_ASSERT(got.report.report_id == filed.report_id);
        for (const auto& warning : got.report.warnings)
            RC_FAIL(std::string(to_string(warning.code)) + " at " + warning.where);
    });
    EXPECT_TRUE(holds);
}

// ---- what it says ----

TEST(make_mail, is_read_by_python_without_a_defect) {
    PROVES("8460-5.3-b", "8460-5.3-c", "8460-5.3-d", "8460-5.3-e", "8460-5.3-f", "8460-5.3-i", "8460-5.1-a");
    auto who = some_reporter();
    who.organization = "B\xc3\xbc"
                       "cher & S\xc3\xb6hne";
    const auto filed = file_report(who, due_for("example.com"), 0, some_failures(), now);
    const auto mail = make_mail(who, filed, to_example(), keys().signers, now);
    const auto read = read_by_python(mail);
    EXPECT_EQ(boost::json::serialize(read.at("wrong")), "[]") << mail;
    EXPECT_EQ(read.at("type").as_string(), "multipart/report");
    EXPECT_EQ(read.at("report-type").as_string(), "tlsrpt");
    EXPECT_EQ(boost::json::serialize(read.at("to")), "[\"tls@example.com\"]");
    EXPECT_EQ(std::string(read.at("from").as_array().at(0).as_array().at(0).as_string()), who.organization);
    EXPECT_EQ(std::string(read.at("from").as_array().at(0).as_array().at(1).as_string()), who.contact);
    EXPECT_EQ(field(read, "TLS-Report-Domain"), "example.com");
    EXPECT_EQ(field(read, "TLS-Report-Submitter"), "example.net");
    EXPECT_EQ(field(read, "TLS-Required"), "No");
    EXPECT_EQ(field(read, "Subject"),
              "Report Domain: example.com Submitter: example.net Report-ID: <" + filed.report_id + ">");
    EXPECT_EQ(field(read, "Message-ID"), "<d17." + filed.report_id + ">");
    const auto& parts = read.at("parts").as_array();
    ASSERT_EQ(parts.size(), 2u);
    EXPECT_EQ(parts[0].at("type").as_string(), "text/plain");
    EXPECT_EQ(parts[1].at("type").as_string(), "application/tlsrpt+gzip");
    EXPECT_EQ(std::string(parts[1].at("name").as_string()), filed.file_name);
    EXPECT_EQ(parts[1].at("disposition").as_string(), "attachment");
    EXPECT_EQ(base::unbase64(std::string_view(parts[1].at("bytes").as_string())), filed.body);
}

TEST(make_mail, tells_a_person_what_failed_and_what_to_do) {
    PROVES("G4-17");
    const auto read = mail::read_message(some_mail());
    ASSERT_TRUE(read);
    std::string text = read->parts.at(0).bytes;
    std::erase(text, '\r');
    EXPECT_THAT(text, HasSubstr("\n* 40 sessions at mx1.example.com"));
    EXPECT_THAT(text, HasSubstr("\n  has expired.")) << "what belongs to it begins below it";
    for (std::size_t at; (at = text.find("\n  ")) != text.npos;)
        text.erase(at + 1, 2);
    std::ranges::replace(text, '\n', ' ');
    EXPECT_THAT(
        text,
        HasSubstr("This is the TLS report of Example Net about mail sent to example.com on 2026-01-02"));
    EXPECT_THAT(text, HasSubstr("1,234,567 sessions went as your policy asks, 46 failed."));
    EXPECT_THAT(text, HasSubstr("The most frequent of 4 kinds of failure:"));
    EXPECT_THAT(text,
                HasSubstr("40 sessions at mx1.example.com (198.51.100.1): The certificate of the mail server "
                          "has expired. (certificate-expired, tls-handshake-failure) Renew"));
    EXPECT_THAT(text, HasSubstr("3 sessions at"));
    EXPECT_THAT(text, HasSubstr("certificate-host-mismatch"));
    EXPECT_THAT(text, Not(HasSubstr("certificate-not-trusted"))) << "three are enough";
    EXPECT_THAT(text, HasSubstr("_smtp._tls.example.com"));
    EXPECT_THAT(text, HasSubstr("Questions: tls-reports@example.net"));
}

TEST(make_mail, does_not_speak_of_a_policy_where_none_was_found) {
    auto row = some_result();
    row.policy = {.type = tlsrpt::policy_type::no_policy_found, .domain = "example.com"};
    row.failure = 2;
    const auto who = some_reporter();
    const auto filed = file_report(who, due_for("example.com"), 0, std::vector{row}, now);
    const auto read = mail::read_message(make_mail(who, filed, to_example(), {}, now));
    ASSERT_TRUE(read);
    EXPECT_THAT(read->parts.at(0).bytes, HasSubstr("12 sessions, 2 failed. No policy of yours"));
    EXPECT_THAT(read->parts.at(0).bytes, Not(HasSubstr("as your policy asks")));
}

TEST(make_mail, tells_a_person_that_all_is_well) {
    const auto who = some_reporter();
    auto filed = file_report(who, due_for("example.com"), 2, std::vector{some_result()}, now);
    auto read = mail::read_message(make_mail(who, filed, to_example(), {}, now));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->count("DKIM-Signature"), 0u) << "no key, no signature";
    EXPECT_THAT(read->parts.at(0).bytes, HasSubstr("All is well: 10 sessions"));
    EXPECT_THAT(read->parts.at(0).bytes, HasSubstr("became known"));
    filed.body.clear(); // its time is over: the letter says what is still known
    read = mail::read_message(make_mail(who, filed, to_example(), {}, now));
    ASSERT_TRUE(read);
    EXPECT_THAT(read->parts.at(0).bytes, HasSubstr("All is well: 10 sessions"));
}

TEST(make_mail, is_the_same_mail_when_it_is_tried_again) {
    const auto who = some_reporter();
    const auto filed = file_report(who, due_for("example.com"), 0, some_failures(), now);
    const auto id_of = [&](const model::outgoing_delivery& to, base::utc_seconds at) {
        return std::string(mail::read_message(make_mail(who, filed, to, {}, at))->header("Message-ID"));
    };
    auto other = to_example();
    other.tag = "d18-fedcba9876543210";
    EXPECT_EQ(id_of(to_example(), now), id_of(to_example(), now + std::chrono::hours(3)));
    EXPECT_NE(id_of(to_example(), now), id_of(other, now)) << "one for each address";
}

} // namespace
} // namespace mailtight::deliver
