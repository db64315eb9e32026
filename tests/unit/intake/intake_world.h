// SPDX-License-Identifier: Apache-2.0
// What the tests of the ways in share: a store in memory that fails when it is told to, a resolver with
// made-up keys, one keeper on one loop.
#pragma once

#include "intake/keeper.h"
#include "report_mail.h"
#include "support/fixed_resolver.h"
#include "support/sockets.h"

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>

namespace mailtight::tests {

/// What a database holds and how it behaves; several store objects may be open on it.
struct memory_database {
    enum class mood { fine, full, unreachable, refuses_poison };
    std::atomic<mood> behaves = mood::fine;
    std::atomic<unsigned> opened = 0, transactions = 0;

    std::mutex guard;
    std::vector<model::received_report> reports; ///< committed
    std::map<std::string, std::string> facts;
    bool held = false; ///< add() waits
    std::condition_variable released;

    void hold(bool yes) {
        const std::scoped_lock locked(guard);
        held = yes;
        released.notify_all();
    }
    std::vector<std::string> ids() {
        const std::scoped_lock locked(guard);
        std::vector<std::string> out;
        for (const auto& report : reports)
            out.push_back(report.report.report_id);
        return out;
    }
    std::size_t count() { return ids().size(); }
};

class memory_store final : public store::store {
public:
    explicit memory_store(std::shared_ptr<memory_database> in)
        : in_(std::move(in)) {
        ++in_->opened;
    }
    mailtight::store::result<std::vector<mailtight::store::add_outcome>>
    add(std::span<const model::received_report> reports) override {
        using namespace mailtight::store;
        std::unique_lock locked(in_->guard);
        in_->released.wait(locked, [this] { return !in_->held; });
        if (const auto error = trouble())
            return std::unexpected(*error);
        if (in_->behaves == memory_database::mood::refuses_poison)
            for (const auto& report : reports)
                if (report.report.report_id == "poison")
                    return std::unexpected(store_error{store_error::kind::wrong, "refused by the engine"});
        ++in_->transactions;
        std::vector<add_outcome> out;
        for (const auto& report : reports) {
            add_outcome outcome;
            for (const auto& known : in_->reports)
                if (known.json == report.json)
                    outcome.what = add_outcome::fate::duplicate;
            if (outcome.what == add_outcome::fate::added)
                in_->reports.push_back(report);
            outcome.number = static_cast<report_number>(in_->reports.size());
            out.push_back(outcome);
        }
        return out;
    }
    mailtight::store::result<void> set_fact(std::string_view name, std::string_view value) override {
        const std::scoped_lock locked(in_->guard);
        if (const auto error = trouble())
            return std::unexpected(*error);
        in_->facts[std::string(name)] = value;
        return {};
    }
    mailtight::store::result<std::optional<std::string>> fact(std::string_view name) override {
        const std::scoped_lock locked(in_->guard);
        if (const auto error = trouble())
            return std::unexpected(*error);
        const auto found = in_->facts.find(std::string(name));
        return found == in_->facts.end() ? std::optional<std::string>() : found->second;
    }
    // Not asked by intake.
    mailtight::store::result<void> add_domains(std::span<const std::string>, base::utc_seconds) override {
        return {};
    }
    mailtight::store::result<void> remove_domain(std::string_view) override { return {}; }
    mailtight::store::result<void> count_unverified(bool) override { return {}; }
    mailtight::store::result<bool> expire(base::utc_seconds, base::utc_seconds) override { return false; }
    mailtight::store::result<std::vector<std::pair<std::string, std::string>>>
    facts(std::string_view) override {
        return {};
    }
    mailtight::store::result<std::vector<mailtight::store::own_domain>> domains() override { return {}; }
    mailtight::store::result<std::vector<mailtight::store::report_row>>
    list(const mailtight::store::filter&, const mailtight::store::page&) override {
        return {};
    }
    mailtight::store::result<std::optional<mailtight::store::stored_report>>
    show(mailtight::store::report_number) override {
        return {};
    }
    mailtight::store::result<std::optional<mailtight::store::report_number>>
    find_test(std::string_view) override {
        return {};
    }
    mailtight::store::result<std::vector<mailtight::store::day_row>>
    days(const mailtight::store::filter&) override {
        return {};
    }
    mailtight::store::result<std::vector<mailtight::store::domain_row>>
    worst_domains(const mailtight::store::filter&, std::size_t) override {
        return {};
    }
    mailtight::store::result<std::vector<mailtight::store::reporter_row>>
    reporters(const mailtight::store::filter&) override {
        return {};
    }
    mailtight::store::result<mailtight::store::worst_failures> worst_failures(const mailtight::store::filter&,
                                                                              std::size_t) override {
        return {};
    }
    mailtight::store::result<std::optional<mailtight::store::day>>
    newest_day(std::span<const std::string>) override {
        return {};
    }
    mailtight::store::result<std::vector<mailtight::store::reporter_day_row>>
    reporter_days(const mailtight::store::filter&) override {
        return {};
    }
    mailtight::store::result<std::vector<mailtight::store::mx_row>>
    reporters_by_mx(const mailtight::store::filter&) override {
        return {};
    }
    mailtight::store::result<std::vector<mailtight::store::result_row>>
    results(const mailtight::store::filter&) override {
        return {};
    }
    mailtight::store::result<std::vector<mailtight::store::failure_row>>
    failures(const mailtight::store::filter&) override {
        return {};
    }
    mailtight::store::result<std::vector<mailtight::store::policy_row>>
    policies(const mailtight::store::filter&) override {
        return {};
    }
    mailtight::store::result<std::vector<mailtight::store::quarantine_row>>
    quarantine(const mailtight::store::filter&) override {
        return {};
    }
    mailtight::store::result<std::vector<std::string>>
    names_below(std::span<const std::string>, mailtight::store::day, std::size_t) override {
        return {};
    }
    mailtight::store::result<mailtight::store::sizes> size() override { return mailtight::store::sizes{}; }

private:
    std::optional<mailtight::store::store_error> trouble() const {
        using mailtight::store::store_error;
        switch (in_->behaves) {
        case memory_database::mood::full:
            return store_error{store_error::kind::full, "no space left on device"};
        case memory_database::mood::unreachable:
            return store_error{store_error::kind::unreachable, "connection refused"};
        default:
            return std::nullopt;
        }
    }
    std::shared_ptr<memory_database> in_;
};

/// TXT alone; everything else is not there.
class key_resolver final : public fixed_resolver {
public:
    std::map<std::string, std::string> texts;
    bool down = false;
    unsigned asked = 0;

    io::task<model::txt_fact> txt(std::string name) override {
        ++asked;
        model::txt_fact fact;
        fact.name = name;
        fact.type = "TXT";
        fact.ttl = 300;
        const auto found = texts.find(name);
        fact.status = down                   ? model::dns_status::servfail
                      : found == texts.end() ? model::dns_status::nx_domain
                                             : model::dns_status::ok;
        if (fact.ok())
            fact.texts = {found->second};
        co_return fact;
    }
};

struct report_clock final : base::clock {
    std::atomic<std::chrono::seconds::rep> passed = 0; ///< since mail_time
    base::utc_seconds now() const override { return mail_time + std::chrono::seconds(passed); }
    void set(base::utc_seconds to) { passed = (to - mail_time).count(); }
};

struct intake_world {
    io::loop loop;
    report_clock clock;
    key_resolver dns;
    std::shared_ptr<memory_database> database = std::make_shared<memory_database>();
    std::unique_ptr<intake::keeper> keeper;
    intake::address_book book{{"tls-report@reports.example"}};

    explicit intake_world(intake::keeper_options options = {}, std::unique_ptr<store::store> real = nullptr) {
        dns.texts[key_name("reporter.example")] = ed25519_record();
        book.set_domains({{"example.com", "tokena2345", {}}, {"example.org", "tokenb2345", {}}});
        if (!options.reopen)
            options.reopen = [in = database]() -> store::result<std::unique_ptr<store::store>> {
                if (in->behaves == memory_database::mood::unreachable)
                    return std::unexpected(
                        store::store_error{store::store_error::kind::unreachable, "connection refused"});
                return std::make_unique<memory_store>(in);
            };
        options.reopen_every = std::chrono::milliseconds(1);
        auto writer = real ? std::move(real) : std::make_unique<memory_store>(database);
        keeper = std::make_unique<intake::keeper>(loop, std::move(writer), dns, clock, std::move(options));
    }
    ~intake_world() {
        database->hold(false);
        settle();
    }
    /// Nothing is under way any more.
    void settle() { loop.block_on(keeper->drain()); }
    intake::kept keep(std::string bytes, model::way_in way = model::way_in::lmtp) {
        intake::circumstances how;
        how.way = way;
        return loop.block_on(keeper->keep(std::move(bytes), how));
    }
};

inline std::string signed_mail(const std::string& id) {
    return signed_by(report_mail(make_report("example.com", id)), "reporter.example");
}

} // namespace mailtight::tests
