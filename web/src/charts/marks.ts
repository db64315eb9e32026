// SPDX-License-Identifier: Apache-2.0
// The lane of changes under the graph: where each stands on the axis of the columns, and which stand so close that
// they are shown as one. Pure.
import type { Summary } from "../api/types";
import { dayLong, dayNumber } from "./days";
import type { Graph } from "./series";

export type Mark = Summary["marks"][number];
export interface Placed {
  at: number; // share of the width, 0 to 1
  marks: Mark[]; // the oldest first
}

export const kinds: Record<Mark["kind"], string> = {
  policy: "Policy",
  mx: "Mail servers",
  record: "DNS record",
  mode: "Mode",
};

/** Where a moment stands on the axis, whose columns are of equal width; outside 0 to 1 where it is outside. */
export function place(graph: Graph, at: string): number {
  const day = dayNumber(at.slice(0, 10));
  const many = graph.starts.length;
  const inDay = (Date.parse(at) % 86_400_000) / 86_400_000;
  const column = graph.starts.findIndex((start, i) => day >= dayNumber(start) && day <= dayNumber(graph.ends[i] ?? start));
  if (column < 0) return day < dayNumber(graph.starts[0] ?? "1970-01-01") ? -1 : 2;
  const start = dayNumber(graph.starts[column] ?? "1970-01-01");
  const length = dayNumber(graph.ends[column] ?? "1970-01-01") - start + 1;
  return (column + (day - start + (Number.isFinite(inDay) ? inDay : 0)) / length) / many;
}

/** The marks of the period, those nearer than `nearest` pixels to each other as one. */
export function placed(graph: Graph, marks: readonly Mark[], width: number, nearest = 28): Placed[] {
  const inside = marks
    .map((mark) => ({ mark, at: place(graph, mark.at) }))
    .filter((each) => each.at >= 0 && each.at <= 1)
    .sort((a, b) => a.at - b.at);
  const groups: { first: number; last: number; marks: Mark[] }[] = [];
  for (const { mark, at } of inside) {
    const before = groups.at(-1);
    if (before && (at - (before.first + before.last) / 2) * width < nearest) {
      before.last = at;
      before.marks.push(mark);
    } else groups.push({ first: at, last: at, marks: [mark] });
  }
  return groups.map((each) => ({ at: (each.first + each.last) / 2, marks: each.marks }));
}

/** For the ear: "5 Nov 2026, mail servers: The MX host … was added." */
export function markWords(mark: Mark): string {
  return `${dayLong(mark.at.slice(0, 10))}, ${kinds[mark.kind].toLowerCase()}: ${mark.words}`;
}
