// SPDX-License-Identifier: Apache-2.0
// The filter in the address, whether a failure is still so, and what reports say.
import { describe, expect, it } from "vitest";
import type { Check, FailureGroup, Finding, Mute } from "../src/api/types";
import { fateWords, fixLines } from "../src/screens/reports/diagnosis";
import { byUrgency } from "../src/screens/reports/failures";
import { ask, linkTo, readFilter, readList } from "../src/screens/reports/filter";
import { muteWords, otherMutes } from "../src/screens/reports/mutes";
import { stillSo } from "../src/screens/reports/still_so";
import { pretty } from "../src/screens/report/raw";
import { modeOf } from "../src/screens/report/report_view";
import { keptWords } from "../src/screens/read";
import { observed, seenMx } from "./observed";

const today = "2026-05-20";

describe("the filter in the address", () => {
  it("is thirty days where nothing is said, today included", () => {
    expect(readFilter("", today)).toMatchObject({ days: 30, from: "2026-04-21", to: today, domain: "" });
  });
  it.each([
    ["?days=7", "2026-05-14", today],
    ["?days=13", "2026-04-21", today], // not one of ours
    ["?from=2026-05-01&to=2026-05-03", "2026-05-01", "2026-05-03"],
    ["?from=2026-05-03&to=2026-05-01", "2026-05-01", "2026-05-03"], // the wrong way round
    ["?from=2026-05-01", "2026-05-01", today],
    ["?to=2026-05-03", "2026-04-04", "2026-05-03"],
    ["?from=nonsense&to=2026-99-01", "2026-04-21", today],
    ["?from=1970-01-01&to=2026-05-20", "2024-05-20", today], // no graph of half a century
  ])("%s is %s to %s", (search, from, to) => expect(readFilter(search, today)).toMatchObject({ from, to }));

  it("comes back from its own link", () => {
    for (const search of ["?days=90&domain=example.com", "?from=2026-05-01&to=2026-05-03&mx=mx1.example.com", "?reporter=google.com&result=certificate-expired"]) {
      const filter = readFilter(search, today);
      expect(readFilter(linkTo(filter).replace("/reports", ""), today)).toEqual(filter);
    }
  });
  it("goes from days to a period and back", () => {
    const filter = readFilter("?days=90", today);
    expect(linkTo(filter, { from: "2026-05-01", to: "2026-05-01" })).toBe("/reports?from=2026-05-01&to=2026-05-01");
    expect(linkTo(readFilter("?from=2026-05-01", today), { days: 30 })).toBe("/reports");
  });
  it("asks by days, whatever was typed", () => {
    expect(ask(readFilter("?domain=EXAMPLE.com&days=7", today))).toEqual({ domain: "example.com", reporter: "", result: "", mx: "", from: "2026-05-14", to: today });
  });
  it("takes no offset that is none", () => {
    expect(readList("?offset=-5&what=everything")).toEqual({ what: "counted", failures: false, offset: 0 });
    expect(readList("?offset=50&what=tests&failures=1")).toEqual({ what: "tests", failures: true, offset: 50 });
  });
});

const finding = (code: string, subject: string, severity: Finding["severity"] = "error"): Finding => ({ code, severity, subject, message: `${code} of ${subject}`, evidence: "", consequence: "", fix: "", reference: "" });
const check = (findings: Finding[], change: Partial<Check> = {}): Check =>
  observed({
    verdict: "testing",
    mode: "testing",
    findings,
    mx: [seenMx("mx1.example.com")],
    parts: { sts_record: "valid", policy_file: "valid", tlsrpt_record: "valid", mail_servers: "valid" },
    ...change,
  });
const expired = { mx: "mx1.example.com", finding: "mx.cert-expired" };

describe("whether a failure is still so", () => {
  it("is so where the look finds the same at the same host", () => {
    expect(stillSo(check([finding("mx.cert-expired", "mx1.example.com")]), expired).so).toBe(true);
    expect(stillSo(check([finding("mx.cert-expired", "MX1.example.com.")]), expired).so).toBe(true); // the same name
  });
  it("is not so where that host was looked at and is in order", () => {
    expect(stillSo(check([]), expired).so).toBe(false);
    expect(stillSo(check([finding("mx.cert-expired", "mx2.example.com")]), expired)).toMatchObject({ so: false, findings: [] }); // another host
  });
  it("says so where something else is wrong there now", () => {
    const said = stillSo(check([finding("mx.no-starttls", "mx1.example.com")]), expired);
    expect(said.so).toBe(false);
    expect(said.findings.map((each) => each.code)).toEqual(["mx.no-starttls"]);
  });
  it("cannot tell what was not tested", () => {
    expect(stillSo(check([], { parts: { sts_record: "valid", policy_file: "valid", tlsrpt_record: "valid", mail_servers: "not-tested" } }), expired).so).toBeNull();
    expect(stillSo(check([], { mx: [seenMx("mx1.example.com", { addresses: [] })] }), expired).so).toBeNull(); // no address answered
    expect(stillSo(check([], { parts: { sts_record: "valid", policy_file: "not-tested", tlsrpt_record: "valid", mail_servers: "valid" } }), { mx: "", finding: "policy-host.unreachable" }).so).toBeNull();
  });
  it("is over where the host is none of the domain's any more", () => {
    expect(stillSo(check([finding("mx.cert-expired", "mx1.example.com")]), { mx: "old.example.com", finding: "mx.cert-expired" })).toMatchObject({ so: false });
  });
  it("shows what may be the cause where the report does not say what it was", () => {
    expect(stillSo(check([finding("mx.cert-chain-incomplete", "mx1.example.com")]), { mx: "mx1.example.com", finding: null })).toMatchObject({ so: null, findings: [{ code: "mx.cert-chain-incomplete" }] });
    expect(stillSo(check([finding("tlsrpt.rua-many", "example.com", "info")]), { mx: "mx1.example.com", finding: null }).so).toBe(false); // a note is no cause
  });
});

describe("what is shown of failures", () => {
  it("has what is still so first and what is mended last", () => {
    const group = (mx: string, still_so: boolean | null, ours = true): FailureGroup => ({ mx, diagnosis: { still_so, ours } }) as FailureGroup;
    const sorted = byUrgency([group("mended", false), group("theirs", null, false), group("open", null), group("so", true), group("open too", null)]);
    expect(sorted.map((each) => each.mx)).toEqual(["so", "open", "open too", "theirs", "mended"]);
  });
  it("tells the fix for everybody from the lines of each server", () => {
    expect(fixLines("Renew it.\nPostfix: run postfix reload\nExim: send SIGHUP")).toEqual({
      first: "Renew it.",
      servers: [
        { name: "Postfix", words: "run postfix reload" },
        { name: "Exim", words: "send SIGHUP" },
      ],
    });
    expect(fixLines("").servers).toEqual([]);
  });
  it("says what became of the mail", () => {
    expect(fateWords({ held_back: 2, delivered: 1344, unknown: 0 })).toBe("2 held back, 1,344 delivered all the same");
    expect(fateWords({ held_back: 0, delivered: 0, unknown: 0 })).toBe("");
  });
});

describe("what is muted besides", () => {
  const mute = (name: string, domain: string, key: string, result_type = "", mx = ""): Mute => ({ name, key, domain, result_type, mx, until: null, why: "", by: "" });
  const all = [
    mute("a", "example.com", "new-failure/example.com/certificate-expired/mx1", "certificate-expired", "mx1"),
    mute("b", "example.net", "new-failure/example.net/-/-"),
    mute("c", "", "way-in/imap"),
  ];
  it("is what no shown failure stands for, of the domain that is looked at", () => {
    expect(otherMutes(all, ["a"], "").map((each) => each.name)).toEqual(["b", "c"]);
    expect(otherMutes(all, [], "example.com").map((each) => each.name)).toEqual(["a"]);
  });
  it("says what it is", () => expect(all.map(muteWords)).toEqual(["certificate-expired at mx1 for example.com", "Every failure of example.net", "way-in/imap"]));
});

describe("a report", () => {
  it.each([
    [{ type: "sts", strings: ["version: STSv1", "Mode:  Enforce"] }, "enforce"],
    [{ type: "sts", strings: [] }, null],
    [{ type: "tlsa", strings: ["3 1 1 mode: enforce"] }, null], // no policy of MTA-STS
  ])("%o has the mode %s", (policy, mode) => expect(modeOf(policy)).toBe(mode));
  it("is laid out where it is JSON, and left alone where not", () => {
    expect(pretty('{"a":1}')).toBe('{\n  "a": 1\n}');
    expect(pretty('{"a":1')).toBe('{"a":1');
    expect(pretty('{"a":[],"b":{ },"c":[1,{"d":"x, \\"y\\": {z"}],"e":null}')).toBe('{\n  "a": [],\n  "b": {},\n  "c": [\n    1,\n    {\n      "d": "x, \\"y\\": {z"\n    }\n  ],\n  "e": null\n}');
    expect(pretty("[]")).toBe("[]");
  });
  it.each([
    ['{"n":9007199254740993}', "9007199254740993"], // a double would say …992
    ['{"n":18446744073709551615,"m":1e400}', "1e400"],
    ['{"n":1.0,"n":2}', '"n": 1.0,\n  "n": 2'],
    ['{"t":"\\u0041"}', '"t": "\\u0041"'],
  ])("is shown as it came: %s", (json, kept) => expect(pretty(json)).toContain(kept));
  it("says what came of keeping it", () => {
    const none = { added: 0, duplicates: 0, corrections: 0, quarantined: 0, reports: [], errors: [] };
    expect(keptWords({ ...none, added: 2, duplicates: 1 })).toBe("2 reports kept and counted, 1 report known already.");
    expect(keptWords(none)).toBe("There was nothing to keep.");
  });
});
