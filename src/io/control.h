// SPDX-License-Identifier: Apache-2.0
// The control socket: one JSON object a line each way over a unix socket. A request names its "command"; one
// with "bytes":N is followed by N raw bytes (a frame). It is answered by any number of lines with "more":true
// and a last one without; an "error" in that says why it was not done. Who asks is known from the kernel.
// Lives on the loop's thread.
#pragma once

#include "io/server.h"

#include <boost/json/object.hpp>

#include <chrono>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace mailtight::io {

/// Root, the user the daemon runs as, and the members of its group.
bool is_operator(const peer::credentials& who, std::uint32_t own_user, std::uint32_t own_group);

enum class control_right {
    anybody,  ///< who can open the socket
    operator_ ///< is_operator() alone: whatever writes
};
struct control_request {
    boost::json::object document;
    std::string frame;
    peer::credentials user;
};
/// Where a handler sends what comes before its last reply.
class control_answer {
public:
    virtual ~control_answer() = default;
    /// False where nobody listens any more.
    virtual task<bool> more(boost::json::object part) = 0;
};
/// Gives the last reply. An exception becomes an error without its text, which goes to `complain`.
using control_handler = std::function<task<boost::json::object>(control_request, control_answer&)>;
/// `{"error": why}`
boost::json::object control_refusal(std::string_view why);

struct control_options {
    std::size_t line_bytes = 1'048'576;
    std::size_t frame_bytes = 64 * 1'048'576; ///< of one request; larger things come in several, or as a path
    std::size_t connections = 64;
    std::chrono::milliseconds idle_time{300'000}, transfer_time{120'000};
    std::function<void(std::string_view)> complain;
};

class control_server {
public:
    explicit control_server(loop& on, control_options options = {});
    ~control_server();
    control_server(const control_server&) = delete;
    control_server& operator=(const control_server&) = delete;
    void add(std::string command, control_right right, control_handler handle);
    /// `at` is a unix address. The error is for a person.
    std::expected<void, std::string> listen(const listen_address& at);
    /// Requests under way are answered, idle connections closed.
    void stop();
    std::size_t open_connections() const;
    struct state;

private:
    std::shared_ptr<state> state_;
};

struct control_failure {
    enum class kind {
        not_running, ///< nobody listens there
        forbidden,   ///< the socket may not be opened by this user
        refused,     ///< the daemon answered with an error
        timeout,
        broken, ///< the conversation ended early, or was none
    } what = kind::broken;
    std::string text; ///< for a person
};
using control_result = std::expected<boost::json::object, control_failure>;

/// The other side: a connection that asks one request after the other.
class control_client {
public:
    using on_part = std::function<void(const boost::json::object&)>;

    static task<std::expected<control_client, control_failure>> connect(loop& on, std::string path,
                                                                        loop::time_point deadline);
    /// "bytes" is added where there is a frame. The last reply, without an error.
    task<control_result> ask(boost::json::object request, std::string frame, on_part part,
                             loop::time_point deadline);
    /// One request of a program that has no loop; blocks.
    static control_result call(const std::string& path, boost::json::object request, std::string frame = {},
                               on_part part = {}, std::chrono::milliseconds time = std::chrono::minutes(5));

private:
    explicit control_client(std::unique_ptr<stream> connection)
        : connection_(std::move(connection)) {}
    std::unique_ptr<stream> connection_;
    std::string buffered_;
};

} // namespace mailtight::io
