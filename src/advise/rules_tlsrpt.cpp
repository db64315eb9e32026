// SPDX-License-Identifier: Apache-2.0
// What is wrong with the TXT record `_smtp._tls`, and with the places that it sends reports to.
#include "advise/record_issues.h"
#include "advise/rules.h"
#include "advise/words.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace mailtight::advise {
namespace {

using findings::severity;

std::string record_name(const reading& r) {
    return "_smtp._tls." + r.seen.domain; // 8460-3-a
}

bool names_a_record(const model::txt_fact& fact) {
    return fact.ok() && std::ranges::any_of(fact.texts, [](const std::string& text) {
               return tlsrpt::claims_record(text) || meant_as_record(text, "TLSRPTv1");
           });
}

bool doubled(const reading& r) {
    const model::txt_fact& fact = r.seen.tlsrpt_doubled;
    return names_a_record(fact) && !(r.seen.wildcard_txt.ok() && r.seen.wildcard_txt.texts == fact.texts);
}

void absent(const reading& r, collector& out) {
    std::string evidence = lookup_words(r.seen.tlsrpt_txt);
    if (names_a_record(r.seen.apex_txt))
        evidence +=
            fmt::format("; a text meant for it stands at {} itself, where no sender looks", r.seen.domain);
    out.emit("tlsrpt.absent", {.subject = record_name(r),
                               .evidence = evidence,
                               .severity = r.seen.null_mx ? std::optional(severity::info) : std::nullopt});
}

bool unreachable_mail(const model::rua_fact& rua) {
    if (!rua.mailto || model::is_dns_error(rua.mx.status) || rua.mx.status == model::dns_status::not_asked)
        return false;
    if (rua.mx.ok())
        return rua.mx.records.size() == 1 && rua.mx.records.front().host.empty(); // null MX
    return rua.mx.absent() && rua.addresses.addresses.empty() && rua.addresses.a.absent() &&
           rua.addresses.aaaa.absent();
}

/// Why an https address cannot be uploaded to, or "".
std::string upload_fault(const model::rua_fact& rua) {
    using model::connect_outcome;
    if (rua.mailto)
        return "";
    if (rua.addresses.addresses.empty())
        return rua.addresses.a.absent() && rua.addresses.aaaa.absent() ? lookup_words(rua.addresses.a) : "";
    if (rua.connect == connect_outcome::not_tried)
        return "";
    if (rua.connect != connect_outcome::connected)
        return rua.detail.empty() ? std::string(model::to_string(rua.connect)) : rua.detail;
    if (rua.tls.outcome != model::handshake_outcome::not_tried && !rua.tls.certificate_ok())
        return tls_words(rua.tls).empty() ? std::string("the TLS handshake failed") : tls_words(rua.tls);
    return "";
}

void destinations(const reading& r, collector& out) {
    for (const model::rua_fact& rua : r.seen.rua) {
        if (unreachable_mail(rua))
            out.emit(
                "tlsrpt.rua-mail-undeliverable",
                {.subject = rua.uri,
                 .evidence = rua.mx.ok() ? fmt::format("{}: MX 0 .", rua.mx.name) : lookup_words(rua.mx)});
        else if (const std::string fault = upload_fault(rua); !fault.empty())
            out.emit("tlsrpt.rua-https-failed", {.subject = rua.uri, .evidence = fault});
    }
}

} // namespace

void tlsrpt_rules(const reading& r, collector& out) {
    const std::string name = record_name(r);
    switch (r.tlsrpt) {
    case record_state::not_asked:
    case record_state::failed:
        return; // nothing is known; the part says not-tested
    case record_state::dangling:
    case record_state::absent:
        if (!doubled(r))
            absent(r, out);
        break;
    case record_state::loop:
        out.emit("tlsrpt.syntax", {.subject = name,
                                   .message = "the name is an alias that leads back to itself",
                                   .evidence = lookup_words(r.seen.tlsrpt_txt)});
        break;
    case record_state::multiple: { // 8460-3-v
        std::vector<std::string> texts;
        for (const std::size_t index : r.tlsrpt_set.counted)
            texts.push_back(r.seen.tlsrpt_txt.texts.at(index));
        out.emit("tlsrpt.multiple", {.subject = name, .evidence = quoted(texts)});
        break;
    }
    case record_state::invalid:
    case record_state::valid:
        if (!r.tlsrpt_set.chosen) {
            out.emit("tlsrpt.syntax", // 8460-3-b, 8460-3-u
                     {.subject = name,
                      .message =
                          "the text at this name does not begin with exactly v=TLSRPTv1; and so is no record",
                      .evidence = quoted(r.seen.tlsrpt_txt.texts)});
            break;
        }
        for (record_fault& f : tlsrpt_faults(r.tlsrpt_set.judgement))
            out.emit(f.code, {.subject = name,
                              .message = std::move(f.message),
                              .evidence = "\"" + r.seen.tlsrpt_txt.texts.at(*r.tlsrpt_set.chosen) + "\"",
                              .severity = f.severity});
        destinations(r, out);
        break;
    }
    if (doubled(r))
        out.emit("tlsrpt.doubled-name",
                 {.subject = r.seen.tlsrpt_doubled.name,
                  .message = fmt::format("the TLS report record stands at {} in place of {}",
                                         r.seen.tlsrpt_doubled.name, name),
                  .evidence = quoted(r.seen.tlsrpt_doubled.texts)});
}

} // namespace mailtight::advise
