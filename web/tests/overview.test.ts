// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { labelChoices } from "../src/screens/overview/filters";
import { pieces } from "../src/screens/overview/health_bar";
import { pagesOf } from "../src/screens/overview/pages";
import { isFiltered, readView, sortBy, toQuery } from "../src/screens/overview/query";
import { inSight } from "../src/ui/windowed";

const view = (search: string) => readView(new URLSearchParams(search));

describe("the view stands in the address", () => {
  it("plain: all, by name", () => expect(view("")).toEqual({ contains: "", label: "", state: "all", sort: "domain", order: "up" }));
  it("as it was chosen", () => expect(view("contains=ex&label=shop&state=attention&sort=failures")).toEqual({ contains: "ex", label: "shop", state: "attention", sort: "failures", order: "down" }));
  it.each(["state=bogus", "sort=drop", "order=sideways"])("%s is as if it were not there", (search) => expect(view(search)).toEqual(view("")));
  it("becomes the question", () => {
    expect(toQuery(view("contains=+ex+"))).toEqual({ contains: "ex", label: "", state: "", sort: "domain", order: "up" });
    expect(isFiltered(view("sort=next"))).toBe(false);
    expect(isFiltered(view("state=broken"))).toBe(true);
  });
});

describe("a click on a head", () => {
  it("names begin with A, figures with the most", () => {
    expect(sortBy(view(""), "failures")).toEqual({ sort: "failures", order: null });
    expect(sortBy(view("sort=failures"), "domain")).toEqual({ sort: null, order: null });
  });
  it("a second one turns it round, a third one back", () => {
    expect(sortBy(view(""), "domain")).toEqual({ sort: null, order: "down" });
    expect(sortBy(view("sort=failures"), "failures")).toEqual({ sort: "failures", order: "up" });
    expect(sortBy(view("sort=failures&order=up"), "failures")).toEqual({ sort: "failures", order: null });
  });
});

describe("long tables", () => {
  it.each<[number, number, number, number[]]>([
    [0, 40, 1000, [0]],
    [90, 130, 1000, [0, 1]],
    [980, 1020, 1000, [9]],
    [0, 100, 100, [0]],
    [0, 40, 0, []],
    [-5, 10, 30, [0]],
  ])("rows %d to %d of %d are on pages %j", (from, to, total, pages) => expect(pagesOf(from, to, total)).toEqual(pages));
  it.each<[string, number, number, [number, number]]>([
    ["above", -500, 10_000, [0, 16]],
    ["at the top", 0, 10_000, [0, 22]],
    ["in the middle", 72_000, 10_000, [988, 1022]],
    ["below", 9_999_999, 50, [38, 50]],
  ])("%s: what is in sight and some more", (_where, top, total, range) => expect(inSight(top, 720, 72, total)).toEqual(range));
});

it("the bar holds every domain once", () => {
  const all = pieces({ all: 16, attention: 8, protected: 4, testing: 3, broken: 2, absent: 3, unseen: 1 });
  expect(all.reduce((sum, one) => sum + one.number, 0)).toBe(16);
  expect(all.find((one) => one.name === "other")?.number).toBe(3);
});

describe("the labels to choose from", () => {
  const list = { labels: [{ label: "shop", domains: 3 }, { label: "Gold", domains: 1 }] };
  it("are all there are, by name", () => expect(labelChoices(list, "shop").map((each) => each.label)).toEqual(["Gold", "shop"]));
  it("have the chosen one, also where it stands on no domain any more", () => expect(labelChoices(list, "old")).toContainEqual({ label: "old", domains: 0 }));
  it("are none before the list is there", () => expect(labelChoices(null, "")).toEqual([]));
});
