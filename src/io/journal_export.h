// SPDX-License-Identifier: Apache-2.0
// The journal's export format (systemd.io/JOURNAL_EXPORT_FORMATS), read as it comes: fields, one a line or
// with their length before them; an empty line ends an entry. Takes any bytes; keeps of each entry what a
// line of a mail log is made of, bounded. One thread; no I/O.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace mailtight::io {

struct journal_entry {
    std::string cursor;             ///< its place in the journal
    std::string microseconds;       ///< since 1970
    std::string host, program, pid; ///< the program by its syslog identifier
    std::string message;
    bool cut = false; ///< the message was longer than what is kept
};

class journal_export_reader {
public:
    explicit journal_export_reader(std::size_t message_bytes)
        : limit_(message_bytes) {}
    /// Calls `take` for each entry that ends in these bytes.
    void feed(std::string_view bytes, const std::function<void(const journal_entry&)>& take);

private:
    void end_line(const std::function<void(const journal_entry&)>& take);
    void end_field(std::string_view value, bool whole);
    std::string* place_of(std::string_view name);
    std::size_t limit_;
    journal_entry entry_;
    bool any_ = false;
    enum class part { line, length, value, line_end } at_ = part::line;
    std::string kept_;          ///< of the line, length or value that is being read
    bool kept_whole_ = true;    ///< nothing of it was left out
    std::string name_;          ///< of the field whose value follows with a length
    std::uint64_t missing_ = 0; ///< bytes of that value to come
    bool own_pid_ = false;      ///< the program said its pid itself
};

/// `2026-11-22T07:00:00.123456Z host postfix/smtp[4711]: text`, in one line; "" where the entry has no text
/// or no time.
std::string line_of(const journal_entry& entry);

} // namespace mailtight::io
