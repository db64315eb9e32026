// SPDX-License-Identifier: Apache-2.0
// May the policy go to enforce? A ring with a segment each reason, and the reasons themselves.
import type { Readiness } from "../api/types";
import "./charts.css";
import { type Standing, readyWords, segments, standing } from "./ring";

const words: Record<Standing, string> = { met: "Met", missing: "Missing", unknown: "Not known" };
const signs: Record<Standing, string> = {
  met: "M3.5 8.5L6.5 11.5L12.5 4.8",
  missing: "M4.5 4.5L11.5 11.5M11.5 4.5L4.5 11.5",
  unknown: "M5.8 6.2a2.2 2.2 0 1 1 3.2 2c-.7.4-1 .8-1 1.6M8 12.2v.1",
};

export function StandingSign({ of }: { of: Standing }) {
  return (
    <svg width="18" height="18" viewBox="-1 -1 18 18" aria-hidden="true" class={`standing standing-${of}`}>
      <circle cx="8" cy="8" r="8" />
      <path d={signs[of]} />
    </svg>
  );
}

export function ReadyGauge({ readiness }: { readiness: Readiness }) {
  const all = readiness.reasons.map(standing);
  const met = all.filter((each) => each === "met").length;
  return (
    <div class="ready">
      <svg class="ready-ring" width="112" height="112" viewBox="0 0 112 112" role="img" aria-label={readyWords(all)}>
        {segments(all, 56, 46).map((each, i) => (
          <path key={i} d={each.path} class={`ring ring-${each.standing}`} />
        ))}
        <text x="56" y="58" class="ring-figure">
          {met}/{all.length}
        </text>
        <text x="56" y="74" class="ring-word">
          met
        </text>
      </svg>
      <ul class="ready-reasons">
        {readiness.reasons.map((each) => (
          <li key={each.code}>
            <StandingSign of={standing(each)} />
            <span>
              <span class="sr">{words[standing(each)]}: </span>
              {each.text}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}
