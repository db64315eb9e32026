// SPDX-License-Identifier: Apache-2.0
// What bodies ask for. A key that is not known, or holds another kind of value, refuses the body: what was
// meant is not guessed.
#include "api/domain_documents.h"
#include "api/json_body.h"

#include "base/text.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <functional>
#include <map>

namespace mailtight::api {

namespace {

namespace json = boost::json;

constexpr std::size_t texts_most = 1'000, text_most = 4'096;

using done = std::expected<void, std::string>;
using take = std::function<done(const json::value&)>;
using keys = std::map<std::string_view, take>;

std::unexpected<std::string> takes(std::string_view what) {
    return std::unexpected(fmt::format("it takes {}", what));
}

template<class Text>
take text(Text& into) {
    return [&into](const json::value& from) -> done {
        if (!from.is_string() || from.as_string().size() > text_most)
            return takes("a text");
        into = std::string(from.as_string());
        return {};
    };
}

take texts(std::optional<std::vector<std::string>>& into) {
    return [&into](const json::value& from) -> done {
        if (!from.is_array() || from.as_array().size() > texts_most)
            return takes(fmt::format("a list of at most {} texts", texts_most));
        auto& list = into.emplace();
        for (const auto& each : from.as_array()) {
            if (!each.is_string() || each.as_string().size() > text_most)
                return takes("a list of texts");
            list.emplace_back(each.as_string());
        }
        return {};
    };
}

template<class Flag>
take flag(Flag& into) {
    return [&into](const json::value& from) -> done {
        if (!from.is_bool())
            return takes("true or false");
        into = from.as_bool();
        return {};
    };
}

take seconds_or_null(std::optional<std::optional<std::uint64_t>>& into) {
    return [&into](const json::value& from) -> done {
        boost::system::error_code error;
        if (from.is_null()) {
            into.emplace();
            return {};
        }
        const auto number = from.is_number() ? from.to_number<std::uint64_t>(error) : 0;
        if (!from.is_number() || error || from.is_double())
            return takes("a number of seconds, or null");
        into.emplace(number);
        return {};
    };
}

take number(std::int64_t& into) {
    return [&into](const json::value& from) -> done {
        if (!from.is_int64() || from.as_int64() < 0)
            return takes("a number");
        into = from.as_int64();
        return {};
    };
}

keys wish_keys(wish_change& into) {
    return {{"aim", text(into.aim)},
            {"off", text(into.off)},
            {"max_age", seconds_or_null(into.max_age)},
            {"mx", texts(into.mx)},
            {"mx_adding", texts(into.mx_adding)},
            {"mx_removing", texts(into.mx_removing)},
            {"rua", texts(into.rua)},
            {"host", text(into.host)},
            {"policy_host", text(into.policy_host)},
            {"sts_target", text(into.sts_target)},
            {"dns", text(into.dns)},
            {"dns_server", text(into.dns_server)},
            {"leave", text(into.leave)},
            {"keep_mx", flag(into.keep_mx)},
            {"paused", flag(into.paused)},
            {"labels", texts(into.labels)},
            {"owner", text(into.owner)},
            {"why", text(into.why)}};
}

done read(std::string_view body, const keys& known) {
    const auto object = read_object(body);
    if (!object)
        return std::unexpected(object.error());
    for (const auto& [key, each] : *object) {
        const auto found = known.find(key);
        if (found == known.end()) {
            std::vector<std::string_view> names;
            for (const auto& [name, unused] : known)
                names.push_back(name);
            const auto near = base::nearest(key, names);
            return std::unexpected(fmt::format("there is no key '{}'{}", base::printable(key, 60),
                                               near.empty() ? "" : fmt::format("; did you mean {}?", near)));
        }
        if (auto taken = found->second(each); !taken)
            return std::unexpected(fmt::format("{}: {}", key, taken.error()));
    }
    return {};
}

} // namespace

std::expected<domain_addition, std::string> read_addition(std::string_view body) {
    domain_addition out;
    auto known = wish_keys(out.wish);
    known.emplace("domain", text(out.domain));
    known.emplace("like", text(out.like));
    if (auto taken = read(body, known); !taken)
        return std::unexpected(taken.error());
    if (out.domain.empty())
        return std::unexpected("domain: which one is to be looked after?");
    return out;
}

std::expected<read_wish, std::string> read_change(std::string_view body) {
    read_wish out;
    auto known = wish_keys(out.wish);
    known.emplace("revision", number(out.revision));
    if (auto taken = read(body, known); !taken)
        return std::unexpected(taken.error());
    if (out.revision == 0)
        return std::unexpected("revision: which one does this change? The domain says it as it is now");
    return out;
}

std::expected<step_request, std::string> read_step(std::string_view body) {
    step_request out;
    const keys known{
        {"do", flag(out.act)}, {"said", text(out.said)}, {"force", text(out.force)}, {"why", text(out.why)}};
    if (auto taken = read(body, known); !taken)
        return std::unexpected(taken.error());
    const int asked = (out.act ? 1 : 0) + (out.said.empty() ? 0 : 1) + (out.force.empty() ? 0 : 1);
    if (asked != 1)
        return std::unexpected(R"(one of {"do":true}, {"said":"report-way"} and {"force":"the reason"})");
    return out;
}

} // namespace mailtight::api
