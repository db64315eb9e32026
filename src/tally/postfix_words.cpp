// SPDX-License-Identifier: Apache-2.0
// parse(): first by how the line begins, then the parts of each. Reasons become short words of their own.
#include "tally/postfix_words.h"

#include "base/text.h"
#include "io/tls_classify.h"
#include "tally/clean_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace mailtight::tally::postfix {
namespace {

using tlsrpt::result_type;
constexpr auto none = std::string_view::npos;
constexpr std::size_t delay_bytes = 16; // it is a number

bool take(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix))
        return false;
    text.remove_prefix(prefix.size());
    return true;
}

/// `unsupported protocol` as one short word: lower case, hyphens.
std::string as_reason(std::string_view words) {
    std::string out = clean_text(words.substr(0, 80), 64);
    std::ranges::replace(out, ' ', '-');
    return base::lower(out);
}

/// A reply's code: `454` of `454 4.7.0 TLS not available`.
std::string starttls_reply(std::string_view reply) {
    const auto code = reply.substr(0, 3);
    if (code.size() == 3 && std::ranges::all_of(code, base::is_digit))
        return fmt::format("starttls-reply-code-{}", code);
    return "starttls-refused";
}

// ---- certificates --------------------------------------------------------------------------------------

struct verify_words {
    std::string_view words;
    std::string_view reason;
    result_type type;
};
constexpr std::array<verify_words, 8> verify_table{{
    {"certificate has expired", "X509_V_ERR_CERT_HAS_EXPIRED", result_type::certificate_expired},
    {"self-signed certificate", "X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT",
     result_type::certificate_not_trusted},
    {"untrusted issuer", "X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
     result_type::certificate_not_trusted},
    {"not trusted by local or TLSA policy", "X509_V_ERR_CERT_UNTRUSTED",
     result_type::certificate_not_trusted},
    {"certificate not yet valid", "X509_V_ERR_CERT_NOT_YET_VALID", result_type::certificate_not_trusted},
    {"not designated for use as", "X509_V_ERR_INVALID_PURPOSE", result_type::certificate_not_trusted},
    {"certificate chain longer than", "X509_V_ERR_CERT_CHAIN_TOO_LONG", result_type::certificate_not_trusted},
    {"self signed certificate", "X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT",
     result_type::certificate_not_trusted},
}};
// Numbers of OpenSSL's for what is no matter of trust.
constexpr int hostname_mismatch = 62, unspecified = 1, dane_no_match = 65;

void judge(std::string_view words, bool of_authority, verify_failed& into) {
    for (const auto& row : verify_table)
        if (words.starts_with(row.words)) {
            into.reason = row.reason;
            into.type = of_authority ? result_type::certificate_not_trusted : row.type; // 8460-4.3.1-c
            return;
        }
    if (take(words, "num=")) { // every other error of OpenSSL's: `num=62:hostname mismatch`
        int code = 0;
        std::from_chars(words.data(), words.data() + words.size(), code);
        into.reason = io::verify_error_name(code);
        if (code == hostname_mismatch)
            into.type = result_type::certificate_host_mismatch; // 8460-4.3.1-b
        else if (code == unspecified || code == dane_no_match)
            into.type = result_type::validation_failure; // 8460-4.3.1-e
        return;
    }
    into.type = result_type::validation_failure;
    into.reason = as_reason(words);
}

/// `server certificate verification failed for …`, `CA certificate …`, `certificate …`
said parse_verify(std::string_view text) {
    bool of_authority = false;
    if (!take(text, "certificate verification failed for ") &&
        !take(text, "server certificate verification failed for ")) {
        if (!take(text, "CA certificate verification failed for "))
            return {};
        of_authority = true;
    }
    const auto end = text.find("]:");
    const auto with = parse_peer(text);
    if (!with || end == none)
        return {};
    auto words = text.substr(end + 2);
    if (const auto blank = words.find(": "); blank < 6) // behind the port
        words.remove_prefix(blank + 2);
    verify_failed out{.with = *with};
    judge(base::trim(words), of_authority, out);
    return out;
}

// ---- handshakes ----------------------------------------------------------------------------------------

said parse_summary(std::string_view text) {
    tls_summary out;
    const auto blank = text.find(' ');
    out.word = text.substr(0, blank);
    text.remove_prefix(std::min(blank, text.size()));
    if (take(text, " TLS connection reused to "))
        out.reused = true;
    else if (!take(text, " TLS connection established to "))
        return {};
    const auto with = parse_peer(text);
    if (!with)
        return {};
    out.with = *with;
    return out;
}

/// `-1`, `0`, `lost connection`, `Connection timed out`, …
said parse_connect_error(std::string_view text) {
    const auto with = parse_peer(text);
    const auto words = text.rfind(": ");
    if (!with || words == none)
        return {};
    const auto why = text.substr(words + 2);
    const bool number = !why.empty() && (why[0] == '-' || base::is_digit(why[0]));
    return connect_error{*with, number ? "tls-handshake-failure" : as_reason(why)};
}

/// `error:0A000410:SSL routines::sslv3 alert handshake failure:../ssl/…:1586:SSL alert number 40:` of OpenSSL
/// 3, and with a function between the colons before it.
said parse_library_problem(std::string_view text) {
    if (!take(text, "error:"))
        return {};
    const auto parts = base::split(text, ':');
    if (parts.size() < 4 || parts[3].empty())
        return {};
    return library_problem{as_reason(parts[3])};
}

// ---- TLSRPT: -------------------------------------------------------------------------------------------

std::string_view value_of(std::string_view text, std::string_view name) {
    const auto at = text.find(name);
    if (at == none)
        return {};
    const auto value = text.substr(at + name.size());
    return value.substr(0, value.find(", "));
}

said parse_told(std::string_view text) {
    told_result out;
    const auto with = parse_peer(value_of(text, ", receiving_mx="));
    out.domain = value_of(text, ", domain=");
    if (!with || out.domain.empty())
        return {};
    out.with = *with;
    if (take(text, "status=success"))
        return out;
    if (!take(text, "status=failure"))
        return {};
    std::string type(value_of(text, ", failure_type="));
    std::ranges::replace(type, '_', '-');
    out.failure = tlsrpt::parse_result_type(type).value_or(result_type::validation_failure);
    const auto reason = text.find(", failure_reason=");
    if (reason != none)
        out.reason = clean_text(text.substr(reason + 17), 200);
    return out;
}

// ---- deliveries ----------------------------------------------------------------------------------------

/// `local@domain` of `local@domain>, …`, taken off with its end; a local part may be quoted and hold
/// anything, even what looks like the rest of such a line.
std::optional<std::string_view> take_address(std::string_view& text) {
    std::size_t at = 0;
    if (text.starts_with('"'))
        for (at = 1; at < text.size() && text[at] != '"'; ++at)
            if (text[at] == '\\')
                ++at;
    const auto end = at < text.size() ? text.find('>', at) : none;
    if (end == none)
        return std::nullopt;
    const auto address = text.substr(0, end);
    text.remove_prefix(end + 1);
    return address;
}
std::string_view domain_of(std::string_view address) {
    const auto sign = address.rfind('@');
    return sign == none ? std::string_view() : address.substr(sign + 1);
}

/// `0.09`, `12`, `1e+03`: as Postfix writes times with two digits that count.
std::chrono::seconds rounded_up(std::string_view number) {
    double seconds = 0;
    std::from_chars(number.data(), number.data() + number.size(), seconds);
    return std::chrono::seconds(static_cast<std::int64_t>(std::ceil(std::clamp(seconds, 0.0, 1e6))));
}

std::optional<delivery> parse_delivery(std::string_view queue_id, std::string_view text) {
    const auto recipient = take_address(text);
    if (!recipient || (take(text, ", orig_to=<") && !take_address(text)))
        return std::nullopt;
    delivery out{.queue_id = queue_id, .domain = domain_of(*recipient)};
    const auto status = text.find(", status=");
    if (status == none || !text.starts_with(", relay="))
        return std::nullopt;
    const auto head = text.substr(0, status);
    out.relay = parse_peer(value_of(head, ", relay="));
    if (const auto use = value_of(head, ", conn_use="); !use.empty())
        std::from_chars(use.data(), use.data() + use.size(), out.use);
    const auto delays = base::split(value_of(head, ", delays="), '/');
    out.waited = delays[0].substr(0, delay_bytes);
    for (std::size_t i = 2; i < delays.size() && i < 4; ++i)
        out.took += rounded_up(delays[i]);
    auto words = text.substr(status + 9);
    const bool sent = words.starts_with("sent ");
    const auto open = words.find('(');
    words = open == none ? std::string_view() : words.substr(open + 1);
    if (words.ends_with(')'))
        words.remove_suffix(1);
    if (sent)
        out.how.what = verdict::kind::conversed;
    else
        out.how = parse_verdict(words);
    return out;
}

bool is_queue_id(std::string_view word) {
    return word.size() >= 5 && word.size() <= 20 && std::ranges::all_of(word, base::is_alnum) &&
           word != "warning" && word != "error" && word != "fatal" && word != "panic" && word != "statistics";
}

} // namespace

std::optional<peer> parse_peer(std::string_view text) {
    const auto open = text.find('[');
    const auto close = text.find(']', open == none ? 0 : open);
    if (open == none || close == none || open > 255 || text.substr(0, open).find(' ') != none)
        return std::nullopt;
    peer out{text.substr(0, open), text.substr(open + 1, close - open - 1), 0};
    if (close + 1 < text.size() && text[close + 1] == ':')
        std::from_chars(text.data() + close + 2, text.data() + text.size(), out.port);
    return out;
}

verdict parse_verdict(std::string_view words) {
    using enum verdict::kind;
    const bool require = take(words, "REQUIRETLS Failure: sender requested REQUIRETLS, but ");
    if (take(words, "TLS is required, but was not offered by host ") ||
        (require && take(words, "TLS service was not offered by host ")))
        return {not_offered, parse_peer(words), {}};
    if (take(words, "TLS is required, but host ") || (require && take(words, "host "))) {
        const auto refusal = words.find(" refused to start TLS: ");
        if (refusal == none)
            return {};
        return {refused, parse_peer(words), starttls_reply(words.substr(refusal + 23))};
    }
    if (words.starts_with("Cannot start TLS: "))
        return {handshake, {}, "tls-handshake-failure"};
    if (words.starts_with("Server certificate not trusted") || (require && words.starts_with("no trusted ")))
        return {not_trusted, {}, {}};
    if (words.starts_with("Server certificate not verified") ||
        words.starts_with("Server certificate failed") || (require && words.starts_with("no matching ")))
        return {not_verified, {}, {}};
    const bool lost = take(words, "lost connection with ");
    if (lost || take(words, "conversation with ")) {
        const auto with = parse_peer(words);
        const auto stage = words.find(" while ");
        if (!with || stage == none)
            return {};
        const auto when = words.substr(stage + 7);
        if (when.starts_with("receiving the STARTTLS response"))
            return {handshake, with, lost ? "starttls-lost-connection" : "starttls-timed-out"};
        return {when.starts_with("sending ") ? conversed : other, with, {}};
    }
    if (take(words, "host ")) {
        const auto with = parse_peer(words);
        const auto said = words.find("] said: ");
        const bool early = words.ends_with("(in reply to EHLO command)") ||
                           words.ends_with("(in reply to HELO command)") ||
                           words.ends_with("(in reply to LHLO command)");
        const bool late = words.ends_with(" command)");
        return {with && said != none && late && !early ? conversed : other, with, {}};
    }
    return {};
}

said parse(std::string_view text) {
    if (take(text, "TLSRPT: "))
        return parse_told(text);
    if (take(text, "SSL_connect error to "))
        return parse_connect_error(text);
    if (take(text, "warning: TLS library problem: "))
        return parse_library_problem(text);
    if (text.starts_with("warning: connect to ") && text.find("/tlsproxy service: ") != none)
        return no_proxy{};
    if (take(text, "Host offered STARTTLS: [")) {
        const auto end = text.find(']');
        return end == none ? said{} : said{unused_offer{text.substr(0, end)}};
    }
    const auto colon = text.substr(0, 24).find(": ");
    if (colon != none && is_queue_id(text.substr(0, colon))) {
        const auto id = text.substr(0, colon);
        text.remove_prefix(colon + 2);
        if (!take(text, "to=<"))
            return host_skipped{id, parse_verdict(text)};
        auto out = parse_delivery(id, text);
        return out ? said{std::move(*out)} : said{};
    }
    const auto verified = parse_verify(text);
    return std::holds_alternative<std::monostate>(verified) ? parse_summary(text) : verified;
}

} // namespace mailtight::tally::postfix
