// SPDX-License-Identifier: Apache-2.0
// From the address and the session to a screen.
import type { ComponentType } from "preact";
import { useEffect, useErrorBoundary, useState } from "preact/hooks";
import { go, here } from "./router";
import { screenAt, type ScreenProps } from "./screens";
import { Shell } from "./shell/shell";
import { away, refreshSession, session } from "./state/session";
import { Button } from "./ui/button";
import { Live } from "./ui/live";
import { Bones, Empty, Page } from "./ui/page";

const loaded = new Map<string, ComponentType<ScreenProps>>();

/** The screen of this path, once its code is here. */
function Screen({ path }: { path: string }) {
  const { screen, params } = screenAt(path);
  const [, again] = useState(0);
  const [failed, setFailed] = useState(false);
  const Found = loaded.get(screen.name);
  useEffect(() => {
    if (loaded.has(screen.name)) return;
    let wanted = true;
    screen
      .load()
      .then((code) => {
        loaded.set(screen.name, code.default);
        if (wanted) again((n) => n + 1);
      })
      .catch(() => wanted && setFailed(true));
    return () => {
      wanted = false;
    };
  }, [screen.name]);
  // A new version was installed under an open page: its pieces have other names now.
  if (failed)
    return (
      <Page title="A new version is there">
        <Empty icon="refresh" title="This page is older than the server" actions={<Button onClick={() => location.reload()}>Load it anew</Button>}>
          <p>Part of the page could not be loaded. Most likely Mailtight was updated in the meantime.</p>
        </Empty>
      </Page>
    );
  if (!Found)
    return (
      <div class="page">
        <Bones lines={6} />
      </div>
    );
  return <Found params={params} key={path} />;
}

function Guarded({ path }: { path: string }) {
  const [error, reset] = useErrorBoundary();
  useEffect(reset, [path]);
  if (error)
    return (
      <Page title="Something went wrong">
        <Empty
          icon="attention"
          title="This screen stumbled"
          actions={
            <Button icon="refresh" onClick={reset}>
              Show it again
            </Button>
          }
        >
          <p>It is a fault of the page, not of your domains: everything goes on as before.</p>
          <p class="mono small dim">{String(error)}</p>
        </Empty>
      </Page>
    );
  return <Screen path={path} />;
}

export function App() {
  const { path, search } = here.value;
  const who = session.value;
  useEffect(() => {
    if (who !== undefined) return;
    let timer = 0;
    const ask = async () => {
      if (!(await refreshSession())) timer = window.setTimeout(() => void ask(), 2500);
    };
    void ask();
    return () => window.clearTimeout(timer);
  }, [who === undefined]);
  const atLogin = path === "/login";
  useEffect(() => {
    if (who === null && !atLogin) go("/login?then=" + encodeURIComponent(path + search), { replace: true });
  }, [who, path]);

  return (
    <>
      {atLogin ? (
        <main id="main">
          <Guarded path={path} />
        </main>
      ) : who ? (
        <Shell session={who}>
          <Guarded path={path} />
        </Shell>
      ) : (
        <Waiting gone={away.value} />
      )}
      <Live />
    </>
  );
}

/** Before anything is known. */
function Waiting({ gone }: { gone: boolean }) {
  return (
    <main id="main" class="page">
      {gone ? (
        <Empty icon="globe" title="Mailtight does not answer">
          <h1 class="sr">Waiting for Mailtight</h1>
          <p>It may be starting or restarting. This page asks again every few seconds and goes on by itself.</p>
        </Empty>
      ) : (
        <h1 class="sr">Mailtight</h1>
      )}
    </main>
  );
}
