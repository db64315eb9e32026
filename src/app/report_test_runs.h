// SPDX-License-Identifier: Apache-2.0
// Synthetic reports that the daemon sends because somebody asked on a page: each run in the background, its
// results kept for a while. Lives on the loop; the core outlives it.
#pragma once

#include "api/received_desk.h"
#include "io/loop.h"

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mailtight::app {

struct daemon_core;

class report_test_runs {
public:
    static constexpr std::size_t at_once = 4, kept = 100, addresses = 10;
    static constexpr std::chrono::seconds answered_after{10}; ///< with what there is by then

    explicit report_test_runs(daemon_core& core);
    /// Looks the record up and sends to each address of it. Nothing where a run of this domain is under way,
    /// or too many are.
    static io::task<std::optional<api::report_test>> begin(std::shared_ptr<report_test_runs> self,
                                                           std::string domain);
    /// How far it is, with what has arrived in the store since.
    static io::task<store::result<std::optional<api::report_test>>>
    look(std::shared_ptr<report_test_runs> self, std::string token);

private:
    struct run {
        api::report_test seen;
        std::vector<std::string> tokens; ///< of each sending
    };
    static io::task<> send(std::shared_ptr<report_test_runs> self, std::shared_ptr<run> one);

    daemon_core& core_;
    std::size_t under_way_ = 0;
    std::map<std::string, std::shared_ptr<run>> runs_;
    std::vector<std::string> order_; ///< oldest first
};

} // namespace mailtight::app
