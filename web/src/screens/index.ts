// SPDX-License-Identifier: Apache-2.0
// Which screen stands at which path. Each is loaded when it is first wanted; links that are pointed at fetch theirs ahead.
import type { ComponentType } from "preact";
import { match } from "../router";

export type Params = Record<string, string>;
export interface ScreenProps {
  params: Params;
}
type Load = () => Promise<{ default: ComponentType<ScreenProps> }>;
interface Screen {
  name: string;
  pattern: string;
  load: Load;
}

const screens: Screen[] = [
  { name: "overview", pattern: "/", load: () => import("./overview") },
  { name: "add", pattern: "/domains/new", load: () => import("./add") },
  { name: "domain", pattern: "/domains/:domain", load: () => import("./domain") },
  { name: "check", pattern: "/check", load: () => import("./check") },
  { name: "reports", pattern: "/reports", load: () => import("./reports") },
  { name: "report", pattern: "/reports/:number", load: () => import("./report") },
  { name: "read", pattern: "/read", load: () => import("./read") },
  { name: "sending", pattern: "/sending", load: () => import("./sending") },
  { name: "system", pattern: "/system", load: () => import("./system") },
  { name: "login", pattern: "/login", load: () => import("./login") },
];
const missing: Screen = { name: "missing", pattern: "", load: () => import("./missing") };

/** Fetches the code of the page at this path before it is wanted. */
export function warm(path: string): void {
  screenAt(path)
    .screen.load()
    .catch(() => undefined); // asked for again, and shown, when it is wanted
}

export function screenAt(path: string): { screen: Screen; params: Params } {
  for (const screen of screens) {
    const params = match(screen.pattern, path);
    if (params) return { screen, params };
  }
  return { screen: missing, params: {} };
}
