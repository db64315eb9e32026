// SPDX-License-Identifier: Apache-2.0
// `report read`: whatever holds a report is read, judged and explained; nothing is stored.
#include "app/key_source.h"
#include "app/options.h"
#include "app/terminal.h"
#include "app/world.h"
#include "base/text.h"
#include "insight/render_report.h"
#include "intake/ways_in.h"
#include "tlsrpt/write_report.h"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace mailtight::app {

namespace {

int show_example(const common_options& common) {
    const base::system_clock clock;
    const auto today = std::chrono::floor<std::chrono::days>(clock.now());
    const auto example = tlsrpt::example_report(today - std::chrono::days(1));
    if (common.json)
        print(tlsrpt::write_report(example) + "\n");
    else
        print(insight::example_text(example, {.colour = stdout_colour(), .width = terminal_width()}));
    return fine;
}

/// Shows what each input held, and remembers whether all was well.
class reading {
public:
    reading(const common_options& common, world& with, io::resolver& keys_from)
        : common_(common)
        , with_(with)
        , keys_from_(keys_from) {}

    /// False where nobody reads our output any more.
    bool take(intake::input one) {
        if (!one.error.empty()) {
            status_ = status_ == fine ? not_done : status_;
            return show_error(one.name, "unreadable", one.error);
        }
        with_.loop.block_on(keys_.look_up(with_.loop, keys_from_, intake::examiner::keys_needed(one.bytes)));
        intake::circumstances how;
        how.way = one.from_mbox ? model::way_in::mbox : model::way_in::file;
        how.source = one.name;
        how.now = with_.clock.now();
        how.strict_dkim_service = common_.set.strict_dkim_service;
        for (const auto& server : common_.set.trusted_authservers)
            how.trusted_authservers.push_back(base::lower(server));
        auto found = examiner_.examine(one.bytes, how, keys_);
        for (const auto& report : found.reports) {
            const bool written = common_.json
                                     ? print(boost::json::serialize(insight::report_json(report)) + "\n")
                                     : print((shown_ ? "\n" : "") + insight::report_text(report, style_));
            ++shown_;
            if (!written)
                return false;
        }
        for (const auto& error : found.errors) {
            status_ = problems_found;
            const std::string where =
                error.where.empty() ? one.name : fmt::format("{} ({})", one.name, error.where);
            if (!show_error(where, error.code, error.message))
                return false;
        }
        return true;
    }
    int status() const { return status_; }
    bool nothing() const { return shown_ == 0; }

private:
    bool show_error(const std::string& source, const std::string& code, const std::string& message) {
        if (common_.json)
            return print(boost::json::serialize(insight::source_error_json(source, code, message)) + "\n");
        ++shown_;
        return print((shown_ > 1 ? "\n" : "") + insight::source_error_text(source, message, style_));
    }

    const common_options& common_;
    world& with_;
    io::resolver& keys_from_;
    intake::examiner examiner_;
    looked_up_keys keys_;
    advise::style style_{.colour = stdout_colour(), .width = terminal_width()};
    std::size_t shown_ = 0;
    int status_ = fine;
};

} // namespace

int cmd_report_read(const common_options& common, const report_read_options& options) {
    if (options.example)
        return show_example(common);
    if (options.paths.empty()) {
        complain("which report? For example: mailtight report read report.json.gz");
        return wrong_usage;
    }
    auto made = world::make(common.set, {});
    if (!made) {
        complain(made.error());
        return wrong_usage;
    }
    auto& with = **made;
    const std::string& key_file = options.dkim_keys.empty() ? common.set.dkim_keys_file : options.dkim_keys;
    std::unique_ptr<io::resolver> from_file;
    if (!key_file.empty()) {
        auto keys = with_key_file(*with.dns, key_file);
        if (!keys) {
            complain("--dkim-keys: " + keys.error());
            return wrong_usage;
        }
        from_file = std::move(*keys);
    }
    reading reader(common, with, from_file ? *from_file : *with.dns);
    bool wanted = true;
    for (const auto& path : options.paths) {
        if (!wanted)
            break;
        intake::read_inputs(path, [&](intake::input one) { return wanted = reader.take(std::move(one)); });
    }
    if (reader.nothing() && reader.status() == fine && !common.json)
        say(fmt::format("no report found in {}", base::printable(base::join(options.paths, ", "), 500)));
    return reader.status();
}

} // namespace mailtight::app
