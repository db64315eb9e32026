// SPDX-License-Identifier: Apache-2.0
// Ways into the dashboard.
import { settled } from "./browser.mjs";

let kept = null; // the operator's session of the demo, so that not every journey logs in

// The pages ask who is logged in before anybody is; a browser tells of this answer on its console.
const nobodyYet = /401.*\/api\/v1\/session/;

/** By the one-time link, as after the first start. */
export async function byLink(one, link) {
  one.allow(nobodyYet);
  const url = new URL(link);
  await one.page.goto(url.pathname + url.search + url.hash);
  await one.page.waitForURL((at) => at.pathname === "/");
  await settled(one.page);
}

/** An administrator in the demo: a browser that is logged in. */
export async function administrator(world, options = {}) {
  if (world.given.base) return world.visit(options);
  if (!kept) {
    const first = await world.visit();
    await byLink(first, await world.demo.loginLink());
    kept = await first.context.storageState();
  }
  return world.visit({ ...options, storageState: kept });
}

/** With name and password at the login page. `works`: it is expected to. */
export async function byPassword(one, name, password, works = true) {
  one.allow(nobodyYet);
  await one.page.goto("/login");
  await settled(one.page);
  await one.page.getByLabel("Name").fill(name);
  await one.page.getByLabel("Password").fill(password);
  await one.page.getByRole("button", { name: "Sign in" }).click();
  if (!works) return;
  await one.page.waitForURL((at) => at.pathname === "/");
  await settled(one.page);
}
