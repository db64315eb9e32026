// SPDX-License-Identifier: Apache-2.0
// Bytes of any kind -> received reports with their trust: a mail is opened and its signature judged,
// containers are unpacked, bodies read, the domain attributed (A22, A37, A39). Pure: keys come in as answers.
#pragma once

#include "mail/dkim.h"
#include "mail/message.h"
#include "model/received.h"
#include "tlsrpt/read_report.h"

#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mailtight::intake {

/// How the bytes came, and what that says of them.
struct circumstances {
    model::way_in way = model::way_in::file;
    std::string source;
    std::string recipient;         ///< envelope recipient, or the token of the URL
    std::string domain_of_token;   ///< the domain of ours whose token was used; "" : none was
    bool by_administrator = false; ///< `report import`: what is no mail is authorised
    base::utc_seconds now{};
    bool strict_dkim_service = false;
    /// Whoever brings the mail brings it again where it is told "later": a key that the DNS does not give
    /// just now is waited for, instead of a report that counts nowhere for ever.
    bool may_come_again = false;
    /// One's own mail servers whose Authentication-Results are believed where DKIM itself no longer can be
    /// (A37); lower case.
    std::vector<std::string> trusted_authservers;
};

/// Why a whole input, or one body of it, gave nothing.
struct intake_error {
    std::string code;    ///< "not-a-report", "too-large", "damaged", …
    std::string message; ///< for a person
    std::string where;   ///< part or member, or ""
};
struct examined {
    std::vector<model::received_report> reports;
    std::vector<intake_error> errors; ///< of bodies that looked like reports and are none; or of the whole
    std::string mail_from, mail_subject, mail_message_id; ///< where it was a mail
    std::optional<base::utc_seconds> mail_date;
};

/// Keeps buffers and the key cache from call to call. One thread at a time.
class examiner {
public:
    explicit examiner(tlsrpt::read_limits limits = {});
    ~examiner();
    /// The DNS names to look up before examine(); none for what is no mail. Needs
    /// no state, so any thread may ask.
    static std::vector<std::string> keys_needed(std::string_view bytes,
                                                model::way_in way = model::way_in::file);
    examined examine(std::string_view bytes, const circumstances& how, const mail::dkim_keys& keys);

private:
    struct state;
    std::unique_ptr<state> state_;
};

/// How the signature that decides stands to the reporter.
struct signature_standing {
    bool aligned = false;      ///< with the submitter or the contact of the report, or with From alone
    bool by_from_only = false; ///< A37: accepted, with a mark
    bool key_missing = false;  ///< the DNS has no key at that name (any more)
    bool uses_length = false;
    /// The server of our own whose Authentication-Results says that this domain's signature passed there.
    std::string vouched_by;
};

/// The trust that circumstances and DKIM give, with the reason in words.
///
/// A mail is judged by its signature, whichever way it came, an administrator's import included: forged mails
/// lie in mailboxes too. What is no mail is authorised by the secret URL or by the administrator.
struct trust_verdict {
    model::trust trust = model::trust::unverified;
    std::string reason;
};
trust_verdict judge_trust(const circumstances& how, const model::dkim_outcome& dkim,
                          const signature_standing& standing);

/// The report-id by which `report test` finds its report again, and the token of such an id, or "".
std::string test_report_id(std::string_view token, std::string_view submitter);
std::string test_token_of(std::string_view report_id);

/// Key answers from a file for tests and back-fills: one `NAME TXT-VALUE` a line, `#` comments. What is not
/// in it is unavailable rather than absent: the file does not say what the DNS had.
class key_file final : public mail::dkim_keys {
public:
    static std::expected<key_file, std::string> parse(std::string_view text);
    mail::dkim_key_answer find(std::string_view name) const override;

private:
    std::vector<std::pair<std::string, std::string>> entries_;
};

} // namespace mailtight::intake
