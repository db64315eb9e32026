// SPDX-License-Identifier: Apache-2.0
// An oracle: libopendkim. What it signs we verify, what we sign it verifies, and what was changed after
// signing fails in both, over messages with odd foldings, blanks, empty lines and repeated fields.
#include "mail/dkim.h"
#include "mail/dkim_fields.h"
#include "support/dkim.h"
#include "support/opendkim.h"
#include "support/proves.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

using namespace mailtight;
using namespace mailtight::mail;

namespace {

const std::string domain = "reports.example.com";
const std::string selector = "s2026";
const base::utc_seconds now{std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now())};

struct pair_of_keys {
    std::string pem, record;
};
const pair_of_keys& key(bool rsa) {
    static const pair_of_keys rsa_keys{tests::rsa_pem(),
                                       "v=DKIM1; k=rsa; p=" + tests::key_base64(tests::rsa_pem())};
    static const pair_of_keys ed_keys{tests::ed25519_pem(),
                                      "v=DKIM1; k=ed25519; p=" + tests::key_base64(tests::ed25519_pem())};
    return rsa ? rsa_keys : ed_keys;
}

tests::opendkim_oracle& opendkim() {
    return tests::opendkim_oracle::instance();
}

// ---- messages ----

rc::Gen<std::string> words(const std::string& alphabet, std::size_t most) {
    return rc::gen::resize(static_cast<int>(most),
                           rc::gen::container<std::string>(rc::gen::elementOf(alphabet)));
}
// A value: visible text, blanks in runs and at the ends, foldings.
rc::Gen<std::string> field_value() {
    return rc::gen::map(
        rc::gen::resize(
            8, rc::gen::container<std::vector<std::string>>(rc::gen::oneOf(
                   words("abcXYZ019<>@=?;:-_.,\"", 12),
                   rc::gen::element<std::string>(" ", "  ", "\t", " \t ", "\r\n ", "\r\n\t", " \r\n  ")))),
        [](const std::vector<std::string>& pieces) {
            std::string out = " v"; // never a folding before anything visible
            for (const auto& piece : pieces)
                out += piece;
            while (out.ends_with('\n') || out.ends_with(' ') || out.ends_with('\t') || out.ends_with('\r'))
                out.pop_back(); // nor a line of blanks alone at the end
            return out;
        });
}
rc::Gen<std::string> body() {
    return rc::gen::map(
        rc::gen::resize(12, rc::gen::container<std::vector<std::string>>(rc::gen::oneOf(
                                words("abcXYZ019.=-", 20),
                                rc::gen::element<std::string>(" ", "   ", "\t", "\r\n", "\r\n\r\n",
                                                              "\r\n.\r\n", " \r\n", "\xc3\xa9")))),
        [](const std::vector<std::string>& pieces) {
            std::string out;
            for (const auto& piece : pieces)
                out += piece;
            return out.empty() || out.ends_with("\r\n") ? out : out + "\r\n"; // as SMTP carries it
        });
}

struct drawn {
    std::string message;
    bool rsa;
    dkim_canon header, body;
};
drawn draw() {
    std::string head = "From: <noreply@reports.example.com>\r\nDate: Fri, 20 Nov 2026 10:00:00 +0000\r\n";
    const auto names =
        *rc::gen::resize(8, rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
                                "Subject", "To", "X-Odd", "TLS-Report-Domain", "TLS-Report-Submitter",
                                "Content-Type", "received", "Comments", "MIME-version")));
    for (const auto& name : names)
        head += name + ":" + *field_value() + "\r\n";
    drawn out{.message = head + "\r\n" + *body(),
              .rsa = *rc::gen::arbitrary<bool>(),
              .header = *rc::gen::element(dkim_canon::simple, dkim_canon::relaxed),
              .body = *rc::gen::element(dkim_canon::simple, dkim_canon::relaxed)};
    if (!opendkim().has_ed25519())
        out.rsa = true;
    if (!out.rsa) // opendkim 2.11 hashes its own Ed25519 field folded otherwise than it gives it out
        out.header = dkim_canon::relaxed;
    tests::opendkim_oracle::records()[selector] = key(out.rsa).record;
    return out;
}

dkim_signature_verdict ours(const std::string& message, bool rsa) {
    dkim_key_cache cache;
    const tests::fixed_keys keys(selector + "._domainkey." + domain, key(rsa).record);
    const auto verdict = verify_dkim(message, keys, now, cache);
    return verdict.signatures.empty() ? dkim_signature_verdict{} : verdict.signatures.front();
}

RC_GTEST_PROP(DkimAndOpendkim, WhatOpendkimSignsWeVerify, ()) {
    const auto mail = draw();
    const auto signed_mail = opendkim().sign(mail.message, {domain, selector, key(mail.rsa).pem}, mail.rsa,
                                             mail.header, mail.body);
    if (!opendkim().verifies(signed_mail))
        RC_FAIL("opendkim does not verify its own: " + signed_mail);
    const auto verdict = ours(signed_mail, mail.rsa);
    if (verdict.result != dkim_result::pass)
        RC_FAIL(verdict.reason + "\n" + signed_mail);
}

TEST(DkimAndOpendkim, WhatWeSignOpendkimVerifies) {
    PROVES("8460-3-j");
    const auto holds = rc::check([] {
        const auto mail = draw();
        const auto signer = dkim_signer::make(domain, selector, key(mail.rsa).pem);
        RC_ASSERT(signer.has_value());
        const auto signed_mail = signer->sign(mail.message, now) + mail.message;
        if (!opendkim().verifies(signed_mail))
            RC_FAIL(signed_mail);
        RC_ASSERT(ours(signed_mail, mail.rsa).result == dkim_result::pass);
    });
    EXPECT_TRUE(holds);
}

RC_GTEST_PROP(DkimAndOpendkim, NeitherTakesAnotherFieldOnTopOfOurs, ()) {
    const auto mail = draw();
    const auto signer = dkim_signer::make(domain, selector, key(mail.rsa).pem);
    RC_ASSERT(signer.has_value());
    const auto added =
        *rc::gen::element<std::string>("From", "To", "Subject", "Date", "Message-ID", "MIME-Version",
                                       "Content-Type", "TLS-Report-Domain", "TLS-Report-Submitter");
    const auto changed = added + ": other\r\n" + signer->sign(mail.message, now) + mail.message;
    if (opendkim().verifies(changed))
        RC_FAIL("opendkim takes it: " + changed);
    if (ours(changed, mail.rsa).result == dkim_result::pass)
        RC_FAIL("we take it: " + changed);
}

RC_GTEST_PROP(DkimAndOpendkim, BothCallAChangedMessageTheSame, ()) {
    const auto mail = draw();
    auto signed_mail = opendkim().sign(mail.message, {domain, selector, key(mail.rsa).pem}, mail.rsa,
                                       mail.header, mail.body);
    const auto own = signed_mail.size() - mail.message.size();
    const auto at =
        own + *rc::gen::resize(rc::kNominalSize, rc::gen::inRange<std::size_t>(0, mail.message.size()));
    // Only a visible character against another: blanks are the other property's matter, colons and line ends
    // would make another structure.
    const char old = signed_mail[at];
    RC_PRE(old > ' ' && old < '\x7f' && old != ':');
    signed_mail[at] = old == 'q' ? 'r' : 'q';
    const bool theirs = opendkim().verifies(signed_mail);
    const auto verdict = ours(signed_mail, mail.rsa);
    if (theirs != (verdict.result == dkim_result::pass))
        RC_FAIL("opendkim: " + std::to_string(theirs) + ", ours: " + verdict.reason + "\n" + signed_mail);
}

// Blanks added where one canonical form forgives them and the other does not.
RC_GTEST_PROP(DkimAndOpendkim, BothForgiveTheSameBlanks, ()) {
    const auto mail = draw();
    auto signed_mail = opendkim().sign(mail.message, {domain, selector, key(mail.rsa).pem}, mail.rsa,
                                       mail.header, mail.body);
    const auto own = signed_mail.size() - mail.message.size();
    const auto head_end = signed_mail.find("\r\n\r\n") + 2;
    auto at = own + *rc::gen::resize(rc::kNominalSize, rc::gen::inRange<std::size_t>(0, mail.message.size()));
    if (at < head_end) // within a field's value, which begins with a blank
        at = signed_mail.find(": ", at) == std::string::npos || signed_mail.find(": ", at) > head_end
                 ? signed_mail.size()
                 : signed_mail.find(": ", at) + 2;
    else if (at == head_end || at == head_end + 1)
        at = head_end + 2;
    if (at > head_end && at < signed_mail.size() && signed_mail[at] == '\n')
        ++at; // never between CR and LF
    signed_mail.insert(at, *rc::gen::element<std::string>(" ", "\t", "\r\n"));
    if (at < head_end && signed_mail.compare(at, 2, "\r\n") == 0)
        signed_mail.insert(at + 2, " ");
    if (!signed_mail.ends_with("\r\n"))
        signed_mail += "\r\n";
    const bool theirs = opendkim().verifies(signed_mail);
    const auto verdict = ours(signed_mail, mail.rsa);
    if (theirs != (verdict.result == dkim_result::pass))
        RC_FAIL("opendkim: " + std::to_string(theirs) + ", ours: " + verdict.reason + "\n" + signed_mail);
}

} // namespace
