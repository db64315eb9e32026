// SPDX-License-Identifier: Apache-2.0
// All domains as one bar: how much of it is safe is seen before a word is read.
import type { Overview } from "../../api/types";
import { count } from "../../text/format";
import type { Tone } from "../../ui/status";
import type { View } from "./query";

interface Piece {
  name: string;
  words: string;
  tone: Tone | "quiet";
  number: number;
}

/** The verdicts that have no count of their own are what is left: unverified, switching off, no answer. */
export function pieces(counts: Overview["counts"]): Piece[] {
  const named = counts.protected + counts.testing + counts.broken + counts.absent + counts.unseen;
  return [
    { name: "protected", words: "Protected", tone: "good", number: counts.protected },
    { name: "testing", words: "Testing", tone: "attention", number: counts.testing },
    { name: "broken", words: "Broken", tone: "bad", number: counts.broken },
    { name: "absent", words: "Not set up", tone: "quiet", number: counts.absent },
    { name: "other", words: "Other states", tone: "unknown", number: Math.max(0, counts.all - named) },
    { name: "unseen", words: "Not looked at", tone: "unknown", number: counts.unseen },
  ];
}

export function HealthBar({ counts, view }: { counts: Overview["counts"] | null; view: View }) {
  if (view.contains || view.label) return null;
  if (!counts) return <div class="health" />; // its place
  const all = pieces(counts).filter((one) => one.number > 0);
  if (!all.length) return null;
  return (
    <div class="health" role="img" aria-label={all.map((one) => `${one.words}: ${count(one.number)}`).join(", ")}>
      {all.map((one) => (
        <span key={one.name} class={`health-piece health-${one.name}`} title={`${one.words}: ${count(one.number)}`} style={{ flexGrow: one.number }} />
      ))}
    </div>
  );
}
