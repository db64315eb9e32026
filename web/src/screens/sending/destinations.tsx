// SPDX-License-Identifier: Apache-2.0
// What is remembered of destinations, in pages and by search.
import { useEffect, useState } from "preact/hooks";
import { api } from "../../api/client";
import type { KeptPolicy } from "../../api/types";
import { changedQuery, here, queryOf, setQuery } from "../../router";
import { useResource } from "../../state/resource";
import { plural } from "../../text/format";
import { resultWords } from "../../text/results";
import { SearchField } from "../../ui/field";
import { Bones, Empty, Failed } from "../../ui/page";
import { Pager } from "../../ui/pager";
import { Badge } from "../../ui/status";
import { Ago, DayOf } from "../../ui/time";
import { decisionWords, keptDecision, recordWords } from "./decision";

interface PolicyPage {
  policies: KeptPolicy[];
  next: string | null;
}
const rows = 50;

export function Destinations() {
  const asked = queryOf(here.value).get("find") ?? "";
  const [typed, setTyped] = useState(asked);
  const [contains, setContains] = useState(asked);
  const [pages, setPages] = useState<string[]>([]); // where each page begins that was gone to
  useEffect(() => {
    const timer = window.setTimeout(() => {
      const wanted = typed.trim().toLowerCase();
      if (wanted === contains) return;
      setContains(wanted);
      setPages([]);
      setQuery({ find: wanted }); // so that the way back, and a link, lead to the same rows
    }, 250);
    return () => window.clearTimeout(timer);
  }, [typed]);
  const after = pages.at(-1) ?? "";
  const found = useResource<PolicyPage>(`policies ${contains} ${after}`, (signal) => api.get("/policies", { contains, after, limit: rows }, signal));
  const data = found.data;
  return (
    <section class="card" aria-label="Destinations">
      <header>
        <SearchField label="Find a destination" placeholder="Part of the name" value={typed} set={setTyped} />
      </header>
      {found.error && !data ? (
        <Failed error={found.error} retry={found.reload} what="The list" />
      ) : !data ? (
        <div class="card-body">
          <Bones lines={8} />
        </div>
      ) : data.policies.length === 0 ? (
        <Empty icon="send" title={contains ? "No destination fits" : "No destination is known yet"}>
          <p>{contains ? `Nothing is remembered that has “${contains}” in its name. Explain it above: it is looked up then.` : "A destination stands here as soon as your mail server asks about it."}</p>
        </Empty>
      ) : (
        <div class="flush">
          <div class="table-scroll">
            <table class={found.busy ? "table cards faded" : "table cards"}>
              <caption class="sr">Destinations</caption>
              <thead>
                <tr>
                  <th scope="col">Destination</th>
                  <th scope="col">Decision</th>
                  <th scope="col">Policy fetched</th>
                  <th scope="col">Holds until</th>
                  <th scope="col">Last used</th>
                  <th scope="col">Trouble</th>
                </tr>
              </thead>
              <tbody>
                {data.policies.map((each) => (
                  <Row key={each.domain} of={each} />
                ))}
              </tbody>
            </table>
          </div>
          <Pager gone={pages} next={data.next} turn={setPages} words={["Before", "More"]} />
        </div>
      )}
    </section>
  );
}

function Row({ of }: { of: KeptPolicy }) {
  const decision = keptDecision(of);
  const [tone, words, means] = decisionWords[decision];
  return (
    <tr>
      <th scope="row">
        <a class="break" href={here.value.path + changedQuery(here.value.search, { explain: of.domain })}>
          {of.domain}
        </a>
      </th>
      <td data-name="Decision">
        <Badge tone={tone} icon={decision === "testing" ? "clock" : undefined} title={means}>
          {words}
        </Badge>
      </td>
      <td data-name="Policy fetched">{of.fetched_at ? <Ago at={of.fetched_at} /> : <span class="dim">{of.record.state === "valid" ? "not yet" : (recordWords[of.record.state] ?? of.record.state)}</span>}</td>
      <td data-name="Holds until" class={of.expires_at ? undefined : "nothing"}>{of.expires_at ? <DayOf at={of.expires_at} /> : <span class="dim">–</span>}</td>
      <td data-name="Last used">
        <Ago at={of.used_at} />
      </td>
      <td data-name="Trouble" class={of.failure ? "wide" : "nothing"}>
        {of.failure ? (
          <>
            <span class="tone-bad" title={of.failure.fault}>
              {resultWords(of.failure.fault)}
            </span>
            {(of.failure.in_a_row > 0 || of.failure.since) && (
              <span class="block dim small">
                {of.failure.in_a_row > 0 && `${plural(of.failure.in_a_row, "time")} in a row`}
                {of.failure.in_a_row > 0 && of.failure.since && ", first "}
                {of.failure.since && <Ago at={of.failure.since} />}
              </span>
            )}
          </>
        ) : (
          <span class="dim">–</span>
        )}
      </td>
    </tr>
  );
}
