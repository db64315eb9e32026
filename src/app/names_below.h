// SPDX-License-Identifier: Apache-2.0
// The names below a domain looked after that may take mail of their own, which its policy does not cover:
// from the configuration, from reports received, and by zone transfer from the servers named for that. And
// whether one of them does, and has no policy. The daemon and the commands ask the same way. On the loop.
#pragma once

#include "app/publish_settings.h"
#include "app/world.h"
#include "publish/zone_transfer.h"
#include "store/domains.h"
#include "store/store.h"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mailtight::app {

/// How far reports are looked back into, and how many names of one domain are taken from them.
inline constexpr std::chrono::days names_in_reports_since{90};
inline constexpr std::size_t names_in_reports = 200;

struct names_below_needs {
    io::loop& loop;
    io::resolver& dns;
    const base::clock& clock;
    const publish_settings& say;
    /// A domain looked after; nothing where it is none, or the store is away.
    std::function<io::task<std::optional<model::looked_after>>(std::string domain)> find;
    /// Names that reports give below the domains looked after; nothing where they cannot be had now. Asked
    /// seldom.
    std::function<io::task<std::optional<std::vector<std::string>>>()> reported;
    /// Names that we know besides.
    std::function<std::vector<std::string>()> known;
    /// Instead of a real transfer, for tests; else empty.
    std::function<io::task<publish::zone_names>(publish::update_server from, std::string zone)> transfer;
};

class names_below {
public:
    explicit names_below(names_below_needs needs);
    /// Those not looked after themselves. What cannot be asked now is as it was known before.
    io::task<std::vector<std::string>> of(std::string domain);
    /// Does the name take mail without a policy of its own? Nothing: DNS did not say.
    io::task<std::optional<bool>> unprotected(std::string name);
    /// The names below that are unprotected, for a look of now; empty where the domain is not looked after.
    io::task<std::vector<std::string>> unprotected_below(std::string domain);
    /// Why a server did not give a zone the last time it was asked, by the server's name; said here once.
    const std::map<std::string, std::string>& refused() const { return refused_; }

private:
    struct transferred {
        std::vector<std::string> names;
        io::loop::time_point at{};
    };
    io::task<std::vector<std::string>> transferred_below(model::looked_after wish);
    io::task<> transfer(publish::update_server from, std::string zone);
    io::task<> hear_reports();
    io::task<bool> is_another(std::string name, std::string below);
    void make_room(std::size_t names);

    names_below_needs needs_;
    std::map<std::string, std::vector<std::string>, std::less<>> reported_; ///< by each name above
    std::optional<io::loop::time_point> reported_at_;
    std::map<std::pair<std::string, std::string>, transferred> zones_; ///< by server and zone
    std::map<std::string, io::loop::time_point> rests_;                ///< servers that failed, until when
    std::map<std::string, std::string> refused_;
    io::semaphore gate_, reports_gate_;
};

/// The same for a command, with the databases where there are any: nothing where no domain is looked after
/// here, or the configuration's keys cannot be read by who asks. `domains`: those that will be asked for.
class names_below_here {
public:
    static std::unique_ptr<names_below_here> make(const settings& from, world& with,
                                                  std::vector<std::string> domains);
    names_below& names() { return *names_; }

private:
    publish_settings say_;
    std::unique_ptr<store::domain_store> kept_;
    std::unique_ptr<store::store> reports_;
    std::vector<std::string> domains_;
    std::unique_ptr<names_below> names_;
};

} // namespace mailtight::app
