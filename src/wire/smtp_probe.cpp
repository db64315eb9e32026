// SPDX-License-Identifier: Apache-2.0
// One entry: smtp_probe::feed. Each complete reply moves the machine one stage on. After every reply the
// server must be silent until the next command: what it says out of turn is refused, and after the 220 of
// STARTTLS it is an injection (RFC 3207 §4 and the attacks of 2011 and 2021 on clients that kept the buffer).
#include "wire/smtp_probe.h"

#include <utility>

namespace mailtight::wire {

smtp_probe::need smtp_probe::needs() const {
    if (!out_.empty())
        return need::send;
    if (stage_ == stage::over)
        return need::close;
    return stage_ == stage::handshake ? need::handshake : need::receive;
}

void smtp_probe::feed(std::string_view bytes) {
    if (stage_ == stage::over || stage_ == stage::handshake)
        return;
    const auto taken = reader_.feed(bytes);
    if (reader_.error()) {
        over(outcome::protocol_error, std::string(explain(*reader_.error())));
        return;
    }
    if (!reader_.complete())
        return;
    const auto stage_of_reply = stage_;
    on_reply(reader_.take());
    if (taken == bytes.size() || stage_ == stage::over)
        return;
    // 3207-4-c: bytes behind the 220 came in clear text, from whoever sits on the path; they are never used.
    if (stage_of_reply == stage::starttls && stage_ == stage::handshake)
        over(outcome::injected, "plaintext bytes follow the 220 of STARTTLS");
    else
        over(outcome::protocol_error, "the server speaks out of turn: bytes follow its reply");
}

void smtp_probe::on_reply(smtp_reply reply) {
    const bool refusal = reply.transient() || reply.permanent();
    const auto code = std::to_string(reply.code);
    switch (stage_) {
    case stage::banner:
        banner_ = reply.text();
        if (refusal)
            return refused(outcome::banner_refused, std::move(reply), "greeted with " + code);
        if (reply.code != 220)
            return quit(outcome::protocol_error, "greeted with " + code + " instead of 220");
        return command(stage::ehlo, "EHLO " + name_);
    case stage::ehlo:
        if (reply.permanent()) {
            // RFC 5321 §4.1.4: a server that knows no EHLO is greeted with HELO; it cannot offer STARTTLS.
            refusal_ = std::move(reply);
            return command(stage::helo, "HELO " + name_);
        }
        if (refusal)
            return refused(outcome::banner_refused, std::move(reply), "EHLO was answered with " + code);
        if (reply.code != 250)
            return quit(outcome::protocol_error, "EHLO was answered with " + code);
        capabilities_ = ehlo_capabilities(reply);
        if (!has_capability(capabilities_, "STARTTLS"))
            return quit(outcome::no_starttls, "EHLO does not offer STARTTLS");
        return command(stage::starttls, "STARTTLS"); // 3207-4-a: no parameter
    case stage::helo:
        if (refusal)
            return refused(outcome::banner_refused, std::move(reply), "HELO was answered with " + code);
        return quit(outcome::no_starttls, "EHLO was refused, HELO has no STARTTLS");
    case stage::starttls:
        // 3207-4-a: 220, 454 and 501 are the replies that the command has; any refusal means no TLS today.
        if (refusal)
            return refused(outcome::starttls_refused, std::move(reply), "STARTTLS was answered with " + code);
        if (reply.code != 220)
            return quit(outcome::protocol_error, "STARTTLS was answered with " + code);
        stage_ = stage::handshake; // 3207-4-b: nothing is sent before the handshake
        return;
    case stage::ehlo_inside:
        if (reply.positive())
            inside_ = ehlo_capabilities(reply);
        else
            detail_ = "EHLO inside TLS was answered with " + code;
        return quit(outcome::tls, detail_);
    case stage::quit:
        quit_answered_ = true;
        return over(outcome_, detail_);
    case stage::handshake:
    case stage::over:
        return;
    }
}

void smtp_probe::handshake_done(bool completed) {
    if (stage_ != stage::handshake)
        return;
    // 3207-4-b: where TLS cannot be started, nothing more is said and the connection is dropped.
    if (!completed)
        return over(outcome::handshake_failed, "the TLS handshake failed");
    outcome_ = outcome::tls;
    // 3207-4.2-a: all that was learnt in clear text is forgotten; EHLO is said again.
    reader_ = {};
    command(stage::ehlo_inside, "EHLO " + name_);
}

void smtp_probe::eof() {
    if (stage_ == stage::over)
        return;
    if (outcome_ != outcome::open)
        return over(outcome_, detail_.empty() ? "the server closed the connection" : detail_);
    over(outcome::closed, reader_.in_the_middle()   ? "the connection ended in the middle of a reply"
                          : stage_ == stage::banner ? "the connection ended without a greeting"
                                                    : "the connection ended while a reply was awaited");
}

void smtp_probe::timeout() {
    if (stage_ == stage::over)
        return;
    if (outcome_ != outcome::open)
        return over(outcome_, detail_.empty() ? "the server fell silent" : detail_);
    over(stage_ == stage::banner ? outcome::banner_timeout : outcome::timeout,
         stage_ == stage::banner ? "no greeting in time" : "no reply in time");
}

void smtp_probe::command(stage next, std::string line) {
    stage_ = next;
    out_ = std::move(line) + "\r\n";
}

void smtp_probe::quit(outcome why, std::string detail) {
    outcome_ = why;
    detail_ = std::move(detail);
    command(stage::quit, "QUIT");
}

void smtp_probe::over(outcome why, std::string detail) {
    // What a server does after the outcome is known (at QUIT) changes nothing of it.
    if (outcome_ == outcome::open || stage_ != stage::quit) {
        outcome_ = outcome_ == outcome::tls ? outcome_ : why;
        detail_ = std::move(detail);
    }
    out_.clear();
    stage_ = stage::over;
}

void smtp_probe::refused(outcome why, smtp_reply reply, std::string detail) {
    refusal_ = std::move(reply);
    quit(why, std::move(detail));
}

} // namespace mailtight::wire
