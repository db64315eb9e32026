// SPDX-License-Identifier: Apache-2.0
// Sending: how mail to a destination goes out, and an exception for it.
import { get, until } from "../lib/api.mjs";
import { settled } from "../lib/browser.mjs";
import { administrator } from "../lib/enter.mjs";
import { holds, journey, same } from "../lib/journey.mjs";

journey("a destination is explained", {}, async (world) => {
  await world.demo.day(); // mail goes out
  const one = await administrator(world);
  one.allow(/404.*\/api\/v1\/override\//); // there is none: it is asked for all the same
  const { page } = one;
  await page.goto("/sending");
  await settled(page);
  await page.getByLabel(/how is mail to a destination delivered/i).fill("partner.test");
  await page.getByRole("button", { name: /explain/i }).click();
  const shown = page.getByRole("region", { name: /partner\.test/ });
  await shown.getByText(/enforce|protected/i).first().waitFor();
});

journey("a destination gets an exception, and mail follows it at once", {}, async (world) => {
  const { page } = await administrator(world);
  await page.goto("/sending?tab=exceptions");
  await settled(page);
  same("before", (await get(page, "/policy/partner.test")).decision, "enforce");
  await page.getByRole("button", { name: "Make an exception" }).click();
  const dialog = page.getByRole("dialog", { name: "Make an exception" });
  await dialog.getByRole("textbox", { name: "Destination" }).fill("partner.test");
  await dialog.getByRole("radio").nth(1).check();
  const asked = await dialog.getByRole("radio").nth(1).inputValue();
  await dialog.getByRole("button", { name: "Make it" }).click();
  holds("without a reason there is none", await dialog.getByRole("alert").first().isVisible());
  await dialog.getByLabel("Why").fill("They renew their certificate today");
  await dialog.getByRole("button", { name: "Make it" }).click();
  await dialog.waitFor({ state: "detached" });
  const kept = await get(page, "/override/partner.test");
  same("the exception", [kept.as, kept.why], [asked, "They renew their certificate today"]);
  await until(page, "/policy/partner.test", (now) => now.decision !== "enforce");
  await page.getByRole("button", { name: "Remove the exception for partner.test" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await until(page, "/policy/partner.test", (now) => now.decision === "enforce");
});

journey("which of our reports are looked at stands in the address, and outlives an explanation", {}, async (world) => {
  const one = await administrator(world);
  one.allow(/404.*\/api\/v1\/override\//); // there is none: it is asked for all the same
  const { page } = one;
  const address = () => Object.fromEntries(new URL(page.url()).searchParams);
  await page.goto("/sending?tab=reports");
  await settled(page);
  await page.getByLabel("With a delivery that is").selectOption("refused");
  await page.getByRole("textbox", { name: "Domain", exact: true }).fill("Nowhere.TEST");
  await page.getByRole("button", { name: "Find" }).click();
  await page.getByText("No report fits").waitFor();
  same("the address", address(), { tab: "reports", state: "refused", domain: "nowhere.test" });
  await page.reload();
  await settled(page);
  await page.getByText("No report fits").waitFor();
  same("the state that is chosen", await page.getByLabel("With a delivery that is").inputValue(), "refused");
  same("the domain that is asked for", await page.getByRole("textbox", { name: "Domain", exact: true }).inputValue(), "nowhere.test");
  await page.getByLabel(/how is mail to a destination delivered/i).fill("partner.test");
  await page.getByRole("button", { name: /explain/i }).click();
  const shown = page.getByRole("region", { name: /partner\.test/ });
  await shown.getByRole("button", { name: /close/i }).click();
  await shown.waitFor({ state: "detached" });
  same("the address afterwards", address(), { tab: "reports", state: "refused", domain: "nowhere.test" });
});
