// SPDX-License-Identifier: Apache-2.0
#include "app/import_batch.h"

#include "base/text.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <charconv>

namespace mailtight::app {

namespace {

/// One netstring off the front: `LENGTH:BYTES,`.
std::optional<std::string_view> take_netstring(std::string_view& from) {
    std::size_t length = 0;
    const auto* end = from.data() + from.size();
    auto [stop, error] = std::from_chars(from.data(), end, length);
    if (error != std::errc{} || stop == end || *stop != ':')
        return {};
    const auto head = static_cast<std::size_t>(stop - from.data()) + 1;
    if (length >= from.size() - head || from[head + length] != ',')
        return {};
    const auto value = from.substr(head, length);
    from.remove_prefix(head + length + 1);
    return value;
}

io::task<imported> keep_one(intake::keeper& into, intake::input one, base::utc_seconds now) {
    intake::circumstances how;
    how.way = one.from_mbox ? model::way_in::mbox : model::way_in::file;
    how.source = one.name;
    how.by_administrator = true;
    how.now = now;
    imported done;
    done.source = one.name;
    done.kept = co_await into.keep(std::move(one.bytes), std::move(how));
    co_return done;
}

} // namespace

void pack(std::string& into, const intake::input& one) {
    for (const auto& part : {std::string_view(one.name), std::string_view(one.bytes)}) {
        into += fmt::format("{}:", part.size());
        into += part;
        into += ',';
    }
}

std::optional<std::vector<intake::input>> unpack(std::string_view body) {
    std::vector<intake::input> all;
    while (!body.empty()) {
        auto name = take_netstring(body);
        auto bytes = name ? take_netstring(body) : std::nullopt;
        if (!bytes || all.size() >= batch_inputs)
            return {};
        intake::input one;
        one.name = std::string(*name);
        one.bytes = std::string(*bytes);
        all.push_back(std::move(one));
    }
    return all;
}

io::task<std::vector<imported>> keep_all(io::loop& on, intake::keeper& into, std::vector<intake::input> all,
                                         base::utc_seconds now) {
    std::vector<io::task<imported>> work;
    for (auto& one : all)
        work.push_back(keep_one(into, std::move(one), now));
    co_return co_await io::when_all(on, std::move(work));
}

std::string_view word(store::add_outcome::fate what) {
    using fate = store::add_outcome::fate;
    switch (what) {
    case fate::added:
        return "added";
    case fate::duplicate:
        return "duplicate";
    case fate::correction:
        return "correction";
    case fate::outvoted:
        return "outvoted";
    case fate::quarantined:
        return "quarantined";
    case fate::test:
        return "test";
    }
    return "added";
}

std::string_view word(intake::kept::fate what) {
    using fate = intake::kept::fate;
    switch (what) {
    case fate::stored:
        return "stored";
    case fate::none:
        return "none";
    case fate::later:
        return "later";
    }
    return "later";
}

boost::json::array to_json(const std::vector<imported>& all) {
    boost::json::array rows;
    for (const auto& one : all) {
        boost::json::array reports, errors;
        for (const auto& outcome : one.kept.outcomes)
            reports.push_back(boost::json::object{{"fate", word(outcome.what)},
                                                  {"number", outcome.number},
                                                  {"why", base::printable(outcome.why)}});
        for (const auto& error : one.kept.errors)
            errors.push_back(boost::json::object{{"code", error.code},
                                                 {"message", base::printable(error.message)},
                                                 {"where", base::printable(error.where)}});
        rows.push_back(boost::json::object{{"source", base::printable(one.source)},
                                           {"state", word(one.kept.what)},
                                           {"reports", std::move(reports)},
                                           {"errors", std::move(errors)},
                                           {"why", base::printable(one.kept.why)}});
    }
    return rows;
}

} // namespace mailtight::app
