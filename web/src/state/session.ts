// SPDX-License-Identifier: Apache-2.0
// Who is signed in, and whether the server is there. One of each for the whole page.
import { signal } from "@preact/signals";
import { api, asApiError, hooks } from "../api/client";
import type { Credentials, Role, Session } from "../api/types";
import { go, here } from "../router";

/** undefined: not asked yet; null: nobody. */
export const session = signal<Session | null | undefined>(undefined);
export const away = signal(false);

const ranks: Record<Role, number> = { viewer: 0, operator: 1, administrator: 2 };

/** Whether who is signed in may do what this role may. */
export const can = (role: Role): boolean => !!session.value && ranks[session.value.role] >= ranks[role];

/** How far the server's clock is from ours, in milliseconds: waits are counted by the server's. */
let ahead = 0;
export const now = (): number => Date.now() + ahead;

function began(one: Session): void {
  const at = Date.parse(one.now);
  ahead = Number.isNaN(at) ? 0 : at - Date.now();
  session.value = one;
}

hooks.csrf = () => session.value?.csrf ?? "";
hooks.onAway = (is) => {
  away.value = is;
};
hooks.onSignedOut = () => {
  const ended = session.value ? "&ended=1" : "";
  session.value = null;
  if (here.value.path !== "/login") go("/login?then=" + encodeURIComponent(here.value.path + here.value.search) + ended, { replace: true });
};

/** Asks who we are. True where there was an answer. */
export async function refreshSession(): Promise<boolean> {
  try {
    began(await api.quiet<Session>("GET", "/session"));
    return true;
  } catch (caught) {
    const error = asApiError(caught);
    if (error.status === 401 || error.status === 403) {
      session.value = null;
      return true;
    }
    return false;
  }
}

/** Throws an ApiError where it is not right. */
export async function signIn(with_: Credentials): Promise<void> {
  began(await api.quiet<Session>("POST", "/session", with_));
}

export async function signOut(): Promise<void> {
  try {
    await api.delete("/session");
  } finally {
    session.value = null;
    go("/login");
  }
}
