// SPDX-License-Identifier: Apache-2.0
// The journey: where this domain is between the first look and enforce.
import { Icon, type IconName } from "../../ui/icon";
import type { Station, StationState } from "./journey";

const said: Record<StationState, string> = { done: "done", now: "now", waiting: "waiting", later: "later", trouble: "needs fixing" };
const signs: Partial<Record<StationState, IconName>> = { done: "check", waiting: "clock", trouble: "attention" };

export function Rail({ stations }: { stations: Station[] }) {
  return (
    <ol class="rail" aria-label="The journey">
      {stations.map((one, i) => (
        <li class={`station station-${one.state}`} key={one.name} aria-current={one.state === "now" || one.state === "waiting" || one.state === "trouble" ? "step" : undefined}>
          <span class="station-dot" aria-hidden="true">
            {signs[one.state] ? <Icon name={signs[one.state]!} size={14} /> : i + 1}
          </span>
          <span class="station-text">
            <span class="station-words">{one.words}</span>
            <span class="station-more">{one.state === "waiting" ? "Waiting" : one.state === "trouble" ? "Needs fixing" : one.more}</span>
            <span class="sr">, {said[one.state]}</span>
          </span>
        </li>
      ))}
    </ol>
  );
}
