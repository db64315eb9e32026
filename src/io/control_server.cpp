// SPDX-License-Identifier: Apache-2.0
// Entries: control_server and is_operator. Rights are asked of the kernel's word about the peer before a
// frame is read.
#include "io/control.h"

#include "io/control_lines.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_set>

#include <unistd.h>

namespace mailtight::io {

bool is_operator(const peer::credentials& who, std::uint32_t own_user, std::uint32_t own_group) {
    return who.uid == 0 || who.uid == own_user || who.gid == own_group ||
           std::ranges::find(who.groups, own_group) != who.groups.end();
}

boost::json::object control_refusal(std::string_view why) {
    return {{"error", why}};
}

struct control_server::state {
    struct command {
        control_right right;
        control_handler handle;
    };
    state(loop& with, control_options wanted)
        : on(with)
        , options(std::move(wanted)) {}

    loop& on;
    control_options options;
    std::map<std::string, command, std::less<>> commands;
    std::vector<std::unique_ptr<listener>> listeners;
    std::unordered_set<stream*> idle;
    bool stopping = false;
};

namespace {

using namespace std::chrono_literals;
using server_state = control_server::state;

constexpr auto linger_time = 2s;

class session final : public control_answer {
public:
    session(std::shared_ptr<server_state> with, std::unique_ptr<stream> connection, peer::credentials user)
        : with_(std::move(with))
        , connection_(std::move(connection))
        , user_(std::move(user)) {}

    task<> run() {
        while (co_await exchange()) {
        }
        connection_->close();
    }

    task<bool> more(boost::json::object part) override {
        part["more"] = true;
        co_return co_await say(part);
    }

private:
    loop::time_point transfer_end() const { return with_->on.now() + with_->options.transfer_time; }

    task<bool> say(const boost::json::object& document) {
        auto line = control_line(document);
        if (line.size() > with_->options.line_bytes)
            line = control_line(control_refusal("the answer is too long for one line"));
        co_return co_await connection_->write_all(std::move(line), transfer_end()) == io_status::ok;
    }

    /// The last word: what the client still sends is read past, so that the answer reaches it.
    task<bool> say_and_end(std::string_view why) {
        co_await say(control_refusal(why));
        connection_->finish_writing();
        const auto until = with_->on.now() + linger_time;
        for (std::size_t past = 0; past < with_->options.frame_bytes;) {
            const auto got = co_await connection_->read_some(65'536, until);
            if (got.status != io_status::ok)
                break;
            past += got.bytes.size();
        }
        co_return false;
    }

    task<read_result> next_line() {
        if (with_->stopping)
            co_return read_result{io_status::timeout, {}};
        with_->idle.insert(connection_.get());
        auto line = co_await read_control_line(*connection_, buffered_, with_->options.line_bytes,
                                               with_->on.now() + with_->options.idle_time);
        with_->idle.erase(connection_.get());
        co_return line;
    }

    /// Why it is not to be done, or "".
    std::string refusal(const server_state::command* command, std::string_view name) const {
        if (!command)
            return fmt::format("the daemon knows no command \"{}\"", base::printable(name, 60));
        if (command->right == control_right::operator_ && !is_operator(user_, ::geteuid(), ::getegid()))
            return fmt::format(
                "uid {} may not do this: only root, the user of the daemon (uid {}) and members "
                "of its group (gid {}) may",
                user_.uid, ::geteuid(), ::getegid());
        return {};
    }

    /// One request and its answer. False where the connection ends.
    task<bool> exchange() {
        const auto line = co_await next_line();
        if (line.status == io_status::failed && buffered_.size() > with_->options.line_bytes)
            co_return co_await say_and_end("the request is longer than a line may be");
        if (line.status != io_status::ok)
            co_return false;
        control_request request;
        request.user = user_;
        auto document = parse_control_line(line.bytes);
        if (!document)
            co_return co_await say_and_end("the request is no JSON object");
        request.document = std::move(*document);
        const auto* named = request.document.if_contains("command");
        const std::string name(named && named->is_string() ? std::string_view(named->as_string()) : "");
        const auto found = with_->commands.find(name);
        const auto* command = found != with_->commands.end() ? &found->second : nullptr;
        const auto why = refusal(command, name);

        if (const auto* announced = request.document.if_contains("bytes")) {
            boost::system::error_code wrong;
            const auto size = announced->to_number<std::uint64_t>(wrong);
            if (wrong || size > with_->options.frame_bytes)
                co_return co_await say_and_end(
                    fmt::format("a frame has at most {} bytes", with_->options.frame_bytes));
            if (!why.empty())
                co_return co_await say_and_end(why);
            auto frame = co_await read_control_frame(*connection_, buffered_, size, transfer_end());
            if (frame.status != io_status::ok)
                co_return false;
            request.frame = std::move(frame.bytes);
        }
        if (!why.empty())
            co_return co_await say(control_refusal(why));
        co_return co_await done(*command, name, std::move(request));
    }

    task<bool> done(const server_state::command& command, const std::string& name, control_request request) {
        boost::json::object reply;
        std::string failed;
        try {
            reply = co_await command.handle(std::move(request), *this);
        } catch (const std::exception& error) {
            failed = error.what();
        } catch (...) {
            failed = "unknown";
        }
        if (!failed.empty()) {
            reply = control_refusal("the daemon failed at this; its log says why");
            if (with_->options.complain)
                with_->options.complain(
                    fmt::format("the control command {} ended by an exception: {}", name, failed));
        }
        reply.erase("more");
        co_return co_await say(reply) && !with_->stopping;
    }

    std::shared_ptr<server_state> with_;
    std::unique_ptr<stream> connection_;
    peer::credentials user_;
    std::string buffered_;
};

task<> serve(std::shared_ptr<server_state> with, std::unique_ptr<stream> connection, peer who) {
    if (!who.user)
        co_return;
    session talk(std::move(with), std::move(connection), std::move(*who.user));
    co_await talk.run();
}

} // namespace

control_server::control_server(loop& on, control_options options)
    : state_(std::make_shared<state>(on, std::move(options))) {}

control_server::~control_server() {
    stop();
}

void control_server::add(std::string command, control_right right, control_handler handle) {
    state_->commands.insert_or_assign(std::move(command), state::command{right, std::move(handle)});
}

std::expected<void, std::string> control_server::listen(const listen_address& at) {
    if (at.unix_path.empty())
        return std::unexpected("the control socket is a unix socket");
    listener_options options;
    options.connections = state_->options.connections;
    options.complain = state_->options.complain;
    auto opened = io::listen(state_->on, at, options,
                             [weak = std::weak_ptr(state_)](std::unique_ptr<stream> connection, peer who) {
                                 // Without a server there is no listener that could call this.
                                 return serve(weak.lock(), std::move(connection), std::move(who));
                             });
    if (!opened)
        return std::unexpected(std::move(opened.error()));
    state_->listeners.push_back(std::move(*opened));
    return {};
}

void control_server::stop() {
    state_->stopping = true;
    for (const auto& each : state_->listeners)
        each->stop();
    for (auto* waiting : state_->idle)
        waiting->interrupt();
}

std::size_t control_server::open_connections() const {
    std::size_t sum = 0;
    for (const auto& each : state_->listeners)
        sum += each->open_connections();
    return sum;
}

} // namespace mailtight::io
