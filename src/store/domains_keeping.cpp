// SPDX-License-Identifier: Apache-2.0
// Certificates with their sealed keys, answers to challenges, sealed secrets, buckets of tokens: what all
// machines share. No byte of a key, a secret or an answer goes into a message.
#include "store/domain_rows.h"
#include "store/result_rows.h"
#include "store/sql_domains.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::store {
namespace {

constexpr std::size_t name_max = 1'000, secret_max = 1u << 20, answer_max = 4'096;
constexpr std::uint64_t bucket_max = 1'000'000'000; // tokens; its level still fits when counted in 3600ths
constexpr std::int64_t an_hour = 3'600;

constexpr std::string_view certificate_columns =
    "name, not_after, change, chain, sealed_key, not_before, renew_at, issuer, proven, gone";
kept_certificate read_certificate(const sql::row& r) {
    return {.name = r.string(0),
            .chain = r.string(3),
            .sealed_key = r.string(4),
            .not_before = r.at(5),
            .not_after = r.at(1),
            .renew_at = r.maybe_at(6),
            .issuer = r.string(7),
            .proven = r.integer(8) != 0,
            .change = r.integer(2),
            .gone = r.integer(9) != 0};
}

store_error wrong(std::string message) {
    return {.what = store_error::kind::wrong, .message = std::move(message)};
}

} // namespace

// The lease may be of the name's own work or of any above it ("certificate/example.com" for
// mta-sts.example.com), or of something that is no work of a domain (a folder that is read).
bool sql_domains::may_save(std::string_view certificate, std::int64_t fence) {
    if (fence <= 0)
        return false;
    std::optional<std::string> domain;
    std::string kind;
    on_->query(
        on_->dialect("select domain, kind from domain_work where fence = $1 and fence > 0 {for_update}"),
        {fence}, [&](const sql::row& r) {
            domain = r.string(0);
            kind = r.string(1);
        });
    if (!domain)
        return false;
    return kind != "certificate" || certificate == *domain || certificate.ends_with("." + *domain);
}

result<bool> sql_domains::save_certificate(const kept_certificate& value, std::int64_t fence) {
    if (auto problem = refused(value))
        return std::unexpected(*problem);
    return writing([&] {
        if (!may_save(value.name, fence))
            return false;
        const auto change = next("certificate");
        // What is proven stays beside it; what never was, or is no longer, goes.
        on_->run("delete from kept_certificate where name = $1 and (proven = 0 or $3 = 1 or not_after = $2)",
                 {value.name, value.not_after, value.proven});
        on_->run("insert into kept_certificate (name, not_after, change, chain, sealed_key, not_before, "
                 "renew_at, issuer, proven, gone) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0)",
                 {value.name, value.not_after, change, value.chain, value.sealed_key, value.not_before,
                  value.renew_at, value.issuer, value.proven});
        return true;
    });
}

result<void> sql_domains::prove_certificate(std::string_view name, base::utc_seconds not_after) {
    return writing([&] {
        const auto change = next("certificate");
        if (!on_->number("update kept_certificate set proven = 1, change = $3 where name = $1 and "
                         "not_after = $2 and gone = 0 and proven = 0 returning 1",
                         {name, not_after, change}))
            return;
        on_->run("delete from kept_certificate where name = $1 and not_after <> $2 and change < $3 and "
                 "proven = 1",
                 {name, not_after, change});
    });
}

result<bool> sql_domains::reject_certificate(std::string_view name, base::utc_seconds not_after,
                                             base::utc_seconds now) {
    return writing([&] {
        if (!on_->number(
                "select 1 from kept_certificate where name = $1 and not_after > $2 and not_after <> $3 "
                "and proven = 1 and gone = 0",
                {name, now, not_after}))
            return false;
        if (!on_->number("delete from kept_certificate where name = $1 and not_after = $2 and proven = 0 and "
                         "gone = 0 returning 1",
                         {name, not_after}))
            return false;
        const auto change = next("certificate"); // so that every machine hears of it
        on_->run("update kept_certificate set change = $2 where name = $1 and gone = 0", {name, change});
        return true;
    });
}

result<void> sql_domains::remove_certificate(std::string_view name) {
    return writing([&] {
        const auto change = next("certificate");
        bool was_there = false;
        on_->query("delete from kept_certificate where name = $1 and gone = 0 returning 1", {name},
                   [&](const sql::row&) { was_there = true; });
        if (was_there)
            on_->run("insert into kept_certificate (name, not_after, change, chain, sealed_key, not_before, "
                     "renew_at, issuer, proven, gone) values ($1, 0, $2, '', '', 0, null, '', 0, 1)",
                     {name, change});
    });
}

result<std::vector<kept_certificate>> sql_domains::certificates_after(std::int64_t change,
                                                                      std::size_t limit) {
    return reading([&] {
        std::vector<kept_certificate> out;
        on_->query(fmt::format("select {} from kept_certificate where change > $1 order by change limit $2",
                               certificate_columns),
                   {from_here("certificate", change), std::uint64_t{limit}},
                   [&](const sql::row& r) { out.push_back(read_certificate(r)); });
        return out;
    });
}

result<std::optional<kept_certificate>> sql_domains::certificate(std::string_view name) {
    return reading([&] {
        std::optional<kept_certificate> out;
        on_->query(fmt::format("select {} from kept_certificate where name = $1 and gone = 0 "
                               "order by change desc limit 1",
                               certificate_columns),
                   {name}, [&](const sql::row& r) { out = read_certificate(r); });
        return out;
    });
}

result<void> sql_domains::put_challenge(const challenge_answer& value) {
    for (const auto& [what, text, most] :
         {std::tuple("kind", &value.kind, name_max), std::tuple("key", &value.key, name_max),
          std::tuple("answer", &value.answer, answer_max)})
        if (text->size() > most || storable_text(*text) != *text)
            return std::unexpected(wrong(fmt::format("the {} of an answer to a challenge is too long, or no "
                                                     "text",
                                                     what)));
    return writing_lightly([&] {
        on_->run("insert into challenge_answer (kind, key, answer, until) values ($1, $2, $3, $4) "
                 "on conflict (kind, key) do update set answer = excluded.answer, until = excluded.until",
                 {value.kind, value.key, value.answer, value.until});
    });
}

result<void> sql_domains::drop_challenge(std::string_view kind, std::string_view key) {
    return writing_lightly(
        [&] { on_->run("delete from challenge_answer where kind = $1 and key = $2", {kind, key}); });
}

result<std::vector<challenge_answer>> sql_domains::challenges(base::utc_seconds now) {
    return reading([&] {
        std::vector<challenge_answer> out;
        on_->query(
            "select kind, key, answer, until from challenge_answer where until >= $1 order by kind, key",
            {now}, [&](const sql::row& r) {
                out.push_back(
                    {.kind = r.string(0), .key = r.string(1), .answer = r.string(2), .until = r.at(3)});
            });
        return out;
    });
}

result<void> sql_domains::put_secret(std::string_view name, std::string_view sealed) {
    if (name.empty() || name.size() > name_max || storable_text(std::string(name)) != name)
        return std::unexpected(wrong("not a name for a secret"));
    if (sealed.size() > secret_max || storable_text(std::string(sealed)) != sealed)
        return std::unexpected(wrong(fmt::format("the secret {} is too long, or not sealed", name)));
    return writing([&] {
        if (sealed.empty())
            on_->run("delete from sealed_secret where name = $1", {name});
        else
            on_->run("insert into sealed_secret (name, sealed) values ($1, $2) on conflict (name) do update "
                     "set sealed = excluded.sealed",
                     {name, sealed});
    });
}

result<std::optional<std::string>> sql_domains::secret(std::string_view name) {
    return reading([&] {
        std::optional<std::string> out;
        on_->query("select sealed from sealed_secret where name = $1", {name},
                   [&](const sql::row& r) { out = r.string(0); });
        return out;
    });
}

result<std::vector<std::pair<std::string, std::string>>> sql_domains::secrets(std::string_view prefix) {
    return reading([&] {
        std::vector<std::pair<std::string, std::string>> out;
        on_->query("select name, sealed from sealed_secret where name >= $1 order by name", {prefix},
                   [&](const sql::row& r) {
                       if (r.text(0).starts_with(prefix))
                           out.emplace_back(r.string(0), r.string(1));
                   });
        return out;
    });
}

result<std::chrono::seconds> sql_domains::take_tokens(std::string_view bucket, std::uint64_t tokens,
                                                      std::uint64_t per_hour, std::uint64_t most,
                                                      base::utc_seconds now) {
    if (bucket.empty() || bucket.size() > name_max || per_hour == 0 || tokens > most || most > bucket_max ||
        per_hour > bucket_max)
        return std::unexpected(wrong(fmt::format("a bucket that fills by {} an hour up to {} never gives {}",
                                                 per_hour, most, tokens)));
    return writing_lightly([&] {
        const auto full = static_cast<std::int64_t>(most) * an_hour,
                   rate = static_cast<std::int64_t>(per_hour),
                   wanted = static_cast<std::int64_t>(tokens) * an_hour;
        on_->run(
            "insert into token_bucket (name, level, at) values ($1, $2, $3) on conflict (name) do nothing",
            {bucket, full, now});
        std::int64_t level = 0;
        base::utc_seconds at = now;
        on_->query(on_->dialect("select level, at from token_bucket where name = $1 {for_update}"), {bucket},
                   [&](const sql::row& r) {
                       level = r.integer(0);
                       at = r.at(1);
                   });
        // Clocks of machines differ a little: time that was counted is not counted again. One that was far
        // ahead was wrong.
        if (now > at)
            level += std::min<std::int64_t>((now - at).count(), full / rate + 1) * rate;
        if (now > at || at - now > std::chrono::seconds(an_hour))
            at = now;
        level = std::min(level, full);
        if (level < wanted)
            return std::chrono::seconds((wanted - level + rate - 1) / rate);
        on_->run("update token_bucket set level = $2, at = $3 where name = $1", {bucket, level - wanted, at});
        return std::chrono::seconds(0);
    });
}

} // namespace mailtight::store
