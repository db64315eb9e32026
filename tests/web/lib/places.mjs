// SPDX-License-Identifier: Apache-2.0
// The pages, and what each is looked at with. Domains are those of the demo's table (tests/lab/demo/table.py).
import { settled } from "./browser.mjs";

export const places = [
  { name: "overview", path: "/" },
  { name: "overview-attention", path: "/?state=attention" },
  { name: "domain-protected", path: "/domains/harbour.test" },
  { name: "domain-testing", path: "/domains/harbour-freight.test" },
  { name: "domain-broken", path: "/domains/harbour-docks.test" },
  { name: "domain-at-fault", path: "/domains/lantern-works.test" },
  { name: "domain-findings", path: "/domains/harbour-docks.test?tab=findings" },
  { name: "domain-dns", path: "/domains/harbour.test?tab=dns" },
  { name: "domain-history", path: "/domains/harbour.test?tab=history" },
  { name: "domain-settings", path: "/domains/harbour.test?tab=settings" },
  { name: "domain-absent", path: "/domains/harbour-club.test" },
  { name: "domain-unknown", path: "/domains/nobody.test", refused: true },
  { name: "add", path: "/domains/new" },
  { name: "check", path: "/check" },
  { name: "reports", path: "/reports" },
  { name: "reports-of-one", path: "/reports?domain=harbour-docks.test" },
  { name: "report", path: "/reports/1" },
  { name: "read", path: "/read" },
  { name: "sending", path: "/sending" },
  { name: "sending-exceptions", path: "/sending?tab=exceptions" },
  { name: "system", path: "/system" },
  { name: "missing", path: "/no/such/page" },
];

export async function open(page, place) {
  await page.goto(place.path);
  await settled(page);
}

/** A row of a table or an item of a list that says this. */
export const row = (page, words) => page.getByRole("row").filter({ hasText: words }).or(page.getByRole("listitem").filter({ hasText: words })).or(page.getByRole("article").filter({ hasText: words })).first();
