// SPDX-License-Identifier: Apache-2.0
// [collect] and [deliver], made from the settings: what the daemon (part_collect.cpp, part_deliver.cpp) and
// the commands that do without one share. Errors are for a person.
#pragma once

#include "app/settings.h"
#include "app/world.h"
#include "deliver/sender.h"
#include "store/results.h"
#include "tally/collector.h"

#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace mailtight::app {

/// Who reports. An error: deliver.contact is no address that a report can be sent from.
std::expected<deliver::reporter, std::string> reporter_of(const settings& from);
/// deliver.dkim-folder, or dkim beside the database (in the state directory where that is PostgreSQL).
std::string dkim_folder_of(const settings& from);
deliver::guard_rails rails_of(const settings& from);
/// All but the clocks. The keys are read from their folder; where there are none and they are needed, mails
/// wait (ways_out_of()).
std::expected<deliver::sender_options, std::string> sender_options_of(const settings& from);
/// By [mail], by HTTPS with the guard, and by DNS. `may_mail` says, before each mail, "" or why it must wait.
std::expected<deliver::ways_out, std::string> ways_out_of(world& with, const settings& from,
                                                          std::function<std::string()> may_mail);
/// "" : reports may go out by mail, else what is missing.
std::string why_no_mail(const settings& from, const deliver::key_ring& keys);

using open_results_fn = std::function<store::result<std::unique_ptr<store::result_store>>()>;
open_results_fn results_opener(const settings& from);
/// For lists: null where nothing was ever counted, which is an empty list and no error.
std::expected<std::unique_ptr<store::result_store>, std::string> results_if_any(const settings& from);
/// For questions about one thing: an error for a person where nothing was ever counted.
std::expected<std::unique_ptr<store::result_store>, std::string> results_to_ask(const settings& from);
/// All but what it reports to.
tally::collector_options collector_options_of(const settings& from);

/// `0622`; nothing on anything else.
std::optional<unsigned> parse_permissions(std::string_view text);

} // namespace mailtight::app
