// SPDX-License-Identifier: Apache-2.0
#include "app/last_run.h"

#include "app/terminal.h"
#include "base/encode.h"
#include "base/text.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <unistd.h>

namespace mailtight::app {

namespace {

namespace fs = std::filesystem;

fs::path directory(const settings& from) {
    if (!from.state_directory.empty())
        return from.state_directory;
    if (const char* state = std::getenv("XDG_STATE_HOME"); state && *state == '/')
        return fs::path(state) / "mailtight";
    const char* home = std::getenv("HOME");
    return fs::path(home && *home ? home : "/var/lib") / ".local/state/mailtight";
}

std::string text_of(const boost::json::object& from, std::string_view key) {
    const auto* value = from.if_contains(key);
    return value && value->is_string() ? std::string(value->as_string()) : std::string();
}

/// The state as text, one value a key; a key is missing where it could not be looked up.
boost::json::object snapshot(const model::observation& seen, const advise::judgement& judged) {
    boost::json::object now;
    now["domain"] = seen.domain;
    now["checked_at"] = base::format_utc(seen.checked_at);
    if (judged.verdict != advise::verdict::unreachable) // nothing is known, so nothing changed
        now["verdict"] = advise::to_string(judged.verdict);
    if (!model::is_dns_error(seen.mx_set.status)) {
        std::vector<std::string> hosts;
        for (const auto& record : seen.mx_set.records)
            hosts.push_back(fmt::format("{} {}", record.preference, record.host.empty() ? "." : record.host));
        now["mx"] = base::join(hosts, ", ");
    }
    if (!model::is_dns_error(seen.sts_txt.status))
        now["id"] = judged.sts_value ? judged.sts_value->id : "";
    if (!model::is_dns_error(seen.tlsrpt_txt.status)) {
        auto texts = seen.tlsrpt_txt.texts;
        std::ranges::sort(texts); // servers give the records of a name in any order
        now["tlsrpt"] = base::join(texts, " | ");
    }
    if (judged.policy)
        now["policy_sha256"] = base::hex(base::sha256(judged.policy_text));
    return now;
}

bool replace_file(const fs::path& path, const std::string& bytes) {
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    const fs::path fresh = path.string() + fmt::format(".{}", ::getpid());
    {
        std::ofstream out(fresh, std::ios::binary | std::ios::trunc);
        out << bytes;
        if (!out.flush())
            return false;
    }
    fs::rename(fresh, path, error);
    return !error;
}

std::vector<std::string> differences(const boost::json::object& before, const boost::json::object& now) {
    std::vector<std::string> all;
    auto differs = [&](std::string_view key) {
        return before.contains(key) && now.contains(key) && text_of(before, key) != text_of(now, key);
    };
    auto was = [&](std::string_view key) { return base::printable(text_of(before, key), 300); };
    auto is = [&](std::string_view key) { return base::printable(text_of(now, key), 300); };
    const bool policy = differs("policy_sha256"), id = differs("id");
    if (differs("mx"))
        all.push_back(
            fmt::format("MX changed: update the policy and its id (was: {}; is: {})", was("mx"), is("mx")));
    if (policy && !id)
        all.push_back("the policy changed, its id did not: publish a new id, or senders keep the old policy");
    if (policy && id)
        all.push_back(fmt::format("the policy and its id changed (id was {}, is {})", was("id"), is("id")));
    if (id && !policy)
        all.push_back(fmt::format("the id changed (was {}, is {}){}", was("id"), is("id"),
                                  now.contains("policy_sha256") ? ", the policy did not" : ""));
    if (differs("tlsrpt"))
        all.push_back(
            fmt::format("the TLSRPT record changed (was: {}; is: {})", was("tlsrpt"), is("tlsrpt")));
    if (differs("verdict"))
        all.push_back(fmt::format("the verdict changed from {} to {}", was("verdict"), is("verdict")));
    return all;
}

} // namespace

std::vector<std::string> compare_with_last_run(const settings& from, const model::observation& seen,
                                               const advise::judgement& judged) {
    const fs::path path = directory(from) / "checked" / (seen.domain + ".json");
    auto now = snapshot(seen, judged);
    std::vector<std::string> changes;
    boost::json::object before;
    if (std::ifstream in(path, std::ios::binary); in) {
        const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
        boost::system::error_code error;
        const auto parsed = boost::json::parse(bytes, error);
        if (!error && parsed.is_object()) {
            before = parsed.as_object();
            changes = differences(before, now);
        } else {
            complain(fmt::format("{} cannot be read: this run starts afresh", path.string()));
        }
    }
    // What could not be looked up now keeps its last known value, so that an outage hides no change.
    for (const auto& [key, value] : before)
        if (!now.contains(key))
            now[key] = value;
    if (!replace_file(path, boost::json::serialize(now) + "\n"))
        complain(fmt::format("{} cannot be written: the next run cannot compare", path.string()));
    return changes;
}

} // namespace mailtight::app
