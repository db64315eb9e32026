// SPDX-License-Identifier: Apache-2.0
// The client's side of a STARTTLS conversation as a state machine: it is fed with bytes, and says what to do
// next. No I/O, no clock, no TLS. It never says MAIL or RCPT. A value that one prober owns; what goes wrong
// is an outcome, never an exception.
#pragma once

#include "wire/smtp_reply.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mailtight::wire {

class smtp_probe {
public:
    /// What the machine waits for.
    enum class stage { banner, ehlo, helo, starttls, handshake, ehlo_inside, quit, over };
    /// What the caller must do next.
    enum class need {
        send,      ///< send what to_send() gives, then ask again
        receive,   ///< feed() what comes, or eof(), or timeout()
        handshake, ///< start TLS at once, then handshake_done()
        close,     ///< the conversation is over
    };
    enum class outcome {
        open, ///< nothing is known yet
        tls,
        banner_refused, ///< the greeting, or EHLO and HELO too, answered with 4xx or 5xx
        no_starttls,
        starttls_refused,
        injected,
        handshake_failed,
        protocol_error,
        banner_timeout,
        timeout,
        closed,
    };

    explicit smtp_probe(std::string ehlo_name)
        : name_(std::move(ehlo_name)) {}

    need needs() const;
    stage at() const { return stage_; }
    /// The command to send, once.
    std::string to_send() { return std::exchange(out_, {}); }
    void feed(std::string_view bytes);
    /// The peer closed the connection, or it broke.
    void eof();
    void timeout();
    void handshake_done(bool completed);

    outcome result() const { return outcome_; }
    const std::string& banner() const { return banner_; }
    /// Of the EHLO in clear text (3207-4.2-a: forgotten after the handshake, kept here as evidence only).
    const std::vector<std::string>& capabilities() const { return capabilities_; }
    /// Of the EHLO inside TLS, the only ones that count there.
    const std::vector<std::string>& capabilities_inside() const { return inside_; }
    int refusal_code() const { return refusal_.code; }
    const smtp_reply& refusal() const { return refusal_; }
    bool quit_answered() const { return quit_answered_; }
    const std::string& detail() const { return detail_; }

private:
    void on_reply(smtp_reply reply);
    void command(stage next, std::string line);
    void quit(outcome why, std::string detail = {});
    void over(outcome why, std::string detail = {});
    void refused(outcome why, smtp_reply reply, std::string detail);

    std::string name_;
    smtp_reply_reader reader_;
    stage stage_ = stage::banner;
    outcome outcome_ = outcome::open;
    std::string out_;
    std::string banner_;
    std::vector<std::string> capabilities_, inside_;
    smtp_reply refusal_;
    bool quit_answered_ = false;
    std::string detail_;
};

} // namespace mailtight::wire
