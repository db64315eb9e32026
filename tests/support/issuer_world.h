// SPDX-License-Identifier: Apache-2.0
// An issuer with everything it needs, before a real authority; a store that can end the process at any of its
// calls.
#pragma once

#include "base/crypto/sealed.h"
#include "io/http_client.h"
#include "io/http_session.h"
#include "publish/issuer.h"
#include "support/domain_store_fake.h"
#include "support/fixed_resolver.h"
#include "support/pebble.h"
#include "support/scratch.h"

#include <boost/json.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace mailtight::tests {

/// The process ended here.
struct killed {};

class mortal_store : public domain_store_fake {
public:
    int lives = -1;        ///< calls that write, until the end; -1: none
    bool before = false;   ///< it ends before the write, else behind it
    bool for_good = false; ///< and what others of it would still write is not written
    std::atomic<int> writes{0};
    std::vector<store::challenge_answer> dropped;
    /// All answers so far, from the one of this number on.
    std::vector<store::challenge_answer> put_since(std::size_t number) {
        const std::scoped_lock hold(lock_);
        return {put_.begin() + static_cast<std::ptrdiff_t>(number), put_.end()};
    }

    store::result<bool> keep_work(const store::due_work& work, base::utc_seconds now,
                                  std::chrono::seconds how_long) override {
        const auto end = dies();
        auto out = domain_store_fake::keep_work(work, now, how_long);
        return live(end, std::move(out));
    }
    store::result<bool> save_certificate(const store::kept_certificate& value, std::int64_t fence) override {
        const auto end = dies();
        auto out = domain_store_fake::save_certificate(value, fence);
        return live(end, std::move(out));
    }
    store::result<void> put_challenge(const store::challenge_answer& value) override {
        const auto end = dies();
        {
            const std::scoped_lock hold(lock_);
            put_.push_back(value);
        }
        auto out = domain_store_fake::put_challenge(value);
        return live(end, std::move(out));
    }
    store::result<void> drop_challenge(std::string_view kind, std::string_view key) override {
        const auto end = dies();
        dropped.push_back({.kind = std::string(kind), .key = std::string(key)});
        auto out = domain_store_fake::drop_challenge(kind, key);
        return live(end, std::move(out));
    }
    store::result<void> put_secret(std::string_view name, std::string_view sealed) override {
        const auto end = dies();
        auto out = domain_store_fake::put_secret(name, sealed);
        return live(end, std::move(out));
    }
    store::result<std::chrono::seconds> take_tokens(std::string_view bucket, std::uint64_t tokens,
                                                    std::uint64_t per_hour, std::uint64_t most,
                                                    base::utc_seconds now) override {
        const auto end = dies();
        auto out = domain_store_fake::take_tokens(bucket, tokens, per_hour, most, now);
        return live(end, std::move(out));
    }

private:
    std::mutex lock_;
    std::vector<store::challenge_answer> put_;
    bool dies() {
        ++writes;
        if (for_good && lives == 0)
            throw killed{};
        const bool end = lives > 0 && --lives == 0;
        if (end && before)
            throw killed{};
        return end;
    }
    template<class T>
    T live(bool end, T out) {
        if (end)
            throw killed{};
        return out;
    }
};

class issuer_world {
public:
    explicit issuer_world(const private_pebble& authority)
        : authority_(authority)
        , tls_(authority["ca"])
        , seal_(base::sealing_key::make(scratch_ / "key").value()) {
        options.directory = authority["directory"];
        options.contacts = {"admin@example.com"};
        options.machine = "one";
        options.exempt = options.agree = true;
        options.orders_at_once = 10'000;
    }

    /// As a process would find it: nothing in memory, the work as it stands in the store.
    publish::issued issue(const std::string& domain) {
        io::worker thread(on, "store");
        publish::issuer one(on, dns, tls_, guard_, clock, thread, store, seal_, options, hands());
        auto work = take(domain, "one");
        last = work;
        auto done = on.block_on(one.issue(work, domain));
        counted = one.counted();
        last = work;
        store.done_work(work, std::nullopt).value();
        return done;
    }
    store::due_work take(const std::string& domain, const std::string& who) {
        store.plan_work("certificate", domain, clock.now()).value();
        auto all = store.take_work("certificate", clock.now(), who, std::chrono::seconds(300), 10).value();
        for (auto& one : all)
            if (one.domain == domain)
                return one;
        throw std::runtime_error("somebody has the work");
    }
    /// False where it was killed on the way.
    bool lives_through(const std::string& domain, publish::issued& into) {
        try {
            into = issue(domain);
            return true;
        } catch (const killed&) {
            store.lives = -1;
            store.take_back("one").value();
            return false;
        }
    }
    publish::issuer_hands hands() {
        return {.preflight = [this](std::string) -> io::task<publish::preflight_verdict> {
                    co_return publish::preflight_verdict{.in_the_way = in_the_way, .kinds = possible};
                },
                .dns_record = [this](std::string name, std::string value, bool put) -> io::task<std::string> {
                    records.push_back((put ? "+" : "-") + name);
                    co_return co_await manage(put ? "set-txt" : "clear-txt",
                                              {{"host", name + "."}, {"value", value}});
                },
                .spread = [this]() -> io::task<> { return spread(); }};
    }
    /// The companion answers what stands in the store; done when it answers all of it.
    io::task<> spread() {
        auto number = told_.size();
        const auto all = store.put_since(number);
        told_.resize(number + all.size(), false);
        const auto until = told_.size();
        for (const auto& one : all) {
            if (one.kind == "http-01" && answers)
                co_await manage("add-http01", {{"token", one.key}, {"content", one.answer}});
            else if (answers)
                co_await manage("add-tlsalpn01", {{"host", one.key}, {"content", one.answer}});
            told_[number++] = true;
        }
        for (std::size_t at = 0; at < until;) { // others, told of by another task
            if (told_[at])
                ++at;
            else
                co_await on.sleep_for(std::chrono::milliseconds(1));
        }
    }
    io::task<std::string> manage(std::string what, boost::json::object with) {
        io::http_call call;
        call.url = authority_["management"] + "/" + what;
        call.body = boost::json::serialize(with);
        call.exempt = true;
        const auto answer = co_await companion_.ask(std::move(call), true);
        co_return answer.status == 200 ? std::string() : "the companion refuses: " + answer.error;
    }
    /// Signed by the account that the store keeps: what the authority itself says.
    io::http_answer ask_authority(const std::string& url) {
        const auto name = "acme/" + options.directory + "/account";
        const auto kept = boost::json::parse(seal_.open(name, store.secret(name).value().value()).value());
        const auto key = base::ec_key::from_pem(kept.at("key").as_string()).value();
        const std::string account(kept.at("url").as_string());
        const auto directory = wire::read_acme_directory(get(options.directory).body).value();
        for (int i = 0; i < 30; ++i) {
            const auto nonce = field(get(directory.new_nonce), "replay-nonce");
            const auto& to = url.empty() ? account : url;
            io::http_call call;
            call.url = to;
            call.exempt = true;
            call.fields = {{"Content-Type", "application/jose+json"}};
            call.body = wire::acme_request(key, account, nonce, to, "");
            auto answer = on.block_on(io::http_request(on, dns, tls_, guard_, clock, std::move(call)));
            if (answer.status == 200)
                return answer;
        }
        throw std::runtime_error("the authority does not answer");
    }
    /// How many orders the authority knows of the account.
    std::size_t orders_made() {
        std::string page(boost::json::parse(ask_authority("").body).at("orders").as_string());
        std::size_t count = 0;
        while (!page.empty()) {
            const auto answer = ask_authority(page);
            count += boost::json::parse(answer.body).at("orders").as_array().size();
            page.clear();
            for (const auto& [name, value] : answer.fields)
                if (name == "link" && value.find("rel=\"next\"") != value.npos)
                    page = value.substr(1, value.find('>') - 1);
        }
        return count;
    }
    static std::string field(const io::http_answer& answer, std::string_view name) {
        for (const auto& [field, value] : answer.fields)
            if (field == name)
                return value;
        return {};
    }
    io::http_answer get(const std::string& url) {
        io::http_call call;
        call.method = "GET";
        call.url = url;
        call.exempt = true;
        return on.block_on(io::http_request(on, dns, tls_, guard_, clock, std::move(call)));
    }
    const base::sealing_key& seal() const { return seal_; }
    const io::tls_client& tls() const { return tls_; }
    const base::address_guard& guard() const { return guard_; }

    io::loop on;
    fixed_resolver dns;
    base::system_clock clock;
    mortal_store store;
    publish::issuer_options options;
    std::string in_the_way;
    std::vector<publish::challenge_kind> possible; ///< empty: all
    bool answers = true;                           ///< challenges are answered
    std::vector<std::string> records;
    store::due_work last;
    publish::issuer::counters counted;

private:
    const private_pebble& authority_;
    std::vector<bool> told_; ///< by number of the answer: the companion knows it
    scratch_folder scratch_;
    base::address_guard guard_;
    io::tls_client tls_;
    base::sealing_key seal_;
    io::http_session companion_{on, dns, tls_, guard_, clock, {}};
};

} // namespace mailtight::tests
