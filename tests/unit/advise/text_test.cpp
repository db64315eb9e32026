// SPDX-License-Identifier: Apache-2.0
// The person's view: what must be there, and that nothing remote acts on the terminal.
#include "advise/text.h"

#include "base/text.h"
#include "support/proves.h"
#include "unit/advise/codes.h"

namespace mailtight::tests {
namespace {

model::observation broken() {
    model::observation seen = healthy();
    seen.mx.at(0).probes.front().tls.faults = {model::cert_fault::expired};
    seen.mx.at(0).probes.front().tls.chain.front().not_after = look_time() - std::chrono::days(3);
    seen.tlsrpt_txt = txt("_smtp._tls.example.com", {});
    seen.rua.clear();
    set_policy(seen, "version: STSv1\r\nmode: enforce\r\nmx: mx1.example.com\r\nmax_age: 2419200\r\n");
    return seen;
}

TEST(text, says_what_is_wrong_what_follows_and_what_to_do) {
    const auto seen = broken();
    const auto judged = advise::judge(seen);
    const std::string text = advise::check_text(seen, judged, {.colour = false, .width = 80});
    for (const auto& found : judged.findings) {
        EXPECT_NE(text.find(found.code), std::string::npos) << found.code;
        EXPECT_NE(text.find(found.consequence.substr(0, 30)), std::string::npos) << found.code;
        EXPECT_NE(text.find(found.fix.substr(0, 30)), std::string::npos) << found.code;
    }
    EXPECT_NE(text.find("BROKEN"), std::string::npos);
    EXPECT_NE(text.find("Also recommended: "), std::string::npos);
    EXPECT_LT(text.find("_smtp._tls.example.com"), text.rfind("_mta-sts.example.com"))
        << "the record comes last";
}

TEST(text, is_as_wide_as_asked) {
    const auto seen = broken();
    for (const std::size_t width : {60U, 80U, 120U})
        for (const auto line : base::split(
                 advise::check_text(seen, advise::judge(seen), {.colour = false, .width = width}), '\n'))
            if (line.find("http") == std::string_view::npos && line.find("TXT") == std::string_view::npos)
                EXPECT_LE(base::display_width(line), width) << line;
}

TEST(text, colour_changes_nothing_but_the_colour) {
    const auto seen = broken();
    const auto judged = advise::judge(seen);
    const std::string plain = advise::check_text(seen, judged, {.colour = false, .width = 70});
    const std::string painted = advise::check_text(seen, judged, {.colour = true, .width = 70});
    std::string washed;
    for (std::size_t i = 0; i < painted.size(); ++i) {
        if (painted[i] != '\x1b')
            washed += painted[i];
        else
            i = painted.find('m', i);
    }
    auto without_blanks_at_ends = [](const std::string& text) {
        std::string out;
        for (auto line : base::split(text, '\n'))
            out += std::string(line.substr(0, line.find_last_not_of(' ') + 1)) + "\n";
        return out;
    };
    EXPECT_NE(plain, painted);
    EXPECT_EQ(without_blanks_at_ends(washed), without_blanks_at_ends(plain));
    EXPECT_EQ(plain.find(" \n"), std::string::npos) << "no blanks at the end of a line";
}

TEST(text, nothing_remote_reaches_the_terminal_unescaped) {
    auto seen = broken();
    const std::string evil = "\x1b]0;owned\x07\r\n\xff\xe2\x80\xae";
    seen.sts_txt.texts = {"v=STSv1; id=" + evil};
    seen.mx.at(0).host = evil;
    seen.mx.at(1).probes.front().outcome = model::smtp_outcome::banner_refused;
    seen.mx.at(1).probes.front().reply_text = evil;
    seen.mx.at(0).probes.front().tls.chain.front().dns_names = {evil};
    seen.mx.at(0).probes.front().tls.faults = {model::cert_fault::name_mismatch};
    for (auto& fetch : seen.fetches)
        fetch.body = "version: STSv1\nmode: " + evil;
    const std::string text = advise::check_text(seen, advise::judge(seen), {.colour = false, .width = 80});
    EXPECT_TRUE(base::is_utf8(text));
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_EQ(text.find('\r'), std::string::npos);
    EXPECT_EQ(text.find('\x07'), std::string::npos);
    EXPECT_EQ(text.find("\xe2\x80\xae"), std::string::npos);
}

TEST(text, colour_only_where_asked) {
    const auto seen = broken();
    const auto judged = advise::judge(seen);
    EXPECT_EQ(advise::check_text(seen, judged, {.colour = false, .width = 80}).find('\x1b'),
              std::string::npos);
    EXPECT_NE(advise::check_text(seen, judged, {.colour = true, .width = 80}).find('\x1b'),
              std::string::npos);
}

} // namespace
} // namespace mailtight::tests
