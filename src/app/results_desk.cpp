// SPDX-License-Identifier: Apache-2.0
#include "app/results_desk.h"

namespace mailtight::app {

results_desk::results_desk(io::loop& on, const base::clock& days, open_results_fn open)
    : days_(days)
    , open_(std::move(open))
    , worker_(on, "outbox") {}

template<class T>
io::task<store::result<T>> results_desk::ask(std::function<store::result<T>(store::result_store&)> question) {
    return worker_.run<store::result<T>>([this, question = std::move(question)]() -> store::result<T> {
        if (!store_) {
            auto opened = open_();
            if (!opened)
                return std::unexpected(opened.error());
            store_ = std::move(*opened);
        }
        auto answer = question(*store_);
        if (!answer && answer.error().again())
            store_.reset();
        return answer;
    });
}

io::task<store::result<std::vector<model::outgoing_report>>>
results_desk::list(store::result_store::outbox_question which) {
    return ask<std::vector<model::outgoing_report>>(
        [which = std::move(which)](store::result_store& from) { return from.outbox(which); });
}

io::task<store::result<std::optional<model::outgoing_report>>> results_desk::report(std::int64_t number) {
    return ask<std::optional<model::outgoing_report>>(
        [number](store::result_store& from) { return from.report(number); });
}

io::task<store::result<std::vector<store::suppressed_address>>> results_desk::suppressed() {
    return ask<std::vector<store::suppressed_address>>(
        [](store::result_store& from) { return from.suppressed(); });
}

io::task<store::result<void>> results_desk::suppress(store::suppressed_address value) {
    return ask<void>([value = std::move(value)](store::result_store& to) { return to.suppress(value); });
}

io::task<store::result<bool>> results_desk::allow_again(std::string who) {
    return ask<bool>([who = std::move(who)](store::result_store& to) { return to.allow_again(who); });
}

io::task<store::result<deliver::sender::day_result>> results_desk::send_day(std::chrono::sys_days day) {
    return sender_->send_day(day);
}

io::task<store::result<bool>> results_desk::expire(std::chrono::sys_days before) {
    return ask<bool>([before](store::result_store& in) { return in.expire(before); });
}

} // namespace mailtight::app
