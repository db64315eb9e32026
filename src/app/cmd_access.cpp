// SPDX-License-Identifier: Apache-2.0
// `access ...`: tokens, people and the log, in the store beside a running daemon, which hears of it within
// two seconds.
#include "api/access.h"
#include "app/access_commands.h"
#include "app/access_keeping.h"
#include "app/domain_access.h"
#include "app/store_access.h"
#include "app/terminal.h"
#include "base/crypto/password.h"
#include "base/text.h"
#include "insight/table.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <optional>

namespace mailtight::app {

namespace {

namespace json = boost::json;
using kind = insight::column::kind;

constexpr std::uint64_t days_most = 36'500;
constexpr std::size_t owner_bytes = 253; ///< as of a domain's

base::utc_seconds now() {
    return base::system_clock().now();
}

int failed(const std::string& why) {
    complain(why);
    return not_done;
}
int failed(const store::store_error& error) {
    return failed(words(error));
}

json::value text_or_null(const std::optional<std::string>& text) {
    return text ? json::value(*text) : json::value(nullptr);
}
json::value time_or_null(const std::optional<base::utc_seconds>& at) {
    return at ? json::value(base::format_utc(*at)) : json::value(nullptr);
}

template<class... Cell>
std::vector<json::value> row_of(const Cell&... cells) {
    std::vector<json::value> row;
    (row.emplace_back(cells), ...);
    return row;
}

void show(const insight::table& table, bool as_json) {
    if (as_json)
        print(insight::table_ndjson(table));
    else
        print(insight::table_text(
            table,
            {.colour = stdout_colour(), .width = terminal_width(), .whole_tables = !stdout_terminal()}));
}

std::string grant_words(const store::granted& to) {
    return fmt::format("{}, {}{}", to.name, to.role, to.tenant ? " of " + *to.tenant : "");
}

/// What was typed as a grant; the fault was told already where there is none.
std::optional<store::granted> grant_of(const access_options& options, std::string_view example) {
    if (options.name.empty()) {
        complain(fmt::format("which name? For example: {}", example));
        return {};
    }
    if (!store::is_access_name(options.name)) {
        complain("a name is 1 to 64 of A-Z a-z 0-9 . _ @ + - and begins with a letter or digit");
        return {};
    }
    store::granted to{
        .name = options.name, .role = options.role.empty() ? "viewer" : options.role, .tenant = {}};
    if (!api::parse_role(to.role)) {
        complain(fmt::format("--role {}: viewer, operator or administrator", base::printable(to.role, 60)));
        return {};
    }
    if (const auto wrong = fault_of_owner(options); !wrong.empty()) {
        complain(wrong);
        return {};
    }
    to.tenant = options.owner;
    return to;
}

} // namespace

std::string fault_of_owner(const access_options& options) {
    if (!options.owner)
        return "";
    if (options.owner->empty() || *options.owner == "none")
        return "--owner: this is nobody; without --owner all domains are seen";
    if (options.owner->size() > owner_bytes || base::printable(*options.owner) != *options.owner)
        return fmt::format("--owner: a name of 1 to {} bytes", owner_bytes);
    return "";
}

int cmd_access_token_add(const common_options& common, const access_options& options) {
    const auto to = grant_of(options, "mailtight access token add backup --role viewer");
    if (!to)
        return wrong_usage;
    if (options.days > days_most) {
        complain(fmt::format("--days: at most {}", days_most));
        return wrong_usage;
    }
    auto kept = open_access_to_change(common.set);
    if (!kept)
        return failed(kept.error());
    std::optional<base::utc_seconds> until;
    if (options.days > 0)
        until = now() + std::chrono::hours(24 * options.days);
    auto made = make_token(**kept, *to, until, now());
    if (!made)
        return failed(made.error());
    if (!*made) {
        complain(fmt::format("there is a token {} already; mailtight access token remove {} takes it away",
                             to->name, to->name));
        return problems_found;
    }
    write_down(**kept, "access token add", grant_words(*to), now());
    if (common.json) {
        print(json::serialize(json::object{{"name", to->name},
                                           {"role", to->role},
                                           {"tenant", text_or_null(to->tenant)},
                                           {"expires_at", time_or_null(until)},
                                           {"token", **made}}) +
              "\n");
        return fine;
    }
    say("this is the token; it is shown once, and only its digest is kept");
    print(**made + "\n");
    return fine;
}

int cmd_access_token_list(const common_options& common) {
    auto kept = open_access_to_ask(common.set);
    if (!kept)
        return failed(kept.error());
    const auto all = (*kept)->tokens();
    if (!all)
        return failed(all.error());
    insight::table table;
    table.columns = {{"name", "NAME", kind::whole},         {"role", "ROLE", kind::whole},
                     {"tenant", "OWNER", kind::text},       {"made_at", "MADE", kind::whole},
                     {"used_at", "LAST USED", kind::whole}, {"expires_at", "ENDS", kind::whole}};
    table.nothing = "There is no token yet: mailtight access token add NAME";
    for (const auto& each : *all)
        table.rows.push_back(row_of(each.to.name, each.to.role, text_or_null(each.to.tenant),
                                    base::format_utc(each.made_at), time_or_null(each.used_at),
                                    time_or_null(each.expires_at)));
    show(table, common.json);
    return fine;
}

int cmd_access_token_remove(const common_options& common, const access_options& options) {
    auto kept = open_access_to_change(common.set);
    if (!kept)
        return failed(kept.error());
    const auto removed = (*kept)->remove_token(options.name);
    if (!removed)
        return failed(removed.error());
    if (!*removed) {
        complain(fmt::format("there is no token {}", base::printable(options.name, 100)));
        return problems_found;
    }
    write_down(**kept, "access token remove", options.name, now());
    say(fmt::format("{} is refused from now on; by a running daemon within two seconds", options.name));
    return fine;
}

namespace {

int nobody(const std::string& name) {
    complain(fmt::format("there is nobody of the name {}", base::printable(name, 100)));
    return problems_found;
}
int there_already(const std::string& name) {
    complain(fmt::format("{} is there already; access user password gives a new password, access user "
                         "remove lets them in no longer",
                         name));
    return problems_found;
}

struct typed_password {
    std::string encoded; ///< empty: it was told why, and
    int status = fine;
};
typed_password encoded_password(const access_options& options) {
    auto password = read_password(options.password_file, options.name);
    if (!password)
        return {.status = failed(password.error())};
    if (const auto why = base::unfit_password(*password, options.name)) {
        base::wipe(*password);
        complain(*why);
        return {.status = wrong_usage};
    }
    auto encoded = base::encode_password(*password);
    base::wipe(*password);
    if (!encoded)
        return {.status = failed(encoded.error())};
    return {.encoded = std::move(*encoded)};
}

/// Says who can log in now.
int let_in(const common_options& common, store::access_store& kept, const store::granted& who,
           std::string_view what) {
    write_down(kept, what, grant_words(who), now());
    if (common.json)
        print(json::serialize(json::object{
                  {"name", who.name}, {"role", who.role}, {"tenant", text_or_null(who.tenant)}}) +
              "\n");
    else
        say(fmt::format("{} can log in as {}", who.name, who.role));
    return fine;
}

} // namespace

// Both look before they ask for a password, which may be typed for long; what is written counts on nothing
// that was seen then.

int cmd_access_user_add(const common_options& common, const access_options& options) {
    const auto to = grant_of(options, "mailtight access user add ann --role operator");
    if (!to)
        return wrong_usage;
    auto kept = open_access_to_change(common.set);
    if (!kept)
        return failed(kept.error());
    const auto there = (*kept)->user(to->name);
    if (!there)
        return failed(there.error());
    if (*there)
        return there_already(to->name);
    auto password = encoded_password(options);
    if (password.encoded.empty())
        return password.status;
    const auto added = (*kept)->add_user(
        {.to = *to, .password = std::move(password.encoded), .made_at = now(), .last_login = {}});
    if (!added)
        return failed(added.error());
    return *added ? let_in(common, **kept, *to, "access user add") : there_already(to->name);
}

int cmd_access_user_password(const common_options& common, const access_options& options) {
    auto kept = open_access_to_change(common.set);
    if (!kept)
        return failed(kept.error());
    const auto there = (*kept)->user(options.name);
    if (!there)
        return failed(there.error());
    if (!*there)
        return nobody(options.name);
    const auto password = encoded_password(options);
    if (password.encoded.empty())
        return password.status;
    const auto changed = (*kept)->set_password(options.name, password.encoded);
    if (!changed)
        return failed(changed.error());
    return *changed ? let_in(common, **kept, (*changed)->to, "access user password") : nobody(options.name);
}

int cmd_access_user_list(const common_options& common) {
    auto kept = open_access_to_ask(common.set);
    if (!kept)
        return failed(kept.error());
    const auto all = (*kept)->users();
    if (!all)
        return failed(all.error());
    insight::table table;
    table.columns = {{"name", "NAME", kind::whole},
                     {"role", "ROLE", kind::whole},
                     {"tenant", "OWNER", kind::text},
                     {"made_at", "MADE", kind::whole},
                     {"last_login", "LAST LOGIN", kind::whole}};
    table.nothing = "Nobody logs in by a password yet: mailtight access user add NAME";
    for (const auto& each : *all)
        table.rows.push_back(row_of(each.to.name, each.to.role, text_or_null(each.to.tenant),
                                    base::format_utc(each.made_at), time_or_null(each.last_login)));
    show(table, common.json);
    return fine;
}

int cmd_access_user_remove(const common_options& common, const access_options& options) {
    auto kept = open_access_to_change(common.set);
    if (!kept)
        return failed(kept.error());
    const auto removed = (*kept)->remove_user(options.name);
    if (!removed)
        return failed(removed.error());
    if (!*removed)
        return nobody(options.name);
    write_down(**kept, "access user remove", options.name, now());
    say(fmt::format("{} is let in no longer", options.name));
    return fine;
}

int cmd_access_end(const common_options& common, const access_options& options) {
    auto kept = open_access_to_change(common.set);
    if (!kept)
        return failed(kept.error());
    std::uint64_t ended = 0;
    const std::vector<std::string> from =
        options.name.empty() ? std::vector<std::string>{""}
                             : std::vector<std::string>{"user " + options.name, "token " + options.name};
    for (const auto& each : from) {
        const auto some = (*kept)->end_sessions(each);
        if (!some)
            return failed(some.error());
        ended += *some;
    }
    write_down(**kept, "access end", options.name, now());
    if (common.json)
        print(json::serialize(json::object{{"ended", ended}}) + "\n");
    else
        print(fmt::format("{} session{} ended\n", ended, ended == 1 ? "" : "s"));
    return fine;
}

int cmd_access_log(const common_options& common, const access_options& options) {
    auto kept = open_access_to_ask(common.set);
    if (!kept)
        return failed(kept.error());
    const auto all = (*kept)->audit(options.before, static_cast<std::size_t>(options.limit));
    if (!all)
        return failed(all.error());
    insight::table table;
    table.columns = {{"number", "", kind::number},      {"at", "AT", kind::whole},
                     {"who", "WHO", kind::text},        {"from", "FROM", kind::text},
                     {"what", "WHAT", kind::whole},     {"subject", "SUBJECT", kind::text},
                     {"status", "STATUS", kind::number}};
    table.nothing = "Nobody has logged in or changed anything yet.";
    for (const auto& each : *all)
        table.rows.push_back(row_of(each.number, base::format_utc(each.at), each.who, each.from, each.what,
                                    each.subject, each.status));
    show(table, common.json);
    return fine;
}

} // namespace mailtight::app
