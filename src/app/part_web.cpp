// SPDX-License-Identifier: Apache-2.0
// The pages and the API beside them, on one listener of their own. It is on by default, for this machine
// alone: an address that somebody else has is an error only where it was asked for.
#include "api/pages_site.h"
#include "api/site.h"
#include "app/access_desk.h"
#include "app/look_desk.h"
#include "app/pages_part.h"
#include "base/text.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace mailtight::app {

namespace {

constexpr std::uint16_t default_port = 8460;

bool is_loopback(const base::ip_address& address) {
    static const std::array here = {*base::ip_network::parse("127.0.0.0/8"), *base::ip_network::parse("::1")};
    return std::ranges::any_of(here, [&](const auto& each) { return each.contains(address); });
}

bool is_loopback(const io::listen_address& at) {
    return !at.tcp || is_loopback(at.tcp->address);
}

struct wanted {
    std::vector<io::listen_address> at;
    std::vector<base::ip_network> proxies;
    std::vector<std::string> hosts;
    bool tls = false;
    bool by_default = false; ///< nobody asked for the address
};

std::expected<wanted, std::string> wanted_of(const settings& set) {
    wanted all;
    auto proxies = networks("web.trusted-proxies", set.web_proxies);
    if (!proxies)
        return std::unexpected(proxies.error());
    all.proxies = std::move(*proxies);
    all.tls = !set.web_certificates.empty();
    all.by_default = set.web_listen == settings().web_listen;
    for (const auto& host : set.web_hosts)
        all.hosts.push_back(base::lower(host));
    for (const auto& text : set.web_listen) {
        auto at = listen_at("web.listen", text, default_port);
        if (!at)
            return std::unexpected(at.error());
        if (!is_loopback(*at) && !all.tls && all.proxies.empty())
            return std::unexpected(fmt::format(
                "web.listen: {} can be reached from other machines, and passwords would cross the network in "
                "the clear. Set web.tls-certificates; or web.trusted-proxies, where a proxy in front speaks "
                "TLS; or stay with 127.0.0.1:8460 and come by `ssh -L 8460:127.0.0.1:8460`",
                base::printable(text)));
        all.at.push_back(std::move(*at));
    }
    return all;
}

/// The refusal of a request that was not meant for us, before anything of it is looked at.
class house_rules {
public:
    explicit house_rules(const wanted& from)
        : proxies_(from.proxies)
        , any_name_(!from.hosts.empty() || from.tls || !from.proxies.empty())
        , proxies_alone_(!from.tls && !from.proxies.empty()) {}

    std::optional<wire::http_reply> refuses(const io::http_exchange& asked) const {
        // Without TLS only the proxy in front may connect, and this machine.
        if (proxies_alone_ && asked.peer.address && !is_loopback(asked.peer.address->address) &&
            std::ranges::none_of(
                proxies_, [&](const auto& each) { return each.contains(asked.peer.address->address); }))
            return wire::problem(403, "", "only the proxies of web.trusted-proxies may connect here");
        // A page elsewhere may give its own name our address (DNS rebinding); it comes with that name.
        if (!any_name_ && !is_local_name(asked.request.host))
            return wire::problem(
                421, "",
                "this address is for this machine: http://127.0.0.1 or http://localhost; for "
                "another name set web.hosts");
        return {};
    }

private:
    static bool is_local_name(std::string_view host) {
        if (host.starts_with('[') && host.ends_with(']'))
            host = host.substr(1, host.size() - 2);
        return host.empty() || host == "localhost" || base::ip_address::parse(host);
    }
    std::vector<base::ip_network> proxies_;
    bool any_name_, proxies_alone_;
};

io::http_site under(std::shared_ptr<const house_rules> rules, io::http_site site) {
    site.admit = [rules = std::move(rules), inner = std::move(site.admit)](const io::http_exchange& asked) {
        auto refused = rules->refuses(asked);
        return refused || !inner ? std::move(refused) : inner(asked);
    };
    return site;
}

class web_pages final : public pages_part {
public:
    web_pages(daemon_core& core, wanted what, std::unique_ptr<api::doorkeeper> access)
        : core_(core)
        , what_(std::move(what))
        , access_(std::move(access))
        , looks_(make_look_desk(core))
        , server_(core.loop(), options(core), core.with->clock) {
        const auto rules = std::make_shared<const house_rules>(what_);
        server_.add_site(under(rules, api::make_pages_site(api::built_pages(), what_.hosts)));
        api::site_options site;
        site.hosts = what_.hosts;
        site.keeper = access_.get();
        site.read_only = core.set.web_read_only;
        core.api->access = access_.get();
        core.api->looks = looks_.get();
        server_.add_site(under(rules, api::make_site(core.api, std::move(site))));
    }
    ~web_pages() override {
        core_.api->access = nullptr;
        core_.api->looks = nullptr;
    }
    void start() override {
        core_.loop().spawn(access_->keep());
        if (running_)
            core_.loop().spawn(welcome(core_, address()));
    }
    std::expected<void, std::string> open() override {
        if (auto read = read_certificates(core_.set); !read)
            return read;
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
        running_ = true;
        return {};
    }
    void stop() override {
        server_.stop();
        access_->stop();
        running_ = false;
    }
    bool idle() const override { return server_.open_connections() == 0 && access_->idle(); }
    intake::way_status status() const override {
        intake::way_status now;
        now.name = "web";
        now.where = base::join(server_.addresses(), ", ");
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
                {"read_only", core_.set.web_read_only},
                {"answered", answered_},
                {"refused", refused_},
                {"last_error", base::printable(last_error_)}};
    }
    void refresh_metrics(base::metrics& to) const override {
        to.set(base::metric::web_connections, static_cast<double>(server_.open_connections()));
    }
    std::expected<void, std::string> read_certificates(const settings& from) override {
        if (!what_.tls) // what is bound plain stays so until a restart
            return {};
        if (auto loaded = certificates_.load(certificate_files(from.web_certificates)); !loaded)
            return std::unexpected("web.tls-certificates: " + loaded.error());
        return {};
    }

private:
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
    std::unique_ptr<api::doorkeeper> access_;
    std::unique_ptr<api::look_desk> looks_;
    io::tls_server certificates_;
    io::http_server server_;
    std::uint64_t answered_ = 0, refused_ = 0;
    std::string last_error_;
    base::utc_seconds last_error_at_{};
    bool running_ = false;
};

} // namespace

std::expected<std::unique_ptr<pages_part>, std::string> make_pages_part(daemon_core& core) {
    auto what = wanted_of(core.set);
    if (!what)
        return std::unexpected(what.error());
    auto access = make_access(core);
    if (!access)
        return std::unexpected(access.error());
    return std::make_unique<web_pages>(core, std::move(*what), std::move(*access));
}

} // namespace mailtight::app
