// SPDX-License-Identifier: Apache-2.0
// What of the reports is looked at: it stands in the query of the page, so that every view is a link. Pure.
import type { Query } from "../../api/client";
import type { Day } from "../../api/types";
import { addDays, dayNumber, daysBetween, isDay } from "../../charts/days";

export interface Filter {
  days: number; // the last so many, where no days are said; 0: they are said
  from: Day;
  to: Day;
  domain: string;
  reporter: string;
  result: string;
  mx: string;
}
export interface ListFilter {
  what: "counted" | "quarantined" | "tests";
  failures: boolean;
  offset: number;
}
export type Change = Partial<Omit<Filter, "days"> & { days: number }>;

export const periods: [number, string][] = [
  [7, "7 days"],
  [30, "30 days"],
  [90, "90 days"],
  [365, "A year"],
];
const usual = 30;
const longest = 731;

/** The period ends with today: senders report of a day on the next, so the last column fills up later. */
export function readFilter(search: string, today: Day): Filter {
  const query = new URLSearchParams(search);
  const text = (name: string): string => (query.get(name) ?? "").trim();
  const rest = { domain: text("domain").toLowerCase(), reporter: text("reporter").toLowerCase(), result: text("result").toLowerCase(), mx: text("mx").toLowerCase() };
  let from = text("from");
  let to = text("to");
  if (isDay(from) || isDay(to)) {
    if (!isDay(to)) to = dayNumber(from) > dayNumber(today) ? from : today;
    if (!isDay(from)) from = addDays(to, 1 - usual);
    if (dayNumber(from) > dayNumber(to)) [from, to] = [to, from];
    if (daysBetween(from, to) >= longest) from = addDays(to, 1 - longest);
    return { days: 0, from, to, ...rest };
  }
  const typed = Number(text("days"));
  const days = periods.some(([each]) => each === typed) ? typed : usual;
  return { days, from: addDays(today, 1 - days), to: today, ...rest };
}

export function readList(search: string): ListFilter {
  const query = new URLSearchParams(search);
  const what = query.get("what");
  const offset = Number(query.get("offset"));
  return {
    what: what === "quarantined" || what === "tests" ? what : "counted",
    failures: query.get("failures") === "1",
    offset: Number.isSafeInteger(offset) && offset > 0 ? offset : 0,
  };
}

/** The parameters of the API. */
export function ask(of: Filter): Query {
  return { domain: of.domain, reporter: of.reporter, result: of.result, mx: of.mx, from: of.from, to: of.to };
}

/** The address of this page with another filter; the list begins anew. */
export function linkTo(of: Filter, change: Change = {}, list: Partial<ListFilter> = {}, anchor = ""): string {
  const next = { ...of, ...change };
  const query = new URLSearchParams();
  const said = change.from !== undefined || change.to !== undefined ? true : change.days !== undefined ? false : of.days === 0;
  if (said) {
    query.set("from", next.from);
    query.set("to", next.to);
  } else if (next.days !== usual) query.set("days", String(next.days));
  for (const name of ["domain", "reporter", "result", "mx"] as const) if (next[name]) query.set(name, next[name]);
  if (list.what && list.what !== "counted") query.set("what", list.what);
  if (list.failures) query.set("failures", "1");
  if (list.offset) query.set("offset", String(list.offset));
  const text = query.toString();
  return `/reports${text ? `?${text}` : ""}${anchor ? `#${anchor}` : ""}`;
}
