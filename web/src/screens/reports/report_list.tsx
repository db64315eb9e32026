// SPDX-License-Identifier: Apache-2.0
// The reports behind every figure, in pages.
import { useEffect, useRef } from "preact/hooks";
import { address, api } from "../../api/client";
import type { ReportList, ReportRow } from "../../api/types";
import { here } from "../../router";
import { useResource } from "../../state/resource";
import { count } from "../../text/format";
import { LinkButton } from "../../ui/button";
import { Icon } from "../../ui/icon";
import { Bones, Empty, Failed } from "../../ui/page";
import { Badge, type Tone } from "../../ui/status";
import { Ago, DayOf } from "../../ui/time";
import { type Filter, type ListFilter, ask, linkTo } from "./filter";

const page = 25;
const trusts: Record<ReportRow["trust"], [Tone, string, string]> = {
  verified: ["good", "Verified", "Its DKIM signature is right, by a key of the reporter."],
  authorised: ["good", "Handed in", "Somebody who may handed it in."],
  unverified: ["unknown", "Unverified", "Nothing proves who wrote it."],
  rejected: ["bad", "Rejected", "It does not come from whom it names."],
};

const ways: Record<string, string> = {
  smtp: "by mail",
  lmtp: "by mail",
  imap: "from the mailbox",
  maildir: "from the mailbox",
  mbox: "from the mailbox",
  https: "by HTTPS",
  http: "by HTTP",
  file: "from a file",
  page: "from a page",
};
export const wayWords = (way: string): string => ways[way] ?? `by ${way}`;

export function TrustBadge({ trust }: { trust: string }) {
  const [tone, words, means] = trusts[trust as ReportRow["trust"]] ?? ["unknown", trust, ""];
  return (
    <Badge tone={tone} title={means}>
      {words}
    </Badge>
  );
}

export function Reports({ filter, list }: { filter: Filter; list: ListFilter }) {
  const query = { ...ask(filter), what: list.what, failures: list.failures, offset: list.offset, limit: page };
  const rows = useResource<ReportList>(address("/reports", query), (signal) => api.get("/reports", query, signal));
  const root = useRef<HTMLElement>(null);
  const { hash } = here.value;
  useEffect(() => {
    if (hash === "#reports" && rows.data) root.current?.scrollIntoView({ block: "start" });
  }, [hash, rows.data === null, list.what, list.failures, list.offset]);
  const kinds: [ListFilter["what"], string][] = [
    ["counted", "Counted"],
    ["quarantined", "Kept apart"],
    ["tests", "Tests"],
  ];
  return (
    <section class="card" id="reports" ref={root} aria-labelledby="reports-title">
      <header>
        <h2 id="reports-title">Reports</h2>
        <div class="row">
          <nav class="pills" aria-label="Which reports">
            {kinds.map(([what, words]) => (
              <a key={what} href={linkTo(filter, {}, { what, failures: list.failures }, "reports")} aria-current={list.what === what ? "true" : undefined}>
                {words}
              </a>
            ))}
          </nav>
          <a class="button small" href={linkTo(filter, {}, { what: list.what, failures: !list.failures }, "reports")} aria-current={list.failures ? "true" : undefined}>
            <Icon name={list.failures ? "close" : "filter"} />
            {list.failures ? "With failures alone" : "With failures"}
          </a>
        </div>
      </header>
      {rows.error && !rows.data ? (
        <Failed error={rows.error} retry={rows.reload} what="The list" />
      ) : !rows.data ? (
        <div class="card-body">
          <Bones lines={8} />
        </div>
      ) : rows.data.reports.length === 0 ? (
        <Empty icon="file" title="No report fits" level={3}>
          <p>{list.what === "quarantined" ? "Nothing is kept apart in this period." : list.what === "tests" ? "No test was made in this period." : "Choose a longer period, or leave out a filter."}</p>
        </Empty>
      ) : (
        <div class="flush">
          <div class="table-scroll">
            <table class="table cards">
              <caption class="sr">Reports</caption>
              <thead>
                <tr>
                  <th scope="col">Day</th>
                  <th scope="col">Reporter</th>
                  <th scope="col">Domain</th>
                  <th scope="col" class="num">
                    Succeeded
                  </th>
                  <th scope="col" class="num">
                    Failed
                  </th>
                  <th scope="col">Trust</th>
                  <th scope="col">Received</th>
                </tr>
              </thead>
              <tbody>
                {rows.data.reports.map((each) => (
                  <Row key={each.number} of={each} />
                ))}
              </tbody>
            </table>
          </div>
          {(list.offset > 0 || rows.data.next !== null) && (
            <div class="pager">
              {list.offset > 0 && (
                <LinkButton size="small" icon="left" href={linkTo(filter, {}, { ...list, offset: Math.max(0, list.offset - page) }, "reports")}>
                  Newer
                </LinkButton>
              )}
              <span class="dim small">
                {count(list.offset + 1)} to {count(list.offset + rows.data.reports.length)}
              </span>
              {rows.data.next !== null && (
                <LinkButton size="small" href={linkTo(filter, {}, { ...list, offset: rows.data.next }, "reports")}>
                  Older
                  <Icon name="right" />
                </LinkButton>
              )}
            </div>
          )}
        </div>
      )}
    </section>
  );
}

function Row({ of }: { of: ReportRow }) {
  return (
    <tr>
      <th scope="row" data-name="Day">
        <a href={`/reports/${of.number}`}>{of.start ? <DayOf at={of.start.slice(0, 10)} /> : "No day"}</a>
      </th>
      <td data-name="Reporter">
        {of.organization_name || of.reporter}
        {of.warnings > 0 && (
          <span class="dim small nowrap" title="The report is not written as the standard asks; it was read all the same.">
            {" "}
            · {of.warnings} {of.warnings === 1 ? "warning" : "warnings"}
          </span>
        )}
        {of.part && <span class="block dim small">tells of others’ domains too; yours are counted here</span>}
        {of.why && <span class="block dim small">{of.why}</span>}
      </td>
      <td data-name="Domain">{of.report_domain || <span class="dim">none named</span>}</td>
      <td class="num" data-name="Succeeded">
        {count(of.success)}
      </td>
      <td class="num" data-name="Failed">
        {of.failure > 0 ? <span class="tone-bad strong">{count(of.failure)}</span> : <span class="dim">0</span>}
      </td>
      <td data-name="Trust">
        <TrustBadge trust={of.trust} />
      </td>
      <td data-name="Received">
        <span class="soft">
          <Ago at={of.received_at} /> <span class="dim small nowrap">{wayWords(of.way)}</span>
        </span>
      </td>
    </tr>
  );
}
