// SPDX-License-Identifier: Apache-2.0
#include "app/report_files.h"

#include "app/handed_in.h"
#include "app/key_source.h"
#include "insight/render_report.h"
#include "mail/message.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

namespace mailtight::app {

namespace {

constexpr std::size_t names_asked = 100; ///< of keys, in one file

/// Counts one for as long as it is there.
class counted_in {
public:
    explicit counted_in(std::size_t& of)
        : of_(of) {
        ++of_;
    }
    counted_in(const counted_in&) = delete;
    counted_in& operator=(const counted_in&) = delete;
    ~counted_in() { --of_; }

private:
    std::size_t& of_;
};

/// A file on its way: handed from thread to thread, used by one at a time.
struct opened_file {
    inputs_of_file all;
    std::vector<std::string> names; ///< of keys that are asked for
};

opened_file open_file(api::upload file) {
    opened_file made{.all = inputs_of(std::move(file), report_files::inputs_most), .names = {}};
    std::set<std::string> names;
    for (const auto& one : made.all.inputs)
        for (auto& name : intake::examiner::keys_needed(one.bytes))
            if (names.size() < names_asked)
                names.insert(std::move(name));
    made.names.assign(names.begin(), names.end());
    return made;
}

std::size_t rows_of(const tlsrpt::report& report) {
    std::size_t rows = report.policies.size();
    for (const auto& policy : report.policies)
        rows += policy.details.size();
    return rows;
}

api::read_file examine(const opened_file& file, const file_rules& rules, const mail::dkim_keys& keys,
                       base::utc_seconds now) {
    api::read_file out;
    intake::examiner examiner; // its buffers go with it
    std::size_t room = report_files::rows_shown;
    for (const auto& one : file.all.inputs) {
        intake::circumstances how;
        how.way = one.from_mbox ? model::way_in::mbox : model::way_in::file;
        how.source = one.name;
        how.now = now;
        how.strict_dkim_service = rules.strict_dkim_service;
        how.trusted_authservers = rules.trusted_authservers;
        const auto found = examiner.examine(one.bytes, how, keys);
        for (const auto& report : found.reports) {
            if (out.reports.size() >= report_files::reports_shown) {
                ++out.left_out;
                continue;
            }
            out.reports.push_back(insight::report_json(report, {}, room));
            room -= std::min(room, rows_of(report.report));
        }
        for (const auto& error : found.errors)
            if (out.errors.size() < report_files::reports_shown)
                out.errors.push_back(
                    {error.where.empty() ? one.name : fmt::format("{} ({})", one.name, error.where),
                     error.code, error.message});
    }
    if (file.all.left_out > 0)
        out.errors.push_back(
            {"", "too-many", fmt::format("{} further mails of this mbox were not read", file.all.left_out)});
    return out;
}

} // namespace

inputs_of_file inputs_of(api::upload file, std::size_t most) {
    inputs_of_file made;
    if (!mail::looks_like_mbox(file.bytes)) {
        intake::input one;
        one.name = std::move(file.name);
        one.bytes = std::move(file.bytes);
        made.inputs.push_back(std::move(one));
        return made;
    }
    const auto messages = mail::split_mbox(file.bytes);
    for (std::size_t i = 0; i < std::min(most, messages.size()); ++i) {
        intake::input one;
        one.name = fmt::format("{}#{}", file.name, i + 1);
        one.bytes = mail::unquote_mbox(messages[i]);
        one.from_mbox = true;
        made.inputs.push_back(std::move(one));
    }
    made.left_out = messages.size() - made.inputs.size();
    return made;
}

report_files::report_files(io::loop& on, io::resolver& keys_from, const base::clock& clock)
    : loop_(on)
    , keys_from_(keys_from)
    , clock_(clock)
    , thread_(on, "files") {}

io::task<std::expected<api::read_file, api::upload_refusal>> report_files::read(api::upload file,
                                                                                file_rules rules) {
    if (under_way_ >= files_at_once)
        co_return std::unexpected(api::upload_refusal::busy);
    const counted_in here(under_way_);
    auto held = std::make_shared<api::upload>(std::move(file));
    auto opened = co_await thread_.run<std::shared_ptr<opened_file>>(
        [held] { return std::make_shared<opened_file>(open_file(std::move(*held))); });
    auto keys = std::make_shared<looked_up_keys>();
    co_await keys->look_up(loop_, keys_from_, std::move(opened->names));
    const auto now = clock_.now();
    co_return co_await thread_.run<api::read_file>([opened = std::move(opened), keys,
                                                    rules = std::move(rules),
                                                    now] { return examine(*opened, rules, *keys, now); });
}

io::task<std::expected<api::imported_file, api::upload_refusal>>
report_files::import(api::upload file, intake::keeper& into, std::string place, bool& learned) {
    if (under_way_ >= files_at_once)
        co_return std::unexpected(api::upload_refusal::busy);
    const counted_in here(under_way_);
    auto held = std::make_shared<api::upload>(std::move(file));
    auto opened = co_await thread_.run<std::shared_ptr<inputs_of_file>>(
        [held] { return std::make_shared<inputs_of_file>(inputs_of(std::move(*held), inputs_most)); });
    auto done = co_await keep_all(loop_, into, std::move(opened->inputs), clock_.now());
    learned = co_await count_handed_in(into, std::move(place), done, clock_.now());
    api::imported_file out;
    std::size_t later = 0;
    for (const auto& one : done) {
        for (const auto& outcome : one.kept.outcomes)
            out.outcomes.push_back(outcome);
        for (const auto& error : one.kept.errors)
            out.errors.push_back(
                {error.where.empty() ? one.source : fmt::format("{} ({})", one.source, error.where),
                 error.code, error.message});
        if (one.kept.what == intake::kept::fate::later) {
            ++later;
            out.errors.push_back({one.source, "later", one.kept.why});
        } else if (one.kept.what == intake::kept::fate::none && one.kept.errors.empty()) {
            out.errors.push_back({one.source, "not-a-report", one.kept.why});
        }
    }
    if (later == done.size() && later > 0)
        co_return std::unexpected(api::upload_refusal::store_away);
    if (opened->left_out > 0)
        out.errors.push_back(
            {"", "too-many", fmt::format("{} further mails of this mbox were not read", opened->left_out)});
    co_return out;
}

} // namespace mailtight::app
