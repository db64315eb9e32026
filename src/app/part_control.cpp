// SPDX-License-Identifier: Apache-2.0
// The control socket: HTTP over a unix socket. Who may connect is said by its permissions; who may change
// something by the kernel's word on who they are: root, the daemon's own user, or its group.
#include "api/access.h"
#include "api/site.h"
#include "app/access_commands.h"
#include "app/access_keeping.h"
#include "app/control_client.h"
#include "app/daemon_core.h"
#include "app/handed_in.h"
#include "app/pages_certificates.h"
#include "app/pages_part.h"
#include "app/policy_time.h"
#include "app/publish_part.h"
#include "app/report_facts.h"
#include "base/text.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include <pwd.h>
#include <unistd.h>

namespace mailtight::app {

namespace {

wire::http_reply json_reply(const boost::json::value& value, int status = 200) {
    wire::http_reply reply;
    reply.status = status;
    reply.media_type = "application/json";
    reply.body = boost::json::serialize(value) + "\n";
    return reply;
}

bool may_change(const io::peer& who) {
    if (!who.user)
        return false;
    const auto& user = *who.user;
    return user.uid == 0 || user.uid == ::geteuid() || user.gid == ::getegid() ||
           std::ranges::find(user.groups, ::getegid()) != user.groups.end();
}

/// The user's name on this host, which stays with the exceptions that they make.
std::string name_of(const io::peer& who) {
    if (!who.user)
        return who.to_string();
    std::array<char, 4'096> buffer;
    passwd entry{};
    passwd* found = nullptr;
    if (::getpwuid_r(who.user->uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found)
        return found->pw_name;
    return fmt::format("uid {}", who.user->uid);
}

io::task<wire::http_reply> import_all(daemon_core& core, std::string body) {
    auto inputs = unpack(body);
    if (!inputs)
        co_return wire::problem(400, "Bad Request", "the body is no batch of inputs");
    auto done = co_await keep_all(core.loop(), *core.keeper, std::move(*inputs), core.now());
    if (co_await count_handed_in(*core.keeper, store_place(core.set), done, core.now()))
        static_cast<void>(co_await take_domains(core, {}, core.set.count_unverified));
    co_return json_reply(to_json(done));
}

/// {"name":"mute/…","value":"…"}: mutes are the only facts that may be set from outside.
io::task<wire::http_reply> set_fact(daemon_core& core, std::string body) {
    boost::system::error_code error;
    const auto parsed = boost::json::parse(body, error);
    const auto* object = error ? nullptr : parsed.if_object();
    const auto* name = object ? object->if_contains("name") : nullptr;
    const auto* value = object ? object->if_contains("value") : nullptr;
    if (!name || !value || !name->is_string() || !value->is_string())
        co_return wire::problem(400, "Bad Request", "name and value are needed");
    const std::string what(name->as_string()), to(value->as_string());
    if (!what.starts_with(mute_prefix) || (!to.empty() && !parse_mute(what, to)))
        co_return wire::problem(403, "Forbidden", "only mutes may be set");
    auto written =
        co_await core.keeper->write([what, to](store::store& in) { return in.set_fact(what, to); });
    if (!written)
        co_return wire::problem(503, "Service Unavailable", written.error().message);
    core.alarms->wake();
    co_return json_reply(boost::json::object{{"ok", true}});
}

io::task<wire::http_reply> reload_all(daemon_core& core) {
    auto done = co_await reload(core);
    if (!done)
        co_return wire::problem(409, "Conflict", done.error());
    boost::json::array restart;
    for (const auto& key : *done)
        restart.emplace_back(key);
    co_return json_reply(boost::json::object{{"ok", true}, {"needs_restart", std::move(restart)}});
}

io::task<wire::http_reply> flush(daemon_core& core) {
    core.alarms->wake();
    co_await core.keeper->drain();
    co_return json_reply(boost::json::object{{"ok", true}});
}

/// {"role":"…","owner":"…","minutes":15}: what `login-link` asks where it may not write to the store itself.
io::task<wire::http_reply> make_login(daemon_core& core, io::http_exchange asked) {
    boost::system::error_code error;
    const auto parsed = boost::json::parse(asked.request.body, error);
    const auto* object = error ? nullptr : parsed.if_object();
    const auto* role = object ? object->if_contains("role") : nullptr;
    const auto* owner = object ? object->if_contains("owner") : nullptr;
    const auto* minutes = object ? object->if_contains("minutes") : nullptr;
    if (!role || !role->is_string() || !api::parse_role(std::string(role->as_string())) || !minutes ||
        !minutes->is_int64() || minutes->as_int64() < 1 || minutes->as_int64() > longest_link.count() ||
        (owner && !owner->is_string()))
        co_return wire::problem(400, "Bad Request", "role and minutes are needed");
    wished_link wish{.role = std::string(role->as_string()),
                     .owner = {},
                     .lasts = std::chrono::minutes(minutes->as_int64())};
    if (owner)
        wish.owner = std::string(owner->as_string());
    const auto fault =
        fault_of_owner({.name = {}, .role = wish.role, .owner = wish.owner, .password_file = {}});
    if (!fault.empty())
        co_return wire::problem(400, "Bad Request", fault);
    using made = std::expected<std::string, std::string>;
    const auto secret = co_await core.asker->run<made>(
        [set = core.set, wish, who = name_of(asked.peer), now = base::system_clock().now()]() -> made {
            auto kept = open_access_to_change(set);
            return kept ? make_link(**kept, wish, who, now) : made(std::unexpected(kept.error()));
        });
    if (!secret)
        co_return wire::problem(503, "Service Unavailable", secret.error());
    co_return json_reply(boost::json::object{{"secret", *secret}});
}

/// {"domains":[…]} to wake, {"domain":"…","width":80,"colour":false} to carry out the next step.
io::task<wire::http_reply> publish_something(daemon_core& core, std::string path, io::http_exchange asked) {
    if (path == "/account-key" && core.pages && core.pages->orders()) {
        auto changed = co_await core.pages->orders()->change_account_key();
        if (!changed)
            co_return wire::problem(409, "Conflict", changed.error());
        co_return json_reply(boost::json::object{{"ok", true}});
    }
    if (!core.carrying)
        co_return wire::problem(404, "Not Found", "this daemon carries out no plans (publish.carry-out)");
    if (path == "/account-key") {
        auto changed = co_await core.carrying->change_account_key();
        if (!changed)
            co_return wire::problem(409, "Conflict", changed.error());
        co_return json_reply(boost::json::object{{"ok", true}});
    }
    boost::system::error_code error;
    const auto parsed = boost::json::parse(asked.request.body, error);
    const auto* object = error ? nullptr : parsed.if_object();
    if (!object)
        co_return wire::problem(400, "Bad Request", "a JSON object is needed");
    if (path == "/wake") {
        std::vector<std::string> domains;
        if (const auto* list = object->if_contains("domains"); list && list->is_array())
            for (const auto& each : list->as_array())
                if (each.is_string())
                    domains.emplace_back(each.as_string());
        core.carrying->wake(std::move(domains));
        co_return json_reply(boost::json::object{{"ok", true}});
    }
    const auto* domain = object->if_contains("domain");
    if (!domain || !domain->is_string())
        co_return wire::problem(400, "Bad Request", "a domain is needed");
    const auto* width = object->if_contains("width");
    const auto* colour = object->if_contains("colour");
    auto done = co_await core.carrying->carry(std::string(domain->as_string()), name_of(asked.peer),
                                              width && width->is_int64() && width->as_int64() >= 20 &&
                                                      width->as_int64() <= 500
                                                  ? static_cast<std::size_t>(width->as_int64())
                                                  : 80,
                                              colour && colour->is_bool() && colour->as_bool());
    if (!done)
        co_return wire::problem(503, "Service Unavailable", done.error());
    co_return json_reply(*done);
}

io::task<wire::http_reply> answer(daemon_core& core, io::http_exchange asked) {
    const std::string& path = asked.request.path;
    if (asked.request.method == "GET") {
        if (path == "/time") // of days and waits
            co_return json_reply(boost::json::object{{"now", base::format_utc(policy_time().now())}});
        if (path != "/status")
            co_return wire::problem(404, "Not Found", "GET /status");
        co_return json_reply(co_await status_of(core));
    }
    if (path == "/import")
        co_return co_await import_all(core, std::move(asked.request.body));
    core.log->write(base::event::control_used, {{"what", path}, {"who", asked.peer.to_string()}});
    if (path == "/reload")
        co_return co_await reload_all(core);
    if (path == "/login-link")
        co_return co_await make_login(core, std::move(asked));
    if (path == "/fact")
        co_return co_await set_fact(core, std::move(asked.request.body));
    if (path == "/flush")
        co_return co_await flush(core);
    if (path == "/poll") {
        for (const auto& each : core.parts)
            each->poll_now();
        co_return json_reply(boost::json::object{{"ok", true}});
    }
    if (path == "/wake" || path == "/carry" || path == "/account-key")
        co_return co_await publish_something(core, path, std::move(asked));
    for (const auto& route : lab_routes()) {
        if (path != route.path)
            continue;
        wire::http_reply reply;
        reply.media_type = "application/json";
        reply.body = route.answer(asked.request.body) + "\n";
        co_return reply;
    }
    co_return wire::problem(404, "Not Found",
                            "GET /status, /time; POST /import, /reload, /fact, /flush, /poll, /wake, /carry, "
                            "/account-key, /login-link");
}

class control_part final : public part {
public:
    explicit control_part(daemon_core& core)
        : core_(core)
        , server_(core.loop(), options(core), core.with->clock) {
        io::http_site site;
        site.name = "control";
        site.body_bytes = 80 * 1024 * 1024; // one JSON text of 64 MiB, and what goes around it
        site.admit = [&core](const io::http_exchange& asked) -> std::optional<wire::http_reply> {
            const auto& method = asked.request.method;
            if (method == "GET" || (method == "POST" && may_change(asked.peer)))
                return {};
            core.log->write(base::event::control_refused,
                            {{"what", asked.request.path}, {"who", asked.peer.to_string()}});
            return wire::problem(403, "Forbidden",
                                 "only root, the daemon's user and its group may change something");
        };
        site.handle = [&core](io::http_exchange asked) { return answer(core, std::move(asked)); };
        server_.add_site(std::move(site));
        api::site_options options;
        options.may_change = may_change;
        options.may_tell = may_change;
        options.name_of = name_of;
        options.noted = [&core](std::string_view what, const io::peer& who, bool refused) {
            core.log->write(refused ? base::event::control_refused : base::event::control_used,
                            {{"what", std::string(what)}, {"who", who.to_string()}});
        };
        server_.add_site(api::make_site(core.api, std::move(options)));
    }
    std::expected<void, std::string> open() override {
        io::listen_address at;
        at.unix_path = control_place(core_.set);
        std::error_code ignored; // listen() says what is wrong with the place
        std::filesystem::create_directories(std::filesystem::path(at.unix_path).parent_path(), ignored);
        auto bound = server_.listen(at, nullptr);
        running_ = bound.has_value();
        return bound;
    }
    void stop() override {
        server_.stop();
        running_ = false;
    }
    bool idle() const override { return server_.open_connections() == 0; }
    bool is_way_in() const override { return false; }
    intake::way_status status() const override {
        intake::way_status now;
        now.name = "control";
        now.where = "unix:" + control_place(core_.set);
        now.running = running_;
        now.open = server_.open_connections();
        return now;
    }

private:
    static io::http_server_options options(daemon_core& core) {
        io::http_server_options made;
        made.listening.complain = complaints_to(core);
        made.body_time = std::chrono::minutes(10);
        return made;
    }
    daemon_core& core_;
    io::http_server server_;
    bool running_ = false;
};

} // namespace

std::unique_ptr<part> make_control_part(daemon_core& core) {
    return std::make_unique<control_part>(core);
}

} // namespace mailtight::app
