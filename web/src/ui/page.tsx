// SPDX-License-Identifier: Apache-2.0
// The frame of a screen: its title (of the window, and the one h1), and the states that every screen has.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { ApiError } from "../api/client";
import { here } from "../router";
import { capital } from "../text/format";
import { Button, LinkButton } from "./button";
import { Icon, type IconName } from "./icon";

interface PageProps {
  title: string;
  head?: ComponentChildren; // instead of the plain title in the h1
  sub?: ComponentChildren;
  back?: { href: string; words: string };
  actions?: ComponentChildren;
  narrow?: boolean;
  children: ComponentChildren;
}

let first = true;

export function Page({ title, head, sub, back, actions, narrow, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Mailtight`;
  }, [title]);
  const path = here.value.path;
  useEffect(() => {
    // A new page: its heading gets the focus, so that a screen reader says where we are. Not on the first, which
    // the browser announces by itself.
    if (!first) heading.current?.focus({ preventScroll: true });
    first = false;
  }, [path]);
  return (
    <div class={narrow ? "page narrow" : "page"}>
      <div class="page-head">
        <div class="grow">
          {back && (
            <a class="crumb" href={back.href}>
              <Icon name="left" size={12} />
              {back.words}
            </a>
          )}
          <h1 tabIndex={-1} ref={heading}>
            {head ?? title}
          </h1>
          {sub && <div class="sub">{sub}</div>}
        </div>
        {actions && <div class="row">{actions}</div>}
      </div>
      {children}
    </div>
  );
}

export function Empty({ icon, title, children, actions, level = 2 }: { icon: IconName; title: string; children?: ComponentChildren; actions?: ComponentChildren; level?: 2 | 3 }) {
  const Heading = level === 2 ? "h2" : "h3";
  return (
    <div class="empty">
      <span class="empty-sign">
        <Icon name={icon} size={22} />
      </span>
      <Heading>{title}</Heading>
      {children}
      {actions && <div class="row">{actions}</div>}
    </div>
  );
}

export function Notice({ tone = "unknown", icon, title, children }: { tone?: "good" | "attention" | "bad" | "unknown"; icon?: IconName; title?: string; children?: ComponentChildren }) {
  const sign: IconName = icon ?? (tone === "unknown" ? "info" : tone);
  return (
    <div class={`notice ${tone}`}>
      <Icon name={sign} />
      <div class="grow stack-s">
        {title && <strong>{title}</strong>}
        {children && <div class="soft">{children}</div>}
      </div>
    </div>
  );
}

/** What an ApiError looks like in the place of what was asked for. */
export function Failed({ error, retry, what, instead }: { error: ApiError; retry?: () => void; what?: string; /** what can be done where there is none */ instead?: ComponentChildren }) {
  const none = error.status === 404;
  const refused = error.status === 403;
  return (
    <div role="alert">
      <Empty
        icon={error.away ? "globe" : none ? "search" : refused ? "lock" : "attention"}
        title={error.away ? "Mailtight does not answer" : none ? `${what ?? "This"} was not found` : refused ? "Your role does not allow this" : error.problem.title}
        actions={
          <>
            {retry && !none && !refused && (
              <Button icon="refresh" onClick={retry}>
                Try again
              </Button>
            )}
            {(none || refused) && <LinkButton href="/">Go to the overview</LinkButton>}
            {none && instead}
          </>
        }
      >
        <p>{capital(error.message)}</p>
      </Empty>
    </div>
  );
}

/** The place of tiles and of what stands below them, while both are on their way. */
export function TileBones({ tiles = 4 }: { tiles?: number }) {
  return (
    <div class="stack" role="status" aria-label="Loading">
      <div class="tiles">
        {Array.from({ length: tiles }, (_, i) => (
          <span class="bone bone-tile" key={i} />
        ))}
      </div>
      <span class="bone bone-graph" />
    </div>
  );
}

/** Keeps the place of what is on its way. */
export function Bones({ lines = 4, block }: { lines?: number; block?: boolean }) {
  return (
    <div role="status" aria-label="Loading">
      {block ? <span class="bone block" /> : Array.from({ length: lines }, (_, i) => <span class={`bone line bone-${i % 4}`} key={i} />)}
    </div>
  );
}
