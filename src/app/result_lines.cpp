// SPDX-License-Identifier: Apache-2.0
#include "app/result_lines.h"

#include "base/text.h"

#include <boost/json.hpp>

#include <algorithm>
#include <utility>

namespace mailtight::app {

namespace {

constexpr std::size_t refusals_shown = 20;

/// What is owed to one client. Outlives its session while an answer is under way.
struct account {
    explicit account(const api::result_sink& into)
        : to(into) {}
    const api::result_sink& to;
    std::shared_ptr<io::request_link> link;
    tally::event_reader reader;
    std::uint64_t line = 0, taken = 0, refused = 0;
    boost::json::array errors;
    bool owes = false;

    void take(std::string_view text) {
        ++line;
        text = base::trim(text);
        if (text.empty())
            return;
        if (auto told = reader.read(text)) {
            ++taken;
            to.take(*told);
        } else {
            ++refused;
            to.refused(told.error());
            if (errors.size() < refusals_shown)
                errors.push_back(boost::json::object{{"line", line},
                                                     {"code", tally::to_string(told.error().code)},
                                                     {"where", base::printable(told.error().where, 200)},
                                                     {"words", base::printable(told.error().words, 500)}});
        }
    }
    std::string answer(const store::result<void>& written) {
        boost::json::object out{{"taken", std::exchange(taken, 0)},
                                {"refused", std::exchange(refused, 0)},
                                {"errors", std::exchange(errors, {})},
                                {"durable", written.has_value()}};
        if (!written)
            out["trouble"] = base::printable(written.error().message, 500);
        return boost::json::serialize(out) + "\n";
    }
};

io::task<> answer_later(std::shared_ptr<account> of) {
    const auto written = co_await of->to.written();
    of->link->send(of->answer(written));
    of->owes = false;
    of->link->read_on(); // what came behind the flush
}

class line_session final : public io::request_session {
public:
    line_session(io::loop& on, const api::result_sink& to, std::shared_ptr<io::request_link> link)
        : loop_(on)
        , account_(std::make_shared<account>(to)) {
        account_->link = std::move(link);
    }
    std::size_t received(std::string_view bytes, std::string&) override {
        std::size_t used = 0,
                    begun = tail_.size(); // a long line may come byte by byte: each is looked at once
        while (!account_->owes && used < bytes.size()) {
            const auto end = bytes.find('\n', std::max(used, begun));
            if (end == std::string_view::npos && !ended_)
                break;
            take(bytes.substr(used, end == std::string_view::npos ? end : end - used));
            used = end == std::string_view::npos ? bytes.size() : end + 1;
        }
        if (used > 0 || account_->owes) {
            tail_.clear();
            begun = 0;
        }
        if (!account_->owes)
            tail_ += bytes.substr(used + begun);
        return used;
    }
    void ended() override {
        ended_ = true;
        if (!tail_.empty()) // the last line may lack its end
            take(std::exchange(tail_, {}));
    }
    bool idle() const override { return !account_->owes; }

private:
    void take(std::string_view line) {
        if (base::trim(line) != "flush") {
            account_->take(line);
            return;
        }
        ++account_->line;
        account_->owes = true;
        loop_.spawn(answer_later(account_));
    }

    io::loop& loop_;
    std::shared_ptr<account> account_;
    std::string tail_; ///< of the bytes that wait: the line that has no end yet
    bool ended_ = false;
};

} // namespace

io::make_session result_lines(io::loop& on, const api::result_sink& to) {
    return [&on, &to](std::shared_ptr<io::request_link> link, const io::peer&) {
        return std::make_unique<line_session>(on, to, std::move(link));
    };
}

} // namespace mailtight::app
