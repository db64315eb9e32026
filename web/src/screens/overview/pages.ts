// SPDX-License-Identifier: Apache-2.0
// Rows of a long table, fetched a page at a time where they are looked at. Pages that were seen stay, while new ones
// come; another question starts anew, and shows the old rows until its first page is there.
import { useEffect, useRef, useState } from "preact/hooks";
import { api, asApiError, isAbort, type ApiError, type Query } from "../../api/client";
import type { Overview, OverviewRow } from "../../api/types";

export const pageSize = 100;

/** The pages that hold the rows [from, to) of `total`. */
export function pagesOf(from: number, to: number, total: number): number[] {
  const last = Math.min(to, total) - 1;
  const pages: number[] = [];
  for (let page = Math.floor(Math.max(0, from) / pageSize); page * pageSize <= last; ++page) pages.push(page);
  return pages;
}

export interface Rows {
  total: number | null; // null: nothing is known yet
  counts: Overview["counts"] | null;
  at: (index: number) => OverviewRow | null; // null: on its way
  error: ApiError | null;
  busy: boolean;
  reload: () => void;
  want: (from: number, to: number) => void;
}

interface Kept {
  key: string;
  total: number | null;
  counts: Overview["counts"] | null;
  pages: Map<number, OverviewRow[]>;
  error: ApiError | null;
}

export function useRows(query: Query): Rows {
  const key = JSON.stringify(query);
  const [kept, setKept] = useState<Kept>({ key: "", total: null, counts: null, pages: new Map(), error: null });
  const [round, setRound] = useState(0);
  const asked = useRef(new Set<number>());
  const range = useRef<[number, number]>([0, pageSize]);
  const stop = useRef(new AbortController());

  const ask = (page: number, fresh: boolean) => {
    if (asked.current.has(page)) return;
    asked.current.add(page);
    const signal = stop.current.signal;
    api
      .get<Overview>("/overview", { ...query, offset: page * pageSize, limit: pageSize }, signal)
      .then((got) => {
        if (signal.aborted) return;
        setKept((was) => {
          const pages = fresh && was.key !== key ? new Map<number, OverviewRow[]>() : new Map(was.pages);
          pages.set(page, got.rows);
          return { key, total: got.total, counts: got.counts, pages, error: null };
        });
      })
      .catch((caught: unknown) => {
        if (signal.aborted || isAbort(caught)) return;
        asked.current.delete(page);
        const error = asApiError(caught);
        setKept((was) => ({ ...was, error }));
        if (error.away) window.setTimeout(() => !signal.aborted && setRound((n) => n + 1), 4000);
      });
  };

  useEffect(() => {
    stop.current = new AbortController();
    asked.current = new Set();
    const again = round > 0 && kept.key === key;
    for (const page of again ? pagesOf(...range.current, kept.total ?? pageSize) : [0]) ask(page, true);
    if (again && !asked.current.size) ask(0, true);
    return () => stop.current.abort();
  }, [key, round]);

  useEffect(() => {
    const timer = window.setInterval(() => !document.hidden && setRound((n) => n + 1), 60_000);
    return () => window.clearInterval(timer);
  }, []);

  return {
    total: kept.total,
    counts: kept.counts,
    at: (index) => kept.pages.get(Math.floor(index / pageSize))?.[index % pageSize] ?? null,
    error: kept.error,
    busy: kept.key !== key,
    reload: () => setRound((n) => n + 1),
    want: (from, to) => {
      range.current = [from, to];
      if (kept.key !== key || kept.total === null) return;
      for (const page of pagesOf(from, to, kept.total)) if (!kept.pages.has(page)) ask(page, false);
    },
  };
}
