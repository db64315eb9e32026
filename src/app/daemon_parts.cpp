// SPDX-License-Identifier: Apache-2.0
// Which parts there are: each way in of intake/ with its section of the configuration, and /metrics.
#include "app/daemon_core.h"

#include "app/pages_part.h"
#include "app/publish_part.h"
#include "app/reports_part.h"
#include "app/sending_part.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::app {

namespace {

class mail_part final : public part {
public:
    mail_part(daemon_core& core, bool lmtp, const io::listen_address& at)
        : intake_(core.loop(), *core.keeper, core.book, core.with->clock, options(core, lmtp, at)) {}
    std::expected<void, std::string> open() override { return intake_.start(); }
    void stop() override { intake_.stop(); }
    bool idle() const override { return intake_.status().open == 0; }
    intake::way_status status() const override { return intake_.status(); }

private:
    static intake::smtp_intake_options options(daemon_core& core, bool lmtp, const io::listen_address& at) {
        intake::smtp_intake_options made;
        made.lmtp = lmtp;
        made.at = at;
        made.protocol.lmtp = lmtp;
        made.listening.complain = complaints_to(core);
        made.protocol.host_name =
            core.set.smtp_hostname.empty() ? core.with->probes.ehlo_name : core.set.smtp_hostname;
        if (!lmtp && !core.certificates.certificates().empty()) {
            made.tls = &core.certificates;
            made.protocol.offer_starttls = true;
            made.protocol.require_starttls = core.set.smtp_require_tls;
        }
        if (lmtp) { // one's own mail server hands over everybody's mail
            made.no_limit = {*base::ip_network::parse("127.0.0.0/8"), *base::ip_network::parse("::1")};
            made.listening.unlimited = made.no_limit;
        }
        return made;
    }
    intake::smtp_intake intake_;
};

/// Every HTTPS address, and the sites on them.
class web_part final : public part {
public:
    struct address {
        io::listen_address at;
        bool tls;
    };
    web_part(daemon_core& core, std::vector<address> at, io::http_server_options options)
        : core_(core)
        , at_(std::move(at))
        , status_(std::make_shared<intake::way_status>())
        , server_(core.loop(), std::move(options), core.with->clock) {
        intake::http_intake_options site;
        site.hosts = core.set.https_hosts;
        status_->name = "https";
        server_.add_site(intake::report_site(core.loop(), *core.keeper, core.book, core.with->clock,
                                             std::move(site), status_));
        core.web = &server_;
    }
    ~web_part() override { core_.web = nullptr; }
    std::expected<void, std::string> open() override {
        for (const auto& each : at_)
            if (auto bound = server_.listen(each.at, each.tls ? &core_.certificates : nullptr); !bound)
                return bound;
        status_->where = base::join(server_.addresses(), ", ");
        status_->running = true;
        return {};
    }
    void stop() override {
        server_.stop();
        status_->running = false;
    }
    bool idle() const override { return server_.open_connections() == 0; }
    intake::way_status status() const override {
        auto now = *status_;
        now.open = server_.open_connections();
        return now;
    }

private:
    daemon_core& core_;
    std::vector<address> at_;
    std::shared_ptr<intake::way_status> status_;
    io::http_server server_;
};

class folder_part final : public part {
public:
    folder_part(daemon_core& core, intake::folder_intake_options options)
        : core_(core)
        , intake_(core.loop(), *core.keeper, core.with->clock, std::move(options)) {}
    std::expected<void, std::string> open() override { return {}; }
    void start() override { core_.loop().spawn(intake_.run()); }
    void stop() override { intake_.stop(); }
    bool failing() const override { return errs(intake_.status()); }
    intake::way_status status() const override { return intake_.status(); }

private:
    daemon_core& core_;
    intake::folder_intake intake_;
};

class metrics_part final : public part {
public:
    metrics_part(daemon_core& core, io::listen_address at)
        : core_(core)
        , at_(std::move(at))
        , server_(core.loop(), options(core), core.with->clock) {
        io::http_site site;
        site.name = "metrics";
        site.prefix = "/metrics";
        site.body_bytes = 0;
        site.handle = [this](io::http_exchange asked) { return answer(std::move(asked)); };
        server_.add_site(std::move(site));
    }
    std::expected<void, std::string> open() override {
        auto bound = server_.listen(at_, nullptr);
        if (bound)
            where_ = base::join(server_.addresses(), ", ");
        return bound;
    }
    void stop() override { server_.stop(); }
    bool idle() const override { return server_.open_connections() == 0; }
    bool is_way_in() const override { return false; }
    intake::way_status status() const override {
        intake::way_status now;
        now.name = "metrics";
        now.where = where_;
        now.running = !where_.empty();
        now.open = server_.open_connections();
        return now;
    }

private:
    static io::http_server_options options(daemon_core& core) {
        io::http_server_options made;
        made.listening.complain = complaints_to(core);
        return made;
    }
    io::task<wire::http_reply> answer(io::http_exchange asked) {
        if (asked.request.method != "GET" && asked.request.method != "HEAD") {
            auto refused = wire::problem(405, "Method Not Allowed", "GET /metrics");
            refused.fields.emplace_back("Allow", "GET, HEAD"); // RFC 9110 §15.5.6
            co_return refused;
        }
        refresh_metrics(core_);
        wire::http_reply reply;
        reply.media_type = "text/plain; version=0.0.4; charset=utf-8";
        reply.body = core_.metrics.expose();
        co_return reply;
    }
    daemon_core& core_;
    io::listen_address at_;
    std::string where_;
    io::http_server server_;
};

} // namespace

std::expected<std::vector<base::ip_network>, std::string> networks(std::string_view key,
                                                                   const std::vector<std::string>& texts) {
    std::vector<base::ip_network> all;
    for (const auto& text : texts) {
        auto network = base::ip_network::parse(text);
        if (!network)
            return std::unexpected(
                fmt::format("{}: '{}' is no network such as 127.0.0.0/8", key, base::printable(text)));
        all.push_back(*network);
    }
    return all;
}

std::function<void(std::string_view)> complaints_to(daemon_core& core) {
    return [&core](std::string_view what) {
        core.log->write(base::event::listener_trouble, {{"error", std::string(what)}});
    };
}

std::expected<io::listen_address, std::string> listen_at(std::string_view key, const std::string& text,
                                                         std::uint16_t default_port) {
    auto at = io::parse_listen_address(text, default_port);
    if (!at)
        return std::unexpected(fmt::format("{}: {}", key, at.error()));
    return at;
}

bool takes_reports(const settings& from) {
    return !from.lmtp_listen.empty() || !from.smtp_listen.empty() || !from.https_listen.empty() ||
           !from.plain_listen.empty() || !from.maildir_path.empty() || !from.mbox_path.empty() ||
           !from.imap_host.empty();
}

std::vector<io::tls_server::pair> certificate_files(const std::vector<std::string>& texts) {
    std::vector<io::tls_server::pair> pairs;
    for (const auto& text : texts) {
        const auto gap = text.find(' ');
        pairs.push_back({text.substr(0, gap), gap == std::string::npos ? text : text.substr(gap + 1)});
    }
    return pairs;
}

std::expected<std::unique_ptr<part>, std::string> make_metrics_part(daemon_core& core) {
    auto at = listen_at("metrics.listen", core.set.metrics_listen, 9465);
    if (!at)
        return std::unexpected(at.error());
    return std::make_unique<metrics_part>(core, *at);
}

std::expected<std::vector<std::unique_ptr<part>>, std::string> make_parts(daemon_core& core) {
    std::vector<std::unique_ptr<part>> parts;
    const auto& set = core.set;
    for (const auto& text : set.lmtp_listen) {
        auto at = listen_at("lmtp.listen", text, 24);
        if (!at)
            return std::unexpected(at.error());
        parts.push_back(std::make_unique<mail_part>(core, true, *at));
    }
    for (const auto& text : set.smtp_listen) {
        auto at = listen_at("smtp.listen", text, 25);
        if (!at)
            return std::unexpected(at.error());
        if (set.smtp_require_tls && set.tls_certificates.empty())
            return std::unexpected("smtp.require-tls needs serve.tls-certificates");
        parts.push_back(std::make_unique<mail_part>(core, false, *at));
    }
    std::vector<web_part::address> web;
    for (const auto& text : set.https_listen) {
        auto at = listen_at("https.listen", text, 443);
        if (!at)
            return std::unexpected(at.error());
        if (set.tls_certificates.empty())
            return std::unexpected("https.listen needs serve.tls-certificates; behind a proxy that speaks "
                                   "TLS, use https.plain-listen");
        web.push_back({*at, true});
    }
    for (const auto& text : set.plain_listen) {
        auto at = listen_at("https.plain-listen", text, 80);
        if (!at)
            return std::unexpected(at.error());
        web.push_back({*at, false});
    }
    if (!web.empty()) {
        io::http_server_options options;
        auto proxies = networks("https.trusted-proxies", set.trusted_proxies);
        if (!proxies)
            return std::unexpected(proxies.error());
        options.trusted_proxies = *proxies;
        options.listening.unlimited = *proxies;
        options.listening.complain = complaints_to(core);
        parts.push_back(std::make_unique<web_part>(core, std::move(web), std::move(options)));
    }
    for (const bool maildir : {true, false}) {
        const auto& path = maildir ? set.maildir_path : set.mbox_path;
        if (path.empty())
            continue;
        intake::folder_intake_options options;
        (maildir ? options.maildir : options.mbox) = path;
        options.after = set.maildir_after;
        parts.push_back(std::make_unique<folder_part>(core, std::move(options)));
    }
    if (!set.imap_host.empty()) {
        auto made = make_imap_part(core);
        if (!made)
            return std::unexpected(made.error());
        parts.push_back(std::move(*made));
    }
    if (serves_policies(set)) {
        auto made = make_resolve_part(core);
        if (!made)
            return std::unexpected(made.error());
        core.sending = made->get();
        parts.push_back(std::move(*made));
    }
    if (collects_results(set)) {
        auto made = make_collect_part(core);
        if (!made)
            return std::unexpected(made.error());
        core.collecting = made->get();
        parts.push_back(std::move(*made));
    }
    if (sends_reports(set)) {
        auto made = make_deliver_part(core);
        if (!made)
            return std::unexpected(made.error());
        core.delivering = made->get();
        parts.push_back(std::move(*made));
    }
    if (hosts_policies(set)) {
        auto made = make_hosting_part(core);
        if (!made)
            return std::unexpected(made.error());
        core.hosting = made->get();
        parts.push_back(std::move(*made));
    }
    if (carries_out(set)) {
        auto made = make_carrying_part(core);
        if (!made)
            return std::unexpected(made.error());
        core.carrying = made->get();
        parts.push_back(std::move(*made));
    }
    if (!set.web_listen.empty()) {
        auto made = make_pages_part(core);
        if (!made)
            return std::unexpected(made.error());
        core.pages = made->get();
        parts.push_back(std::move(*made));
    }
    if (!set.metrics_listen.empty()) {
        auto made = make_metrics_part(core);
        if (!made)
            return std::unexpected(made.error());
        parts.push_back(std::move(*made));
    }
    if (set.control_socket != "off")
        parts.push_back(make_control_part(core));
    return parts;
}

} // namespace mailtight::app
