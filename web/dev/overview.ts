// SPDX-License-Identifier: Apache-2.0
// GET /overview over the rows of fixtures/overview.json: filtered, sorted and paged as the daemon does it.
import type { Overview, OverviewRow } from "../src/api/types";

const needsAttention = (row: OverviewRow): boolean =>
  row.verdict === "absent" || row.verdict === "broken" || row.verdict === "unreachable" || Object.values(row.parts).some((part) => part === "invalid" || part === "missing");

function fits(row: OverviewRow, state: string): boolean {
  if (state === "" || state === "all") return true;
  return state === "attention" ? needsAttention(row) : row.verdict === state;
}

const share = (row: OverviewRow): number => row.sessions.failure / Math.max(1, row.sessions.failure + row.sessions.success);
const keys: Record<string, (row: OverviewRow) => string | number> = {
  domain: (row) => row.domain,
  verdict: (row) => ["broken", "absent", "unreachable", "unverified", "unseen", "retiring", "testing", "protected"].indexOf(row.verdict),
  failures: share,
  sessions: (row) => row.sessions.success + row.sessions.failure,
  seen: (row) => row.seen_at ?? "",
  next: (row) => (row.next ? ["now", "waiting", "later"].indexOf(row.next.state) + (row.next.by === "person" ? 0 : 0.5) : 9),
};

/** As many rows as wanted, made of those that there are. */
function multiply(rows: OverviewRow[], to: number): OverviewRow[] {
  if (!to) return rows;
  return Array.from({ length: to }, (_, i) => {
    const row = rows[i % rows.length]!;
    return i < rows.length ? row : { ...row, domain: `site-${String(i).padStart(4, "0")}.${row.domain}` };
  });
}

export function overview(text: string, query: URLSearchParams, many = 0): Overview {
  const all = multiply(JSON.parse(text) as OverviewRow[], many);
  const contains = (query.get("contains") ?? "").toLowerCase();
  const label = query.get("label") ?? "";
  const named = all.filter((row) => row.domain.includes(contains) && (!label || row.labels.includes(label)));
  const rows = named.filter((row) => fits(row, query.get("state") ?? ""));
  const key = keys[query.get("sort") ?? "domain"] ?? keys.domain!;
  const sign = query.get("order") === "down" ? -1 : 1;
  rows.sort((a, b) => (key(a) < key(b) ? -sign : key(a) > key(b) ? sign : a.domain < b.domain ? -1 : 1));
  const offset = Number(query.get("offset") ?? 0);
  const limit = Number(query.get("limit") ?? 100);
  const number = (state: string) => named.filter((row) => fits(row, state)).length;
  return {
    rows: rows.slice(offset, offset + limit),
    total: rows.length,
    counts: { all: named.length, attention: number("attention"), protected: number("protected"), testing: number("testing"), broken: number("broken"), absent: number("absent"), unseen: number("unseen") },
  };
}

export function overviewCsv(text: string): string {
  const rows = JSON.parse(text) as OverviewRow[];
  return ["domain,verdict,mode", ...rows.map((row) => [row.domain, row.verdict, row.mode ?? ""].join(","))].join("\r\n") + "\r\n";
}
