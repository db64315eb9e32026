// SPDX-License-Identifier: Apache-2.0
#include "io/dns_automatic.h"

#include <algorithm>

namespace mailtight::io {

dns_automatic::dns_automatic(loop& on, std::vector<endpoint> servers, std::chrono::milliseconds timeout,
                             std::unique_ptr<dns_backend> validating)
    : loop_(on)
    , timeout_(timeout)
    , plain_(on, std::move(servers), timeout, dns_forwarder::trust::nothing)
    , validating_(std::move(validating))
    , decided_(on) {}

task<bool> dns_automatic::servers_strip() {
    const wire::dns_query_options options{.dnssec_ok = true, .checking_disabled = true};
    const auto event = co_await plain_.ask_any({"", wire::dns_type::dnskey}, options, loop_.now() + timeout_);
    // Silence and errors prove nothing: then the validating way tells what is wrong.
    if (event.what != dns_event::kind::answered || event.message->rcode != wire::dns_rcode::no_error)
        co_return false;
    co_return std::ranges::none_of(event.message->answers, [](const wire::dns_record& record) {
        const auto* signature = std::get_if<wire::dns_rrsig>(&record.data);
        return signature && signature->covers == wire::dns_type::dnskey;
    });
}

task<> dns_automatic::decide() {
    if (state_ == state::undecided) {
        state_ = state::deciding;
        stripped_ = co_await servers_strip();
        state_ = state::decided;
        decided_.set();
    }
    co_await decided_;
}

task<dns_lookup> dns_automatic::ask(wire::dns_question question) {
    if (state_ != state::decided)
        co_await decide();
    if (stripped_)
        co_return co_await plain_.ask(std::move(question));
    co_return co_await validating_->ask(std::move(question));
}

std::string dns_automatic::description() const {
    return stripped_ ? plain_.description() + ", since it strips the signatures of DNSSEC"
                     : validating_->description();
}

} // namespace mailtight::io
