// SPDX-License-Identifier: Apache-2.0
#include "deliver/report_letter.h"

#include "base/text.h"
#include "deliver/compose_clean.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::deliver {
namespace {

using tlsrpt::result_type;

constexpr std::size_t failures_shown = 3;
constexpr std::size_t reason_bytes = 100;

std::string number(std::uint64_t n) {
    std::string out = std::to_string(n);
    for (std::size_t at = out.size(); at > 3;)
        out.insert(at -= 3, ",");
    return out;
}
std::string sessions(std::uint64_t n) {
    return number(n) + (n == 1 ? " session" : " sessions");
}

// The first thing to do about a failure.
std::string_view advice(result_type type) {
    switch (type) {
    case result_type::starttls_not_supported:
        return "Turn STARTTLS on at this server, and look whether a firewall in front of it takes the word "
               "out of "
               "its replies.";
    case result_type::certificate_host_mismatch:
        return "Give the server a certificate that carries its MX host name.";
    case result_type::certificate_not_trusted:
        return "Have the certificate made by a public authority, and let the server send the intermediate "
               "certificates too.";
    case result_type::certificate_expired:
        return "Renew the certificate, and have the mail server load the new one.";
    case result_type::validation_failure:
        return "Look for the reason code in the attached file; for a host outside of the policy, add it to "
               "the "
               "policy or take it out of the MX records.";
    case result_type::sts_policy_fetch_error:
        return "Open the policy's address (https://mta-sts.DOMAIN/.well-known/mta-sts.txt) from outside; it "
               "must "
               "answer with status 200, without a redirect.";
    case result_type::sts_policy_invalid:
        return "Correct the policy file: version, mode, max_age and mx lines, sent as text/plain.";
    case result_type::sts_webpki_invalid:
        return "Give the policy host a valid certificate for its name mta-sts.DOMAIN.";
    case result_type::tlsa_invalid:
        return "Correct the TLSA records at _25._tcp of the MX host.";
    case result_type::dnssec_invalid:
        return "Have the DNSSEC signatures of the zone checked: senders take the answers for forged.";
    case result_type::dane_required:
        return "Publish TLSA records in a signed zone, as was agreed with this sender.";
    }
    return "";
}

/// No policy was found, so nothing was asked.
bool nothing_asked(const tlsrpt::report* content) {
    return content && !content->policies.empty() && std::ranges::all_of(content->policies, [](const auto& p) {
               return p.known_type() == tlsrpt::policy_type::no_policy_found;
           });
}

std::string totals(const model::outgoing_report& what, const tlsrpt::report* content) {
    if (nothing_asked(content))
        return fmt::format("{}, {} failed. No policy of yours (MTA-STS or DANE) was found, so mail was "
                           "delivered with or without TLS, as your servers offered it.",
                           sessions(what.success + what.failure),
                           what.failure == 0 ? "none" : number(what.failure));
    if (what.failure == 0)
        return fmt::format(
            "All is well: {} went as your policy asks, none failed. Such a report comes too so that "
            "you can tell silence from peace.",
            sessions(what.success));
    if (what.success == 0)
        return fmt::format("{} failed, none went as your policy asks.", sessions(what.failure));
    return fmt::format("{} went as your policy asks, {} failed.", sessions(what.success),
                       number(what.failure));
}

// "198.51.100.7", "mx.example.com", or both.
std::string place_of(const tlsrpt::failure_detail& d) {
    if (d.receiving_mx.empty())
        return d.receiving_ip.empty() ? "" : " at " + d.receiving_ip;
    return " at " + d.receiving_mx + (d.receiving_ip.empty() ? "" : " (" + d.receiving_ip + ")");
}

void append_failures(std::vector<std::string>& to, const tlsrpt::report& content) {
    std::vector<const tlsrpt::failure_detail*> all;
    for (const auto& p : content.policies)
        for (const auto& d : p.details)
            all.push_back(&d);
    if (all.empty())
        return;
    const auto shown = std::min(all.size(), failures_shown);
    std::ranges::partial_sort(all, all.begin() + static_cast<std::ptrdiff_t>(shown),
                              [](const auto* a, const auto* b) { return a->count > b->count; });
    to.push_back(shown < all.size()
                     ? fmt::format("The most frequent of {} kinds of failure:", number(all.size()))
                     : "What failed:");
    for (const auto* d : std::span(all).first(shown)) {
        const auto type = d->known_type();
        to.push_back(fmt::format("* {}{}: {} ({}{}) {}", sessions(d->count), place_of(*d),
                                 type ? explain(*type) : "", d->result_type,
                                 d->reason_code.empty() ? "" : ", " + one_line(d->reason_code, reason_bytes),
                                 type ? advice(*type) : ""));
    }
}

} // namespace

std::vector<std::string> letter_text(const reporter& who, const model::outgoing_report& what,
                                     const tlsrpt::report* content) {
    std::vector<std::string> out;
    const auto name = one_line(who.organization, 200);
    const bool servers = what.audience == model::report_audience::tlsa_base;
    out.push_back(fmt::format(
        "This is the TLS report of {} about mail sent to {} on {} (UTC){}.",
        name.empty() ? who.submitter() : name, servers ? "the mail server " + what.domain : what.domain,
        base::format_date(what.day), what.part > 0 ? ", about sessions that became known later" : ""));
    out.push_back(totals(what, content));
    if (content)
        append_failures(out, *content);
    out.push_back(
        "The attached file has everything, for programs to read: JSON, compressed with gzip. RFC 8460 "
        "explains each field: https://www.rfc-editor.org/rfc/rfc8460");
    out.push_back(
        fmt::format("You get this because the TXT record at _smtp._tls.{} names this address; without it "
                    "there, no more will come. Questions: {}",
                    what.domain, who.address()));
    return out;
}

} // namespace mailtight::deliver
