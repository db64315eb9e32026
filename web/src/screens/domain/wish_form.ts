// SPDX-License-Identifier: Apache-2.0
// The settings of a domain as the fields of a form, and the change that was made to them. Pure.
import type { Wish } from "../../api/types";

export interface Fields {
  aim: Wish["aim"];
  leave: Wish["leave"];
  host: Wish["host"];
  policy_host: string;
  dns: Wish["dns"];
  max_age: string; // days; "" : as the plan's ladder goes
  mx: string; // one a line; "" : as DNS has them
  mx_adding: string;
  mx_removing: string;
  rua: string;
  labels: string;
  owner: string;
}

const lines = (items: string[]): string => items.join("\n");
/** Lines, commas and spaces all divide. */
export const items = (text: string): string[] => [...new Set(text.split(/[\s,]+/).filter(Boolean))];

export function fieldsOf(wish: Wish): Fields {
  return {
    aim: wish.aim,
    leave: wish.leave,
    host: wish.host,
    policy_host: wish.policy_host,
    dns: wish.dns,
    max_age: wish.max_age === null ? "" : days(wish.max_age),
    mx: lines(wish.mx),
    mx_adding: lines(wish.mx_adding),
    mx_removing: lines(wish.mx_removing),
    rua: lines(wish.rua),
    labels: wish.labels.join(", "),
    owner: wish.owner,
  };
}

const days = (seconds: number): string => String(Math.round((seconds / 86_400) * 100) / 100);

/** An address alone is a mailbox. */
const uri = (text: string): string => (/^(mailto|https):/i.test(text) || !text.includes("@") ? text : `mailto:${text}`);

export type WishChange = Partial<Pick<Wish, "aim" | "leave" | "host" | "policy_host" | "dns" | "max_age" | "mx" | "mx_adding" | "mx_removing" | "rua" | "labels" | "owner">>;

/** Only what was changed; an error says which field cannot be so. */
export function changeOf(wish: Wish, to: Fields): { change: WishChange; wrong: Partial<Record<keyof Fields, string>> } {
  const was = fieldsOf(wish);
  const change: WishChange = {};
  const wrong: Partial<Record<keyof Fields, string>> = {};
  if (to.aim !== was.aim) change.aim = to.aim;
  if (to.leave !== was.leave) change.leave = to.leave;
  if (to.host !== was.host) change.host = to.host;
  if (to.dns !== was.dns) change.dns = to.dns;
  if (to.policy_host.trim() !== was.policy_host) change.policy_host = to.policy_host.trim();
  if (to.owner.trim() !== was.owner) change.owner = to.owner.trim();
  if (to.max_age.trim() !== was.max_age) {
    const number = Number(to.max_age.trim().replace(",", "."));
    if (to.max_age.trim() === "") change.max_age = null;
    else if (!(number > 0 && number * 86_400 <= 31_557_600)) wrong.max_age = "Between 1 and 365 days, or nothing."; // RFC 8461 §3.2
    else change.max_age = Math.round(number * 86_400);
  }
  for (const name of ["mx", "mx_adding", "mx_removing"] as const)
    if (to[name] !== was[name]) change[name] = items(to[name].toLowerCase().replace(/\.(?=[\s,]|$)/g, ""));
  if (to.rua !== was.rua) change.rua = items(to.rua).map(uri);
  if (to.labels !== was.labels) change.labels = [...new Set(to.labels.split(",").map((label) => label.trim()).filter(Boolean))];
  return { change, wrong };
}
