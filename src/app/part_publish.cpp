// SPDX-License-Identifier: Apache-2.0
// The policy host in the daemon: what the store publishes is in memory before the first listener is bound,
// and follows the store by its change numbers, so that of several machines each serves the same within half a
// second. A database that is away stops no answer.
#include "app/policy_time.h"
#include "app/publish_part.h"
#include "app/store_access.h"
#include "base/text.h"
#include "publish/certificate_folder.h"
#include "publish/challenge.h"
#include "publish/policy_session.h"
#include "publish/policy_site.h"
#include "publish/renewal.h"
#include "store/domains.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

namespace mailtight::app {

namespace {

using namespace std::chrono_literals;

constexpr auto turn = 250ms;        ///< between two looks at the store
constexpr auto flush_fetches = 60s; ///< counts of fetches are written so often
constexpr auto look_at_folder = 10s;
constexpr auto renewal_patience = 24h; ///< after its moment a renewal is overdue
constexpr std::size_t page = 10'000;
constexpr std::string_view host_prefix = "mta-sts.";

struct opened_certificate {
    std::string name, chain, key;
    base::utc_seconds not_before{}, not_after{};
    base::utc_seconds renew_at{};
    std::string file; ///< of certificates.folder
    bool gone = false;
};

/// What the store has that the memory has not.
struct news {
    std::vector<model::publication> policies;
    std::vector<opened_certificate> certificates;
    std::vector<store::challenge_answer> answers;
    std::vector<std::string> troubles;
    bool more = false;
};

struct folder_news {
    publish::certificate_folder::changes found;
};

/// What the worker's thread holds.
struct reader {
    std::unique_ptr<store::domain_store> kept;
    std::int64_t policies = 0, certificates = 0;
};

store::result<news> read_news(reader& by, const std::string& where, const base::sealing_key* seal,
                              base::utc_seconds now) {
    if (!by.kept) {
        auto opened = store::open_domains({.where = where});
        if (!opened)
            return std::unexpected(opened.error());
        by.kept = std::move(*opened);
    }
    news out;
    auto policies = by.kept->published_after(by.policies, page);
    if (!policies)
        return std::unexpected(policies.error());
    auto certificates = by.kept->certificates_after(by.certificates, page);
    if (!certificates)
        return std::unexpected(certificates.error());
    auto answers = by.kept->challenges(now);
    if (!answers)
        return std::unexpected(answers.error());
    out.policies = std::move(*policies);
    out.answers = std::move(*answers);
    for (const auto& each : out.policies)
        by.policies = std::max(by.policies, each.change);
    out.more = out.policies.size() == page || certificates->size() == page;
    for (auto& each : *certificates) {
        by.certificates = std::max(by.certificates, each.change);
        if (!each.name.starts_with(host_prefix))
            continue; // of the pages
        opened_certificate one{
            .name = each.name,
            .chain = {},
            .key = {},
            .not_before = each.not_before,
            .not_after = each.not_after,
            .renew_at = each.renew_at.value_or(publish::by_lifetime(each.not_before, each.not_after)),
            .file = {},
            .gone = each.gone};
        if (!each.gone) {
            auto key = seal
                           ? seal->open(publish::certificate_seal_name(each.name), each.sealed_key)
                           : std::expected<std::string, std::string>(std::unexpected("there is no key file"));
            if (!key) {
                out.troubles.push_back(fmt::format("the key of {}: {}", each.name, key.error()));
                continue;
            }
            one.chain = std::move(each.chain);
            one.key = std::move(*key);
        }
        out.certificates.push_back(std::move(one));
    }
    return out;
}

class publish_part final : public hosting_part {
public:
    publish_part(daemon_core& core, std::vector<base::ip_network> proxies)
        : core_(core)
        , host_({})
        , sessions_(host_, &fetches_, policy_time(), {.limits = {}, .trusted_proxies = proxies})
        , worker_(std::make_unique<io::worker>(core.loop(), "host"))
        , reader_(std::make_shared<reader>())
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
        tell_ends(to);
    }
    std::vector<folder_certificate> from_folder() const override {
        std::vector<folder_certificate> all;
        for (const auto& [name, is] : newest_)
            if (!is.file.empty())
                all.push_back({name, is.file, is.issued, is.ends});
        return all;
    }

    std::vector<insight::alarm> alarms() const override {
        std::vector<insight::alarm> all;
        for (const auto& [name, words] : broken_) {
            insight::alarm alarm;
            alarm.key = "publish/certificate/" + name;
            alarm.kind = "publish";
            alarm.domain = name.starts_with(host_prefix) ? name.substr(host_prefix.size()) : name;
            alarm.weight = insight::weight::error;
            alarm.title = fmt::format("A certificate for {} cannot be served", name);
            alarm.text = words;
            alarm.fix =
                "See publish.key-file and certificates.folder: the old certificate, where there is one, "
                "goes on.";
            all.push_back(std::move(alarm));
        }
        return all;
    }

private:
    /// Of all together, however many they are.
    void tell_ends(base::metrics& to) const {
        using base::metric;
        constexpr std::array days = {3, 7, 14};
        const auto now = core_.now();
        std::array<double, days.size()> ending{};
        double overdue = 0;
        std::optional<base::utc_seconds> first;
        for (const auto& [name, is] : newest_) {
            first = std::min(first.value_or(is.ends), is.ends);
            overdue += is.renew_at + renewal_patience < now ? 1 : 0;
            for (std::size_t i = 0; i < days.size(); ++i)
                ending[i] += is.ends <= now + std::chrono::days(days[i]) ? 1 : 0;
        }
        to.set(metric::hosted_certificates_first_end,
               first ? static_cast<double>(first->time_since_epoch().count()) : 0);
        to.set(metric::hosted_certificates_overdue, overdue);
        for (std::size_t i = 0; i < days.size(); ++i)
            to.set(metric::hosted_certificates_ending, ending[i], {std::to_string(days[i])});
    }
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

    io::task<store::result<news>> next() {
        const auto seal = core_.seal;
        return worker_->run<store::result<news>>(
            [by = reader_, where = store_place(core_.set), seal, now = core_.now()] {
                return read_news(*by, where, seal.get(), now);
            });
    }

    void take(news fresh) {
        for (const auto& each : fresh.policies)
            host_.put_policy(each);
        for (auto& each : fresh.certificates)
            take(std::move(each));
        for (const auto& words : fresh.troubles)
            trouble(words);
        take_answers(std::move(fresh.answers));
    }
    void take(opened_certificate one) {
        if (one.gone) {
            host_.drop_certificate(one.name);
            newest_.erase(one.name);
            broken_.erase(one.name);
            return;
        }
        // The store names them in the order in which they came, and the last one counts: the new one, or the
        // one before it where the new one was refused. Files have no such order: the one issued later counts,
        // which may well end earlier (whoever goes over to certificates of a week has one of three months),
        // and what a file has now is never the older.
        auto& newest = newest_[one.name];
        if (folder_ && one.not_before < newest.issued && (one.file.empty() || one.file != newest.file))
            return;
        if (auto put = host_.put_certificate(one.name, std::move(one.chain), std::move(one.key)); !put) {
            broken_[one.name] = put.error();
            trouble(fmt::format("{}: {}", one.name, put.error()));
            return;
        }
        newest = {.issued = one.not_before,
                  .ends = one.not_after,
                  .renew_at = one.renew_at,
                  .file = std::move(one.file)};
        broken_.erase(one.name);
    }
    void take_answers(std::vector<store::challenge_answer> now) {
        std::map<std::pair<std::string, std::string>, std::string> wanted;
        for (auto& each : now)
            wanted[{each.kind, each.key}] = std::move(each.answer);
        for (const auto& [name, answer] : answering_)
            if (!wanted.contains(name)) {
                if (name.first == "http-01")
                    host_.put_token(name.second, "");
                else
                    host_.put_challenge(name.second, nullptr);
            }
        for (const auto& [name, answer] : wanted) {
            if (const auto before = answering_.find(name);
                before != answering_.end() && before->second == answer)
                continue;
            if (name.first == "http-01") {
                host_.put_token(name.second, answer);
            } else if (auto made = publish::make_alpn_answer(name.second, answer, core_.now()); made) {
                if (auto read = io::certified_key::read(made->chain, made->key))
                    host_.put_challenge(name.second, std::move(*read));
            }
        }
        answering_ = std::move(wanted);
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
            take(std::move(*fresh));
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
                take(std::move(*fresh));
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
        auto found = co_await worker_->run<publish::certificate_folder::changes>(
            [folder = folder_] { return folder->look(); });
        for (const auto& file : found.gone)
            for (const auto& name : by_file_[file]) {
                host_.drop_certificate(name);
                newest_.erase(name);
            }
        for (auto& each : found.fresh) {
            auto& names = by_file_[each.file];
            names.clear();
            for (const auto& typed : each.names) {
                const auto name = policy_host_of(typed);
                if (name.empty())
                    continue;
                names.push_back(name);
                take(opened_certificate{.name = name,
                                        .chain = each.chain,
                                        .key = each.key,
                                        .not_before = each.not_before,
                                        .not_after = each.not_after,
                                        .renew_at = publish::by_lifetime(each.not_before, each.not_after),
                                        .file = each.file});
            }
        }
        for (const auto& words : found.trouble)
            trouble("certificates.folder: " + words);
    }
    io::task<> follow_folder() {
        while (!core_.stop->is_set()) {
            co_await core_.loop().sleep_for(look_at_folder);
            co_await look_into_folder();
        }
    }

    daemon_core& core_;
    publish::policy_host host_;
    publish::fetch_counter fetches_;
    publish::policy_sessions sessions_;
    std::unique_ptr<io::worker> worker_;
    std::shared_ptr<reader> reader_;
    std::shared_ptr<publish::certificate_folder> folder_;
    io::secure_server secure_;
    io::request_server plain_, challenges_, ask_;
    struct served_certificate {
        base::utc_seconds issued{}, ends{}, renew_at{};
        std::string file;
    };
    std::map<std::string, served_certificate> newest_;
    std::map<std::string, std::string> broken_;
    std::map<std::string, std::vector<std::string>> by_file_;
    std::map<std::pair<std::string, std::string>, std::string> answering_;
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
