// SPDX-License-Identifier: Apache-2.0
// How commands come to the domains looked after: in the database itself, beside a running daemon, which hears
// of each change by the change numbers and the work that is due; it is woken besides, so that a person need
// not wait for its next beat. Errors are for a person.
#pragma once

#include "app/settings.h"
#include "store/domains.h"

#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace mailtight::app {

/// For questions; a store that is not there yet is an error that says how to begin.
std::expected<std::unique_ptr<store::domain_store>, std::string> open_domains_to_ask(const settings& from);
/// Makes the store where it is missing, and leaves its files to the owner of their directory.
std::expected<std::unique_ptr<store::domain_store>, std::string> open_domains_to_change(const settings& from);
/// The same, or nullptr where there is none or it cannot be read: for answers that it only adds to.
std::unique_ptr<store::domain_store> open_domains_if_there(const settings& from);

/// Who types this, for the log of changes.
std::string person();

/// Makes the work of these domains due: planned and looked at now; then wakes the daemon where one runs.
std::expected<void, std::string> begin_work(const settings& from, store::domain_store& kept,
                                            std::span<const std::string> domains, base::utc_seconds now);
/// Tells the daemon, where one runs, that these domains changed. What it did not hear it finds in the store.
void wake_daemon(const settings& from, std::span<const std::string> domains);

/// Whether a daemon runs that carries out plans.
bool daemon_carries_out(const settings& from);

/// Now, by the clock of days and waits; the daemon's where one runs.
base::utc_seconds policy_now(const settings& from);

/// All of a question, page by page.
store::result<std::vector<model::looked_after>> all_domains(store::domain_store& kept,
                                                            store::domain_question which);
/// The names alone of all of them.
store::result<std::vector<std::string>> all_names(store::domain_store& kept);

} // namespace mailtight::app
