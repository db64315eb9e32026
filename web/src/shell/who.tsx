// SPDX-License-Identifier: Apache-2.0
// Who is signed in; the theme; the way out.
import type { Session } from "../api/types";
import { signOut } from "../state/session";
import { setTheme, theme, type Theme } from "../state/theme";
import { Icon, type IconName } from "../ui/icon";
import { Menu } from "../ui/menu";

const themes: [Theme, string, IconName][] = [
  ["system", "As the system has it", "display"],
  ["light", "Light", "sun"],
  ["dark", "Dark", "moon"],
];

export function Who({ session, small }: { session: Session; small?: boolean }) {
  return (
    <Menu
      up
      cls="who"
      {...(small ? { label: `${session.name}: theme and sign out` } : {})}
      button={
        <>
          <span class="avatar" aria-hidden="true" data-letters={session.name.slice(0, 2)} />
          {!small && (
            <span class="grow">
              <span class="name clip">{session.name}</span>
              <span class="dim small">{session.tenant ?? session.role}</span>
              <span class="sr">: theme and sign out</span>
            </span>
          )}
        </>
      }
    >
      <>
        {themes.map(([name, words, icon]) => (
          <button type="button" key={name} aria-pressed={theme.value === name} onClick={() => setTheme(name)}>
            <Icon name={icon} />
            <span class="grow">{words}</span>
            {theme.value === name && <Icon name="check" />}
          </button>
        ))}
        <hr class="menu-rule" />
        <button type="button" onClick={() => void signOut()}>
          <Icon name="out" />
          Sign out
        </button>
        <p class="menu-note">Mailtight {session.version}</p>
      </>
    </Menu>
  );
}
