// SPDX-License-Identifier: Apache-2.0
// Entry: journal_follower::run. The program's output is one end of a socket pair, so that it is a stream like
// any other.
#include "io/journal_follower.h"

#include "io/descriptor.h"
#include "io/journal_export.h"
#include "io/socket_stream.h"
#include "io/spawn.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace mailtight::io {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t chunk_bytes = 262'144;
constexpr std::size_t said_bytes = 2'000;
constexpr auto look_every = 200ms;  ///< whether to end
constexpr auto longest_pause = 60s; ///< between two starts
constexpr auto polite = 2s;         ///< from asking the program to end to ending it
constexpr auto look_for_its_end = 5ms;

} // namespace

struct journal_follower::state {
    state(loop& loop, journal_options from, std::function<void(std::string_view)> to,
          std::function<void(std::string_view)> told, std::function<void(std::string_view)> say)
        : on(loop)
        , options(std::move(from))
        , take(std::move(to))
        , read_to(std::move(told))
        , complain(std::move(say))
        , cursor(options.from) {}

    loop& on;
    journal_options options;
    std::function<void(std::string_view)> take;
    std::function<void(std::string_view)> read_to;
    std::function<void(std::string_view)> complain;
    std::string cursor;
    bool stopped = false;
    figures counts;

    /// One run of the program.
    struct program {
        pid_t id = 0;
        std::unique_ptr<socket_stream> output;
        descriptor complaints;
        std::string said;
        std::uint64_t entries = 0;
    };

    /// Following without --merge, journalctl shows the current boot alone (and asks /proc which one that is,
    /// where a locked up daemon may see nothing): mail of before a restart of the machine would be left out.
    /// --merge also shows what other machines sent here, which `matches` has to keep out.
    std::vector<std::string> words() const {
        auto all = options.program;
        for (const char* word : {"--follow", "--merge", "--quiet", "--output=export",
                                 "--output-fields=MESSAGE,SYSLOG_IDENTIFIER,SYSLOG_PID,_PID,_HOSTNAME"})
            all.emplace_back(word);
        if (cursor.empty()) {
            all.emplace_back("--lines=0");
        } else {
            all.emplace_back("--no-tail");
            all.push_back("--after-cursor=" + cursor);
        }
        all.insert(all.end(), options.matches.begin(), options.matches.end());
        return all;
    }

    /// Starts it; the reason where it cannot.
    std::string start(program& into) {
        int output[2], complaints[2];
        if (options.program.empty())
            return "no program is named";
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, output) != 0)
            return std::strerror(errno);
        descriptor ours{output[0]}, its{output[1]};
        if (::pipe2(complaints, O_CLOEXEC) != 0)
            return std::strerror(errno);
        into.complaints = descriptor{complaints[0]};
        const descriptor speaks{complaints[1]};
        ::fcntl(into.complaints.get(), F_SETFL, O_NONBLOCK);
        any_socket socket(on.native().context);
        boost::system::error_code error;
        socket.assign(boost::asio::generic::stream_protocol(AF_UNIX, 0), ours.get(), error);
        if (error)
            return error.message();
        ours.release();
        socket.non_blocking(true, error);
        if (const int failed = spawn_program(into.id, words(), -1, its.get(), speaks.get()))
            return fmt::format("cannot start {}: {}", options.program.front(), std::strerror(failed));
        into.output = std::make_unique<socket_stream>(on, std::move(socket));
        ++counts.starts;
        counts.running = true;
        return {};
    }

    void listen_to(program& it) const {
        std::array<char, 4'096> buffer;
        for (;;) {
            const auto got = ::read(it.complaints.get(), buffer.data(), buffer.size());
            if (got <= 0)
                return;
            it.said.append(buffer.data(), std::min(static_cast<std::size_t>(got),
                                                   said_bytes - std::min(said_bytes, it.said.size())));
        }
    }

    void take_entry(const journal_entry& entry) {
        if (!entry.cursor.empty())
            cursor = entry.cursor;
        const auto line = line_of(entry);
        if (line.empty())
            return;
        ++counts.lines;
        counts.cut += entry.cut ? 1 : 0;
        take(line);
    }

    /// Until the program ends its output, or stop().
    static task<> read(std::shared_ptr<state> it, program& from) {
        journal_export_reader reader(it->options.message_bytes);
        while (!it->stopped) {
            if (it->options.wait && it->options.wait()) {
                co_await it->on.sleep_for(look_every);
                it->listen_to(from);
                continue;
            }
            const auto got = co_await from.output->read_some(chunk_bytes, it->on.now() + look_every);
            it->listen_to(from);
            if (got.status == io_status::timeout)
                continue;
            if (got.status != io_status::ok)
                break;
            const auto before = from.entries;
            reader.feed(got.bytes, [&](const journal_entry& entry) {
                ++from.entries;
                it->take_entry(entry);
            });
            if (from.entries != before)
                it->read_to(it->cursor);
        }
    }

    /// Waits for its end, and helps.
    static task<int> ended(std::shared_ptr<state> it, program& which) {
        which.output->close();
        const auto patience = it->on.now() + polite;
        ::kill(which.id, SIGTERM);
        int status = 0;
        for (bool late = false;;) {
            const pid_t gone = ::waitpid(which.id, &status, WNOHANG);
            if (gone == which.id || (gone < 0 && errno != EINTR))
                break;
            if (!late && it->on.now() >= patience) {
                late = true;
                ::kill(which.id, SIGKILL);
            }
            co_await it->on.sleep_for(look_for_its_end);
        }
        it->listen_to(which);
        it->counts.running = false;
        co_return status;
    }

    void fault(std::string words) {
        if (words != counts.last_error && complain)
            complain(words);
        counts.last_error = std::move(words);
    }

    /// A cursor that the program does not understand would be refused for ever.
    void judge_end(const program& run) {
        const auto said = base::printable(base::trim(run.said), said_bytes);
        if (!cursor.empty() && run.entries == 0 && said.find("cursor") != said.npos) {
            fault(fmt::format(
                "the place in the journal is not known any more, reading begins with what comes: {}", said));
            cursor.clear();
            return;
        }
        fault(fmt::format("{} ended{}{}", options.program.front(), said.empty() ? "" : ": ", said));
    }

    static task<> follow(std::shared_ptr<state> it) {
        auto pause = it->options.again;
        while (!it->stopped) {
            program run;
            if (auto why = it->start(run); !why.empty()) {
                it->fault(std::move(why));
            } else {
                co_await read(it, run);
                co_await ended(it, run);
                if (it->stopped)
                    co_return;
                it->judge_end(run);
                if (run.entries > 0)
                    pause = it->options.again;
            }
            const auto until = it->on.now() + pause;
            pause = std::min<std::chrono::milliseconds>(2 * pause, longest_pause);
            while (!it->stopped && it->on.now() < until)
                co_await it->on.sleep_until(std::min<loop::time_point>(until, it->on.now() + look_every));
        }
    }
};

journal_follower::journal_follower(loop& on, journal_options options,
                                   std::function<void(std::string_view)> take,
                                   std::function<void(std::string_view)> read_to,
                                   std::function<void(std::string_view)> complain)
    : state_(std::make_shared<state>(on, std::move(options), std::move(take), std::move(read_to),
                                     std::move(complain))) {}

journal_follower::~journal_follower() {
    stop();
}

task<> journal_follower::run() {
    return state::follow(state_);
}

void journal_follower::stop() {
    state_->stopped = true;
}

journal_follower::figures journal_follower::counted() const {
    return state_->counts;
}

} // namespace mailtight::io
