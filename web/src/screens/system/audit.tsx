// SPDX-License-Identifier: Apache-2.0
// Who did what.
import { useState } from "preact/hooks";
import { api } from "../../api/client";
import type { AuditEntry } from "../../api/types";
import { useResource } from "../../state/resource";
import { Button } from "../../ui/button";
import { Bones, Empty, Failed } from "../../ui/page";
import { Pager } from "../../ui/pager";
import { Badge, type Tone } from "../../ui/status";
import { Ago } from "../../ui/time";

interface List {
  entries: AuditEntry[];
  next: number | null;
}

export function statusTone(status: number): [Tone, string] {
  if (status < 400) return ["good", "Done"];
  if (status === 401 || status === 403) return ["bad", "Refused"];
  if (status < 500) return ["attention", "Not taken"];
  return ["bad", "Failed"];
}

export function Audit() {
  const [pages, setPages] = useState<number[]>([]); // below which number each page begins that was gone to
  const before = pages.at(-1) ?? null;
  const list = useResource<List>(`audit ${before ?? ""}`, (signal) => api.get("/audit", { before, limit: 50 }, signal));
  const data = list.data;
  if (list.error && !data) return <Failed error={list.error} retry={list.reload} what="The audit log" />;
  if (!data) return <Bones block />;
  return (
    <section class="card" aria-labelledby="audit-title">
      <header>
        <div>
          <h2 id="audit-title">Audit log</h2>
          <p class="dim small">Logins, refusals, and everything that was changed through the pages or the API.</p>
        </div>
        <Button size="small" icon="refresh" busy={list.busy} onClick={list.reload}>
          Again
        </Button>
      </header>
      {data.entries.length === 0 ? (
        <Empty icon="history" title="Nothing has happened yet" level={3} />
      ) : (
        <div class="flush table-scroll">
          <table class="table cards">
            <caption class="sr">Audit log</caption>
            <thead>
              <tr>
                <th scope="col">When</th>
                <th scope="col">Who</th>
                <th scope="col">What</th>
                <th scope="col">Subject</th>
                <th scope="col">From</th>
                <th scope="col">Outcome</th>
              </tr>
            </thead>
            <tbody>
              {data.entries.map((each) => {
                const [tone, words] = statusTone(each.status);
                return (
                  <tr key={each.number}>
                    <th scope="row" class="nowrap">
                      <Ago at={each.at} />
                    </th>
                    <td data-name="Who">{each.who || <span class="dim">nobody</span>}</td>
                    <td data-name="What" class="mono small">
                      {each.what}
                    </td>
                    <td data-name="Subject" class={each.subject ? "break" : "nothing"}>
                      {each.subject || <span class="dim">–</span>}
                    </td>
                    <td data-name="From" class="mono small">
                      {each.from || "–"}
                    </td>
                    <td data-name="Outcome">
                      <Badge tone={tone}>{words}</Badge> <span class="dim small">{each.status}</span>
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
      <Pager gone={pages} next={data.next} turn={setPages} />
    </section>
  );
}
