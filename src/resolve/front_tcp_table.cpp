// SPDX-License-Identifier: Apache-2.0
// Postfix's tcp_table: one dialect for all keys. 200 is the policy, 500 means that there is none, 400 that
// the question cannot be answered now (the mail waits); `put` is refused, tables are not written this way.
#include "resolve/front.h"
#include "resolve/front_state.h"
#include "wire/tcp_table.h"

#include <utility>

namespace mailtight::resolve {

namespace {

std::string in_tcp_table(const reply& said) {
    switch (said.what) {
    case reply::status::ok:
        return wire::tcp_table_reply(200, said.text);
    case reply::status::not_found:
        return wire::tcp_table_reply(500, "not found");
    case reply::status::temp:
    case reply::status::perm:
        break;
    }
    return wire::tcp_table_reply(400, said.text);
}

class tcp_table_session final : public io::request_session {
public:
    tcp_table_session(std::shared_ptr<front::state> shared, std::shared_ptr<io::request_link> link)
        : shared_(std::move(shared))
        , queue_(std::make_shared<answer_queue>(std::move(link), shared_->options.pipeline)) {}

    std::size_t received(std::string_view bytes, std::string& out) override {
        const auto now = shared_->clock.now();
        std::size_t used = 0;
        while (used < bytes.size() && !queue_->full() && !queue_->closing() && out.size() < enough_at_once) {
            const std::size_t end = bytes.find('\n', used);
            const std::size_t length = (end == bytes.npos ? bytes.size() : end) - used;
            if (length > request_limit) {
                queue_->give_last(wire::tcp_table_reply(400, "the question is longer than 10000 bytes"), out);
                break;
            }
            if (end == bytes.npos)
                return used;
            asked(bytes.substr(used, length), now, out);
            used = end + 1;
        }
        return queue_->closing() ? bytes.size() : used;
    }

    bool idle() const override { return queue_->empty(); }

private:
    void asked(std::string_view line, base::utc_seconds now, std::string& out) {
        if (line.ends_with('\r'))
            line.remove_suffix(1);
        if (repeat(*shared_, *queue_, {protocol::tcp_table, line, {}}, now, out))
            return;
        const auto request = wire::read_tcp_table_request(line);
        switch (request.what) {
        case wire::tcp_table_request::kind::get:
            answer(shared_, queue_, {protocol::tcp_table, line, request.key}, now, out,
                   [d = shared_->options.tcp_table, replies = shared_->options.replies](
                       const tls_decision& found) { return in_tcp_table(render(d, found, replies)); });
            break;
        case wire::tcp_table_request::kind::put:
            queue_->give(wire::tcp_table_reply(500, "put is not supported"), out);
            break;
        case wire::tcp_table_request::kind::broken:
            queue_->give(wire::tcp_table_reply(400, "the question is no tcp_table request"), out);
            break;
        }
    }

    std::shared_ptr<front::state> shared_;
    std::shared_ptr<answer_queue> queue_;
};

} // namespace

io::make_session front::tcp_table() {
    return [shared = state_](std::shared_ptr<io::request_link> link, const io::peer&) {
        return std::unique_ptr<io::request_session>(
            std::make_unique<tcp_table_session>(shared, std::move(link)));
    };
}

} // namespace mailtight::resolve
