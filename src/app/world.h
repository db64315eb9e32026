// SPDX-License-Identifier: Apache-2.0
// Everything a command needs to go out: the loop, the resolver, the trusted roots, the guard, the observer,
// wired from the settings. Made once a command.
#pragma once

#include "app/settings.h"
#include "io/loop.h"
#include "io/resolver.h"
#include "io/stream.h"
#include "observe/observe.h"

#include <expected>
#include <memory>
#include <string>

namespace mailtight::app {

class world {
public:
    /// The error is for the person: a wrong address, an unreadable file, no name server.
    static std::expected<std::unique_ptr<world>, std::string>
    make(const settings& from, observe::observe_options what,
         std::size_t cache_entries = io::resolver_options().cache_entries);

    io::loop loop;
    base::system_clock clock;
    base::address_guard guard;
    std::unique_ptr<io::tls_client> tls;
    std::unique_ptr<io::resolver> dns;
    std::unique_ptr<observe::observer> observer;
    probe::probe_options probes;
    observe::observe_options observing;

    probe::context probe_context() { return {loop, *tls, guard, clock, probes}; }
};

/// ADDRESS or ADDRESS:PORT or [V6]:PORT.
std::expected<io::endpoint, std::string> parse_endpoint(const std::string& text, std::uint16_t default_port);
/// The resolver part of the settings.
std::expected<io::resolver_options, std::string> resolver_settings(const settings& from);

} // namespace mailtight::app
