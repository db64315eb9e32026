// SPDX-License-Identifier: Apache-2.0
// Every policy that senders may remember, who fetched it, and every change with its author.
import "../../styles/data.css";
import { api, segment } from "../../api/client";
import type { Change, History } from "../../api/types";
import { useResource } from "../../state/resource";
import { capital, count, shortDay, span, time } from "../../text/format";
import { Code } from "../../ui/copy";
import { Icon } from "../../ui/icon";
import { Bones, Empty, Failed } from "../../ui/page";
import { now } from "../../state/session";
import { ModeBadge, VerdictBadge } from "../../ui/status";
import { Ago, DayOf } from "../../ui/time";

export function HistoryTab({ domain }: { domain: string }) {
  const history = useResource<History>(`history ${domain}`, (signal) => api.get(`/domains/${segment(domain)}/history`, undefined, signal));
  if (history.error) return <Failed error={history.error} retry={history.reload} />;
  if (!history.data)
    return (
      <div class="card card-body">
        <Bones lines={6} />
      </div>
    );
  const { served, changes, fetches, states } = history.data;
  return (
    <div class="stack">
      <section class="card">
        <header>
          <h2>Policies served</h2>
        </header>
        {served.length ? <Served served={[...served].reverse()} /> : <p class="soft">None yet. From the first one on, Mailtight remembers each: senders may hold it until its max_age has passed since it was last served.</p>}
      </section>
      {states.length > 0 && <Seen states={states} />}
      {fetches.length > 0 && (
        <section class="card">
          <header>
            <h2>Who fetched which policy</h2>
          </header>
          <div class="flush table-scroll">
            <table class="table cards">
              <caption class="sr">Fetches of the policy</caption>
              <thead>
                <tr>
                  <th scope="col">Network</th>
                  <th scope="col">Policy id</th>
                  <th scope="col">Last</th>
                  <th scope="col" class="num">
                    Fetches
                  </th>
                </tr>
              </thead>
              <tbody>
                {fetches.map((one) => (
                  <tr key={one.network + one.id}>
                    <th scope="row" class="break">
                      {one.network}
                    </th>
                    <td class="mono small" data-name="Policy id">
                      {one.id || "–"}
                    </td>
                    <td data-name="Last">
                      <Ago at={one.last} />
                    </td>
                    <td class="num" data-name="Fetches">
                      {count(one.count)}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </section>
      )}
      <section class="card">
        <header>
          <h2>Changes</h2>
        </header>
        {changes.length ? (
          <ol class="changes flush">
            {changes.map((one) => (
              <ChangeLine change={one} key={one.number} />
            ))}
          </ol>
        ) : (
          <Empty icon="history" title="No changes yet" level={3} />
        )}
      </section>
    </div>
  );
}

const Served = ({ served }: { served: History["served"] }) => (
  <ol class="served flush">
    {served.map((one) => (
      <li key={one.first_served + one.mode}>
        <details class="fold">
          <summary>
            <ModeBadge mode={one.mode} />
            <span class="grow">
              <DayOf at={one.first_served} /> – {one.last_served ? <DayOf at={one.last_served} /> : <strong>now</strong>}
              <span class="small dim served-more">
                kept for {span(one.max_age)}
                {one.ids.length > 0 && `, id ${one.ids.join(", ")}`}
                {!one.ours && ", published by somebody else"}
                {one.mode !== "none" && Date.parse(one.binds_until) > now() && (
                  <>
                    {one.last_served ? ", senders may hold it until " : ", whoever fetches it now holds it until "}
                    <DayOf at={one.binds_until} />
                  </>
                )}
              </span>
            </span>
            <Icon name="chevron" size={14} />
          </summary>
          <Code text={one.body} what="this policy" />
        </details>
      </li>
    ))}
  </ol>
);

/** What the watch saw, as long as it stayed the same. */
const Seen = ({ states }: { states: History["states"] }) => (
  <section class="card">
    <header>
      <h2>What Mailtight saw</h2>
    </header>
    <ol class="changes flush">
      {states.slice(0, 20).map((one) => (
        <li class="change" key={one.first}>
          <div class="grow stack-s">
            <div class="row">
              <VerdictBadge verdict={one.state} />
              {one.id && <span class="mono small dim">{one.id}</span>}
            </div>
            {one.problems.length > 0 && <div class="mono small soft break">{one.problems.join(", ")}</div>}
          </div>
          <div class="small dim change-who" title={`${time(one.first)} to ${time(one.last)}`}>
            {shortDay(one.first, now())}
            {shortDay(one.first, now()) !== shortDay(one.last, now()) && <> to {shortDay(one.last, now())}</>}
          </div>
        </li>
      ))}
    </ol>
  </section>
);

const ChangeLine = ({ change }: { change: Change }) => (
  <li class="change">
    <div class="grow">
      <div>
        <strong>{capital(change.what)}</strong>
        {(change.from || change.to) && (
          <span class="soft break">
            {" "}
            {change.from && <>{change.from} → </>}
            {change.to}
          </span>
        )}
      </div>
      {change.why && <div class="small soft">{change.why}</div>}
    </div>
    <div class="small dim change-who">
      {change.who}
      <br />
      <Ago at={change.at} />
    </div>
  </li>
);
