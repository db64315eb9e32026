// SPDX-License-Identifier: Apache-2.0
// A look at a domain now: its stages as they come, and the document at the end.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ApiError, asApiError, isAbort, segment } from "../api/client";
import { stream, type ServerEvent } from "../api/events";
import { noAnswer, problemFrom } from "../api/problem";
import type { Check, Stage } from "../api/types";
import { announce } from "../ui/live";
import { verdictWords } from "../ui/status";
import { plural } from "../text/format";

export interface Look {
  running: boolean;
  stages: Stage[];
  check: Check | null;
  error: ApiError | null;
}
export const idle: Look = { running: false, stages: [], check: null, error: null };

/** The look after one more event; what is no document of ours is passed over. */
export function heard(look: Look, event: ServerEvent): Look {
  let body: unknown;
  try {
    body = JSON.parse(event.data);
  } catch {
    return look;
  }
  if (typeof body !== "object" || body === null) return look;
  if (event.event === "stage") return { ...look, stages: withStage(look.stages, body as Stage) };
  if (event.event === "check") return { ...look, running: false, check: body as Check };
  if (event.event === "failed") {
    const status = (body as { status?: unknown }).status;
    return { ...look, running: false, error: new ApiError(problemFrom(typeof status === "number" ? status : 500, body)) };
  }
  return look;
}

/** A stage that ends takes the place of its beginning. */
function withStage(stages: Stage[], one: Stage): Stage[] {
  const at = stages.findIndex((was) => was.stage === one.stage && was.subject === one.subject);
  if (at < 0) return [...stages, one];
  return stages.map((was, i) => (i === at ? one : was));
}

/** `ended` hears of each look that came to its document. */
export function useLook(ended: (check: Check) => void = tell): { look: Look; start: (domain: string) => void; stop: () => void } {
  const [look, setLook] = useState<Look>(idle);
  const running = useRef<AbortController | null>(null);
  const told = useRef(ended);
  told.current = ended;
  const stop = useCallback(() => {
    running.current?.abort();
    running.current = null;
    setLook((was) => ({ ...was, running: false }));
  }, []);
  const start = useCallback((domain: string) => {
    running.current?.abort();
    const mine = new AbortController();
    running.current = mine;
    setLook({ ...idle, running: true });
    announce(`Looking at ${domain}.`);
    let now: Look = { ...idle, running: true };
    const seen = (event: ServerEvent) => {
      if (mine.signal.aborted) return;
      const before = now.check;
      now = heard(now, event);
      setLook(now);
      if (now.check && !before) told.current(now.check);
    };
    stream(`/look/${segment(domain)}`, {}, seen, mine.signal)
      .then(() => {
        if (mine.signal.aborted) return;
        // Ended without a word: the server was stopped in the middle.
        setLook({ ...now, running: false, error: now.error ?? (now.check ? null : new ApiError(noAnswer)) });
      })
      .catch((caught: unknown) => {
        if (mine.signal.aborted || isAbort(caught)) return;
        setLook({ ...now, running: false, error: asApiError(caught) });
      });
  }, []);
  useEffect(() => () => running.current?.abort(), []);
  return { look, start, stop };
}

/** The end is said aloud; the stages stand in a live region of their own. */
function tell(check: Check): void {
  const errors = check.findings.filter((one) => one.severity === "error").length;
  announce(`${check.domain}: ${verdictWords[check.verdict]}. ${plural(errors, "error")}.`);
}
