// SPDX-License-Identifier: Apache-2.0
// From the summary of a period to what the graph draws: one column a day (a week where the period is long), one
// series a reporter, the small ones together as others; and the same in words. Pure.
import type { Day, Summary } from "../api/types";
import { dayNumber, dayText, daysWords, weekOf } from "./days";
import { count, plural, share } from "../text/format";

export interface Series {
  reporter: string; // "": all the others together
  name: string;
  members: string[]; // the reporters in it
  success: number[]; // of each column
  failure: number[];
}
export interface Graph {
  starts: Day[]; // the first day of each column
  ends: Day[]; // the last
  step: 1 | 7;
  series: Series[]; // the greatest first, the others last
  success: number[]; // of all
  failure: number[];
}

const mostSeries = 5; // more colours than that are not told apart
const mostDays = 100; // thinner bars than that are not seen

/** The columns of a period. */
export function columns(from: Day, to: Day): { starts: Day[]; ends: Day[]; step: 1 | 7 } {
  const first = dayNumber(from);
  const last = Math.max(first, dayNumber(to));
  const step = last - first + 1 > mostDays ? 7 : 1;
  const starts: Day[] = [];
  const ends: Day[] = [];
  for (let at = step === 7 ? weekOf(first) : first; at <= last; at += step) {
    starts.push(dayText(Math.max(at, first)));
    ends.push(dayText(Math.min(at + step - 1, last)));
  }
  return { starts, ends, step };
}

export function graphOf(summary: Pick<Summary, "by_reporter" | "reporters">, from: Day, to: Day): Graph {
  const { starts, ends, step } = columns(from, to);
  const first = dayNumber(from);
  const base = step === 7 ? weekOf(first) : first;
  const column = (day: Day): number => Math.floor((dayNumber(day) - base) / step);
  const names = new Map(summary.reporters.map((each) => [each.reporter, each.organization_name || each.reporter]));
  const totals = new Map<string, number>();
  for (const row of summary.by_reporter) totals.set(row.reporter, (totals.get(row.reporter) ?? 0) + row.success + row.failure);
  // "" are the small ones that the server put together already.
  const order = [...totals]
    .filter(([reporter]) => reporter !== "")
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .map(([reporter]) => reporter);
  const alone = order.length > mostSeries + 1 || totals.has("") ? order.slice(0, mostSeries) : order;
  const rest = order.slice(alone.length);
  if (totals.has("")) rest.push("");
  const empty = (): number[] => starts.map(() => 0);
  const series: Series[] = alone.map((reporter) => ({
    reporter,
    name: names.get(reporter) ?? reporter,
    members: [reporter],
    success: empty(),
    failure: empty(),
  }));
  if (rest.length > 0) series.push({ reporter: "", name: rest.includes("") ? "All others" : `${rest.length} others`, members: rest, success: empty(), failure: empty() });
  const place = new Map<string, Series>();
  for (const each of series) for (const member of each.members) place.set(member, each);
  const all = { success: empty(), failure: empty() };
  for (const row of summary.by_reporter) {
    const at = column(row.day);
    const to = place.get(row.reporter);
    if (!to || at < 0 || at >= starts.length) continue;
    to.success[at] = (to.success[at] ?? 0) + row.success;
    to.failure[at] = (to.failure[at] ?? 0) + row.failure;
    all.success[at] = (all.success[at] ?? 0) + row.success;
    all.failure[at] = (all.failure[at] ?? 0) + row.failure;
  }
  return { starts, ends, step, series, ...all };
}

/** Sums from the bottom up, so that the last is the whole. Hidden series add nothing. */
export function stacked(parts: readonly (readonly number[])[], hidden: readonly boolean[] = []): number[][] {
  const sums: number[][] = [];
  let below: number[] | undefined;
  parts.forEach((part, i) => {
    const next = part.map((value, at) => (below?.[at] ?? 0) + (hidden[i] ? 0 : value));
    sums.push(next);
    below = next;
  });
  return sums;
}

/** One column for the ear: "5 Nov 2026: 900 sessions, 74 failed (8.2 %). Google Inc. 410, 41 failed; …". */
export function columnWords(graph: Graph, at: number): string {
  const start = graph.starts[at];
  const end = graph.ends[at];
  if (start === undefined || end === undefined) return "";
  const good = graph.success[at] ?? 0;
  const bad = graph.failure[at] ?? 0;
  const when = daysWords(start, end);
  if (good + bad === 0) return `${when}: no reports.`;
  const failed = bad === 0 ? "none failed" : `${count(bad)} failed (${share(bad, good + bad)})`;
  const each = graph.series
    .filter((one) => (one.success[at] ?? 0) + (one.failure[at] ?? 0) > 0)
    .map((one) => {
      const lost = one.failure[at] ?? 0;
      return `${one.name} ${count((one.success[at] ?? 0) + lost)}${lost > 0 ? `, ${count(lost)} failed` : ""}`;
    });
  return `${when}: ${plural(good + bad, "session")}, ${failed}. ${each.join("; ")}.`;
}

/** The whole graph in a sentence or two. */
export function graphWords(graph: Graph): string {
  const good = graph.success.reduce((sum, each) => sum + each, 0);
  const bad = graph.failure.reduce((sum, each) => sum + each, 0);
  if (good + bad === 0) return "No sessions are reported in this period.";
  const members = graph.series.flatMap((each) => each.members);
  const named = members.filter((each) => each !== "").length;
  const words = `${plural(good + bad, "session")} from ${plural(named, "reporter")}${named < members.length ? " and others" : ""}`;
  if (bad === 0) return `${words}, none failed.`;
  const failed = `${words}, ${count(bad)} failed (${share(bad, good + bad)}).`;
  let worst = 0;
  graph.failure.forEach((value, at) => {
    if (value > (graph.failure[worst] ?? 0)) worst = at;
  });
  const start = graph.starts[worst];
  const end = graph.ends[worst];
  if (start === undefined || end === undefined) return failed;
  return `${failed} The most on one ${graph.step === 1 ? "day" : "week"}: ${count(graph.failure[worst] ?? 0)} (${daysWords(start, end)}).`;
}
