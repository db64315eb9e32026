// SPDX-License-Identifier: Apache-2.0
// The line protocol, for Exim's ${readsocket} and for scripts. One question a line (LF, or CR LF), one line
// back; the first word decides, the rest is for people. Words of commands in any case. A question without a
// line end at the end of the stream counts, since Exim closes its side after the question.
//
//   POLICY domain
//     enforce PATTERN...   an MTA-STS policy is to be kept: TLS with a certificate of the host's name, at
//     hosts
//                          that these patterns admit and no others (ask MX for each)
//     testing PATTERN...   there is one, not to be kept
//     none                 the domain says that it has none any more
//     dane all             DANE: every host has usable TLSA records; the mail server looks for them itself
//     dane some            DANE: some of them have, or none of this could be looked up; likewise
//     encrypt              every host has TLSA records and the mail server knows no DANE: TLS at least
//     no-policy            nothing is known against any way of delivery
//     unknown REASON       nothing can be said now: defer
//   MX domain host         for one host of the destination, as its MX record names it
//     allow-sts            admitted: only with TLS and a certificate of this host's name
//     allow                nothing of MTA-STS stands against it, nothing is asked of it
//     deny REASON          do not connect; another host may be admitted; else defer, never bounce
//   FAILED domain words    a delivery failed for TLS reasons: look whether the policy changed
//     looking              it is being looked at
//     too-soon             the last look was less than half a minute ago
//   anything else
//     error REASON
#include "resolve/reply.h"

#include "base/text.h"
#include "resolve/reply_words.h"
#include "sts/match.h"

#include <fmt/format.h>

namespace mailtight::resolve {

namespace {

constexpr std::size_t line_bytes = 4'000; // ${readsocket} takes more; a person does not

std::string with_patterns(std::string_view word, const tls_decision& decision) {
    std::string line(word);
    if (decision.policy)
        for (const auto& pattern : patterns_for(decision.policy->value)) {
            if (line.size() + pattern.size() > line_bytes)
                return line + " ...";
            line += " " + pattern;
        }
    return line;
}

/// What the mail server has to do, of the words above.
enum class duty { nothing, sts, dane, encrypt, wait };

duty duty_of(const tls_decision& decision, const reply_options& options) {
    switch (decision.what) {
    case decision::enforce:
        return duty::sts;
    case decision::dane:
        if (options.mta_has_dane)
            return duty::dane;
        return enforced_policy(decision) ? duty::sts : decision.dane_only ? duty::encrypt : duty::nothing;
    case decision::unknown:
        return options.mta_has_dane && only_dane_is_unknown(decision) ? duty::dane : duty::wait;
    case decision::testing:
    case decision::none:
    case decision::no_policy:
        break;
    }
    return duty::nothing;
}

std::string why_to_wait(const tls_decision& decision) {
    return reason_in_words(decision.reason,
                           "the TLS policy of " + decision.hop.domain + " cannot be known at the moment");
}

} // namespace

std::string to_exim_policy(const tls_decision& decision, const reply_options& options) {
    switch (duty_of(decision, options)) {
    case duty::sts:
        return with_patterns("enforce", decision);
    case duty::dane:
        return decision.what == decision::dane && decision.dane_only ? "dane all" : "dane some";
    case duty::encrypt:
        return "encrypt";
    case duty::wait:
        return "unknown " + why_to_wait(decision);
    case duty::nothing:
        break;
    }
    if (decision.what == decision::testing)
        return with_patterns("testing", decision);
    return decision.what == decision::none ? "none" : "no-policy";
}

// 8461-4.1-a: the name that is compared is the one of the MX record, which is the one that Exim has.
std::string to_exim_mx(const tls_decision& decision, std::string_view mx_host, const reply_options& options) {
    const duty what = duty_of(decision, options);
    if (what == duty::wait)
        return "deny " + why_to_wait(decision);
    if (what != duty::sts)
        return "allow";
    if (!decision.policy || patterns_for(decision.policy->value).empty())
        return "deny " + reason_in_words(nothing_admitted(decision), "");
    const auto patterns = patterns_for(decision.policy->value);
    std::string_view host = mx_host;
    if (host.ends_with('.'))
        host.remove_suffix(1);
    if (speakable_host(host) && sts::admitted_by(patterns, host))
        return "allow-sts";
    return "deny " +
           reason_in_words(fmt::format("{} is not admitted by the MTA-STS policy of {}, which names {}", host,
                                       decision.hop.domain, base::join(patterns, ", ")),
                           "");
}

} // namespace mailtight::resolve
