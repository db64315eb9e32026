// SPDX-License-Identifier: Apache-2.0
// `cache export` and `cache import`.
#include "app/control_client.h"
#include "app/local_sending.h"
#include "app/sending_commands.h"
#include "app/terminal.h"
#include "app/typed.h"
#include "base/text.h"
#include "resolve/exchange.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <span>

namespace mailtight::app {

namespace {

constexpr std::size_t file_bytes = 1u << 30;
constexpr std::size_t batch_bytes = 8u << 20; ///< to the daemon at once
constexpr std::size_t batch_rows = 5'000;     ///< to the store in one transaction
constexpr std::size_t refusals_shown = 20;

int failed(const std::string& why) {
    complain(why);
    return not_done;
}

struct close_file {
    void operator()(std::FILE* file) const { std::fclose(file); }
};

/// What a file held.
struct read_in {
    std::vector<model::kept_policy> policies;
    std::vector<std::string> look_ups;
    std::vector<resolve::exchange_error> refused; ///< the first of them
    std::uint64_t refused_lines = 0;
    bool nothing_known = false; ///< none of the formats
};

std::string why(const resolve::exchange_error& error) {
    return fmt::format("{}{}{}", resolve::explain(error.fault), error.detail.empty() ? "" : ": ",
                       base::printable(error.detail, 80));
}

std::string in_words(const resolve::exchange_error& error) {
    return error.line ? fmt::format("line {}: {}", error.line, why(error)) : why(error);
}

std::expected<read_in, std::string> read_file(const std::string& file, base::utc_seconds now) {
    read_in all;
    const resolve::exchange_taker into{
        .policy = [&](model::kept_policy one) { all.policies.push_back(std::move(one)); },
        .look_up = [&](std::string domain) { all.look_ups.push_back(std::move(domain)); },
        .refused =
            [&](const resolve::exchange_error& error) {
                ++all.refused_lines;
                all.nothing_known |= error.fault == resolve::exchange_fault::unknown_format ||
                                     error.fault == resolve::exchange_fault::version;
                if (all.refused.size() < refusals_shown)
                    all.refused.push_back(error);
            }};
    auto bytes = read_bytes(file, file_bytes);
    if (!bytes)
        return std::unexpected(bytes.error());
    if (bytes->size() > file_bytes)
        return std::unexpected(fmt::format("{} is larger than 1 GiB", base::printable(file)));
    if (resolve::recognise_exchange(*bytes) == resolve::exchange_format::sqlite) {
        if (file == "-")
            return std::unexpected("a SQLite file must be named, not piped in");
        auto rows = store::read_foreign_cache(file);
        if (!rows)
            return std::unexpected(fmt::format("{}: {}", base::printable(file), rows.error().message));
        resolve::take_foreign(*rows, now, into);
    } else {
        resolve::read_exchange(*bytes, now, into);
    }
    return all;
}

/// Everything to the daemon, in batches; an outer nothing where none runs.
std::optional<std::expected<std::uint64_t, std::string>>
to_daemon(const common_options& common, const read_in& all, base::utc_seconds now) {
    io::loop loop;
    std::uint64_t taken = 0;
    bool first = true;
    std::string batch;
    auto send = [&]() -> std::expected<bool, std::string> { // false: there is no daemon
        auto said = call_daemon(loop, common.set, "/api/v1/policies", batch, "POST");
        batch.clear();
        if (!said && first && said.error().what == control_error::kind::absent)
            return false;
        if (!said)
            return std::unexpected(said.error().message);
        first = false;
        if (const auto* object = said->if_object())
            if (const auto* count = object->if_contains("taken"); count && count->is_number())
                taken += count->to_number<std::uint64_t>();
        return true;
    };
    using answer = std::expected<std::uint64_t, std::string>;
    for (std::size_t i = 0; i < all.policies.size(); ++i) {
        if (batch.empty())
            batch = resolve::exchange_header(now);
        batch += resolve::exchange_line(all.policies[i]);
        if (batch.size() < batch_bytes && i + 1 < all.policies.size())
            continue;
        const auto sent = send();
        if (!sent)
            return answer(std::unexpected(sent.error()));
        if (!*sent)
            return std::nullopt;
    }
    for (std::size_t i = 0; i < all.look_ups.size(); ++i) {
        batch += all.look_ups[i] + "\n";
        if (batch.size() < batch_bytes && i + 1 < all.look_ups.size())
            continue;
        const auto sent = send();
        if (!sent)
            return answer(std::unexpected(sent.error()));
        if (!*sent)
            return std::nullopt;
    }
    return answer(taken);
}

std::expected<std::uint64_t, std::string> to_store(const common_options& common, const read_in& all) {
    auto to = policies_to_write(common.set);
    if (!to)
        return std::unexpected(to.error());
    for (std::size_t begin = 0; begin < all.policies.size(); begin += batch_rows) {
        const auto rows =
            std::span(all.policies).subspan(begin, std::min(batch_rows, all.policies.size() - begin));
        if (auto written = to->opened->put(rows); !written)
            return std::unexpected(words(written.error()));
    }
    return all.policies.size();
}

} // namespace

int cmd_cache_export(const common_options& common, const cache_options& options) {
    auto from = policies_to_ask(common.set);
    if (!from)
        return failed(from.error());
    std::unique_ptr<std::FILE, close_file> file;
    if (options.file != "-") {
        file.reset(std::fopen(options.file.c_str(), "wxe")); // never over another file
        if (!file)
            return failed(fmt::format("{}: {}", base::printable(options.file), std::strerror(errno)));
    }
    auto put = [&file](const std::string& bytes) {
        return file ? std::fwrite(bytes.data(), 1, bytes.size(), file.get()) == bytes.size() : print(bytes);
    };
    const base::system_clock clock;
    std::uint64_t rows = 0;
    bool whole = put(resolve::exchange_header(clock.now()));
    auto done = (*from)->each([&](const model::kept_policy& row) {
        ++rows;
        return whole = whole && put(resolve::exchange_line(row));
    });
    if (!done)
        return failed(words(done.error()));
    if (!whole || (file && std::fflush(file.get()) != 0))
        return failed(fmt::format("{} could not be written to its end", base::printable(options.file)));
    if (options.file != "-")
        say(fmt::format("{} destinations written to {}", rows, base::printable(options.file)));
    return fine;
}

int cmd_cache_import(const common_options& common, const cache_options& options) {
    const base::system_clock clock;
    const auto now = clock.now();
    auto all = read_file(options.file, now);
    if (!all)
        return failed(all.error());
    if (all->nothing_known && all->policies.empty() && all->look_ups.empty())
        return failed(
            fmt::format("{}: {}", base::printable(options.file),
                        all->refused.empty() ? "nothing in it can be used" : in_words(all->refused.front())));
    auto told = to_daemon(common, *all, now);
    const bool daemon = told.has_value();
    if (!told)
        told = to_store(common, *all);
    if (!*told)
        return failed(told->error());
    if (common.json) {
        boost::json::array refused;
        for (const auto& each : all->refused)
            refused.push_back(boost::json::object{{"line", each.line}, {"why", why(each)}});
        print(boost::json::serialize(boost::json::object{{"taken", **told},
                                                         {"look_ups", daemon ? all->look_ups.size() : 0},
                                                         {"refused_lines", all->refused_lines},
                                                         {"refused", std::move(refused)}}) +
              "\n");
    } else {
        for (const auto& each : all->refused)
            say(in_words(each));
        if (all->refused_lines > all->refused.size())
            say(fmt::format("and {} more lines", all->refused_lines - all->refused.size()));
        if (**told == 0 && !all->policies.empty())
            say("no policy taken over: what is held is as new");
        else if (!all->policies.empty() || all->look_ups.empty())
            say(fmt::format("{} {} taken over", **told, **told == 1 ? "policy" : "policies"));
        if (!all->look_ups.empty())
            say(fmt::format("{} {} looked up {}", all->look_ups.size(),
                            all->look_ups.size() == 1 ? "domain is" : "domains are",
                            daemon ? "in the background now" : "when mail goes to them"));
    }
    return all->refused_lines > 0 ? problems_found : fine;
}

} // namespace mailtight::app
