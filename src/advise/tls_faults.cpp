// SPDX-License-Identifier: Apache-2.0
#include "advise/tls_faults.h"

#include "advise/words.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::advise {
namespace {

using model::cert_fault;

/// Which code tells of a fault; "" where a more specific one does.
std::string_view code_of(cert_fault what, const model::tls_fact& tls, bool mx) {
    switch (what) {
    case cert_fault::expired:
        return "cert-expired";
    case cert_fault::not_yet_valid:
        return "cert-not-yet-valid";
    case cert_fault::name_mismatch: // 8461-7.1-e
        return mx && tls.has(cert_fault::cn_only) ? "" : "cert-name-mismatch";
    case cert_fault::cn_only:
        return mx ? "cert-cn-only" : "";
    case cert_fault::self_signed:
        return "cert-self-signed";
    case cert_fault::chain_incomplete:
        return tls.has(cert_fault::self_signed) ? "" : "cert-chain-incomplete";
    case cert_fault::untrusted:
        return tls.has(cert_fault::self_signed) || tls.has(cert_fault::chain_incomplete) ? ""
                                                                                         : "cert-untrusted";
    case cert_fault::weak:
        return tls.has(cert_fault::untrusted) ? "" : "cert-untrusted";
    }
    return "";
}

std::string message_of(cert_fault what, const model::tls_fact& tls) {
    if (tls.chain.empty())
        return "";
    const base::certificate& leaf = tls.chain.front();
    switch (what) {
    case cert_fault::expired:
        return fmt::format("the certificate expired on {}", base::format_date(leaf.not_after));
    case cert_fault::not_yet_valid:
        return fmt::format("the certificate is valid only from {}", base::format_date(leaf.not_before));
    case cert_fault::name_mismatch:
        return leaf.dns_names.empty() ? std::string("the certificate names no host at all")
                                      : fmt::format("the certificate is for {}", list(leaf.dns_names, 4));
    case cert_fault::weak:
        return "the key or the signature of the certificate is too weak";
    default:
        return "";
    }
}

std::optional<fault> expires_soon(const model::tls_fact& tls, std::string_view room, base::utc_seconds now) {
    using namespace std::chrono;
    if (!tls.completed() || tls.chain.empty())
        return std::nullopt;
    const base::certificate& leaf = tls.chain.front();
    const auto left = leaf.not_after - now;
    const auto life = leaf.not_after - leaf.not_before;
    if (left >= days{30} || left * 3 >= life || left < seconds{0})
        return std::nullopt;
    return fault{fmt::format("{}.cert-expires-soon", room),
                 certificate_words(leaf),
                 {},
                 fmt::format("the certificate ends on {}, in {}", base::format_date(leaf.not_after),
                             count(static_cast<std::size_t>(duration_cast<days>(left).count()), "day"))};
}

} // namespace

std::vector<fault> tls_faults(const model::tls_fact& tls, std::string_view room, base::utc_seconds now) {
    std::vector<fault> faults;
    if (tls.outcome == model::handshake_outcome::protocol_too_old) {
        const std::string best =
            tls.version.empty() ? tls.detail : "the best version offered is " + tls.version;
        faults.push_back({fmt::format("{}.tls-too-old", room), best, {}, {}});
        return faults;
    }
    for (const cert_fault what : tls.faults) {
        const std::string_view name = code_of(what, tls, room == "mx");
        if (name.empty())
            continue;
        const std::string code = fmt::format("{}.{}", room, name);
        if (std::ranges::find(faults, code, &fault::code) == faults.end())
            faults.push_back({code, tls_words(tls), {}, message_of(what, tls)});
    }
    if (faults.empty())
        if (auto soon = expires_soon(tls, room, now))
            faults.push_back(std::move(*soon));
    return faults;
}

std::string shared_fault::evidence() const {
    // The words of a fault may begin with the address that they are about: it is not said twice.
    std::string_view seen = what.evidence;
    const std::string first = addresses.empty() ? std::string() : addresses.front() + ": ";
    if (!first.empty() && seen.starts_with(first))
        seen.remove_prefix(first.size());
    return fmt::format("{}: {}", list(addresses), seen);
}

std::vector<shared_fault> by_code(const std::vector<std::vector<fault>>& faults,
                                  const std::vector<std::string>& addresses) {
    std::vector<shared_fault> shared;
    for (std::size_t i = 0; i < faults.size(); ++i)
        for (const fault& f : faults[i]) {
            auto at =
                std::ranges::find_if(shared, [&](const shared_fault& s) { return s.what.code == f.code; });
            if (at == shared.end())
                at = shared.insert(shared.end(), {f, {}});
            at->addresses.push_back(addresses.at(i));
        }
    return shared;
}

bool blocking(const std::vector<fault>& faults) {
    return std::ranges::any_of(faults, [](const fault& f) {
        const findings::code_entry* entry = findings::find_code(f.code);
        return f.severity.value_or(entry ? entry->in_enforce : findings::severity::error) ==
               findings::severity::error;
    });
}

std::string fault_words(const std::vector<fault>& faults) {
    std::vector<std::string> words;
    for (const fault& f : faults)
        words.push_back(f.message.empty() ? fmt::format("{} ({})", f.code, f.evidence)
                                          : fmt::format("{} ({})", f.code, f.message));
    return base::join(words, ", ");
}

} // namespace mailtight::advise
