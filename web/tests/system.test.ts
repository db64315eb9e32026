// SPDX-License-Identifier: Apache-2.0
// The status as rows, and the words of decisions.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Json, KeptPolicy } from "../src/api/types";
import { byOwner } from "../src/screens/system/allowed_names";
import { keptDecision, patterns } from "../src/screens/sending/decision";
import { readOutbox } from "../src/screens/sending/outbox_filter";
import { statusTone } from "../src/screens/system/audit";
import { alarmOf, bytes, certificateTone, listenersOf, partsOf, queuesOf, troublesOf } from "../src/screens/system/status";

const status = JSON.parse(readFileSync(new URL("../fixtures/status.json", import.meta.url), "utf8")) as Json;

describe("the status", () => {
  it("tells failing, running and stopped parts apart", () => {
    const states = Object.fromEntries(partsOf({ parts: [{ name: "a", failing: true }, { name: "b", running: true }, { name: "c" }] }).map((each) => [each.name, each.state]));
    expect(states).toEqual({ a: "Failing", b: "Running", c: "Stopped" });
  });
  it("finds the last errors of every part, the newest first, each once", () => {
    const troubles = troublesOf(status);
    expect(troubles[0]?.where).toBe("imap");
    expect(troubles.map((each) => each.words)).toContain("bank.example: HTTP 503 from mta-sts.bank.example");
    expect(new Set(troubles.map((each) => each.words)).size).toBe(troubles.length);
    expect([...troubles].sort((a, b) => (a.at < b.at ? 1 : -1))).toEqual(troubles);
  });
  it("says what waits, and where something is lost", () => {
    expect(queuesOf(status).map((each) => [each.name, each.tone])).toEqual([
      ["Reports to be written", "good"],
      ["Results of deliveries", "attention"], // the kernel's queue was full
      ["Reports of ours", "good"],
      ["Work for domains", "good"],
    ]);
    expect(queuesOf({ collect: { writable: true, lost: 3, sockets: [] } })[0]).toMatchObject({ tone: "bad", words: "3 lost" });
    expect(queuesOf({ store: { writable: false } })[0]?.tone).toBe("bad");
  });
  it("has every listener", () => {
    expect(listenersOf(status).map((each) => each.where)).toEqual(["inet:127.0.0.1:8461", "127.0.0.1:8460", "/run/mailtight/results.sock", "[::]:443", "[::]:80"]);
  });
  it("reads what another version says, or nothing at all", () => {
    for (const odd of [{}, { parts: null, store: [], sending: "off", carry: { waiting: 7 } }, { parts: [1, "x", null] }] as Json[]) {
      expect(partsOf(odd)).toEqual([]);
      expect(troublesOf(odd)).toEqual([]);
      expect(listenersOf(odd)).toEqual([]);
      expect(() => queuesOf(odd)).not.toThrow();
    }
  });
  it.each([
    [0, "0 B"],
    [9_999, "9,999 B"],
    [912_384, "912 kB"],
    [31_457_280, "31 MB"],
  ])("%i bytes are %s", (size, words) => expect(bytes(size)).toBe(words));
  it.each([
    ["2026-05-19T00:00:00Z", "bad", "Expired"],
    ["2026-05-20T20:00:00Z", "attention", "Ends today"],
    ["2026-05-30T12:00:00Z", "attention", "Ends in 10 days"],
    ["2026-07-30T12:00:00Z", "good", "Valid"],
    ["", "unknown", "Not known"],
  ])("a certificate until %s is %s", (end, tone, words) => expect(certificateTone(end, Date.parse("2026-05-20T09:30:00Z"))).toEqual({ tone, words }));
});

describe("sending", () => {
  const kept = (mode: string | null, state: string, expired = false): KeptPolicy => ({ mode, expired, record: { state } }) as KeptPolicy;
  it.each([
    [kept("enforce", "valid"), "enforce"],
    [kept("enforce", "error"), "enforce"], // it holds while DNS is silent
    [kept("enforce", "none", true), "no-policy"], // it is over
    [kept(null, "none"), "no-policy"],
    [kept(null, "error"), "unknown"],
  ])("%o is decided as %s", (of, decision) => expect(keptDecision(of)).toBe(decision));
  it("takes patterns one a line or with commas", () => {
    expect(patterns(" MX1.example.com,\n*.example.net  ")).toEqual(["mx1.example.com", "*.example.net"]);
    expect(patterns(" \n ")).toEqual([]);
  });
});

describe("names that tenants may add", () => {
  it("stand with their owner", () => {
    const one = (owner: string, name: string) => ({ owner, name, at: "2026-01-02T03:04:05Z" });
    expect(byOwner([one("a", "x.example"), one("a", "*.x.example"), one("b", "y.example")]).map(({ owner, names }) => [owner, names.length])).toEqual([
      ["a", 2],
      ["b", 1],
    ]);
    expect(byOwner([])).toEqual([]);
  });
});

describe("the audit log", () => {
  it.each([
    [204, "Done"],
    [403, "Refused"],
    [409, "Not taken"],
    [503, "Failed"],
  ])("%i is %s", (status, words) => expect(statusTone(status)[1]).toBe(words));
});

describe("an alarm", () => {
  it.each([
    ["plan/a.example/report-way", "a.example waits for you: Have a place", { domain: "a.example", waits: true, before: "", after: " waits for you: Have a place" }],
    ["failure-share/a.example", "18.4 % of the sessions fail", { domain: "a.example", waits: false, before: null, after: "18.4 % of the sessions fail" }],
    ["many-reporters/a.example/mx1.a.example", "3 reporters see failures at mx1.a.example", { domain: "a.example", before: null }],
    ["watch/a.example/x", "The policy of a.example changed.", { domain: "a.example", before: "The policy of ", after: " changed." }],
    ["watch/a.example/x", "It is about a.example.", { before: "It is about ", after: "." }],
    ["mailbox/imap", "The mailbox cannot be read", { domain: "", before: null, after: "The mailbox cannot be read" }],
  ])("%s: %s", (key, title, row) => expect(alarmOf({ key, title, since: "2026-05-01T00:00:00Z" })).toMatchObject(row));
});

describe("which of our reports are looked at", () => {
  const read = (search: string) => readOutbox(new URLSearchParams(search));
  it("stands in the address", () => {
    expect(read("?tab=reports&domain=+Partner.TEST&state=given-up")).toEqual({ domain: "partner.test", state: "given-up" });
    expect(read("?tab=reports")).toEqual({ domain: "", state: "" });
  });
  it("knows no other states than the API", () => expect(read("?state=lost").state).toBe(""));
});
