// SPDX-License-Identifier: Apache-2.0
#include "api/received_sight.h"

#include "api/query_values.h"
#include "api/received_documents.h"
#include "api/reply_with.h"
#include "api/report_part.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::api {

namespace {
constexpr int days_most = 3'660;
constexpr std::size_t domains_most = 20'000; ///< of one owner in one question
} // namespace

wire::http_reply bad_request(const std::string& why) {
    return wire::problem(400, "Bad Request", why);
}
wire::http_reply not_looked_after() {
    return wire::problem(404, "Not Found", "this domain is not looked after here");
}

bool sight::sees(std::string_view domain) const {
    return all || std::ranges::binary_search(theirs, base::lower(domain));
}
bool sight::sees(std::string_view report_domain, const std::vector<std::string>& named) const {
    return sees(report_domain) && std::ranges::all_of(named, [this](std::string_view name) {
               return all || !theirs_of(name, theirs).empty();
           });
}

io::task<store::result<sight>> sight_of(context& with, const caller& by) {
    sight made;
    if (!by.tenant)
        co_return made;
    made.all = false;
    auto names = co_await with.received->domains_of(*by.tenant);
    if (!names)
        co_return std::unexpected(names.error());
    made.theirs = std::move(*names);
    co_return made;
}

io::task<std::expected<narrowed, wire::http_reply>> narrow(context& with, const call& asked, int days) {
    auto of = read_filter(asked.query, std::chrono::floor<std::chrono::days>(with.received->now()), days);
    if (!of)
        co_return std::unexpected(bad_request(of.error()));
    if (of->from && of->to && days > 0 && (*of->to - *of->from).count() >= days_most)
        co_return std::unexpected(bad_request("ask about ten years at most"));
    auto may = co_await sight_of(with, asked.by);
    if (!may)
        co_return std::unexpected(store_problem(may.error()));
    narrowed made{.of = std::move(*of), .may = std::move(*may)};
    if (made.may.all)
        co_return made;
    if (!made.of.domains.empty()) {
        if (!made.may.sees(made.of.domains.front()))
            co_return std::unexpected(not_looked_after());
        co_return made;
    }
    made.nothing = made.may.theirs.empty(); // no names at all would be every domain
    if (made.may.theirs.size() > domains_most)
        co_return std::unexpected(
            bad_request(fmt::format("these are {} domains; name one by `domain`", made.may.theirs.size())));
    made.of.domains = made.may.theirs;
    co_return made;
}

} // namespace mailtight::api
