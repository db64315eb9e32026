// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { changedQuery, match, ownPath } from "../src/router";

describe("match", () => {
  it.each([
    ["/", "/", {}],
    ["/domains/:domain", "/domains/example.com", { domain: "example.com" }],
    ["/domains/:domain", "/domains/example.com/", { domain: "example.com" }],
    ["/domains/:domain", "/domains/b%C3%BCcher.example", { domain: "bücher.example" }],
    ["/reports/:number", "/reports/7", { number: "7" }],
  ])("%s takes %s", (pattern, path, params) => expect(match(pattern, path)).toEqual(params));
  it.each([
    ["/domains/:domain", "/domains", "a piece is missing"],
    ["/domains/:domain", "/domains/a/b", "a piece too many"],
    ["/domains/:domain", "/domains/%E0%A4%A", "a broken escape"],
    ["/reports", "/report", "another word"],
  ])("%s refuses %s: %s", (pattern, path) => expect(match(pattern, path)).toBeNull());
});

describe("changedQuery", () => {
  it("sets, replaces and removes", () => {
    expect(changedQuery("", { a: "1" })).toBe("?a=1");
    expect(changedQuery("?a=1&b=2", { a: "x y", b: null })).toBe("?a=x+y");
    expect(changedQuery("?a=1", { a: "" })).toBe("");
  });
});

describe("ownPath: where the login leads", () => {
  it.each(["/domains/example.com?tab=dns", "/"])("%s stays", (path) => expect(ownPath(path)).toBe(path));
  it.each<[string | null, string]>([
    ["//evil.example/", "another host"],
    ["/\\evil.example", "browsers read a backslash as a slash"],
    ["https://evil.example/", "another host"],
    ["javascript:alert(1)", "a script"],
    ["/login?then=/login", "a circle"],
    ["/a\nb", "a line break"],
    [null, "nothing"],
  ])("%s is refused: %s", (path, _why) => expect(ownPath(path)).toBe("/"));
});
