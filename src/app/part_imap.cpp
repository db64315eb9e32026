// SPDX-License-Identifier: Apache-2.0
// A mailbox that is polled, as a part of the daemon.
#include "app/daemon_core.h"
#include "app/turns.h"

#include <fmt/format.h>

namespace mailtight::app {

namespace {

intake::imap_options options_of(daemon_core& core) {
    const settings& from = core.set;
    intake::imap_options made;
    made.our_turn = [&core] { return core.turn->ours("imap"); };
    made.url_host = from.imap_host;
    made.port = from.imap_port;
    made.start_tls = from.imap_start_tls;
    made.ca_file = from.imap_ca_file.empty() ? from.ca_file : from.imap_ca_file;
    made.user = from.imap_user;
    made.folder = from.imap_folder;
    made.after = from.imap_after;
    made.interval = std::chrono::duration_cast<std::chrono::seconds>(from.imap_interval);
    made.password = from.imap_password;
    made.password_file = from.imap_password_file;
    made.oauth_token_url = from.imap_oauth_token_url;
    made.oauth_client_id = from.imap_oauth_client_id;
    made.oauth_client_secret_file = from.imap_oauth_client_secret_file;
    made.oauth_refresh_token_file = from.imap_oauth_refresh_token_file;
    made.oauth_scope = from.imap_oauth_scope;
    made.service_account_file = from.imap_service_account_file;
    made.mechanism = from.imap_mechanism;
    return made;
}

class imap_part final : public part {
public:
    explicit imap_part(daemon_core& core)
        : core_(core)
        , intake_(core.loop(), *core.keeper, core.with->clock, *core.with->dns, *core.with->tls,
                  options_of(core)) {}
    std::expected<void, std::string> open() override { return {}; }
    void start() override { core_.loop().spawn(intake_.run()); }
    void stop() override { intake_.stop(); }
    bool failing() const override { return errs(intake_.status()); }
    intake::way_status status() const override { return intake_.status(); }
    void poll_now() override { intake_.poll_now(); }

private:
    daemon_core& core_;
    intake::imap_intake intake_;
};

} // namespace

std::expected<std::unique_ptr<part>, std::string> make_imap_part(daemon_core& core) {
    const auto& set = core.set;
    if (set.imap_user.empty())
        return std::unexpected("imap.user is needed with imap.host");
    const bool password = !set.imap_password.empty() || !set.imap_password_file.empty();
    const bool account = !set.imap_service_account_file.empty();
    const bool oauth = !set.imap_oauth_token_url.empty() && !account; // an account may name its own server
    const int ways = (password ? 1 : 0) + (oauth ? 1 : 0) + (account ? 1 : 0);
    if (ways != 1)
        return std::unexpected("imap: give one way to log in: password-file, the oauth keys, or "
                               "service-account-file");
    if (set.imap_interval < std::chrono::seconds(1))
        return std::unexpected("imap.interval is at least a second");
    return std::make_unique<imap_part>(core);
}

} // namespace mailtight::app
