// SPDX-License-Identifier: Apache-2.0
// Who may do what: a viewer is refused, a tenant sees what is theirs, a link works once.
import { ask, get } from "../lib/api.mjs";
import { settled } from "../lib/browser.mjs";
import { administrator, byLink, byPassword } from "../lib/enter.mjs";
import { holds, journey, same } from "../lib/journey.mjs";

const password = "a long enough password of the tests";

async function person(world, name, role, tenant) {
  const boss = await administrator(world);
  await boss.page.goto("/");
  await settled(boss.page);
  const made = await ask(boss.page, "PUT", `/users/${name}`, { role, password, ...(tenant ? { tenant } : {}) });
  holds(`${name} is made: ${made.status} ${JSON.stringify(made.document)}`, made.status < 300);
  const one = await world.visit();
  one.allow(/40[134]/);
  await byPassword(one, name, password);
  return one;
}

journey("a viewer logs in, sees, and is refused what changes something", {}, async (world) => {
  const { page } = await person(world, "vera", "viewer");
  same("the domains", (await get(page, "/overview")).total, 13);
  same("ways to add a domain", await page.getByRole("link", { name: "Add domain" }).count(), 0);
  for (const [method, path, body] of [
    ["POST", "/domains", { domain: "lantern-books.test" }],
    ["POST", "/domains/harbour-freight.test/steps", { do: true }],
    ["POST", "/mutes", { domain: "harbour-docks.test", result_type: "certificate-expired", mx: "", why: "no" }],
    ["PUT", "/override/partner.test", { as: "exempt", why: "no" }],
    ["DELETE", "/domains/harbour.test"],
    ["GET", "/tokens"],
    ["GET", "/audit"],
  ])
    same(`${method} ${path}`, (await ask(page, method, path, body)).status, 403);
  await page.goto("/domains/new");
  await settled(page);
  await page.getByRole("heading", { name: "Domains are added by operators" }).waitFor();
  await page.goto("/domains/harbour-freight.test");
  await settled(page);
  same("buttons that change the domain", await page.getByRole("button", { name: /^Do it|Save|Enforce/ }).count(), 0);
});

journey("an owner's operator sees the owner's domains alone", {}, async (world) => {
  const { page } = await person(world, "olga", "operator", "orchard");
  const rows = (await get(page, "/overview")).rows.map((row) => row.domain);
  same("the domains", rows.every((name) => name.startsWith("orchard")) && rows.length, 5);
  for (const path of ["/domains/harbour.test", "/domains/harbour.test/plan", "/domains/harbour.test/history", "/domains/harbour.test/readiness"]) same(`GET ${path}`, (await ask(page, "GET", path)).status, 404);
  const told = JSON.stringify([await get(page, "/report-summary"), await get(page, "/failures"), await get(page, "/reports?limit=100")]);
  holds("no foreign domain in reports", !told.includes("harbour") && !told.includes("lantern"));
  holds("no place of the whole installation", [403, 404].includes((await ask(page, "GET", "/sending")).status));
});

journey("an owner's operator adds a domain by showing that it is theirs", {}, async (world) => {
  const one = await person(world, "otto", "operator", "orchard");
  one.allow(/422/); // that it is not shown yet
  const { page } = one;
  const name = "guest.lantern-books.test";
  await page.goto(`/domains/new?domain=${name}`);
  await settled(page);
  await page.getByRole("button", { name: "Look after this domain" }).click();
  const proof = page.getByRole("alert").filter({ hasText: "Show that this domain is yours" });
  await proof.waitFor({ timeout: 30_000 });
  const { record } = (await ask(page, "POST", "/domains", { domain: name })).document;
  same("the record's name", record.name, `_mailtight.${name}`);
  const shown = await proof.innerText();
  holds("the page has the record as it is to be published", shown.includes(record.name) && shown.includes(record.value) && shown.includes("TXT"));
  const other = await person(world, "harry", "operator", "harbour");
  other.allow(/422/);
  holds("it is another one for another owner", record.value !== (await ask(other.page, "POST", "/domains", { domain: name })).document.record.value);
  await proof.getByRole("button", { name: "Copy the value of" }).first().click();
  await proof.getByRole("button", { name: "Look again" }).click();
  await proof.getByRole("button", { name: "Look again" }).and(page.locator(":enabled")).waitFor();
  same("without the record it stays so", new URL(page.url()).pathname, "/domains/new");
  await world.demo.order({ do: "records", name: record.name, type: "TXT", values: [record.value] });
  // The second name server follows the first within a second or two, and each must say so.
  const arrived = () => new URL(page.url()).pathname === `/domains/${name}`;
  for (let tries = 0; tries < 20 && !arrived(); tries++) {
    const again = proof.getByRole("button", { name: "Look again" }).and(page.locator(":enabled"));
    await again.click({ timeout: 5_000 }).catch(() => {}); // it has gone where the look before was right
    await page.waitForURL(new RegExp(`/domains/${name}$`), { timeout: 2_000 }).catch(() => {});
  }
  holds("with the record the domain is added", arrived());
  await settled(page);
  same("whose it is", (await get(page, `/domains/${name}`)).wish.owner, "orchard");
  same("given up", (await ask(page, "DELETE", `/domains/${name}`)).status, 200);
  same("added again while the record stands", (await ask(page, "POST", "/domains", { domain: name })).status, 200);
  same("given up for good", (await ask(page, "DELETE", `/domains/${name}`)).status, 200);
});

journey("an administrator makes a link that signs somebody in", {}, async (world) => {
  await person(world, "lena", "viewer");
  const { page } = await administrator(world);
  await page.goto("/system?tab=access");
  await settled(page);
  await page.getByRole("button", { name: "A link that signs lena in" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Make it" }).click();
  const link = await page.getByRole("dialog").getByRole("region", { name: "the link that signs lena in" }).innerText();
  const one = await world.visit();
  await byLink(one, link.trim());
  same("who is in", (await get(one.page, "/session")).name, "lena");
});

journey("a link to log in works once, and a wrong password not at all", {}, async (world) => {
  const link = await world.demo.loginLink();
  const first = await world.visit();
  await byLink(first, link);
  const second = await world.visit();
  second.allow(/40[13]/);
  await second.page.goto(new URL(link).pathname + new URL(link).hash);
  await second.page.getByRole("alert").first().waitFor();
  same("the second comes to", new URL(second.page.url()).pathname, "/login");
  const third = await world.visit();
  third.allow(/40[13]|429/);
  await byPassword(third, "vera", "not the password", false);
  await third.page.getByRole("alert").first().waitFor();
  same("with a wrong password", new URL(third.page.url()).pathname, "/login");
});
