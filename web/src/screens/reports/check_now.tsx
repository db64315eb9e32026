// SPDX-License-Identifier: Apache-2.0
// "Check now": a look at the domain, stage by stage, and whether what was reported is still so.
import { segment } from "../../api/client";
import type { Check } from "../../api/types";
import { type Look, useLook } from "../../look/stream";
import { elapsed } from "../../text/format";
import { Button } from "../../ui/button";
import { Icon } from "../../ui/icon";
import { announce } from "../../ui/live";
import { Notice } from "../../ui/page";
import { SeverityBadge } from "../../ui/status";
import { type StillSo, type Suspect, stillSo } from "./still_so";

export interface CheckNow {
  look: Look;
  idle: boolean; // nobody has looked yet
  said: StillSo | null; // by the look that was made
  start: () => void;
}

export function useCheckNow(domain: string, suspect: Suspect, done?: () => void): CheckNow {
  const { look, start } = useLook((check: Check) => {
    const { so } = stillSo(check, suspect);
    announce(so === true ? "It is still so." : so === false ? "It is not so any more." : "The look could not tell.");
    done?.();
  });
  return { look, idle: !look.running && !look.check && !look.error, said: look.check && stillSo(look.check, suspect), start: () => start(domain) };
}

export function CheckButton({ now }: { now: CheckNow }) {
  const { look } = now;
  return (
    <Button size="small" icon="scan" busy={look.running} onClick={now.start}>
      {look.running ? "Looking" : now.idle ? "Check now" : "Check again"}
    </Button>
  );
}

/** What the look says; nothing before there was one. */
export function CheckAnswer({ domain, now }: { domain: string; now: CheckNow }) {
  const { look, said } = now;
  if (look.error)
    return (
      <Notice tone="bad" title="The look failed">
        {look.error.message}
      </Notice>
    );
  if (look.running)
    return (
      <div class="check-answer" role="status" aria-label={`Looking at ${domain}`}>
        <ul>
          {look.stages.map((each) => (
            <li key={each.stage + each.subject} class={each.state === "done" ? "" : "soft"}>
              {each.state === "done" ? <Icon name="check" size={14} /> : <span class="spinner" />}
              <span class="grow break">{each.words || each.subject}</span>
              {each.state === "done" && <span class="dim small nowrap">{elapsed(each.elapsed_ms)}</span>}
            </li>
          ))}
          {look.stages.length === 0 && (
            <li>
              <span class="spinner" />
              Asking DNS about {domain}
            </li>
          )}
        </ul>
      </div>
    );
  if (!said) return null;
  const tone = said.so === true ? "bad" : said.so === false ? "good" : "attention";
  return (
    <Notice tone={tone} title={said.so === true ? "It is still so" : said.so === false ? "Not so any more" : "The look could not tell"}>
      <p>{said.words}</p>
      {said.findings.length > 0 && (
        <ul class="check-near">
          {said.findings.slice(0, 5).map((one, i) => (
            <li key={one.code + i}>
              <SeverityBadge severity={one.severity} />
              <span class="grow">
                {one.message}
                {one.evidence && <span class="dim"> {one.evidence}</span>}
              </span>
            </li>
          ))}
        </ul>
      )}
      <p>
        <a href={`/domains/${segment(domain)}`}>All that is known of {domain}</a>
      </p>
    </Notice>
  );
}
