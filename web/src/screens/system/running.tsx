// SPDX-License-Identifier: Apache-2.0
// What runs, where it listens, what waits, and the last errors. Asked again while it is looked at.
import { useState } from "preact/hooks";
import { api, segment } from "../../api/client";
import type { Json } from "../../api/types";
import { useResource } from "../../state/resource";
import { now } from "../../state/session";
import { count, plural, span } from "../../text/format";
import { Button } from "../../ui/button";
import { MuteDialog } from "../reports/mute_dialog";
import { Failed, TileBones } from "../../ui/page";
import { Icon } from "../../ui/icon";
import { Badge } from "../../ui/status";
import { Ago, DayOf } from "../../ui/time";
import { type AlarmRow, alarmOf, bytes, flag, listenersOf, number, object, partsOf, queuesOf, rows, text, troublesOf } from "./status";

export function Running() {
  const status = useResource<Json>("status", (signal) => api.get("/status", undefined, signal), 15);
  if (status.error && !status.data) return <Failed error={status.error} retry={status.reload} what="The status" />;
  if (!status.data) return <TileBones />;
  const data = status.data;
  const store = object(data, "store");
  const reports = object(data, "reports");
  const parts = partsOf(data);
  const failing = parts.filter((each) => each.tone === "bad").length;
  const since = Date.parse(text(data, "since"));
  const troubles = troublesOf(data);
  const listeners = listenersOf(data);
  const alarms = rows(data, "alarms");
  return (
    <div class="stack">
      <Alarms all={alarms} />
      <ul class="tiles">
        <li class="tile">
          <span class="tile-name">Parts</span>
          <span class={`tile-figure ${failing > 0 ? "tone-bad" : "tone-good"}`}>{failing > 0 ? `${count(failing)} failing` : "All well"}</span>
          <span class="tile-more">{plural(parts.length, "part")} switched on</span>
        </li>
        <li class="tile">
          <span class="tile-name">Up for</span>
          <span class="tile-figure">{Number.isNaN(since) ? "–" : span((now() - since) / 1000)}</span>
          <span class="tile-more">process {number(data, "pid")}</span>
        </li>
        <li class="tile">
          <span class="tile-name">Database</span>
          <span class={`tile-figure ${flag(store, "writable") ? "" : "tone-bad"}`}>{flag(store, "writable") ? bytes(number(store, "bytes")) : "Away"}</span>
          <span class="tile-more clip" title={text(store, "where")}>
            {text(store, "where")}
          </span>
        </li>
        <li class="tile">
          <span class="tile-name">Reports kept</span>
          <a class="tile-figure" href="/reports">
            {count(number(store, "reports"))}
          </a>
          <span class="tile-more">
            {text(reports, "last") ? (
              <>
                the last came <Ago at={text(reports, "last")} />
              </>
            ) : (
              "none came since the start"
            )}
          </span>
        </li>
      </ul>
      <section class="card" aria-labelledby="parts-title">
        <header>
          <h2 id="parts-title">Parts</h2>
          <span class="dim small">{status.error ? <span class="tone-bad">{status.error.message}</span> : "Looked at every 15 seconds"}</span>
        </header>
        <div class="flush table-scroll">
          <table class="table cards">
            <caption class="sr">Parts of the daemon</caption>
            <thead>
              <tr>
                <th scope="col">Part</th>
                <th scope="col">State</th>
                <th scope="col">Where</th>
                <th scope="col" class="num">
                  Taken
                </th>
                <th scope="col" class="num">
                  Refused
                </th>
                <th scope="col" class="num">
                  Open
                </th>
                <th scope="col">Last success</th>
              </tr>
            </thead>
            <tbody>
              {parts.map((each, i) => (
                <tr key={each.name + each.where + i}>
                  <th scope="row">
                    {each.name}
                    {each.tone === "bad" && each.error && <span class="block tone-bad small break part-error">{each.error}</span>}
                  </th>
                  <td data-name="State">
                    <Badge tone={each.tone} icon={each.tone === "unknown" ? "pause" : undefined}>
                      {each.state}
                    </Badge>
                  </td>
                  <td data-name="Where" class="mono small break">
                    {each.where || "–"}
                  </td>
                  <td class="num" data-name="Taken">
                    {count(each.accepted)}
                  </td>
                  <td class="num" data-name="Refused">
                    {each.refused > 0 ? count(each.refused) : <span class="dim">0</span>}
                  </td>
                  <td class="num" data-name="Open">
                    {each.open > 0 ? count(each.open) : <span class="dim">0</span>}
                  </td>
                  <td data-name="Last success">
                    <Ago at={each.last || null} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </section>
      <div class="halves">
        <section class="card" aria-labelledby="queues-title">
          <header>
            <h2 id="queues-title">What waits</h2>
          </header>
          <ul class="queues flush">
            {queuesOf(data).map((each) => (
              <li key={each.name}>
                <div class="row-between">
                  <span class="strong">{each.name}</span>
                  <span class="num">{each.waits}</span>
                </div>
                <p class={`small ${each.tone === "good" ? "dim" : `tone-${each.tone}`}`}>
                  {each.words}
                  {each.oldest && (
                    <>
                      {" "}
                      · the oldest <Ago at={each.oldest} />
                    </>
                  )}
                </p>
              </li>
            ))}
          </ul>
        </section>
        <section class="card" aria-labelledby="errors-title">
          <header>
            <h2 id="errors-title">Last errors</h2>
          </header>
          {troubles.length === 0 ? (
            <p class="card-body soft">None since the start.</p>
          ) : (
            <ul class="queues flush">
              {troubles.map((each) => (
                <li key={each.where + each.words}>
                  <div class="row-between">
                    <span class="strong">{each.where}</span>
                    <span class="dim small">{each.at ? <Ago at={each.at} /> : null}</span>
                  </div>
                  <p class="small soft break">{each.words}</p>
                </li>
              ))}
            </ul>
          )}
        </section>
      </div>
      {listeners.length > 0 && (
        <section class="card" aria-labelledby="listeners-title">
          <header>
            <h2 id="listeners-title">Listeners</h2>
          </header>
          <ul class="queues flush">
            {listeners.map((each) => (
              <li key={each.part + each.kind + each.where} class="listener">
                <span>
                  {each.part} <span class="dim">{each.kind}</span>
                </span>
                <span class="mono small break">{each.where}</span>
                <span class="dim small nowrap">{each.open > 0 ? `${count(each.open)} open` : ""}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
      <Counts of={data} />
    </div>
  );
}

const shownAlarms = 5;

/** What fails first; what merely waits for a person after it. Many are folded: the page is about the machine too. */
function Alarms({ all }: { all: Json[] }) {
  const [open, setOpen] = useState(false);
  if (all.length === 0) return null;
  const alarms = all.map(alarmOf).sort((a, b) => Number(a.waits) - Number(b.waits));
  const shown = open ? alarms : alarms.slice(0, shownAlarms);
  return (
    <section class="card" aria-labelledby="alarms-title">
      <header>
        <h2 id="alarms-title">
          Alarms <span class="count">{count(alarms.length)}</span>
        </h2>
      </header>
      <ul class="queues alarms flush">
        {shown.map((each) => (
          <Alarm of={each} key={each.key} />
        ))}
      </ul>
      {alarms.length > shownAlarms && (
        <div class="alarms-more">
          <Button size="small" aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? "Show fewer" : `Show all ${count(alarms.length)}`}
          </Button>
        </div>
      )}
    </section>
  );
}

function Alarm({ of }: { of: AlarmRow }) {
  const [muting, setMuting] = useState(false);
  const link = <a href={`/domains/${segment(of.domain)}`}>{of.domain}</a>;
  return (
    <li>
      <span class={of.waits ? "tone-attention" : "tone-bad"}>
        <Icon name={of.waits ? "person" : "bad"} />
      </span>
      <div>
        <strong class="break">
          {of.domain && of.before === null && <>{link}: </>}
          {of.before !== null && (
            <>
              {of.before}
              {link}
            </>
          )}
          {of.after}
        </strong>
        <div class="dim small">
          Since <Ago at={of.since} />
        </div>
      </div>
      <Button size="small" kind="quiet" icon="mute" onClick={() => setMuting(true)}>
        Mute
      </Button>
      {muting && <MuteDialog title="Mute this alarm" words={`Nobody is told again of “${of.title}” meanwhile. It is shown here as long as it is so.`} body={{ key: of.key }} close={() => setMuting(false)} done={() => setMuting(false)} />}
    </li>
  );
}

function Counts({ of }: { of: Json }) {
  const reports = object(of, "reports");
  const sending = object(of, "sending");
  const publish = object(of, "publish");
  const carry = object(of, "carry");
  const facts: [string, string][] = [];
  if (reports)
    facts.push([
      "Reports received",
      `${plural(number(reports, "inputs"), "input")}: ${count(number(reports, "added"))} added, ${count(number(reports, "duplicates"))} known already, ${count(number(reports, "corrections"))} corrected, ${count(number(reports, "kept_apart"))} kept apart, ${count(number(reports, "refused"))} without a report`,
    ]);
  if (sending)
    facts.push([
      "Policies of others",
      `${plural(number(sending, "answers"), "answer")}, ${count(number(sending, "hits"))} from memory, ${count(number(sending, "over_budget"))} too slow; ${plural(number(sending, "fetches"), "fetch", "fetches")}, ${count(number(sending, "fetch_failures"))} failed; ${bytes(number(sending, "bytes"))} of memory`,
    ]);
  if (publish)
    facts.push([
      "Policy host",
      `${plural(number(publish, "policies"), "policy", "policies")} and ${plural(number(publish, "certificates"), "certificate")}; ${count(number(publish, "given"))} given, ${count(number(publish, "not_found"))} not found, ${count(number(publish, "refused"))} refused; ${count(number(publish, "failed_handshakes"))} of ${count(number(publish, "handshakes"))} handshakes failed`,
    ]);
  if (carry)
    facts.push(["Domains", `${plural(number(carry, "domains"), "domain")} looked after; ${plural(number(carry, "steps"), "step")} done, ${count(number(carry, "failures"))} failed, ${count(number(carry, "under_way"))} under way`]);
  if (facts.length === 0) return null;
  return (
    <section class="card" aria-labelledby="counts-title">
      <header>
        <h2 id="counts-title">
          Since the start <span class="dim small counts-since"><DayOf at={text(of, "since")} /></span>
        </h2>
      </header>
      <dl class="facts card-body">
        {facts.map(([name, words]) => (
          <>
            <dt key={name}>{name}</dt>
            <dd>{words}</dd>
          </>
        ))}
      </dl>
    </section>
  );
}
