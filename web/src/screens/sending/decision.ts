// SPDX-License-Identifier: Apache-2.0
// The words and tones of decisions, deliveries and exceptions. Pure.
import type { Decision, KeptPolicy, OutgoingReport, Override } from "../../api/types";
import type { Tone } from "../../ui/status";

export const decisionWords: Record<Decision["decision"], [Tone, string, string]> = {
  enforce: ["good", "Enforce", "Mail goes to the mail servers of the policy alone, over TLS with a valid certificate, or not at all."],
  testing: ["attention", "Testing", "The policy is checked and failures are reported; mail goes out all the same."],
  none: ["unknown", "Policy switched off", "The destination says that it has no policy any more."],
  dane: ["good", "DANE", "TLSA records in DNSSEC say which certificate is right."],
  "no-policy": ["unknown", "No policy", "The destination publishes none: TLS where it is offered, without checking who answers."],
  unknown: ["bad", "Not known", "DNS or the destination gave no answer."],
};

/** What is kept of a destination, in a word. */
export function keptDecision(of: KeptPolicy): keyof typeof decisionWords {
  if (of.mode !== null && !of.expired) return of.mode === "enforce" || of.mode === "testing" || of.mode === "none" ? of.mode : "unknown";
  return of.record.state === "error" || of.record.state === "never" ? "unknown" : "no-policy";
}

export const recordWords: Record<string, string> = {
  never: "not looked at yet",
  error: "DNS gave no answer",
  none: "no record",
  multiple: "more than one record",
  invalid: "a record that is not valid",
  valid: "valid",
};

export const overrideWords: Record<Override["as"], [string, string]> = {
  exempt: ["Exempt", "No policy, whatever is published: TLS where it is offered. For a destination whose policy is broken."],
  testing: ["Testing", "The policy is checked, not enforced: mail goes out all the same."],
  require: ["Require", "No delivery without a policy to enforce or DANE. For a partner where nothing may leak."],
  pin: ["Pin", "Deliver to these mail servers alone, with a valid certificate, whatever DNS says."],
};

export const deliveryWords: Record<OutgoingReport["deliveries"][number]["state"], [Tone, string]> = {
  waiting: ["attention", "Waiting"],
  sent: ["good", "Sent"],
  refused: ["bad", "Refused"],
  "given-up": ["bad", "Given up"],
  suppressed: ["unknown", "Not sent, as asked"],
  skipped: ["unknown", "Skipped"],
  copied: ["unknown", "Copied"],
};

/** Patterns typed one a line, or with commas. */
export function patterns(text: string): string[] {
  return text
    .split(/[\s,]+/)
    .map((each) => each.trim().toLowerCase())
    .filter(Boolean);
}
