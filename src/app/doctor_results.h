// SPDX-License-Identifier: Apache-2.0
// `doctor` for who reports to others: whether results reach us, whether reports get out. Pure, but for
// look_at_results().
#pragma once

#include "app/doctor_mta.h"
#include "app/settings.h"
#include "app/world.h"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace mailtight::app {

/// The kernel's queue of unix datagrams that is long enough (net.unix.max_dgram_qlen).
inline constexpr std::size_t queue_wanted = 512;
inline constexpr const char* report_transport = "mailtight-report";

struct results_facts {
    std::vector<std::string> datagrams, logs, lines; ///< as configured
    std::string contact;                             ///< "" : nobody reports
    bool mail = true;                                ///< reports go out by mail through this host
    bool over_v6 = false; ///< this host is fit to send over IPv6, or has no way out over it
};

/// A socket that results are told at; `seen` as it stands.
check_row judge_result_socket(const std::string& path, const socket_seen& seen);
check_row judge_queue_length(std::optional<std::size_t> length);
/// What Postfix lacks to tell its results, and the transport of its own for our reports where it knows no
/// TLS-Required (before 3.10): reports must get out past a policy that cannot be met (8460-5.3.1-a), and must
/// not be counted (8460-3-h); and where this host had better send them over IPv4.
std::vector<check_row> judge_postfix_results(const postfix_facts& facts, const results_facts& ours);
std::vector<check_row> judge_exim_results(const results_facts& ours);

results_facts results_facts_of(const settings& from);
/// Rows about this host, its keys and its addresses; nothing where neither [collect] nor [deliver] is on.
/// Completes `facts` by what was seen. All of it outlives the look.
io::task<std::vector<check_row>> look_at_results(world& with, const settings& set, results_facts& facts);

} // namespace mailtight::app
