// SPDX-License-Identifier: Apache-2.0
// Entry: file_follower::run. A file is left for the next one when that has bytes: a writer that was told to
// begin anew has written its last to the old one by then. Positions are always the beginning of a line.
#include "io/file_follower.h"

#include "io/descriptor.h"
#include "io/rotated_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mailtight::io {

std::string file_position::to_string() const {
    return fmt::format("{}:{}:{}", device, inode, offset);
}

file_position file_position::parse(std::string_view text) {
    file_position result;
    const auto end = text.data() + text.size();
    const char* at = text.data();
    for (auto* number : {&result.device, &result.inode, &result.offset}) {
        if (number != &result.device) {
            if (at == end || *at != ':')
                return {};
            ++at;
        }
        const auto [next, wrong] = std::from_chars(at, end, *number);
        if (wrong != std::errc{})
            return {};
        at = next;
    }
    return at == end ? result : file_position{};
}

namespace {

/// Open for reading; empty, with errno, where it is not there or no file.
descriptor open_log(const std::string& path, struct stat& found) {
    descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
    if (!file || ::fstat(file.get(), &found) != 0)
        return descriptor{};
    if (S_ISREG(found.st_mode))
        return file;
    errno = S_ISDIR(found.st_mode) ? EISDIR : EINVAL;
    return descriptor{};
}

/// False for an offset that no line of this file begins at: it is not the file that the offset was of.
bool line_begins_at(const descriptor& file, std::uint64_t offset, const struct stat& found) {
    char before = '\n';
    if (offset > static_cast<std::uint64_t>(found.st_size))
        return false;
    return offset == 0 ||
           (::pread(file.get(), &before, 1, static_cast<off_t>(offset - 1)) == 1 && before == '\n');
}

} // namespace

struct file_follower::state {
    state(loop& loop, follow_options from, std::function<void(std::string_view)> to,
          std::function<void(const file_position&)> told, std::function<void(std::string_view)> say)
        : on(loop)
        , options(std::move(from))
        , take(std::move(to))
        , read_to(std::move(told))
        , complain(std::move(say))
        , chunk(options.chunk, '\0') {}

    loop& on;
    follow_options options;
    std::function<void(std::string_view)> take;
    std::function<void(const file_position&)> read_to;
    std::function<void(std::string_view)> complain;

    descriptor file;
    std::string name;          ///< of the file that is open; it may have been renamed since
    file_position at;          ///< where the first line begins that was not taken
    std::uint64_t reached = 0; ///< read up to here
    std::string chunk;
    std::string begun;      ///< a line without its end yet, as much of it as is kept
    bool begun_cut = false; ///< there was more of it
    bool skipping = false;  ///< the rest of a line whose beginning is not known
    bool last_look = false; ///< the next file has bytes
    bool stopped = false;
    figures counts;
    loop::time_point missing_since{};

    void fault(const std::string& words) {
        if (words == counts.last_error)
            return;
        counts.last_error = words;
        if (complain && !words.empty())
            complain(words);
    }

    void missing(bool is) {
        if (is && !std::exchange(counts.missing, true))
            missing_since = on.now();
        else if (!is)
            counts.missing = false, counts.was_there = true;
    }

    /// Goes on with this file from there.
    void adopt(descriptor opened, const std::string& path, const struct stat& found, std::uint64_t offset) {
        file = std::move(opened);
        name = path;
        at = {found.st_dev, found.st_ino, offset};
        reached = offset;
        begun.clear();
        begun_cut = skipping = last_look = false;
        read_to(at);
    }

    /// The file at the path from its beginning, as soon as there is one.
    bool adopt_newest() {
        struct stat found{};
        errno = 0;
        auto opened = open_log(options.path, found);
        const int why = errno;
        missing(!opened);
        if (!opened) {
            fault(why == ENOENT ? fmt::format("{} is not there", options.path)
                                : fmt::format("cannot read {}: {}", options.path, std::strerror(why)));
            return false;
        }
        adopt(std::move(opened), options.path, found, 0);
        return true;
    }

    /// Where nothing is known of before: behind the last whole line.
    void begin_at_end() {
        struct stat found{};
        auto opened = open_log(options.path, found);
        if (!opened)
            return;
        const auto size = static_cast<std::uint64_t>(found.st_size);
        const auto looked = std::min<std::uint64_t>(size, options.line_bytes);
        std::string tail(looked, '\0');
        const auto got = ::pread(opened.get(), tail.data(), tail.size(), static_cast<off_t>(size - looked));
        tail.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
        const auto end = tail.rfind('\n');
        const bool inside = end == tail.npos && looked < size; // of a line longer than any that is kept
        const auto offset = inside ? size : end == tail.npos ? 0 : size - looked + end + 1;
        adopt(std::move(opened), options.path, found, offset);
        skipping = inside;
    }

    /// Where the owner says. The number of a device is not the same after each start of the machine: an inode
    /// of that name with a line's beginning at that offset is believed.
    void begin_at(const file_position& from) {
        struct stat found{};
        auto opened = open_log(options.path, found);
        if (opened && found.st_ino == from.inode) {
            const bool same = line_begins_at(opened, from.offset, found);
            counts.rotations += same ? 0 : 1; // truncated meanwhile, or another file under its number
            return adopt(std::move(opened), options.path, found, same ? from.offset : 0);
        }
        const auto renamed = file_with_inode(options.path, from.inode);
        if (!renamed.empty()) {
            opened = open_log(renamed, found);
            if (opened && line_begins_at(opened, from.offset, found))
                return adopt(std::move(opened), renamed, found, from.offset);
        }
        fault(fmt::format("the file that {} was read from is gone, perhaps with lines that nobody read",
                          options.path));
    }

    void begin() {
        if (options.from.inode == 0)
            begin_at_end();
        else
            begin_at(options.from);
    }

    void take_line(std::string_view line, bool cut) {
        if (std::exchange(skipping, false))
            return;
        ++counts.lines;
        counts.cut += cut ? 1 : 0;
        take(line);
    }

    /// Takes what was begun in an earlier chunk, if anything was.
    void end_begun() {
        if (!begun.empty() || begun_cut)
            take_line(begun, begun_cut);
        begun.clear();
        begun_cut = false;
    }

    void take_chunk(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto end = bytes.find('\n');
            const auto piece = bytes.substr(0, end);
            const bool whole = end != bytes.npos;
            if (whole && begun.empty() && !begun_cut) {
                take_line(piece.substr(0, options.line_bytes), piece.size() > options.line_bytes);
            } else {
                const auto room = options.line_bytes - begun.size();
                begun.append(piece.substr(0, room));
                begun_cut = begun_cut || piece.size() > room;
            }
            if (!whole) {
                reached += piece.size();
                return;
            }
            end_begun();
            reached += end + 1;
            at.offset = reached;
            bytes.remove_prefix(end + 1);
        }
    }

    /// True where there may be more at once.
    bool read_some() {
        const auto got = ::pread(file.get(), chunk.data(), chunk.size(), static_cast<off_t>(reached));
        if (got < 0) {
            fault(fmt::format("cannot read {}: {}", name, std::strerror(errno)));
            return false;
        }
        if (got == 0)
            return look_around();
        const auto before = at.offset;
        take_chunk({chunk.data(), static_cast<std::size_t>(got)});
        if (at.offset != before)
            read_to(at);
        return true;
    }

    /// At the end of the file: whether it goes on elsewhere.
    bool look_around() {
        struct stat own{}, newest{};
        if (::fstat(file.get(), &own) == 0 && static_cast<std::uint64_t>(own.st_size) < reached) {
            ++counts.rotations; // by copy and truncation
            adopt(std::move(file), std::string(name), own, 0);
            return true;
        }
        const bool there = ::stat(options.path.c_str(), &newest) == 0;
        missing(!there);
        fault(there ? "" : fmt::format("{} is not there", options.path));
        if (there && newest.st_ino == own.st_ino && newest.st_dev == own.st_dev) {
            name = options.path;
            return false;
        }
        auto renamed = file_with_inode(options.path, own.st_ino);
        const auto next = renamed.empty() ? options.path : file_after(options.path, renamed);
        if (next == options.path && (!there || newest.st_size == 0))
            return false;
        if (!std::exchange(last_look, true))
            return true;
        return go_on_with(next);
    }

    bool go_on_with(const std::string& next) {
        struct stat found{};
        auto opened = open_log(next, found);
        if (!opened) {
            fault(fmt::format("cannot read {}: {}", next, std::strerror(errno)));
            return false;
        }
        end_begun(); // nobody will write its end
        ++counts.rotations;
        adopt(std::move(opened), next, found, 0);
        return true;
    }

    static task<> follow(std::shared_ptr<state> it) {
        it->begin();
        while (!it->stopped) {
            const bool waits = it->options.wait && it->options.wait();
            const bool more = !waits && (it->file ? it->read_some() : it->adopt_newest());
            // Others have their turn between two chunks.
            co_await it->on.sleep_for(more ? std::chrono::milliseconds(0) : it->options.look_every);
        }
    }
};

file_follower::file_follower(loop& on, follow_options options, std::function<void(std::string_view)> take,
                             std::function<void(const file_position&)> read_to,
                             std::function<void(std::string_view)> complain)
    : state_(std::make_shared<state>(on, std::move(options), std::move(take), std::move(read_to),
                                     std::move(complain))) {}

file_follower::~file_follower() {
    stop();
}

task<> file_follower::run() {
    return state::follow(state_);
}

void file_follower::stop() {
    state_->stopped = true;
}

file_follower::figures file_follower::counted() const {
    auto now = state_->counts;
    if (now.missing)
        now.missing_for = state_->on.now() - state_->missing_since;
    return now;
}

} // namespace mailtight::io
