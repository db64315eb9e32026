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
  const one = await administrator(world);
  one.allow(/404.*\/api\/v1\/domains\/lantern-books/); // whether it is looked after is asked before it is
  const { page } = one;
  const name = "lantern-books.test";
  await page.goto("/check");
  await settled(page);
  await page.getByLabel("Domain").fill(`https://www.${name}/`); // as people type it
  await page.getByLabel("Domain").fill(name);
  await page.getByRole("button", { name: "Check", exact: true }).click();
  await page.getByRole("heading", { level: 2, name: "Findings" }).waitFor({ timeout: 60_000 });
  holds("the address has the domain, to be sent to somebody", page.url().includes(name));
  holds("what is missing is said", /MTA-STS record/i.test(await page.getByRole("main").innerText()));
  await page.getByRole("link", { name: "Protect this domain" }).click();
  await page.waitForURL(/\/domains\/new/);
  same("the domain is there already", await page.getByLabel("Domain").inputValue(), name);
  await page.getByLabel("Who enters the DNS records?").selectOption("update");
  await page.getByRole("button", { name: "Look after this domain" }).click();
  await page.waitForURL(new RegExp(`/domains/${name}$`), { timeout: 60_000 });
  await settled(page);
  const wish = (await get(page, `/domains/${name}`)).wish;
  same("what is wanted", [wish.domain, wish.aim, wish.dns], [name, "enforce", "update"]);
  // The first step is the person's word; then the daemon publishes by itself.
  const next = page.getByRole("region", { name: "Next step" });
  await next.getByRole("button", { name: "The place exists" }).click();
  await until(page, `/domains/${name}/plan`, (plan) => plan.steps.find((step) => step.kind === "report-way")?.state === "done");
  for (let turn = 0; turn < 40; ++turn) {
    const plan = await get(page, `/domains/${name}/plan`);
    if (plan.steps.some((step) => step.kind === "evidence" && step.state === "waiting")) break;
    await world.demo.order({ do: "wait", seconds: 660 });
    await page.waitForTimeout(1000);
  }
  const view = await until(page, `/domains/${name}`, (now) => now.row.mode === "testing", 90);
  same("the policy that is served", view.row.mode, "testing");
  await page.goto("/");
  await settled(page);
  await row(page, name).waitFor();
});

journey("the plan is followed to enforce", {}, async (world) => {
  const { page } = await administrator(world);
  const name = "harbour-freight.test";
  await page.goto(`/domains/${name}?tab=settings`);
  await settled(page);
  await page.getByRole("radio", { name: /^Enforce/ }).check();
  await page.getByRole("button", { name: "Save" }).click();
  await until(page, `/domains/${name}`, (now) => now.wish.aim === "enforce");
  await page.goto(`/domains/${name}`);
  await settled(page);
  const done = [];
  for (let turn = 0; turn < 60; ++turn) {
    const plan = await get(page, `/domains/${name}/plan`);
    if (plan.finished || (done.length > 0 && plan.steps.every((each) => each.state !== "now" && (each.state === "done" || ["serve-policy", "come-back"].includes(each.kind))))) break;
    const step = plan.steps.find((each) => each.number === plan.next) ?? plan.steps.find((each) => each.state !== "done");
    const act = page.getByRole("region", { name: "Next step" }).getByRole("button", { name: /^Do it/ });
    if (step.state === "now" && step.on_word) {
      await page.reload();
      await settled(page);
      await act.click();
      done.push(step.kind);
      await page.waitForTimeout(1500);
    } else if (step.state === "now") {
      await world.demo.order({ do: "wait", seconds: 660 });
      await page.waitForTimeout(700); // the daemon looks, and does what is due
    } else await world.demo.day();
  }
  const view = await until(page, `/domains/${name}`, (now) => now.row.mode === "enforce", 90);
  same("the policy in the end", view.row.mode, "enforce");
  holds(`a person gave the word: ${done}`, done.includes("serve-policy"));
  // What is left is to let senders keep it for longer, week by week.
  await page.reload();
  await settled(page);
  await page.getByRole("region", { name: "Next step" }).getByRole("heading", { name: /^Raise to max_age/ }).waitFor();
  await page.goto(`/domains/${name}?tab=history`);
  await settled(page);
  holds("the history has both modes", /testing/i.test(await page.getByRole("main").innerText()) && /enforce/i.test(await page.getByRole("main").innerText()));
});
