// SPDX-License-Identifier: Apache-2.0
// One panel of the graph: stacked bars of the columns on a canvas (uPlot). Marks, cursor and words are HTML above it.
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { token } from "../state/theme";
import { seriesProperty } from "./colours";
import { dayShort } from "./days";
import { compact, ticks } from "./numbers";
import { type Graph, stacked } from "./series";

export const gutter = 54; // of the numbers at the left, the same in every panel, so that the columns stand in line
export const margin = 22; // at the right: half the name of the last column

/** The columns that are named at the axis, so that the names do not touch. */
export function named(many: number, width: number, step: 1 | 7): number[] {
  const room = Math.max(1, Math.floor(width / 74));
  const nice = step === 7 ? [1, 2, 4, 8, 13, 26] : [1, 2, 3, 5, 7, 14, 28];
  const every = nice.find((each) => Math.ceil(many / each) <= room) ?? Math.ceil(many / room);
  const all: number[] = [];
  for (let at = (many - 1) % every; at < many; at += every) all.push(at);
  return all;
}

interface Wish {
  graph: Graph;
  what: "success" | "failure";
  hidden: readonly boolean[];
  width: number;
  height: number;
  axis: boolean; // with the days below it
}

function data(wish: Wish): uPlot.AlignedData {
  const sums = stacked(wish.graph.series.map((each) => each[wish.what]), wish.hidden);
  // The whole is drawn first and the parts over it, so that each shows what it adds.
  // A bar of no height would still cut the line below it.
  const bars = sums.reverse().map((sum) => sum.map((value) => (value > 0 ? value : null)));
  return [wish.graph.starts.map((_, i) => i), ...bars];
}

export function drawPanel(into: HTMLElement, wish: Wish): uPlot {
  const { graph } = wish;
  const font = `12px ${getComputedStyle(document.body).fontFamily}`;
  const many = graph.starts.length;
  const label = (): string => token("--ink-3");
  const series: uPlot.Series[] = graph.series.map((each, i) => ({
    label: each.name,
    width: 1,
    stroke: () => token("--surface"),
    fill: () => token(seriesProperty(i, each.reporter === "")),
    paths: uPlot.paths.bars?.({ size: [0.74, 56, 1] }),
    points: { show: false },
  }));
  return new uPlot(
    {
      width: wish.width,
      height: wish.height,
      padding: [8, margin, wish.axis ? 0 : 4, 0],
      cursor: { show: false },
      legend: { show: false },
      scales: {
        x: { time: false, range: [-0.5, many - 0.5] },
        y: { range: (_, __, most) => [0, ticks(most, wish.what === "success" ? 4 : 2).at(-1) ?? 1] },
      },
      axes: [
        {
          show: wish.axis,
          size: 26,
          gap: 6,
          font,
          stroke: label,
          grid: { show: false },
          ticks: { show: false },
          border: { show: false },
          splits: () => named(many, wish.width - gutter, graph.step),
          values: (_, at) => at.map((i) => (graph.starts[i] === undefined ? "" : dayShort(graph.starts[i]))),
        },
        {
          size: gutter,
          gap: 6,
          font,
          stroke: label,
          grid: { stroke: () => token("--line"), width: 1 },
          ticks: { show: false },
          splits: (_, __, ___, most) => ticks(most, wish.what === "success" ? 4 : 2).filter((each) => each <= most),
          values: (_, at) => at.map(compact),
        },
      ],
      series: [{}, ...series.reverse()],
    },
    data(wish),
    into,
  );
}

/** New values of the same columns and series. */
export function redrawPanel(panel: uPlot, wish: Wish): void {
  panel.setData(data(wish));
}
