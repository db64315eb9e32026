// SPDX-License-Identifier: Apache-2.0
// The socketmap protocol: `MAP KEY` in netstrings. Answered: every map name that stands for a dialect, and
// postfix-tlspol's further verbs with its framing (JSON, DUMP, EXPORT and PURGE answer with plain bytes, the
// last three then close), these only for who is on this machine. A map that nobody knows is told so and
// the connection stays open: the mail server that asks is misconfigured, not hostile. Bytes that are no
// netstring end the connection without a word: nobody can tell where the next question begins.
#include "base/ip.h"
#include "base/text.h"
#include "resolve/front.h"
#include "resolve/front_state.h"
#include "wire/netstring.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

namespace mailtight::resolve {

namespace {

/// Room for the map name before the longest key.
constexpr std::size_t frame_limit = request_limit + 256;

enum class verb { none, json, dump, export_all, purge };

verb verb_of(std::string_view name) {
    if (base::iequals(name, "JSON"))
        return verb::json;
    if (base::iequals(name, "DUMP"))
        return verb::dump;
    if (base::iequals(name, "EXPORT"))
        return verb::export_all;
    return base::iequals(name, "PURGE") ? verb::purge : verb::none;
}

bool on_this_machine(const io::peer& who) {
    return !who.address || base::not_global_because(who.address->address) == "loopback";
}

std::string permanent(std::string_view why) {
    return to_socketmap({reply::status::perm, reason_in_words(why, "")});
}

io::task<> answer_json(std::shared_ptr<front::state> shared, std::shared_ptr<answer_queue> queue,
                       std::uint64_t place, std::string key) {
    const auto begun = shared->loop.now();
    const shared_decision found = co_await shared->source->look_live(std::move(key));
    const std::chrono::duration<double> took = shared->loop.now() - begun;
    queue->arrived(place, to_tlspol_json(*found, shared->clock.now(), took.count()) + "\n");
}

io::task<> answer_purge(std::shared_ptr<front::state> shared, std::shared_ptr<answer_queue> queue,
                        std::uint64_t place) {
    co_await shared->source->purge();
    shared->repeats.clear();
    queue->arrived(place, "OK\n", true);
}

class socketmap_session final : public io::request_session {
public:
    socketmap_session(std::shared_ptr<front::state> shared, std::shared_ptr<io::request_link> link,
                      const io::peer& who)
        : shared_(std::move(shared))
        , queue_(std::make_shared<answer_queue>(std::move(link), shared_->options.pipeline))
        , trusted_(on_this_machine(who)) {}

    std::size_t received(std::string_view bytes, std::string& out) override {
        const auto now = shared_->clock.now();
        std::size_t used = 0;
        while (used < bytes.size() && !queue_->full() && !queue_->closing() && out.size() < enough_at_once) {
            const auto read = wire::read_netstring(bytes.substr(used), frame_limit);
            if (read.what == wire::netstring_read::state::partial)
                return used;
            if (read.what == wire::netstring_read::state::complete) {
                used += read.size;
                asked(read.payload, now, out);
            } else {
                queue_->give_last(read.what == wire::netstring_read::state::too_long
                                      ? permanent("the question is longer than 10000 bytes")
                                      : std::string(),
                                  out);
            }
        }
        return queue_->closing() ? bytes.size() : used;
    }

    bool idle() const override { return queue_->empty(); }

private:
    void asked(std::string_view payload, base::utc_seconds now, std::string& out) {
        if (repeat(*shared_, *queue_, {protocol::socketmap, payload, {}}, now, out))
            return;
        const std::size_t blank = payload.find(' ');
        const std::string_view name = payload.substr(0, blank);
        const std::string_view key = blank == payload.npos ? std::string_view{} : payload.substr(blank + 1);
        if (const auto d = shared_->dialect_named(name))
            look_up(*d, payload, key, now, out);
        else if (const verb what = verb_of(name); what != verb::none)
            obey(what, key, out);
        else
            queue_->give(
                permanent(fmt::format("there is no map '{}' here: its name, the last word of the table, is "
                                      "postfix, postfix-legacy, postfix-3.10, sts, QUERY, QUERYwithTLSRPT or "
                                      "one of resolve.map-names",
                                      base::printable(name, 40))),
                out);
    }

    void look_up(dialect d, std::string_view payload, std::string_view key, base::utc_seconds now,
                 std::string& out) {
        if (key.size() > request_limit) {
            queue_->give(permanent("the key is longer than 10000 bytes"), out);
            return;
        }
        answer(shared_, queue_, {protocol::socketmap, payload, key}, now, out,
               [d, replies = shared_->options.replies](const tls_decision& found) {
                   return to_socketmap(render(d, found, replies));
               });
    }

    void obey(verb what, std::string_view key, std::string& out) {
        if (!trusted_) {
            queue_->give_last(permanent("only for clients on this machine"), out);
            return;
        }
        switch (what) {
        case verb::json:
            if (key.empty() || key.size() > request_limit)
                queue_->give(to_socketmap({}), out);
            else
                shared_->loop.spawn(answer_json(shared_, queue_, queue_->later(), std::string(key)));
            break;
        case verb::dump:
            shared_->loop.spawn(list_policies(shared_, queue_, queue_->later_and_last(), listing::dump));
            break;
        case verb::export_all:
            shared_->loop.spawn(
                list_policies(shared_, queue_, queue_->later_and_last(), listing::export_all));
            break;
        case verb::purge:
            shared_->loop.spawn(answer_purge(shared_, queue_, queue_->later_and_last()));
            break;
        case verb::none:
            break;
        }
    }

    std::shared_ptr<front::state> shared_;
    std::shared_ptr<answer_queue> queue_;
    bool trusted_;
};

} // namespace

io::make_session front::socketmap() {
    return [shared = state_](std::shared_ptr<io::request_link> link, const io::peer& who) {
        return std::unique_ptr<io::request_session>(
            std::make_unique<socketmap_session>(shared, std::move(link), who));
    };
}

} // namespace mailtight::resolve
