// SPDX-License-Identifier: Apache-2.0
// A line is one of two kinds by the member `policies`. Facts of a session: what is said is taken, what is
// not said follows from the result.
#include "tally/read_event.h"

#include "base/text.h"
#include "tally/clean_text.h"
#include "tally/result_json.h"

#include <fmt/format.h>

#include <array>

namespace mailtight::tally {
namespace {

namespace dom = simdjson::dom;
using kind = read_error::kind;
using model::tls_reached;
using tlsrpt::result_type;

struct tls_word {
    std::string_view word;
    tls_reached tls;
};
constexpr std::array<tls_word, 7> tls_words{{{"not-offered", tls_reached::not_offered},
                                             {"refused", tls_reached::refused},
                                             {"failed", tls_reached::failed},
                                             {"encrypted", tls_reached::encrypted},
                                             {"trusted", tls_reached::trusted},
                                             {"verified", tls_reached::verified},
                                             {"not-tried", tls_reached::not_tried}}};

/// How far a session came that ended so.
tls_reached reached_with(result_type result) {
    switch (result) {
    case result_type::starttls_not_supported:
        return tls_reached::not_offered;
    case result_type::certificate_host_mismatch:
    case result_type::certificate_not_trusted:
    case result_type::certificate_expired:
    case result_type::validation_failure:
        return tls_reached::failed;
    case result_type::sts_policy_fetch_error:
    case result_type::sts_policy_invalid:
    case result_type::sts_webpki_invalid:
    case result_type::tlsa_invalid:
    case result_type::dnssec_invalid:
    case result_type::dane_required:
        return tls_reached::not_tried;
    }
    return tls_reached::failed;
}
/// The fault of a session that came no further, where none is named.
std::optional<result_type> fault_of(tls_reached tls) {
    switch (tls) {
    case tls_reached::not_offered:
    case tls_reached::refused:
        return result_type::starttls_not_supported; // 8460-4.3.1-a
    case tls_reached::failed:
        return result_type::validation_failure; // 8460-4.3.3-a
    default:
        return std::nullopt;
    }
}

enum class member { domain, mx, ip, sending_ip, helo, tls, result, reason };
struct member_name {
    std::string_view name;
    member is;
};
constexpr std::array<member_name, 15> names{{{"domain", member::domain},
                                             {"d", member::domain},
                                             {"mx", member::mx},
                                             {"receiving-mx-hostname", member::mx},
                                             {"ip", member::ip},
                                             {"receiving-ip", member::ip},
                                             {"sending-ip", member::sending_ip},
                                             {"sending-mta-ip", member::sending_ip},
                                             {"helo", member::helo},
                                             {"receiving-mx-helo", member::helo},
                                             {"tls", member::tls},
                                             {"result", member::result},
                                             {"result-type", member::result},
                                             {"reason", member::reason},
                                             {"failure-reason-code", member::reason}}};

class session_reading {
public:
    explicit session_reading(const datagram_limits& limits)
        : limits_(limits) {}

    std::expected<model::session_seen, read_error> read(dom::object from) {
        unsigned seen = 0;
        for (const auto field : from) {
            const auto* const known = std::ranges::find(names, field.key, &member_name::name);
            if (known == names.end())
                continue;
            const unsigned bit = 1U << static_cast<unsigned>(known->is);
            if ((seen & bit) != 0 || is_absent(field.value))
                continue;
            seen |= bit;
            if (auto problem = take(known->is, field.value, place{&top_, field.key}))
                return read_failure(std::move(*problem));
        }
        return settle();
    }

private:
    std::optional<read_error> take(member is, dom::element value, const place& here) {
        if (is == member::result) {
            auto result = read_result_type(value, here, unknown_);
            if (!result)
                return std::move(result.error());
            out_.failure = *result;
            return std::nullopt;
        }
        if (!value.is_string())
            return refuse(kind::field, here, "a text is expected").error();
        const std::string_view text = value.get_string().value_unsafe();
        switch (is) {
        case member::domain:
            if (auto name = as_domain(text))
                out_.domain = std::move(*name);
            else
                return refuse(kind::no_domain, here, "a domain name is expected").error();
            break;
        case member::mx:
            out_.mx_host = as_host(text, limits_.text);
            break;
        case member::ip:
            return take_address(text, here, out_.address);
        case member::sending_ip:
            return take_address(text, here, out_.sending_address);
        case member::helo:
            out_.helo = clean_text(first_of_ehlo(text), limits_.text);
            break;
        case member::tls:
            return take_tls(text, here);
        case member::result:
        case member::reason:
            out_.reason = clean_text(text, limits_.text);
            break;
        }
        return std::nullopt;
    }

    static std::optional<read_error> take_address(std::string_view text, const place& here,
                                                  std::optional<base::ip_address>& into) {
        into = base::ip_address::parse(text);
        if (into)
            return std::nullopt;
        return refuse(kind::field, here, "an IP address is expected").error();
    }

    std::optional<read_error> take_tls(std::string_view text, const place& here) {
        const auto* const found = std::ranges::find(tls_words, base::lower(text), &tls_word::word);
        if (found == tls_words.end())
            return refuse(kind::field, here,
                          "one of not-offered, refused, failed, encrypted, trusted, verified, not-tried is "
                          "expected")
                .error();
        tls_ = found->tls;
        return std::nullopt;
    }

    std::expected<model::session_seen, read_error> settle() {
        if (out_.domain.empty())
            return refuse(kind::no_domain, place{&top_, "domain"}, "is missing: whose mail was it?");
        if (!tls_ && !out_.failure)
            return refuse(kind::field, place{&top_, "tls"},
                          "is missing, and so is result: how did the session end?");
        if (tls_ && !out_.failure)
            out_.failure = fault_of(*tls_);
        out_.tls = tls_ ? *tls_ : reached_with(*out_.failure);
        if (!unknown_.empty())
            out_.reason = out_.reason.empty() ? unknown_ : unknown_ + ": " + out_.reason;
        return std::move(out_);
    }

    const datagram_limits& limits_;
    const place top_;
    model::session_seen out_;
    std::optional<tls_reached> tls_;
    std::string unknown_; ///< a result type that is not registered
};

bool has_policies(dom::object from) {
    for (const auto field : from)
        if (field.key == "policies")
            return true;
    return false;
}

} // namespace

struct event_reader::state {
    datagram_limits limits;
    json_input input;
};

event_reader::event_reader(datagram_limits limits)
    : state_(std::make_unique<state>()) {
    state_->limits = limits;
}
event_reader::~event_reader() = default;

std::expected<told, read_error> event_reader::read(std::string_view line) {
    const auto object = state_->input.object(line, state_->limits.bytes);
    if (!object)
        return std::unexpected(object.error());
    const auto as_told = [](auto read) -> std::expected<told, read_error> {
        if (!read)
            return std::unexpected(std::move(read.error()));
        return told(std::move(*read));
    };
    if (has_policies(*object))
        return as_told(read_result(*object, state_->limits));
    return as_told(session_reading(state_->limits).read(*object));
}

} // namespace mailtight::tally
