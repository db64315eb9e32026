// SPDX-License-Identifier: Apache-2.0
// `domain add`: one, several, or a table of them. Each row is understood before anything is written.
#include "app/domain_access.h"
#include "app/domain_wish.h"
#include "app/report_domains.h"
#include "app/store_access.h"
#include "app/terminal.h"
#include "app/typed.h"
#include "base/text.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <map>
#include <set>

namespace mailtight::app {

namespace {

constexpr std::size_t table_bytes = 256 * 1024 * 1024;
constexpr std::size_t at_a_time = 1'000;
constexpr std::size_t told_most = 20; ///< to a person, one a line

/// The domain that a new one is like, looked up once.
class examples {
public:
    explicit examples(store::domain_store& kept)
        : kept_(kept) {}
    std::expected<const model::looked_after*, std::string> get(const std::string& typed) {
        const auto ascii = mail::to_ascii(typed);
        const auto name = ascii ? mail::canonical_name(*ascii) : std::nullopt;
        if (!name)
            return std::unexpected(fmt::format("--like '{}' is no domain", base::printable(typed, 253)));
        if (const auto known = known_.find(*name); known != known_.end())
            return &known->second;
        auto found = kept_.find(*name);
        if (!found)
            return std::unexpected(words(found.error()));
        if (!*found)
            return std::unexpected(
                fmt::format("--like {}: it is not looked after, and no row above adds it", *name));
        return &(known_[*name] = std::move(**found));
    }
    /// One that is added now: rows below it may be like it. What is looked after already counts first.
    void add(const model::looked_after& fresh) {
        if (auto found = kept_.find(fresh.domain); found && !*found)
            known_.emplace(fresh.domain, fresh);
    }

private:
    store::domain_store& kept_;
    std::map<std::string, model::looked_after> known_;
};

struct typed_row {
    std::string where;   ///< "domains.csv, row 7: " of a table
    std::size_t row = 0; ///< of a table
    std::string name, like;
    domain_wishes wishes;
};

std::expected<std::vector<typed_row>, std::string> rows_of(const domain_options& options) {
    std::vector<typed_row> rows;
    for (const auto& name : options.names)
        rows.push_back({.where = "", .row = 0, .name = name, .like = options.like, .wishes = options.wishes});
    if (options.csv.empty())
        return rows;
    const auto bytes = read_bytes(options.csv, table_bytes);
    if (!bytes)
        return std::unexpected(bytes.error());
    if (bytes->size() > table_bytes)
        return std::unexpected(fmt::format("{} is longer than {} MB", options.csv, table_bytes >> 20));
    auto table = read_domain_csv(*bytes);
    if (!table)
        return std::unexpected(fmt::format("{}: {}", base::printable(options.csv), table.error()));
    for (auto& row : *table)
        rows.push_back({.where = fmt::format("{}, row {}: ", base::printable(options.csv), row.line),
                        .row = row.line,
                        .name = std::move(row.name),
                        .like = row.like.empty() ? options.like : row.like,
                        .wishes = std::move(row.wishes)});
    return rows;
}

void tell(const common_options& common, const model::looked_after& domain, bool added) {
    if (common.json) {
        auto out = to_json(domain);
        out["added"] = added;
        print(boost::json::serialize(out) + "\n");
    } else {
        print(fmt::format("{}: {}\n", domain.domain, added ? summary_of(domain) : "is looked after already"));
    }
}

} // namespace

int cmd_domain_add(const common_options& common, const domain_options& options) {
    if (options.names.empty() && options.csv.empty()) {
        complain("which domain? For example: mailtight domain add example.com");
        return wrong_usage;
    }
    const auto with = publish_settings_of(common.set);
    if (!with) {
        complain(with.error());
        return wrong_usage;
    }
    auto rows = rows_of(options);
    if (!rows) {
        complain(rows.error());
        return wrong_usage;
    }
    auto kept = open_domains_to_change(common.set);
    if (!kept) {
        complain(kept.error());
        return not_done;
    }
    const auto now = policy_now(common.set);
    examples like(**kept);
    std::vector<model::looked_after> all;
    std::map<std::string, std::size_t> seen; // and in which row
    std::set<std::string> named_as_example;
    for (const auto& row : *rows)
        if (const auto ascii = mail::to_ascii(row.like))
            if (auto name = mail::canonical_name(*ascii))
                named_as_example.insert(std::move(*name));
    for (auto& row : *rows) {
        auto wrong = [&row](const std::string& why) {
            complain(row.where + why);
            return wrong_usage;
        };
        const auto domain = mail::understand_domain(row.name);
        if (!domain)
            return wrong(
                fmt::format("'{}': {}", base::printable(row.name, 300), mail::explain(domain.error())));
        if (row.where.empty())
            for (const auto& note : domain->notes)
                say(base::printable(note));
        if (const auto [at, first] = seen.emplace(domain->name, row.row); !first) {
            if (row.row == 0) // the same name typed twice means the same
                continue;
            return wrong(at->second == 0
                             ? fmt::format("{} is named on the command line, too", domain->name)
                             : fmt::format("{} stands in row {} already", domain->name, at->second));
        }
        std::expected<model::looked_after, std::string> made = model::looked_after{};
        if (row.like.empty()) {
            made = new_domain(domain->name, row.wishes, *with, now);
        } else if (auto old = like.get(row.like); !old) {
            return wrong(old.error());
        } else {
            made = domain_like(**old, domain->name, now);
            if (auto taken = apply(row.wishes, *made, *with); !taken)
                made = std::unexpected(taken.error());
        }
        if (!made)
            return wrong(made.error());
        if (named_as_example.contains(domain->name))
            like.add(*made);
        all.push_back(std::move(*made));
    }

    const bool few = all.size() <= at_a_time;
    progress_line line(!common.json && !few);
    std::size_t added = 0;
    std::vector<std::string> fresh;
    for (std::size_t from = 0; from < all.size(); from += at_a_time) {
        const std::span some = std::span(all).subspan(from, std::min(at_a_time, all.size() - from));
        std::vector<bool> there(some.size(), false);
        for (std::size_t i = 0; i < some.size(); ++i) {
            auto known = (*kept)->find(some[i].domain);
            if (!known) {
                complain(words(known.error()));
                return not_done;
            }
            there[i] = known->has_value();
            if (!there[i])
                fresh.push_back(some[i].domain);
        }
        auto count = (*kept)->add_all(some, person(), now);
        if (!count) {
            complain(words(count.error()));
            return not_done;
        }
        added += *count;
        if (few || common.json) {
            for (std::size_t i = 0; i < some.size(); ++i)
                if (common.json || some.size() <= told_most)
                    tell(common, some[i], !there[i]);
        } else {
            line.show(fmt::format("{} of {}", from + some.size(), all.size()));
        }
    }
    line.clear();
    if (auto begun = begin_work(common.set, **kept, fresh, now); !begun) {
        complain(begun.error());
        return not_done;
    }
    if (auto known = tell_reports_of(common.set, all); !known)
        say(known.error());
    if (!common.json) {
        if (all.size() > told_most || all.empty())
            print(fmt::format("{} domains added, {} are looked after already\n", added, all.size() - added));
        if (!fresh.empty())
            say(fmt::format("mailtight plan {} shows the steps to come{}", fresh.front(),
                            daemon_carries_out(common.set)
                                ? ""
                                : "; no daemon here carries them out: mailtight protect leads through them"));
    }
    return fine;
}

} // namespace mailtight::app
