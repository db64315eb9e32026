// SPDX-License-Identifier: Apache-2.0
#include "app/plan_bench.h"

#include "app/control_client.h"
#include "app/domain_access.h"
#include "app/policy_time.h"
#include "app/report_domains.h"
#include "app/sending.h"
#include "app/store_access.h"
#include "base/text.h"
#include "sts/policy.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace mailtight::app {

namespace {

std::string text_of(const boost::json::object& from, std::string_view key) {
    const auto* value = from.if_contains(key);
    return value && value->is_string() ? std::string(value->as_string()) : std::string();
}

/// Senders are told to enforce, today.
bool enforces(const plan::situation& seen) {
    if (seen.sts.state != plan::record_seen::what::one || !seen.policy)
        return false;
    const auto policy = sts::parse_policy(*seen.policy);
    return policy && policy->mode == sts::mode::enforce;
}

} // namespace

base::utc_seconds plan_bench::bench_clock::now() const {
    return base::system_clock().now() + ahead;
}

std::expected<std::unique_ptr<plan_bench>, bench_error> plan_bench::make(const common_options& common,
                                                                         bool change) {
    std::unique_ptr<plan_bench> made(new plan_bench);
    made->common_ = &common;
    auto say = publish_settings_of(common.set);
    if (!say)
        return std::unexpected(bench_error{wrong_usage, say.error()});
    made->say_ = std::move(*say);
    auto with = world::make(common.set, {});
    if (!with)
        return std::unexpected(bench_error{wrong_usage, with.error()});
    made->with_ = std::move(*with);
    if (change) {
        auto kept = open_domains_to_change(common.set);
        if (!kept)
            return std::unexpected(bench_error{not_done, kept.error()});
        made->kept_ = std::move(*kept);
    } else {
        made->kept_ = open_domains_if_there(common.set);
    }
    made->clock_.ahead = policy_now(common.set) - base::system_clock().now();
    if (made->clock_.ahead < std::chrono::seconds(5)) // the shipped program has one clock
        made->clock_.ahead = policy_time().ahead();
    made->worker_ = std::make_unique<io::worker>(made->with_->loop, "store");
    made->hands_ = std::make_unique<publish_hands>(publish_needs{
        .with = *made->with_,
        .set = common.set,
        .say = made->say_,
        .store_thread = *made->worker_,
        .policy_time = made->clock_,
        .report_addresses = [set = &common.set](const std::string& domain) -> std::vector<std::string> {
            const auto from = open_if_there(*set);
            auto ours = from ? from->domains() : store::result<std::vector<store::own_domain>>{};
            if (!ours)
                return {};
            const auto found = std::ranges::find(*ours, domain, &store::own_domain::name);
            return found == ours->end() ? std::vector<std::string>{} : report_addresses(*set, *found);
        },
        .kept = made->kept_.get()});
    return made;
}

plan_bench::~plan_bench() = default;

std::expected<std::optional<model::looked_after>, std::string> plan_bench::find(const std::string& domain) {
    if (!kept_)
        return std::optional<model::looked_after>{};
    auto found = kept_->find(domain);
    if (!found)
        return std::unexpected(words(found.error()));
    return std::move(*found);
}

std::expected<plan_bench::planned, std::string> plan_bench::plan_for(const model::looked_after& wish,
                                                                     progress_line& line) {
    planning_needs needs{.hands = *hands_,
                         .store_thread = *worker_,
                         .kept = kept_.get(),
                         .policy_time = clock_,
                         .certificate_here = {}};
    if (!common_->set.certificate_folder.empty()) // the daemon knows it from serving
        needs.certificate_here = [set = &common_->set](const std::string& domain) {
            return certificate_in_folder(*set, domain);
        };
    line.show(fmt::format("looking at {}…", wish.domain));
    auto out = with_->loop.block_on(
        app::plan_for(std::move(needs), wish,
                      [&line](const std::string& name, const std::string& stage, const std::string& words) {
                          line.show(fmt::format("{} · {}: {}", name, stage, words));
                      }));
    line.clear();
    return out;
}

std::expected<plan_bench::planned, std::string> plan_bench::plan_onwards(model::looked_after wish,
                                                                         progress_line& line) {
    auto out = plan_for(wish, line);
    if (out && enforces(out->look.told.seen)) {
        wish.aim = model::aim::enforce;
        out->next = plan_again(wish, *out);
    }
    return out;
}

plan::plan plan_bench::plan_again(const model::looked_after& wish, const planned& before) {
    return app::plan_again(wish, before, now());
}

std::expected<plan_bench::carried_out, bench_error> plan_bench::carry_out(const std::string& domain,
                                                                          progress_line& line) {
    carried_out out;
    line.show(fmt::format("{}: the next step…", domain));
    const auto told =
        call_daemon(with_->loop, common_->set, "/carry",
                    boost::json::serialize(boost::json::object{
                        {"domain", domain}, {"width", terminal_width()}, {"colour", stdout_colour()}}),
                    "POST");
    if (told && told->is_object()) {
        const auto& answer = told->as_object();
        out.by_daemon = true;
        out.did = text_of(answer, "did");
        out.failed = text_of(answer, "failed");
        const auto* busy = answer.if_contains("busy");
        out.busy = busy && busy->is_bool() && busy->as_bool();
        out.text = text_of(answer, "text");
        if (const auto* plan = answer.if_contains("plan"))
            out.json = boost::json::serialize(*plan);
        line.clear();
        return out;
    }
    if (!told && told.error().what == control_error::kind::refused)
        return std::unexpected(bench_error{not_done, told.error().message});
    if (!told && told.error().what == control_error::kind::broken && told.error().status != 404)
        return std::unexpected(bench_error{not_done, told.error().message});
    if (!kept_)
        return std::unexpected(bench_error{not_done, "there is no store yet"});
    auto hands = hands_->all();
    hands.get_certificate = [](store::due_work&, std::string) -> io::task<publish::done_by_hand> {
        co_return publish::done_by_hand{
            .ok = false,
            .words = "certificates are the daemon's work: mailtight serve with [publish] and [certificates]",
            .again = {}};
    };
    publish::carrier_options options;
    options.machine = "command on " + machine_name_of(common_->set);
    publish::carrier carrier(with_->loop, *worker_, *kept_, std::move(hands), clock_, std::move(options), {});
    auto done = with_->loop.block_on(carrier.go(domain, true, person()));
    line.clear();
    out.next = std::move(done.plan);
    out.did = std::move(done.did);
    out.failed = std::move(done.failed);
    out.busy = done.busy;
    return out;
}

} // namespace mailtight::app
