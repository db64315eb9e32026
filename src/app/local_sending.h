// SPDX-License-Identifier: Apache-2.0
// The policy service without a daemon, for one command: with what the store holds of the destination asked
// about, and nothing written (resolve) or everything written back (cache refresh). And the store's sender's
// part for commands that only read or change it. Blocking.
#pragma once

#include "app/sending.h"
#include "app/store_access.h"
#include "store/policies.h"

#include <expected>
#include <memory>
#include <optional>
#include <string>

namespace mailtight::app {

/// A path segment of the API, percent-encoded.
std::string path_segment(std::string_view text);

/// For lists: null where nothing was ever kept, which is an empty list and no error.
std::expected<std::unique_ptr<store::policy_store>, std::string> policies_if_any(const settings& from);
/// For questions about one thing: an error for a person where nothing was ever kept.
std::expected<std::unique_ptr<store::policy_store>, std::string> policies_to_ask(const settings& from);

struct writable_policies {
    write_lock lock;
    std::unique_ptr<store::policy_store> opened;
};
/// Locks and opens; makes the store where it is missing.
std::expected<writable_policies, std::string> policies_to_write(const settings& from);

class local_sending {
public:
    /// Reads what is kept of the destination, where anything is and may be read. `notes`: sentences that a
    /// person should see.
    local_sending() = default;
    static std::expected<std::unique_ptr<local_sending>, std::string>
    make(const settings& from, const std::string& key, std::vector<std::string>& notes);
    /// The decision: from what is kept where it is good enough, else from the network.
    resolve::shared_decision decide(const std::string& key, bool live);
    resolve::service::refreshed refresh(const std::string& key);
    /// What is remembered of the destination now, to be written.
    std::optional<model::kept_policy> kept(const std::string& domain) const;
    const resolve::reply_options& replies() const { return replies_; }
    base::utc_seconds now() const { return with_->clock.now(); }

private:
    std::unique_ptr<world> with_;
    resolve::reply_options replies_;
    std::unique_ptr<resolve::keeper> keeper_;
    std::unique_ptr<resolve::service> service_;
};

} // namespace mailtight::app
