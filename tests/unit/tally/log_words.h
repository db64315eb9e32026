// SPDX-License-Identifier: Apache-2.0
// A log reader that is given texts and answers in short lines, and Postfix's own words for the most common
// ones: 3.7.11 wrote them to servers that behaved so, names and addresses apart.
#pragma once

#include "base/text.h"
#include "tally/postfix_log.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <memory>

namespace mailtight::tally::log_words {

using words = std::vector<std::string>;

inline const base::utc_seconds start = *base::parse_utc("2026-11-22T07:00:00Z");
inline constexpr std::string_view tls13 =
    ": TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 "
    "server-signature ECDSA (prime256v1) server-digest SHA256";

inline std::string_view word(model::tls_reached tls) {
    constexpr std::string_view names[] = {"not-offered", "refused",  "failed",   "encrypted",
                                          "trusted",     "verified", "not-tried"};
    return names[static_cast<std::size_t>(tls)];
}
inline std::string text_of(const model::session_seen& s) {
    std::string out = fmt::format("{} {} {} {}", s.domain, s.mx_host,
                                  s.address ? s.address->to_string() : "-", word(s.tls));
    if (s.failure)
        out += fmt::format(" {}", tlsrpt::to_string(*s.failure));
    return s.reason.empty() ? out : out + ' ' + s.reason;
}

class reader {
public:
    explicit reader(postfix_log_options options = {})
        : log_(std::make_unique<postfix_log>(std::move(options))) {}
    /// Each line: `PID text` of postfix/smtp, or `PROGRAM[PID] text`.
    words read(const words& lines) {
        std::vector<session_at> out;
        for (const auto& line : lines) {
            const auto blank = line.find(' ');
            std::string tag = line.substr(0, blank);
            if (base::is_digit(tag[0]))
                tag = "postfix/smtp[" + tag + "]";
            const std::string full = "Nov 22 07:00:00 host " + tag + ": " + line.substr(blank + 1);
            const auto parsed = parse_log_line(full, at_);
            EXPECT_TRUE(parsed) << full;
            log_line moved = *parsed;
            moved.at = at_;
            log_->take(moved, at_, out);
        }
        words texts;
        for (const auto& one : out)
            texts.push_back(text_of(one.what));
        return texts;
    }
    void later(std::chrono::seconds by) { at_ += by; }
    postfix_log::figures counted() const { return log_->counted(); }

private:
    std::unique_ptr<postfix_log> log_;
    base::utc_seconds at_ = start;
};
/// A reader that has seen that its client tells of TLS.
inline reader telling() {
    reader r;
    r.read({"9 Trusted TLS connection established to m.x.example[192.0.2.99]:25" + std::string(tls13),
            "9 9A9A9A9: to=<u@x.example>, relay=m.x.example[192.0.2.99]:25, delay=0, delays=0/0/0/0, "
            "dsn=2.0.0, status=sent (250 ok)"});
    r.later(std::chrono::seconds(60));
    return r;
}
inline std::string established(std::string_view kind, std::string_view mx = "mx.a.example[192.0.2.1]") {
    return fmt::format("{} TLS connection established to {}:25{}", kind, mx, tls13);
}
inline std::string sent(std::string_view relay = "mx.a.example[192.0.2.1]", std::string_view more = "",
                        std::string_view id = "E39BC1B3", std::string_view to = "u@a.example") {
    return fmt::format("{}: to=<{}>, relay={}:25, {}delay=0.17, delays=0/0.03/0.09/0.05, dsn=2.0.0, "
                       "status=sent (250 2.0.0 Ok: queued)",
                       id, to, relay, more);
}
inline std::string deferred(std::string_view why, std::string_view relay = "mx.a.example[192.0.2.1]:25",
                            std::string_view id = "E39BC1B3") {
    return fmt::format("{}: to=<u@a.example>, relay={}, delay=0.17, delays=0/0.03/0.09/0.05, dsn=4.7.5, "
                       "status=deferred ({})",
                       id, relay, why);
}
inline words of_process(int pid, const words& texts) {
    words out;
    for (const auto& text : texts)
        out.push_back(fmt::format("{} {}", pid, text));
    return out;
}
inline words read(const words& texts) {
    return reader().read(of_process(1, texts));
}

} // namespace mailtight::tally::log_words
