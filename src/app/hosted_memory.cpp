// SPDX-License-Identifier: Apache-2.0
#include "app/hosted_memory.h"

#include "publish/challenge.h"
#include "publish/renewal.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>

namespace mailtight::app {

namespace {

using namespace std::chrono_literals;

constexpr auto renewal_patience = 24h; ///< after its moment a renewal is overdue

} // namespace

hosted_memory::hosted_memory(publish::policy_host& host, bool files_too,
                             std::function<void(const std::string&)> trouble)
    : host_(host)
    , files_too_(files_too)
    , trouble_(std::move(trouble)) {}

void hosted_memory::take(published_news fresh, base::utc_seconds now) {
    for (const auto& each : fresh.policies)
        host_.put_policy(each);
    for (auto& each : fresh.certificates)
        take(std::move(each));
    for (const auto& words : fresh.troubles)
        trouble_(words);
    take_answers(std::move(fresh.answers), now);
}

void hosted_memory::take(opened_certificate one) {
    if (one.gone) {
        host_.drop_certificate(one.name);
        newest_.erase(one.name);
        broken_.erase(one.name);
        return;
    }
    // The store names them in the order in which they came, and the last one counts: the new one, or the
    // one before it where the new one was refused. Files have no such order: the one issued later counts,
    // which may well end earlier (whoever goes over to certificates of a week has one of three months),
    // and what a file has now is never the older.
    auto& newest = newest_[one.name];
    if (files_too_ && one.not_before < newest.issued && (one.file.empty() || one.file != newest.file))
        return;
    if (auto put = host_.put_certificate(one.name, std::move(one.chain), std::move(one.key)); !put) {
        broken_[one.name] = put.error();
        trouble_(fmt::format("{}: {}", one.name, put.error()));
        return;
    }
    newest = {.issued = one.not_before,
              .ends = one.not_after,
              .renew_at = one.renew_at,
              .file = std::move(one.file)};
    broken_.erase(one.name);
}

void hosted_memory::take_answers(std::vector<store::challenge_answer> all, base::utc_seconds now) {
    std::map<std::pair<std::string, std::string>, std::string> wanted;
    for (auto& each : all)
        wanted[{each.kind, each.key}] = std::move(each.answer);
    for (const auto& [name, answer] : answering_)
        if (!wanted.contains(name)) {
            if (name.first == "http-01")
                host_.put_token(name.second, "");
            else
                host_.put_challenge(name.second, nullptr);
        }
    for (const auto& [name, answer] : wanted) {
        if (const auto before = answering_.find(name); before != answering_.end() && before->second == answer)
            continue;
        if (name.first == "http-01") {
            host_.put_token(name.second, answer);
        } else if (auto made = publish::make_alpn_answer(name.second, answer, now); made) {
            if (auto read = io::certified_key::read(made->chain, made->key))
                host_.put_challenge(name.second, std::move(*read));
        }
    }
    answering_ = std::move(wanted);
}

void hosted_memory::take(publish::certificate_folder::changes found) {
    for (const auto& file : found.gone)
        for (const auto& name : by_file_[file]) {
            host_.drop_certificate(name);
            newest_.erase(name);
        }
    for (auto& each : found.fresh) {
        auto& names = by_file_[each.file];
        names.clear();
        for (const auto& typed : each.names) {
            const auto name = policy_host_of(typed);
            if (name.empty())
                continue;
            names.push_back(name);
            take(opened_certificate{.name = name,
                                    .chain = each.chain,
                                    .key = each.key,
                                    .not_before = each.not_before,
                                    .not_after = each.not_after,
                                    .renew_at = publish::by_lifetime(each.not_before, each.not_after),
                                    .file = each.file});
        }
    }
    for (const auto& words : found.trouble)
        trouble_("certificates.folder: " + words);
}

std::vector<folder_certificate> hosted_memory::from_folder() const {
    std::vector<folder_certificate> all;
    for (const auto& [name, is] : newest_)
        if (!is.file.empty())
            all.push_back({name, is.file, is.issued, is.ends});
    return all;
}

std::vector<insight::alarm> hosted_memory::alarms() const {
    std::vector<insight::alarm> all;
    for (const auto& [name, words] : broken_) {
        insight::alarm alarm;
        alarm.key = "publish/certificate/" + name;
        alarm.kind = "publish";
        alarm.domain = name.starts_with(host_prefix) ? name.substr(host_prefix.size()) : name;
        alarm.weight = insight::weight::error;
        alarm.title = fmt::format("A certificate for {} cannot be served", name);
        alarm.text = words;
        alarm.fix = "See publish.key-file and certificates.folder: the old certificate, where there is one, "
                    "goes on.";
        all.push_back(std::move(alarm));
    }
    return all;
}

void hosted_memory::tell_ends(base::metrics& to, base::utc_seconds now) const {
    using base::metric;
    constexpr std::array days = {3, 7, 14};
    std::array<double, days.size()> ending{};
    double overdue = 0;
    std::optional<base::utc_seconds> first;
    for (const auto& [name, is] : newest_) {
        first = std::min(first.value_or(is.ends), is.ends);
        overdue += is.renew_at + renewal_patience < now ? 1 : 0;
        for (std::size_t i = 0; i < days.size(); ++i)
            ending[i] += is.ends <= now + std::chrono::days(days[i]) ? 1 : 0;
    }
    to.set(metric::hosted_certificates_first_end,
           first ? static_cast<double>(first->time_since_epoch().count()) : 0);
    to.set(metric::hosted_certificates_overdue, overdue);
    for (std::size_t i = 0; i < days.size(); ++i)
        to.set(metric::hosted_certificates_ending, ending[i], {std::to_string(days[i])});
}

} // namespace mailtight::app
