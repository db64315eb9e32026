// SPDX-License-Identifier: Apache-2.0
// `scan`: a fixed number of workers take lines from the list, so that memory does not grow with it. A row is
// written whole or not at all; `--resume` reads the rows that are there and skips their lines.
#include "advise/render.h"
#include "app/options.h"
#include "app/scan_list.h"
#include "app/terminal.h"
#include "app/world.h"
#include "base/text.h"
#include "mail/domain_name.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <map>

#include <unistd.h>

namespace mailtight::app {

namespace {

constexpr const char* list_changed =
    "the list is not the one that the results were made of: a done line is gone or names another domain";

std::atomic<bool> interrupted = false;
void on_interrupt(int) {
    interrupted = true;
}

std::string csv_field(std::string_view text) {
    std::string safe = base::printable(text, 500);
    if (!safe.empty() && csv_distrusted.find(safe.front()) != std::string_view::npos)
        safe.insert(0, "'");
    if (safe.find_first_of(",\"\n") == std::string::npos)
        return safe;
    std::string quoted = "\"";
    for (char c : safe)
        quoted += c == '"' ? "\"\"" : std::string(1, c);
    return quoted + "\"";
}

/// Rows on their way out: whole rows, written at least once a second.
class row_writer {
public:
    explicit row_writer(std::FILE* to)
        : to_(to) {}
    bool add(std::string row) {
        pending_ += row;
        pending_ += '\n';
        return pending_.size() < 1 << 16 || flush();
    }
    bool flush() {
        const std::string rows = std::exchange(pending_, {});
        std::size_t done = 0;
        while (done < rows.size()) {
            const auto wrote = ::write(::fileno(to_), rows.data() + done, rows.size() - done);
            if (wrote < 0 && errno == EINTR)
                continue;
            if (wrote <= 0)
                return false;
            done += static_cast<std::size_t>(wrote);
        }
        return true;
    }

private:
    std::FILE* to_;
    std::string pending_;
};

struct tally {
    std::map<std::string, std::uint64_t> verdicts, codes;
    std::uint64_t done = 0, skipped = 0, not_domains = 0, problems = 0;
};

class scan {
public:
    scan(const scan_options& options, world& with, list_reader& list, done_lines& before, std::FILE* out)
        : options_(options)
        , with_(with)
        , list_(list)
        , before_(before)
        , rows_(out) {}

    io::task<> worker() {
        while (!stopping()) {
            auto line = take();
            if (!line)
                break;
            co_await handle(std::move(*line));
        }
        --workers_;
    }

    io::task<> watch(progress_line& progress, std::optional<std::size_t> total) {
        using namespace std::chrono_literals;
        const auto begun = std::chrono::steady_clock::now();
        auto flushed = begun;
        while (workers_ > 0) {
            co_await with_.loop.sleep_for(100ms);
            const auto now = std::chrono::steady_clock::now();
            if (now - flushed > 1s) {
                flushed = now;
                if (!rows_.flush())
                    broken_ = true;
            }
            if (stopping()) {
                with_.loop.stop();
                co_return;
            }
            const double seconds = std::chrono::duration<double>(now - begun).count();
            const double rate = seconds > 0 ? static_cast<double>(counted.done) / seconds : 0;
            std::string words = fmt::format("{} done", counted.done + counted.skipped);
            if (total)
                words += fmt::format(" of {}", *total);
            words += fmt::format(" · {:.0f} domains/s", rate);
            if (const auto handled = counted.done + counted.skipped; total && rate > 0 && *total >= handled)
                words += " · " +
                         base::format_duration(std::chrono::seconds(
                             static_cast<long>(static_cast<double>(*total - handled) / rate))) +
                         " left";
            progress.show(words);
        }
    }

    void begin(std::size_t workers) {
        workers_ = workers;
        for (std::size_t i = 0; i < workers; ++i)
            with_.loop.spawn(worker());
    }
    bool finish() { return rows_.flush() && !broken_; }
    bool header(const std::string& row) { return rows_.add(row); }
    bool mismatch() const { return mismatch_; }
    bool broken() const { return broken_; }

    tally counted;

private:
    bool stopping() const { return interrupted || broken_ || mismatch_; }

    std::optional<list_line> take() {
        while (auto line = list_.next()) {
            if (!before_.has(*line, mismatch_))
                return line;
            if (mismatch_)
                return {};
            ++counted.skipped;
        }
        // Of a list that can be read only once, this shows no earlier than here.
        mismatch_ = mismatch_ || counted.skipped < before_.count();
        return {};
    }

    io::task<> handle(list_line line) {
        auto domain = mail::understand_domain(line.text);
        if (!domain) {
            ++counted.done;
            ++counted.not_domains;
            ++counted.verdicts["not a domain"];
            const auto why = mail::explain(domain.error());
            if (options_.csv)
                write(fmt::format("{},{},error,,{}", line.number, csv_field(line.text), csv_field(why)));
            else
                write(boost::json::serialize(
                    boost::json::object{{"line", line.number},
                                        {"listed", base::printable(line.text)},
                                        {"error", {{"code", "not-a-domain"}, {"message", why}}}}));
            co_return;
        }
        model::observation seen;
        if (options_.dns_only)
            seen = co_await with_.observer->glance(domain->name);
        else
            seen = co_await with_.observer->look(domain->name, domain->display);
        const auto judged = advise::judge(seen);
        ++counted.done;
        ++counted.verdicts[std::string(advise::to_string(judged.verdict))];
        counted.problems += judged.exit_status() == problems_found;
        std::vector<std::string> codes;
        for (const auto& finding : judged.findings)
            if (finding.severity != findings::severity::ok &&
                std::find(codes.begin(), codes.end(), finding.code) == codes.end())
                codes.push_back(finding.code);
        for (const auto& code : codes)
            ++counted.codes[code];
        if (options_.csv) {
            write(fmt::format("{},{},{},{},{},{},{},{},{}", line.number, csv_field(line.text),
                              advise::to_string(judged.verdict),
                              judged.mode ? sts::to_string(*judged.mode) : "", base::join(codes, " "),
                              advise::to_string(judged.sts_record), advise::to_string(judged.policy_file),
                              advise::to_string(judged.tlsrpt_record),
                              advise::to_string(judged.mail_servers)));
            co_return;
        }
        boost::json::object row{{"line", line.number}, {"listed", base::printable(line.text)}};
        for (auto& [key, value] : advise::scan_json(seen, judged))
            row[key] = std::move(value);
        write(boost::json::serialize(row));
    }

    void write(std::string row) {
        if (!rows_.add(std::move(row)))
            broken_ = true;
    }

    const scan_options& options_;
    world& with_;
    list_reader& list_;
    done_lines& before_;
    row_writer rows_;
    std::size_t workers_ = 0;
    bool mismatch_ = false, broken_ = false;
};

void print_table(std::string_view title, const std::map<std::string, std::uint64_t>& rows) {
    if (rows.empty())
        return;
    std::vector<std::pair<std::string, std::uint64_t>> sorted(rows.begin(), rows.end());
    std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
        return a.second != b.second ? a.second > b.second : a.first < b.first;
    });
    std::fprintf(stderr, "\n%.*s\n", static_cast<int>(title.size()), title.data());
    for (const auto& [name, count] : sorted)
        std::fprintf(stderr, "%10llu  %s\n", static_cast<unsigned long long>(count), name.c_str());
}

} // namespace

int cmd_scan(const common_options& common, const scan_options& options) {
    if (options.resume && options.output.empty()) {
        complain("--resume needs --output: the results file tells which lines are done");
        return wrong_usage;
    }
    if (!options.output.empty() && !options.resume && ::access(options.output.c_str(), F_OK) == 0) {
        complain(fmt::format("{} exists: give --resume to go on with it, or another name",
                             base::printable(options.output)));
        return wrong_usage;
    }
    auto list = list_reader::open(options.list);
    if (!list) {
        complain(list.error());
        return not_done;
    }
    done_lines before;
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(nullptr, &std::fclose);
    std::FILE* out = stdout;
    if (!options.output.empty()) {
        auto earlier = done_lines::read(options.output, options.csv);
        if (!earlier) {
            complain(earlier.error());
            return not_done;
        }
        before = std::move(*earlier);
        file.reset(std::fopen(options.output.c_str(), "ab"));
        if (!file) {
            complain(fmt::format("{}: {}", base::printable(options.output), std::strerror(errno)));
            return not_done;
        }
        out = file.get();
    }
    observe::observe_options what;
    what.smtp = !options.no_smtp && !options.dns_only;
    what.every_server = false;
    what.pitfalls = false;
    const auto surveyed = list->survey(before);
    if (surveyed && !surveyed->fits) {
        complain(list_changed);
        return wrong_usage;
    }
    // Hardly a name is asked for twice, except those of mail servers: a large cache would only be memory.
    const std::size_t cache_entries = options.dns_only ? 10'000 : 50'000;
    auto made = world::make(common.set, what, cache_entries);
    if (!made) {
        complain(made.error());
        return wrong_usage;
    }
    auto& with = **made;

    interrupted = false;
    std::signal(SIGINT, on_interrupt);
    std::signal(SIGTERM, on_interrupt);
    progress_line progress;
    const auto begun = std::chrono::steady_clock::now();
    scan run(options, with, *list, before, out);
    if (options.csv && !before.has_header())
        run.header("line,domain,verdict,mode,codes,sts_record,policy_file,tlsrpt_record,mail_servers");
    std::size_t in_flight = common.set.scan_in_flight;
    if (in_flight == 0)
        in_flight = options.dns_only ? 2000 : 500;
    const auto total = surveyed ? std::optional(surveyed->total) : std::nullopt;
    run.begin(in_flight);
    with.loop.spawn(run.watch(progress, total));
    with.loop.run();
    const bool written = run.finish();
    progress.clear();
    std::signal(SIGINT, SIG_DFL);
    std::signal(SIGTERM, SIG_DFL);

    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    const auto asked = with.dns->counters();
    const auto probes = with.observer->counted();
    auto per_second = [&](std::uint64_t count) {
        return seconds > 0 ? static_cast<double>(count) / seconds : 0.0;
    };
    std::fprintf(stderr, "%s",
                 fmt::format("{} domains in {:.1f} s: {:.0f} domains/s, {:.0f} queries/s ({} asked, {} from "
                             "the cache), {:.0f} TLS "
                             "handshakes/s ({} policy fetches, {} SMTP conversations, {} shared){}\n",
                             run.counted.done, seconds, per_second(run.counted.done), per_second(asked.asked),
                             asked.asked, asked.cached, per_second(probes.handshakes), probes.fetches,
                             probes.smtp, probes.shared,
                             run.counted.skipped ? fmt::format("; {} done before", run.counted.skipped)
                                                 : std::string())
                     .c_str());
    print_table("by verdict", run.counted.verdicts);
    print_table("by finding", run.counted.codes);
    if (run.mismatch()) {
        complain(list_changed);
        return wrong_usage;
    }
    if (!written) {
        complain(fmt::format("the results cannot be written: {}", std::strerror(errno)));
        return not_done;
    }
    if (interrupted) {
        say(options.output.empty() ? "stopped" : "stopped; go on with --resume");
        return not_done;
    }
    return run.counted.problems || run.counted.not_domains ? problems_found : fine;
}

} // namespace mailtight::app
