// SPDX-License-Identifier: Apache-2.0
// `report import`: into the store, through the running daemon or, where none runs, alone. The same again
// changes nothing, so a broken run is simply begun anew.
#include "app/control_client.h"
#include "app/handed_in.h"
#include "app/key_source.h"
#include "app/options.h"
#include "app/report_facts.h"
#include "app/store_access.h"
#include "app/terminal.h"
#include "app/world.h"
#include "base/text.h"
#include "insight/insight.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <array>

namespace mailtight::app {

namespace {

/// Takes a batch and says what became of it, by one of the two ways.
class importer {
public:
    virtual ~importer() = default;
    /// Rows as to_json() writes them. The error is for a person.
    virtual std::expected<boost::json::array, std::string> import(std::vector<intake::input> batch) = 0;
};

class through_daemon final : public importer {
public:
    through_daemon(io::loop& on, const settings& set)
        : on_(on)
        , set_(set) {}
    std::expected<boost::json::array, std::string> import(std::vector<intake::input> batch) override {
        std::string body;
        for (const auto& one : batch)
            pack(body, one);
        auto answer = call_daemon(on_, set_, "/import", std::move(body), "POST", std::chrono::minutes(30));
        if (!answer)
            return std::unexpected(answer.error().message);
        if (!answer->is_array())
            return std::unexpected("the daemon's answer cannot be read");
        return answer->as_array();
    }

private:
    io::loop& on_;
    const settings& set_;
};

class by_itself final : public importer {
public:
    by_itself(world& with, io::resolver& keys, std::string place, writable_store store,
              intake::keeper_options options)
        : with_(with)
        , place_(std::move(place))
        , lock_(std::move(store.lock))
        , keeper_(with.loop, std::move(store.opened), keys, with.clock, std::move(options)) {}
    std::expected<boost::json::array, std::string> import(std::vector<intake::input> batch) override {
        auto done = with_.loop.block_on(keep_all(with_.loop, keeper_, std::move(batch), with_.clock.now()));
        with_.loop.block_on(count_handed_in(keeper_, place_, done, with_.clock.now()));
        return to_json(done);
    }

private:
    world& with_;
    std::string place_;
    write_lock lock_;
    intake::keeper keeper_;
};

std::expected<std::unique_ptr<importer>, std::string> choose(const common_options& common, world& with,
                                                             io::resolver& keys, bool own_keys) {
    auto running = call_daemon(with.loop, common.set, "/status", {}, "GET", std::chrono::seconds(10));
    if (running) {
        if (own_keys)
            return std::unexpected("a daemon runs and looks the keys up itself: set reports.dkim-keys-file "
                                   "in its configuration, or stop it for this import");
        return std::make_unique<through_daemon>(with.loop, common.set);
    }
    if (running.error().what != control_error::kind::absent)
        return std::unexpected(running.error().message);
    auto store = open_to_write(common.set);
    if (!store)
        return std::unexpected(store.error());
    // The configuration's domains are known before the first report: else it would be kept apart.
    auto names = our_domains(common.set);
    if (!names)
        return std::unexpected(names.error());
    if (auto added = store->opened->add_domains(*names, with.clock.now()); !added)
        return std::unexpected(words(added.error()));
    if (auto counted = store->opened->count_unverified(common.set.count_unverified); !counted)
        return std::unexpected(words(counted.error()));
    intake::keeper_options options;
    options.strict_dkim_service = common.set.strict_dkim_service;
    for (const auto& server : common.set.trusted_authservers)
        options.trusted_authservers.push_back(base::lower(server));
    return std::make_unique<by_itself>(with, keys, store_place(common.set), std::move(*store),
                                       std::move(options));
}

struct totals {
    std::uint64_t inputs = 0, added = 0, duplicates = 0, corrections = 0, kept_apart = 0, tests = 0,
                  no_report = 0, unreadable = 0;
    void count(const boost::json::object& row) {
        ++inputs;
        if (row.at("state").as_string() == "none")
            ++no_report;
        for (const auto& report : row.at("reports").as_array()) {
            const auto& fate = report.as_object().at("fate").as_string();
            ++(fate == "added"        ? added
               : fate == "duplicate"  ? duplicates
               : fate == "correction" ? corrections
               : fate == "test"       ? tests
                                      : kept_apart);
        }
    }
    std::string sentence() const {
        std::string out = fmt::format("{} read: {} added, {} already known", inputs, added, duplicates);
        for (const auto& [number, what] : {std::pair{corrections, "corrected"},
                                           {kept_apart, "kept apart"},
                                           {tests, "tests"},
                                           {no_report, "without a report"},
                                           {unreadable, "unreadable"}})
            if (number)
                out += fmt::format(", {} {}", number, what);
        return out;
    }
};

} // namespace

int cmd_report_import(const common_options& common, const report_read_options& options) {
    auto made = world::make(common.set, {});
    if (!made) {
        complain(made.error());
        return wrong_usage;
    }
    auto& with = **made;
    std::unique_ptr<io::resolver> from_file;
    const std::string& key_file = options.dkim_keys.empty() ? common.set.dkim_keys_file : options.dkim_keys;
    if (!key_file.empty()) {
        auto keys = with_key_file(*with.dns, key_file);
        if (!keys) {
            complain("--dkim-keys: " + keys.error());
            return wrong_usage;
        }
        from_file = std::move(*keys);
    }
    auto way = choose(common, with, from_file ? *from_file : *with.dns, !options.dkim_keys.empty());
    if (!way) {
        complain(way.error());
        return not_done;
    }

    totals sum;
    int status = fine;
    progress_line line(!common.json);
    const auto begun = std::chrono::steady_clock::now();
    std::vector<intake::input> batch;
    std::size_t bytes = 0;
    auto send = [&]() -> bool {
        if (batch.empty())
            return true;
        auto rows = (*way)->import(std::exchange(batch, {}));
        bytes = 0;
        if (!rows) {
            line.clear();
            complain(rows.error());
            status = not_done;
            return false;
        }
        for (const auto& row : *rows) {
            const auto& one = row.as_object();
            if (one.at("state").as_string() == "later") {
                line.clear();
                complain(fmt::format("{}: {}; begin again later, what is done stays done",
                                     std::string_view(one.at("source").as_string()),
                                     std::string_view(one.at("why").as_string())));
                status = not_done;
                return false;
            }
            sum.count(one);
            if (common.json) {
                print(boost::json::serialize(one) + "\n");
                continue;
            }
            for (const auto& error : one.at("errors").as_array()) {
                line.clear();
                say(fmt::format("{}: {}", std::string_view(one.at("source").as_string()),
                                std::string_view(error.as_object().at("message").as_string())));
            }
        }
        const auto took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
        line.show(fmt::format("{} · {:.0f}/s", sum.sentence(), static_cast<double>(sum.inputs) / took));
        return true;
    };
    for (const auto& path : options.paths) {
        bool going = true;
        intake::read_inputs(path, [&](intake::input one) {
            if (!one.error.empty()) {
                line.clear();
                complain(fmt::format("{}: {}", base::printable(one.name), base::printable(one.error)));
                ++sum.unreadable;
                status = not_done;
                return true;
            }
            if (batch.size() >= batch_inputs || bytes + one.bytes.size() > batch_bytes)
                going = send();
            bytes += one.bytes.size();
            if (going)
                batch.push_back(std::move(one));
            return going;
        });
        if (!going)
            return status;
    }
    if (!send())
        return status;
    line.clear();
    if (!common.json)
        print(sum.sentence() + "\n");
    if (status == fine && sum.no_report > 0)
        status = problems_found;
    return status;
}

} // namespace mailtight::app
