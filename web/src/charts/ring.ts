// SPDX-License-Identifier: Apache-2.0
// The ring of the readiness gauge: a segment each reason. Pure.
import type { Readiness } from "../api/types";

export type Standing = "met" | "missing" | "unknown";
export interface Segment {
  standing: Standing;
  path: string;
}

export function standing(reason: Readiness["reasons"][number]): Standing {
  return reason.met ? "met" : reason.known ? "missing" : "unknown";
}

const round = (value: number): number => Math.round(value * 1000) / 1000;

/** Arcs of a ring around (middle, middle), from the top, clockwise, with gaps between them. */
export function segments(all: readonly Standing[], middle: number, radius: number, gap = 0.14): Segment[] {
  const turn = (2 * Math.PI) / Math.max(1, all.length);
  const space = all.length > 1 ? gap : 0.001;
  return all.map((each, i) => {
    const from = i * turn + space / 2 - Math.PI / 2;
    const to = (i + 1) * turn - space / 2 - Math.PI / 2;
    const point = (angle: number): string => `${round(middle + radius * Math.cos(angle))} ${round(middle + radius * Math.sin(angle))}`;
    return { standing: each, path: `M${point(from)}A${radius} ${radius} 0 ${to - from > Math.PI ? 1 : 0} 1 ${point(to)}` };
  });
}

/** "4 of 6 met, 1 missing, 1 not known". */
export function readyWords(all: readonly Standing[]): string {
  const many = (what: Standing): number => all.filter((each) => each === what).length;
  const parts = [`${many("met")} of ${all.length} met`];
  if (many("missing") > 0) parts.push(`${many("missing")} missing`);
  if (many("unknown") > 0) parts.push(`${many("unknown")} not known`);
  return parts.join(", ");
}
