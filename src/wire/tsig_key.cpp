// SPDX-License-Identifier: Apache-2.0
// The words in which keys are handed around, and the words about keys and codes.
#include "base/encode.h"
#include "base/text.h"
#include "wire/dns_name.h"
#include "wire/dns_update.h"

#include <array>
#include <utility>

namespace mailtight::wire {

namespace {

using namespace std::string_view_literals;

constexpr std::array known_algorithms{"hmac-sha256"sv, "hmac-sha512"sv};
constexpr std::size_t key_text_max = 4'096;

std::string algorithm_named(std::string_view word) {
    auto name = base::lower(word);
    if (name.ends_with('.'))
        name.pop_back();
    return name;
}

bool is_algorithm(std::string_view word) {
    return base::lower(word.substr(0, 5)) == "hmac-";
}

std::expected<tsig_key, std::string> checked(std::string_view name, std::string_view algorithm,
                                             std::string_view secret) {
    tsig_key key;
    const auto canonical = canonical_dns_name(name);
    if (!canonical || canonical->empty())
        return std::unexpected("the name of the TSIG key is no domain name");
    key.name = *canonical;
    key.algorithm = algorithm_named(algorithm);
    if (key.algorithm.starts_with("hmac-md5"))
        return std::unexpected("hmac-md5 must not be used any more (RFC 8945 §6): make a key for "
                               "hmac-sha256, with tsig-keygen or keymgr -t");
    bool is_known = false;
    for (const auto known : known_algorithms)
        is_known = is_known || key.algorithm == known;
    if (!is_known)
        return std::unexpected("the algorithm of the TSIG key must be hmac-sha256 or hmac-sha512");
    auto raw = base::unbase64(secret);
    if (!raw || raw->empty())
        return std::unexpected("the secret of the TSIG key is no base64");
    key.secret = std::move(*raw);
    return key;
}

/// The words of a file of tsig-keygen (`key "n" { algorithm a; secret "s"; };`) or keymgr (`- id: n`,
/// `algorithm: a`, `secret: s`).
std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> words;
    for (const auto line : base::split(text, '\n')) {
        if (base::trim(line).starts_with('#'))
            continue;
        std::string word;
        for (const char c : line) {
            if (!base::is_wsp(c) && "\r\"{};"sv.find(c) == std::string_view::npos) {
                word += c;
            } else if (!word.empty()) {
                words.push_back(std::exchange(word, {}));
            }
        }
        if (!word.empty())
            words.push_back(std::move(word));
    }
    return words;
}

std::expected<tsig_key, std::string> from_file(std::string_view text) {
    std::string name, algorithm = "hmac-sha256", secret;
    const auto words = words_of(text);
    for (std::size_t at = 0; at + 1 < words.size(); ++at) {
        const auto& word = words[at];
        if (word == "key" || word == "id:")
            name = words[at + 1];
        else if (word == "algorithm" || word == "algorithm:")
            algorithm = words[at + 1];
        else if (word == "secret" || word == "secret:")
            secret = words[at + 1];
    }
    return checked(name, algorithm, secret);
}

} // namespace

std::expected<tsig_key, std::string> parse_tsig_key(std::string_view text) {
    text = base::trim(text);
    if (text.size() > key_text_max)
        return std::unexpected("this is too long for a TSIG key");
    if (text.find('\n') != std::string_view::npos || text.find('{') != std::string_view::npos)
        return from_file(text);
    const auto parts = base::split(text, ':');
    if (parts.size() == 2)
        return checked(parts[0], known_algorithms[0], parts[1]);
    if (parts.size() != 3)
        return std::unexpected("a TSIG key is written name:algorithm:secret, the secret in base64");
    if (is_algorithm(parts[1]) || !is_algorithm(parts[0]))
        return checked(parts[0], parts[1], parts[2]);
    return checked(parts[1], parts[0], parts[2]);
}

std::string_view explain(tsig_fault fault) {
    switch (fault) {
    case tsig_fault::missing:
        return "the reply is not signed";
    case tsig_fault::bad_form:
        return "the reply's signature cannot be read";
    case tsig_fault::other_key:
        return "the reply is signed with another key";
    case tsig_fault::bad_mac:
        return "the reply's signature is wrong: it was changed on the way, or comes from somebody else";
    case tsig_fault::bad_time:
        return "the reply was signed too long ago, or its server's clock is wrong";
    case tsig_fault::refused_key:
        return "the server does not know this TSIG key, or does not take it for this zone (BADKEY): name and "
               "algorithm must be the same there, and its rules must name the key";
    case tsig_fault::refused_signature:
        return "the server finds our signature wrong (BADSIG): the secrets of the TSIG key differ";
    case tsig_fault::refused_time:
        return "the server's clock and ours are too far apart (BADTIME): set both by NTP";
    case tsig_fault::refused_truncation:
        return "the server wants longer signatures (BADTRUNC): let it accept whole ones of this algorithm";
    }
    return "";
}

std::string update_rcode_name(std::uint16_t code) {
    constexpr std::array<std::pair<std::uint16_t, std::string_view>, 16> names{{{0, "NOERROR"},
                                                                                {1, "FORMERR"},
                                                                                {2, "SERVFAIL"},
                                                                                {3, "NXDOMAIN"},
                                                                                {4, "NOTIMP"},
                                                                                {5, "REFUSED"},
                                                                                {6, "YXDOMAIN"},
                                                                                {7, "YXRRSET"},
                                                                                {8, "NXRRSET"},
                                                                                {9, "NOTAUTH"},
                                                                                {10, "NOTZONE"},
                                                                                {11, "DSOTYPENI"},
                                                                                {16, "BADSIG"},
                                                                                {17, "BADKEY"},
                                                                                {18, "BADTIME"},
                                                                                {22, "BADTRUNC"}}};
    for (const auto& [value, name] : names)
        if (value == code)
            return std::string(name);
    return "RCODE" + std::to_string(code);
}

std::string_view explain_update_rcode(std::uint16_t code) {
    switch (code) {
    case 0:
        return "it was done";
    case 1:
        return "the server cannot read the update: it may be older than RFC 2136, or something between "
               "changes messages";
    case 2:
        return "the server failed inside: its log says why (often it may not write its zone's journal)";
    case 3:
    case 8:
        return "a record that stood there a moment ago is gone or has changed: look again, then decide";
    case 4:
        return "the server takes no dynamic updates: name the primary server of the zone, or use a hook";
    case 5:
        return "the server's rules do not allow this: allow updates for the TSIG key (BIND: update-policy "
               "or allow-update; Knot: acl with action update), at the primary server of the zone";
    case 6:
    case 7:
        return "a record that was not there a moment ago now is: look again, then decide";
    case 9:
        return "the server is not responsible for this zone, or does not accept the TSIG key: check the "
               "server, the zone's name and the key";
    case 10:
        return "a name lies outside the zone: leave the zone's name out, and it is found, or name the right "
               "one";
    case 16:
        return "the secrets of the TSIG key differ between the server and here";
    case 17:
        return "the server does not know the TSIG key, or does not take it for this zone: name and algorithm "
               "must be the same there, and its rules must name the key";
    case 18:
        return "the server's clock and ours are too far apart: set both by NTP";
    case 22:
        return "the server wants longer signatures: let it accept whole ones of this algorithm";
    default:
        return "the server gives a code that RFC 2136 does not know: its log says why";
    }
}

} // namespace mailtight::wire
