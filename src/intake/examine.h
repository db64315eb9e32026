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
#include <string>
#include <string_view>
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
};

/// Keeps buffers and the key cache from call to call. One thread at a time.
class examiner {
public:
    explicit examiner(tlsrpt::read_limits limits = {});
    ~examiner();
    /// The DNS names to look up before examine(); none for what is no mail.
    std::vector<std::string> keys_needed(std::string_view bytes) const;
    examined examine(std::string_view bytes, const circumstances& how, const mail::dkim_keys& keys);

private:
    struct state;
    std::unique_ptr<state> state_;
};

/// The trust that circumstances and DKIM give (interface.md §3), with the reason in words.
struct trust_verdict {
    model::trust trust;
    std::string reason;
};
trust_verdict judge_trust(const circumstances& how, const model::dkim_outcome& dkim, bool aligned);

/// Key answers from a file for tests and back-fills: one `NAME TXT-VALUE` a line, `#` comments.
class key_file final : public mail::dkim_keys {
public:
    static std::expected<key_file, std::string> parse(std::string_view text);
    mail::dkim_key_answer find(std::string_view name) const override;

private:
    std::vector<std::pair<std::string, std::string>> entries_;
};

} // namespace mailtight::intake
