// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { capital, count, course, day, elapsed, list, period, plural, relative, share, short, shortDay, span, time } from "../src/text/format";
import { domainFrom, readable, whyNoDomain } from "../src/text/names";
import { sparkWords } from "../src/ui/spark";

describe("share: never 0 % or 100 % where it is not", () => {
  it.each([
    [0, 0, "–"],
    [0, 10, "0 %"],
    [10, 10, "100 %"],
    [1, 1_000_000, "< 0.01 %"],
    [999_999, 1_000_000, "> 99.99 %"],
    [7, 10_400, "0.07 %"],
    [995, 1000, "99.50 %"],
    [38, 1000, "3.8 %"],
    [1, 3, "33 %"],
  ])("%d of %d is %s", (part, of, words) => expect(share(part, of)).toBe(words));
});

describe("times", () => {
  const now = Date.parse("2026-05-20T09:30:00Z");
  it.each([
    ["2026-05-20T09:30:20Z", "in a moment"],
    ["2026-05-20T09:29:50Z", "just now"],
    ["2026-05-20T09:16:00Z", "14 minutes ago"],
    ["2026-05-20T12:30:00Z", "in 3 hours"],
    ["2026-05-28T09:30:00Z", "in 8 days"],
    ["2026-05-19T09:00:00Z", "1 day ago"],
    ["2026-01-20T09:30:00Z", "4 months ago"],
    ["2024-05-20T09:30:00Z", "2 years ago"],
    [null, "never"],
    ["yesterday", "never"],
  ])("%s is %s", (at, words) => expect(relative(at, now)).toBe(words));
  it("days and moments are UTC", () => {
    expect(day("2026-05-03")).toBe("3 May 2026");
    expect(day("2026-12-31T23:59:59Z")).toBe("31 December 2026");
    expect(time("2026-05-03T04:05:06Z")).toBe("3 May 2026, 04:05 UTC");
    expect(shortDay("2026-05-03", now)).toBe("3 May");
    expect(shortDay("2025-05-03", now)).toBe("3 May 2025");
    expect(day("")).toBe("–");
  });
  it.each([
    [0, "0 seconds"],
    [59, "59 seconds"],
    [300, "5 minutes"],
    [86_400, "1 day"],
    [604_800, "7 days"],
    [1_209_600, "14 days"],
    [31_557_600, "1 year"],
  ])("%d s is %s", (seconds, words) => expect(span(seconds)).toBe(words));
});

it("numbers and words", () => {
  expect(count(1234567)).toBe("1,234,567");
  expect(short(9999)).toBe("9,999");
  expect(short(46_900)).toBe("46.9k");
  expect(plural(1, "domain")).toBe("1 domain");
  expect(plural(2, "reply", "replies")).toBe("2 replies");
  expect(list(["a", "b", "c"])).toBe("a, b and c");
  expect(list([])).toBe("");
  expect(elapsed(42.4)).toBe("42 ms");
  expect(elapsed(1340)).toBe("1.3 s");
  expect(sparkWords([[0, 0]])).toBe("No sessions reported in 30 days");
  expect(sparkWords([[9, 1]])).toBe("10 sessions in 1 day, 1 failed (10 %)");
});

it.each([
  ["2026-05-19T00:00:00Z", "2026-05-19T23:59:59Z", "19 May 2026, the whole day (UTC)"],
  ["2026-05-19T00:00:00Z", "2026-05-20T23:59:59Z", "19 May 2026, 00:00 UTC to 20 May 2026, 23:59 UTC"],
  ["2026-05-19T02:00:00Z", "2026-05-19T23:59:59Z", "19 May 2026, 02:00 UTC to 19 May 2026, 23:59 UTC"],
])("from %s to %s is %s", (start, end, words) => expect(period(start, end)).toBe(words));

it.each([
  ["the id changed", "The id changed"],
  ["the verdict changed from absent to testing; the record was published, with id 1", "The verdict changed from absent to testing; the record was published, with id 1"],
  ["mx1.example.com: the certificate expired", "mx1.example.com: the certificate expired"],
  ["max_age is short", "max_age is short"],
  ["_smtp._tls is missing", "_smtp._tls is missing"],
  ["", ""],
])("%j begins a sentence as %j", (text, words) => expect(capital(text)).toBe(words));

it.each([
  [{ mode: "testing", aim: "enforce" }, "testing → enforce"],
  [{ mode: "enforce", aim: "enforce" }, "enforce"],
  [{ mode: null, aim: "testing" }, "goal: testing"],
  [{ mode: null, aim: "off" }, "off"],
  [{ mode: "none", aim: "off" }, "none → off"],
  [{ mode: "testing", aim: "testing", verdict: "testing" }, "stays in testing"],
  [{ mode: "testing", aim: "testing", verdict: "broken" }, "testing"],
])("course of %j is %s", (at, words) => expect(course(at)).toBe(words));

describe("domainFrom: what people paste", () => {
  it.each([
    ["example.com", "example.com"],
    ["  Example.COM. ", "example.com"],
    ["ada@example.com", "example.com"],
    ["https://example.com/path?x#y", "example.com"],
    ["mailto:ada@example.com", "example.com"],
    ["example.com:25", "example.com"],
    ["bücher.example", "xn--bcher-kva.example"],
    ["例え。テスト", "xn--r8jz45g.xn--zckzah"],
    ["", ""],
  ])("%j is %j", (text, name) => expect(domainFrom(text)).toBe(name));
  it.each([
    ["", "nothing was typed"],
    ["localhost", "no dot"],
    ["192.0.2.1", "an address"],
    ["a..b", "an empty label"],
    ["-a.example", "a hyphen first"],
    ["a b.example", "a space"],
    ["x".repeat(64) + ".example", "a label too long"],
    [("x".repeat(60) + ".").repeat(5) + "example", "too long as a whole"],
  ])("%j is refused: %s", (name) => expect(whyNoDomain(name)).not.toBeNull());
  it.each(["example.com", "_dmarc.example.com", "xn--bcher-kva.example", "a.b.c.d"])("%s may be one", (name) => expect(whyNoDomain(name)).toBeNull());
});

describe("readable: RFC 3492", () => {
  it.each([
    ["xn--bcher-kva.example", "bücher.example"],
    ["xn--r8jz45g.xn--zckzah", "例え.テスト"],
    ["xn--mxahbxey0c.gr", "εχαμπλε.gr"],
    ["xn--ls8h.example", "💩.example"],
    ["example.com", "example.com"],
    ["xn--.example", "xn--.example"],
    ["xn--99999999999.example", "xn--99999999999.example"],
    ["xn--a!b.example", "xn--a!b.example"],
  ])("%s reads %s", (name, words) => expect(readable(name)).toBe(words));
});
