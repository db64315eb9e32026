// SPDX-License-Identifier: Apache-2.0
#include "app/log_sources.h"

#include "app/drained_input.h"
#include "app/reporting.h"
#include "base/text.h"
#include "io/file_follower.h"
#include "io/journal_follower.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <fstream>

namespace mailtight::app {

namespace {

constexpr std::size_t buffer_bytes = 8u << 20, line_bytes = 16'384;
/// Where a log is renamed and made anew with its next line, a quiet night may pass in between.
constexpr auto rotation_takes = std::chrono::hours(12);

/// Lines of a log socket between its thread and the loop.
class line_buffer {
public:
    bool add(std::string_view line) {
        if (text_.size() + line.size() + 1 > buffer_bytes)
            return false;
        text_ += line.substr(0, line_bytes);
        text_ += '\n';
        return true;
    }
    bool empty() const { return text_.empty(); }
    void clear() { text_.clear(); } ///< keeps its memory
    const std::string& text() const { return text_; }

private:
    std::string text_;
};

/// Of local time, which syslog daemons write without saying so.
std::chrono::seconds local_zone(base::utc_seconds at) {
    const std::time_t time = at.time_since_epoch().count();
    std::tm local{};
    return ::localtime_r(&time, &local) ? std::chrono::seconds(local.tm_gmtoff) : std::chrono::seconds{};
}

/// Keeps the entries of this machine alone, where others send theirs here; "" where it has no identifier.
std::string match_of_this_machine() {
    std::string id;
    std::getline(std::ifstream("/etc/machine-id"), id);
    return id.empty() ? "" : "_MACHINE_ID=" + id;
}

} // namespace

struct log_sources::source {
    std::string kind, where;
    tally::postfix_log reader;
    std::uint64_t lines = 0;
    std::vector<tally::session_at> found; ///< of one line; kept for its memory
    std::unique_ptr<drained_input<line_buffer>> socket;
    std::unique_ptr<io::file_follower> file;
    std::unique_ptr<io::journal_follower> journal;

    explicit source(tally::postfix_log_options options)
        : reader(std::move(options)) {}
    std::string mark() const { return fmt::format("log/{}:{}", kind, where); }
};

struct log_sources::state {
    io::loop& loop;
    const base::clock& real;
    std::function<std::chrono::seconds()> ahead;
    tally::collector& to;
    std::function<void(std::string_view)> complain;
    std::vector<std::unique_ptr<source>> all;
    bool stopped = false;

    void take(source& of, std::string_view line) {
        ++of.lines;
        const auto now = real.now();
        const auto parsed = tally::parse_log_line(line, now, local_zone(now));
        if (!parsed)
            return;
        of.found.clear();
        of.reader.take(*parsed, now, of.found);
        for (const auto& each : of.found)
            to.take(tally::told(each.what), each.at + ahead());
    }
    void take(source& of, const line_buffer& lines) {
        for (const auto line : base::split(lines.text(), '\n'))
            if (!line.empty())
                take(of, line);
    }
    template<class Follower>
    void run(const std::shared_ptr<state>& self, Follower& reader) {
        loop.spawn(
            [](std::shared_ptr<state>, Follower& of) -> io::task<> { co_await of.run(); }(self, reader));
    }
    void follow(const std::shared_ptr<state>& self, source& of, const std::string& from) {
        const auto line = [this, &of](std::string_view text) { take(of, text); };
        // What is written down already can wait there for room, better than here.
        const auto no_room = [this] { return to.full(); };
        if (of.kind == "journal") {
            io::journal_options options;
            options.from = from;
            options.message_bytes = line_bytes;
            options.wait = no_room;
            if (auto ours = match_of_this_machine(); !ours.empty())
                options.matches.push_back(std::move(ours));
            of.journal = std::make_unique<io::journal_follower>(
                loop, std::move(options), line,
                [this, &of](std::string_view cursor) { to.mark(of.mark(), std::string(cursor)); }, complain);
            run(self, *of.journal);
        } else if (of.kind == "file") {
            io::follow_options options;
            options.path = of.where;
            options.wait = no_room;
            options.from = io::file_position::parse(from);
            options.line_bytes = line_bytes;
            of.file = std::make_unique<io::file_follower>(
                loop, std::move(options), line,
                [this, &of](const io::file_position& at) { to.mark(of.mark(), at.to_string()); }, complain);
            run(self, *of.file);
        }
    }
    static io::task<> begin(std::shared_ptr<state> self) {
        using namespace std::chrono_literals;
        // Where reading goes on is in the database: without it a line would be counted twice, or never.
        auto kept = co_await self->to.marks();
        while (!kept && !self->stopped) {
            self->complain(fmt::format("logs wait for the database: {}", kept.error().message));
            co_await self->loop.sleep_for(5s);
            kept = co_await self->to.marks();
        }
        if (self->stopped)
            co_return;
        for (auto& each : self->all) {
            std::string from;
            for (const auto& [name, value] : *kept)
                if (name == each->mark())
                    from = value;
            self->follow(self, *each, from);
        }
    }
};

log_sources::log_sources(io::loop& on, const base::clock& real, std::function<std::chrono::seconds()> ahead,
                         tally::collector& to, std::function<void(std::string_view)> complain)
    : state_(std::make_shared<state>(state{.loop = on,
                                           .real = real,
                                           .ahead = std::move(ahead),
                                           .to = to,
                                           .complain = std::move(complain),
                                           .all = {}})) {}
log_sources::~log_sources() {
    stop();
}

std::expected<void, std::string> log_sources::open(const settings& from) {
    auto& s = *state_;
    for (const auto& text : from.postfix_log) {
        tally::postfix_log_options options;
        options.ignored = from.ignored_programs;
        auto made = std::make_unique<source>(std::move(options));
        const auto colon = text.find(':');
        made->kind = text.starts_with('/') ? "file" : text.substr(0, colon);
        made->where = text.starts_with('/')        ? text
                      : colon == std::string::npos ? std::string()
                                                   : text.substr(colon + 1);
        const bool journal = made->kind == "journal" && made->where.empty();
        if (!journal && !((made->kind == "file" || made->kind == "syslog") && made->where.starts_with('/')))
            return std::unexpected(
                fmt::format("collect.postfix-log: '{}' is none of file:/PATH, journal and syslog:/PATH",
                            base::printable(text, 200)));
        if (made->kind == "syslog") {
            io::drain_options socket;
            socket.path = made->where;
            socket.permissions = 0666; // what writes logs may be anybody
            socket.datagram_bytes = line_bytes;
            auto opened = drained_input<line_buffer>::open(s.loop, std::move(socket),
                                                           [&s, of = made.get()](line_buffer lines) {
                                                               s.take(*of, lines);
                                                               lines.clear();
                                                               return lines;
                                                           });
            if (!opened)
                return std::unexpected("collect.postfix-log: " + opened.error());
            made->socket = std::move(*opened);
        }
        s.all.push_back(std::move(made));
    }
    return {};
}

void log_sources::start() {
    state_->loop.spawn(state::begin(state_));
}

void log_sources::stop() {
    state_->stopped = true;
    for (auto& each : state_->all) {
        if (each->socket)
            each->socket->close();
        if (each->file)
            each->file->stop();
        if (each->journal)
            each->journal->stop();
    }
}

std::vector<log_sources::row> log_sources::list() const {
    std::vector<row> rows;
    for (const auto& each : state_->all) {
        const auto read = each->reader.counted();
        row made{.kind = each->kind,
                 .where = each->where,
                 .lines = each->lines,
                 .used = read.used,
                 .sessions = read.sessions,
                 .tells_tls = read.tells_tls,
                 .trouble = ""};
        if (each->file) {
            const auto file = each->file->counted();
            made.trouble = file.missing ? "the file is missing" : file.last_error;
            made.rotated = file.missing && file.was_there && file.missing_for < rotation_takes;
        }
        if (each->journal && !each->journal->counted().running)
            made.trouble = each->journal->counted().last_error;
        rows.push_back(std::move(made));
    }
    return rows;
}

} // namespace mailtight::app
