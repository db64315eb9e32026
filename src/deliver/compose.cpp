// SPDX-License-Identifier: Apache-2.0
// Entries: make_report() and file_report(). The results are cleaned, equal policies and equal details added
// up (what differed only in bytes that no report may hold is equal now), then laid out in a fixed order.
#include "deliver/compose.h"

#include "base/compress.h"
#include "base/encode.h"
#include "base/text.h"
#include "deliver/compose_clean.h"
#include "tlsrpt/write_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace mailtight::deliver {
namespace {

using tlsrpt::policy_type;
using tlsrpt::result_type;

constexpr std::uint64_t count_max = 9'007'199'254'740'991; // 2^53-1, RFC 7493 §2.2
constexpr std::size_t organization_bytes = 200;

std::uint64_t sum(std::uint64_t a, std::uint64_t b) {
    return a >= count_max || b >= count_max ? count_max : std::min(a + b, count_max);
}

struct policy_counts {
    std::uint64_t success = 0, failure = 0;
    std::map<model::session_fault, std::uint64_t> faults;
};
using day_counts = std::map<model::applied_policy, policy_counts>;

struct shown {
    model::session_fault what;
    std::uint64_t count = 0;
};

// What reports say of the same sessions again, under other names.
void add_up(policy_counts& to, const policy_counts& more) {
    to.success = sum(to.success, more.success);
    to.failure = sum(to.failure, more.failure);
    for (const auto& [what, count] : more.faults)
        to.faults[what] = sum(to.faults[what], count);
}

bool concerns(const model::due_report& what, const model::applied_policy& policy) {
    return what.audience == model::report_audience::recipient_domain ||
           (policy.type == policy_type::tlsa && policy.domain == what.domain); // A22: nobody else's results
}

day_counts count(const reporter& who, const model::due_report& what,
                 std::span<const model::counted_result> results) {
    day_counts out;
    for (const auto& result : results) {
        auto policy = clean_policy(result.policy, what.domain);
        if (!concerns(what, policy))
            continue;
        auto& counts = out[std::move(policy)];
        counts.success = sum(counts.success, result.success);
        counts.failure = sum(counts.failure, result.failure);
        for (const auto& fault : result.faults) {
            if (fault.count == 0)
                continue;
            auto& total = counts.faults[clean_fault(fault.what, who.sending_address)];
            total = sum(total, fault.count);
        }
    }
    return out;
}

// A40: the most frequent ones as they are, the others as one entry a result type. A session may stand in
// several of those: more sessions than there were cannot have failed.
std::vector<shown> lay_out(const policy_counts& counts, std::size_t details_max) {
    std::vector<shown> out;
    out.reserve(counts.faults.size() + 1);
    std::uint64_t told = 0;
    for (const auto& [what, count] : counts.faults) {
        out.push_back({what, count});
        told = sum(told, count);
    }
    const auto by_count = [](const shown& a, const shown& b) {
        return a.count != b.count ? a.count > b.count : a.what < b.what;
    };
    std::ranges::sort(out, by_count);
    if (out.size() > details_max) {
        std::map<result_type, std::uint64_t> rest;
        for (const auto& one : std::span(out).subspan(details_max))
            rest[one.what.type] = sum(rest[one.what.type], one.count);
        out.resize(details_max);
        const auto sessions = sum(counts.success, counts.failure);
        for (const auto& [type, total] : rest) {
            model::session_fault folded;
            folded.type = type;
            folded.reason_code = "several-reasons";
            out.push_back({folded, std::min(total, std::max(sessions, std::uint64_t{1}))});
        }
    }
    if (told < counts.failure) { // a mail server that does not say what was wrong: fits no other type
        model::session_fault silent;
        silent.type = result_type::validation_failure;
        silent = clean_fault(silent, false);
        const auto same = std::ranges::find(out, silent, &shown::what);
        if (same == out.end())
            out.push_back({silent, counts.failure - told});
        else
            same->count = sum(same->count, counts.failure - told);
    }
    std::ranges::sort(out, by_count);
    return out;
}

tlsrpt::failure_detail detail_of(const shown& one) {
    tlsrpt::failure_detail d;
    d.result_type = to_string(one.what.type);
    d.count = one.count;
    d.sending_mta_ip = one.what.sending_mta_ip;
    d.receiving_mx = one.what.receiving_mx;
    d.receiving_mx_helo = one.what.receiving_mx_helo;
    d.receiving_ip = one.what.receiving_ip;
    d.additional_information = one.what.additional_information;
    d.reason_code = one.what.reason_code;
    return d;
}

// A28: fit for JSON and for a msg-id, the same whenever the same report is made again.
std::string report_id(const reporter& who, const model::due_report& what, std::uint32_t part) {
    constexpr std::size_t domain_bytes = 160, hash_letters = 16;
    const auto hash = base::base32(
        base::sha256(fmt::format("{}\n{}\n{}\n{}\n{}\n{}", who.contact, who.unique,
                                 base::format_date(what.day), what.domain, to_string(what.audience), part)));
    auto date = base::format_date(what.day);
    std::erase(date, '-');
    auto domain = what.domain.substr(0, domain_bytes);
    while (domain.ends_with('.'))
        domain.pop_back();
    return fmt::format("{}.{}.{}@{}", date, hash.substr(0, hash_letters), domain, who.submitter());
}

tlsrpt::report report_of(const reporter& who, const model::due_report& what, std::uint32_t part,
                         const day_counts& counted, std::size_t details_max) {
    tlsrpt::report out;
    out.organization_name = one_line(who.organization, organization_bytes); // 8460-4-b
    if (out.organization_name.empty())
        out.organization_name = who.submitter();
    out.contact_info = who.address();
    out.report_id = report_id(who, what, part);
    out.start = what.day; // 8460-4.1-a
    out.end = what.day + std::chrono::days(1) - std::chrono::seconds(1);
    for (const auto& [policy, counts] : counted) { // 8460-4-e
        auto& p = out.policies.emplace_back();
        p.type = to_string(policy.type);
        p.domain = policy.domain;
        p.strings = policy.strings;
        p.mx_patterns = policy.mx_patterns;
        p.success = counts.success;
        p.failure = counts.failure;
        for (const auto& one : lay_out(counts, details_max)) // 8460-4-g
            p.details.push_back(detail_of(one));
    }
    return out;
}

// Policies by type and domain alone.
day_counts without_texts(const day_counts& counted) {
    day_counts out;
    for (const auto& [policy, counts] : counted) {
        model::applied_policy bare;
        bare.type = policy.type;
        bare.domain = policy.domain;
        add_up(out[bare], counts);
    }
    return out;
}

std::size_t most_details(const tlsrpt::report& of) {
    std::size_t most = 0;
    for (const auto& p : of.policies)
        most = std::max(most, p.details.size());
    return most;
}

std::string name_of(const reporter& who, const model::due_report& what, std::uint32_t part) {
    tlsrpt::report_file_name name;
    name.sender = who.submitter(); // 8460-5.1-b
    name.domain = what.domain;
    name.start = what.day;
    name.end = what.day + std::chrono::days(1) - std::chrono::seconds(1);
    name.unique_id = who.unique; // 8460-5.1-f: reports that would have the same name otherwise
    if (what.audience == model::report_audience::tlsa_base)
        name.unique_id += "tlsa";
    if (part > 0)
        name.unique_id += fmt::format("part{}", part);
    return name.to_string();
}

} // namespace

tlsrpt::report make_report(const reporter& who, const model::due_report& what, std::uint32_t part,
                           std::span<const model::counted_result> results, const compose_limits& limits) {
    return report_of(who, what, part, count(who, what, results), limits.details);
}

model::outgoing_report file_report(const reporter& who, const model::due_report& what, std::uint32_t part,
                                   std::span<const model::counted_result> results, base::utc_seconds now,
                                   const compose_limits& limits) {
    auto counted = count(who, what, results);
    auto details = limits.details;
    auto report = report_of(who, what, part, counted, details);
    auto body = base::gzip(tlsrpt::write_report(report)); // 8460-5.2-a
    while (body.size() > limits.bytes && details > 0) {
        const double fits = static_cast<double>(limits.bytes) / static_cast<double>(body.size());
        const auto most = std::min(details, most_details(report));
        details = std::min(static_cast<std::size_t>(static_cast<double>(most) * fits * 0.9), most / 2);
        report = report_of(who, what, part, counted, details);
        body = base::gzip(tlsrpt::write_report(report));
    }
    if (body.size() > limits.bytes) { // a policy changed all day long: what it said is the last to go
        counted = without_texts(counted);
        report = report_of(who, what, part, counted, 0);
        body = base::gzip(tlsrpt::write_report(report));
    }

    model::outgoing_report out;
    out.day = what.day;
    out.domain = what.domain;
    out.audience = what.audience;
    out.part = part;
    out.report_id = report.report_id;
    out.file_name = name_of(who, what, part);
    out.body = std::move(body);
    const auto sessions = tlsrpt::headline(report);
    out.success = sessions.success;
    out.failure = sessions.failure;
    out.made_at = now;
    return out;
}

} // namespace mailtight::deliver
