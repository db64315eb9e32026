// SPDX-License-Identifier: Apache-2.0
// What the overview shows, kept in its address, so that a view can be kept as a bookmark and sent to others.
import type { Query } from "../../api/client";

export const states = ["all", "attention", "protected", "testing", "broken", "absent", "unseen"] as const;
export type State = (typeof states)[number];
export const sorts = ["domain", "verdict", "failures", "sessions", "seen", "next"] as const;
export type Sort = (typeof sorts)[number];
export type Order = "up" | "down";

export interface View {
  contains: string;
  label: string;
  state: State;
  sort: Sort;
  order: Order;
}

export const stateWords: Record<State, string> = {
  all: "All",
  attention: "Without or with invalid configuration",
  protected: "Protected",
  testing: "Testing",
  broken: "Broken",
  absent: "Not set up",
  unseen: "Not looked at",
};
export const sortWords: Record<Sort, string> = {
  domain: "Domain",
  verdict: "State",
  failures: "Failure share",
  sessions: "Sessions",
  seen: "Last look",
  next: "What to do next",
};

const among = <T extends string>(all: readonly T[], text: string | null, otherwise: T): T => (all.includes(text as T) ? (text as T) : otherwise);

export function readView(search: URLSearchParams): View {
  const sort = among(sorts, search.get("sort"), "domain");
  return {
    contains: search.get("contains") ?? "",
    label: search.get("label") ?? "",
    state: among(states, search.get("state"), "all"),
    sort,
    order: among(["up", "down"] as const, search.get("order"), firstOrder(sort)),
  };
}

/** Names from A, and what is worst or most at the top. */
export const firstOrder = (sort: Sort): Order => (sort === "failures" || sort === "sessions" || sort === "seen" ? "down" : "up");

/** What a click on a column's head asks for, as parameters of the address. */
export function sortBy(view: View, sort: Sort): Record<string, string | null> {
  const order: Order = view.sort !== sort ? firstOrder(sort) : view.order === "up" ? "down" : "up";
  return { sort: sort === "domain" ? null : sort, order: order === firstOrder(sort) ? null : order };
}

export function toQuery(view: View): Query {
  return { contains: view.contains.trim(), label: view.label, state: view.state === "all" ? "" : view.state, sort: view.sort, order: view.order };
}

export const isFiltered = (view: View): boolean => !!view.contains.trim() || !!view.label || view.state !== "all";
