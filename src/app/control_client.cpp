// SPDX-License-Identifier: Apache-2.0
#include "app/control_client.h"

#include "app/store_access.h"
#include "base/text.h"
#include "io/stream.h"
#include "wire/http_response.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>

#include <unistd.h>

namespace mailtight::app {

namespace {

constexpr std::size_t answer_bytes = 64 * 1024 * 1024;

io::task<std::expected<wire::http_response, control_error>>
exchange(io::loop& on, std::string path, std::string request, io::loop::time_point deadline) {
    using kind = control_error::kind;
    auto connected = co_await io::connect_unix(on, path, deadline);
    if (!connected.connection) {
        const bool denied = ::access(path.c_str(), F_OK) == 0 && ::access(path.c_str(), W_OK) != 0;
        co_return std::unexpected(control_error{
            denied ? kind::refused : kind::absent,
            denied ? fmt::format("{}: {}; run this as root, as the daemon's user or as a member of its group",
                                 path, std::strerror(errno))
                   : fmt::format("no daemon answers at {}{}", path,
                                 connected.detail.empty() ? "" : ": " + connected.detail)});
    }
    if (co_await connected.connection->write_all(std::move(request), deadline) != io::io_status::ok)
        co_return std::unexpected(control_error{kind::broken, "the daemon hung up"});
    wire::http_response_reader reader(answer_bytes);
    while (!reader.done() && !reader.error()) {
        auto got = co_await connected.connection->read_some(65'536, deadline);
        if (got.status == io::io_status::ok)
            reader.feed(got.bytes);
        else if (got.status == io::io_status::eof)
            reader.eof();
        else
            co_return std::unexpected(control_error{kind::broken, "the daemon did not answer in time"});
    }
    connected.connection->close();
    if (reader.error())
        co_return std::unexpected(control_error{kind::broken, std::string(wire::explain(*reader.error()))});
    co_return reader.take();
}

std::string detail_of(const boost::json::value& body) {
    if (const auto* object = body.if_object())
        if (const auto* detail = object->if_contains("detail"); detail && detail->is_string())
            return std::string(detail->as_string());
    return "the daemon refused";
}

} // namespace

std::string control_place(const settings& from) {
    if (from.control_socket == "off")
        return "";
    if (!from.control_socket.empty())
        return from.control_socket;
    constexpr const char* name = "/control.sock";
    if (const char* directory = std::getenv("RUNTIME_DIRECTORY"); directory && *directory == '/')
        return std::string(base::split(directory, ':').front()) + name;
    const std::string system_place = std::string("/run/mailtight") + name;
    const char* own = std::getenv("XDG_RUNTIME_DIR");
    if (::geteuid() == 0 || ::access(system_place.c_str(), F_OK) == 0)
        return system_place;
    if (own && *own == '/')
        return std::string(own) + "/mailtight" + name;
    // Without a session (a container, cron): beside the database that is this user's own.
    return (std::filesystem::path(user_store_place()).parent_path() / (name + 1)).string();
}

std::expected<boost::json::value, control_error> call_daemon(io::loop& on, const settings& from,
                                                             std::string target, std::string body,
                                                             std::string method,
                                                             std::chrono::milliseconds time) {
    using kind = control_error::kind;
    const std::string place = control_place(from);
    if (place.empty())
        return std::unexpected(
            control_error{kind::absent, "the control socket is switched off (serve.control-socket)"});
    std::string request =
        fmt::format("{} {} HTTP/1.1\r\nHost: control\r\nConnection: close\r\n", method, target);
    if (method != "GET")
        request +=
            fmt::format("Content-Type: application/octet-stream\r\nContent-Length: {}\r\n", body.size());
    request += "\r\n" + body;
    auto answer = on.block_on(exchange(on, place, std::move(request), on.now() + time));
    if (!answer)
        return std::unexpected(answer.error());
    boost::system::error_code error;
    auto value = boost::json::parse(answer->body, error);
    if (error)
        return std::unexpected(control_error{kind::broken, "the daemon's answer cannot be read"});
    if (answer->status == 403)
        return std::unexpected(control_error{kind::refused, base::printable(detail_of(value)), 403});
    if (answer->status >= 400)
        return std::unexpected(
            control_error{kind::broken, base::printable(detail_of(value)), answer->status});
    return value;
}

} // namespace mailtight::app
