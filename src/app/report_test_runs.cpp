// SPDX-License-Identifier: Apache-2.0
#include "app/report_test_runs.h"

#include "app/daemon_core.h"
#include "app/outgoing.h"
#include "app/report_test.h"

#include <algorithm>
#include <utility>

namespace mailtight::app {

namespace {
using namespace std::chrono_literals;
} // namespace

report_test_runs::report_test_runs(daemon_core& core)
    : core_(core) {}

io::task<> report_test_runs::send(std::shared_ptr<report_test_runs> self, std::shared_ptr<run> one) {
    auto& core = self->core_;
    const auto record = co_await core.with->dns->txt("_smtp._tls." + one->seen.domain);
    const auto judged = tlsrpt::judge_rrset(record.texts);
    if (model::is_dns_error(record.status)) {
        one->seen.trouble =
            "the TLSRPT record could not be looked up: " + std::string(model::to_string(record.status));
    } else if (judged.result != tlsrpt::rrset_judgement::outcome::valid || !judged.judgement.value) {
        one->seen.trouble = "there is no TLSRPT record that a sender could use, so no report would be sent";
    } else {
        const auto rua = judged.judgement.value->rua;
        for (std::size_t i = 0; i < std::min(rua.size(), addresses); ++i) {
            auto done = co_await send_test(*core.with, core.set, one->seen.domain, rua[i]);
            one->tokens.push_back(done.token);
            one->seen.sent.push_back({.to = std::move(done.rua),
                                      .ok = done.sent,
                                      .server = std::move(done.server),
                                      .stage = std::move(done.stage),
                                      .words = std::move(done.words),
                                      .arrived = {}});
        }
    }
    one->seen.finished = true;
    --self->under_way_;
    for (const auto& each : core.parts)
        each->poll_now();
}

io::task<std::optional<api::report_test>> report_test_runs::begin(std::shared_ptr<report_test_runs> self,
                                                                  std::string domain) {
    const bool same = std::ranges::any_of(self->runs_, [&](const auto& each) {
        return each.second->seen.domain == domain && !each.second->seen.finished;
    });
    if (same || self->under_way_ >= at_once)
        co_return std::nullopt;
    auto& loop = self->core_.loop();
    auto one = std::make_shared<run>();
    one->seen.token = random_token();
    one->seen.domain = std::move(domain);
    self->runs_[one->seen.token] = one;
    self->order_.push_back(one->seen.token);
    if (self->order_.size() > kept) {
        self->runs_.erase(self->order_.front());
        self->order_.erase(self->order_.begin());
    }
    ++self->under_way_;
    loop.spawn(send(self, one));
    for (const auto until = loop.now() + answered_after; !one->seen.finished && loop.now() < until;)
        co_await loop.sleep_for(50ms);
    co_return one->seen;
}

io::task<store::result<std::optional<api::report_test>>>
report_test_runs::look(std::shared_ptr<report_test_runs> self, std::string token) {
    using seen = std::optional<api::report_test>;
    const auto found = self->runs_.find(token);
    if (found == self->runs_.end())
        co_return seen();
    const auto one = found->second;
    using numbers = std::vector<std::optional<store::report_number>>;
    const auto arrived = co_await self->core_.ask<numbers>(
        [tokens = one->tokens](store::store& from) -> store::result<numbers> {
            numbers all;
            for (const auto& each : tokens) {
                auto number = from.find_test(each);
                if (!number)
                    return std::unexpected(number.error());
                all.push_back(*number);
            }
            return all;
        });
    if (!arrived)
        co_return std::unexpected(arrived.error());
    for (std::size_t i = 0; i < arrived->size(); ++i)
        if ((*arrived)[i])
            one->seen.sent[i].arrived = (*arrived)[i];
    co_return one->seen;
}

} // namespace mailtight::app
