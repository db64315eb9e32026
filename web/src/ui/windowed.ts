// SPDX-License-Identifier: Apache-2.0
// Which rows of a long list of equal heights are in sight, while the page scrolls. The others are empty space.
import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";

/** [from, to) of the rows in sight, with some more on both sides. */
export function inSight(top: number, height: number, rowHeight: number, total: number, more = 12): [number, number] {
  const first = Math.floor(Math.max(0, top) / rowHeight);
  const last = Math.ceil(Math.max(0, top + height) / rowHeight);
  return [Math.max(0, Math.min(first, total) - more), Math.min(total, last + more)];
}

/** `box` holds the rows alone. Short lists are shown whole: finding in the page works there. */
export function useWindowed(box: RefObject<HTMLElement | null>, total: number, rowHeight: number): [number, number] {
  const whole = total <= 120;
  const [range, setRange] = useState<[number, number]>([0, Math.min(total, 40)]);
  useEffect(() => {
    if (whole) return;
    let frame = 0;
    const look = () => {
      frame = 0;
      const top = box.current?.getBoundingClientRect().top ?? 0;
      const next = inSight(-top, window.innerHeight, rowHeight, total);
      setRange((was) => (was[0] === next[0] && was[1] === next[1] ? was : next));
    };
    const soon = () => {
      frame ||= requestAnimationFrame(look);
    };
    look();
    window.addEventListener("scroll", soon, { passive: true });
    window.addEventListener("resize", soon);
    return () => {
      cancelAnimationFrame(frame);
      window.removeEventListener("scroll", soon);
      window.removeEventListener("resize", soon);
    };
  }, [whole, total, rowHeight]);
  return whole ? [0, total] : [Math.min(range[0], total), Math.min(range[1], total)];
}

/** Whether the page is as narrow as this query says, and stays told. */
export function useMedia(query: string): boolean {
  const [fits, setFits] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const changed = () => setFits(list.matches);
    changed();
    list.addEventListener("change", changed);
    return () => list.removeEventListener("change", changed);
  }, [query]);
  return fits;
}
