// SPDX-License-Identifier: Apache-2.0
// The listeners of [resolve] at which mail servers ask, and the front that answers. Both can be exchanged
// while connections go on: who is connected keeps the front that it began with, and a listener that is no
// longer wanted answers what it owes. Lives on the loop.
#pragma once

#include "app/settings.h"
#include "io/request_server.h"
#include "resolve/front.h"
#include "resolve/service.h"

#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::app {

class policy_listeners {
public:
    policy_listeners(io::loop& on, resolve::service& of, const base::clock& clock,
                     resolve::front_options options, std::function<void(std::string_view)> complain);

    /// Binds what the settings name and is not there yet. The error is for a person; nothing changed then.
    std::expected<void, std::string> prepare(const settings& to);
    /// Takes what was prepared, and ends what the settings no longer name.
    void change();
    /// From here on who connects is answered so.
    void answer_with(resolve::front_options options);
    void stop();

    struct row {
        std::string kind, where;
        std::size_t open = 0;
        std::uint64_t refused = 0;
    };
    std::vector<row> list() const;
    std::vector<std::string> addresses() const; ///< "socketmap 127.0.0.1:8642"
    std::size_t open_connections() const;       ///< those of ended listeners too
    std::uint64_t refused() const;

private:
    struct listening {
        std::string kind, text; ///< as configured
        std::shared_ptr<io::request_server> server;
    };
    struct answering {
        resolve::front front;
        io::make_session socketmap, tcp_table, lines;
        answering(io::loop& on, resolve::service& of, const base::clock& clock,
                  resolve::front_options options);
    };
    io::make_session sessions(const std::string& kind);

    io::loop& loop_;
    resolve::service& service_;
    const base::clock& clock_;
    std::function<void(std::string_view)> complain_;
    std::shared_ptr<answering> answering_;
    std::vector<listening> now_, next_, ended_;
};

} // namespace mailtight::app
