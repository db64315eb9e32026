// SPDX-License-Identifier: Apache-2.0
// The pages and the API beside them, on one listener of their own. It is on by default, for this machine
// alone: an address that somebody else has is an error only where it was asked for.
#include "api/doorkeeper.h"
#include "api/pages_site.h"
#include "api/site.h"
#include "app/certificate_desk.h"
#include "app/look_desk.h"
#include "app/pages_certificates.h"
#include "app/pages_part.h"
#include "app/plain_sites.h"
#include "app/policy_time.h"
#include "app/store_access.h"
#include "app/web_welcome.h"
#include "app/web_wish.h"
#include "base/text.h"
#include "io/tls_tickets.h"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace mailtight::app {

namespace {

constexpr std::uint16_t https_port = 443;

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

api::doorkeeper_options door_options(daemon_core& core, const web_wish& from) {
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

class web_pages final : public pages_part {
public:
    web_pages(daemon_core& core, web_wish what, std::optional<publish_settings> say)
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
            const auto at = io::parse_listen_address(bound, web_port);
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
        auto fresh = web_wish_of(to);
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
    web_wish what_;
    api::doorkeeper door_;
    showing_gate gate_;
    std::unique_ptr<api::look_desk> looks_;
    io::tls_server certificates_;
    std::unique_ptr<pages_certificates> acme_;
    io::http_server server_, plain_;
    web_wish next_; ///< prepared
    std::uint64_t answered_ = 0, refused_ = 0;
    std::string last_error_;
    base::utc_seconds last_error_at_{};
    bool running_ = false, lends_ = false;
};

} // namespace

std::expected<std::unique_ptr<pages_part>, std::string> make_pages_part(daemon_core& core) {
    auto what = web_wish_of(core.set);
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
