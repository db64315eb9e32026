// SPDX-License-Identifier: Apache-2.0
// What the sessions of a front share, and the order of the answers on one connection. The room's own.
#pragma once

#include "resolve/front.h"
#include "resolve/repeat_table.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace mailtight::resolve {

/// Replies are long and questions short: after so much a session waits until the client took it.
inline constexpr std::size_t enough_at_once = 128 * 1024;

enum class protocol : std::uint8_t { socketmap, tcp_table, lines };

struct front::state {
    io::loop& loop;
    std::shared_ptr<policy_source> source;
    const base::clock& clock;
    front_options options;
    repeat_table repeats;

    std::optional<dialect> dialect_named(std::string_view map_name) const;
};

/// The answers of one connection, in the order of its questions. Shared by the session and the look-ups under
/// way, which may outlive it.
class answer_queue {
public:
    answer_queue(std::shared_ptr<io::request_link> link, std::size_t limit)
        : link_(std::move(link))
        , limit_(limit == 0 ? 1 : limit) {}

    bool empty() const { return waiting_.empty(); }
    bool full() const { return waiting_.size() >= limit_; }
    /// Nothing more is read: the answer that ends the connection is given or waits for its turn.
    bool closing() const { return closing_; }

    /// An answer that is there. Into `out` where nothing waits before it.
    void give(std::string_view bytes, std::string& out);
    /// The same, and the connection ends after it.
    void give_last(std::string_view bytes, std::string& out);
    /// A place for an answer that comes later.
    std::uint64_t later();
    /// A place for the answer that ends the connection: nothing more is read.
    std::uint64_t later_and_last() {
        closing_ = true;
        return later();
    }
    void arrived(std::uint64_t place, std::string bytes, bool last = false);
    /// The beginning of an answer of which arrived() gives the end.
    void part(std::uint64_t place, std::string_view bytes);
    /// Somebody still listens.
    bool open() const { return link_->open(); }
    /// Outside of received().
    void send(std::string_view bytes) {
        if (!bytes.empty())
            link_->send(bytes);
    }

private:
    struct slot {
        bool there = false, last = false;
        std::string bytes;
    };
    void wait(slot one);

    std::shared_ptr<io::request_link> link_;
    std::size_t limit_;
    std::deque<slot> waiting_;
    std::uint64_t first_ = 0; ///< the number of waiting_.front()
    bool closing_ = false;
    bool held_up_ = false; ///< was full: the session has to be told when it is not any more
};

/// A question of one of the protocols: answered from what is ready, from what is known, or later.
struct question {
    protocol in = protocol::socketmap;
    std::string_view bytes; ///< as asked: what is repeated is found by it
    std::string_view key;   ///< for the service
};
/// What of the destination it asks about: only the line protocol asks piecemeal.
asked_about about(protocol in, std::string_view bytes);
using phrasing = std::function<std::string(const tls_decision&)>;
/// True where the answer was ready to be given again.
bool repeat(front::state& shared, answer_queue& queue, const question& asked, base::utc_seconds now,
            std::string& out);
void answer(const std::shared_ptr<front::state>& shared, const std::shared_ptr<answer_queue>& queue,
            const question& asked, base::utc_seconds now, std::string& out, phrasing phrase);

/// postfix-tlspol's DUMP and EXPORT: the policies that are enforced, a line each; then the connection ends.
enum class listing { dump, export_all };
io::task<> list_policies(std::shared_ptr<front::state> shared, std::shared_ptr<answer_queue> queue,
                         std::uint64_t place, listing what);

} // namespace mailtight::resolve
