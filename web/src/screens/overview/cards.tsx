// SPDX-License-Identifier: Apache-2.0
// The same rows where a table has no room.
import { useEffect, useRef } from "preact/hooks";
import type { OverviewRow, Parts } from "../../api/types";
import { segment } from "../../api/client";
import { share } from "../../text/format";
import { DomainName } from "../../ui/domain_name";
import { still } from "../../ui/still";
import { PartMark } from "../../ui/status";
import { Spark } from "../../ui/spark";
import { useWindowed } from "../../ui/windowed";
import { Course, Next, Verdict } from "./cells";
import type { Rows } from "./pages";

const cardHeight = 212;
const partNames: [keyof Parts, string][] = [
  ["sts_record", "Record"],
  ["policy_file", "Policy"],
  ["tlsrpt_record", "TLSRPT"],
  ["mail_servers", "Servers"],
];

const Card = still(({ row }: { row: OverviewRow }) => {
  const all = row.sessions.success + row.sessions.failure;
  return (
    <li class="overview-slot">
      <article class="card overview-card">
        <h2>
          <a class="row-link" href={`/domains/${segment(row.domain)}`}>
            <DomainName name={row.domain} />
          </a>
        </h2>
        <div class="overview-card-state">
          <Verdict row={row} />
          <Course row={row} />
          <span class="grow" />
          {row.sessions.failure > 0 && <span class="small tone-bad">{share(row.sessions.failure, all)} failed</span>}
          {all > 0 && <Spark series={row.series.slice(-14)} width={42} height={18} />}
        </div>
        <ul class="overview-card-parts">
          {partNames.map(([name, words]) => (
            <li key={name}>
              <PartMark state={row.parts[name]} short />
              <span class="small soft">{words}</span>
            </li>
          ))}
        </ul>
        <Next row={row} />
      </article>
    </li>
  );
});

export function Cards({ rows, total }: { rows: Rows; total: number }) {
  const box = useRef<HTMLUListElement>(null);
  const [from, to] = useWindowed(box, total, cardHeight);
  useEffect(() => rows.want(from, to));
  return (
    <ul class={rows.busy ? "overview-cards busy" : "overview-cards"} ref={box}>
      {from > 0 && <li aria-hidden="true" style={{ height: `${from * cardHeight}px` }} />}
      {Array.from({ length: Math.max(0, to - from) }, (_, i) => {
        const row = rows.at(from + i);
        return row ? (
          <Card row={row} key={row.domain} />
        ) : (
          <li class="overview-slot" key={from + i}>
            <div class="card overview-card">
              <span class="bone line" />
            </div>
          </li>
        );
      })}
      {total > to && <li aria-hidden="true" style={{ height: `${(total - to) * cardHeight}px` }} />}
    </ul>
  );
}
