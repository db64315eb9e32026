// SPDX-License-Identifier: Apache-2.0
// Verification (RFC 6376 §6.1). The order of the checks is that of certainty: what the signature itself rules
// out, what the key's record rules out, the body, the key's absence, the signature, and last its dates; so a
// forged mail is never called merely expired, nor a changed body a missing key.
#include "mail/dkim.h"

#include "base/crypto/sha256_stream.h"
#include "base/text.h"
#include "mail/dkim_fields.h"
#include "mail/dkim_key.h"
#include "mail/dkim_signature.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <ranges>

namespace mailtight::mail {
namespace {

constexpr std::size_t key_texts_max = 4; // of one name; a domain has one

struct fate {
    dkim_result result = dkim_result::pass;
    std::string reason;
};

// One message under verification; the hash of its body is shared by signatures of the same canonical form.
class verification {
public:
    verification(const dkim_message& message, base::utc_seconds now, const dkim_options& options)
        : message_(message)
        , index_(message)
        , now_(now)
        , options_(options) {}

    fate judge(const dkim_signature& signature, const dkim_key_answer& answer, dkim_key_cache& cache);
    /// Every field of that name is signed, and h= names it.
    bool covers(const dkim_signature& signature, std::string_view name) const;
    /// At least one field of that name is there and signed.
    bool signs_one(const dkim_signature& signature, std::string_view name) const {
        return index_.count(name) > 0 && names(signature, name) > 0;
    }
    /// The name of a field that stands there twice and not each time signed, of those that decide how the
    /// signed body is read; or "". Readers take the first, h= counts from the last, so whoever adds one on
    /// top would change what a valid signature says.
    std::string_view added_field(const dkim_signature& signature) const;

private:
    static std::size_t names(const dkim_signature& signature, std::string_view name);
    fate judge_key(const dkim_signature& signature, const dkim_key_record& key);
    fate judge_dates(const dkim_signature& signature) const;
    bool body_matches(const dkim_signature& signature);
    const std::string& header_hash(const dkim_signature& signature);
    std::int64_t seconds_now() const { return now_.time_since_epoch().count(); }

    const dkim_message& message_;
    dkim_field_index index_;
    base::utc_seconds now_;
    const dkim_options& options_;
    std::array<std::string, 2> body_hashes_;     // by dkim_canon
    const dkim_signature* hashed_for_ = nullptr; // whose header_hash_ is
    std::string header_hash_;
};

// RFC 6376 §3.7
const std::string& verification::header_hash(const dkim_signature& signature) {
    if (hashed_for_ == &signature)
        return header_hash_;
    std::string text;
    text.reserve(4096);
    dkim_field_index::selection fields(index_);
    for (const auto name : signature.signed_fields)
        if (const auto* field = fields.next(name, signature.field))
            append_canonical(text, field->raw, signature.header_canon);
    std::string own(signature.field->raw);
    own.erase(signature.b_begin, signature.b_end - signature.b_begin);
    append_canonical(text, own, signature.header_canon);
    text.resize(text.size() - 2); // the field itself stands there without its CRLF
    base::sha256_stream hash;
    hash.update(text);
    header_hash_ = hash.finish();
    hashed_for_ = &signature;
    return header_hash_;
}

bool verification::body_matches(const dkim_signature& signature) {
    auto& hash = body_hashes_[static_cast<std::size_t>(signature.body_canon)];
    if (hash.empty())
        hash = canonical_body_hash(message_.body, signature.body_canon);
    return hash == signature.body_hash;
}

std::size_t verification::names(const dkim_signature& signature, std::string_view name) {
    return static_cast<std::size_t>(std::ranges::count_if(
        signature.signed_fields, [&](auto field) { return base::iequals(field, name); }));
}

bool verification::covers(const dkim_signature& signature, std::string_view name) const {
    const auto named = names(signature, name);
    return named > 0 && named >= index_.count(name);
}

std::string_view verification::added_field(const dkim_signature& signature) const {
    for (const std::string_view name : {"From", "Content-Type", "Content-Transfer-Encoding"})
        if (index_.count(name) > 1 && !covers(signature, name))
            return name;
    return {};
}

// What the key's record rules out, and the signature under the key.
fate verification::judge_key(const dkim_signature& signature, const dkim_key_record& key) {
    const auto where = signature.key_name();
    if (!key.problem.empty()) // 6376-3.6.1-p, 8301-3
        return {dkim_result::permerror, fmt::format("{} (at {})", key.problem, where)};
    if (key.in_test) // 6376-3.6.1-t
        return {dkim_result::neutral,
                fmt::format("the domain only tests DKIM (t=y at {}), so the mail counts as unsigned", where)};
    if (!key.for_email && !key.for_tlsrpt) // 6376-3.6.1-s
        return {dkim_result::neutral,
                fmt::format("the key is for another service than mail or TLS reports (s= at {})", where)};
    if (options_.strict_service && !key.for_tlsrpt) // 8460-3-n
        return {dkim_result::neutral,
                fmt::format("the key is not for TLS reports (s= at {} lacks tlsrpt), which is demanded here",
                            where)};
    if (!key.takes_sha256)
        return {dkim_result::permerror, fmt::format("the key forbids SHA-256 (h= at {})", where)};
    if ((key.key->kind() == base::key_kind::rsa) != (signature.algorithm == "rsa-sha256"))
        return {dkim_result::permerror,
                fmt::format("the key at {} is of another kind than {} needs", where, signature.algorithm)};
    if (key.exact_identity && signature.identity_domain != signature.domain)
        return {dkim_result::permerror, fmt::format("the key at {} is for {} alone (t=s), not for {}", where,
                                                    signature.domain, signature.identity_domain)};
    if (!body_matches(signature))
        return {dkim_result::fail, ""};
    if (!key.key->verifies(header_hash(signature), signature.signature))
        return {dkim_result::fail,
                fmt::format(
                    "the signature does not fit: a signed header field was changed on the way, or the key "
                    "at {} is not the one that signed",
                    where)};
    return judge_dates(signature);
}

fate verification::judge_dates(const dkim_signature& signature) const {
    const auto skew = options_.clock_skew.count();
    const auto is_after = [](std::uint64_t at, std::int64_t than) {
        return than < 0 || at > static_cast<std::uint64_t>(than);
    };
    const auto text = [](std::uint64_t at) {
        constexpr std::uint64_t year_9999 = 253'402'300'799;
        return base::format_utc(
            base::utc_seconds(std::chrono::seconds(static_cast<std::int64_t>(std::min(at, year_9999)))));
    };
    if (signature.expires_at && !is_after(*signature.expires_at, seconds_now() - skew - 1))
        return {dkim_result::expired,
                fmt::format("the signature was valid until {} (x=)", text(*signature.expires_at))};
    if (signature.signed_at && is_after(*signature.signed_at, seconds_now() + skew))
        return {dkim_result::permerror,
                fmt::format("the signature is dated {} (t=), in the future: one of the two clocks is wrong",
                            text(*signature.signed_at))};
    return {};
}

fate verification::judge(const dkim_signature& signature, const dkim_key_answer& answer,
                         dkim_key_cache& cache) {
    static const std::string changed_body =
        "the body was changed after it was signed (bh= does not fit): a gateway's banner, a list's footer or "
        "a virus scanner does that";
    // Of several texts (RFC 6376 §3.6.2.2 leaves it open) those meant as keys count, and any of them may be
    // the signer's.
    std::optional<fate> first;
    std::optional<fate> foreign;
    if (answer.what == dkim_key_answer::status::found)
        for (const auto& text : answer.texts | std::views::take(key_texts_max)) {
            const auto& key = cache.native().get(text);
            auto fate = judge_key(signature, key);
            if (fate.result == dkim_result::fail && fate.reason.empty())
                return {dkim_result::fail, changed_body};
            if (fate.result == dkim_result::pass)
                return fate;
            auto& kept = key.is_key ? first : foreign;
            if (!kept)
                kept = std::move(fate);
        }
    if (first)
        return std::move(*first);
    if (!body_matches(signature))
        return {dkim_result::fail, changed_body};
    if (foreign)
        return std::move(*foreign);
    if (auto dated = judge_dates(signature); dated.result == dkim_result::expired)
        return {dated.result, dated.reason + fmt::format("; its key at {} is not to be had any more either",
                                                         signature.key_name())};
    if (answer.what == dkim_key_answer::status::unavailable)
        return {dkim_result::temperror,
                fmt::format("the key at {} could not be looked up just now", signature.key_name())};
    return {dkim_result::permerror,
            fmt::format("there is no key at {}: it was removed, or never published", signature.key_name())};
}

} // namespace

dkim_verdict verify_dkim(std::string_view message, const dkim_keys& keys, base::utc_seconds now,
                         dkim_key_cache& cache, const dkim_options& options) {
    const auto split = split_for_dkim(message);
    const auto signatures = read_dkim_signatures(split, options.signatures_max);
    dkim_verdict out;
    if (signatures.empty())
        return out;
    verification work(split, now, options);
    for (const auto& signature : signatures) {
        auto& verdict = out.signatures.emplace_back();
        verdict.domain = signature.domain;
        verdict.selector = signature.selector;
        verdict.algorithm = signature.algorithm;
        verdict.uses_length = signature.uses_length;
        verdict.covers_report_headers = work.covers(signature, "TLS-Report-Domain") &&
                                        work.covers(signature, "TLS-Report-Submitter"); // 8460-5.3-g
        verdict.covers_form =
            work.covers(signature, "Content-Type") || (work.signs_one(signature, "TLS-Report-Domain") &&
                                                       work.signs_one(signature, "TLS-Report-Submitter"));
        fate fate{signature.problem, signature.reason};
        if (const auto added = work.added_field(signature);
            signature.problem == dkim_result::none && !added.empty())
            fate = {
                dkim_result::neutral, // 6376-3.5-h
                fmt::format("the mail has more {} fields than were signed, so the signature counts as none",
                            added)};
        else if (signature.problem == dkim_result::none)
            fate = work.judge(signature, keys.find(signature.key_name()), cache);
        verdict.result = fate.result;
        verdict.reason = std::move(fate.reason);
    }
    return out;
}

std::vector<std::string> dkim_key_names(std::string_view message, const dkim_options& options) {
    const auto split = split_for_dkim(message);
    std::vector<std::string> out;
    for (const auto& signature : read_dkim_signatures(split, options.signatures_max)) {
        if (signature.problem != dkim_result::none)
            continue; // no key could make it pass
        auto name = signature.key_name();
        if (std::ranges::find(out, name) == out.end())
            out.push_back(std::move(name));
    }
    return out;
}

} // namespace mailtight::mail
