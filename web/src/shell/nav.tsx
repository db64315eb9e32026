// SPDX-License-Identifier: Apache-2.0
// Where one can go: a column beside the page, and on a phone a bar below it.
import type { Session } from "../api/types";
import { here } from "../router";
import { Icon, type IconName } from "../ui/icon";

interface Item {
  href: string;
  words: string;
  icon: IconName;
  under?: string; // paths that belong to it
}

/** A tenant sees domains and their reports, not the installation. */
export function itemsFor(session: Session): { main: Item[]; tools: Item[]; phone: Item[] } {
  const all = session.tenant === null;
  const overview: Item = { href: "/", words: "Overview", icon: "shield", under: "/domains" };
  const reports: Item = { href: "/reports", words: "Reports", icon: "reports", under: "/reports" };
  const sending: Item = { href: "/sending", words: "Sending", icon: "send" };
  const system: Item = { href: "/system", words: "System", icon: "system" };
  const check: Item = { href: "/check", words: "Check a domain", icon: "scan" };
  const read: Item = { href: "/read", words: "Read a report", icon: "file" };
  const mayManage = all && session.role !== "viewer";
  const main = [overview, reports, ...(all ? [sending] : []), ...(mayManage ? [system] : [])];
  return { main, tools: [check, read], phone: [overview, { ...check, words: "Check" }, reports, ...(all ? [sending] : []), ...(mayManage ? [system] : [])] };
}

function isHere(item: Item): boolean {
  const path = here.value.path;
  return path === item.href || (!!item.under && path.startsWith(item.under + "/"));
}

const Entry = ({ item }: { item: Item }) => (
  <li>
    <a class="nav-item" href={item.href} aria-current={isHere(item) ? "page" : undefined}>
      <Icon name={item.icon} />
      {item.words}
    </a>
  </li>
);

export function SideNav({ session }: { session: Session }) {
  const { main, tools } = itemsFor(session);
  return (
    <nav aria-label="Main">
      <ul>
        {main.map((item) => (
          <Entry item={item} key={item.href} />
        ))}
      </ul>
      <p class="nav-head">Tools</p>
      <ul>
        {tools.map((item) => (
          <Entry item={item} key={item.href} />
        ))}
      </ul>
    </nav>
  );
}

export function BottomNav({ session }: { session: Session }) {
  return (
    <nav class="bottombar" aria-label="Main">
      <ul>
        {itemsFor(session).phone.map((item) => (
          <li key={item.href}>
            <a href={item.href} aria-current={isHere(item) ? "page" : undefined}>
              <Icon name={item.icon} size={18} />
              {item.words}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
