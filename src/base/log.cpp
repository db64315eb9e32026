// SPDX-License-Identifier: Apache-2.0
// log::write() makes the line; spdlog's thread-safe stderr sink writes it.
#include "base/log.h"

#include "base/text.h"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>

#include <cstdlib>
#include <sys/stat.h>
#include <unistd.h>

namespace mailtight::base {

namespace {

/// sd-daemon(3): the journal takes the level from a digit in front.
int syslog_priority(log_level level) {
    switch (level) {
    case log_level::debug:
        return 7;
    case log_level::info:
        return 6;
    case log_level::warning:
        return 4;
    case log_level::error:
        return 3;
    }
    return 6;
}

/// `name=value`, in quotes where a reader could not tell its end.
std::string written(const log_field& field) {
    const std::string value = printable(field.value, 1000);
    if (value.find_first_of(" \"=") == std::string::npos && !value.empty())
        return fmt::format("{}={}", field.name, value);
    std::string escaped;
    for (char c : value) {
        if (c == '"' || c == '\\')
            escaped += '\\';
        escaped += c;
    }
    return fmt::format("{}=\"{}\"", field.name, escaped);
}

} // namespace

std::string_view to_string(log_level level) {
    switch (level) {
    case log_level::debug:
        return "debug";
    case log_level::info:
        return "info";
    case log_level::warning:
        return "warning";
    case log_level::error:
        return "error";
    }
    return "info";
}

std::optional<log_level> parse_log_level(std::string_view word) {
    for (const auto level : {log_level::debug, log_level::info, log_level::warning, log_level::error})
        if (to_string(level) == word)
            return level;
    return {};
}

struct log::state {
    state(const base::clock& time, log_options given)
        : clock(time)
        , options(std::move(given))
        , least(options.least)
        , out("mailtight", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
        out.set_pattern("%v");
        out.set_level(spdlog::level::trace);
        out.flush_on(spdlog::level::trace);
    }

    struct repeats {
        utc_seconds since{};
        std::uint64_t told = 0, held = 0;
    };

    void emit(const event_entry& entry, std::string_view message) {
        if (options.sink)
            options.sink(message);
        else
            out.log(entry.level == log_level::error ? spdlog::level::err : spdlog::level::info, message);
    }

    std::string line(const event_entry& entry, std::span<const log_field> fields, std::uint64_t held) const {
        if (options.json) {
            boost::json::object document{
                {"time", format_utc(clock.now())}, {"level", to_string(entry.level)}, {"event", entry.name}};
            for (const auto& field : fields)
                document[field.name] = printable(field.value, 1000);
            if (held)
                document["held_back"] = held;
            return boost::json::serialize(document);
        }
        std::string text = options.journal ? fmt::format("<{}>{}", syslog_priority(entry.level), entry.name)
                                           : fmt::format("{} {:<7} {}", format_utc(clock.now()),
                                                         to_string(entry.level), entry.name);
        for (const auto& field : fields)
            text += " " + written(field);
        if (held)
            text += fmt::format(" held_back={}", held);
        return text;
    }

    const base::clock& clock;
    log_options options;
    std::atomic<log_level> least;
    std::mutex guard;
    std::map<event, repeats> seen;
    spdlog::logger out;
};

log::log(const base::clock& clock, log_options options)
    : state_(std::make_unique<state>(clock, std::move(options))) {}

log::~log() {
    // What was held back and never followed by another is told at the end.
    for (const auto& [what, count] : state_->seen)
        if (count.held) {
            const auto& entry = entry_of(what);
            state_->emit(entry, state_->line(entry, {}, count.held));
        }
}

void log::set_level(log_level least) {
    state_->least = least;
}

void log::write(event what, std::initializer_list<log_field> fields) {
    write(what, std::span(fields.begin(), fields.size()));
}

void log::write(event what, std::span<const log_field> fields) {
    const auto& entry = entry_of(what);
    if (entry.level < state_->least.load())
        return;
    std::lock_guard held(state_->guard);
    auto& count = state_->seen[what];
    const auto now = state_->clock.now();
    std::uint64_t held_back = 0;
    if (now - count.since >= state_->options.window || now < count.since) {
        held_back = count.held;
        count = {.since = now};
    }
    if (count.told >= state_->options.repeats) {
        ++count.held;
        return;
    }
    ++count.told;
    state_->emit(entry, state_->line(entry, fields, held_back));
}

bool stderr_is_journal() {
    // systemd.exec(5): device and inode of the stream, so that a redirected stderr is not mistaken for it.
    const char* named = std::getenv("JOURNAL_STREAM");
    struct stat is{};
    return named && ::fstat(STDERR_FILENO, &is) == 0 &&
           fmt::format("{}:{}", static_cast<std::uint64_t>(is.st_dev),
                       static_cast<std::uint64_t>(is.st_ino)) == named;
}

} // namespace mailtight::base
