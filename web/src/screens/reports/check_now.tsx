// SPDX-License-Identifier: Apache-2.0
// "Check now": a look at the domain, stage by stage, and whether what was reported is still so.
import { useEffect, useRef, useState } from "preact/hooks";
import { segment } from "../../api/client";
import { stream } from "../../api/events";
import { ApiError, asApiError, isAbort } from "../../api/problem";
import type { Check, Problem, Stage } from "../../api/types";
import { elapsed } from "../../text/format";
import { Button } from "../../ui/button";
import { Icon } from "../../ui/icon";
import { announce } from "../../ui/live";
import { Notice } from "../../ui/page";
import { SeverityBadge } from "../../ui/status";
import { type StillSo, type Suspect, stillSo } from "./still_so";

type State = { at: "idle" } | { at: "looking"; stages: Stage[] } | { at: "done"; said: StillSo; check: Check } | { at: "failed"; why: string };

/** A stage that is done replaces its beginning. */
export function withStage(stages: readonly Stage[], next: Stage): Stage[] {
  const found = stages.findIndex((each) => each.stage === next.stage && each.subject === next.subject);
  return found < 0 ? [...stages, next] : stages.map((each, i) => (i === found ? next : each));
}

function parsed<T>(text: string): T | null {
  try {
    return JSON.parse(text) as T;
  } catch {
    return null;
  }
}

export function useCheckNow(domain: string, suspect: Suspect, done?: () => void) {
  const [state, setState] = useState<State>({ at: "idle" });
  const stop = useRef<AbortController | null>(null);
  useEffect(() => () => stop.current?.abort(), []);
  const look = async (): Promise<void> => {
    stop.current?.abort();
    const mine = new AbortController();
    stop.current = mine;
    let stages: Stage[] = [];
    let ended = false;
    setState({ at: "looking", stages });
    try {
      await stream(
        `/look/${segment(domain)}`,
        {},
        ({ event, data }) => {
          if (event === "stage") {
            const stage = parsed<Stage>(data);
            if (!stage) return;
            stages = withStage(stages, stage);
            setState({ at: "looking", stages });
          } else if (event === "check") {
            const check = parsed<Check>(data);
            if (!check) return;
            ended = true;
            const said = stillSo(check, suspect);
            setState({ at: "done", said, check });
            announce(said.so === true ? "It is still so." : said.so === false ? "It is not so any more." : "The look could not tell.");
            done?.();
          } else if (event === "failed") {
            const problem = parsed<Problem>(data);
            throw new ApiError(problem ?? { title: "Failed", status: 500, detail: "The look failed." });
          }
        },
        mine.signal,
      );
      if (!ended) setState({ at: "failed", why: "The look ended without an answer. Try again." });
    } catch (caught) {
      if (!isAbort(caught)) setState({ at: "failed", why: asApiError(caught).message });
    }
  };
  return { state, look, stop: () => (stop.current?.abort(), setState({ at: "idle" })) };
}

export function CheckButton({ now }: { now: ReturnType<typeof useCheckNow> }) {
  return (
    <Button size="small" icon="scan" busy={now.state.at === "looking"} onClick={() => void now.look()}>
      {now.state.at === "looking" ? "Looking" : now.state.at === "idle" ? "Check now" : "Check again"}
    </Button>
  );
}

/** What the look says; nothing before there was one. */
export function CheckAnswer({ domain, now }: { domain: string; now: ReturnType<typeof useCheckNow> }) {
  const { state } = now;
  if (state.at === "idle") return null;
  if (state.at === "failed")
    return (
      <Notice tone="bad" title="The look failed">
        {state.why}
      </Notice>
    );
  if (state.at === "looking")
    return (
      <div class="check-answer" role="status" aria-label={`Looking at ${domain}`}>
        <ul>
          {state.stages.map((each) => (
            <li key={each.stage + each.subject} class={each.state === "done" ? "" : "soft"}>
              {each.state === "done" ? <Icon name="check" size={14} /> : <span class="spinner" />}
              <span class="grow break">{each.words || each.subject}</span>
              {each.state === "done" && <span class="dim small nowrap">{elapsed(each.elapsed_ms)}</span>}
            </li>
          ))}
          {state.stages.length === 0 && (
            <li>
              <span class="spinner" />
              Asking DNS about {domain}
            </li>
          )}
        </ul>
      </div>
    );
  const { said } = state;
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
