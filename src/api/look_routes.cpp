// SPDX-License-Identifier: Apache-2.0
// A look at a domain now, told stage by stage.
#include "api/look_desk.h"
#include "api/reply_with.h"
#include "api/route.h"

#include "base/text.h"

#include <boost/json.hpp>

namespace mailtight::api {

namespace {

using namespace std::chrono_literals;

/// So often the stream says that it is alive, and learns that its client is not.
constexpr auto beat = 1'000ms;

wire::http_reply failed() {
    return wire::problem(500, "", "the look ended by a fault of this program; its log says more");
}

boost::json::object document(const shared_look::told& of) {
    return {{"stage", to_string(of.stage.what)},
            {"state", of.stage.done ? "done" : "begun"},
            {"subject", base::printable(of.stage.subject)},
            {"words", base::printable(of.stage.words)},
            {"elapsed_ms", of.at.count()}};
}

io::task<wire::http_reply> look(context& with, call asked) {
    auto found = with.looks->at(asked.item, asked.by);
    if (!found)
        co_return std::move(found.error());
    const shared_look::listener here(*found);
    while (!(*found)->done())
        co_await (*found)->wait(beat);
    co_return (*found)->document() ? json_reply(*(*found)->document()) : failed();
}

io::task<> stream_look(context& with, call asked, io::event_stream& into) {
    auto found = with.looks->at(asked.item, asked.by);
    if (!found) {
        co_await into.send("failed", found.error().body);
        co_return;
    }
    const shared_look::listener here(*found);
    const auto& of = **found;
    for (std::size_t told = 0;;) {
        const bool whole = of.done(); // nothing is added then
        for (; told < of.stages().size(); ++told)
            if (!co_await into.send("stage", boost::json::serialize(document(of.stages()[told]))))
                co_return;
        if (whole)
            break;
        co_await of.wait(beat);
        if (told == of.stages().size() && !of.done() && !co_await into.keep_alive())
            co_return;
    }
    if (of.document())
        co_await into.send("check", boost::json::serialize(*of.document()));
    else
        co_await into.send("failed", failed().body);
}

} // namespace

std::vector<route> look_routes() {
    return {
        {.method = "GET",
         .path = "/look/{domain}",
         .operation = "look",
         .summary = "A look at a domain now",
         .description =
             "What `check --json` says. Takes as long as the slowest of the domain's servers. With Accept: "
             "text/event-stream it is told as it goes: events named stage, then one named check with the "
             "document, or one named failed with a problem. Who asks for a domain that was looked at within "
             "the last minute is given that look; few are taken at once.",
         .answer = "check",
         .problems = {422, 429, 500},
         .tenants = true,
         .handle = look,
         .stream = stream_look},
    };
}

} // namespace mailtight::api
