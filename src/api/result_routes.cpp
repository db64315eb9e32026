// SPDX-License-Identifier: Apache-2.0
// Results of deliveries, told over HTTP by mail servers that can do no other.
#include "api/reply_with.h"
#include "api/route.h"
#include "base/text.h"

#include <fmt/format.h>

#include <array>

namespace mailtight::api {

namespace {

constexpr std::size_t body_bytes = 8u << 20; // read and joined on the loop, in portions
constexpr std::size_t lines_at_once = 256;
constexpr std::size_t refusals_shown = 20;

/// One object that may stand on several lines, where the first of them does not hold all of it.
bool is_one_object(std::string_view body) {
    const auto first = base::trim(body.substr(0, body.find('\n')));
    return first.starts_with('{') && !first.ends_with('}');
}

boost::json::object refusal(std::uint64_t line, const tally::read_error& why) {
    return {{"line", line},
            {"code", tally::to_string(why.code)},
            {"where", base::printable(why.where, 200)},
            {"words", base::printable(why.words, 500)}};
}

io::task<wire::http_reply> take(context& with, call asked) {
    if (asked.body.size() > body_bytes)
        co_return wire::problem(413, "Content Too Large", "tell results in bodies of at most 8 MiB");
    if (with.results.full && with.results.full()) // nothing that is acknowledged is lost
        co_return wire::problem(
            503, "Service Unavailable",
            "the database is away and the memory is full of results; tell them again later");
    tally::event_reader reader;
    boost::json::array first;
    std::uint64_t taken = 0, refused = 0, line = 0;
    std::string_view rest = asked.body;
    const bool one = is_one_object(base::trim(rest));
    while (!rest.empty()) {
        const auto end = one ? rest.size() : std::min(rest.find('\n'), rest.size());
        const auto text = base::trim(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (++line % lines_at_once == 0)
            co_await with.loop.sleep_for({}); // others are served in between
        if (text.empty())
            continue;
        if (auto told = reader.read(text)) {
            ++taken;
            with.results.take(*told);
        } else {
            ++refused;
            with.results.refused(told.error());
            if (first.size() < refusals_shown)
                first.push_back(refusal(line, told.error()));
        }
    }
    boost::json::object out{{"taken", taken}, {"refused", refused}, {"errors", std::move(first)}};
    auto written = co_await with.results.written();
    // They are counted already and will be written: 202, so that nobody tells them again.
    out["durable"] = written.has_value();
    if (!written)
        out["trouble"] = base::printable(written.error().message, 500);
    co_return json_reply(out, written ? 200 : 202);
}

} // namespace

std::vector<route> result_routes() {
    return {{.method = "POST",
             .path = "/results",
             .operation = "tellResults",
             .summary = "Tell results of deliveries",
             .description = "One JSON object a line: a whole result, or what was seen of a session, to which "
                            "the known policy is joined. The answer comes when they are in the database; 202 "
                            "says that they are counted and will be written as soon as the database is back, "
                            "and must not be told again.",
             .request = "results-request",
             .answer = "results-taken",
             .problems = {404, 413, 503},
             .tells = true,
             .needs = role::operates,
             .handle = take}};
}

} // namespace mailtight::api
