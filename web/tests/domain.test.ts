// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { DomainView, Plan, Session, Step } from "../src/api/types";
import { additionOf, hostOf } from "../src/screens/add";
import { actsOf, howLines, journey } from "../src/screens/domain/journey";
import { behind } from "../src/screens/domain/plan_tab";
import { changeOf, fieldsOf, items } from "../src/screens/domain/wish_form";
import { byWeight } from "../src/look/findings";

const fixture = <T>(name: string): T => JSON.parse(readFileSync(new URL(`../fixtures/${name}.json`, import.meta.url), "utf8")) as T;
const states = (domain: string): string[] => journey(fixture<Plan>(`domains~${domain}~plan`), fixture<DomainView>(`domains~${domain}`)).map((one) => `${one.name} ${one.state}`);

describe("the journey", () => {
  it.each<[string, string, string[]]>([
    ["newcomer.example", "nobody has looked", ["check now", "create later", "publish later", "dns later", "testing later", "enforce later"]],
    ["tailspin.example", "nothing is published", ["check done", "create now", "publish later", "dns later", "testing later", "enforce later"]],
    ["_", "reports are waited for", ["check done", "create done", "publish done", "dns done", "testing waiting", "enforce later"]],
    ["vanarsdel.example", "the evidence is there", ["check done", "create done", "publish done", "dns done", "testing done", "enforce now"]],
    ["adatum.example", "in enforce, with a fault", ["check done", "create done", "publish done", "dns done", "testing done", "enforce trouble"]],
    ["northwind.example", "where it should be", ["check done", "create done", "publish done", "dns done", "testing done", "enforce done"]],
    ["proseware.example", "on its way out", ["none done", "wait waiting", "remove later", "off later"]],
  ])("%s: %s", (domain, _what, said) => expect(states(domain)).toEqual(said));
  it("without a plan only the look is known", () => expect(journey(null, fixture<DomainView>("domains~_")).map((one) => one.state)).toEqual(["done", "done", "done", "done", "later", "later"]));
});

describe("a domain that is added", () => {
  const session = fixture<Session>("session");
  it("is served here only where there is a policy host", () => {
    expect(hostOf(session)).toBe("here");
    expect(hostOf({ ...session, parts: { ...session.parts, policy_host: false } })).toBe("elsewhere");
    expect(hostOf(null)).toBe("elsewhere");
  });
  it("says nothing that nobody said", () =>
    expect(additionOf({ domain: " https://Example.com/ ", aim: "enforce", leave: "records", host: "here", dns: "hand", rua: "", labels: " ,", owner: "" })).toEqual({ domain: "example.com", aim: "enforce", leave: "records", host: "here", dns: "hand" }));
});

const step = (change: Partial<Step>): Step => ({ ...fixture<Plan>("domains~_~plan").steps[0]!, state: "now", by: "us", kind: "serve-policy", how: "", blocked: "", on_word: false, ...change });

describe("what may be done about a step", () => {
  const none = { act: false, said: null, look: false, force: false };
  it.each<[string, Partial<Step>, object]>([
    ["ours, now", {}, { act: true }],
    ["a person's decision", { by: "person", on_word: true }, { act: true, look: true }],
    ["a person's hand", { by: "person", kind: "publish-record" }, { look: true }],
    ["a place for reports", { by: "person", kind: "report-way" }, { said: "report-way" }],
    ["a place for reports that exists", { kind: "report-way", by: "person", state: "done" }, {}],
    ["servers that cannot be tested", { kind: "check-mx", state: "waiting", blocked: "Port 25 is closed here." }, { said: "checked-mx", look: true }],
    ["evidence", { kind: "evidence", state: "waiting" }, { force: true }],
    ["later", { state: "later" }, {}],
    ["done", { state: "done" }, {}],
    ["something in the way", { blocked: "DNS gave no answer." }, { look: true }],
  ])("%s", (_what, change, acts) => expect(actsOf(step(change))).toEqual({ ...none, ...acts }));
});

it("what is to be run stands apart", () =>
  expect(howLines("Create the mailbox.\nRun: mailtight report test a.example\n\nWait.")).toEqual([
    { command: false, text: "Create the mailbox." },
    { command: true, text: "mailtight report test a.example" },
    { command: false, text: "Wait." },
  ]));

it("a command at the end of a sentence stands apart as well", () =>
  expect(howLines("If that takes longer: mailtight domain set a.example --pause\nNote: mail is held back.")).toEqual([
    { command: false, text: "If that takes longer:" },
    { command: true, text: "mailtight domain set a.example --pause" },
    { command: false, text: "Note: mail is held back." },
  ]));

it("a domain in enforce has arrived, although senders are to keep the policy for longer later", () => {
  const plan = fixture<Plan>("domains~vanarsdel.example~plan");
  const view = fixture<DomainView>("domains~vanarsdel.example");
  const steps = [...plan.steps.map((one): Step => ({ ...one, state: "done" })), { ...step({ state: "waiting", kind: "serve-policy" }), number: 99 }];
  const kept: Plan = { ...plan, finished: false, steps };
  expect(journey(kept, { ...view, row: { ...view.row, mode: "enforce" } }).at(-1)).toMatchObject({ name: "enforce", state: "done", more: "In force" });
  expect(journey(kept, { ...view, row: { ...view.row, mode: "testing" } }).at(-1)).not.toMatchObject({ state: "done" });
});

it("what is done at the beginning is folded, not what is done aside", () => {
  const all = ["done", "done", "done", "now", "done", "later"].map((state) => step({ state: state as Step["state"] }));
  expect(behind(all).map((one) => one.length)).toEqual([3, 3]);
  expect(behind(all.slice(1)).map((one) => one.length)).toEqual([0, 5]);
  expect(behind(all.slice(0, 3)).map((one) => one.length)).toEqual([3, 0]);
});

describe("the form of settings", () => {
  const wish = fixture<DomainView>("domains~_").wish;
  const change = (to: Partial<ReturnType<typeof fieldsOf>>) => changeOf(wish, { ...fieldsOf(wish), ...to });
  it("says nothing where nothing was changed", () => expect(change({})).toEqual({ change: {}, wrong: {} }));
  it.each<[object, object]>([
    [{ aim: "testing" }, { aim: "testing" }],
    [{ max_age: "14" }, { max_age: 1_209_600 }],
    [{ max_age: "0,5" }, { max_age: 43_200 }],
    [{ mx: "MX1.example.com.\n mx2.example.com, mx1.example.com" }, { mx: ["mx1.example.com", "mx2.example.com"] }],
    [{ mx: "" }, {}],
    [{ rua: "tls@example.com https://r.example.com/" }, { rua: ["mailto:tls@example.com", "https://r.example.com/"] }],
    [{ labels: " a, b,a,, " }, { labels: ["a", "b"] }],
    [{ owner: " sales " }, { owner: "sales" }],
  ])("%j asks for %j", (to, asked) => expect(change(to).change).toEqual(asked));
  it.each(["-1", "0", "400", "soon"])("max_age of %s days is refused", (max_age) => {
    expect(change({ max_age }).wrong.max_age).toBeTruthy();
    expect(change({ max_age }).change).toEqual({});
  });
  it("items: lines, commas and spaces divide", () => expect(items(" a,b\n c\ta ")).toEqual(["a", "b", "c"]));
});

it("the worst finding stands first, and equals keep their order", () => {
  const all = (["ok", "warning", "error", "info", "error"] as const).map((severity, i) => ({ severity, i }));
  expect(byWeight(all).map((one) => one.i)).toEqual([2, 4, 1, 3, 0]);
});
