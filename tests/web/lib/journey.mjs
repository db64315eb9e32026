// SPDX-License-Identifier: Apache-2.0
// Journeys: named, one after the other, each with a browser of its own. What must not happen in a browser fails the
// journey like anything else.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { build } from "./demo.mjs";

const registered = [];

/** `needs`: "demo" (the whole world) or "host" (a daemon on this machine, which the journey starts),
 *  "documents" (the demo's world, and only where pictures for the documents are asked for). */
export function journey(name, { needs = "demo" } = {}, work) {
  registered.push({ name, needs, work });
}

export const chosen = (only) => registered.filter((each) => only.split("|").some((part) => each.name.includes(part)));

export class Failed extends Error {}

export function same(what, got, wanted) {
  if (JSON.stringify(got) !== JSON.stringify(wanted)) throw new Failed(`${what}: ${JSON.stringify(got)}, not ${JSON.stringify(wanted)}`);
}
export function holds(what, got) {
  if (!got) throw new Failed(what);
}
export function none(what, list) {
  if (list.length > 0) throw new Failed(`${what} (${list.length}):\n        ${list.slice(0, 12).join("\n        ")}`);
}

export async function run(each, world) {
  const began = Date.now();
  const visitors = [];
  const visit = async (options) => {
    const made = await world.visitor(options);
    visitors.push(made);
    return made;
  };
  let problem = null;
  try {
    await each.work({ ...world, visit });
    none("what must not happen in a browser", visitors.flatMap((one) => one.problems));
  } catch (error) {
    problem = error instanceof Failed ? error.message : (error.stack ?? String(error));
    const seen = visitors.flatMap((one) => one.problems);
    if (seen.length > 0 && !(error instanceof Failed)) problem += `\n      and: ${seen.slice(0, 5).join("; ")}`;
    mkdirSync(join(build, "failed"), { recursive: true });
    const file = join(build, "failed", each.name.replaceAll(/[^a-z0-9]+/gi, "-"));
    for (const [number, one] of visitors.entries()) await one.page.screenshot({ path: `${file}-${number}.png`, fullPage: true }).catch(() => {});
  }
  for (const one of visitors) await one.close().catch(() => {});
  console.log(`${problem ? "FAILED" : "ok    "} web: ${each.name.padEnd(70)} ${((Date.now() - began) / 1000).toFixed(1).padStart(6)} s`);
  if (problem) console.log(`      ${problem.split("\n").slice(0, 16).join("\n      ")}`);
  return !problem;
}
