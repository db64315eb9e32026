// SPDX-License-Identifier: Apache-2.0
// Failed sessions by reporter and MX host. A report names an MX host only where a session with it failed, so the
// successes stand in the margin, by reporter. Pure.
import type { Summary } from "../api/types";

export interface Cell {
  mx: string;
  failure: number;
  level: 0 | 1 | 2 | 3 | 4; // how dark: against the greatest of the table
}
export interface Row {
  reporter: string;
  name: string;
  cells: Cell[]; // in the order of `hosts`
  others: number; // of hosts that have no column
  success: number;
  failure: number;
}
export interface Matrix {
  hosts: { mx: string; failure: number }[]; // the most first; "" : the report does not say
  rows: Row[];
  more: number; // hosts without a column
}

export function level(value: number, most: number): Cell["level"] {
  if (value <= 0 || most <= 0) return 0;
  // By the root: a few failures beside thousands are still seen.
  const share = Math.sqrt(value / most);
  return share > 0.75 ? 4 : share > 0.5 ? 3 : share > 0.25 ? 2 : 1;
}

export function matrixOf(summary: Pick<Summary, "reporter_mx" | "reporters">, mostHosts = 8): Matrix {
  const byHost = new Map<string, number>();
  const byReporter = new Map<string, Map<string, number>>();
  for (const row of summary.reporter_mx) {
    byHost.set(row.mx, (byHost.get(row.mx) ?? 0) + row.failure);
    const mine = byReporter.get(row.reporter) ?? new Map<string, number>();
    mine.set(row.mx, (mine.get(row.mx) ?? 0) + row.failure);
    byReporter.set(row.reporter, mine);
  }
  const all = [...byHost].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([mx, failure]) => ({ mx, failure }));
  const hosts = all.slice(0, mostHosts);
  const totals = new Map<string, { name: string; success: number; failure: number }>();
  for (const row of summary.reporters) {
    const sum = totals.get(row.reporter) ?? { name: row.organization_name || row.reporter, success: 0, failure: 0 };
    sum.success += row.success;
    sum.failure += row.failure;
    totals.set(row.reporter, sum);
  }
  const most = Math.max(0, ...[...byReporter.values()].flatMap((each) => [...each.values()]));
  const rows: Row[] = [...new Set([...totals.keys(), ...byReporter.keys()])].map((reporter) => {
    const mine = byReporter.get(reporter);
    const sum = totals.get(reporter);
    const cells = hosts.map(({ mx }) => ({ mx, failure: mine?.get(mx) ?? 0, level: level(mine?.get(mx) ?? 0, most) }));
    const told = [...(mine?.values() ?? [])].reduce((total, each) => total + each, 0);
    return {
      reporter,
      name: sum?.name ?? reporter,
      cells,
      others: told - cells.reduce((total, each) => total + each.failure, 0),
      success: sum?.success ?? 0,
      failure: sum?.failure ?? told,
    };
  });
  rows.sort((a, b) => b.failure - a.failure || b.success - a.success || (a.reporter < b.reporter ? -1 : 1));
  return { hosts, rows, more: all.length - hosts.length };
}
