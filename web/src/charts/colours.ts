// SPDX-License-Identifier: Apache-2.0
// The colours of a canvas follow the custom properties of the page: canvas knows no CSS.

/** The property of the n-th series; the others together are grey. */
export function seriesProperty(index: number, others: boolean): string {
  return others ? "--series-others" : `--series-${(index % 6) + 1}`;
}

/** Calls when the theme changes, by the system or by the switch; gives back what ends it. */
export function onTheme(call: () => void): () => void {
  const watch = new MutationObserver(call);
  watch.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  return () => watch.disconnect();
}
