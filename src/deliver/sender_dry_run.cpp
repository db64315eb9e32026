// SPDX-License-Identifier: Apache-2.0
// A dry run: the reports of a day as files, everything else as it was. Nothing is filed, leased for long, or
// marked: what was owed is owed.
#include "base/compress.h"
#include "deliver/sender_state.h"

#include <fmt/format.h>

#include <cerrno>
#include <filesystem>

#include <fcntl.h>
#include <unistd.h>

namespace mailtight::deliver {
namespace {

using model::report_audience;

constexpr std::size_t json_most = 256u << 20; ///< our own report, decompressed

/// In place of an older one. Reports name addresses of mail servers: not for everybody. What somebody else
/// put there, a link to a file of ours perhaps, is not followed.
bool write_file(const std::filesystem::path& name, std::string_view bytes) {
    ::unlink(name.c_str());
    const int file = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
    if (file < 0)
        return false;
    while (!bytes.empty()) {
        const auto put = ::write(file, bytes.data(), bytes.size());
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            break;
        bytes.remove_prefix(static_cast<std::size_t>(put));
    }
    return ::close(file) == 0 && bytes.empty();
}

/// `A!B!1!2.json.gz` without its end; "" where that is no plain file name.
std::string stem_of(const std::string& file_name) {
    auto stem = file_name.substr(0, file_name.find(".json"));
    return stem.starts_with('.') || stem.find('/') != stem.npos ? std::string() : stem;
}

} // namespace

io::task<filing> sender::state::dry_one(std::shared_ptr<state> self, model::due_report due) {
    auto found = co_await find_askers(self, due);
    if (!found)
        co_return std::move(found.error());
    const auto who = std::make_shared<const askers>(std::move(*found));
    auto done = co_await ask<filing>(
        self,
        [of = self.get(), due, who, now = self->policy_time.now(),
         real_now = self->real_time.now()](store::result_store& s) -> store::result<filing> {
            filing out;
            asked_already known;
            const auto to = of->targets(s, known, due, *who, now);
            if (!to)
                return std::unexpected(to.error());
            const auto results = s.results(due.day, due.domain, due.audience, false);
            if (!results)
                return std::unexpected(results.error());
            out.what = filing::kind::not_ours;
            if (results->empty())
                return out;
            const auto report =
                of->compose(due, to->deliveries, *who, to->reports_there, *results, 0, out.words);
            out.what = filing::kind::not_made;
            if (!report)
                return out;
            const std::filesystem::path folder = of->options.dry_run;
            std::error_code ignored;
            std::filesystem::create_directories(folder, ignored);
            const auto stem = stem_of(report->file_name);
            const auto json = base::gunzip(report->body, {.bytes = json_most, .ratio = json_most});
            bool fine = !stem.empty() && json && write_file(folder / (stem + ".json.gz"), report->body) &&
                        write_file(folder / (stem + ".json"), json->bytes);
            std::size_t mails = 0;
            static const key_ring no_keys;
            const auto& keys = of->options.keys ? *of->options.keys : no_keys;
            for (const auto& each : report->deliveries) {
                if (!is_mail(each) || each.state != model::delivery_state::waiting)
                    continue;
                const auto name = ++mails == 1 ? stem + ".eml" : fmt::format("{}.{}.eml", stem, mails);
                fine = fine && write_file(folder / name,
                                          make_mail(of->options.who, *report, each, keys.signers, real_now));
            }
            out.what = fine ? filing::kind::filed : filing::kind::trouble;
            if (!fine)
                out.words = fmt::format("cannot write to {}", folder.string());
            return out;
        });
    if (!done)
        co_return filing{.what = filing::kind::trouble, .words = done.error().message};
    if (done->what == filing::kind::trouble)
        self->say(sender_event::kind::trouble, due.domain, due.day, done->words);
    co_return std::move(*done);
}

io::task<store::result<sender::day_result>> sender::state::dry_day(std::shared_ptr<state> self,
                                                                   std::chrono::sys_days day) {
    day_result out;
    using rows = std::vector<model::counted_result>;
    for (const auto audience : {report_audience::recipient_domain, report_audience::tlsa_base}) {
        if (audience == report_audience::tlsa_base && !self->options.tlsa_base)
            continue;
        const auto results = co_await ask<rows>(
            self, [day, audience](store::result_store& s) { return s.results(day, {}, audience, false); });
        if (!results)
            co_return std::unexpected(results.error());
        std::set<std::string> domains;
        for (const auto& each : *results) {
            const bool base = audience == report_audience::tlsa_base;
            if (!base || each.policy.type == tlsrpt::policy_type::tlsa)
                domains.insert(base ? each.policy.domain : each.domain);
        }
        for (const auto& domain : domains) {
            model::due_report due;
            due.day = day;
            due.domain = domain;
            due.audience = audience;
            const auto done = co_await dry_one(self, due);
            out.filed += done.what == filing::kind::filed ? 1 : 0;
            out.nobody_asks += done.what == filing::kind::nobody_asks ? 1 : 0;
            out.not_made += done.what == filing::kind::not_made ? 1 : 0;
            if (done.what == filing::kind::not_yet || done.what == filing::kind::trouble)
                out.troubles.push_back(fmt::format("{}: {}", domain, done.words));
        }
    }
    co_return out;
}

} // namespace mailtight::deliver
