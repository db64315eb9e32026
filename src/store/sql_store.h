// SPDX-License-Identifier: Apache-2.0
// The store over any engine: every decision is made here, once, and the engine only carries statements out.
// adding.cpp writes reports, changing.cpp changes what counts, loading.cpp reads one report, asking*.cpp
// answer questions. One thread at a time; no exception leaves it.
#pragma once

#include "store/judge.h"
#include "store/sql.h"
#include "store/store.h"
#include "store/totals.h"
#include "store/words.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace mailtight::store {

class sql_store final : public store {
public:
    /// The schema has to be current.
    explicit sql_store(std::unique_ptr<sql::connection> on);

    result<std::vector<add_outcome>> add(std::span<const model::received_report> reports) override;
    result<void> add_domains(std::span<const std::string> names, base::utc_seconds now) override;
    result<void> remove_domain(std::string_view name) override;
    result<void> count_unverified(bool yes) override;
    result<bool> expire(base::utc_seconds bodies, base::utc_seconds details) override;
    result<void> set_fact(std::string_view name, std::string_view value) override;
    result<void> set_facts(std::span<const std::pair<std::string, std::string>> facts) override;
    result<std::optional<std::string>> fact(std::string_view name) override;
    result<std::vector<std::pair<std::string, std::string>>> facts(std::string_view prefix) override;

    result<std::vector<own_domain>> domains() override;
    result<std::vector<report_row>> list(const filter& of, const page& which) override;
    result<std::optional<stored_report>> show(report_number number) override;
    result<std::optional<report_number>> find_test(std::string_view token) override;
    result<std::vector<day_row>> days(const filter& of) override;
    result<std::vector<domain_row>> worst_domains(const filter& of, std::size_t most) override;
    result<std::optional<day>> newest_day(std::span<const std::string> domains) override;
    result<std::vector<reporter_row>> reporters(const filter& of) override;
    result<std::vector<reporter_day_row>> reporter_days(const filter& of) override;
    result<std::vector<mx_row>> reporters_by_mx(const filter& of) override;
    result<std::vector<result_row>> results(const filter& of) override;
    result<std::vector<failure_row>> failures(const filter& of) override;
    result<mailtight::store::worst_failures> worst_failures(const filter& of, std::size_t kinds) override;
    result<std::vector<policy_row>> policies(const filter& of) override;
    result<std::vector<quarantine_row>> quarantine(const filter& of) override;
    result<std::vector<std::string>> names_below(std::span<const std::string> domains, day since,
                                                 std::size_t each) override;
    result<sizes> size() override;
    result<touched> touched_after(report_number after) override;

private:
    /// What the database knows of a report that came before under the same key.
    struct known {
        report_number number = 0, family = 0;
        std::string content;
        model::trust trust{};
        mailtight::store::state state{};
        bool leads = false;
    };
    /// A report on its way in.
    struct incoming;

    template<class Job>
    auto writing(Job job) -> result<decltype(job())>;
    template<class Job>
    auto reading(Job job) -> result<decltype(job())>;

    void learn_rules();
    // adding.cpp
    std::vector<add_outcome> add_all(std::span<const model::received_report> reports);
    void look_up(std::vector<incoming>& all);
    void insert_new(std::vector<incoming>& all);
    bool insert_rows(incoming& what, totals& sums);
    void repeat(incoming& what, totals& sums);
    void same_again(incoming& what, const known& before, const known& leader, totals& sums);
    void another_version(incoming& what, const known& leader, totals& sums);
    std::optional<known> leader_of(std::string_view key);
    sql::values report_values(const incoming& what, std::int64_t leads) const;
    // changing.cpp
    void take_lead(report_number from, report_number to, totals& sums);
    void judge_again(report_number number, totals& sums);
    void uncount(const stored_report& old, const judgement& was, totals& sums);
    std::vector<report_number> numbers(std::string_view statement, std::initializer_list<sql::value> with);
    void changed_rules();
    void put_fact(std::string_view name, std::string_view value);
    void drop_reports(const std::vector<report_number>& old);
    // asking.cpp
    std::vector<domain_row> worst_of_all(const filter& of, std::size_t most);
    // asking_reporters.cpp
    std::map<std::int64_t, std::string> organizations(const filter& of);
    // loading.cpp
    std::optional<stored_report> load(report_number number, bool with_body);
    judgement judgement_of(report_number number);
    std::vector<std::int64_t> enter_texts(const tlsrpt::report& report);

    std::unique_ptr<sql::connection> on_;
    dictionary words_{"word", "text"};
    dictionary texts_{"policy_text", "strings"};
    rules rules_;
    std::int64_t generation_ = 0; ///< of rules_
};

template<class Job>
auto sql_store::writing(Job job) -> result<decltype(job())> {
    return sql::in_transaction(
        *on_, sql::access::write, std::move(job),
        [this] {
            words_.settle();
            texts_.settle();
        },
        [this] {
            words_.unsettle();
            texts_.unsettle();
            generation_ = 0;
        });
}

template<class Job>
auto sql_store::reading(Job job) -> result<decltype(job())> {
    return sql::in_transaction(*on_, sql::access::read, std::move(job));
}

} // namespace mailtight::store
