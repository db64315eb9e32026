// SPDX-License-Identifier: Apache-2.0
// The plan's steps as the few stations that a person thinks in. Pure.
import type { DomainView, Plan, Step } from "../../api/types";

export type StationState = "done" | "now" | "waiting" | "later" | "trouble";
export interface Station {
  name: string;
  words: string;
  more: string;
  state: StationState;
  steps: number[]; // numbers of the plan's steps
}

type Name = "check" | "create" | "publish" | "dns" | "testing" | "enforce" | "none" | "wait" | "remove" | "off";

const words: Record<Name, [string, string]> = {
  check: ["Check", "See what is there"],
  create: ["Create", "A place for reports"],
  publish: ["Publish", "The policy file"],
  dns: ["DNS", "The record"],
  testing: ["Testing", "Reports for two weeks"],
  enforce: ["Enforce", "Senders insist"],
  none: ["Say none", "A policy that frees senders"],
  wait: ["Wait", "Until all have forgotten"],
  remove: ["Remove", "Record, file, host"],
  off: ["Off", "Nothing is left"],
};

const setUp: Partial<Record<Step["kind"], Name>> = {
  "report-way": "create",
  "publish-tlsrpt": "create",
  "point-host": "publish",
  certificate: "publish",
  "serve-policy": "publish",
  "verify-policy": "publish",
  "check-mx": "dns",
  "publish-record": "dns",
  "verify-record": "dns",
  evidence: "testing",
};

/** Which station each step belongs to. What follows the evidence, or happens to a domain in enforce, is enforce. */
export function stationsOf(plan: Plan, view: DomainView): Name[] {
  if (view.wish.aim === "off") {
    let removing = false;
    return plan.steps.map((step) => {
      if (/^(remove-record|stop-serving|remove-host|remove-certificate)$/.test(step.kind)) removing = true;
      return removing ? "remove" : step.kind === "wait" || step.kind === "come-back" ? "wait" : "none";
    });
  }
  let after = view.row.mode === "enforce" && !plan.steps.some((step) => step.kind === "evidence");
  return plan.steps.map((step) => {
    if (step.kind === "evidence") {
      after = true;
      return "testing";
    }
    const own = setUp[step.kind];
    if (own === "create") return own;
    if (after) return "enforce";
    return own ?? (view.row.mode === "testing" ? "testing" : view.row.mode === "enforce" ? "enforce" : "publish");
  });
}

export function journey(plan: Plan | null, view: DomainView): Station[] {
  const off = view.wish.aim === "off";
  const names: Name[] = off ? ["none", "wait", "remove", "off"] : ["check", "create", "publish", "dns", "testing", "enforce"];
  const belongs = plan ? stationsOf(plan, view) : [];
  // A step aside (the place for reports) may lag behind: stations before the one that is served are passed.
  const reached = off ? -1 : view.row.mode === "enforce" ? 5 : view.row.mode === "testing" ? 4 : -1;
  const next = plan?.steps.find((step) => step.state !== "done" && belongs[plan.steps.indexOf(step)] !== undefined);
  const current = !plan ? null : plan.finished ? null : next ? belongs[plan.steps.indexOf(next)]! : null;
  return names.map((name, i) => {
    const mine = plan ? plan.steps.filter((_, n) => belongs[n] === name) : [];
    const state = stateOf(name, i, mine);
    return { name, words: words[name][0], more: name === "enforce" && state === "done" ? "In force" : words[name][1], state, steps: mine.map((step) => step.number) };
  });

  function stateOf(name: Name, i: number, mine: Step[]): StationState {
    if (name === "check") return view.looked_at ? "done" : "now";
    if (plan?.finished) return name === "enforce" && view.wish.aim === "testing" ? "later" : "done";
    const open = mine.find((step) => step.state !== "done");
    // In force already; what is left only lets senders keep it for longer.
    const goesOn = name === "enforce" && view.row.mode === "enforce";
    if (name === current) return open && isTrouble(open) ? "trouble" : open?.state === "waiting" ? (goesOn ? "done" : "waiting") : view.looked_at || name !== "create" ? "now" : "later";
    if (!open && (mine.length > 0 || i < reached)) return "done";
    return "later";
  }
}

/** A person has to mend something that breaks mail or the way on. */
const isTrouble = (step: Step): boolean => step.kind === "mend" || (step.state === "now" && !!step.blocked);

export interface Acts {
  act: boolean; // carry it out
  said: "report-way" | "checked-mx" | null; // a person's word
  look: boolean; // a person did it: look whether it is seen
  force: boolean; // enforce without evidence
}

/** What may be done about a step. */
export function actsOf(step: Step): Acts {
  const open = step.state !== "done";
  const now = step.state === "now";
  return {
    act: now && (step.by === "us" || step.on_word) && !step.blocked,
    said: open && step.kind === "report-way" ? "report-way" : open && step.kind === "check-mx" && step.blocked !== "" ? "checked-mx" : null,
    look: open && step.state !== "later" && (step.by === "person" || step.blocked !== "") && step.kind !== "report-way",
    force: step.kind === "evidence" && open,
  };
}

/** Lines of a step's `how`: what is to be run stands apart, also where it ends a sentence ("If that takes longer: …"). */
export function howLines(how: string): { command: boolean; text: string }[] {
  return how
    .split("\n")
    .filter((line) => line.trim() !== "")
    .flatMap((line) => {
      const [, words = "", run] = /^(.*): (mailtight [a-z].*)$/.exec(line) ?? [];
      if (run === undefined) return [{ command: false, text: line }];
      return [...(words === "Run" ? [] : [{ command: false, text: `${words}:` }]), { command: true, text: run }];
    });
}
