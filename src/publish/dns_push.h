// SPDX-License-Identifier: Apache-2.0
// Bringing records into DNS: by dynamic update with prerequisites (nothing of others is touched, nothing is
// written over what changed meanwhile), or by a command of the operator's; then every authoritative server is
// asked. Lives on the loop.
#pragma once

#include "io/resolver.h"
#include "plan/plan.h"
#include "publish/delegated_zone.h"
#include "wire/dns_update.h"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::publish {

/// One server that takes updates.
struct update_server {
    std::string name; ///< of the entry in the configuration
    io::endpoint address;
    std::string zone; ///< "" : found by SOA
    std::optional<wire::tsig_key> key;
};

struct pushed {
    enum class fate {
        done,      ///< and every authoritative server that could be asked says so
        already,   ///< nothing to do
        spreading, ///< written; some servers still say the old
        stopped,   ///< something of others is in the way, or it changed meanwhile: nothing was written
        refused,   ///< by the server: `words` says what to do
        failed,    ///< not reached, timed out; may be tried again
    } what = fate::failed;
    std::string words;
    std::vector<model::server_answer> servers; ///< asked afterwards
};

/// What stands at a name on the server that takes the updates, and how to change it into what is wanted.
/// Pure: foreign records stay; a foreign record of the same kind (`v=STSv1`) stops it. The error says why.
std::expected<wire::dns_update, std::string> plan_update(const plan::record_change& wanted, std::string zone,
                                                         const std::vector<wire::update_record>& at_name);

class dns_pusher {
public:
    dns_pusher(io::loop& on, io::resolver& dns, const base::address_guard& guard,
               const base::clock& real_time, std::uint16_t dns_port, std::chrono::milliseconds timeout,
               std::chrono::milliseconds wait_for_others = std::chrono::seconds(30));
    ~dns_pusher();
    /// TCP, signed, all or nothing in each zone. Then every authoritative server is asked until it says the
    /// new, at most as long as `wait_for_others`. Doing it again does no harm.
    io::task<pushed> push(update_server to, std::vector<plan::record_change> changes);
    /// Runs `command` with the words of lego's exec provider (present|cleanup FQDN VALUE) or as our own
    /// (add|remove NAME TYPE TTL VALUE), one record at a time; killed after `timeout`. What comes is added
    /// before what it replaces goes. Of what the command says, the first bytes are told; of its own words
    /// only the program's name, since they may hold a secret. docs/dns-push.md
    struct hook {
        std::vector<std::string> command;
        enum class convention { own, lego_exec } how = convention::own;
        std::chrono::seconds timeout{120};
    };
    io::task<pushed> run_hook(hook with, std::vector<plan::record_change> changes);
    /// Asks every authoritative server of the zone, once, whether the records are as wanted: done, spreading,
    /// or failed where none could be asked.
    io::task<pushed> verify(std::vector<plan::record_change> wanted);
    struct state;

private:
    std::unique_ptr<state> state_;
};

} // namespace mailtight::publish
