// SPDX-License-Identifier: Apache-2.0
// Days of the calendar, always UTC, as the reports have them. A day is a text such as "2026-01-31" at the edges and
// a number of days since 1970 inside. Pure.
import type { Day } from "../api/types";

const length = 86_400_000;

export function dayNumber(day: Day): number {
  return Math.floor(Date.parse(`${day}T00:00:00Z`) / length);
}

export function dayText(number: number): Day {
  return new Date(number * length).toISOString().slice(0, 10);
}

/** Whether a text is a day that exists. */
export function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const at = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(at) && dayText(Math.floor(at / length)) === text;
}

export function addDays(day: Day, many: number): Day {
  return dayText(dayNumber(day) + many);
}

export function daysBetween(from: Day, to: Day): number {
  return dayNumber(to) - dayNumber(from);
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** "21 Nov". */
export function dayShort(day: Day): string {
  return `${Number(day.slice(8, 10))} ${months[Number(day.slice(5, 7)) - 1] ?? ""}`;
}

/** "21 Nov 2026". */
export function dayLong(day: Day): string {
  return `${dayShort(day)} ${day.slice(0, 4)}`;
}

/** "21 Nov 2026", "19 to 21 Nov 2026", "30 Oct to 2 Nov 2026", "30 Dec 2025 to 2 Jan 2026". */
export function daysWords(from: Day, to: Day): string {
  if (from === to) return dayLong(from);
  if (from.slice(0, 7) === to.slice(0, 7)) return `${Number(from.slice(8, 10))} to ${dayLong(to)}`;
  if (from.slice(0, 4) === to.slice(0, 4)) return `${dayShort(from)} to ${dayLong(to)}`;
  return `${dayLong(from)} to ${dayLong(to)}`;
}

/** The Monday of the week of a day. */
export function weekOf(number: number): number {
  return number - (((number + 3) % 7) + 7) % 7; // day 0 was a Thursday
}
