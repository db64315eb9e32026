// SPDX-License-Identifier: Apache-2.0
// `policy export`: the policy for a web server of one's own. What is exported is what the plan serves next,
// so that file, id and record belong together.
#include "app/domain_access.h"
#include "app/plan_bench.h"
#include "app/publish_commands.h"
#include "app/store_access.h"
#include "app/typed.h"
#include "base/text.h"
#include "publish/export.h"
#include "sts/id.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

namespace mailtight::app {

namespace {

namespace fs = std::filesystem;

/// The policy that is to be served next: of the plan's next step that serves one, else the one served now.
std::optional<publish::exported_policy> policy_of(const plan::plan& next,
                                                  const std::optional<model::publication>& published) {
    for (const auto& step : next.steps)
        if (!step.policy.empty() && step.state != plan::step_state::done)
            return publish::exported_policy{
                .domain = next.domain, .body = step.policy, .id = step.id, .directory_url = {}};
    if (published && !published->body.empty())
        return publish::exported_policy{
            .domain = next.domain, .body = published->body, .id = published->id, .directory_url = {}};
    for (const auto& step : next.steps)
        if (!step.policy.empty())
            return publish::exported_policy{
                .domain = next.domain, .body = step.policy, .id = step.id, .directory_url = {}};
    return {};
}

std::expected<void, std::string> write_file(const fs::path& path, const std::string& bytes) {
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    const fs::path fresh = fmt::format("{}.{}.new", path.string(), ::getpid());
    {
        // A web server's user may own the folder: no link of theirs is written through.
        ::unlink(fresh.c_str()); // of one that was cut off
        const int file = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
        if (file < 0)
            return std::unexpected(fmt::format("{}: {}", fresh.string(), std::strerror(errno)));
        std::string_view left = bytes;
        while (!left.empty()) {
            const auto put = ::write(file, left.data(), left.size());
            if (put < 0 && errno == EINTR)
                continue;
            if (put <= 0)
                break;
            left.remove_prefix(static_cast<std::size_t>(put));
        }
        const int problem = errno;
        const bool closed = ::close(file) == 0;
        if (!left.empty() || !closed) {
            ::unlink(fresh.c_str());
            return std::unexpected(
                fmt::format("{}: {}", path.string(), std::strerror(left.empty() ? errno : problem)));
        }
    }
    fs::rename(fresh, path, error);
    if (error)
        return std::unexpected(fmt::format("{}: {}", path.string(), error.message()));
    return {};
}

int failed(const std::string& why, int status = not_done) {
    complain(why);
    return status;
}

int export_every(const common_options& common, const export_options& options, publish::export_form form) {
    auto kept = open_domains_to_ask(common.set);
    if (!kept)
        return failed(kept.error());
    std::vector<publish::exported_policy> all;
    std::int64_t change = 0;
    for (;;) {
        constexpr std::size_t page = 10'000;
        auto some = (*kept)->published_after(change, page);
        if (!some)
            return failed(words(some.error()));
        for (const auto& each : *some) {
            change = std::max(change, each.change);
            if (!each.body.empty())
                all.push_back({each.domain, each.body, each.id, options.ask_url});
        }
        if (some->size() < page)
            break;
    }
    if (all.empty())
        return failed("no policy is published yet: mailtight plan DOMAIN", problems_found);
    std::ranges::sort(all, {}, &publish::exported_policy::domain);
    if (form == publish::export_form::directory) {
        for (const auto& each : all)
            for (const auto& [name, bytes] : publish::export_policy(each, form))
                if (auto written = write_file(fs::path(options.folder) / each.domain / name, bytes); !written)
                    return failed(written.error());
        say(fmt::format("{} domains written below {}", all.size(), options.folder));
        return fine;
    }
    const fs::path file = fs::path(options.folder) / fmt::format("mailtight.{}", options.form);
    if (auto written = write_file(file, publish::export_all(all, form)); !written)
        return failed(written.error());
    if (common.json)
        print(
            boost::json::serialize(boost::json::object{{"domains", all.size()}, {"files", {file.string()}}}) +
            "\n");
    else
        print(fmt::format("{}: {} domains\n", file.string(), all.size()));
    return fine;
}

} // namespace

int cmd_policy_export(const common_options& common, const export_options& options) {
    const auto form = publish::parse_export_form(options.form);
    if (!form)
        return failed(fmt::format("--form '{}' is unknown: directory, nginx, caddy, apache or worker",
                                  base::printable(options.form)),
                      wrong_usage);
    if (options.all)
        return export_every(common,
                            {.domain = {},
                             .folder = options.folder.empty() ? options.domain : options.folder,
                             .form = options.form,
                             .ask_url = options.ask_url},
                            *form);
    if (options.folder.empty())
        return failed("where to? For example: mailtight policy export example.com /srv/mta-sts", wrong_usage);
    const auto domain = take_domain(options.domain);
    if (!domain)
        return wrong_usage;
    auto made = plan_bench::make(common, false);
    if (!made)
        return failed(made.error().words, made.error().status);
    auto& bench = **made;
    auto found = bench.find(domain->name);
    if (!found)
        return failed(found.error());
    model::looked_after wish;
    std::optional<model::publication> published;
    if (*found) {
        wish = **found;
        if (auto now = bench.kept()->published(domain->name))
            published = std::move(*now);
    } else {
        wish.domain = domain->name;
        wish.host = model::hosting::elsewhere;
    }
    progress_line line(!common.json);
    auto planned = *found ? bench.plan_for(wish, line) : bench.plan_onwards(wish, line);
    if (!planned)
        return failed(planned.error());
    auto policy = policy_of(planned->next, published);
    if (!policy && planned->look.told.seen.policy) // nothing is to change
        policy = {.domain = wish.domain,
                  .body = *planned->look.told.seen.policy,
                  .id = planned->look.told.seen.sts.id,
                  .directory_url = {}};
    if (!policy)
        return failed(fmt::format("{}: the plan serves no policy; mailtight plan {} says why", domain->name,
                                  domain->name),
                      problems_found);
    if (policy->id.empty())
        policy->id =
            sts::id_from_time(bench.now(), {planned->past.ids_used.begin(), planned->past.ids_used.end()});
    policy->directory_url = options.ask_url;
    boost::json::array files;
    for (const auto& [name, bytes] : publish::export_policy(*policy, *form)) {
        const fs::path path = fs::path(options.folder) / name;
        if (auto written = write_file(path, bytes); !written)
            return failed(written.error());
        files.emplace_back(path.string());
        if (!common.json)
            print(path.string() + "\n");
    }
    for (const auto& warning : planned->next.warnings)
        say(warning);
    if (common.json)
        print(boost::json::serialize(boost::json::object{
                  {"domain", domain->name}, {"id", policy->id}, {"files", std::move(files)}}) +
              "\n");
    else
        say(fmt::format(
            "the id of this policy is {}; mailtight plan {} says when its record may be published",
            policy->id, domain->name));
    return fine;
}

} // namespace mailtight::app
