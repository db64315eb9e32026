// SPDX-License-Identifier: Apache-2.0
// What the look is doing, as it does it.
import "./look.css";
import { useEffect, useState } from "preact/hooks";
import type { Stage } from "../api/types";
import { elapsed } from "../text/format";
import { Icon } from "../ui/icon";

const names: Record<string, string> = {
  dns: "DNS records",
  policy: "Policy file",
  "mail-server": "Mail server",
  tlsrpt: "Where reports go",
  judge: "Judgement",
};

function Since({ start }: { start: number }) {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = window.setInterval(() => tick((n) => n + 1), 100);
    return () => window.clearInterval(timer);
  }, []);
  return <>{((performance.now() - start) / 1000).toFixed(1)} s</>;
}

function Line({ stage }: { stage: Stage }) {
  const [start] = useState(() => performance.now());
  const done = stage.state === "done";
  return (
    <li class={done ? "stage done" : "stage"}>
      <span class="stage-sign">{done ? <Icon name="check" label="Done" /> : <span class="spinner" role="img" aria-label="Under way" />}</span>
      <div class="grow">
        <div class="stage-name">
          <strong>{names[stage.stage] ?? stage.stage}</strong> <span class="dim break">{stage.subject}</span>
        </div>
        {stage.words && <div class="small soft">{stage.words}</div>}
      </div>
      <span class="small dim nowrap" aria-hidden={done ? undefined : "true"}>
        {done ? elapsed(stage.elapsed_ms) : <Since start={start} />}
      </span>
    </li>
  );
}

export function Stages({ stages, running }: { stages: Stage[]; running: boolean }) {
  return (
    <ol class="stages" aria-live="polite" aria-busy={running} aria-label="Stages of the look">
      {stages.map((stage) => (
        <Line stage={stage} key={stage.stage + stage.subject} />
      ))}
      {running && !stages.length && (
        <li class="stage">
          <span class="stage-sign">
            <span class="spinner" />
          </span>
          <div class="grow soft">Asking…</div>
        </li>
      )}
    </ol>
  );
}
