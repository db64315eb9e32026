// SPDX-License-Identifier: Apache-2.0
// The world that plans are carried out in: DNS with resolvers that remember, a policy host, MX hosts, and
// senders that keep policies. Everything here knows the true time; the planner never sees it.
#pragma once

#include "sts/match.h"
#include "sts/policy.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace mailtight::plan::tests {

using moment = std::int64_t; ///< true seconds

class dice {
public:
    explicit dice(std::uint64_t seed)
        : engine_(seed) {}
    std::int64_t between(std::int64_t low, std::int64_t high) {
        return low + static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(high - low + 1));
    }
    bool once_in(std::int64_t n) { return between(1, n) == 1; }
    /// Short and long ones alike.
    moment delay(moment longest) {
        const moment most[] = {60, 3'600, 43'200, 86'400, 604'800, longest};
        return between(1, std::min(longest, most[between(0, 5)]));
    }
    template<class T>
    const T& one_of(const std::vector<T>& all) {
        return all[static_cast<std::size_t>(between(0, static_cast<std::int64_t>(all.size()) - 1))];
    }

private:
    std::mt19937_64 engine_;
};

struct world {
    // `_mta-sts`, on servers of which some lag behind.
    std::string id, id_before; ///< "" : no record
    moment id_at = 0;
    std::int64_t record_ttl = 300;
    static constexpr moment spreading = 40;

    std::string policy, policy_before; ///< that senders get; "" : none
    moment policy_at = 0;
    static constexpr moment hosts_lag = 5;

    struct mx_host {
        bool in_dns = false;
        moment gone_at = 0; ///< from DNS; it goes on taking mail for a while
        moment passes_from = 0;
    };
    std::map<std::string, mx_host> mx;
    std::int64_t mx_ttl = 3'600;

    /// All that could be fetched, with its true times.
    struct was_served {
        std::string body;
        moment last = 0;
        sts::policy value;
    };
    std::vector<was_served> served;

    std::vector<std::string> hosts() const {
        std::vector<std::string> out;
        for (const auto& [name, one] : mx)
            if (one.in_dns)
                out.push_back(name);
        return out;
    }
    bool takes_mail(const std::string& host, moment now) const {
        const auto found = mx.find(host);
        if (found == mx.end())
            return false;
        const auto& one = found->second;
        return one.in_dns || now <= one.gone_at + std::max<std::int64_t>(mx_ttl, 3'600);
    }
    bool passes(const std::string& host, moment now) const {
        return takes_mail(host, now) && now >= mx.at(host).passes_from;
    }

    void set_record(const std::string& to, moment now) {
        if (to == id)
            return;
        id_before = id;
        id = to;
        id_at = now;
    }
    void set_policy(const std::string& to, moment now) {
        if (to == policy)
            return;
        keep_log(now);
        policy_before = policy;
        policy = to;
        policy_at = now;
        keep_log(now);
    }
    /// Notes what can be fetched at this moment.
    void keep_log(moment now) {
        if (!served.empty() && served.back().body == policy) {
            served.back().last = now + hosts_lag;
            return;
        }
        if (auto read = sts::parse_policy(policy))
            served.push_back({policy, now + hosts_lag, *read});
    }
    /// The end of the last policy that asked something of senders.
    moment bound_until(moment now) {
        keep_log(now);
        moment latest = 0;
        for (const auto& one : served)
            if (one.value.mode != sts::mode::none)
                latest = std::max(latest, one.last + static_cast<moment>(one.value.effective_max_age()));
        return latest;
    }

    std::string ask_record(moment now, dice& chance) const {
        return now < id_at + spreading && chance.once_in(2) ? id_before : id;
    }
    std::string fetch(moment now, dice& chance) const {
        return now < policy_at + hosts_lag && chance.once_in(2) ? policy_before : policy;
    }
};

class sender {
public:
    enum class kind {
        looks_each_time, ///< at the record, through a resolver that remembers it for its TTL
        looks_daily,     ///< no more often
        ignores_id,      ///< keeps a policy for its whole max_age
    };
    explicit sender(kind what)
        : what_(what) {}

    enum class fate { delivered, deferred, refused };
    kind what() const { return what_; }

    fate deliver(world& there, moment now, dice& chance) {
        if (now >= mx_until_) {
            mx_ = there.hosts();
            mx_until_ = now + there.mx_ttl;
        }
        if (held_ && now > held_->until)
            held_.reset();
        const bool looks =
            !held_ || what_ == kind::looks_each_time ||
            (what_ == kind::looks_daily && now >= looked_at_ + 86'400 - chance.between(0, 3'600));
        if (looks)
            look(there, now, chance, false);
        if (can_deliver(there, mx_, now))
            return fate::delivered;
        if (what_ == kind::ignores_id)
            return fate::deferred;
        look(there, now, chance, true); // 8461-5-d
        return can_deliver(there, there.hosts(), now) ? fate::deferred : fate::refused;
    }
    /// When it looks at the record although nothing is to be delivered.
    moment next_look() const { return what_ == kind::looks_daily ? looked_at_ + 86'400 : -1; }
    void daily_look(world& there, moment now, dice& chance) { look(there, now, chance, false); }
    std::string holds() const {
        return held_ ? held_->body + " until " + std::to_string(held_->until) : "nothing";
    }

private:
    struct kept {
        sts::policy value;
        std::string id, body;
        moment until = 0;
    };

    void look(world& there, moment now, dice& chance, bool uncached) {
        looked_at_ = now;
        if (uncached || now >= record_until_) {
            record_ = there.ask_record(now, chance);
            record_until_ = now + there.record_ttl;
        }
        if (record_.empty() || (held_ && held_->id == record_ && now <= held_->until))
            return;
        if (!held_ && chance.once_in(30))
            return; // a fetch that fails leaves a sender without a policy, where it had none
        const auto body = there.fetch(now, chance);
        if (auto read = sts::parse_policy(body))
            held_ = kept{.value = *read,
                         .id = record_,
                         .body = body,
                         .until = now + static_cast<moment>(read->effective_max_age())};
    }
    bool can_deliver(const world& there, const std::vector<std::string>& hosts, moment now) const {
        if (!held_ || held_->value.mode != sts::mode::enforce)
            return true;
        return std::ranges::any_of(hosts, [&](const std::string& host) {
            return there.passes(host, now) && sts::admitted_by(held_->value.mx, host);
        });
    }

    kind what_;
    std::optional<kept> held_;
    std::vector<std::string> mx_;
    std::string record_;
    moment mx_until_ = 0, record_until_ = 0, looked_at_ = 0;
};

} // namespace mailtight::plan::tests
