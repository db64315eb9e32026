// SPDX-License-Identifier: Apache-2.0
// Asks recursive resolvers and believes their AD bit. Sockets are kept in a pool, rotated and retired, so
// that neither port nor id can be guessed for long. The loop's thread only.
#pragma once

#include "io/dns_channel.h"
#include "io/dns_lookup.h"
#include "io/dns_window.h"

namespace mailtight::io {

class dns_forwarder final : public dns_backend {
public:
    /// What the servers' AD bit is worth.
    enum class trust { validation, nothing };
    dns_forwarder(loop& on, std::vector<endpoint> servers, std::chrono::milliseconds timeout,
                  trust in = trust::validation);
    task<dns_lookup> ask(wire::dns_question question) override;
    std::string description() const override;

    /// Asks one question once around the servers, with retries, and TCP where truncated.
    task<dns_event> ask_any(wire::dns_question question, wire::dns_query_options options,
                            loop::time_point deadline);

private:
    struct server {
        endpoint at;
        std::vector<std::shared_ptr<dns_channel>> channels;
        std::size_t next = 0;
        bool folds_case = false; ///< or stands on this machine, where nobody forges
    };
    std::shared_ptr<dns_channel> channel_to(server& to);
    std::optional<dns_channel::sent> send(std::size_t index, const wire::dns_question& question,
                                          wire::dns_query_options options, dns_waiter& waiter);
    task<dns_event> over_tcp(std::size_t index, wire::dns_question question, wire::dns_query_options options,
                             loop::time_point deadline);
    task<bool> only_validation_fails(wire::dns_question question, loop::time_point deadline);
    task<dns_lookup> ask_chain(wire::dns_question question);
    task<> judge_failure(dns_lookup& into, const wire::dns_message& message, wire::dns_question question,
                         loop::time_point deadline);

    loop& loop_;
    std::vector<server> servers_;
    std::chrono::milliseconds timeout_;
    trust trust_;
    std::size_t preferred_ = 0; ///< the server that answered last
    semaphore tcp_;
    dns_window window_;
};

} // namespace mailtight::io
