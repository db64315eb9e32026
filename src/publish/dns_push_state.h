// SPDX-License-Identifier: Apache-2.0
// What the parts of the pusher share: dns_push.cpp (updates), dns_verify.cpp (every server asked),
// dns_hook.cpp (a command).
#pragma once

#include "io/worker.h"
#include "publish/dns_push.h"
#include "publish/plan_update.h"

#include <optional>

namespace mailtight::publish {

struct dns_pusher::state {
    io::loop& loop;
    io::resolver& dns;
    const base::address_guard& guard;
    const base::clock& clock;
    std::uint16_t port;
    std::chrono::milliseconds timeout, wait_for_others;
    std::optional<io::worker> programs; ///< made with the first hook

    /// What one server says of one change.
    struct said {
        std::size_t change = 0;
        bool through_alias = false; ///< the name is an alias, and its target was asked for
        model::server_answer answer;
        bool answered() const { return answer.status == model::dns_status::ok || absent(); }
        bool absent() const {
            return answer.status == model::dns_status::no_data ||
                   answer.status == model::dns_status::nx_domain;
        }
    };
    struct round {
        std::vector<said> all;
        std::string fault; ///< why the servers of a zone are not known
    };
    /// Asks every authoritative server for every change, once.
    io::task<round> look_around(const std::vector<plan::record_change>& wanted);
    /// Until they all say the new, or for as long as others are waited for.
    io::task<pushed> wait_until_seen(std::vector<plan::record_change> wanted);
};

/// Whether this server says what is wanted.
bool says_wanted(const dns_pusher::state::said& by, const plan::record_change& wanted);
/// done, spreading, or failed where none could be asked.
pushed judge_round(const dns_pusher::state::round& round, const std::vector<plan::record_change>& wanted);

} // namespace mailtight::publish
