// SPDX-License-Identifier: Apache-2.0
// From counted results to the report of RFC 8460 §4, and to its mail. Pure.
#pragma once

#include "mail/dkim.h"
#include "model/counted.h"
#include "model/outgoing.h"
#include "tlsrpt/report.h"
#include "tlsrpt/report_mail.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace mailtight::deliver {

/// Who reports.
struct reporter {
    std::string organization;      ///< organization-name
    std::string contact;           ///< contact-info, From, envelope sender; its domain signs (A37)
    std::string unique;            ///< of this installation, where several report independently (8460-5.1-f)
    bool sending_address = true;   ///< false: `sending-mta-ip` is left out (8460-8-a)
    std::string submitter() const; ///< the domain of the contact, A-labels
    std::string address() const;   ///< the contact with that domain
};
struct compose_limits {
    std::size_t bytes = 9u << 20; ///< of the compressed body: beyond it details are folded (A40, 8460-5.2-a)
    std::size_t details = 10'000; ///< of one policy
};

/// The report of a day. `results` are those of the audience; equal policies of several recipient domains
/// (tlsa-base) are one entry. Ids and texts are fit for both JSON and header fields (A28).
tlsrpt::report make_report(const reporter& who, const model::due_report& what, std::uint32_t part,
                           std::span<const model::counted_result> results, const compose_limits& limits = {});
/// make_report(), written, compressed within the limit, with its file name; no deliveries yet.
model::outgoing_report file_report(const reporter& who, const model::due_report& what, std::uint32_t part,
                                   std::span<const model::counted_result> results, base::utc_seconds now,
                                   const compose_limits& limits = {});
/// The mail of one delivery, signed by every key there is (RSA and Ed25519), the fields on top.
std::string make_mail(const reporter& who, const model::outgoing_report& what,
                      const model::outgoing_delivery& to, std::span<const mail::dkim_signer> keys,
                      base::utc_seconds now);

} // namespace mailtight::deliver
