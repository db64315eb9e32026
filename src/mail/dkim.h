// SPDX-License-Identifier: Apache-2.0
// DKIM (RFC 6376, 8301, 8463): verify as RFC 8460 §3 asks of report mail, and sign. No I/O: the caller looks
// the key records up (dkim_key_names) and hands the answers in. Own code over base/crypto.
#pragma once

#include "base/time.h"

#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::mail {

enum class dkim_result {
    pass,
    none,      ///< no signature
    fail,      ///< the signature or the body hash is wrong
    neutral,   ///< a signature that counts as none: `l=`, `t=y`, a foreign service type, From not signed
    temperror, ///< the key could not be had just now
    permerror, ///< no key, a revoked or unusable one, a malformed signature
    expired,   ///< past its `x=`
};
std::string_view to_string(dkim_result r);

/// What the DNS said at selector._domainkey.domain.
struct dkim_key_answer {
    enum class status { found, absent, unavailable } what = status::unavailable;
    std::vector<std::string> texts;
    std::uint32_t ttl = 0;
};

struct dkim_options {
    bool strict_service = false;     ///< refuse keys with `s=email` alone (8460-3-n)
    std::size_t signatures_max = 10; ///< looked at; more are ignored
    std::chrono::seconds clock_skew{300};
};

/// One signature's fate.
struct dkim_signature_verdict {
    dkim_result result = dkim_result::none;
    std::string domain, selector, algorithm;
    std::string reason;                 ///< in words, why not pass; or "" for a pass
    bool uses_length = false;           ///< `l=` is there
    bool covers_report_headers = false; ///< both TLS-Report-* fields signed (8460-5.3-g)
    /// Content-Type is signed, or else TLS-Report-* fields: the signer knew that the mail is a report. Where
    /// neither is, a new Content-Type makes a report of what a signed letter holds between two lines.
    bool covers_form = false;
};
struct dkim_verdict {
    std::vector<dkim_signature_verdict> signatures; ///< in the order of the fields, top first
};

/// Parsed keys, kept by their record text, so that a verified mail costs no key parsing. One thread at a
/// time.
class dkim_key_cache {
public:
    explicit dkim_key_cache(std::size_t entries = 1000);
    ~dkim_key_cache();
    struct state;
    state& native() { return *state_; }

private:
    std::unique_ptr<state> state_;
};

/// The DNS names of the keys to look up, each once, at most signatures_max.
std::vector<std::string> dkim_key_names(std::string_view message, const dkim_options& options = {});
/// `keys` gives the answer for each of those names. Line ends may be LF or CRLF.
class dkim_keys {
public:
    virtual ~dkim_keys() = default;
    virtual dkim_key_answer find(std::string_view name) const = 0;
};
dkim_verdict verify_dkim(std::string_view message, const dkim_keys& keys, base::utc_seconds now,
                         dkim_key_cache& cache, const dkim_options& options = {});

/// A37: the signing domain is the reporter's own: equal to, or of the same organisational domain as, one of
/// the given ones (submitter, contact).
bool dkim_aligned(std::string_view signing_domain, std::string_view reporter_domain);

// ---- signing ----
enum class dkim_algorithm { rsa_sha256, ed25519_sha256 };
class dkim_signer {
public:
    /// A PEM private key (PKCS#8). The error is for a person.
    static std::expected<dkim_signer, std::string> make(std::string domain, std::string selector,
                                                        std::string_view private_key_pem);
    dkim_signer(dkim_signer&&) noexcept;
    dkim_signer& operator=(dkim_signer&&) noexcept;
    ~dkim_signer();
    /// The whole DKIM-Signature field, folded, CRLF included, to be put before the message (CRLF line ends).
    /// relaxed/relaxed; never `l=`; signs the fields that RFC 6376 §5.4.1 recommends and that are there.
    /// Those that say whose report it is and how to read it are named once more than they are there (§8.15):
    /// From, To, Subject, Date, Message-ID, MIME-Version, Content-Type, TLS-Report-Domain,
    /// TLS-Report-Submitter. Where not `guarded`, none is, as most senders do: for trying a reader.
    std::string sign(std::string_view message, base::utc_seconds now, bool guarded = true) const;
    /// The TXT record to publish at selector._domainkey.domain.
    std::string key_record() const;
    dkim_algorithm algorithm() const;

private:
    friend std::string sign_dkim(std::string_view message, std::span<const dkim_signer> keys,
                                 base::utc_seconds now);
    dkim_signer();
    struct state;
    std::unique_ptr<state> state_;
};
/// The fields of all these keys, one below the other, as each key's sign() makes it; the message is read and
/// hashed once.
std::string sign_dkim(std::string_view message, std::span<const dkim_signer> keys, base::utc_seconds now);

} // namespace mailtight::mail
