// SPDX-License-Identifier: Apache-2.0
// The vocabulary of problems, used by the command line, the JSON, the pages and the documentation: a code
// never changes its meaning. The texts of all codes are one table (catalogue.cpp); rules fill in subject,
// evidence and the variable parts.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace mailtight::findings {

enum class severity { ok, info, warning, error };
std::string_view to_string(severity s);

/// What the weight of a problem depends on: the mode of the policy that senders would see, or that there is
/// none.
enum class situation { enforce, testing, none, absent };

/// One entry of the catalogue.
struct code_entry {
    std::string_view code;  ///< `mx.not-in-policy`
    std::string_view title; ///< what is wrong, a short sentence without names
    severity in_enforce, in_testing, in_none, in_absent;
    std::string_view consequence; ///< what follows: what Gmail, Outlook and other strict senders would do
    std::string_view fix;         ///< how to mend it, `{subject}` and `{domain}` may stand in it
    std::string_view reference;   ///< "RFC 8461 §4.1", or the guides
    std::string_view part;        ///< sts_record, policy_file, mail_servers, tlsrpt_record, or across
    bool needs_history;           ///< cannot be found by looking once
    severity weigh(situation where) const;
};
std::span<const code_entry> catalogue();
/// The entry of a code, or null for an unknown one.
const code_entry* find_code(std::string_view code);

/// One problem found in one subject, ready to be shown. Texts from a remote side may stand in evidence and
/// message: they are unescaped here; the one who shows them escapes (base::printable, JSON).
struct finding {
    std::string code;
    findings::severity severity = findings::severity::info;
    std::string subject;  ///< the name or address that it is about
    std::string message;  ///< what is wrong, with names
    std::string evidence; ///< what was seen: bytes, certificate names, hops
    std::string consequence;
    std::string fix;
    std::string reference;
};

} // namespace mailtight::findings
