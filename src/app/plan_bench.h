// SPDX-License-Identifier: Apache-2.0
// What a command needs to plan for a domain: the network, the store where there is one, and the hands. Looks
// and plans as the daemon does; blocks. Errors are for a person.
#pragma once

#include "app/options.h"
#include "app/planning.h"
#include "app/publish_hands.h"
#include "app/terminal.h"

#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace mailtight::app {

struct bench_error {
    int status = not_done; ///< the exit status
    std::string words;
};

class plan_bench {
public:
    /// `change`: the store is made where it is missing, and may be written.
    static std::expected<std::unique_ptr<plan_bench>, bench_error> make(const common_options& common,
                                                                        bool change);
    ~plan_bench();

    world& with() { return *with_; }
    const publish_settings& say() const { return say_; }
    store::domain_store* kept() { return kept_.get(); } ///< null: there is no store yet
    publish_hands& hands() { return *hands_; }
    base::utc_seconds now() const { return clock_.now(); }

    std::expected<std::optional<model::looked_after>, std::string> find(const std::string& domain);
    /// Carries out the next step of a domain that is looked after: the daemon where one runs, else here.
    struct carried_out {
        plan::plan next;
        std::string did, failed;
        bool by_daemon = false, busy = false;
        std::string text, json; ///< of the plan, where the daemon made it
    };
    std::expected<carried_out, bench_error> carry_out(const std::string& domain, progress_line& line);

    using planned = app::planned;
    /// From a look now, and what the store remembers. Of a domain that nobody looked after nothing is known
    /// of the past.
    std::expected<planned, std::string> plan_for(const model::looked_after& wish, progress_line& line);
    /// Of a domain of nobody's, where no aim was named: the plan leads on from where it is. A mail server to
    /// be added, or another web server, is no reason to give enforce up.
    std::expected<planned, std::string> plan_onwards(model::looked_after wish, progress_line& line);
    /// Without looking again.
    plan::plan plan_again(const model::looked_after& wish, const planned& before);

private:
    /// The daemon's clock, where one runs and its days are set forward.
    class bench_clock final : public base::clock {
    public:
        base::utc_seconds now() const override;
        std::chrono::seconds ahead{0};
    };
    plan_bench() = default;

    const common_options* common_ = nullptr;
    publish_settings say_;
    bench_clock clock_;
    std::unique_ptr<world> with_;
    std::unique_ptr<store::domain_store> kept_;
    std::unique_ptr<io::worker> worker_;
    std::unique_ptr<publish_hands> hands_;
};

} // namespace mailtight::app
