// SPDX-License-Identifier: Apache-2.0
// The table of all domains. Only what is in sight exists, so that ten thousand rows scroll as ten do. Arrow keys go
// from domain to domain.
import { useEffect, useRef } from "preact/hooks";
import type { OverviewRow } from "../../api/types";
import { setQuery } from "../../router";
import { segment } from "../../api/client";
import { DomainName } from "../../ui/domain_name";
import { Icon } from "../../ui/icon";
import { still } from "../../ui/still";
import { PartMark } from "../../ui/status";
import { useWindowed } from "../../ui/windowed";
import { Changed, Course, Labels, Next, Sessions, Verdict } from "./cells";
import type { Rows } from "./pages";
import { sortBy, type Sort, type View } from "./query";

const rowHeight = 72;

function Head({ words, sort, view, title, cls }: { words: string; sort?: Sort; view: View; title?: string; cls?: string }) {
  const mine = sort !== undefined && view.sort === sort;
  return (
    <th scope="col" class={cls} title={title} aria-sort={mine ? (view.order === "up" ? "ascending" : "descending") : undefined}>
      {sort ? (
        <button type="button" class="sort" onClick={() => setQuery(sortBy(view, sort))}>
          {words}
          <Icon name="up" size={12} />
        </button>
      ) : (
        words
      )}
    </th>
  );
}

const Row = still(({ row, index }: { row: OverviewRow; index: number }) => (
  <tr class="overview-row" aria-rowindex={index + 2}>
    <th scope="row" class="overview-domain">
      <a class="row-link" href={`/domains/${segment(row.domain)}`}>
        <DomainName name={row.domain} />
      </a>
      <Labels row={row} />
    </th>
    <td>
      <Verdict row={row} />
      <Course row={row} />
    </td>
    <td class="overview-part">
      <PartMark state={row.parts.sts_record} short />
    </td>
    <td class="overview-part">
      <PartMark state={row.parts.policy_file} short />
    </td>
    <td class="overview-part">
      <PartMark state={row.parts.tlsrpt_record} short />
    </td>
    <td class="overview-part">
      <PartMark state={row.parts.mail_servers} short />
    </td>
    <td>
      <Sessions row={row} />
    </td>
    <td class="overview-changed">
      <Changed row={row} />
    </td>
    <td class="overview-next">
      <Next row={row} />
    </td>
  </tr>
));

const Coming = ({ index }: { index: number }) => (
  <tr class="overview-row" aria-rowindex={index + 2}>
    <td colSpan={9}>
      <span class="bone line" />
    </td>
  </tr>
);

const Space = ({ height }: { height: number }) =>
  height > 0 ? (
    <tr class="overview-space" aria-hidden="true">
      <td colSpan={9} style={{ height: `${height}px` }} />
    </tr>
  ) : null;

export function Table({ rows, total, view }: { rows: Rows; total: number; view: View }) {
  const body = useRef<HTMLTableSectionElement>(null);
  const [from, to] = useWindowed(body, total, rowHeight);
  useEffect(() => rows.want(from, to));
  const move = (event: KeyboardEvent) => {
    const by = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (!by || !(event.target instanceof HTMLElement) || !event.target.matches(".row-link")) return;
    const links = [...(body.current?.querySelectorAll<HTMLElement>(".row-link") ?? [])];
    const next = links[links.indexOf(event.target) + by];
    if (!next) return;
    event.preventDefault();
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  };
  return (
    <div class={rows.busy ? "card overview-table busy" : "card overview-table"}>
      <table class="table" aria-rowcount={total + 1} aria-busy={rows.busy} onKeyDown={move}>
        <caption class="sr">Domains with the state of their four parts, sessions of the last 30 days and what to do next</caption>
        <thead>
          <tr aria-rowindex={1}>
            <Head words="Domain" sort="domain" view={view} cls="col-domain" />
            <Head words="State" sort="verdict" view={view} cls="col-state" />
            <Head words="Record" view={view} cls="col-part" title="The TXT record at _mta-sts" />
            <Head words="Policy" view={view} cls="col-part" title="The policy file at mta-sts, over HTTPS" />
            <Head words="TLSRPT" view={view} cls="col-part" title="The TXT record at _smtp._tls that asks for reports" />
            <Head words="Servers" view={view} cls="col-part" title="The mail servers: STARTTLS and certificates" />
            <Head words="Failed, 30 days" sort="failures" view={view} cls="col-sessions" title="Sessions that failed, as senders report them" />
            <Head words="Last change" view={view} cls="col-changed" />
            <Head words="Next" sort="next" view={view} cls="col-next" />
          </tr>
        </thead>
        <tbody ref={body}>
          <Space height={from * rowHeight} />
          {Array.from({ length: Math.max(0, to - from) }, (_, i) => {
            const row = rows.at(from + i);
            return row ? <Row row={row} index={from + i} key={row.domain} /> : <Coming index={from + i} key={from + i} />;
          })}
          <Space height={(total - to) * rowHeight} />
        </tbody>
      </table>
    </div>
  );
}
