// SPDX-License-Identifier: Apache-2.0
// The policy host in the daemon: what the store publishes is in memory before the first listener is bound,
// and follows the store by its change numbers, so that of several machines each serves the same within half a
// second. A database that is away stops no answer.
#include "app/hosted_memory.h"
#include "app/policy_time.h"
#include "app/publish_part.h"
#include "app/store_access.h"
#include "base/text.h"
#include "publish/policy_session.h"
#include "publish/policy_site.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <utility>

namespace mailtight::app {

namespace {

using namespace std::chrono_literals;

constexpr auto turn = 250ms;        ///< between two looks at the store
constexpr auto flush_fetches = 60s; ///< counts of fetches are written so often
constexpr auto look_at_folder = 10s;

class publish_part final : public hosting_part {
public:
    publish_part(daemon_core& core, std::vector<base::ip_network> proxies)
        : core_(core)
        , host_({})
        , memory_(host_, !core.set.certificate_folder.empty(),
                  [this](const std::string& what) { trouble(what); })
        , sessions_(host_, &fetches_, policy_time(), {.limits = {}, .trusted_proxies = proxies})
        , worker_(std::make_unique<io::worker>(core.loop(), "host"))
        , reader_(std::make_shared<news_reader>())
        , secure_(
              core.loop(), secure_options(core),
              [this](std::string_view name, bool acme) { return host_.choose(name, acme); },
              sessions_.over_tls())
        , plain_(core.loop(), plain_options(core), sessions_.behind_proxy())
        , challenges_(core.loop(), plain_options(core), sessions_.challenges())
        , ask_(core.loop(), plain_options(core), sessions_.ask()) {
        if (!core.set.certificate_folder.empty())
            folder_ = std::make_shared<publish::certificate_folder>(core.set.certificate_folder);
    }
    ~publish_part() override {
        core_.certificates.more = {};
        core_.hosting = nullptr;
    }

    std::expected<void, std::string> open() override {
        core_.loop().block_on(load());
        for (const auto& text : core_.set.publish_listen) {
            if (text == "https") { // shared with the report endpoint
                if (!core_.web)
                    return std::unexpected("publish.listen: \"https\" needs https.listen");
                core_.certificates.more = [this](std::string_view name, bool acme) {
                    return host_.choose(name, acme);
                };
                core_.web->add_site(publish::policy_site(host_, &fetches_, policy_time()));
                core_.web->add_site(publish::challenge_site(host_));
                shared_ = true;
                continue;
            }
            auto at = listen_at("publish.listen", text, 443);
            if (!at)
                return std::unexpected(at.error());
            if (auto bound = secure_.listen(*at); !bound)
                return std::unexpected("publish.listen: " + bound.error());
        }
        struct plain_listener {
            std::string_view key;
            const std::vector<std::string>& at;
            std::uint16_t port;
            io::request_server& by;
        };
        const plain_listener all[] = {{"publish.plain-listen", core_.set.publish_plain_listen, 8080, plain_},
                                      {"publish.http-listen", core_.set.publish_http_listen, 80, challenges_},
                                      {"publish.ask-listen", core_.set.ask_listen, 8081, ask_}};
        for (const auto& each : all)
            for (const auto& text : each.at) {
                auto at = listen_at(each.key, text, each.port);
                if (!at)
                    return std::unexpected(at.error());
                if (auto bound = each.by.listen(*at); !bound)
                    return std::unexpected(fmt::format("{}: {}", each.key, bound.error()));
            }
        running_ = true;
        return {};
    }
    void start() override {
        core_.loop().spawn(follow());
        if (folder_)
            core_.loop().spawn(follow_folder());
    }
    void stop() override {
        secure_.stop();
        plain_.stop();
        challenges_.stop();
        ask_.stop();
        running_ = false;
    }
    bool idle() const override { return connections() == 0 && !busy_; }
    io::task<> drain(io::loop::time_point) override {
        if (reader_->kept) // else nothing can be written
            co_await write_fetches();
    }
    bool failing() const override { return !running_ || away_; }
    intake::way_status status() const override {
        intake::way_status now;
        now.name = "publish";
        std::vector<std::string> places;
        for (const auto& [word, at] : addresses())
            places.push_back(word.empty() ? at : word + " " + at);
        now.where = base::join(places, ", ");
        now.running = running_;
        const auto counted = sessions_.counted();
        now.accepted = counted.given + counted.challenges;
        now.refused = counted.not_found + counted.refused;
        now.open = connections();
        now.last_error = last_error_;
        now.last_error_at = last_error_at_;
        now.last_success = last_success_;
        return now;
    }

    const publish::policy_host& host() const override { return host_; }
    std::chrono::milliseconds spread() const override { return 2 * turn + 100ms; }

    boost::json::object status_json() const override {
        const auto size = host_.size();
        const auto counted = sessions_.counted();
        const auto shakes = secure_.counted();
        boost::json::array listening;
        for (const auto& [word, at] : addresses())
            listening.push_back(boost::json::object{{"kind", word.empty() ? "https" : word}, {"where", at}});
        return {{"listeners", std::move(listening)},
                {"policies", size.policies},
                {"certificates", size.certificates},
                {"given", counted.given},
                {"not_found", counted.not_found},
                {"refused", counted.refused},
                {"challenges", counted.challenges},
                {"handshakes", shakes.handshakes},
                {"unknown_name", shakes.unknown_name},
                {"failed_handshakes", shakes.failed},
                {"store_away", away_},
                {"last_error", base::printable(last_error_)}};
    }

    void refresh_metrics(base::metrics& to) const override {
        using base::metric;
        const auto number = [](auto value) { return static_cast<double>(value); };
        const auto size = host_.size();
        const auto counted = sessions_.counted();
        const auto shakes = secure_.counted();
        to.set(metric::hosted_policies, number(size.policies));
        to.set(metric::hosted_certificates, number(size.certificates));
        to.set(metric::hosted_answers, number(counted.given), {"policy"});
        to.set(metric::hosted_answers, number(counted.not_found), {"not-found"});
        to.set(metric::hosted_answers, number(counted.refused), {"refused"});
        to.set(metric::hosted_answers, number(counted.challenges), {"challenge"});
        to.set(metric::hosted_handshakes, number(shakes.handshakes), {"done"});
        to.set(metric::hosted_handshakes, number(shakes.unknown_name), {"unknown-name"});
        to.set(metric::hosted_handshakes, number(shakes.failed), {"failed"});
        to.set(metric::hosted_handshakes, number(shakes.acme), {"acme"});
        to.set(metric::hosted_connections, number(connections()));
        memory_.tell_ends(to, core_.now());
    }
    std::vector<folder_certificate> from_folder() const override { return memory_.from_folder(); }
    std::vector<insight::alarm> alarms() const override { return memory_.alarms(); }

private:
    static io::secure_server_options secure_options(daemon_core& core) {
        io::secure_server_options made;
        made.listening.complain = complaints_to(core);
        return made;
    }
    static io::request_server_options plain_options(daemon_core& core) {
        io::request_server_options made;
        made.listening.complain = complaints_to(core);
        return made;
    }
    std::size_t connections() const {
        return secure_.open_connections() + plain_.open_connections() + challenges_.open_connections() +
               ask_.open_connections();
    }
    std::vector<std::pair<std::string, std::string>> addresses() const {
        std::vector<std::pair<std::string, std::string>> all;
        if (shared_)
            all.emplace_back("", "with https");
        for (const auto& [word, at] : {std::pair<std::string, std::string>{"", secure_.address()},
                                       {"plain", plain_.address()},
                                       {"challenges", challenges_.address()},
                                       {"ask", ask_.address()}})
            if (!at.empty())
                all.emplace_back(word, at);
        return all;
    }

    void trouble(const std::string& words) {
        if (words != last_error_ || core_.now() - last_error_at_ > std::chrono::minutes(10))
            core_.log->write(base::event::hosting_trouble, {{"error", base::printable(words, 500)}});
        last_error_ = words;
        last_error_at_ = core_.now();
    }

    io::task<store::result<published_news>> next() {
        const auto seal = core_.seal;
        return worker_->run<store::result<published_news>>(
            [by = reader_, where = store_place(core_.set), seal, now = core_.now()] {
                return read_news(*by, where, seal.get(), now);
            });
    }

    /// Everything, before the first listener is bound.
    io::task<> load() {
        for (bool more = true; more;) {
            auto fresh = co_await next();
            if (!fresh) {
                away_ = true;
                trouble(words(fresh.error()));
                co_return;
            }
            more = fresh->more;
            memory_.take(std::move(*fresh), core_.now());
        }
        if (folder_)
            co_await look_into_folder();
        const auto size = host_.size();
        core_.log->write(base::event::hosting_loaded, {{"policies", std::to_string(size.policies)},
                                                       {"certificates", std::to_string(size.certificates)}});
        last_success_ = core_.now();
    }

    io::task<> follow() {
        auto flush = core_.loop().now() + flush_fetches;
        bool more = false;
        for (;;) {
            if (!more)
                co_await core_.loop().sleep_for(turn);
            if (core_.stop->is_set())
                co_return;
            busy_ = true;
            auto fresh = co_await next();
            more = fresh && fresh->more;
            if (fresh) {
                memory_.take(std::move(*fresh), core_.now());
                away_ = false;
                last_success_ = core_.now();
            } else {
                away_ = true;
                trouble(words(fresh.error()));
            }
            if (core_.loop().now() >= flush && !away_) {
                co_await write_fetches();
                flush = core_.loop().now() + flush_fetches;
            }
            busy_ = false;
            if (away_)
                co_await core_.loop().sleep_for(1s);
        }
    }

    io::task<> write_fetches() {
        auto batch = fetches_.take();
        if (batch.empty())
            co_return;
        auto written = co_await worker_->run<store::result<void>>([by = reader_, batch = std::move(batch)] {
            return by->kept ? by->kept->count_fetches(batch) : store::result<void>();
        });
        if (!written)
            trouble(words(written.error()));
    }

    io::task<> look_into_folder() {
        memory_.take(co_await worker_->run<publish::certificate_folder::changes>(
            [folder = folder_] { return folder->look(); }));
    }
    io::task<> follow_folder() {
        while (!core_.stop->is_set()) {
            co_await core_.loop().sleep_for(look_at_folder);
            co_await look_into_folder();
        }
    }

    daemon_core& core_;
    publish::policy_host host_;
    hosted_memory memory_;
    publish::fetch_counter fetches_;
    publish::policy_sessions sessions_;
    std::unique_ptr<io::worker> worker_;
    std::shared_ptr<news_reader> reader_;
    std::shared_ptr<publish::certificate_folder> folder_;
    io::secure_server secure_;
    io::request_server plain_, challenges_, ask_;
    std::string last_error_;
    base::utc_seconds last_error_at_{}, last_success_{};
    bool running_ = false, away_ = false, busy_ = false, shared_ = false;
};

} // namespace

std::expected<std::unique_ptr<hosting_part>, std::string> make_hosting_part(daemon_core& core) {
    std::vector<base::ip_network> proxies;
    for (const auto& text : core.set.trusted_proxies) {
        auto network = base::ip_network::parse(text);
        if (!network)
            return std::unexpected(fmt::format(
                "https.trusted-proxies: '{}' is no network such as 127.0.0.0/8", base::printable(text)));
        proxies.push_back(*network);
    }
    return std::make_unique<publish_part>(core, std::move(proxies));
}

} // namespace mailtight::app
