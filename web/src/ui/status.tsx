// SPDX-License-Identifier: Apache-2.0
// How something stands: a sign and a word, coloured. The words for every state of the API stand here and nowhere else.
import type { ComponentChildren } from "preact";
import type { Light, PartState, Severity, Verdict } from "../api/types";
import { Icon, type IconName } from "./icon";

export type Tone = Light;

const signs: Record<Tone, IconName> = { good: "good", attention: "attention", bad: "bad", unknown: "unknown" };

/** `plain`: without a sign, for what is no judgement. */
export function Badge({ tone = "unknown", icon, plain, title, children }: { tone?: Tone | "accent"; icon?: IconName; plain?: boolean; title?: string; children: ComponentChildren }) {
  const sign = icon ?? (tone === "accent" ? undefined : signs[tone]);
  return (
    <span class={`badge ${tone}${plain || !sign ? " plain" : ""}`} title={title}>
      {!plain && sign && <Icon name={sign} size={14} />}
      {children}
    </span>
  );
}

export const verdictWords: Record<Verdict, string> = {
  protected: "Protected",
  testing: "Testing",
  unverified: "Unverified",
  retiring: "Switching off",
  broken: "Broken",
  absent: "Not set up",
  unreachable: "No answer",
  unseen: "Not looked at",
};
/** One sentence each. */
export const verdictMeans: Record<Verdict, string> = {
  protected: "Senders refuse to deliver over a connection that they cannot trust.",
  testing: "Senders check, report what fails, and deliver all the same.",
  unverified: "The policy asks for protection, but not everything could be verified.",
  retiring: "The policy tells senders to forget what they kept.",
  broken: "Senders run into a fault: the findings say what it is and how to fix it.",
  absent: "Senders find no policy, and deliver without checking who answers.",
  unreachable: "DNS or the servers gave no answer, so nothing can be said.",
  unseen: "The first look comes within minutes.",
};
export const verdictTone: Record<Verdict, Tone> = {
  protected: "good",
  testing: "attention",
  unverified: "attention",
  retiring: "attention",
  broken: "bad",
  absent: "bad",
  unreachable: "unknown",
  unseen: "unknown",
};

/** On the way, and nothing is wrong with that: a clock, not a warning. */
const underWay: ReadonlySet<Verdict> = new Set(["testing", "retiring"]);

export const VerdictBadge = ({ verdict, light = verdictTone[verdict] }: { verdict: Verdict; light?: Light }) => (
  <Badge tone={light} icon={underWay.has(verdict) && light !== "bad" ? "clock" : undefined} title={verdictMeans[verdict]}>
    {verdictWords[verdict]}
  </Badge>
);

export const partWords: Record<PartState, string> = { valid: "Valid", invalid: "Invalid", missing: "Missing", "not-tested": "Not tested" };
export const partTone: Record<PartState, Tone> = { valid: "good", invalid: "bad", missing: "bad", "not-tested": "unknown" };
export const partSigns: Record<PartState, IconName> = { valid: "good", invalid: "bad", missing: "missing", "not-tested": "unknown" };

/** One of the four parts. `short`: the sign is enough for the eye, the word stays for everybody else. */
export const PartMark = ({ state, short }: { state: PartState; short?: boolean }) => (
  <span class={`part tone-${partTone[state]}`} title={short ? partWords[state] : undefined}>
    <Icon name={partSigns[state]} />
    <span class={short ? "sr" : undefined}>{partWords[state]}</span>
  </span>
);

export const severityTone: Record<Severity, Tone> = { error: "bad", warning: "attention", info: "unknown", ok: "good" };
export const severityWords: Record<Severity, string> = { error: "Error", warning: "Warning", info: "Note", ok: "Good" };

export const SeverityBadge = ({ severity }: { severity: Severity }) => (
  <Badge tone={severityTone[severity]} {...(severity === "info" ? { icon: "info" as const } : {})}>
    {severityWords[severity]}
  </Badge>
);

export const ModeBadge = ({ mode }: { mode: string | null }) =>
  mode === "enforce" ? (
    <Badge tone="good" icon="lock">
      enforce
    </Badge>
  ) : mode === "testing" ? (
    <Badge tone="attention" icon="clock">
      testing
    </Badge>
  ) : mode === "none" ? (
    <Badge tone="unknown" icon="missing">
      none
    </Badge>
  ) : (
    <span class="dim">–</span>
  );
