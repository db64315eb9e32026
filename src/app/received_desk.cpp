// SPDX-License-Identifier: Apache-2.0
#include "app/received_desk.h"

#include "api/report_part.h"
#include "app/change_marks.h"
#include "app/daemon_core.h"
#include "app/domain_asker.h"
#include "app/live_look.h"
#include "app/report_facts.h"
#include "app/report_files.h"
#include "app/report_period.h"
#include "app/report_test_runs.h"
#include "base/text.h"
#include "store/judge.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <utility>

namespace mailtight::app {

namespace {

using api::report_share;

constexpr std::size_t rows_shown = 1'000; ///< details and policies of one report
constexpr std::size_t groups_shown = 100; ///< kinds of failures
constexpr std::size_t looks_joined = 20;  ///< domains whose look is joined
constexpr std::size_t names_a_page = 1'000;
constexpr std::size_t history_read = 200, changes_read = 500, marks_shown = 200;

using looks = std::map<std::string, std::shared_ptr<const live_look>, std::less<>>;

store::result<std::vector<std::string>> names_of(store::domain_store& from, const std::string& owner) {
    std::vector<std::string> all;
    for (store::domain_question which{.owner = owner, .limit = names_a_page};;) {
        auto some = from.list(which);
        if (!some)
            return std::unexpected(some.error());
        for (const auto& each : *some)
            all.push_back(each.domain);
        if (some->size() < names_a_page)
            break;
        which.after = all.back();
    }
    std::ranges::sort(all);
    return all;
}

/// Of the domains named: everything that changed. Of many: what our hosts serve.
store::result<std::vector<api::change_mark>> marks_in(store::domain_store& from,
                                                      const std::vector<std::string>& domains,
                                                      store::day begin, store::day end) {
    std::vector<api::change_mark> all;
    if (domains.empty() || domains.size() > domains_in_detail) {
        const auto changes = from.changes("", 0, changes_read);
        if (!changes)
            return std::unexpected(changes.error());
        for (const auto& each : *changes)
            if ((each.what == "served policy" || each.what == "withdrew policy") && each.at >= begin &&
                each.at < end + std::chrono::days(1) &&
                (domains.empty() || std::ranges::binary_search(domains, each.domain)))
                all.push_back({.at = each.at, .domain = each.domain, .kind = "policy", .words = each.what});
    } else {
        for (const auto& domain : domains) {
            const auto served = from.served(domain);
            if (!served)
                return std::unexpected(served.error());
            const auto seen = from.history(domain, history_read);
            if (!seen)
                return std::unexpected(seen.error());
            for (auto& each : marks_of(*served, *seen, begin, end))
                all.push_back(std::move(each));
        }
    }
    sort_marks(all);
    if (all.size() > marks_shown)
        all.erase(all.begin(), all.end() - static_cast<std::ptrdiff_t>(marks_shown));
    return all;
}

store::result<api::failing_list> failing_in(store::store& from, const store::filter& of, const looks& seen) {
    known_domains_today today;
    for (const auto& [domain, look] : seen) {
        auto known = known_from(*look, from);
        if (!known)
            return std::unexpected(known.error());
        today[domain] = std::move(*known);
    }
    auto worst = worst_failure_groups(from, of, groups_shown, today);
    if (!worst)
        return std::unexpected(worst.error());
    api::failing_list made;
    made.left_out = worst->left_out;
    for (auto& group : worst->groups) {
        const auto known = today.find(group.domain);
        const auto looked_at = known == today.end() ? std::nullopt : known->second.looked_at;
        made.groups.push_back({.group = std::move(group), .looked_at = looked_at});
    }
    return made;
}

/// Of these names, those whose closest domain that is looked after is none of theirs.
store::result<std::set<std::string>> others_of(store::domain_store& from,
                                               const std::vector<std::string>& names,
                                               const std::vector<std::string>& theirs) {
    std::set<std::string> out;
    for (const auto& name : names) {
        const auto above = api::theirs_of(name, theirs);
        for (std::string_view at = name; !above.empty() && at != above; at.remove_prefix(at.find('.') + 1)) {
            const auto found = from.find(at);
            if (!found)
                return std::unexpected(found.error());
            if (*found) { // theirs_of() would have found it, were it theirs
                out.insert(name);
                break;
            }
        }
    }
    return out;
}

class daemon_received_desk final : public api::received_desk {
public:
    explicit daemon_received_desk(daemon_core& core)
        : core_(core)
        , domains_(core.loop(), store_place(core.set))
        , files_(core.loop(), core.file_keys ? *core.file_keys : *core.with->dns, core.with->clock)
        , tests_(std::make_shared<report_test_runs>(core)) {}

    base::utc_seconds now() const override { return core_.now(); }

    io::task<store::result<std::vector<std::string>>> domains_of(std::string owner) override {
        return domains_.ask<std::vector<std::string>>(
            [owner = std::move(owner)](store::domain_store& from) { return names_of(from, owner); });
    }

    io::task<store::result<std::vector<store::report_row>>> list(store::filter of, store::page which,
                                                                 api::own_domains whose) override {
        struct found {
            std::vector<store::report_row> rows;
            std::vector<store::stored_report> several; ///< those that tell of more than one domain
        };
        auto read = co_await core_.ask<found>(
            [of = std::move(of), which, all = !whose](store::store& from) -> store::result<found> {
                auto rows = from.list(of, which);
                if (!rows)
                    return std::unexpected(rows.error());
                found out{.rows = std::move(*rows), .several = {}};
                for (const auto& row : out.rows) {
                    if (all || !row.several)
                        continue;
                    auto whole = from.show(row.number);
                    if (!whole)
                        return std::unexpected(whole.error());
                    if (*whole)
                        out.several.push_back(std::move(**whole));
                }
                return out;
            });
        if (!read)
            co_return std::unexpected(read.error());
        if (!whose)
            co_return std::move(read->rows);
        std::vector<store::report_row> out;
        for (auto& row : read->rows) {
            const auto whole =
                std::ranges::find(read->several, row.number, [](const auto& one) { return one.row.number; });
            if (whole != read->several.end()) {
                const auto share = co_await share_of(*whole, *whose);
                if (!share)
                    co_return std::unexpected(share.error());
                if (*share == report_share::none)
                    continue;
                row = std::move(whole->row);
                row.several = *share == report_share::part;
            } else if (row.several) { // gone since
                continue;
            }
            out.push_back(std::move(row));
        }
        co_return out;
    }

    io::task<store::result<std::optional<api::shown_report>>> show(store::report_number number,
                                                                   api::own_domains whose) override {
        using shown = std::optional<api::shown_report>;
        auto found = co_await theirs(number, whose);
        if (!found)
            co_return std::unexpected(found.error());
        if (!found->of)
            co_return shown();
        const auto domain = base::lower(found->of->report.report_domain);
        const auto looks_now = core_.looks.all(core_.now());
        const auto look = looks_now.find(domain);
        using one_look = decltype(look->second);
        co_return co_await core_.ask<shown>([of = std::move(*found->of), share = found->share, domain,
                                             seen = look == looks_now.end() ? one_look() : look->second](
                                                store::store& from) -> store::result<shown> {
            insight::known_today today;
            if (seen) {
                auto known = known_from(*seen, from);
                if (!known)
                    return std::unexpected(known.error());
                today = std::move(*known);
            }
            auto document = insight::stored_json(of, today, rows_shown);
            if (share == report_share::part)
                document["part"] = true;
            return shown(api::shown_report{.report_domain = domain,
                                           .document = std::move(document),
                                           .named = store::domains_named(of.report)});
        });
    }

    io::task<store::result<std::optional<api::raw_report>>> raw(store::report_number number,
                                                                api::own_domains whose) override {
        using body = std::optional<api::raw_report>;
        auto found = co_await theirs(number, whose);
        if (!found)
            co_return std::unexpected(found.error());
        if (!found->of || found->share != report_share::whole)
            co_return body();
        auto& report = found->of->report;
        auto named = store::domains_named(report);
        co_return body(api::raw_report{.report_domain = std::move(report.report_domain),
                                       .json = std::move(report.json),
                                       .named = std::move(named)});
    }

    io::task<store::result<api::report_period>> summary(store::filter of) override {
        const auto domains = of.domains;
        const auto begin = of.from.value_or(day_of(now())), end = of.to.value_or(day_of(now()));
        auto made = co_await core_.ask<api::report_period>(
            [of = std::move(of), at = now()](store::store& from) { return report_period_of(from, of, at); });
        if (!made)
            co_return made;
        auto marks = co_await domains_.ask<std::vector<api::change_mark>>(
            [domains, begin, end](store::domain_store& from) { return marks_in(from, domains, begin, end); });
        if (!marks)
            co_return std::unexpected(marks.error());
        made->marks = std::move(*marks);
        co_return made;
    }

    io::task<store::result<api::failing_list>> failures(store::filter of) override {
        looks seen;
        for (auto& [domain, look] : core_.looks.all(now()))
            if (seen.size() < looks_joined &&
                (of.domains.empty() || std::ranges::binary_search(of.domains, domain)))
                seen.emplace(domain, look);
        return core_.ask<api::failing_list>([of = std::move(of), seen = std::move(seen)](store::store& from) {
            return failing_in(from, of, seen);
        });
    }

    io::task<store::result<std::vector<insight::mute>>> mutes() override {
        auto all = co_await core_.ask<std::vector<insight::mute>>(
            [](store::store& from) { return app::mutes(from); });
        if (all)
            std::erase_if(*all, [at = now()](const insight::mute& one) { return one.until < at; });
        co_return all;
    }
    io::task<store::result<void>> set_mute(insight::mute value) override {
        return write_fact(mute_fact(value));
    }
    io::task<store::result<void>> end_mute(std::string key) override {
        auto fact = mute_fact({.key = std::move(key), .until = {}, .why = {}, .by = {}});
        fact.second.clear();
        return write_fact(std::move(fact));
    }

    io::task<std::expected<api::read_file, api::upload_refusal>> read(api::upload file) override {
        file_rules rules{.strict_dkim_service = core_.set.strict_dkim_service, .trusted_authservers = {}};
        for (const auto& server : core_.set.trusted_authservers)
            rules.trusted_authservers.push_back(base::lower(server));
        return files_.read(std::move(file), std::move(rules));
    }
    io::task<std::expected<api::imported_file, api::upload_refusal>> import(api::upload file) override {
        bool learned = false;
        auto done = co_await files_.import(std::move(file), *core_.keeper, store_place(core_.set), learned);
        if (learned)
            static_cast<void>(co_await take_domains(core_, {}, core_.set.count_unverified));
        co_return done;
    }

    io::task<store::result<std::expected<api::report_test, api::test_refusal>>>
    begin_test(std::string domain) override {
        using begun = std::expected<api::report_test, api::test_refusal>;
        bool ours = std::ranges::find(core_.domains, domain, &store::own_domain::name) != core_.domains.end();
        if (!ours) {
            const auto found =
                co_await domains_.ask<bool>([domain](store::domain_store& from) -> store::result<bool> {
                    const auto one = from.find(domain);
                    if (!one)
                        return std::unexpected(one.error());
                    return one->has_value();
                });
            if (!found)
                co_return std::unexpected(found.error());
            ours = *found;
        }
        if (!ours)
            co_return begun(std::unexpected(api::test_refusal::not_ours));
        auto made = co_await report_test_runs::begin(tests_, std::move(domain));
        co_return made ? begun(std::move(*made)) : begun(std::unexpected(api::test_refusal::busy));
    }
    io::task<store::result<std::optional<api::report_test>>> test(std::string token) override {
        return report_test_runs::look(tests_, std::move(token));
    }

private:
    /// What is left of a report that a tenant may see.
    io::task<store::result<report_share>> share_of(store::stored_report& of,
                                                   const std::vector<std::string>& own) {
        auto others = co_await domains_.ask<std::set<std::string>>(
            [names = store::domains_named(of.report), own](store::domain_store& from) {
                return others_of(from, names, own);
            });
        if (!others)
            co_return std::unexpected(others.error());
        co_return api::keep_part(of, own, *others);
    }
    struct own_report {
        std::optional<store::stored_report> of;
        report_share share = report_share::whole;
    };
    io::task<store::result<own_report>> theirs(store::report_number number, const api::own_domains& whose) {
        auto found = co_await core_.ask<std::optional<store::stored_report>>(
            [number](store::store& from) { return from.show(number); });
        if (!found)
            co_return std::unexpected(found.error());
        own_report out{.of = std::move(*found)};
        if (!out.of || !whose)
            co_return out;
        const auto share = co_await share_of(*out.of, *whose);
        if (!share)
            co_return std::unexpected(share.error());
        out.share = *share;
        if (out.share == report_share::none)
            out.of.reset();
        co_return out;
    }
    io::task<store::result<void>> write_fact(std::pair<std::string, std::string> fact) {
        auto written = co_await core_.keeper->write(
            [fact = std::move(fact)](store::store& in) { return in.set_fact(fact.first, fact.second); });
        if (written)
            core_.alarms->wake();
        co_return written;
    }

    daemon_core& core_;
    domain_asker domains_;
    report_files files_;
    std::shared_ptr<report_test_runs> tests_;
};

} // namespace

std::unique_ptr<api::received_desk> make_received_desk(daemon_core& core) {
    return std::make_unique<daemon_received_desk>(core);
}

} // namespace mailtight::app
