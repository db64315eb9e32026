// SPDX-License-Identifier: Apache-2.0
#include "model/looked_after.h"

#include <array>

namespace mailtight::model {
namespace {

/// The value whose word it is.
template<class Enum, std::size_t N>
std::optional<Enum> named(std::string_view word, const std::array<Enum, N>& all) {
    for (const auto one : all)
        if (to_string(one) == word)
            return one;
    return std::nullopt;
}

} // namespace

std::string_view to_string(aim value) {
    switch (value) {
    case aim::testing:
        return "testing";
    case aim::enforce:
        return "enforce";
    case aim::off:
        return "off";
    }
    return "";
}
std::optional<aim> parse_aim(std::string_view word) {
    return named(word, std::array{aim::testing, aim::enforce, aim::off});
}

std::string_view to_string(off_way value) {
    switch (value) {
    case off_way::none_first:
        return "none";
    case off_way::by_expiry:
        return "expiry";
    }
    return "";
}
std::optional<off_way> parse_off_way(std::string_view word) {
    return named(word, std::array{off_way::none_first, off_way::by_expiry});
}

std::string_view to_string(hosting value) {
    switch (value) {
    case hosting::here:
        return "here";
    case hosting::proxied:
        return "proxied";
    case hosting::elsewhere:
        return "elsewhere";
    case hosting::delegated:
        return "delegated";
    }
    return "";
}
std::optional<hosting> parse_hosting(std::string_view word) {
    return named(word, std::array{hosting::here, hosting::proxied, hosting::elsewhere, hosting::delegated});
}

std::string_view to_string(dns_way value) {
    switch (value) {
    case dns_way::by_hand:
        return "hand";
    case dns_way::update:
        return "update";
    case dns_way::hook:
        return "hook";
    }
    return "";
}
std::optional<dns_way> parse_dns_way(std::string_view word) {
    return named(word, std::array{dns_way::by_hand, dns_way::update, dns_way::hook});
}

std::string_view to_string(leave value) {
    switch (value) {
    case leave::nothing:
        return "nothing";
    case leave::records:
        return "records";
    case leave::all:
        return "all";
    }
    return "";
}
std::optional<leave> parse_leave(std::string_view word) {
    return named(word, std::array{leave::nothing, leave::records, leave::all});
}

} // namespace mailtight::model
