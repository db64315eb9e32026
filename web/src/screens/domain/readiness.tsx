// SPDX-License-Identifier: Apache-2.0
// Whether the evidence speaks for enforce, and each reason.
import type { Readiness } from "../../api/types";
import { Icon, type IconName } from "../../ui/icon";
import { Badge, type Tone } from "../../ui/status";

const look = (one: Readiness["reasons"][number]): { tone: Tone; icon: IconName; words: string } =>
  !one.known ? { tone: "unknown", icon: "unknown", words: "Not known" } : one.met ? { tone: "good", icon: "good", words: "Met" } : { tone: "attention", icon: "attention", words: "Not met" };

export function ReadinessCard({ readiness }: { readiness: Readiness }) {
  return (
    <section class="card">
      <header>
        <h2>Ready for enforce?</h2>
        <Badge tone={readiness.ready === null ? "unknown" : readiness.ready ? "good" : "attention"}>{readiness.ready === null ? "Not known yet" : readiness.ready ? "Ready" : "Not yet"}</Badge>
      </header>
      <div class="stack-s">
        <p class="soft">{readiness.sentence}</p>
        <ul class="reasons">
          {readiness.reasons.map((one) => {
            const { tone, icon, words } = look(one);
            return (
              <li key={one.code}>
                <span class={`tone-${tone}`}>
                  <Icon name={icon} label={words} />
                </span>
                <span>{one.text}</span>
              </li>
            );
          })}
        </ul>
      </div>
    </section>
  );
}
