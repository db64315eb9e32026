// SPDX-License-Identifier: Apache-2.0
// render(): what each mail server is told. Three things decide: what was found, what the dialect can say, and
// whether the mail server looks for DANE itself.
//
// Where the policy is enforced and none of the destination's MX hosts is admitted, Postfix is told TEMP with
// the reason in words: the mail waits (4.7.5), is never bounced, and the log says why. A policy that nothing
// can match would defer as well, but after handshakes in vain and with "certificate not verified" in the log,
// which sends people looking for the wrong fault. Sendmail compares the hosts itself and is given the
// patterns.
//
// A policy in testing, or none, is never answered by `may policy_type=sts`: at `may` Postfix judges no
// certificate and would report every session as a success.
//
// After a failed fetch the answer is NOTFOUND and not `may policy_type=no-policy-found`: a level in the reply
// overrides the operator's own, which may be `dane` or `encrypt`.
//
// An exempt domain is answered `may` where the mail server looks for DANE itself: NOTFOUND would leave it
// there, and the operator said that DANE is out too.
//
// Where the mail server has no DANE of its own (mta_has_dane = false) it is no sender with DANE in the sense
// of 8461-2-a: it is told the enforced policy where there is one, else `encrypt` where every host has usable
// TLSA records, so that mail at least never goes in clear there; a mix is left to its own settings.
#include "resolve/reply.h"

#include "base/text.h"
#include "resolve/reply_words.h"
#include "wire/netstring.h"

#include <array>
#include <utility>

namespace mailtight::resolve {

namespace {

constexpr std::size_t reason_bytes = 180;

constexpr std::array<std::pair<std::string_view, dialect>, 6> map_names{
    {{"QUERY", dialect::tlspol},
     {"QUERYwithTLSRPT", dialect::tlspol_tlsrpt},
     {"postfix", dialect::postfix},
     {"postfix-legacy", dialect::postfix_legacy},
     {"postfix-3.10", dialect::postfix_3_10},
     {"sts", dialect::sendmail}}};

reply temporary(std::string_view reason, std::string_view otherwise) {
    return {reply::status::temp, reason_in_words(reason, otherwise)};
}

/// What of it can be shown; "" where nothing can.
std::string plain_words(std::string_view from) {
    std::string words;
    for (const char c : base::trim(from)) {
        if (words.size() > reason_bytes)
            break;
        const auto byte = static_cast<unsigned char>(c);
        const bool goes_on = (byte & 0xC0) == 0x80; // within a character of UTF-8
        if (byte > 0x20 && byte < 0x7f)
            words += c;
        else if (byte >= 0x80)
            words += goes_on && words.ends_with('?') ? "" : "?"; // one for a whole character
        else if (!words.empty() && !words.ends_with(' '))
            words += ' ';
    }
    if (words.size() > reason_bytes) {
        words.resize(reason_bytes - 3);
        words += "...";
    }
    return words;
}

bool has_tlsrpt(dialect d) {
    return d == dialect::tlspol_tlsrpt || d == dialect::postfix_3_10;
}

// 8461-5-a: whatever is said here, only an admitted host with a certificate of its name gets the mail.
reply enforced(dialect d, const tls_decision& decision) {
    const bool by_host = d == dialect::postfix || d == dialect::postfix_legacy || d == dialect::postfix_3_10;
    const match_list match = by_host ? match_hosts(decision) : match_patterns(decision);
    if (match.names.empty())
        return temporary(nothing_admitted(decision), "");
    std::string text = "secure match=" + base::join(match.names, ":");
    if (d != dialect::postfix_legacy)
        text += " servername=hostname"; // 8461-7.1-a: SNI; for Sendmail it is the last word
    if (has_tlsrpt(d))
        if (const auto more = tlsrpt_attributes(decision);
            more && text.size() + more->size() + 3 <= reply_limit)
            text += *more; // a policy too long for it is kept without being reported
    return {reply::status::ok, std::move(text)};
}

// 8461-2-a: where the mail server does DANE, nothing of MTA-STS is said that could replace it.
reply dane(dialect d, const tls_decision& decision, const reply_options& options) {
    // Sendmail puts its own DANE before the policy, where it has one (Debian's has not).
    if (options.mta_has_dane && d != dialect::sendmail)
        return {reply::status::ok, decision.dane_only ? "dane-only" : "dane"};
    if (enforced_policy(decision))
        return enforced(d, decision);
    if (decision.dane_only && d != dialect::sendmail)
        return {reply::status::ok, "encrypt"};
    return {};
}

// 7672-2.1.2-c: an unknown state is never "no policy".
reply unknown(dialect d, const tls_decision& decision, const reply_options& options) {
    if (options.mta_has_dane && d != dialect::sendmail && only_dane_is_unknown(decision))
        return {reply::status::ok, "dane"};
    return temporary(decision.reason,
                     "the TLS policy of " + decision.hop.domain + " cannot be known at the moment");
}

} // namespace

std::optional<dialect> dialect_of(std::string_view map_name) {
    for (const auto& [name, d] : map_names)
        if (base::iequals(name, map_name))
            return d;
    return std::nullopt;
}

std::string_view to_string(dialect d) {
    for (const auto& [name, known] : map_names)
        if (known == d)
            return name;
    return "";
}

std::string reason_in_words(std::string_view reason, std::string_view otherwise) {
    for (const std::string_view from : {reason, otherwise})
        if (auto words = plain_words(from); !words.empty())
            return words;
    return "no reason is known";
}

reply render(dialect d, const tls_decision& decision, const reply_options& options) {
    switch (decision.what) {
    case decision::enforce:
        return enforced(d, decision);
    case decision::dane:
        return dane(d, decision, options);
    case decision::unknown:
        return unknown(d, decision, options);
    case decision::no_policy:
        if (options.mta_has_dane && d != dialect::sendmail && decision.exception &&
            decision.exception->what == model::policy_override::kind::exempt)
            return {reply::status::ok, "may"};
        break;
    case decision::testing: // not enforced, 8461-5-b
    case decision::none:    // 8461-5-c
        break;
    }
    return {};
}

std::string to_socketmap(const reply& r) {
    std::string payload;
    switch (r.what) {
    case reply::status::ok:
        payload = "OK " + r.text;
        break;
    case reply::status::not_found:
        payload = "NOTFOUND "; // the blank belongs to it
        break;
    case reply::status::temp:
        payload = "TEMP " + r.text;
        break;
    case reply::status::perm:
        payload = "PERM " + r.text;
        break;
    }
    if (payload.size() > reply_limit)
        payload = "TEMP the reply would be longer than a mail server takes";
    std::string framed;
    wire::append_netstring(framed, payload);
    return framed;
}

} // namespace mailtight::resolve
