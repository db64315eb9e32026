// SPDX-License-Identifier: Apache-2.0
// daemon::make() is the order of starting: store, certificates, parts, and only then are privileges dropped.
// daemon::run() waits for the signal and finishes.
#include "app/daemon.h"

#include "app/control_client.h"
#include "app/daemon_core.h"
#include "app/domain_desk.h"
#include "app/import_batch.h"
#include "app/key_source.h"
#include "app/pages_part.h"
#include "app/policy_time.h"
#include "app/publish_part.h"
#include "app/received_desk.h"
#include "app/reports_part.h"
#include "app/results_desk.h"
#include "app/sending_part.h"
#include "app/system_desk.h"
#include "app/terminal.h"
#include "app/turns.h"
#include "base/text.h"
#include "io/process.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <filesystem>

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

namespace mailtight::app {

namespace {

using namespace std::chrono_literals;

constexpr auto drain_time = 10s;

/// Whether there is work that needs no database to begin with: answers from memory, results that wait.
bool can_begin_without_store(const settings& set) {
    return !takes_reports(set) &&
           (serves_policies(set) || collects_results(set) || sends_reports(set) || hosts_policies(set));
}

/// Directories that the daemon writes to belong to the user that it becomes; those that are there already
/// are left as they are.
std::expected<void, std::string> prepare_directory(const std::string& path, const passwd& user, gid_t group) {
    std::error_code error;
    if (path.empty() || std::filesystem::exists(path, error))
        return {};
    if (!std::filesystem::create_directories(path, error))
        return std::unexpected(fmt::format("{}: {}", path, error.message()));
    std::filesystem::permissions(path, std::filesystem::perms(0750), error);
    if (::chown(path.c_str(), user.pw_uid, group) != 0)
        return std::unexpected(fmt::format("{}: {}", path, std::strerror(errno)));
    return {};
}

/// As root with serve.user: what is made from here on belongs to that user's group, so that its members can
/// use the sockets.
std::expected<void, std::string> become_group(const settings& set, const std::string& store_file) {
    if (::geteuid() != 0 || set.user.empty())
        return {};
    const passwd* user = ::getpwnam(set.user.c_str());
    if (!user)
        return std::unexpected(
            fmt::format("serve.user: there is no user '{}' here", base::printable(set.user)));
    gid_t gid = user->pw_gid;
    if (!set.group.empty()) {
        const group* named = ::getgrnam(set.group.c_str());
        if (!named)
            return std::unexpected(
                fmt::format("serve.group: there is no group '{}' here", base::printable(set.group)));
        gid = named->gr_gid;
    }
    namespace fs = std::filesystem;
    for (const auto& file : {store_file, control_place(set)})
        if (!file.empty())
            if (auto made = prepare_directory(fs::path(file).parent_path().string(), *user, gid); !made)
                return made;
    if (::setegid(gid) != 0)
        return std::unexpected(fmt::format("serve.group: {}", std::strerror(errno)));
    return {};
}

std::expected<void, std::string> open_store(daemon_core& core) {
    const auto names = our_domains(core.set);
    if (!names)
        return std::unexpected(names.error());
    auto writable = begin_to_write(core.set);
    if (!writable)
        return std::unexpected(writable.error());
    if (writable->away && !can_begin_without_store(core.set))
        return std::unexpected(words(*writable->away));
    core.book = intake::address_book(core.set.mailboxes);
    core.lock.emplace(std::move(writable->lock));

    intake::keeper_options options;
    options.strict_dkim_service = core.set.strict_dkim_service;
    for (const auto& server : core.set.trusted_authservers)
        options.trusted_authservers.push_back(base::lower(server));
    io::resolver* keys = core.with->dns.get();
    if (!core.set.dkim_keys_file.empty()) {
        auto made = with_key_file(*keys, core.set.dkim_keys_file);
        if (!made)
            return std::unexpected("reports.dkim-keys-file: " + made.error());
        core.file_keys = std::move(*made);
        keys = core.file_keys.get();
    }
    if (writable->away)
        options.reopen = [where = store_place(core.set)] { return store::open({.where = where}); };
    core.keeper = std::make_unique<intake::keeper>(core.loop(), std::move(writable->opened), *keys,
                                                   core.with->clock, std::move(options));
    core.asker = std::make_unique<io::worker>(core.loop(), "ask");
    if (writable->away) { // mail servers get their answers all the same; watch_parts() tries again
        core.store_ok = core.domains_known = false;
        core.log->write(base::event::store_unavailable, {{"error", writable->away->message}});
        return {};
    }
    auto taken = core.loop().block_on(take_domains(core, *names, core.set.count_unverified));
    return taken ? std::expected<void, std::string>() : std::unexpected(words(taken.error()));
}

void note_stored(daemon_core& core, const model::received_report& report, const store::add_outcome& outcome) {
    using fate = store::add_outcome::fate;
    core.metrics.add(base::metric::reports, 1, {word(outcome.what)});
    core.metrics.add(base::metric::reports_by_state, 1,
                     {model::to_string(report.way), model::to_string(report.trust)});
    const auto number = std::to_string(outcome.number);
    if (outcome.what == fate::quarantined || outcome.what == fate::outvoted)
        core.log->write(base::event::report_kept_apart,
                        {{"number", number}, {"from", model::reporter_of(report)}, {"why", outcome.why}});
    else if (outcome.what == fate::test) {
        core.log->write(base::event::test_arrived, {{"number", number}, {"token", report.test_token}});
        if (core.carrying && !report.report_domain.empty())
            core.carrying->report_way_proven(report.report_domain);
    } else
        core.log->write(base::event::report_stored, {{"number", number},
                                                     {"fate", std::string(word(outcome.what))},
                                                     {"from", model::reporter_of(report)},
                                                     {"about", report.report_domain},
                                                     {"way", std::string(model::to_string(report.way))}});
    core.alarms->wake();
}

/// The key of what is sealed in the database, while we may still read and make it.
std::expected<void, std::string> open_seal(daemon_core& core) {
    if (!hosts_policies(core.set) && !carries_out(core.set) && !core.set.web_acme)
        return {};
    bool made = false;
    auto key = sealing_key_of(core.set, true, &made);
    if (!key)
        return std::unexpected(key.error());
    core.seal = std::make_shared<const base::sealing_key>(std::move(*key));
    if (made)
        core.log->write(base::event::sealing_key_made,
                        {{"file", sealing_key_place(core.set)}, {"id", core.seal->id()}});
    return {};
}

std::expected<void, std::string> open_parts(daemon_core& core) {
    if (!core.set.tls_certificates.empty())
        if (auto loaded = core.certificates.load(certificate_files(core.set.tls_certificates)); !loaded)
            return std::unexpected("serve.tls-certificates: " + loaded.error());
    auto parts = make_parts(core);
    if (!parts)
        return std::unexpected(parts.error());
    core.parts = std::move(*parts);
    bool works = core.sending || core.collecting || core.delivering || core.hosting || core.carrying;
    for (const auto& each : core.parts) {
        if (auto opened = each->open(); !opened) {
            core.log->write(base::event::part_failed,
                            {{"part", each->status().name}, {"error", opened.error()}});
            return std::unexpected(opened.error());
        }
        const auto now = each->status();
        if (!now.where.empty()) // the pages' usual address may be taken: that was said
            core.log->write(base::event::listening, {{"part", now.name}, {"at", now.where}});
        works = works || each->is_way_in() || (each.get() == core.pages && now.running);
    }
    if (!works && core.pages && !core.pages->status().last_error.empty())
        return std::unexpected(core.pages->status().last_error);
    if (!works)
        return std::unexpected("nothing to do is configured: set lmtp.listen, smtp.listen, https.listen, "
                               "maildir.path, mbox.path or imap.host to take reports in, a listener of "
                               "[resolve] to serve policies to a mail server, a source of [collect] to "
                               "count results, deliver.contact to report them, or publish.listen "
                               "to serve policies of your domains, or web.listen for the pages");
    return {};
}

io::task<> serve(daemon_core& core) {
    core.alarms->wake();
    for (const auto& each : core.parts)
        each->start();
    core.loop().spawn(core.alarms->run());
    core.loop().spawn(keep_watchdog(core));
    core.loop().spawn(watch_parts(core));
    core.loop().spawn(keep_retention(core));
    core.loop().spawn(send_digests(core));
    core.loop().spawn(watch_records(core));
    core.log->write(base::event::ready, {{"domains", std::to_string(core.domains.size())}});
    std::vector<std::string> does;
    if (std::ranges::any_of(core.parts, [](const auto& each) { return each->is_way_in(); }))
        does.push_back(fmt::format("taking in reports for {} domain{}", core.domains.size(),
                                   core.domains.size() == 1 ? "" : "s"));
    if (core.sending)
        does.emplace_back("telling mail servers how to deliver");
    if (core.collecting)
        does.emplace_back("counting results");
    if (core.delivering)
        does.emplace_back("reporting to others");
    if (core.hosting)
        does.emplace_back("serving policies");
    if (core.carrying)
        does.emplace_back("looking after domains");
    io::notify_manager("READY=1\nSTATUS=" + base::join(does, ", "));
    co_await *core.stop;

    core.log->write(base::event::stopping);
    io::notify_manager("STOPPING=1");
    for (const auto& each : core.parts)
        each->stop();
    const auto deadline = core.loop().now() + drain_time;
    auto drained = io::start(core.loop(), [](daemon_core& of) -> io::task<bool> {
        co_await of.keeper->drain();
        const auto last = of.loop().now() + drain_time;
        if (of.collecting) // a database that is away must not take the time of the others
            co_await of.collecting->drain(last - drain_time / 4);
        if (of.delivering)
            co_await of.delivering->drain(last);
        if (of.sending)
            co_await of.sending->drain(last);
        if (of.hosting) // first: what is looked at just now may take all the time there is
            co_await of.hosting->drain(last);
        if (of.carrying)
            co_await of.carrying->drain(last);
        co_return true;
    }(core));
    auto busy = [&core, &drained] {
        bool idle = drained.box_->done.is_set();
        for (const auto& each : core.parts)
            idle = idle && each->idle();
        return !idle;
    };
    while (busy() && core.loop().now() < deadline)
        co_await core.loop().sleep_for(20ms);
    core.log->write(base::event::stopped, {{"finished", busy() ? "no" : "yes"}});
}

} // namespace

daemon_core::daemon_core() = default;
daemon_core::~daemon_core() = default;

daemon::daemon()
    : core_(std::make_unique<daemon_core>()) {}
daemon::~daemon() = default;

std::expected<std::unique_ptr<daemon>, std::string> daemon::make(const common_options& common) {
    std::unique_ptr<daemon> made(new daemon);
    auto& core = *made->core_;
    core.common = common;
    core.set = common.set;
    auto with = world::make(core.set, {});
    if (!with)
        return std::unexpected(with.error());
    core.with = std::move(*with);
    core.since = core.now();
    core.log = std::make_unique<base::log>(
        core.with->clock,
        base::log_options{.least = base::parse_log_level(core.set.log_level).value_or(base::log_level::info),
                          .json = core.set.log_format == "json",
                          .journal = base::stderr_is_journal(),
                          .sink = {}});
    core.log->write(base::event::started, {{"version", MAILTIGHT_VERSION},
                                           {"pid", std::to_string(::getpid())},
                                           {"store", store_name(store_place(core.set))}});
    if (auto group = become_group(
            core.set, store::is_postgres(store_place(core.set)) ? std::string() : store_place(core.set));
        !group)
        return std::unexpected(group.error());
    if (auto opened = open_store(core); !opened)
        return std::unexpected(opened.error());
    core.turn = std::make_unique<turns>(core.loop(), core.set);
    core.alarms = std::make_unique<alarm_loop>(core);
    core.api = std::make_shared<api::context>(
        api::context{.loop = core.loop(), .clock = core.with->clock, .version = MAILTIGHT_VERSION});
    if (collects_results(core.set) || sends_reports(core.set)) {
        core.desk = std::make_unique<results_desk>(core.loop(), policy_time(), results_opener(core.set));
        core.api->reports = core.desk.get();
    }
    auto looked_after = make_domain_desk(core);
    if (!looked_after)
        return std::unexpected(looked_after.error());
    core.looked_after = std::move(*looked_after);
    core.api->domains = core.looked_after.get();
    core.received = make_received_desk(core);
    core.api->received = core.received.get();
    core.system = make_system_desk(core);
    core.api->system = core.system.get();
    core.keeper->on_stored = [&core](const model::received_report& report,
                                     const store::add_outcome& outcome) {
        note_stored(core, report, outcome);
    };
    core.stop = std::make_unique<io::event>(core.loop());
    if (auto sealed = open_seal(core); !sealed)
        return std::unexpected(sealed.error());
    if (auto opened = open_parts(core); !opened)
        return std::unexpected(opened.error());
    if (core.delivering) // a report that came back, to a contact whose mail we take
        core.keeper->on_other_mail = [&core](std::string mail) { core.delivering->bounced(std::move(mail)); };
    if (auto dropped = io::drop_privileges(core.set.user, core.set.group); !dropped)
        return std::unexpected(dropped.error());
    return made;
}

int daemon::run() {
    auto& core = *core_;
    const io::signals signals(
        core.loop(), [&core] { core.stop->set(); },
        [&core] {
            core.loop().spawn([](daemon_core& of) -> io::task<> {
                io::notify_manager("RELOADING=1");
                co_await reload(of);
                io::notify_manager("READY=1");
            }(core));
        });
    try {
        core.loop().block_on(serve(core));
    } catch (const std::exception& error) {
        core.log->write(base::event::internal_error, {{"error", error.what()}});
        return not_done;
    }
    return fine;
}

int cmd_serve(const common_options& common) {
    auto made = daemon::make(common);
    if (!made) {
        complain(made.error());
        return not_done;
    }
    return (*made)->run();
}

} // namespace mailtight::app
