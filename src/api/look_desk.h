// SPDX-License-Identifier: Apache-2.0
// Looks at domains, now, for those who ask the API: told stage by stage, few at once a caller and in all. Who
// asks for a domain that is looked at just now, or was within the last minute, shares that look. A look that
// all of its askers left begins nothing more and ends with what it waits for; it counts until then, and is
// nobody's. Lives on the loop and outlives the sites.
#pragma once

#include "api/access.h"
#include "io/loop.h"

#include <boost/json/object.hpp>

#include <chrono>
#include <cstddef>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mailtight::api {

struct look_stage {
    enum class kind { dns, policy, mail_server, tlsrpt, judge } what = kind::dns;
    bool done = false;   ///< else it begins
    std::string subject; ///< "mx1.example.com"
    std::string words;   ///< what came of it
};
std::string_view to_string(look_stage::kind k); ///< "dns", "policy", "mail-server", "tlsrpt", "judge"

/// One look, under way or done, as those who share it see it.
class shared_look {
public:
    explicit shared_look(io::loop& on)
        : loop_(on)
        , begun_(on.now())
        , left_(begun_) {}
    struct told {
        look_stage stage;
        std::chrono::milliseconds at{}; ///< since the look began
    };
    const std::vector<told>& stages() const { return stages_; }
    /// As `check --json`; nothing while it is under way, and where it failed.
    const std::optional<boost::json::object>& document() const { return document_; }
    bool done() const { return done_; }
    /// Until more is known, or so long.
    io::task<> wait(std::chrono::milliseconds at_most) const;
    /// Somebody who waits for it; the look goes on while there is one.
    class listener {
    public:
        explicit listener(std::shared_ptr<const shared_look> to)
            : to_(std::move(to)) {
            ++to_->listeners_;
        }
        ~listener() {
            if (--to_->listeners_ == 0)
                to_->left_ = to_->loop_.now();
        }
        listener(const listener&) = delete;
        listener& operator=(const listener&) = delete;

    private:
        std::shared_ptr<const shared_look> to_;
    };
    /// False once nobody has waited for a moment, and from then on.
    bool wanted() const;

private:
    friend class look_desk;
    void tell(look_stage stage);
    void end(std::optional<boost::json::object> document);
    void wake();

    io::loop& loop_;
    io::loop::time_point begun_, ended_{};
    std::string who_;
    std::vector<told> stages_;
    std::optional<boost::json::object> document_;
    mutable std::vector<std::shared_ptr<io::event>> waiting_;
    mutable io::loop::time_point left_{};
    mutable std::size_t listeners_ = 0;
    mutable bool given_up_ = false;
    bool done_ = false;
};

/// Looks at a domain as `check` does. `whole`: with what is known here of those looked after, which only who
/// sees all of them may be told. Where it is `wanted` no more, it ends soon; what it gives is not used.
using look_fn = std::function<io::task<boost::json::object>(
    std::string domain, bool whole, std::function<void(look_stage)> told, std::function<bool()> wanted)>;

struct look_limits {
    std::size_t at_once = 8, of_one = 2, kept = 500;
    std::chrono::seconds shared{60};
};

class look_desk {
public:
    look_desk(io::loop& on, look_fn look, look_limits limits = {})
        : loop_(on)
        , look_(std::move(look))
        , limits_(limits) {}
    /// The look at what was typed; or the refusal: 422 for what is no domain, 429.
    std::expected<std::shared_ptr<const shared_look>, wire::http_reply> at(std::string_view typed,
                                                                           const caller& by);
    std::size_t under_way() const; ///< those given up included, until they are done

private:
    std::size_t under_way_of(const std::string* who) const; ///< null: of all
    static io::task<> carry_out(look_fn look, std::string domain, bool whole,
                                std::shared_ptr<shared_look> of);
    void forget_old();

    io::loop& loop_;
    look_fn look_;
    look_limits limits_;
    std::map<std::pair<std::string, bool>, std::shared_ptr<shared_look>> looks_; ///< by domain and `whole`
    std::vector<std::shared_ptr<shared_look>> ending_;                           ///< given up, and not done
};

} // namespace mailtight::api
