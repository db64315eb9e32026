// SPDX-License-Identifier: Apache-2.0
// The server side of SMTP (RFC 5321) and LMTP (RFC 2033) as bytes in and bytes out: commands, DATA with dot
// unstuffing, BDAT (RFC 3030), pipelining (RFC 2920), STARTTLS (RFC 3207). It knows no socket and decides
// nothing: the owner answers who may be written to, and says when a message is safe.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::wire {

struct smtp_server_options {
    bool lmtp = false;
    std::string host_name; ///< in the greeting and the EHLO reply
    bool offer_starttls = false;
    bool require_starttls = false;
    std::size_t message_bytes = 25 * 1024 * 1024; ///< SIZE
    std::size_t recipients = 100;
    std::size_t command_bytes = 2'048; ///< a longer line is refused and skipped
    std::size_t errors = 20;           ///< wrong commands before the connection is closed with 421
    std::size_t messages = 1'000;      ///< a connection
};

/// What the owner must do next. Events come in order; an event that asks stops the reading of what follows
/// until it is answered.
struct smtp_event {
    enum class kind {
        recipient, ///< answer with reply_recipient(): may `address` be written to?
        message,   ///< all bytes are there: store them, then reply_message()
        start_tls, ///< send what output() holds, do the handshake, then tls_started()
        close,     ///< send what output() holds, then close
    } what = kind::close;
    std::string address; ///< recipient: unquoted, without brackets; source routes dropped
};

class smtp_server {
public:
    explicit smtp_server(smtp_server_options options);
    /// The greeting, to be sent first; `refuse` closes at once (421).
    void greet(bool refuse = false);
    /// Bytes of the client, best fed where next() gives nothing: what stands behind an unanswered question is
    /// held until the answer, and is the only memory beyond the options. Plain bytes that follow STARTTLS in
    /// the same packet are thrown away (3207-4-c).
    void feed(std::string_view bytes);
    /// The next thing to do, or nothing where more bytes are needed.
    std::optional<smtp_event> next();
    void reply_recipient(bool accept, std::string_view text = {}, int code = 0);
    /// One reply a recipient under LMTP, one in all under SMTP. 250 only after the commit. A text may begin
    /// with its own enhanced status code ("4.2.2 ..."); only printable ASCII of it is sent. 421 closes.
    void reply_message(int code, std::string_view text);
    void tls_started();
    /// What is to be sent; taken.
    std::string output();
    /// The message, CRLF line ends, dots unstuffed; valid from the message event to reply_message().
    const std::string& message() const;
    const std::vector<std::string>& recipients() const;
    const std::string& sender() const;
    const std::string& helo() const;
    bool in_message() const; ///< between DATA and its end: other time limits hold
    /// Says 421 with the text and closes; where an answer is awaited, behind that answer.
    void shut_down(std::string_view text);

private:
    struct machine;
    std::shared_ptr<machine> machine_;
};

} // namespace mailtight::wire
