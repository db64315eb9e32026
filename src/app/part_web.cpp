// SPDX-License-Identifier: Apache-2.0
// The pages and the API beside them, on one listener of their own. It is on by default, for this machine
// alone: an address that somebody else has is an error only where it was asked for.
#include "api/credentials.h"
#include "api/doorkeeper.h"
#include "api/pages_site.h"
#include "api/site.h"
#include "app/certificate_desk.h"
#include "app/domain_access.h"
#include "app/first_access.h"
#include "app/look_desk.h"
#include "app/pages_certificates.h"
#include "app/pages_part.h"
#include "app/plain_sites.h"
#include "app/policy_time.h"
#include "app/store_access.h"
#include "base/host_name.h"
#include "base/text.h"
#include "io/tls_tickets.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include <unistd.h>

namespace mailtight::app {

namespace {

constexpr std::uint16_t default_port = 8460, http_port = 80, https_port = 443;
constexpr std::uint64_t hours_most = 24 * 366, days_most = 36'500;

bool is_loopback(const base::ip_address& address) {
    static const std::array here = {*base::ip_network::parse("127.0.0.0/8"), *base::ip_network::parse("::1")};
    return std::ranges::any_of(here, [&](const auto& each) { return each.contains(address); });
}

bool is_loopback(const io::listen_address& at) {
    return !at.tcp || is_loopback(at.tcp->address);
}

struct wanted {
    std::vector<io::listen_address> at, plain_at;
    std::vector<base::ip_network> proxies;
    std::vector<std::string> hosts;
    std::vector<std::string> acme; ///< names for which certificates are asked
    bool tls = false;
    bool by_default = false; ///< nobody asked for the address
};

/// Fields that browsers and proxies fill themselves: whoever they name, it is nobody.
bool names_nobody(std::string_view field) {
    constexpr auto taken = std::to_array<std::string_view>(
        {"accept", "accept-encoding", "accept-language", "authorization", "connection", "content-length",
         "content-type", "cookie", "host", "origin", "referer", "transfer-encoding", "user-agent", "via",
         "x-csrf-token", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"});
    return std::ranges::find(taken, base::lower(field)) != taken.end();
}

/// A setting that would quietly do nothing, or let nobody in.
std::optional<std::string> fault_in(const settings& set) {
    for (const auto& host : set.web_hosts) {
        const auto name = std::string_view(host).substr(host.starts_with("*.") ? 2 : 0);
        if (!base::is_host_name(name) && !base::ip_address::parse(name))
            return fmt::format(
                "web.hosts: \"{}\" is no name of a host, such as mailtight.example.com, without "
                "scheme and port",
                base::printable(host, 300));
    }
    const std::string_view field = set.web_proxy_field;
    const bool word =
        std::ranges::all_of(field, [](char c) { return base::is_alnum(c) || c == '-' || c == '_'; });
    if (!field.empty() && (!word || names_nobody(field)))
        return fmt::format(
            "web.proxy-user-field: \"{}\" cannot be the field in which a proxy names somebody; "
            "take one of its own, such as X-Remote-User",
            base::printable(field, 100));
    if (!field.empty() && set.web_proxies.empty())
        return "web.proxy-user-field: nobody is believed without web.trusted-proxies, the proxies that fill "
               "it";
    if (set.web_session_hours < 1 || set.web_session_hours > hours_most)
        return fmt::format("web.session-hours: 1 to {}", hours_most);
    if (set.web_audit_days < 1 || set.web_audit_days > days_most)
        return fmt::format("web.audit-days: 1 to {}", days_most);
    return {};
}

std::expected<wanted, std::string> wanted_of(const settings& set) {
    wanted all;
    auto proxies = networks("web.trusted-proxies", set.web_proxies);
    if (!proxies)
        return std::unexpected(proxies.error());
    all.proxies = std::move(*proxies);
    if (auto wrong = fault_in(set))
        return std::unexpected(std::move(*wrong));
    if (set.web_acme) {
        auto names = names_for_acme(set);
        if (!names)
            return std::unexpected(names.error());
        all.acme = std::move(*names);
    }
    all.tls = set.web_acme || !set.web_certificates.empty();
    all.by_default = set.web_listen == settings().web_listen;
    for (const auto& host : set.web_hosts)
        all.hosts.push_back(base::lower(host));
    if (!set.web_http_listen.empty() && !all.tls)
        return std::unexpected("web.http-listen leads to https, which is not spoken here: set web.acme or "
                               "web.tls-certificates");
    for (const auto& text : set.web_http_listen) {
        auto at = listen_at("web.http-listen", text, http_port);
        if (!at)
            return std::unexpected(at.error());
        all.plain_at.push_back(std::move(*at));
    }
    for (const auto& text : set.web_listen) {
        auto at = listen_at("web.listen", text, default_port);
        if (!at)
            return std::unexpected(at.error());
        if (!is_loopback(*at) && !all.tls && all.proxies.empty())
            return std::unexpected(fmt::format(
                "web.listen: {} can be reached from other machines, and passwords would cross the network in "
                "the clear. Set web.acme or web.tls-certificates; or web.trusted-proxies, where a proxy in "
                "front speaks TLS; or stay with 127.0.0.1:8460 and come by `ssh -L 8460:127.0.0.1:8460`",
                base::printable(text)));
        all.at.push_back(std::move(*at));
    }
    return all;
}

/// The refusal of a request that was not meant for us, before anything of it is looked at.
std::optional<wire::http_reply> refusal_of(const wanted& is, const io::http_exchange& asked) {
    // Without TLS only the proxy in front may connect, and this machine.
    const bool proxies_alone = !is.tls && !is.proxies.empty();
    if (proxies_alone && asked.peer.address && !is_loopback(asked.peer.address->address) &&
        std::ranges::none_of(is.proxies,
                             [&](const auto& each) { return each.contains(asked.peer.address->address); }))
        return wire::problem(403, "", "only the proxies of web.trusted-proxies may connect here");
    // A page elsewhere may give its own name our address (DNS rebinding); it comes with that name.
    const bool any_name = is.hosts.empty() && (is.tls || !is.proxies.empty());
    if (!any_name && !asked.request.host.empty() && !api::is_our_host(asked.request.host, is.hosts))
        return wire::problem(421, "",
                             is.hosts.empty() ? "this address is for this machine: http://127.0.0.1 or "
                                                "http://localhost; for another name set web.hosts"
                                              : "this name is not ours: web.hosts names those that are");
    return {};
}

/// `is` may change while the site answers.
io::http_site under(const wanted& is, io::http_site site) {
    site.admit = [&is, inner = std::move(site.admit)](const io::http_exchange& asked) {
        auto refused = refusal_of(is, asked);
        return refused || !inner ? std::move(refused) : inner(asked);
    };
    return site;
}

/// With web.read-only nobody changes anything here, but that they come and go.
class showing_gate final : public api::gate {
public:
    showing_gate(api::gate& behind, const settings& set)
        : behind_(behind)
        , set_(set) {}
    std::optional<wire::http_reply> at_the_door(const io::http_exchange& asked, bool open) override {
        return behind_.at_the_door(asked, open);
    }
    io::task<std::expected<api::caller, wire::http_reply>> enter(const io::http_exchange& asked,
                                                                 bool changes) override {
        auto who = co_await behind_.enter(asked, changes);
        const bool leaves = asked.request.path == fmt::format("{}/session", api::root);
        if (who && changes && set_.web_read_only && !leaves) {
            behind_.noted(&*who, asked, 403, "");
            co_return std::unexpected(
                wire::problem(403, "Forbidden", "these pages only show (web.read-only)"));
        }
        co_return who;
    }
    void noted(const api::caller* who, const io::http_exchange& asked, int status,
               std::string_view subject) override {
        behind_.noted(who, asked, status, subject);
    }

private:
    api::gate& behind_;
    const settings& set_;
};

api::parts_on parts_of(const daemon_core& core) {
    return {.domains = core.api->domains != nullptr,
            .publish = core.hosting || core.carrying,
            .reports = takes_reports(core.set),
            .sending = core.sending != nullptr,
            .collect = core.collecting != nullptr,
            .deliver = core.delivering != nullptr,
            .policy_host = !core.set.policy_host_name.empty()};
}

api::doorkeeper_options door_options(daemon_core& core, const wanted& from) {
    api::doorkeeper_options made;
    made.hosts = from.hosts;
    made.proxy_user_header = base::lower(core.set.web_proxy_field);
    made.trusted_proxies = from.proxies;
    made.proxy_role = api::parse_role(core.set.web_proxy_role);
    made.session = std::chrono::hours(core.set.web_session_hours);
    made.keep_audit = std::chrono::hours(24 * core.set.web_audit_days);
    made.days = [] { return policy_time().now(); };
    made.parts = [&core] { return parts_of(core); };
    made.told = [&core](const store::audit_entry& entry, bool refused) {
        if (refused)
            core.metrics.add(base::metric::web_refused, 1,
                             {entry.status == 429             ? "too-often"
                              : entry.status == 403           ? "forbidden"
                              : entry.what == "login refused" ? "login"
                                                              : "unknown"});
        core.log->write(refused ? base::event::web_refused : base::event::web_used,
                        {{"what", entry.what},
                         {"subject", entry.subject},
                         {"who", entry.who},
                         {"from", entry.from},
                         {"status", std::to_string(entry.status)}});
    };
    made.complain = complaints_to(core);
    return made;
}

bool has_display() {
    return std::getenv("DISPLAY") || std::getenv("WAYLAND_DISPLAY");
}

/// The port behind the last colon of an address with one; the usual one otherwise.
std::string_view port_of(std::string_view address) {
    const auto colon = address.rfind(':');
    return address.find_first_not_of("0123456789", colon + 1) == address.npos ? address.substr(colon + 1)
                                                                              : "8460";
}

/// For a person at a terminal.
void greet(const std::string& address, const first_access& access) {
    std::string out = fmt::format("\n  The pages:      {}\n  Log in (once, within the hour):\n"
                                  "                  {}\n",
                                  address, login_url(address, access.link));
    if (!has_display()) {
        std::array<char, 256> host{};
        ::gethostname(host.data(), host.size() - 1);
        const auto port = port_of(address);
        out += fmt::format("  From your desk: ssh -L {}:127.0.0.1:{} {}@{}    then open the link there\n",
                           port, port, person(), host.data());
    }
    if (!access.token_file.empty())
        out += fmt::format("  For programs:   the administrator's token is in {}\n", access.token_file);
    fmt::print(stderr, "{}\n", out);
}

/// The first start says how to come in; at a terminal each does.
io::task<> welcome(daemon_core& core, std::string address) {
    const bool terminal = ::isatty(STDERR_FILENO) == 1;
    auto access = co_await core.asker->run<store::result<first_access>>(
        [set = core.set, terminal, now = core.now()] { return begin_access(set, now, terminal); });
    if (!access) {
        core.log->write(base::event::store_unavailable, {{"error", words(access.error())}});
        co_return;
    }
    if (terminal)
        greet(address, *access);
    else if (access->made)
        core.log->write(base::event::web_first_start, {{"address", address},
                                                       {"link", login_url(address, access->link)},
                                                       {"token-file", access->token_file}});
}

class web_pages final : public pages_part {
public:
    web_pages(daemon_core& core, wanted what, std::optional<publish_settings> say)
        : core_(core)
        , what_(std::move(what))
        , door_(
              core.loop(), core.with->clock,
              [where = store_place(core.set)] { return store::open_access({.where = where}); },
              door_options(core, what_))
        , gate_(door_, core.set)
        , server_(core.loop(), options(core), core.with->clock)
        , plain_(core.loop(), plain_options(core), core.with->clock) {
        if (say) {
            acme_ = std::make_unique<pages_certificates>(core, std::move(*say), what_.acme,
                                                         [this] { io::forget_tickets(certificates_); });
            certificates_.more = [this](std::string_view name, bool acme) {
                return acme_->choose(name, acme);
            };
        }
        plain_.add_site(challenge_answers(
            [this](std::string_view token) { return acme_ ? acme_->token(token) : std::string_view(); }));
        plain_.add_site(way_to_https([this]() -> const auto& { return what_.hosts; }, port_of_tls()));
        // Every name comes to them, so that one that is not ours hears so, and an address is always ours.
        server_.add_site(under(what_, api::make_pages_site(api::built_pages(), {})));
        looks_ = make_look_desk(core);
        core.api->looks = looks_.get();
        core.api->access = &door_;
        api::site_options site;
        site.keeper = &gate_;
        server_.add_site(under(what_, api::make_site(core.api, std::move(site))));
    }
    ~web_pages() override {
        if (lends_)
            core_.certificates.more = {};
    }
    std::expected<void, std::string> open() override {
        if (auto read = read_certificates(core_.set); !read)
            return read;
        if (acme_)
            acme_->load();
        for (const auto& at : what_.at) {
            auto bound = server_.listen(at, what_.tls && at.tcp ? &certificates_ : nullptr);
            if (!bound && what_.by_default) { // the other parts have work to do
                last_error_ = bound.error();
                last_error_at_ = core_.now();
                core_.log->write(base::event::pages_off, {{"error", bound.error()}});
                return {};
            }
            if (!bound)
                return bound;
        }
        for (const auto& at : what_.plain_at)
            if (auto bound = plain_.listen(at, nullptr); !bound)
                return std::unexpected("web.http-listen: " + bound.error());
        // https.listen may have the port 443 that the authority comes to.
        if (acme_ && !core_.certificates.more && !core_.set.https_listen.empty()) {
            core_.certificates.more = [this](std::string_view name, bool acme) {
                return acme ? acme_->choose(name, true) : nullptr;
            };
            lends_ = true;
        }
        running_ = true;
        return {};
    }
    void start() override {
        if (acme_)
            acme_->start();
        core_.loop().spawn(door_.keep());
        if (running_)
            core_.loop().spawn(welcome(core_, address()));
    }
    void stop() override {
        server_.stop();
        plain_.stop();
        if (acme_)
            acme_->stop();
        running_ = false;
        // What is asked just now is written down too, before the door's books are closed.
        core_.loop().spawn([](web_pages& of) -> io::task<> {
            co_await of.server_.drain(io::loop::time_point::max());
            of.door_.stop();
        }(*this));
    }
    bool idle() const override {
        return server_.open_connections() == 0 && plain_.open_connections() == 0 && door_.idle() &&
               (!acme_ || acme_->idle());
    }
    intake::way_status status() const override {
        intake::way_status now;
        now.name = "web";
        auto places = server_.addresses();
        for (const auto& at : plain_.addresses())
            places.push_back("http " + at);
        now.where = base::join(places, ", ");
        now.running = running_;
        now.open = server_.open_connections();
        now.accepted = answered_;
        now.refused = refused_;
        now.last_error = last_error_;
        now.last_error_at = last_error_at_;
        return now;
    }
    bool failing() const override { return false; } // it is on, or it was said at the start why not

    std::string address() const override {
        if (!running_)
            return "";
        const std::string_view scheme = what_.tls ? "https://" : "http://";
        for (const auto& bound : server_.addresses()) {
            const auto at = io::parse_listen_address(bound, default_port);
            if (!at || !at->tcp)
                continue;
            auto host = at->tcp->address.to_string();
            if (!what_.hosts.empty() && what_.tls)
                host = what_.hosts.front();
            else if (host == "0.0.0.0" || host == "::")
                host = at->tcp->address.is_v4() ? "127.0.0.1" : "::1";
            if (host.find(':') != host.npos)
                host = '[' + host + ']';
            const bool usual = at->tcp->port == (what_.tls ? 443 : 80);
            return usual ? fmt::format("{}{}", scheme, host)
                         : fmt::format("{}{}:{}", scheme, host, at->tcp->port);
        }
        return "";
    }
    boost::json::object status_json() const override {
        return {{"listeners", boost::json::value_from(server_.addresses())},
                {"address", address()},
                {"tls", what_.tls},
                {"acme", acme_ ? boost::json::value(acme_->status_json()) : nullptr},
                {"read_only", core_.set.web_read_only},
                {"answered", answered_},
                {"refused", refused_},
                {"last_error", base::printable(last_error_)}};
    }
    void refresh_metrics(base::metrics& to) const override {
        to.set(base::metric::web_connections, static_cast<double>(server_.open_connections()));
        if (acme_ && !core_.carrying) // else it tells of all of them
            tell_orders(to, {acme_->counted()});
    }
    std::vector<io::tls_server::loaded> certificates() const override { return certificates_.certificates(); }
    std::vector<insight::alarm> alarms() const override {
        return acme_ ? acme_->alarms() : std::vector<insight::alarm>();
    }
    pages_certificates* orders() override { return acme_.get(); }
    std::expected<void, std::string> prepare_change(const settings& to, bool certificates) override {
        auto fresh = wanted_of(to);
        if (!fresh)
            return std::unexpected(fresh.error());
        if (certificates)
            if (auto read = read_certificates(to); !read)
                return read;
        next_ = std::move(*fresh);
        return {};
    }
    void change() override {
        what_.hosts = std::move(next_.hosts);
        what_.acme = std::move(next_.acme);
        if (acme_)
            acme_->set_names(what_.acme);
        door_.change(door_options(core_, what_));
    }

private:
    std::expected<void, std::string> read_certificates(const settings& from) {
        if (!what_.tls || acme_) // what is bound plain stays so until a restart
            return {};
        if (auto loaded = certificates_.load(certificate_files(from.web_certificates)); !loaded)
            return std::unexpected("web.tls-certificates: " + loaded.error());
        return {};
    }

    /// Where a browser is led from plain HTTP.
    std::uint16_t port_of_tls() const {
        for (const auto& at : what_.at)
            if (at.tcp && at.tcp->port == https_port)
                return https_port;
        for (const auto& at : what_.at)
            if (at.tcp)
                return at.tcp->port;
        return https_port;
    }
    io::http_server_options plain_options(daemon_core& core) {
        io::http_server_options made;
        made.listening.complain = complaints_to(core);
        return made;
    }
    io::http_server_options options(daemon_core& core) {
        io::http_server_options made;
        made.trusted_proxies = what_.proxies;
        made.listening.unlimited = what_.proxies;
        made.listening.complain = complaints_to(core);
        made.fields = api::protecting_fields();
        made.tls_fields = api::protecting_tls_fields();
        made.served = [this](const io::http_exchange& asked, const wire::http_reply& reply, auto) {
            const bool api = asked.request.path.starts_with(api::root);
            ++(reply.status < 400 ? answered_ : refused_);
            core_.metrics.add(base::metric::web_requests, 1,
                              {api ? "api" : "pages", fmt::format("{}xx", reply.status / 100)});
        };
        return made;
    }

    daemon_core& core_;
    wanted what_;
    api::doorkeeper door_;
    showing_gate gate_;
    std::unique_ptr<api::look_desk> looks_;
    io::tls_server certificates_;
    std::unique_ptr<pages_certificates> acme_;
    io::http_server server_, plain_;
    wanted next_; ///< prepared
    std::uint64_t answered_ = 0, refused_ = 0;
    std::string last_error_;
    base::utc_seconds last_error_at_{};
    bool running_ = false, lends_ = false;
};

} // namespace

std::expected<std::unique_ptr<pages_part>, std::string> make_pages_part(daemon_core& core) {
    auto what = wanted_of(core.set);
    if (!what)
        return std::unexpected(what.error());
    std::optional<publish_settings> say;
    if (core.set.web_acme) {
        auto read = publish_settings_of(core.set);
        if (!read)
            return std::unexpected(read.error());
        say = std::move(*read);
    }
    return std::make_unique<web_pages>(core, std::move(*what), std::move(say));
}

} // namespace mailtight::app
