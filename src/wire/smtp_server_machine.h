// SPDX-License-Identifier: Apache-2.0
// The inside of smtp_server, for the two files that implement it: smtp_server.cpp moves bytes and replies,
// smtp_server_commands.cpp knows the commands. Owned by one smtp_server; one thread; no error leaves it.
#pragma once

#include "wire/smtp_data.h"
#include "wire/smtp_server.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mailtight::wire {

struct smtp_server::machine {
    explicit machine(smtp_server_options with)
        : options(std::move(with))
        , data(options.message_bytes) {}

    enum class mode {
        commands,
        long_line, ///< the rest of a line beyond the limit is skipped
        data,
        chunk,
        handshake, ///< between the 220 of STARTTLS and tls_started()
        closed,
    };
    enum class question { none, recipient, message };
    static constexpr std::size_t idle_commands = 100; ///< that lead nowhere, before they count as wrong

    // bytes: smtp_server.cpp
    void feed(std::string_view bytes);
    void resume();
    std::size_t run(std::string_view bytes);
    std::size_t take_line(std::string_view bytes);
    std::size_t take_chunk(std::string_view bytes);
    bool takes_bytes() const { return at != mode::handshake && at != mode::closed; }

    // commands: smtp_server_commands.cpp
    void on_line(std::string_view text);
    void on_hello(std::string_view verb, std::string_view argument);
    void on_mail(std::string_view argument);
    void on_rcpt(std::string_view argument);
    void on_data(std::string_view argument);
    void on_bdat(std::string_view argument);
    void on_starttls(std::string_view argument);
    void end_of_chunk();
    void end_of_mail();

    // replies: smtp_server.cpp
    void reply(int code, std::string_view enhanced, std::string_view text);
    void reply_with(int code, std::string_view text, std::string_view enhanced);
    void wrong(int code, std::string_view enhanced, std::string_view text);
    void idle(int code, std::string_view enhanced, std::string_view text);
    void flood();
    void close();
    void answered();
    void reset_transaction();

    smtp_server_options options;
    mode at = mode::commands;
    question asked = question::none;
    std::optional<smtp_event> event;
    std::optional<std::string> parting; ///< shut_down() came while an answer was awaited
    std::string out, line;
    std::string held; ///< bytes behind a question
    std::size_t held_at = 0;

    bool tls = false;
    std::string helo;
    bool in_mail = false; ///< MAIL was accepted
    std::string sender, candidate;
    std::vector<std::string> recipients;
    bool any_refused = false; ///< a RCPT of this mail was refused: a pipelined DATA behind it is no error
    smtp_data data;
    bool in_chunks = false;  ///< BDAT has begun this mail
    bool chunk_kept = false; ///< the chunk under way belongs to a mail
    bool last_chunk = false; ///< and is its last
    std::uint64_t chunk_size = 0, chunk_left = 0;
    std::size_t errors = 0, idles = 0, messages = 0;
};

} // namespace mailtight::wire
