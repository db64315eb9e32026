// SPDX-License-Identifier: Apache-2.0
// Paths of pages, with the browser's history. Links are plain <a href="/…">: one listener on the document follows
// those that stay here, so that opening in a new tab works as everywhere.
import { signal } from "@preact/signals";

export interface Place {
  path: string;
  search: string; // with its "?"; "" where there is none
  hash: string;
}

const inBrowser = typeof window !== "undefined";

const read = (): Place => (inBrowser ? { path: location.pathname, search: location.search, hash: location.hash } : { path: "/", search: "", hash: "" });

export const here = signal<Place>(read());

/** Goes to another page, or to the same with another query (`keep`: the reader stays where they are). */
export function go(to: string, how: { replace?: boolean; keep?: boolean } = {}): void {
  const before = here.value;
  keepTop();
  if (how.replace) history.replaceState(history.state, "", to);
  else history.pushState({ top: how.keep ? window.scrollY : 0 }, "", to);
  here.value = read();
  if (!how.keep && before.path !== here.value.path) window.scrollTo(0, 0);
}

/** Sets or (with "") removes parameters of the present query, without a new entry of the history. */
export function setQuery(change: Record<string, string | null | undefined>): void {
  go(here.value.path + changedQuery(here.value.search, change), { replace: true, keep: true });
}

export function changedQuery(search: string, change: Record<string, string | null | undefined>): string {
  const query = new URLSearchParams(search);
  for (const [name, value] of Object.entries(change)) {
    if (value) query.set(name, value);
    else query.delete(name);
  }
  const text = query.toString();
  return text ? `?${text}` : "";
}

export const queryOf = (place: Place): URLSearchParams => new URLSearchParams(place.search);

/** The parameters of `path` where it fits `pattern` ("/domains/:domain"), else null. */
export function match(pattern: string, path: string): Record<string, string> | null {
  const want = pattern.split("/").filter(Boolean);
  const have = path.split("/").filter(Boolean);
  if (want.length !== have.length) return null;
  const found: Record<string, string> = {};
  for (let i = 0; i < want.length; ++i) {
    const piece = want[i]!;
    const text = have[i]!;
    if (piece.startsWith(":")) {
      try {
        found[piece.slice(1)] = decodeURIComponent(text);
      } catch {
        return null; // a broken escape
      }
    } else if (piece !== text) return null;
  }
  return found;
}

/** A path of our own pages, where this text is one; "/" otherwise: nobody sends us elsewhere after the login. */
export function ownPath(text: string | null): string {
  return text && /^\/(?![/\\])[\x21-\x7e]*$/.test(text) && !text.startsWith("/login") ? text : "/";
}

/** Whether a click on this link is ours to follow. */
function follows(event: MouseEvent, link: HTMLAnchorElement): boolean {
  return (
    !event.defaultPrevented &&
    event.button === 0 &&
    !event.metaKey &&
    !event.ctrlKey &&
    !event.shiftKey &&
    !event.altKey &&
    link.origin === location.origin &&
    !link.target &&
    !link.hasAttribute("download") &&
    !link.pathname.startsWith("/api/")
  );
}

// How far down the reader was stands in each entry of the history. The browser's own memory does not do: it looks before
// what was asked of the server is there.
let resting = 0;
let restoring = 0;

function keepTop(): void {
  window.clearTimeout(resting);
  if (!restoring) history.replaceState({ ...history.state, top: window.scrollY }, "");
}

/** Goes back to where the reader was as soon as the page is long enough; whoever moves first is not disturbed. */
function restore(top: number): void {
  cancelAnimationFrame(restoring);
  const until = performance.now() + 3000;
  const moved = new AbortController();
  const step = () => {
    if (!moved.signal.aborted) window.scrollTo(0, top);
    if (Math.abs(window.scrollY - top) > 1 && performance.now() < until && !moved.signal.aborted) restoring = requestAnimationFrame(step);
    else {
      restoring = 0;
      moved.abort();
    }
  };
  for (const kind of ["wheel", "touchstart", "keydown", "pointerdown"]) window.addEventListener(kind, () => moved.abort(), { once: true, passive: true, signal: moved.signal });
  restoring = requestAnimationFrame(step);
}

const topOf = (state: unknown): number => (typeof state === "object" && state !== null && "top" in state && typeof state.top === "number" ? state.top : 0);

/** `soon` is told of a page that somebody is about to open. */
export function listen(soon: (path: string) => void): void {
  history.scrollRestoration = "manual";
  window.addEventListener("popstate", (event) => {
    here.value = read();
    if (event.state !== null || !here.value.hash) restore(topOf(event.state)); // a link within the page is the browser's
  });
  window.addEventListener(
    "scroll",
    () => {
      window.clearTimeout(resting);
      resting = window.setTimeout(keepTop, 150);
    },
    { passive: true },
  );
  if (topOf(history.state) > 0) restore(topOf(history.state));
  document.addEventListener("pointerover", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (link instanceof HTMLAnchorElement && link.origin === location.origin && !link.pathname.startsWith("/api/") && link.pathname !== location.pathname) soon(link.pathname);
  });
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (!(link instanceof HTMLAnchorElement) || !link.getAttribute("href") || !follows(event, link)) return;
    if (link.getAttribute("href")!.startsWith("#")) return;
    event.preventDefault();
    go(link.pathname + link.search + link.hash);
  });
}
