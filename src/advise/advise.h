// SPDX-License-Identifier: Apache-2.0
// The judgement: an observation in, findings and a suggestion out. Pure: no clock, no socket, no file.
#pragma once

#include "findings/finding.h"
#include "model/observation.h"
#include "sts/policy.h"
#include "sts/record.h"
#include "tlsrpt/record.h"

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mailtight::advise {

enum class verdict { protected_, testing, unverified, retiring, broken, absent, unreachable };
std::string_view to_string(verdict v); ///< "protected", …

enum class part_state { valid, invalid, missing, not_tested };
std::string_view to_string(part_state s); ///< "not-tested", …

/// The mail server criteria of the administrator guides, per MX host.
enum class criterion_state { pass, fail, not_tested };
struct criterion {
    std::string name; ///< "accepts mail over TLS", "TLS 1.2 or later", "the certificate names the MX host",
                      ///< "chain to a public root", "not expired"
    criterion_state state = criterion_state::not_tested;
    std::string why; ///< "" for a pass
};
struct mx_judgement {
    std::string host;
    std::optional<bool> in_policy; ///< nothing where there is no policy
    std::string admitted_by;
    std::vector<criterion> criteria; ///< all five, always in the same order
    std::optional<std::string> dane; ///< "matches", "mismatch", "unusable", …; nothing without TLSA
    bool all_pass() const;
    bool any_not_tested() const;
};

/// One step of what to publish, in order: TLSRPT, policy host, policy file, `_mta-sts` last.
struct suggested_record {
    int step = 0;      ///< 1 TLSRPT, 2 policy host, 4 `_mta-sts` (3 is the policy file)
    std::string name;  ///< FQDN without final dot
    std::string type;  ///< TXT, CNAME, A, AAAA
    std::string value; ///< TXT without quotes
    std::uint32_t ttl = 3600;
    bool already_right = false; ///< published exactly so: left out of `dns`
    /// Records of ours (type, value) that stand at the name and give way to this one; foreign ones are never
    /// named.
    std::vector<std::pair<std::string, std::string>> replaces;
    std::string why; ///< what it does, and what was guessed
};
struct suggestion {
    std::string policy; ///< canonical bytes
    sts::policy policy_value;
    std::string provider;           ///< the mail provider recognised, or ""
    std::vector<std::string> needs; ///< what only the person knows, in capitals: YOUR-POLICY-HOST
    std::vector<suggested_record> records;
    std::vector<std::string> remarks; ///< why this policy; what to do next
    bool policy_already_right = false;
};

struct suggestion_options {
    std::optional<sts::mode> mode; ///< else as the evidence allows: testing first
    std::optional<std::uint64_t> max_age;
    std::vector<std::string> mx;         ///< instead of the domain's own
    std::vector<tlsrpt::report_uri> rua; ///< else those published, else mailto:tls-report@DOMAIN
    std::string policy_host;             ///< name or address; "" : YOUR-POLICY-HOST unless one is published
    std::string id;                      ///< "" : from the time
    bool keep_mx = false;                ///< mode none with mx lines
};

struct judgement {
    advise::verdict verdict = verdict::unreachable;
    bool no_such_domain = false;             ///< verdict absent, since DNS does not know the name at all
    std::optional<sts::mode> mode;           ///< of the policy that senders see
    std::optional<bool> ready_to_enforce;    ///< nothing where an MX could not be tested
    std::vector<findings::finding> findings; ///< errors first; ok-findings last
    part_state sts_record = part_state::not_tested, policy_file = part_state::not_tested,
               tlsrpt_record = part_state::not_tested, mail_servers = part_state::not_tested;
    std::vector<mx_judgement> mx;
    advise::suggestion suggestion;
    std::string also_recommended; ///< the one line on SPF, DKIM and DMARC; no part of the verdict
    std::string policy_text;      ///< the policy that senders see, or ""
    std::optional<sts::policy> policy;
    std::optional<sts::record> sts_value;
    std::optional<tlsrpt::record> tlsrpt_value;
    int exit_status() const; ///< 0, 1 or 3, as docs/check.md says
};

/// How to judge. `without` leaves out findings by code as if their rules did not exist: tools/mutate_codes
/// proves by it that a test notices each missing rule. Nothing else changes, least of all which other codes
/// are held back.
struct judge_options {
    std::set<std::string, std::less<>> without;
};
judgement judge(const model::observation& seen, const judge_options& options = {});
/// True where DNS says that the domain itself does not exist, and nothing seen at or below it speaks against
/// that.
bool no_such_domain(const model::observation& seen);
/// What to publish for this domain, canonical and ready to copy. Enforce only where every criterion of every
/// mail server is a pass.
suggestion suggest(const model::observation& seen, const suggestion_options& options);

/// `record lint`: one text is judged alone, several as the RRset. `policy lint`: a body. Same codes as
/// `check`.
struct lint_result {
    bool valid = false;
    enum class kind { sts, tlsrpt, policy } what = kind::sts;
    std::vector<findings::finding> findings;
    std::optional<sts::record> sts_record;
    std::optional<tlsrpt::record> tlsrpt_record;
    std::optional<sts::policy> policy;
    int exit_status() const;
};
lint_result lint_records(const std::vector<std::string>& texts);
lint_result lint_policy(std::string_view body);

} // namespace mailtight::advise
