// SPDX-License-Identifier: Apache-2.0
// The commands about who may use the pages and the API; they stand under "This machine".
#include "app/cli_tree.h"

namespace mailtight::app {

namespace {

constexpr const char* group = "This machine";

void add_grant(command_tree& s, CLI::App* to, const char* otherwise) {
    to->add_option("--role", s.access.role,
                   std::string("viewer, operator or administrator (default: ") + otherwise + ")")
        ->type_name("ROLE");
    to->add_option("--owner", s.access.owner,
                   "Sees the domains of this owner alone (domain set --owner); default: all of them")
        ->type_name("NAME");
}

void add_password_file(command_tree& s, CLI::App* to) {
    to->add_option("--password-file", s.access.password_file,
                   "Its first line is the password; - is standard input (default: asked at the terminal)")
        ->type_name("FILE");
}

CLI::App* with_name(command_tree& s, CLI::App* to, const char* what) {
    to->add_option("name", s.access.name, what)->required()->type_name("NAME");
    return to;
}

void add_tokens(command_tree& s, CLI::App* access) {
    auto* token = access->add_subcommand("token", "Tokens, for programs and for logging in");
    token->require_subcommand(1);
    token->footer("Try:  mailtight access token list");
    auto* add = with_name(s, token->add_subcommand("add", "Make a token, and show it once"), "Its name");
    add_grant(s, add, "viewer");
    add->add_option("--days", s.access.days, "It ends after so many (default: never)")->type_name("DAYS");
    add->footer("Examples:\n  mailtight access token add grafana\n"
                "  mailtight access token add shop --role operator --owner shop --days 365\n"
                "  curl -H \"Authorization: Bearer $TOKEN\" http://127.0.0.1:8460/api/v1/session");
    s.finish(add, [&s] { return cmd_access_token_add(s.common, s.access); }, false);
    auto* list = token->add_subcommand("list", "All of them, without their secrets, which are not kept");
    list->footer("Example:\n  mailtight access token list");
    s.finish(list, [&s] { return cmd_access_token_list(s.common); }, false);
    auto* remove = with_name(
        s, token->add_subcommand("remove", "Take a token away, with the sessions that came from it"),
        "Its name");
    remove->footer("Example:\n  mailtight access token remove grafana");
    s.finish(remove, [&s] { return cmd_access_token_remove(s.common, s.access); }, false);
}

void add_people(command_tree& s, CLI::App* access) {
    auto* user = access->add_subcommand("user", "People who log in by a password, or through a proxy");
    user->require_subcommand(1);
    user->footer("Try:  mailtight access user list");
    auto* add = with_name(s, user->add_subcommand("add", "Let somebody in"), "Their name");
    add_grant(s, add, "viewer");
    add_password_file(s, add);
    add->footer("Examples:\n  mailtight access user add ann --role operator\n"
                "  pass show mailtight/ann | mailtight access user add ann --password-file -");
    s.finish(add, [&s] { return cmd_access_user_add(s.common, s.access); }, false);
    auto* list = user->add_subcommand("list", "Everybody, with their last login");
    list->footer("Example:\n  mailtight access user list");
    s.finish(list, [&s] { return cmd_access_user_list(s.common); }, false);
    auto* remove = with_name(s, user->add_subcommand("remove", "Let somebody in no longer"), "Their name");
    remove->footer("Example:\n  mailtight access user remove ann");
    s.finish(remove, [&s] { return cmd_access_user_remove(s.common, s.access); }, false);
    auto* change =
        with_name(s, user->add_subcommand("password", "A new password; ends their sessions"), "Their name");
    add_password_file(s, change);
    change->footer("Example:\n  mailtight access user password ann");
    s.finish(change, [&s] { return cmd_access_user_password(s.common, s.access); }, false);
}

void add_tenants(command_tree& s, CLI::App* access) {
    auto* tenant = access->add_subcommand("tenant", "Which names a tenant may add without a proof in DNS");
    tenant->require_subcommand(1);
    tenant->footer("Try:  mailtight access tenant list");
    const auto owner_and_names = [&s](CLI::App* to) {
        with_name(s, to, "The owner, as in domain set --owner");
        to->add_option("names", s.access.names, "example.com, or '*.example.com' for every name below it")
            ->required()
            ->type_name("DOMAIN");
        return to;
    };
    auto* allow = owner_and_names(tenant->add_subcommand("allow", "Let a tenant add these names"));
    allow->footer("Example:\n  mailtight access tenant allow shop shop.example '*.hosting.example'");
    s.finish(allow, [&s] { return cmd_access_tenant_allow(s.common, s.access); }, false);
    auto* list = tenant->add_subcommand("list", "What tenants may add");
    list->add_option("name", s.access.name, "This owner alone")->type_name("NAME");
    list->footer("Example:\n  mailtight access tenant list shop");
    s.finish(list, [&s] { return cmd_access_tenant_list(s.common, s.access); }, false);
    auto* remove = owner_and_names(
        tenant->add_subcommand("remove", "Allow these no longer; what was added stays the tenant's"));
    remove->footer("Example:\n  mailtight access tenant remove shop shop.example");
    s.finish(remove, [&s] { return cmd_access_tenant_remove(s.common, s.access); }, false);
}

} // namespace

void add_access_commands(command_tree& s) {
    auto* link =
        s.app.add_subcommand("login-link", "Print a link that logs you in to the pages, once")->group(group);
    add_grant(s, link, "administrator");
    link->add_option("--minutes", s.access.minutes, "It ends after so many (default 15)")
        ->type_name("MINUTES");
    link->footer("Examples:\n  mailtight login-link\n  mailtight login-link --role viewer --minutes 60");
    s.finish(link, [&s] { return cmd_login_link(s.common, s.access); }, false);

    auto* access = s.app.add_subcommand("access", "Users and tokens for the pages and the API")->group(group);
    access->require_subcommand(1);
    access->footer("Try:  mailtight access user add ann --role operator\n"
                   "      mailtight access token add grafana\n      mailtight access log");
    add_tokens(s, access);
    add_people(s, access);
    add_tenants(s, access);
    auto* end = access->add_subcommand("end-sessions", "Log out everybody, or the users named");
    end->add_option("name", s.access.name, "A person or a token")->type_name("NAME");
    end->footer("Examples:\n  mailtight access end-sessions ann\n  mailtight access end-sessions");
    s.finish(end, [&s] { return cmd_access_end(s.common, s.access); }, false);
    auto* log = access->add_subcommand("log", "Who did what: logins, refusals, changes; the newest first");
    log->add_option("--limit", s.access.limit, "At most so many (default 50)")->type_name("NUMBER");
    log->add_option("--before", s.access.before, "Those below this number")->type_name("NUMBER");
    log->footer("Example:\n  mailtight access log --limit 20");
    s.finish(log, [&s] { return cmd_access_log(s.common, s.access); }, false);
}

} // namespace mailtight::app
