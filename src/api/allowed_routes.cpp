// SPDX-License-Identifier: Apache-2.0
// Which names tenants may add without a proof: said by those who see all domains.
#include "api/access_desk.h"
#include "api/allowed_names.h"
#include "api/json_body.h"
#include "api/query_values.h"
#include "api/reply_with.h"
#include "api/route.h"
#include "base/text.h"
#include "mail/domain_name.h"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace mailtight::api {

std::expected<std::string, std::string> read_allowed_name(std::string_view typed) {
    const auto text = base::trim(typed);
    const bool below = text.starts_with("*.");
    const auto domain = mail::understand_domain(below ? text.substr(2) : text);
    if (!domain)
        return std::unexpected(
            fmt::format("'{}': {}", base::printable(typed, 300), mail::explain(domain.error())));
    if (!domain->notes.empty()) // a mail address, an URL: meant otherwise, perhaps
        return std::unexpected(
            fmt::format("'{}': it takes example.com or *.example.com", base::printable(typed, 300)));
    return below ? "*." + domain->name : domain->name;
}

namespace {

namespace json = boost::json;

constexpr std::size_t names_most = 1'000, page_rows = 100, page_most = 1'000, owner_bytes = 253;
constexpr std::size_t body_bytes = 512 * 1'024;

bool is_owner(std::string_view text) {
    return !text.empty() && text.size() <= owner_bytes && base::printable(text) == text;
}
wire::http_reply no_owner() {
    return unprocessable(fmt::format("owner is a text of 1 to {} bytes", owner_bytes));
}

io::task<wire::http_reply> list(context& with, call asked) {
    const auto limit = rows_of(asked, page_rows, page_most);
    const auto owner = text_of(asked, "owner");
    auto found = co_await with.access->allowed_names(
        owner.empty() ? std::nullopt : std::optional(owner),
        {.owner = text_of(asked, "after_owner"), .name = text_of(asked, "after_name")}, limit + 1);
    if (!found)
        co_return store_problem(found.error());
    const bool more = found->size() > limit;
    if (more)
        found->pop_back();
    json::array rows;
    for (const auto& each : *found)
        rows.push_back(
            json::object{{"owner", each.owner}, {"name", each.name}, {"at", base::format_utc(each.at)}});
    json::value next;
    if (more)
        next = json::object{{"after_owner", found->back().owner}, {"after_name", found->back().name}};
    co_return json_reply(json::object{{"names", std::move(rows)}, {"next", std::move(next)}});
}

struct wanted {
    std::string owner;
    std::vector<std::string> names;
};
std::expected<wanted, wire::http_reply> read_wanted(std::string_view body) {
    const auto object = read_object(body);
    if (!object)
        return std::unexpected(unprocessable(object.error()));
    const auto* owner = object->if_contains("owner");
    const auto* names = object->if_contains("names");
    if (object->size() != 2 || !owner || !names || !owner->is_string() || !names->is_array())
        return std::unexpected(unprocessable("give owner, a text, and names, a list of texts"));
    wanted out{.owner = std::string(owner->as_string()), .names = {}};
    if (!is_owner(out.owner))
        return std::unexpected(no_owner());
    if (names->as_array().empty() || names->as_array().size() > names_most)
        return std::unexpected(unprocessable(fmt::format("names has 1 to {} of them", names_most)));
    for (const auto& each : names->as_array()) {
        if (!each.is_string())
            return std::unexpected(unprocessable("names is a list of texts"));
        auto name = read_allowed_name(std::string_view(each.as_string()));
        if (!name)
            return std::unexpected(unprocessable(name.error()));
        out.names.push_back(std::move(*name));
    }
    return out;
}

io::task<wire::http_reply> allow(context& with, call asked) {
    auto what = read_wanted(asked.body);
    if (!what)
        co_return std::move(what.error());
    const auto fresh = co_await with.access->allow_names(what->owner, what->names);
    if (!fresh)
        co_return store_problem(fresh.error());
    json::array names;
    for (const auto& each : what->names)
        names.emplace_back(each);
    co_return json_reply(
        json::object{{"owner", what->owner}, {"names", std::move(names)}, {"added", *fresh}});
}

io::task<wire::http_reply> disallow(context& with, call asked) {
    const auto owner = text_of(asked, "owner");
    if (!is_owner(owner))
        co_return no_owner();
    const auto name = read_allowed_name(asked.item);
    const auto gone =
        name ? co_await with.access->disallow_names(owner, {*name}) : store::result<std::size_t>(0);
    if (!gone)
        co_return store_problem(gone.error());
    if (*gone == 0)
        co_return wire::problem(404, "Not Found", "this owner was not allowed this name");
    co_return json_reply(json::object{{"removed", *gone}});
}

} // namespace

std::vector<route> allowed_routes() {
    using enum query_parameter::type;
    return {{.method = "GET",
             .path = "/allowed-names",
             .operation = "listAllowedNames",
             .summary = "Names that tenants may add",
             .description =
                 "In order of owner and name. A name that is not here a tenant adds by a proof in DNS.",
             .query = {{"owner", text, "Those of this owner alone"},
                       {"after_owner", text, "For pages: what `next` said"},
                       {"after_name", text, "For pages: what `next` said"},
                       {"limit", number, "At most so many: 1 to 1000, 100 where it is not said"}},
             .answer = "allowed-name-list",
             .problems = {503},
             .needs = role::operates,
             .handle = list},
            {.method = "POST",
             .path = "/allowed-names",
             .operation = "allowNames",
             .summary = "Allow a tenant to add names",
             .description =
                 "`*.example.com` stands for every name below, but for what lies below a domain that "
                 "another tenant has here. Those that are allowed already stay so.",
             .request = "allowed-names-request",
             .answer = "allowed-names",
             .problems = {413, 422, 503},
             .changes = true,
             .needs = role::operates,
             .body_bytes = body_bytes,
             .handle = allow},
            {.method = "DELETE",
             .path = "/allowed-names/{name}",
             .operation = "disallowName",
             .summary = "Allow a tenant a name no longer",
             .description = "What they added already stays theirs.",
             .query = {{"owner", text, "Whose it is; it has to be said"}},
             .answer = "removed",
             .problems = {404, 422, 503},
             .changes = true,
             .needs = role::operates,
             .handle = disallow}};
}

} // namespace mailtight::api
