// SPDX-License-Identifier: Apache-2.0
// Codes of the policy's text, and of what it says about the MX hosts.
#include "findings/groups.h"

namespace mailtight::findings {
namespace {
using namespace column;

// What every fault that makes the text unusable has in common.
constexpr std::string_view unusable = "Senders cannot use the policy: new ones deliver unprotected, those "
                                      "with an older copy keep to it until it "
                                      "expires and report sts-policy-invalid.";

constexpr code_entry rows[] = {
    {"policy.absent-without-record", "A policy file is served, but no record announces it", warn, warn, info,
     warn, "Senders look at the DNS record first. Without it none ever reads the file.",
     "Publish the TXT record at _mta-sts.{domain} as suggested below. If MTA-STS was switched off on "
     "purpose, delete "
     "the file once every policy served before has expired.",
     "RFC 8461 §3.1, §8.3", "policy_file", seen_once},
    {"policy.not-a-policy", "What is served is no policy", error, error, error, no, unusable,
     "Put the policy itself into the file: what check suggests for the domain, or what mailtight policy new "
     "prints. A web page in its place means that the web server answers "
     "another site "
     "or an error page with status 200.",
     "RFC 8461 §3.2", "policy_file", seen_once},
    {"policy.encoding", "The policy holds bytes that do not belong in text", error, error, error, no,
     unusable, "Save the file anew as plain ASCII or UTF-8 text; Windows editors call it UTF-8 without BOM.",
     "RFC 8461 §3.2", "policy_file", seen_once},
    {"policy.bom", "The policy begins with a byte order mark", error, error, error, no,
     "Three invisible bytes stand before the word version. Strict senders no longer recognise it and reject "
     "the "
     "policy.",
     "Save the file as UTF-8 without BOM, or as ASCII.", "RFC 8461 §3.2", "policy_file", seen_once},
    {"policy.line-ending", "The lines of the policy do not end as they should", error, error, error, no,
     "Lines end in CRLF or LF. With anything else senders read one long line and reject the policy.",
     "Save the file with Windows (CRLF) or Unix (LF) line ends.", "RFC 8461 §3.2", "policy_file", seen_once},
    {"policy.syntax", "The policy has a line that is no field", error, error, error, no,
     "Strict senders reject the whole policy for one such line; lenient ones skip it. You cannot know which "
     "senders "
     "do what.",
     "Remove blank lines, comments and spaces before a line, so that every line is a name, a colon and a "
     "value.",
     "RFC 8461 §3.2", "policy_file", seen_once},
    {"policy.version-missing", "The policy does not say version: STSv1", error, error, error, no, unusable,
     "Make version: STSv1 the first line of the file, written exactly so.", "RFC 8461 §3.2", "policy_file",
     seen_once},
    {"policy.version-not-first", "The version is not in the first line of the policy", warn, warn, warn, no,
     "The standard allows any order, but the administrator guides of Google demand it in the first line, and "
     "some "
     "senders follow them.",
     "Move version: STSv1 to the first line, and give the record a new id.",
     "Google's administrator guide, RFC 8461 §3.2", "policy_file", seen_once},
    {"policy.mode-missing", "The policy has no mode", error, error, error, no, unusable,
     "Add the line mode: testing (or enforce, or none); the word mode in lower case.", "RFC 8461 §3.2",
     "policy_file", seen_once},
    {"policy.mode-invalid", "The mode of the policy is unknown", error, error, error, no, unusable,
     "Write mode: testing, mode: enforce or mode: none, in lower case.", "RFC 8461 §3.2", "policy_file",
     seen_once},
    {"policy.max-age-missing", "The policy has no max_age", error, error, error, no, unusable,
     "Add the line max_age: 604800 (one week, in seconds).", "RFC 8461 §3.2", "policy_file", seen_once},
    {"policy.max-age-invalid", "The max_age of the policy is not a number of seconds", error, error, error,
     no, unusable, "Write digits only, for instance max_age: 604800 for one week.", "RFC 8461 §3.2",
     "policy_file", seen_once},
    {"policy.max-age-too-large", "The max_age of the policy is beyond the maximum", error, error, error, no,
     "At most 31557600 seconds (about a year) are allowed. Some senders cut the value down, others reject "
     "the whole "
     "policy.",
     "Lower it: max_age: 31557600 is the most, 1209600 (two weeks) a good value.",
     "RFC 8461 §3.2, Google's administrator guide", "policy_file", seen_once},
    {"policy.max-age-short", "The max_age of the policy is short", warn, warn, info, no,
     "A sender remembers the policy only that long. One that writes seldom finds it expired, and an attacker "
     "who "
     "blocks the look-up then goes unnoticed. The administrator guides of Google demand at least 86400 (one "
     "day).",
     "Raise max_age: 604800 to 1209600 while testing, 1209600 or more in enforce. Give the record a new id.",
     "RFC 8461 §3.2, §10.2, Google's administrator guide", "policy_file", seen_once},
    {"policy.max-age-testing", "The max_age is unusual for testing", info, info, no, no,
     "The administrator guides of Google recommend one to two weeks while testing: long enough to count, "
     "short "
     "enough to change.",
     "Use max_age: 604800 (one week) to 1209600 (two weeks) as long as the mode is testing.",
     "Google's administrator guide", "policy_file", seen_once},
    {"policy.shared", "The policy host of another domain answers for this one", info, info, info, no,
     "It works as long as that host holds a certificate for both names. A change made for the other domain "
     "changes "
     "this one too, without a new id here. The administrator guides want a file of its own for each domain.",
     "Give {domain} its own policy file and policy host, unless a provider runs it for you.",
     "Google's administrator guide, RFC 8461 §8.2", "policy_file", seen_once},
    {"policy.mx-missing", "The policy names no mail server", error, error, error, no, unusable,
     "Add one line mx: HOST for each MX record of {domain}.", "RFC 8461 §3.2", "policy_file", seen_once},
    {"policy.mx-syntax", "An mx line of the policy is not a host name", error, error, error, no, unusable,
     "Write one host a line, without a final dot, comma, bracket or address; a wildcard only as the whole "
     "first "
     "label, as in *.example.com.",
     "RFC 8461 §3.2", "policy_file", seen_once},
    {"policy.mx-null", "The policy holds mx: . from a domain without mail", error, error, error, no, unusable,
     "A domain that takes no mail needs no mx line: use mode: none, or remove MTA-STS.",
     "RFC 8461 §3.2, RFC 7505 §3", "policy_file", seen_once},
    {"policy.mx-unicode", "An mx line of the policy is not in its ASCII form", error, error, error, no,
     unusable, "Write international names in the form that DNS uses, which begins with xn--.",
     "RFC 8461 §3.2", "policy_file", seen_once},
    {"policy.duplicate-field", "A field stands more than once in the policy", warn, warn, warn, no,
     "By the standard the first one counts. Some senders take the last, some reject the policy.",
     "Keep one line for version, mode and max_age each; only mx may be repeated.", "RFC 8461 §3.2",
     "policy_file", seen_once},
    {"policy.unknown-field", "The policy has a field that nobody knows", info, info, info, no,
     "Senders ignore it. If it is a misspelt name, what it says does not count.",
     "Remove it, or correct the name: version, mode, mx and max_age, all in lower case.", "RFC 8461 §3.2",
     "policy_file", seen_once},
    {"policy.wildcard-never-matches",
     "A wildcard of the policy cannot match the mail servers it is meant for", error, error, info, no,
     "A wildcard stands for exactly one label. In enforce, Gmail and Outlook do not deliver to a server that "
     "the "
     "policy does not cover: Outlook returns the mail with 5.4.8, Gmail holds it back and returns it after "
     "days.",
     "Replace the line by the exact host names of the MX records.", "RFC 8461 §4.1, RFC 6125 §6.4.3",
     "policy_file", seen_once},
    {"policy.wildcard-too-broad", "A wildcard of the policy admits hosts of strangers", error, error, info,
     no,
     "Anybody who can get a certificate below that name passes as your mail server, which is what the policy "
     "should "
     "prevent.",
     "Name your mail servers exactly, or use the narrow wildcard of your mail provider.", "RFC 8461 §10.4",
     "policy_file", seen_once},
    {"policy.mode-none", "The policy switches MTA-STS off", info, info, info, no,
     "Senders that fetch it deliver as if there were no MTA-STS. It reaches only senders that look again; "
     "all others "
     "keep the earlier policy until that expires.",
     "If this is meant: leave the file and the record until every earlier max_age has run out, then remove "
     "the "
     "record, and the file last. If not: publish a policy with mode: testing or mode: enforce, and a new id.",
     "RFC 8461 §8.3", "policy_file", seen_once},
    {"policy.mode-testing-long", "The domain has been in testing for long", info, warn, info, no,
     "In testing nobody refuses a faulty connection: the domain is watched but not protected.",
     "Read the reports. When they show no failures, switch to enforce with a new id.", "RFC 8461 §5",
     "policy_file", needs_history},
    {"policy.changed-without-id", "The policy has changed, its id has not", error, error, error, no,
     "Senders fetch the file again only when the id changes: they keep using the old policy, and mail to a "
     "new "
     "server may wait or be returned.",
     "Give the TXT record at _mta-sts.{domain} a new id.", "RFC 8461 §3.1, Google's administrator guide",
     "policy_file", needs_history},
    {"policy.id-changed-without-policy", "The id has changed, the policy has not", info, info, info, no,
     "Senders fetch the same file again; nothing else follows. If the file was meant to change, the upload "
     "is "
     "missing.",
     "Compare the file on the web server with the one that you wanted to publish.", "RFC 8461 §8.1",
     "policy_file", needs_history},
};
} // namespace

std::span<const code_entry> policy_codes() {
    return rows;
}

} // namespace mailtight::findings
