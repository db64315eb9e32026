// SPDX-License-Identifier: Apache-2.0
// One DKIM-Signature field, understood as far as that goes without its key (RFC 6376 §3.5, §6.1.1). Pure;
// takes any bytes; the views reach into the field.
#pragma once

#include "mail/dkim.h"
#include "mail/dkim_fields.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::mail {

struct dkim_signature {
    const dkim_field* field = nullptr;
    std::string domain;          ///< d= as A-labels, lower case
    std::string selector;        ///< s=, lower case
    std::string algorithm;       ///< a=, lower case
    std::string identity_domain; ///< of i=; d= where there is none
    dkim_canon header_canon = dkim_canon::simple;
    dkim_canon body_canon = dkim_canon::simple;
    std::vector<std::string_view> signed_fields; ///< h=
    std::string body_hash, signature;            ///< bh= and b=, decoded
    std::size_t b_begin = 0, b_end = 0; ///< what of field->raw is left out of the hash: the value of b=
    std::optional<std::uint64_t> signed_at, expires_at; ///< t=, x=
    bool uses_length = false;                           ///< l=

    /// Why the signature cannot pass whatever the key: permerror or neutral; none where it can.
    dkim_result problem = dkim_result::none;
    std::string reason;

    std::string key_name() const { return selector + "._domainkey." + domain; }
};
dkim_signature read_dkim_signature(const dkim_field& field);

/// The DKIM-Signature fields of a message, top first, at most `most`.
std::vector<dkim_signature> read_dkim_signatures(const dkim_message& message, std::size_t most);

} // namespace mailtight::mail
