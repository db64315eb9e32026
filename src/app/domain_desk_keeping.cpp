// SPDX-License-Identifier: Apache-2.0
// Domains are added, changed and given up.
#include "app/domain_book.h"
#include "app/domain_desk_state.h"
#include "app/policy_time.h"
#include "app/report_domains.h"
#include "app/sending.h"
#include "base/text.h"
#include "mail/domain_name.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::app {

namespace {

using api::refusal;
using api::told;
using saved = store::domain_store::saved;

/// What stands for "as configured" on the command line is an empty value here.
std::string or_word(const std::optional<std::string>& said, const char* word) {
    return !said ? std::string() : said->empty() ? std::string(word) : *said;
}
std::vector<std::string> or_word(const std::optional<std::vector<std::string>>& said, const char* word) {
    return !said ? std::vector<std::string>{} : said->empty() ? std::vector<std::string>{word} : *said;
}

/// Whether somebody else looks after it is not told to a tenant.
refusal cannot_be_added(const std::string& domain) {
    return refuse(refusal::kind::conflict, fmt::format("{} cannot be added", domain));
}

/// The keys of the configuration open whatever zone they open: that a name is changed with them is not a
/// tenant's to say, who may add any name.
bool wants_our_keys(const model::looked_after& before, const model::looked_after& after) {
    return after.dns != model::dns_way::by_hand &&
           (after.dns != before.dns || after.dns_server != before.dns_server);
}
constexpr const char* our_keys =
    "dns: only an operator of all domains lets records be changed by the servers or the hook of this "
    "installation";

/// A word that means something else on the command line, or nothing at all, is refused.
std::optional<refusal> check_words(const api::wish_change& said) {
    struct checked {
        const std::optional<std::string>& value;
        const char *key, *takes;
    };
    for (const auto& [value, key, takes] :
         {checked{said.aim, "aim", "testing, enforce or off"}, checked{said.off, "off", "none or expiry"},
          checked{said.host, "host", "here, proxied, elsewhere or delegated"},
          checked{said.dns, "dns", "hand, update or hook"},
          checked{said.leave, "leave", "nothing, records or all"}})
        if (value && value->empty())
            return refuse(refusal::kind::wrong, fmt::format("{} '': it takes {}", key, takes));
    if (said.dns_server && !said.dns_server->empty() && said.dns && *said.dns != "update")
        return refuse(refusal::kind::wrong, "dns_server: it goes with dns update alone");
    return {};
}

} // namespace

refusal refuse(const wish_fault& fault) {
    struct named {
        std::string_view option, key;
    };
    constexpr auto other = std::to_array<named>({{"mode", "aim"},
                                                 {"hosting", "host"},
                                                 {"label", "labels"},
                                                 {"max-age", "max_age"},
                                                 {"policy-host", "policy_host"},
                                                 {"sts-target", "sts_target"},
                                                 {"mx-adding", "mx_adding"},
                                                 {"mx-removing", "mx_removing"},
                                                 {"add-mx", "add_mx"},
                                                 {"remove-mx", "remove_mx"}});
    const auto* const found = std::ranges::find(other, fault.option, &named::option);
    const std::string_view key = found == other.end() ? std::string_view(fault.option) : found->key;
    return refuse(refusal::kind::wrong, key.empty() ? fault.words : fmt::format("{} {}", key, fault.words));
}

domain_wishes wishes_of(const api::wish_change& said, const model::looked_after& now) {
    domain_wishes out;
    out.mode = said.aim.value_or("");
    out.off = said.off.value_or("");
    if (said.max_age)
        out.max_age = *said.max_age ? fmt::format("{}", **said.max_age) : "ladder";
    out.mx = or_word(said.mx, "follow");
    out.rua = or_word(said.rua, "default");
    out.mx_adding = said.mx_adding;
    out.mx_removing = said.mx_removing;
    out.hosting = said.host.value_or("");
    out.policy_host = or_word(said.policy_host, "default");
    out.sts_target = or_word(said.sts_target, "default");
    if (said.dns || said.dns_server) {
        out.dns = said.dns.value_or(std::string(model::to_string(now.dns)));
        const auto server = said.dns_server.value_or(said.dns ? "" : now.dns_server);
        if (out.dns == "update" && !server.empty())
            out.dns += ":" + server;
    }
    out.leave = said.leave.value_or("");
    out.owner = or_word(said.owner, "none");
    out.keep_mx = said.keep_mx;
    out.all_labels = said.labels;
    if (said.paused)
        (*said.paused ? out.pause : out.resume) = true;
    out.why = said.why;
    return out;
}

io::task<> daemon_domain_desk::tell(model::looked_after wish) {
    looks_.erase(wish.domain); // what was said of reports or records before is over
    co_await ask<void>([&set = core_.set, &wish, now = policy_time().now()](store::domain_store& to) {
        return make_due(set, to, std::span(&wish.domain, 1), now);
    });
    if (core_.carrying)
        core_.carrying->wake({wish.domain});
    if (reports_come_here(core_.set, wish) && core_.keeper)
        static_cast<void>(co_await take_domains(core_, {wish.domain}, core_.set.count_unverified));
}

io::task<told<api::domain_file>> daemon_domain_desk::add(api::domain_addition what, api::caller by) {
    using enum refusal::kind;
    const auto name = mail::understand_domain(what.domain);
    if (!name)
        co_return std::unexpected(
            refuse(wrong, fmt::format("domain '{}': {}", base::printable(what.domain, 300),
                                      mail::explain(name.error()))));
    if (by.tenant && what.wish.owner && *what.wish.owner != *by.tenant)
        co_return std::unexpected(refuse(forbidden, "owner: only an operator of all domains says it"));
    if (auto problem = check_words(what.wish))
        co_return std::unexpected(std::move(*problem));
    if (auto open = co_await ready(); !open)
        co_return std::unexpected(open.error());
    const auto now = policy_time().now();
    model::looked_after wish;
    if (what.like.empty()) {
        wish = fresh_domain(name->name, wishes_of(what.wish, {}), say_, now);
    } else {
        const auto like = mail::understand_domain(what.like);
        const auto old = like ? co_await theirs(like->name, by)
                              : told<model::looked_after>(std::unexpected(refuse(absent, "")));
        if (!old && old.error().what == absent)
            co_return std::unexpected(refuse(
                wrong, fmt::format("like '{}': it is not looked after", base::printable(what.like, 300))));
        if (!old)
            co_return std::unexpected(old.error());
        wish = domain_like(*old, name->name, now);
    }
    if (by.tenant) {
        wish.owner = *by.tenant;
        wish.dns = model::dns_way::by_hand;
        wish.dns_server.clear();
    }
    const auto before = wish;
    if (auto taken = take(wishes_of(what.wish, wish), wish, say_); !taken)
        co_return std::unexpected(refuse(taken.error()));
    if (by.tenant && wants_our_keys(before, wish))
        co_return std::unexpected(refuse(forbidden, our_keys));
    if (by.tenant) { // whatever the words mean
        wish.owner = *by.tenant;
        if (auto may = co_await may_have(wish.domain, *by.tenant); !may)
            co_return std::unexpected(may.error());
    }
    const auto done =
        co_await ask<saved>([&wish, who = by.name, why = what.wish.why, now](store::domain_store& to) {
            return to.save(wish, who, why, now);
        });
    if (!done)
        co_return std::unexpected(store_away(done.error()));
    if (*done != saved::yes) {
        co_return std::unexpected(
            by.tenant ? cannot_be_added(wish.domain)
                      : refuse(conflict, fmt::format("{} is looked after already", wish.domain)));
    }
    auto kept = co_await theirs(wish.domain, by);
    if (!kept)
        co_return std::unexpected(kept.error());
    co_await tell(*kept);
    co_return co_await file_of(std::move(*kept), false);
}

io::task<told<api::domain_file>> daemon_domain_desk::change(std::string domain, std::int64_t revision,
                                                            api::wish_change what, api::caller by) {
    using enum refusal::kind;
    auto wish = co_await theirs(std::move(domain), by);
    if (!wish)
        co_return std::unexpected(wish.error());
    if (by.tenant && what.owner && *what.owner != wish->owner)
        co_return std::unexpected(refuse(forbidden, "owner: only an operator of all domains says it"));
    if (auto problem = check_words(what))
        co_return std::unexpected(std::move(*problem));
    const auto faster = [&] {
        return refuse(conflict, fmt::format("somebody else changed {} meanwhile: it has revision {} now",
                                            wish->domain, wish->revision));
    };
    if (wish->revision != revision)
        co_return std::unexpected(faster());
    const auto before = *wish;
    if (auto taken = take(wishes_of(what, *wish), *wish, say_); !taken)
        co_return std::unexpected(refuse(taken.error()));
    if (by.tenant && wants_our_keys(before, *wish))
        co_return std::unexpected(refuse(forbidden, our_keys));
    if (by.tenant)
        wish->owner = before.owner;
    if (*wish == before)
        co_return co_await file_of(std::move(*wish), true);
    const auto now = policy_time().now();
    wish->changed_at = now;
    const auto done =
        co_await ask<saved>([&wish, who = by.name, why = what.why, now](store::domain_store& to) {
            return to.save(*wish, who, why, now);
        });
    if (!done)
        co_return std::unexpected(store_away(done.error()));
    auto kept = co_await theirs(wish->domain, by);
    if (!kept)
        co_return std::unexpected(kept.error());
    if (*done != saved::yes) {
        wish = std::move(kept);
        co_return std::unexpected(faster());
    }
    co_await tell(*kept);
    co_return co_await file_of(std::move(*kept), true);
}

io::task<told<void>> daemon_domain_desk::remove(std::string domain, bool force, std::string why,
                                                api::caller by) {
    using enum refusal::kind;
    const auto wish = co_await theirs(std::move(domain), by);
    if (!wish)
        co_return std::unexpected(wish.error());
    if (force && base::trim(why).empty())
        co_return std::unexpected(refuse(wrong, "why: force needs a reason that is kept"));
    const auto done = co_await ask<given_up>(
        [name = wish->domain, force, who = by.name, why, now = policy_time().now(),
         machine = "pages on " + machine_name_of(core_.set)](store::domain_store& from) {
            return give_up(from, name, force, who, why, machine, now);
        });
    if (!done)
        co_return std::unexpected(store_away(done.error()));
    switch (done->what) {
    case given_up::fate::gone:
        break;
    case given_up::fate::absent:
        co_return std::unexpected(refuse(absent, "no such domain is looked after"));
    case given_up::fate::held:
        co_return std::unexpected(
            refuse(conflict, fmt::format("{} stays: {}. The safe way is aim off, which ends in removing it",
                                         wish->domain, done->words)));
    case given_up::fate::busy:
        co_return std::unexpected(refuse(busy, fmt::format("{} is being worked on", wish->domain)));
    }
    looks_.erase(wish->domain);
    if (core_.carrying)
        core_.carrying->wake({wish->domain});
    co_return told<void>{};
}

} // namespace mailtight::app
