// SPDX-License-Identifier: Apache-2.0
// The geometry and the words of the graphs.
import { describe, expect, it } from "vitest";
import { addDays, dayNumber, daysWords, isDay, weekOf } from "../src/charts/days";
import { type Mark, place, placed } from "../src/charts/marks";
import { level, matrixOf } from "../src/charts/matrix";
import { compact, listed, ticks } from "../src/charts/numbers";
import { readyWords, segments } from "../src/charts/ring";
import { columnWords, columns, graphOf, graphWords, stacked } from "../src/charts/series";

const reporter = (name: string, organization = "") => ({
  domain: "",
  reporter: name,
  organization_name: organization,
  success: 0,
  failure: 0,
  share: null,
  reports: 1,
  first: "2026-05-01",
  last: "2026-05-02",
  verified: true,
  usual_interval: null,
  last_received: null,
});
const row = (name: string, day: string, success: number, failure = 0) => ({ reporter: name, day, success, failure });

describe("days", () => {
  it.each([
    ["2026-02-28", true],
    ["2026-02-30", false], // no such day
    ["2026-2-3", false], // written otherwise
    ["2026-01-01T00:00:00Z", false],
    ["", false],
  ])("%s is a day: %s", (text, is) => expect(isDay(text)).toBe(is));

  it("counts over the end of a month, a year and a leap day", () => {
    expect(addDays("2025-12-31", 1)).toBe("2026-01-01");
    expect(addDays("2028-03-01", -1)).toBe("2028-02-29");
  });

  it.each([
    ["2026-05-21", "2026-05-21", "21 May 2026"],
    ["2026-05-19", "2026-05-21", "19 to 21 May 2026"],
    ["2026-04-30", "2026-05-02", "30 Apr to 2 May 2026"],
    ["2025-12-30", "2026-01-02", "30 Dec 2025 to 2 Jan 2026"],
  ])("%s to %s is %s", (from, to, words) => expect(daysWords(from, to)).toBe(words));

  it("begins a week on Monday", () => {
    expect(weekOf(dayNumber("2026-05-20"))).toBe(dayNumber("2026-05-18")); // a Wednesday
    expect(weekOf(dayNumber("2026-05-18"))).toBe(dayNumber("2026-05-18"));
    expect(weekOf(dayNumber("2026-05-24"))).toBe(dayNumber("2026-05-18")); // a Sunday
  });
});

describe("numbers at the edge of a graph", () => {
  it.each([
    [0, "0"],
    [950, "950"],
    [1_250, "1.2k"],
    [28_900, "28k"],
    [3_400_000, "3.4M"],
    [2_000_000_000, "2G"],
  ])("%i is %s", (value, words) => expect(compact(value)).toBe(words));

  it("has round, whole steps that reach the greatest", () => {
    for (const most of [1, 2, 3, 7, 10, 99, 101, 1_400, 48_213, 1e9]) {
      const steps = ticks(most);
      expect(steps[0]).toBe(0);
      expect(steps.at(-1)).toBeGreaterThanOrEqual(most);
      expect(steps.every(Number.isInteger)).toBe(true);
      expect(steps.length).toBeLessThanOrEqual(6);
      expect(new Set(steps).size).toBe(steps.length);
    }
    expect(ticks(0)).toEqual([0, 1]); // nothing still has an axis
  });

  it("lists names as a person would", () => {
    expect(listed(["a"])).toBe("a");
    expect(listed(["a", "b", "c"])).toBe("a, b and c");
    expect(listed(["a", "b", "c", "d", "e", "f"])).toBe("a, b, c and 3 more");
  });
});

describe("series of the graph", () => {
  it("has a column for each day, and for each week where the period is long", () => {
    expect(columns("2026-05-01", "2026-05-03").starts).toEqual(["2026-05-01", "2026-05-02", "2026-05-03"]);
    const year = columns("2025-05-21", "2026-05-20");
    expect(year.step).toBe(7);
    expect(year.starts[0]).toBe("2025-05-21"); // not before the period
    expect(year.starts[1]).toBe("2025-05-26"); // then Mondays
    expect(year.ends.at(-1)).toBe("2026-05-20");
  });

  it("loses no session: the columns hold what the rows hold", () => {
    const rows = [row("a", "2026-05-01", 10, 1), row("b", "2026-05-01", 5), row("a", "2026-05-03", 7, 2)];
    const graph = graphOf({ by_reporter: rows, reporters: [reporter("a", "A Inc."), reporter("b")] }, "2026-05-01", "2026-05-03");
    expect(graph.success).toEqual([15, 0, 7]);
    expect(graph.failure).toEqual([1, 0, 2]);
    expect(graph.series.map((each) => each.name)).toEqual(["A Inc.", "b"]); // the greatest first
    const sums = stacked(graph.series.map((each) => each.success));
    expect(sums.at(-1)).toEqual(graph.success);
  });

  it("puts the small reporters together, with those that came together already", () => {
    const names = ["a", "b", "c", "d", "e", "f", "g"];
    const rows = [...names.map((name, i) => row(name, "2026-05-01", 100 - i)), row("", "2026-05-01", 3)];
    const graph = graphOf({ by_reporter: rows, reporters: names.map((name) => reporter(name)) }, "2026-05-01", "2026-05-01");
    expect(graph.series).toHaveLength(6);
    expect(graph.series.at(-1)).toMatchObject({ reporter: "", name: "All others", members: ["f", "g", ""], success: [95 + 94 + 3] });
  });

  it("leaves out what is hidden, and rows outside the period", () => {
    expect(stacked([[1], [2], [3]], [false, true])).toEqual([[1], [1], [4]]);
    const graph = graphOf({ by_reporter: [row("a", "2026-04-30", 9)], reporters: [reporter("a")] }, "2026-05-01", "2026-05-02");
    expect(graph.success).toEqual([0, 0]);
  });

  it("says it in words", () => {
    const graph = graphOf({ by_reporter: [row("a", "2026-05-01", 900, 100), row("b", "2026-05-02", 500)], reporters: [reporter("a", "A Inc."), reporter("b", "B")] }, "2026-05-01", "2026-05-03");
    expect(columnWords(graph, 0)).toBe("1 May 2026: 1,000 sessions, 100 failed (10 %). A Inc. 1,000, 100 failed.");
    expect(columnWords(graph, 2)).toBe("3 May 2026: no reports.");
    expect(graphWords(graph)).toBe("1,500 sessions from 2 reporters, 100 failed (6.7 %). The most on one day: 100 (1 May 2026).");
    expect(graphWords(graphOf({ by_reporter: [], reporters: [] }, "2026-05-01", "2026-05-01"))).toBe("No sessions are reported in this period.");
  });
});

describe("the lane of changes", () => {
  const graph = graphOf({ by_reporter: [], reporters: [] }, "2026-05-01", "2026-05-10");
  const mark = (at: string): Mark => ({ at, domain: "example.com", kind: "policy", words: at });

  it("stands a change at its moment, in line with the columns", () => {
    expect(place(graph, "2026-05-01T00:00:00Z")).toBeCloseTo(0);
    expect(place(graph, "2026-05-06T12:00:00Z")).toBeCloseTo(0.55);
    expect(place(graph, "2026-04-30T23:59:59Z")).toBeLessThan(0);
    expect(place(graph, "2026-05-11T00:00:00Z")).toBeGreaterThan(1);
  });

  it("shows near ones as one, none outside, and loses none inside", () => {
    const marks = [mark("2026-05-02T00:00:00Z"), mark("2026-05-02T06:00:00Z"), mark("2026-05-09T00:00:00Z"), mark("2026-06-01T00:00:00Z")];
    const shown = placed(graph, marks, 1000);
    expect(shown.map((each) => each.marks.length)).toEqual([2, 1]);
    expect(placed(graph, marks, 100_000).map((each) => each.marks.length)).toEqual([1, 1, 1]); // room for each
    expect(placed(graph, marks, 10).flatMap((each) => each.marks)).toHaveLength(3);
  });
});

describe("the matrix of reporters and mail servers", () => {
  it("has the worst host and the worst reporter first, and knows what has no column", () => {
    const matrix = matrixOf(
      {
        reporter_mx: [
          { reporter: "a", mx: "mx1", failure: 2, first: "", last: "" },
          { reporter: "b", mx: "mx2", failure: 40, first: "", last: "" },
          { reporter: "a", mx: "mx3", failure: 1, first: "", last: "" },
        ],
        reporters: [
          { ...reporter("a"), success: 10, failure: 3 },
          { ...reporter("b"), success: 5, failure: 40 },
          { ...reporter("c"), success: 99, failure: 0 },
        ],
      },
      2,
    );
    expect(matrix.hosts.map((each) => each.mx)).toEqual(["mx2", "mx1"]);
    expect(matrix.more).toBe(1);
    expect(matrix.rows.map((each) => [each.reporter, each.others])).toEqual([
      ["b", 0],
      ["a", 1],
      ["c", 0],
    ]);
    expect(matrix.rows[0]?.cells[0]).toEqual({ mx: "mx2", failure: 40, level: 4 });
  });
  it("never hides a failure", () => {
    expect(level(0, 1000)).toBe(0);
    expect(level(1, 1_000_000)).toBe(1);
    expect(level(1_000, 1_000)).toBe(4);
  });
});

describe("the ring of readiness", () => {
  it("has a segment each reason, that do not touch", () => {
    expect(segments(["met", "missing", "unknown"], 50, 40)).toHaveLength(3);
    expect(segments([], 50, 40)).toEqual([]);
    expect(segments(["met"], 50, 40)[0]?.path).toContain("A40 40 0 1 1"); // the long way round
  });
  it("says what is met, missing and not known", () => {
    expect(readyWords(["met", "met", "missing", "unknown"])).toBe("2 of 4 met, 1 missing, 1 not known");
    expect(readyWords(["met"])).toBe("1 of 1 met");
  });
});
