// SPDX-License-Identifier: Apache-2.0
#include "app/policy_listeners.h"

#include "app/daemon_core.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include <pwd.h>
#include <unistd.h>

namespace mailtight::app {

namespace {

struct wanted {
    std::string kind, key, text;
    std::uint16_t port; ///< where none is given
};

std::vector<wanted> wanted_by(const settings& from) {
    std::vector<wanted> all;
    auto add = [&all](const char* kind, const char* key, const std::vector<std::string>& texts,
                      std::uint16_t port) {
        for (const auto& text : texts)
            all.push_back({kind, key, text, port});
    };
    add("socketmap", "resolve.socketmap-listen", from.socketmap_listen, 8642);
    add("tcp-table", "resolve.tcp-table-listen", from.tcp_table_listen, 8643);
    add("lines", "resolve.lines-listen", from.lines_listen, 8645);
    return all;
}

/// The folder of a unix socket, made where it is missing: everybody may go through it (the socket's own mode
/// says who may ask), and it belongs to the user that the daemon becomes.
void make_folder(const std::string& socket, const settings& set) {
    namespace fs = std::filesystem;
    const auto folder = fs::path(socket).parent_path();
    std::error_code error; // listen() says what is wrong with the place
    if (folder.empty() || fs::exists(folder, error) || !fs::create_directories(folder, error))
        return;
    fs::permissions(folder, fs::perms(0755), error);
    if (::geteuid() != 0 || set.user.empty())
        return;
    if (const passwd* user = ::getpwnam(set.user.c_str()))
        if (::chown(folder.c_str(), user->pw_uid, user->pw_gid) != 0)
            return;
}

} // namespace

policy_listeners::answering::answering(io::loop& on, resolve::service& of, const base::clock& clock,
                                       resolve::front_options options)
    : front(on, of, clock, std::move(options))
    , socketmap(front.socketmap())
    , tcp_table(front.tcp_table())
    , lines(front.lines()) {}

policy_listeners::policy_listeners(io::loop& on, resolve::service& of, const base::clock& clock,
                                   resolve::front_options options,
                                   std::function<void(std::string_view)> complain)
    : loop_(on)
    , service_(of)
    , clock_(clock)
    , complain_(std::move(complain))
    , answering_(std::make_shared<answering>(on, of, clock, std::move(options))) {}

io::make_session policy_listeners::sessions(const std::string& kind) {
    return [this, kind](std::shared_ptr<io::request_link> link, const io::peer& who) {
        const auto& make = kind == "socketmap"   ? answering_->socketmap
                           : kind == "tcp-table" ? answering_->tcp_table
                                                 : answering_->lines;
        return make(std::move(link), who);
    };
}

std::expected<void, std::string> policy_listeners::prepare(const settings& to) {
    next_.clear();
    for (const auto& each : wanted_by(to)) {
        const auto there = std::ranges::find_if(
            now_, [&](const listening& old) { return old.kind == each.kind && old.text == each.text; });
        if (there != now_.end()) {
            next_.push_back(*there);
            continue;
        }
        auto at = listen_at(each.key, each.text, each.port);
        if (!at) {
            next_.clear();
            return std::unexpected(at.error());
        }
        if (!at->unix_path.empty())
            make_folder(at->unix_path, to);
        io::request_server_options options;
        options.listening.complain = complain_;
        auto server = std::make_shared<io::request_server>(loop_, std::move(options), sessions(each.kind));
        if (auto bound = server->listen(*at); !bound) {
            next_.clear();
            return std::unexpected(fmt::format("{}: {}", each.key, bound.error()));
        }
        next_.push_back({each.kind, each.text, std::move(server)});
    }
    return {};
}

void policy_listeners::change() {
    std::erase_if(ended_, [](const listening& each) { return each.server->open_connections() == 0; });
    for (auto& old : now_) {
        const bool stays =
            std::ranges::any_of(next_, [&](const listening& each) { return each.server == old.server; });
        if (stays)
            continue;
        old.server->stop();
        ended_.push_back(std::move(old));
    }
    now_ = std::move(next_);
    next_.clear();
}

void policy_listeners::answer_with(resolve::front_options options) {
    // Sessions hold what they need of their front; the old one goes with the last of them.
    answering_ = std::make_shared<answering>(loop_, service_, clock_, std::move(options));
}

void policy_listeners::stop() {
    for (auto& each : now_)
        each.server->stop();
}

std::vector<policy_listeners::row> policy_listeners::list() const {
    std::vector<row> rows;
    for (const auto& each : now_)
        rows.push_back(
            {each.kind, each.server->address(), each.server->open_connections(), each.server->refused()});
    return rows;
}

std::vector<std::string> policy_listeners::addresses() const {
    std::vector<std::string> all;
    for (const auto& each : now_)
        all.push_back(fmt::format("{} {}", each.kind, each.server->address()));
    return all;
}

std::size_t policy_listeners::open_connections() const {
    std::size_t sum = 0;
    for (const auto* some : {&now_, &ended_})
        for (const auto& each : *some)
            sum += each.server->open_connections();
    return sum;
}

std::uint64_t policy_listeners::refused() const {
    std::uint64_t sum = 0;
    for (const auto& each : now_)
        sum += each.server->refused();
    return sum;
}

} // namespace mailtight::app
