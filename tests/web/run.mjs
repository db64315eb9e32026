// SPDX-License-Identifier: Apache-2.0
// Runs the journeys: node run.mjs [--only TEXT|TEXT] [--pictures] [--base URL] [--history DAYS] [--documents]
// --base: pages that run already (a daemon, or vite with fixtures), for what looks at pages alone.
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { join } from "node:path";
import { launch, visitor } from "./lib/browser.mjs";
import { Demo, top } from "./lib/demo.mjs";
import { chosen, run } from "./lib/journey.mjs";
// In this order, since some let days pass: by then attackers have come and faults were mended.
import "./journeys/first_start.mjs";
import "./journeys/reports.mjs";
import "./journeys/access.mjs";
import "./journeys/sending.mjs";
import "./journeys/every_page.mjs";
import "./journeys/domains.mjs";
import "./journeys/documents.mjs";

const { values: given } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    base: { type: "string" },
    documents: { type: "boolean", default: false },
    pictures: { type: "boolean", default: false },
    "no-web": { type: "boolean", default: false },
    history: { type: "string", default: "60" },
    binary: { type: "string", default: join(top, "build", "release", "mailtight") },
  },
});

let stopping = null;
const journeys = chosen(given.only).filter((each) => (each.needs !== "documents" || given.documents) && (!given.base || each.name.startsWith("every page")));
if (journeys.length === 0) {
  console.log("no journey is called so");
  process.exit(2);
}
if (!existsSync(given.binary) && !given.base) {
  console.log(`there is no program at ${given.binary}: build it first`);
  process.exit(2);
}
const browser = await launch();
let demo = null;
const end = () => (stopping ??= (async () => (await demo?.stop(), await browser.close()))());
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => void end().then(() => process.exit(130)));

let failed = 0;
try {
  let origin = given.base;
  if (!origin && journeys.some((each) => each.needs !== "host")) {
    const began = Date.now();
    demo = new Demo(["--binary", `${given.binary}-lab`, "--few", "--history", given.history, ...(given["no-web"] ? ["--no-web"] : [])]);
    origin = `http://127.0.0.1:${(await demo.ready).port}`;
    console.log(`the demo's world is up after ${((Date.now() - began) / 1000).toFixed(0)} s`);
  }
  const world = { demo, browser, origin, given, binary: given.binary, pictures: given.pictures, visitor: (options) => visitor(browser, options?.origin ?? origin, options) };
  for (const each of journeys) failed += (await run(each, world)) ? 0 : 1;
} catch (problem) {
  console.log(`FAILED web: ${problem.message}`);
  failed += 1;
}
await end();
const total = Math.max(journeys.length, failed);
console.log(`${total - failed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
