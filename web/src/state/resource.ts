// SPDX-License-Identifier: Apache-2.0
// What a screen asks for: loading, the last good answer, and what went wrong. The old answer stays while a new one is
// on its way, so that nothing jumps. A server that is away is asked again by itself.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { asApiError, isAbort, type ApiError } from "../api/client";

export interface Resource<T> {
  data: T | null;
  error: ApiError | null;
  loading: boolean; // nothing to show yet
  busy: boolean; // a question is on its way
  reload: () => void;
  set: (data: T) => void; // after a change whose answer is the new state
}

/** Asks whenever `key` changes; null asks nothing. `every`: again after so many seconds while the page is looked at. */
export function useResource<T>(key: string | null, ask: (signal: AbortSignal) => Promise<T>, every = 0): Resource<T> {
  const [state, setState] = useState<{ key: string | null; data: T | null; error: ApiError | null; busy: boolean }>({ key, data: null, error: null, busy: key !== null });
  const [round, setRound] = useState(0);
  const latest = useRef(ask);
  latest.current = ask;

  useEffect(() => {
    if (key === null) return;
    const stop = new AbortController();
    let again = 0;
    setState((was) => ({ ...was, busy: true }));
    latest
      .current(stop.signal)
      .then((data) => {
        if (stop.signal.aborted) return;
        setState({ key, data, error: null, busy: false });
        if (every) again = window.setTimeout(() => whenLookedAt(stop.signal, () => setRound((n) => n + 1)), every * 1000);
      })
      .catch((caught: unknown) => {
        if (stop.signal.aborted || isAbort(caught)) return;
        const error = asApiError(caught);
        setState((was) => ({ key, data: was.key === key ? was.data : null, error, busy: false }));
        if (error.away) again = window.setTimeout(() => setRound((n) => n + 1), 4000);
      });
    return () => {
      stop.abort();
      window.clearTimeout(again);
    };
  }, [key, round, every]);

  const reload = useCallback(() => setRound((n) => n + 1), []);
  const set = useCallback((data: T) => setState((was) => ({ ...was, data, error: null, busy: false })), []);
  return { data: state.data, error: state.error, loading: state.data === null && state.error === null, busy: state.busy, reload, set };
}

/** At once where the page is looked at, else as soon as it is. */
function whenLookedAt(until: AbortSignal, run: () => void): void {
  if (!document.hidden) run();
  else document.addEventListener("visibilitychange", run, { once: true, signal: until });
}

/** Something that a person sets off: busy while it runs, its failure kept. */
export function useAction<A extends unknown[], R>(act: (...args: A) => Promise<R>): { run: (...args: A) => Promise<R | undefined>; busy: boolean; error: ApiError | null; clear: () => void } {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const run = async (...args: A): Promise<R | undefined> => {
    setBusy(true);
    setError(null);
    try {
      return await act(...args);
    } catch (caught) {
      if (!isAbort(caught)) setError(asApiError(caught));
      return undefined;
    } finally {
      setBusy(false);
    }
  };
  return { run, busy, error, clear: () => setError(null) };
}
