// SPDX-License-Identifier: Apache-2.0
// What the files of the daemon share: the objects of one running daemon in the order in which they are made
// (they go in the other), and what a part is. Everything lives on the loop's thread, but for the reader of
// the store, which lives on the asker's. For daemon*.cpp, part_*.cpp and alarm_loop.cpp alone.
#pragma once

#include "api/context.h"
#include "api/domain_desk.h"
#include "app/alarm_loop.h"
#include "app/look_memory.h"
#include "app/options.h"
#include "app/store_access.h"
#include "app/world.h"
#include "base/crypto/sealed.h"
#include "base/log.h"
#include "base/metrics.h"
#include "intake/keeper.h"
#include "intake/ways_in.h"
#include "io/http_server.h"
#include "io/server.h"
#include "io/worker.h"

#include <boost/json/object.hpp>

#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mailtight::app {

class sending_part;
class collecting_part;
class delivering_part;
class hosting_part;
class carrying_part;
class pages_part;
class results_desk;
class turns;

/// One part of the daemon, switched on by its section.
class part {
public:
    virtual ~part() = default;
    /// Binds or looks that all is there, before privileges are dropped. The error is for a person.
    virtual std::expected<void, std::string> open() = 0;
    /// Begins to work, on the loop.
    virtual void start() {}
    /// No new work; what is under way is finished.
    virtual void stop() = 0;
    virtual bool idle() const { return true; } ///< nothing is under way
    virtual intake::way_status status() const = 0;
    virtual bool is_way_in() const { return true; }
    /// It does not work just now. What single peers do wrong is in the status of a listener, and is no
    /// failure of ours.
    virtual bool failing() const { return !status().running; }
    /// A mailbox looks now instead of at its next turn.
    virtual void poll_now() {}
};

struct daemon_core {
    daemon_core();
    ~daemon_core();

    common_options common;
    settings set;
    std::unique_ptr<world> with;
    std::unique_ptr<io::resolver> file_keys; ///< where reports.dkim-keys-file is set
    std::unique_ptr<base::log> log;
    base::metrics metrics;
    io::tls_server certificates;
    intake::address_book book;
    std::vector<store::own_domain> domains;
    std::optional<write_lock> lock;
    std::unique_ptr<intake::keeper> keeper;
    std::unique_ptr<store::store> reader; ///< null until the first question that finds the database
    std::unique_ptr<io::worker> asker;
    std::unique_ptr<turns> turn; ///< among the machines of one database
    std::unique_ptr<alarm_loop> alarms;
    std::unique_ptr<results_desk> desk; ///< where results are collected or reports delivered
    std::unique_ptr<api::domain_desk> looked_after;
    std::shared_ptr<api::context> api; ///< filled by the parts that are on
    look_memory looks;                 ///< that people asked for
    std::unique_ptr<api::received_desk> received;
    std::unique_ptr<api::system_desk> system;
    std::vector<std::unique_ptr<part>> parts;
    // Of the parts: those of [resolve], [collect], [deliver] and [publish], where they are switched on.
    sending_part* sending = nullptr;
    collecting_part* collecting = nullptr;
    delivering_part* delivering = nullptr;
    hosting_part* hosting = nullptr;
    carrying_part* carrying = nullptr;
    pages_part* pages = nullptr;    ///< of [web], where it is switched on
    io::http_server* web = nullptr; ///< of https.listen
    /// Opens what is sealed in the database; read before privileges are dropped.
    std::shared_ptr<const base::sealing_key> seal;
    std::unique_ptr<io::event> stop;
    base::utc_seconds since{};
    bool store_ok = true;
    bool domains_known = true; ///< false: the store was away at the start, and none of them is served yet

    io::loop& loop() { return with->loop; }
    base::utc_seconds now() const { return with->clock.now(); }

    /// Asks the store on the asker's thread.
    template<class T>
    io::task<store::result<T>> ask(std::function<store::result<T>(store::store&)> question) {
        return asker->run<store::result<T>>([question = std::move(question), this]() -> store::result<T> {
            if (!reader) {
                auto opened = store::open({.where = store_place(set), .read_only = true, .create = false});
                if (!opened)
                    return std::unexpected(opened.error());
                reader = std::move(*opened);
            }
            return question(*reader);
        });
    }
};

/// A part that goes out by itself fails while its last error is newer than its last success.
inline bool errs(const intake::way_status& now) {
    return !now.last_error.empty() && now.last_error_at > now.last_success;
}

/// Adds the domains of reports to the store, and reads all that it has of them.
io::task<store::result<void>> take_domains(daemon_core& core, std::vector<std::string> names,
                                           bool count_unverified);
/// Whether a way in for reports is configured: then nothing goes without the store.
bool takes_reports(const settings& from);

/// The parts that the settings switch on, not open yet.
std::expected<std::vector<std::unique_ptr<part>>, std::string> make_parts(daemon_core& core);
std::unique_ptr<part> make_control_part(daemon_core& core);
std::expected<std::unique_ptr<pages_part>, std::string> make_pages_part(daemon_core& core);
std::expected<std::unique_ptr<part>, std::string> make_metrics_part(daemon_core& core);
std::expected<std::unique_ptr<part>, std::string> make_imap_part(daemon_core& core);

/// `ADDRESS:PORT` or `unix:PATH`, with the key's name in the error.
std::expected<io::listen_address, std::string> listen_at(std::string_view key, const std::string& text,
                                                         std::uint16_t default_port);
/// Networks of a key, with its name in the error.
std::expected<std::vector<base::ip_network>, std::string> networks(std::string_view key,
                                                                   const std::vector<std::string>& texts);
/// "CHAIN.pem KEY.pem" each, or one file with both.
std::vector<io::tls_server::pair> certificate_files(const std::vector<std::string>& texts);
/// What a listener wants to have told: faults of the program, no descriptors left.
std::function<void(std::string_view)> complaints_to(daemon_core& core);
/// Makes every number current, just before somebody fetches them.
void refresh_metrics(daemon_core& core);

/// Reads configuration, certificates and domains again. The value: keys that changed and wait for a restart.
io::task<std::expected<std::vector<std::string>, std::string>> reload(daemon_core& core);
/// What `status` shows.
io::task<boost::json::object> status_of(daemon_core& core);

// ---- tasks that run as long as the daemon does ----
io::task<> keep_watchdog(daemon_core& core);
io::task<> watch_parts(daemon_core& core); ///< tells when a way in fails and when it works again
io::task<> keep_retention(daemon_core& core);
io::task<> send_digests(daemon_core& core);
io::task<> watch_records(daemon_core& core); ///< since when each domain publishes its TLSRPT record

} // namespace mailtight::app
