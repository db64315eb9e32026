// SPDX-License-Identifier: Apache-2.0
// The parts of a screen as links, each with an address of its own. Where they have no room they are moved sideways, and
// the present one is brought into sight.
import { useEffect, useRef } from "preact/hooks";
import { count as words } from "../text/format";

export interface Tab {
  name: string;
  title: string;
  href: string;
  count?: number; // 0 is not shown
  mark?: string; // something waits there: a dot, and these words for who does not see it
}

export function Tabs({ label, tabs, at }: { label: string; tabs: Tab[]; at: string }) {
  const row = useRef<HTMLElement>(null);
  useEffect(() => {
    const box = row.current;
    const here = box?.querySelector<HTMLElement>("[aria-current]");
    if (box && here) box.scrollLeft = here.offsetLeft - (box.clientWidth - here.offsetWidth) / 2;
  }, [at]);
  return (
    <nav class="tabs" aria-label={label} ref={row}>
      {tabs.map((tab) => (
        <a key={tab.name} class="tab" href={tab.href} aria-current={tab.name === at ? "page" : undefined}>
          {tab.title}
          {!!tab.count && <span class="count">{words(tab.count)}</span>}
          {tab.mark && (
            <span class="tab-mark">
              <span class="sr">{tab.mark}</span>
            </span>
          )}
        </a>
      ))}
    </nav>
  );
}
