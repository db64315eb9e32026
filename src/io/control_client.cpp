// SPDX-License-Identifier: Apache-2.0
#include "io/control.h"
#include "io/control_lines.h"

#include "base/text.h"

#include <fmt/format.h>

namespace mailtight::io {

namespace {

using failure = std::unexpected<control_failure>;
using kind = control_failure::kind;

constexpr std::size_t longest_line = 16 * 1'048'576; // the daemon is trusted, its bugs are not

} // namespace

task<std::expected<control_client, control_failure>> control_client::connect(loop& on, std::string path,
                                                                             loop::time_point deadline) {
    auto reached = co_await connect_unix(on, path, deadline);
    switch (reached.outcome) {
    case model::connect_outcome::connected:
        co_return control_client(std::move(reached.connection));
    case model::connect_outcome::refused:
        co_return failure({kind::not_running, fmt::format("no daemon listens at {}", path)});
    case model::connect_outcome::unreachable:
        co_return failure({kind::forbidden,
                           fmt::format("this user may not talk to the daemon at {}: be root, or a member of "
                                       "its group",
                                       path)});
    case model::connect_outcome::timeout:
        co_return failure({kind::timeout, fmt::format("the daemon at {} does not answer", path)});
    default:
        co_return failure(
            {kind::broken, fmt::format("cannot reach the daemon at {}: {}", path, reached.detail)});
    }
}

task<control_result> control_client::ask(boost::json::object request, std::string frame, on_part part,
                                         loop::time_point deadline) {
    if (!frame.empty())
        request["bytes"] = frame.size();
    // How sending ends is not asked: a refusal may have come before all was sent.
    const auto sent = co_await connection_->write_all(control_line(request), deadline);
    if (sent == io_status::ok && !frame.empty())
        co_await connection_->write_all(std::move(frame), deadline);
    for (;;) {
        auto line = co_await read_control_line(*connection_, buffered_, longest_line, deadline);
        if (line.status == io_status::timeout)
            co_return failure({kind::timeout, "the daemon did not answer in time"});
        if (line.status != io_status::ok)
            co_return failure({kind::broken, "the daemon ended the conversation"});
        auto reply = parse_control_line(line.bytes);
        if (!reply)
            co_return failure({kind::broken, "the daemon's answer cannot be read"});
        if (const auto* more = reply->if_contains("more"); more && more->is_bool() && more->as_bool()) {
            if (part)
                part(*reply);
            continue;
        }
        if (const auto* why = reply->if_contains("error"); why && why->is_string())
            co_return failure({kind::refused, std::string(why->as_string())});
        co_return std::move(*reply);
    }
}

namespace {

task<control_result> connect_and_ask(loop& on, std::string path, boost::json::object request,
                                     std::string frame, control_client::on_part part,
                                     loop::time_point deadline) {
    auto made = co_await control_client::connect(on, std::move(path), deadline);
    if (!made)
        co_return failure(std::move(made.error()));
    co_return co_await made->ask(std::move(request), std::move(frame), std::move(part), deadline);
}

} // namespace

control_result control_client::call(const std::string& path, boost::json::object request, std::string frame,
                                    on_part part, std::chrono::milliseconds time) {
    loop on;
    return on.block_on(
        connect_and_ask(on, path, std::move(request), std::move(frame), std::move(part), on.now() + time));
}

} // namespace mailtight::io
