// SPDX-License-Identifier: Apache-2.0
// The reports that we owe to others: each with its deliveries; a day sent now; who gets nothing.
import { useEffect, useState } from "preact/hooks";
import { api } from "../../api/client";
import type { OutgoingReport } from "../../api/types";
import { addDays, dayLong } from "../../charts/days";
import { changedQuery, here, queryOf, setQuery } from "../../router";
import { useAction, useResource } from "../../state/resource";
import { can, now } from "../../state/session";
import { count } from "../../text/format";
import { Button } from "../../ui/button";
import { SelectField, TextField } from "../../ui/field";
import { toast } from "../../ui/live";
import { Bones, Empty, Failed, Notice } from "../../ui/page";
import { Pager } from "../../ui/pager";
import { Badge } from "../../ui/status";
import { Ago } from "../../ui/time";
import { deliveryWords } from "./decision";
import { type DeliveryState, deliveryStates, readOutbox } from "./outbox_filter";
import { Suppressed } from "./suppressed";

interface Page {
  reports: OutgoingReport[];
  next: number | null;
}
interface DaySent {
  filed: number;
  nobody_asks: number;
  not_made: number;
  sent: number;
  waiting: number;
  refused: number;
  suppressed: number;
  troubles: string[];
}
const rows = 30;

export function Outgoing() {
  const { domain, state } = readOutbox(queryOf(here.value));
  const filter = `${state} ${domain}`;
  const [typed, setTyped] = useState(domain);
  useEffect(() => setTyped(domain), [domain]); // another link to this page
  const [seen, setSeen] = useState<{ of: string; pages: number[] }>({ of: filter, pages: [] });
  const pages = seen.of === filter ? seen.pages : []; // below which number each page begins that was gone to
  const turn = (to: number[]) => setSeen({ of: filter, pages: to });
  const before = pages.at(-1) ?? null;
  const list = useResource<Page>(`outbox ${filter} ${before ?? ""}`, (signal) => api.get("/outbox", { state, domain, before, limit: rows }, signal));
  const yesterday = addDays(new Date(now()).toISOString().slice(0, 10), -1);
  const send = useAction(async () => {
    const done = await api.post<DaySent>(`/days/${yesterday}/send`);
    toast(`${dayLong(yesterday)}: ${count(done.filed)} made, ${count(done.sent)} sent, ${count(done.waiting)} waiting${done.troubles.length > 0 ? `; ${done.troubles[0] ?? ""}` : ""}.`, done.troubles.length > 0 ? "bad" : "good");
    list.reload();
  });
  const data = list.data;
  return (
    <div class="stack">
      <section class="card" aria-labelledby="outgoing-title">
        <header>
          <div>
            <h2 id="outgoing-title">Reports to others</h2>
            <p class="dim small">Once a day, to every destination that asks for them.</p>
          </div>
          {can("operator") ? (
            <Button icon="send" size="small" busy={send.busy} onClick={() => void send.run()}>
              Send yesterday’s now
            </Button>
          ) : (
            <span class="dim small">Sending now is for operators.</span>
          )}
        </header>
        <div class="card-body">
          <form
            class="outbox-filter"
            onSubmit={(event) => {
              event.preventDefault();
              setQuery({ domain: typed.trim().toLowerCase() });
            }}
          >
            <TextField label="Domain" value={typed} set={setTyped} placeholder="All" autocomplete="off" spellcheck={false} />
            <SelectField<DeliveryState | "">
              label="With a delivery that is"
              value={state}
              set={(value) => setQuery({ state: value })}
              options={[["", "in any state"], ...deliveryStates.map((each): [DeliveryState, string] => [each, deliveryWords[each][1].toLowerCase()])]}
            />
            <Button type="submit" icon="search">
              Find
            </Button>
          </form>
          {send.error && (
            <Notice tone="bad" title="It was not sent">
              {send.error.message}
            </Notice>
          )}
        </div>
        {list.error && !data ? (
          <Failed error={list.error} retry={list.reload} what="The list" />
        ) : !data ? (
          <div class="card-body">
            <Bones lines={6} />
          </div>
        ) : data.reports.length === 0 ? (
          <Empty icon="mail" title={state || domain ? "No report fits" : "No reports have gone out yet"} level={3}>
            <p>{state || domain ? "Leave out a filter." : "They are made each night for the day before, where there were sessions and the destination has a TLSRPT record."}</p>
          </Empty>
        ) : (
          <ul class="outbox">
            {data.reports.map((each) => (
              <Row key={each.number} of={each} />
            ))}
          </ul>
        )}
        {data && <Pager gone={pages} next={data.next} turn={turn} />}
      </section>
      <Suppressed />
    </div>
  );
}

function Row({ of }: { of: OutgoingReport }) {
  return (
    <li class="outbox-report">
      <div class="outbox-head">
        <span>
          <a class="strong break" href={here.value.path + changedQuery(here.value.search, { explain: of.domain })}>
            {of.domain}
          </a>{" "}
          <span class="dim small nowrap">
            {dayLong(of.day)}
            {of.part > 0 && `, addition ${of.part}`}
          </span>
        </span>
        <span class="small nowrap">
          {count(of.success)} succeeded, {of.failure > 0 ? <span class="tone-bad strong">{count(of.failure)} failed</span> : <span class="dim">none failed</span>}
        </span>
      </div>
      <ul class="stack-s">
        {of.deliveries.map((each) => {
          const [tone, words] = deliveryWords[each.state];
          return (
            <li key={each.number} class="outbox-delivery">
              <Badge tone={tone}>{words}</Badge>
              <span class="mono small break">{each.to.replace(/^mailto:/, "")}</span>
              <span class="soft small break">
                {each.words}
                <span class="dim">
                  {each.tries > 1 && ` · ${each.tries} tries`}
                  {each.next_at ? (
                    <>
                      {" "}
                      · again <Ago at={each.next_at} />
                    </>
                  ) : each.ended_at ? (
                    <>
                      {" "}
                      · <Ago at={each.ended_at} />
                    </>
                  ) : null}
                </span>
              </span>
            </li>
          );
        })}
        {of.deliveries.length === 0 && <li class="dim small">Nobody to send it to.</li>}
      </ul>
      <details class="more">
        <summary>
          File and id
        </summary>
        <p class="dim small mono break">
          {of.file}
          <br />
          {of.report_id}
        </p>
      </details>
    </li>
  );
}
