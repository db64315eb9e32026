// SPDX-License-Identifier: Apache-2.0
// From read_result() down: the object, its policies, their failure details. Each level reads its members in
// any order and then judges what is missing.
#include "tally/result_json.h"

#include "base/text.h"
#include "mail/domain_name.h"
#include "tally/clean_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace mailtight::tally {
namespace {

namespace dom = simdjson::dom;
using kind = read_error::kind;
using failure = std::optional<read_error>;

struct member_name {
    std::string_view name;
    unsigned member;
};
template<std::size_t N>
std::optional<unsigned> find(const std::array<member_name, N>& names, std::string_view name) {
    for (const auto& n : names)
        if (n.name == name)
            return n.member;
    return std::nullopt;
}

/// Calls `read(member, value, place)` for each known member, the first of those that stand twice; stops at
/// its first error.
template<std::size_t N, class Read>
failure each_member(dom::object from, const std::array<member_name, N>& names, const place& at, Read read) {
    unsigned seen = 0;
    for (const auto field : from) {
        const auto member = find(names, field.key);
        if (!member || (seen & 1U << *member) != 0)
            continue;
        seen |= 1U << *member;
        if (field.value.is_null())
            continue;
        if (failure problem = read(*member, field.value, place{&at, field.key}))
            return problem;
    }
    return std::nullopt;
}

template<class Value>
failure take(std::expected<Value, read_error> from, Value& into) {
    if (!from)
        return std::move(from.error());
    into = std::move(*from);
    return std::nullopt;
}
failure fault(kind code, const place& at, std::string words) {
    return refuse(code, at, std::move(words)).error();
}
failure too_many(std::size_t most, const place& at) {
    return fault(kind::too_large, at, fmt::format("there are more than {}", most));
}

/// The list of objects, or the one object that stands in its place.
template<class Read>
failure each_object(dom::element value, std::size_t most, const place& at, Read read) {
    if (value.is_object())
        return read(value.get_object().value_unsafe(), at);
    if (!value.is_array())
        return fault(kind::field, at, "a list of objects is expected");
    place here{&at, {}, 0};
    const dom::array all = value.get_array().value_unsafe(); // named: a range does not keep its makers alive
    for (const auto element : all) {
        if (here.index == most)
            return too_many(most, at);
        if (!element.is_object())
            return fault(kind::field, here, "an object is expected");
        if (failure problem = read(element.get_object().value_unsafe(), here))
            return problem;
        ++here.index;
    }
    return std::nullopt;
}

failure read_texts(dom::element value, std::size_t most, std::size_t longest, const place& at,
                   std::vector<std::string>& into) {
    const auto add = [&](dom::element one, const place& here) -> failure {
        std::string text;
        if (failure problem = take(read_text(one, here, longest), text))
            return problem;
        if (!text.empty())
            into.push_back(std::move(text));
        return std::nullopt;
    };
    if (!value.is_array())
        return add(value, at);
    const dom::array list = value.get_array().value_unsafe();
    into.reserve(std::min(list.size(), most));
    place here{&at, {}, 0};
    for (const auto element : list) {
        if (here.index == most)
            return too_many(most, at);
        if (failure problem = add(element, here))
            return problem;
        ++here.index;
    }
    return std::nullopt;
}

// ---- failure details -----------------------------------------------------------------------------------

enum detail_member : unsigned { code, sender, mx, helo, receiver, additional, reason };
constexpr std::array<member_name, 15> detail_members{{{"c", code},
                                                      {"s", sender},
                                                      {"n", mx},
                                                      {"h", helo},
                                                      {"r", receiver},
                                                      {"a", additional},
                                                      {"f", reason},
                                                      {"result-type", code},
                                                      {"sending-mta-ip", sender},
                                                      {"receiving-mx-hostname", mx},
                                                      {"receiving-mx-helo", helo},
                                                      {"receiving-ip", receiver},
                                                      {"additional-information", additional},
                                                      {"additional-info-uri", additional},
                                                      {"failure-reason-code", reason}}};

failure read_fault(dom::object from, const datagram_limits& limits, const place& at,
                   model::session_fault& into) {
    bool has_code = false;
    std::string unknown;
    failure problem =
        each_member(from, detail_members, at, [&](unsigned member, dom::element v, const place& here) {
            if (member == code) {
                has_code = true;
                return take(read_result_type(v, here, unknown), into.type);
            }
            if (!v.is_string())
                return fault(kind::field, here, "a text is expected");
            const std::string_view text = v.get_string().value_unsafe();
            switch (member) {
            case sender:
                into.sending_mta_ip = as_address(text);
                break;
            case mx:
                into.receiving_mx = as_host(text, limits.text);
                break;
            case helo:
                into.receiving_mx_helo = clean_text(first_of_ehlo(text), limits.text);
                break;
            case receiver:
                into.receiving_ip = as_address(text);
                break;
            case additional:
                into.additional_information = clean_text(text, limits.text);
                break;
            default:
                into.reason_code = clean_text(text, limits.text);
            }
            return failure();
        });
    if (problem)
        return problem;
    if (!has_code)
        return fault(kind::field, place{&at, "c"}, "is missing: what went wrong?");
    if (!unknown.empty())
        into.reason_code = into.reason_code.empty() ? unknown : unknown + ": " + into.reason_code;
    return std::nullopt;
}

// ---- policies ------------------------------------------------------------------------------------------

enum policy_member : unsigned { type, domain, strings, patterns, details, failed };
constexpr std::array<member_name, 7> policy_members{{{"policy-type", type},
                                                     {"policy-domain", domain},
                                                     {"policy-string", strings},
                                                     {"mx-host", patterns},
                                                     {"failure-details", details},
                                                     {"f", failed},
                                                     {"failed", failed}}};

std::expected<tlsrpt::policy_type, read_error> read_policy_type(dom::element value, const place& at) {
    std::optional<tlsrpt::policy_type> found;
    if (const auto number = as_number(value)) {
        if (*number >= 0 && *number < 1'000)
            found = tlsrpt::policy_type_from_wire(static_cast<int>(*number));
    } else if (value.is_string()) {
        found = tlsrpt::parse_policy_type(base::lower(value.get_string().value_unsafe()));
    }
    if (found)
        return *found;
    return refuse(kind::field, at, "1 (tlsa), 2 (sts) or 9 (no-policy-found) is expected");
}

/// Equal policies must be equal values. TLSA records are a set: one form, in order, each once (A25).
void settle(model::applied_policy& policy) {
    for (auto& pattern : policy.mx_patterns)
        pattern = base::lower(pattern);
    if (policy.type != tlsrpt::policy_type::tlsa)
        return;
    for (auto& record : policy.strings)
        std::ranges::transform(record, record.begin(),
                               [](char c) { return c >= 'a' && c <= 'f' ? static_cast<char>(c - 32) : c; });
    std::ranges::sort(policy.strings);
    const auto [first, last] = std::ranges::unique(policy.strings);
    policy.strings.erase(first, last);
}

failure read_policy(dom::object from, const std::string& recipient, const datagram_limits& limits,
                    const place& at, model::policy_outcome& into) {
    bool has_type = false, has_verdict = false;
    std::string named;
    failure problem =
        each_member(from, policy_members, at, [&](unsigned member, dom::element v, const place& here) {
            switch (member) {
            case type:
                has_type = true;
                return take(read_policy_type(v, here), into.policy.type);
            case domain:
                return take(read_text(v, here, limits.text), named);
            case strings:
                return read_texts(v, limits.strings, limits.text, here, into.policy.strings);
            case patterns:
                return read_texts(v, limits.patterns, limits.text, here, into.policy.mx_patterns);
            case failed:
                has_verdict = true;
                return take(read_flag(v, here), into.failed);
            default:
                return each_object(v, limits.details, here, [&](dom::object one, const place& there) {
                    return read_fault(one, limits, there, into.faults.emplace_back());
                });
            }
        });
    if (problem)
        return problem;
    if (!has_type)
        return fault(kind::field, place{&at, "policy-type"}, "is missing: which policy was applied?");
    if (!has_verdict)
        return fault(kind::field, place{&at, "f"}, "is missing: did the session fail (1) or not (0)?");
    auto name = as_domain(named);
    // Senders before September 2025 name none where there is no policy. Of TLSA records nobody can tell.
    if (!name && into.policy.type == tlsrpt::policy_type::tlsa)
        return fault(kind::field, place{&at, "policy-domain"}, "the TLSA base domain is expected");
    into.policy.domain = name ? std::move(*name) : recipient;
    settle(into.policy);
    return std::nullopt;
}

// ---- the whole -----------------------------------------------------------------------------------------

enum top_member : unsigned { version, recipient, record, policies };
constexpr std::array<member_name, 6> top_members{{{"dpv", version},
                                                  {"d", recipient},
                                                  {"pr", record},
                                                  {"policies", policies},
                                                  {"domain", recipient},
                                                  {"record", record}}};

} // namespace

std::expected<tlsrpt::result_type, read_error> read_result_type(dom::element value, const place& at,
                                                                std::string& reason) {
    if (const auto number = as_number(value)) {
        if (*number < 0 || *number > 99'999)
            return refuse(kind::field, at, "a result code is expected");
        if (const auto found = tlsrpt::result_type_from_wire(static_cast<int>(*number)))
            return *found;
        reason = fmt::format("libtlsrpt-code-{}", *number);
        return tlsrpt::result_type::validation_failure; // 8460-4.3.1-e
    }
    if (!value.is_string())
        return refuse(kind::field, at, "a result type is expected");
    const auto word = clean_text(value.get_string().value_unsafe(), 64);
    if (const auto found = tlsrpt::parse_result_type(base::lower(word)))
        return *found;
    if (word.empty())
        return refuse(kind::field, at, "a result type is expected");
    reason = word;
    return tlsrpt::result_type::validation_failure;
}

std::expected<model::delivery_result, read_error> read_result(dom::object from,
                                                              const datagram_limits& limits) {
    const place top;
    std::expected<model::delivery_result, read_error> out{std::in_place};
    std::optional<dom::element> list; // read when the recipient's domain is known
    failure problem =
        each_member(from, top_members, top, [&](unsigned member, dom::element v, const place& here) {
            switch (member) {
            case version:
                if (const auto number = as_number(v); !number || *number != 1)
                    return fault(kind::version, here, "this version is not known; \"1\" is");
                return failure();
            case recipient:
                if (auto name = v.is_string() ? as_domain(v.get_string().value_unsafe()) : std::nullopt) {
                    out->domain = std::move(*name);
                    return failure();
                }
                return fault(kind::no_domain, here, "a domain name is expected");
            case record:
                return take(read_text(v, here, limits.text), out->record_seen);
            default:
                list = v;
                return failure();
            }
        });
    if (problem)
        return read_failure(std::move(*problem));
    if (out->domain.empty())
        return refuse(kind::no_domain, place{&top, "d"}, "is missing: whose mail was it?");
    const place here{&top, "policies"};
    if (list)
        problem = each_object(*list, limits.policies, here, [&](dom::object one, const place& there) {
            return read_policy(one, out->domain, limits, there, out->outcomes.emplace_back());
        });
    if (problem)
        return read_failure(std::move(*problem));
    if (out->outcomes.empty())
        return refuse(kind::no_policies, here, list ? "is empty" : "is missing");
    return out;
}

} // namespace mailtight::tally
