// SPDX-License-Identifier: Apache-2.0
// Numbers, dates and times as people read them. Days and times are UTC, as reports and plans count them; the
// exact time stands in the title of what shows a relative one.
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat("en", { maximumFractionDigits: 1, notation: "compact" });
const months = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

/** 12,345 */
export const count = (n: number): string => whole.format(n);

/** 12.3k where it is large; exact below 10,000. */
export const short = (n: number): string => (Math.abs(n) < 10_000 ? whole.format(n) : tenth.format(n).replace("K", "k"));

/** "1 domain", "3 domains" */
export const plural = (n: number, one: string, many = one + "s"): string => `${count(n)} ${n === 1 ? one : many}`;

/** The share of a part, never rounded to 0 % or 100 % where it is not. */
export function share(part: number, of: number): string {
  if (of <= 0) return "–";
  const p = (100 * part) / of;
  if (part === 0) return "0 %";
  if (part === of) return "100 %";
  if (p < 0.01) return "< 0.01 %";
  if (p > 99.99) return "> 99.99 %";
  if (p < 1 || p > 99) return `${p.toFixed(2)} %`;
  if (p < 10 || p > 90) return `${p.toFixed(1)} %`;
  return `${Math.round(p)} %`;
}

/** "3 May 2026" of a day or a time */
export function day(text: string | null | undefined): string {
  const at = parse(text);
  return at ? `${at.getUTCDate()} ${months[at.getUTCMonth()]} ${at.getUTCFullYear()}` : "–";
}

/** "3 May", with the year where it is not this one */
export function shortDay(text: string | null | undefined, now = Date.now()): string {
  const at = parse(text);
  if (!at) return "–";
  const month = months[at.getUTCMonth()]!.slice(0, 3);
  const year = at.getUTCFullYear();
  return year === new Date(now).getUTCFullYear() ? `${at.getUTCDate()} ${month}` : `${at.getUTCDate()} ${month} ${year}`;
}

/** "3 May 2026, 14:05 UTC" */
export function time(text: string | null | undefined): string {
  const at = parse(text);
  return at ? `${day(text)}, ${two(at.getUTCHours())}:${two(at.getUTCMinutes())} UTC` : "–";
}

/** From one time to another; of a whole day the day alone. */
export function period(start: string, end: string): string {
  const whole = /T00:00(?::00)?(?:\.0+)?Z$/.test(start) && /T(?:23:59|24:00)/.test(end) && start.slice(0, 10) === end.slice(0, 10);
  return whole ? `${day(start)}, the whole day (UTC)` : `${time(start)} to ${time(end)}`;
}

/** "in 3 hours", "5 minutes ago", "just now" */
export function relative(text: string | null | undefined, now: number): string {
  const at = parse(text);
  if (!at) return "never";
  const gap = at.getTime() - now;
  const size = Math.abs(gap);
  if (size < 45_000) return gap > 0 ? "in a moment" : "just now";
  const words = span(size / 1000);
  return gap > 0 ? `in ${words}` : `${words} ago`;
}

/** "2 days", "3 hours": of seconds, the largest unit that is at least one, rounded */
export function span(seconds: number): string {
  const steps: [number, string][] = [
    [86_400 * 365, "year"],
    [86_400 * 60, "month"],
    [86_400, "day"],
    [3_600, "hour"],
    [60, "minute"],
    [1, "second"],
  ];
  for (const [size, word] of steps) {
    if (seconds < size) continue;
    const n = word === "month" ? Math.round(seconds / (86_400 * 30.44)) : Math.round(seconds / size);
    return plural(n, word);
  }
  return "0 seconds";
}

/** "42 ms", "1.3 s" */
export const elapsed = (ms: number): string => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);

/** First letter large, unless the first word is a name of DNS, a command or the like: "mx1.example.com: …". */
export const capital = (text: string): string => (/^[a-z]+(?=[\s,;']|$)/.test(text) ? text[0]!.toUpperCase() + text.slice(1) : text);

/** "a, b and c" */
export function list(items: string[]): string {
  if (items.length < 2) return items.join("");
  return `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;
}

/** Where a domain is and where it is going: "testing → enforce". */
export function course(at: { mode: string | null; aim: string; verdict?: string }): string {
  if (at.mode === null) return at.aim === "off" ? "off" : `goal: ${at.aim}`;
  if (at.mode !== at.aim) return `${at.mode} → ${at.aim}`;
  return at.verdict === at.mode ? `stays in ${at.mode}` : at.mode; // the word alone stands beside it already
}

function parse(text: string | null | undefined): Date | null {
  if (!text) return null;
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? null : at;
}
const two = (n: number): string => String(n).padStart(2, "0");
