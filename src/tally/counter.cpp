// SPDX-License-Identifier: Apache-2.0
// A hash table of (day, domain, policy), each with its faults in order. What strangers choose (domains,
// policies, host names) is hashed with a key of this process or compared in a tree, so nobody makes it slow.
#include "tally/counter.h"

#include "base/keyed_hash.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace mailtight::tally {

namespace {

using model::applied_policy;
using model::counted_result;
using model::session_fault;

struct key {
    std::chrono::sys_days day;
    std::string domain;
    applied_policy policy;
};

struct key_view {
    std::chrono::sys_days day;
    std::string_view domain;
    const applied_policy& policy;
};

/// One text for all fields, so that one keyed hash covers them; equality is compared in full.
void spell(std::string& into, const key_view& of) {
    const auto number = [&](std::uint64_t n) {
        for (int shift = 0; shift < 64; shift += 8)
            into += static_cast<char>(n >> shift);
    };
    const auto text = [&](std::string_view t) {
        number(t.size());
        into += t;
    };
    into.clear();
    number(static_cast<std::uint64_t>(of.day.time_since_epoch().count()));
    number(static_cast<std::uint64_t>(of.policy.type));
    text(of.domain);
    text(of.policy.domain);
    number(of.policy.strings.size());
    for (const auto& each : of.policy.strings)
        text(each);
    for (const auto& each : of.policy.mx_patterns)
        text(each);
}

struct hash {
    using is_transparent = void;
    explicit hash(base::hash_key with)
        : secret(with) {}
    base::hash_key secret;
    std::shared_ptr<std::string> scratch = std::make_shared<std::string>();
    std::size_t operator()(const key_view& of) const {
        spell(*scratch, of);
        return base::keyed_hash(secret, *scratch);
    }
    std::size_t operator()(const key& of) const { return (*this)(key_view{of.day, of.domain, of.policy}); }
};
struct equal {
    using is_transparent = void;
    static key_view view(const key& of) { return {of.day, of.domain, of.policy}; }
    static key_view view(const key_view& of) { return of; }
    bool operator()(const auto& a, const auto& b) const {
        const auto x = view(a), y = view(b);
        return x.day == y.day && x.domain == y.domain && x.policy == y.policy;
    }
};

struct counts {
    std::uint64_t success = 0, failure = 0;
    std::map<session_fault, std::uint64_t> faults;
    std::size_t folded_kinds = 0; ///< of `faults`
    std::string record_seen;
};

// What a node and its strings take beside their text, about; each string of more than 15 bytes allocates.
constexpr std::size_t entry_overhead = sizeof(key) + sizeof(counts) + 64;
constexpr std::size_t fault_overhead = sizeof(session_fault) + 64;

std::size_t size_of(const applied_policy& of) {
    std::size_t size = of.domain.size();
    for (const auto* list : {&of.strings, &of.mx_patterns})
        for (const auto& each : *list)
            size += sizeof(std::string) + each.size() + 16;
    return size;
}
std::size_t size_of(const session_fault& of) {
    std::size_t size = fault_overhead;
    for (const auto* text : {&of.sending_mta_ip, &of.receiving_mx, &of.receiving_mx_helo, &of.receiving_ip,
                             &of.additional_information, &of.reason_code})
        size += text->size() > 15 ? text->size() + 16 : 0;
    return size;
}

// A40: one entry a result type, without addresses.
session_fault fold(const session_fault& of) {
    session_fault folded;
    folded.type = of.type;
    return folded;
}
bool is_fold(const session_fault& of) {
    return of == fold(of);
}

} // namespace

struct counter::state {
    explicit state(counter_limits given)
        : limits(given)
        , table(0, hash(base::random_hash_key())) {}

    using entry = std::pair<const key, counts>;

    bool full() const { return bytes >= limits.bytes; }
    bool closed() const { return bytes >= 2 * limits.bytes; }

    /// The entry to count in; null where there is no room for another domain.
    counts* place(std::chrono::sys_days day, std::string_view domain, const applied_policy& policy) {
        if (const auto found = table.find(key_view{day, domain, policy}); found != table.end())
            return &found->second;
        if (full() && !(policy.strings.empty() && policy.mx_patterns.empty()))
            return place(day, domain,
                         {.type = policy.type, .domain = policy.domain, .strings = {}, .mx_patterns = {}});
        if (closed())
            return nullptr;
        bytes += entry_overhead + domain.size() + size_of(policy);
        return &table.try_emplace(key{day, std::string(domain), policy}).first->second;
    }

    /// Whether it was folded.
    bool count_fault(counts& in, const session_fault& what, std::uint64_t times) {
        if (const auto found = in.faults.find(what); found != in.faults.end()) {
            found->second += times;
            return false;
        }
        const bool folds = is_fold(what);
        if (!folds && (full() || in.faults.size() - in.folded_kinds >= limits.faults_per_policy)) {
            folded += times;
            count_fault(in, fold(what), times);
            return true;
        }
        bytes += size_of(what);
        in.folded_kinds += folds ? 1 : 0;
        in.faults.emplace(what, times);
        return false;
    }

    void add(const std::string& domain, const model::policy_outcome& outcome, const std::string& record,
             std::chrono::sys_days day, std::uint64_t times) {
        auto* in = place(day, domain, outcome.policy);
        if (!in) {
            lost += times;
            return;
        }
        (outcome.failed ? in->failure : in->success) += times; // 8460-4.2-a, 8460-4.2-b
        sessions += times;
        note_record(*in, record, true);
        // 8460-4-d, 8460-4-g: a fault counts sessions, so one session counts in it once.
        std::uint32_t counted_folds = 0;
        for (auto it = outcome.faults.begin(); it != outcome.faults.end(); ++it) {
            if (std::find(outcome.faults.begin(), it, *it) != it)
                continue;
            const auto bit = 1U << static_cast<unsigned>(it->type);
            if ((counted_folds & bit) != 0 && would_fold(*in, *it)) {
                folded += times;
                continue;
            }
            if (count_fault(*in, *it, times))
                counted_folds |= bit;
        }
    }

    bool would_fold(const counts& in, const session_fault& what) const {
        return !in.faults.contains(what) &&
               (full() || in.faults.size() - in.folded_kinds >= limits.faults_per_policy);
    }

    void note_record(counts& in, const std::string& record, bool newer) {
        if (record.empty() || record == in.record_seen || (!newer && !in.record_seen.empty()))
            return;
        bytes += record.size();
        bytes -= std::min(bytes, in.record_seen.size());
        in.record_seen = record;
    }

    void put_back(counted_result&& from) {
        auto* in = place(from.day, from.domain, from.policy);
        if (!in) {
            lost += from.success + from.failure;
            return;
        }
        in->success += from.success;
        in->failure += from.failure;
        sessions += from.success + from.failure;
        note_record(*in, from.record_seen, false);
        for (const auto& fault : from.faults)
            count_fault(*in, fault.what, fault.count);
    }

    counter_limits limits;
    std::unordered_map<key, counts, hash, equal> table;
    std::size_t bytes = 0;
    std::uint64_t sessions = 0, folded = 0, lost = 0;
};

counter::counter(counter_limits limits)
    : state_(std::make_unique<state>(limits)) {}
counter::~counter() = default;

void counter::add(const model::delivery_result& result, base::utc_seconds at, std::uint64_t times) {
    if (times == 0)
        return;
    const auto day = std::chrono::floor<std::chrono::days>(at); // 8460-4.1-a
    for (const auto& outcome : result.outcomes)                 // 8460-4-e
        state_->add(result.domain, outcome, result.record_seen, day, times);
}

bool counter::full() const {
    return state_->full();
}
bool counter::empty() const {
    return state_->table.empty();
}

std::vector<counted_result> counter::take() {
    std::vector<counted_result> out;
    out.reserve(state_->table.size());
    while (!state_->table.empty()) {
        auto node = state_->table.extract(state_->table.begin());
        auto& [success, failure, faults, folded, record] = node.mapped();
        counted_result one{.day = node.key().day,
                           .domain = std::move(node.key().domain),
                           .policy = std::move(node.key().policy),
                           .success = success,
                           .failure = failure,
                           .faults = {},
                           .record_seen = std::move(record)};
        one.faults.reserve(faults.size());
        while (!faults.empty()) {
            auto fault = faults.extract(faults.begin());
            one.faults.push_back({std::move(fault.key()), fault.mapped()});
        }
        out.push_back(std::move(one));
    }
    std::ranges::sort(out, {}, [](const auto& r) { return std::tie(r.day, r.domain, r.policy); });
    state_->bytes = 0;
    state_->sessions = 0;
    return out;
}

void counter::put_back(std::vector<counted_result> what) {
    for (auto& each : what)
        state_->put_back(std::move(each));
}

std::uint64_t counter::sessions() const {
    return state_->sessions;
}
std::uint64_t counter::folded() const {
    return state_->folded;
}
std::uint64_t counter::lost() const {
    return state_->lost;
}

} // namespace mailtight::tally
