// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "publish/carrier_memo.h"
#include "publish/watch_notes.h"
#include "publish/watcher.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace mailtight::publish {
namespace {

using namespace std::chrono_literals;
using store::due_work;
using store::result;

constexpr std::size_t page = 1'000;
constexpr std::uint32_t refused_tries = 3; ///< of a certificate: some hours
constexpr std::uint32_t many_tries = 8;    ///< with the pauses between them, most of an hour

result<void> each_noted(store::domain_store& kept, std::string_view kind,
                        const std::function<void(const due_work&)>& of) {
    for (std::string after;;) {
        const auto some = kept.noted_work(kind, after, page);
        if (!some)
            return std::unexpected(some.error());
        for (const auto& each : *some)
            of(each);
        if (some->size() < page)
            return {};
        after = some->back().domain;
    }
}

void add_missing(std::vector<watch_alarm>& to, std::vector<watch_alarm> from) {
    for (auto& each : from)
        if (std::ranges::find(to, each.key, &watch_alarm::key) == to.end())
            to.push_back(std::move(each));
}

std::optional<watch_alarm> of_plan(const due_work& work, base::utc_seconds now,
                                   std::chrono::seconds patience) {
    const auto notes = memo::parse(work.state);
    watch_alarm out{.domain = work.domain};
    if (notes.asks && now - notes.asks->since >= patience) {
        out.key = fmt::format("plan/{}/{}", work.domain, notes.asks->kind);
        out.what = change_kind::needs_person;
        out.subject = notes.asks->kind;
        out.title = fmt::format("{} waits for you: {}", work.domain, notes.asks->title);
        out.text = fmt::format("{} Asked since {}.", notes.asks->text, base::format_utc(notes.asks->since));
        out.fix = notes.asks->fix.empty() ? fmt::format("mailtight plan {}", work.domain) : notes.asks->fix;
        return out;
    }
    if (work.tries < many_tries)
        return std::nullopt;
    out.key = fmt::format("plan/{}/fails", work.domain);
    out.what = change_kind::step_fails;
    out.title = fmt::format("A step for {} fails again and again", work.domain);
    out.text = fmt::format("{} tries in succession; the last: {}", work.tries,
                           base::printable(work.last_error, 300));
    out.fix = fmt::format("It is tried again by itself. mailtight plan {} shows the step.", work.domain);
    out.error = true;
    return out;
}

/// A certificate that is there and cannot be renewed; what keeps the first one away, the plan says.
std::optional<watch_alarm> of_certificate(store::domain_store& kept, const due_work& work) {
    if (work.tries < refused_tries || work.last_error.empty())
        return std::nullopt;
    if (const auto there = kept.certificate("mta-sts." + work.domain); !there || !*there)
        return std::nullopt;
    return watch_alarm{
        .key = fmt::format("certificate/{}", work.domain),
        .what = change_kind::step_fails,
        .domain = work.domain,
        .title = fmt::format("The certificate of mta-sts.{} cannot be renewed", work.domain),
        .text = fmt::format("{} tries; the last: {}", work.tries, base::printable(work.last_error, 300)),
        .fix = fmt::format("Fix that, then: mailtight certificate renew {}. It is tried again by itself, and "
                           "mailtight certificate list says until when the present one is valid.",
                           work.domain),
        .error = true};
}

} // namespace

store::result<std::vector<watch_alarm>> standing_alarms(store::domain_store& kept, base::utc_seconds now,
                                                        std::chrono::seconds patience) {
    std::vector<watch_alarm> out;
    std::map<std::string, watch_notes> seen; // of two kinds of look the later judgement counts
    for (const auto* kind : {"watch", "glance"})
        if (auto done = each_noted(kept, kind,
                                   [&](const due_work& work) {
                                       auto notes = watch_notes::parse(work.domain, work.state);
                                       auto& known = seen[work.domain];
                                       if (notes.at > known.at)
                                           known = std::move(notes);
                                       else if (notes.at == known.at)
                                           add_missing(known.alarms, std::move(notes.alarms));
                                   });
            !done)
            return std::unexpected(done.error());
    for (auto& [domain, notes] : seen)
        for (auto& each : notes.alarms)
            out.push_back(std::move(each));
    if (auto done = each_noted(kept, "plan",
                               [&](const due_work& work) {
                                   if (auto one = of_plan(work, now, patience))
                                       out.push_back(std::move(*one));
                               });
        !done)
        return std::unexpected(done.error());
    if (auto done = each_noted(kept, "certificate",
                               [&](const due_work& work) {
                                   if (auto one = of_certificate(kept, work))
                                       out.push_back(std::move(*one));
                               });
        !done)
        return std::unexpected(done.error());
    return out;
}

} // namespace mailtight::publish
