// SPDX-License-Identifier: Apache-2.0
// Domains: the overview tells the truth of the table, one is added, one is led to enforce.
import { get, until } from "../lib/api.mjs";
import { settled } from "../lib/browser.mjs";
import { administrator } from "../lib/enter.mjs";
import { holds, journey, same } from "../lib/journey.mjs";
import { row } from "../lib/places.mjs";

journey("each domain of the demo is what its table says, for the command that checks", {}, async ({ demo }) => {
  for (const each of (await demo.ready).table) {
    const found = JSON.parse(await demo.command("check", each.name, "--json"));
    const codes = found.findings.map((one) => one.code);
    same(`${each.name}: verdict (${codes})`, found.verdict, each.verdict);
    same(`${each.name}: codes`, each.codes.filter((code) => !codes.includes(code)), []);
  }
});

journey("the overview tells of each domain what the demo's table says", {}, async (world) => {
  const { page } = await administrator(world);
  await page.goto("/");
  await settled(page);
  const seen = await until(page, "/overview?limit=100", (now) => now.counts.unseen === 0, 90);
  const verdicts = Object.fromEntries(seen.rows.map((each) => [each.domain, each.verdict]));
  const { table } = await world.demo.ready;
  for (const { name, verdict } of table) same(`verdict of ${name}`, verdicts[name], verdict);
  await page.reload();
  await settled(page);
  for (const { name } of table) await page.getByRole("link", { name }).first().scrollIntoViewIfNeeded();
  await page.getByRole("link", { name: /needs? attention/i }).first().click();
  await settled(page);
  same("healthy domains among those that need attention", await page.getByRole("link", { name: "harbour.test", exact: true }).count(), 0);
  await page.goto("/?contains=press");
  await settled(page);
  await page.getByRole("link", { name: "orchard-press.test" }).first().click();
  await page.waitForURL(/domains\/orchard-press\.test/);
});

journey("a domain is looked at, stage by stage, and then looked after", {}, async (world) => {
  const { page } = await administrator(world);
  await page.goto("/check");
  await settled(page);
  await page.getByLabel(/domain/i).first().fill("lantern-books.test");
  await page.getByRole("button", { name: /check/i }).first().click();
  await page.getByText(/sts-record\.absent|no MTA-STS|not set up/i).first().waitFor({ timeout: 60_000 });
  await page.goto("/domains/new");
  await settled(page);
  await page.getByLabel(/domain/i).first().fill("lantern-books.test");
  await page.getByRole("button", { name: /add|look after/i }).first().click();
  await page.waitForURL(/domains\/lantern-books\.test/, { timeout: 60_000 });
  await settled(page);
  same("it is looked after", (await get(page, "/domains/lantern-books.test")).wish.domain, "lantern-books.test");
  await page.goto("/");
  await settled(page);
  await row(page, "lantern-books.test").waitFor();
});

journey("the plan is followed to enforce", {}, async (world) => {
  const { page } = await administrator(world);
  const name = "harbour-freight.test";
  await page.goto(`/domains/${name}`);
  await settled(page);
  await page.getByRole("button", { name: /enforce/i }).first().click();
  const dialog = page.getByRole("dialog");
  if (await dialog.isVisible().catch(() => false)) await dialog.getByRole("button", { name: /enforce|yes|go/i }).first().click();
  await until(page, `/domains/${name}`, (now) => now.wish.aim === "enforce");
  for (let day = 0; day < 30; ++day) {
    const plan = await get(page, `/domains/${name}/plan`);
    if (plan.finished) break;
    const step = plan.steps.find((each) => each.state !== "done");
    if (step.state === "now") {
      await page.reload();
      await settled(page);
      const next = page.getByRole("button", { name: /do this|do it|next step|publish|raise|serve/i }).first();
      if (await next.isVisible().catch(() => false)) {
        await next.click();
        await page.waitForTimeout(1500);
        continue;
      }
    }
    await world.demo.day();
  }
  const view = await until(page, `/domains/${name}`, (now) => now.row.mode === "enforce", 90);
  same("the policy in the end", view.row.mode, "enforce");
  holds("the plan is finished", (await get(page, `/domains/${name}/plan`)).finished);
  await page.reload();
  await settled(page);
  holds("the page says so", /enforce/i.test(await page.getByRole("main").innerText()));
});
