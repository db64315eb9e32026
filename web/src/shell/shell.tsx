// SPDX-License-Identifier: Apache-2.0
// What stands around every screen once somebody is signed in.
import type { ComponentChildren } from "preact";
import type { Session } from "../api/types";
import { away, refreshSession } from "../state/session";
import { Icon, Mark } from "../ui/icon";
import { BottomNav, SideNav } from "./nav";
import { Who } from "./who";
import { useEffect } from "preact/hooks";

/** Says that the server is gone, and asks until it is back. */
function Away() {
  const is = away.value;
  useEffect(() => {
    if (!is) return;
    const timer = window.setInterval(() => void refreshSession(), 3000);
    return () => window.clearInterval(timer);
  }, [is]);
  return (
    <div role="status">
      {is && (
        <div class="away">
          <Icon name="attention" />
          Mailtight does not answer. What you see may be old; trying again…
        </div>
      )}
    </div>
  );
}

export function Shell({ session, children }: { session: Session; children: ComponentChildren }) {
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <div class="shell">
        <header class="side">
          <a class="brand" href="/" aria-label="Mailtight, overview">
            <Mark />
            Mailtight
          </a>
          <SideNav session={session} />
          <div class="side-foot">
            <Who session={session} />
          </div>
        </header>
        <header class="topbar">
          <a class="brand" href="/" aria-label="Mailtight, overview">
            <Mark />
            Mailtight
          </a>
          <Who session={session} small />
        </header>
        <div class="main">
          <Away />
          <main id="main" tabIndex={-1}>
            {children}
          </main>
        </div>
        <BottomNav session={session} />
      </div>
    </>
  );
}
