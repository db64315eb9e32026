// SPDX-License-Identifier: Apache-2.0
// The line protocol of reply_lines.cpp as a session. Exim closes its side behind the question, with or
// without a line end; both are answered.
#include "base/text.h"
#include "resolve/front.h"
#include "resolve/front_state.h"

#include <fmt/format.h>

#include <utility>

namespace mailtight::resolve {

namespace {

/// Takes the next word off the front.
std::string_view next_word(std::string_view& rest) {
    rest = base::trim(rest);
    const std::size_t end = rest.find_first_of(" \t");
    const std::string_view word = rest.substr(0, end);
    rest = end == rest.npos ? std::string_view{} : base::trim(rest.substr(end));
    return word;
}

std::string error(std::string_view why) {
    return fmt::format("error {}\n", reason_in_words(why, ""));
}

class line_session final : public io::request_session {
public:
    line_session(std::shared_ptr<front::state> shared, std::shared_ptr<io::request_link> link)
        : shared_(std::move(shared))
        , queue_(std::make_shared<answer_queue>(std::move(link), shared_->options.pipeline)) {}

    std::size_t received(std::string_view bytes, std::string& out) override {
        if (answered_)
            return bytes.size();
        const auto now = shared_->clock.now();
        std::size_t used = 0;
        tail_.clear();
        while (used < bytes.size() && !queue_->full() && !queue_->closing() && out.size() < enough_at_once) {
            const std::size_t end = bytes.find('\n', used);
            const std::size_t length = (end == bytes.npos ? bytes.size() : end) - used;
            if (length > request_limit) {
                queue_->give_last(error("the question is longer than 10000 bytes"), out);
                break;
            }
            if (end == bytes.npos)
                break;
            asked(bytes.substr(used, length), now, out);
            used = end + 1;
        }
        if (queue_->closing())
            return bytes.size();
        if (!ended_ || queue_->full()) {
            tail_ = bytes.substr(used);
            return used;
        }
        if (bytes.find('\n', used) != bytes.npos) // enough for now
            return used;
        answered_ = true;
        if (used < bytes.size()) // no line end comes any more
            asked(bytes.substr(used), now, out);
        return bytes.size();
    }

    void ended() override {
        ended_ = true;
        // Whole lines that wait, for room or for the client, come by received().
        if (queue_->closing() || queue_->full() || tail_.empty() || tail_.find('\n') != tail_.npos)
            return;
        answered_ = true;
        std::string out;
        asked(std::exchange(tail_, {}), shared_->clock.now(), out);
        queue_->send(out);
    }

    bool idle() const override { return queue_->empty(); }

private:
    void asked(std::string_view line, base::utc_seconds now, std::string& out) {
        if (line.ends_with('\r'))
            line.remove_suffix(1);
        if (repeat(*shared_, *queue_, {protocol::lines, line, {}}, now, out))
            return;
        std::string_view rest = line;
        const std::string_view command = next_word(rest);
        const std::string_view key = next_word(rest);
        if (key.empty())
            queue_->give(error("ask POLICY domain, MX domain host or FAILED domain words"), out);
        else if (base::iequals(command, "POLICY"))
            answer(shared_, queue_, {protocol::lines, line, key}, now, out,
                   [replies = shared_->options.replies](const tls_decision& found) {
                       return to_exim_policy(found, replies) + "\n";
                   });
        else if (base::iequals(command, "MX"))
            host(line, key, next_word(rest), now, out);
        else if (base::iequals(command, "FAILED")) // 8461-5-d
            queue_->give(
                shared_->source->delivery_failed(key, reason_in_words(rest, "reported by a mail server"))
                    ? "looking\n"
                    : "too-soon\n",
                out);
        else
            queue_->give(error(fmt::format("there is no command {}; ask POLICY, MX or FAILED",
                                           base::printable(command, 40))),
                         out);
    }

    void host(std::string_view line, std::string_view key, std::string_view name, base::utc_seconds now,
              std::string& out) {
        if (name.empty()) {
            queue_->give(error("ask MX domain host"), out);
            return;
        }
        answer(shared_, queue_, {protocol::lines, line, key}, now, out,
               [name = std::string(name), replies = shared_->options.replies](const tls_decision& found) {
                   return to_exim_mx(found, name, replies) + "\n";
               });
    }

    std::shared_ptr<front::state> shared_;
    std::shared_ptr<answer_queue> queue_;
    std::string tail_; ///< a question whose line end did not come yet
    bool ended_ = false;
    bool answered_ = false; ///< the question without a line end, which the connection still keeps
};

} // namespace

asked_about about(protocol in, std::string_view bytes) {
    if (in != protocol::lines)
        return {};
    if (!base::iequals(next_word(bytes), "MX"))
        return {.what = asked_about::kind::route, .host = {}};
    next_word(bytes);
    return {.what = asked_about::kind::mx_host, .host = next_word(bytes)};
}

io::make_session front::lines() {
    return [shared = state_](std::shared_ptr<io::request_link> link, const io::peer&) {
        return std::unique_ptr<io::request_session>(std::make_unique<line_session>(shared, std::move(link)));
    };
}

} // namespace mailtight::resolve
