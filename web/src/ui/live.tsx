// SPDX-License-Identifier: Apache-2.0
// What is said to screen readers without moving the focus, and toasts that everybody sees.
import { signal } from "@preact/signals";
import { Icon, type IconName } from "./icon";

const said = signal("");
interface Toast {
  number: number;
  words: string;
  tone: "good" | "bad";
}
const toasts = signal<Toast[]>([]);
let counter = 0;

/** Said politely, after what is being read. */
export function announce(words: string): void {
  said.value = "";
  window.setTimeout(() => {
    said.value = words;
  }, 60);
}

export function toast(words: string, tone: "good" | "bad" = "good"): void {
  const number = ++counter;
  toasts.value = [...toasts.value.slice(-2), { number, words, tone }];
  window.setTimeout(() => dismiss(number), tone === "bad" ? 10_000 : 5_000);
}

const dismiss = (number: number): void => {
  toasts.value = toasts.value.filter((one) => one.number !== number);
};
const signs: Record<Toast["tone"], IconName> = { good: "good", bad: "bad" };

export const Live = () => (
  <>
    <div class="sr" role="status" aria-live="polite">
      {said.value}
    </div>
    <div class="toasts" role="region" aria-label="Notices" aria-live="polite">
      {toasts.value.map((one) => (
        <div class="toast" key={one.number}>
          <span class={`tone-${one.tone}`}>
            <Icon name={signs[one.tone]} />
          </span>
          <span>{one.words}</span>
          <button type="button" class="button small quiet icon" aria-label="Dismiss" onClick={() => dismiss(one.number)}>
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  </>
);
