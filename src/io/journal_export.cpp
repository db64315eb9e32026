// SPDX-License-Identifier: Apache-2.0
#include "io/journal_export.h"

#include "base/time.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace mailtight::io {

namespace {

constexpr std::size_t length_bytes = 8; ///< of a binary field, the lowest first
constexpr std::size_t name_bytes = 64;  ///< systemd's own limit for a field's name
constexpr std::size_t word_bytes = 1'024;

/// Fit for a place in a log line that ends at a space.
std::string one_word(std::string_view text, std::string_view otherwise) {
    std::string word(text.empty() ? otherwise : text);
    std::ranges::replace_if(
        word, [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == '\x7f'; }, '_');
    return word;
}

} // namespace

std::string* journal_export_reader::place_of(std::string_view name) {
    if (name == "MESSAGE")
        return &entry_.message;
    if (name == "__CURSOR")
        return &entry_.cursor;
    if (name == "__REALTIME_TIMESTAMP")
        return &entry_.microseconds;
    if (name == "SYSLOG_IDENTIFIER")
        return &entry_.program;
    if (name == "_HOSTNAME")
        return &entry_.host;
    if (name == "SYSLOG_PID") {
        own_pid_ = true;
        return &entry_.pid;
    }
    if (name == "_PID" && !own_pid_) // of who wrote it to the socket, perhaps for another
        return &entry_.pid;
    return nullptr;
}

void journal_export_reader::end_field(std::string_view value, bool whole) {
    any_ = true;
    auto* place = place_of(name_);
    if (!place)
        return;
    const auto most = place == &entry_.message ? limit_ : word_bytes;
    if (place == &entry_.message)
        entry_.cut = !whole || value.size() > most;
    *place = value.substr(0, most);
}

void journal_export_reader::end_line(const std::function<void(const journal_entry&)>& take) {
    const auto equals = kept_.find('=');
    if (kept_.empty()) {
        if (any_)
            take(entry_);
        entry_ = {};
        any_ = own_pid_ = false;
    } else if (equals != kept_.npos) {
        name_ = kept_.substr(0, equals);
        end_field(std::string_view(kept_).substr(equals + 1), kept_whole_);
    } else {
        name_ = kept_.substr(0, name_bytes);
        at_ = part::length;
    }
}

void journal_export_reader::feed(std::string_view bytes,
                                 const std::function<void(const journal_entry&)>& take) {
    const auto keep = [this](std::string_view piece, std::size_t most) {
        const auto room = most - std::min(most, kept_.size());
        kept_.append(piece.substr(0, room));
        kept_whole_ = kept_whole_ && piece.size() <= room;
    };
    const auto go_on_with = [this](part next) {
        at_ = next;
        kept_.clear();
        kept_whole_ = true;
    };
    while (!bytes.empty()) {
        std::size_t used = bytes.size();
        switch (at_) {
        case part::line: {
            const auto end = bytes.find('\n');
            keep(bytes.substr(0, end), name_bytes + 1 + limit_);
            if (end == bytes.npos)
                break;
            used = end + 1;
            end_line(take);
            go_on_with(at_);
            break;
        }
        case part::length:
            used = std::min(bytes.size(), length_bytes - kept_.size());
            keep(bytes.substr(0, used), length_bytes);
            if (kept_.size() < length_bytes)
                break;
            missing_ = 0;
            for (std::size_t i = length_bytes; i-- > 0;)
                missing_ = missing_ << 8 | static_cast<unsigned char>(kept_[i]);
            go_on_with(part::value);
            break;
        case part::value:
            used = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), missing_));
            keep(bytes.substr(0, used), limit_);
            missing_ -= used;
            break;
        case part::line_end:
            used = 1; // whatever it is
            go_on_with(part::line);
            break;
        }
        if (at_ == part::value && missing_ == 0) { // an empty value has no byte to come for
            end_field(kept_, kept_whole_);
            go_on_with(part::line_end);
        }
        bytes.remove_prefix(used);
    }
}

std::string line_of(const journal_entry& entry) {
    std::int64_t microseconds = 0;
    const auto end = entry.microseconds.data() + entry.microseconds.size();
    const auto [at, wrong] = std::from_chars(entry.microseconds.data(), end, microseconds);
    constexpr std::int64_t million = 1'000'000, latest = 253'402'300'799; // 9999-12-31
    if (entry.message.empty() || wrong != std::errc{} || at != end || microseconds < 0 ||
        microseconds / million > latest)
        return {};
    const base::utc_seconds when{std::chrono::seconds(microseconds / million)};
    auto date = base::format_utc(when);
    date.pop_back(); // the Z comes after the fraction
    auto text = entry.message;
    std::ranges::replace_if(text, [](char c) { return c == '\n' || c == '\r'; }, ' ');
    const auto pid = entry.pid.empty() ? std::string() : fmt::format("[{}]", one_word(entry.pid, ""));
    return fmt::format("{}.{:06}Z {} {}{}: {}", date, microseconds % million, one_word(entry.host, "-"),
                       one_word(entry.program, "-"), pid, text);
}

} // namespace mailtight::io
