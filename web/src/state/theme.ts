// SPDX-License-Identifier: Apache-2.0
// Light, dark, or as the system has it. What is shown stands at the root as `data-theme`: public/theme.js sets it, also
// when the system changes.
import { signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";

const chosen = typeof document !== "undefined" ? document.documentElement.dataset.choice : undefined;
export const theme = signal<Theme>(chosen === "light" || chosen === "dark" ? chosen : "system");

export function setTheme(to: Theme): void {
  theme.value = to;
  if (to === "system") delete document.documentElement.dataset.choice;
  else document.documentElement.dataset.choice = to;
  window.dispatchEvent(new Event("theme"));
  try {
    if (to === "system") localStorage.removeItem("theme");
    else localStorage.setItem("theme", to);
  } catch {
    // Storage may be refused: it holds until the page is left.
  }
}

/** The value of a design token, for what is drawn on a canvas. */
export const token = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
