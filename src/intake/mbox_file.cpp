// SPDX-License-Identifier: Apache-2.0
// Entry point: mbox_reader::next(). A window over the file begins at a postmark and grows until it holds a
// whole message; mail::split_mbox() alone decides where messages end.
#include "intake/mbox_file.h"

#include "base/encode.h"
#include "base/text.h"
#include "mail/message.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include <unistd.h>

namespace mailtight::intake {

namespace {

constexpr std::size_t window_step = 1024 * 1024;
constexpr std::size_t overlap = 4'096; ///< longer than any postmark with the empty line before it

// Where the postmark of a message within the window begins.
std::size_t postmark_of(std::string_view window, std::string_view message) {
    const auto begin = static_cast<std::size_t>(message.data() - window.data());
    const auto line_end = window.rfind('\n', begin - 1);
    if (line_end == window.npos || line_end == 0)
        return 0;
    const auto before = window.rfind('\n', line_end - 1);
    return before == window.npos ? 0 : before + 1;
}

} // namespace

mbox_reader::mbox_reader(file_handle from, std::uint64_t start, std::size_t message_bytes)
    : file_(std::move(from))
    , window_at_(start)
    , message_bytes_(message_bytes) {}

bool mbox_reader::next(mbox_message& into) {
    while (ready_.empty() && !at_end_)
        fill();
    if (ready_.empty())
        return false;
    into = std::move(ready_.front());
    ready_.pop_front();
    return true;
}

void mbox_reader::fill() {
    const auto got = read_more(file_, window_, window_step);
    if (!got)
        error_ = got.error();
    at_end_ = !got || *got == 0;
    if (skipping_)
        skip_too_large();
    if (!skipping_)
        take_whole_messages();
}

void mbox_reader::take_whole_messages() {
    const auto messages = mail::split_mbox(window_);
    // What the last one still misses is not known before the end of the file.
    const std::size_t whole = at_end_ ? messages.size() : std::max<std::size_t>(messages.size(), 1) - 1;
    std::size_t used = 0;
    for (std::size_t i = 0; i < whole; ++i) {
        used = i + 1 < messages.size() ? postmark_of(window_, messages[i + 1]) : window_.size();
        mbox_message message;
        message.end = window_at_ + used;
        if (messages[i].size() > message_bytes_)
            message.error = fmt::format("larger than {} MiB", message_bytes_ / window_step);
        else
            message.bytes = mail::unquote_mbox(messages[i]);
        ready_.push_back(std::move(message));
    }
    if (!error_.empty())
        ready_.clear(); // what was read in part must not look like the end
    window_.erase(0, used);
    window_at_ += used;
    skipping_ = !at_end_ && window_.size() > message_bytes_ + overlap;
}

/// Drops the message that is under way, up to the next postmark.
void mbox_reader::skip_too_large() {
    const auto messages = mail::split_mbox(window_);
    // The first is the one that is too large, or the tail of it, which has no postmark.
    const std::size_t next = window_.starts_with("From ") ? 1 : 0;
    std::size_t used = window_.size();
    if (messages.size() > next) {
        used = postmark_of(window_, messages[next]);
    } else if (!at_end_) { // keeps a postmark that is not all there yet; the cut never begins with one
        used -= std::min(used, overlap);
        const auto line = window_.find('\n', used);
        used = line == window_.npos ? used : line;
    }
    const bool done = messages.size() > next || at_end_;
    window_.erase(0, used);
    window_at_ += used;
    if (!done)
        return;
    skipping_ = false;
    mbox_message message;
    message.end = window_at_;
    message.error = fmt::format("larger than {} MiB", message_bytes_ / window_step);
    ready_.push_back(std::move(message));
}

std::string mbox_place::to_string() const {
    return fmt::format("{} {} {}", inode, offset, before);
}

mbox_place mbox_place::parse(std::string_view text) {
    const auto words = base::split(text, ' ');
    mbox_place out;
    const auto number = [](std::string_view word, std::uint64_t& into) {
        const auto* end = word.data() + word.size();
        return !word.empty() && std::from_chars(word.data(), end, into).ptr == end;
    };
    if (words.size() != 3 || !number(words[0], out.inode) || !number(words[1], out.offset))
        return {};
    out.before = words[2];
    return out;
}

std::string digest_before(const file_handle& file, std::uint64_t offset) {
    constexpr std::uint64_t looked_at = 256;
    const auto size = std::min(offset, looked_at);
    std::string bytes(size, '\0');
    const auto got = ::pread(file.get(), bytes.data(), size, static_cast<off_t>(offset - size));
    bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return base::hex(base::sha256(bytes)).substr(0, 32);
}

} // namespace mailtight::intake
