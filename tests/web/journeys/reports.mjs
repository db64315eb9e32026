// SPDX-License-Identifier: Apache-2.0
// Reports: from a failure to its cause, muting it, and a file that is read in the page.
import { gzipSync } from "node:zlib";
import { get } from "../lib/api.mjs";
import { settled } from "../lib/browser.mjs";
import { administrator } from "../lib/enter.mjs";
import { holds, journey, same } from "../lib/journey.mjs";

const docks = "/reports?domain=harbour-docks.test";
const group = (page, words) => page.getByRole("listitem").filter({ has: page.getByRole("heading", { level: 3 }) }).filter({ hasText: words });

journey("a failure's cause is found, and the report that told of it", {}, async (world) => {
  const { page } = await administrator(world);
  await page.goto(docks);
  await settled(page);
  const one = group(page, "mx2.harbour-docks.test").first();
  await one.waitFor();
  holds("the cause is an expired certificate", /expired/i.test(await one.getByRole("heading", { level: 3 }).innerText()));
  holds("who told it", /bigmail/i.test(await one.innerText()));
  // Whether it is still so: a look now.
  await one.getByRole("button", { name: /check now/i }).click();
  await one.getByText(/still so/i).first().waitFor({ timeout: 60_000 });
  await one.getByRole("link", { name: /latest, explained/i }).click();
  await page.waitForURL(/\/reports\/\d+/);
  await settled(page);
  holds("the report names the result", (await page.getByRole("main").innerText()).includes("certificate-expired"));
});

journey("a failure is muted with a reason, and told of again", {}, async (world) => {
  const { page } = await administrator(world);
  await page.goto(docks);
  await settled(page);
  await group(page, "mx2.harbour-docks.test").first().getByRole("button", { name: "Mute" }).click();
  const dialog = page.getByRole("dialog", { name: /mute/i });
  await dialog.getByRole("button", { name: "Mute" }).click();
  holds("without a reason it is not muted", await dialog.getByRole("alert").first().isVisible());
  await dialog.getByLabel("Why").fill("The new certificate comes on Tuesday");
  await dialog.getByRole("button", { name: "Mute" }).click();
  await dialog.waitFor({ state: "detached" });
  const kept = (await get(page, "/mutes")).mutes;
  same("what is muted", kept.map((one) => [one.domain, one.result_type, one.why]), [["harbour-docks.test", "certificate-expired", "The new certificate comes on Tuesday"]]);
  await page.reload();
  await settled(page);
  const muted = page.locator("details").filter({ hasText: /^\s*Muted/ }).first();
  await muted.locator("> summary").click();
  holds("the reason is shown", (await muted.innerText()).includes("Tuesday"));
  await muted.getByRole("button", { name: "Unmute" }).click();
  await group(page, "mx2.harbour-docks.test").first().getByRole("button", { name: "Mute" }).waitFor();
  same("what is muted in the end", (await get(page, "/mutes")).mutes, []);
});

const report = (name) => ({
  "organization-name": "Bigmail",
  "date-range": { "start-datetime": "2026-01-05T00:00:00Z", "end-datetime": "2026-01-05T23:59:59Z" },
  "contact-info": "tls-reports@bigmail.test",
  "report-id": `${name}-${Date.now()}`,
  policies: [
    {
      policy: { "policy-type": "sts", "policy-domain": "harbour.test", "policy-string": ["version: STSv1", "mode: enforce", "mx: mx1.harbour.test", "max_age: 604800"], "mx-host": ["mx1.harbour.test"] },
      summary: { "total-successful-session-count": 41, "total-failure-session-count": 3 },
      "failure-details": [{ "result-type": "certificate-host-mismatch", "failed-session-count": 3, "receiving-mx-hostname": "mx1.harbour.test", "sending-mta-ip": "198.51.100.7" }],
    },
  ],
});

journey("a report file is explained in the page, and nothing is stored unless asked", {}, async (world) => {
  const { page } = await administrator(world);
  await page.goto("/read");
  await settled(page);
  const numbers = async () => (await get(page, "/reports?what=all&limit=1")).reports.map((one) => one.number);
  const before = await numbers();
  const name = "bigmail.test!harbour.test!1!2.json.gz";
  await page.getByLabel("Report files").setInputFiles({ name, mimeType: "application/gzip", buffer: gzipSync(JSON.stringify(report("read"))) });
  const shown = page.getByRole("region", { name });
  await shown.getByText("certificate-host-mismatch").first().waitFor();
  const said = await shown.innerText();
  holds(`it says how many sessions failed: ${said.slice(0, 400)}`, /\b3\b/.test(said));
  same("what is stored", await numbers(), before);
  await shown.getByRole("button", { name: "Keep it" }).click();
  await shown.getByText(/kept/i).first().waitFor();
  holds("now it is stored", (await numbers())[0] > before[0]);
  // Rubbish is refused in words.
  await page.getByLabel("Report files").setInputFiles({ name: "picture.png", mimeType: "image/png", buffer: Buffer.from("\x89PNG\r\n\x1a\n rubbish") });
  const refused = page.getByRole("region", { name: "picture.png" });
  await refused.getByText(/no report|could not be read|no TLS report/i).first().waitFor();
});
