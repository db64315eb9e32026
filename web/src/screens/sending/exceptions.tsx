// SPDX-License-Identifier: Apache-2.0
// Exceptions for single destinations: each with a reason, and better with an end.
import { useState } from "preact/hooks";
import { api, segment } from "../../api/client";
import type { Override } from "../../api/types";
import { addDays, isDay } from "../../charts/days";
import { useAction, useResource } from "../../state/resource";
import { can, now } from "../../state/session";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { Choices, TextArea, TextField } from "../../ui/field";
import { toast } from "../../ui/live";
import { Bones, Empty, Failed, Notice } from "../../ui/page";
import { Badge } from "../../ui/status";
import { DayOf } from "../../ui/time";
import { overrideWords, patterns } from "./decision";

interface List {
  overrides: Override[];
}

export function Exceptions() {
  const list = useResource<List>("overrides", (signal) => api.get("/overrides", undefined, signal));
  const [changing, setChanging] = useState<Override | null | undefined>(undefined); // null: a new one
  const [ending, setEnding] = useState<Override | null>(null);
  const rows = list.data?.overrides ?? [];
  return (
    <section class="card" aria-labelledby="exceptions-title">
      <header>
        <div>
          <h2 id="exceptions-title">Exceptions</h2>
          <p class="dim small">They stand above what destinations publish. Those that are over stay here until they are removed.</p>
        </div>
        {can("operator") ? (
          <Button icon="plus" onClick={() => setChanging(null)}>
            Make an exception
          </Button>
        ) : (
          <span class="dim small">Exceptions are for operators.</span>
        )}
      </header>
      {list.error && !list.data ? (
        <Failed error={list.error} retry={list.reload} what="The list" />
      ) : !list.data ? (
        <div class="card-body">
          <Bones lines={4} />
        </div>
      ) : rows.length === 0 ? (
        <Empty icon="good" title="No exceptions" level={3}>
          <p>Every destination is treated as it asks. That is how it should be.</p>
        </Empty>
      ) : (
        <ul class="rows flush">
          {rows.map((each) => (
            <li key={each.domain}>
              <div class="grow stack-s">
                <p class="row">
                  <a class="strong break" href={`/sending?tab=exceptions&explain=${encodeURIComponent(each.domain)}`}>
                    {each.domain}
                  </a>
                  <Badge tone={each.holds ? (each.as === "exempt" || each.as === "testing" ? "attention" : "good") : "unknown"} icon={each.holds ? undefined : "clock"} title={overrideWords[each.as][1]}>
                    {overrideWords[each.as][0]}
                    {!each.holds && ", over"}
                  </Badge>
                </p>
                <p>{each.why}</p>
                <p class="dim small">
                  {each.mx.length > 0 && (
                    <>
                      Only <span class="mono">{each.mx.join(", ")}</span>.{" "}
                    </>
                  )}
                  Since <DayOf at={each.since} /> by {each.by || "somebody"}, {each.until ? <>{each.holds ? "until" : "ended"} <DayOf at={each.until} /></> : <strong class="tone-attention">without an end</strong>}.
                </p>
              </div>
              {can("operator") && (
                <div class="row">
                  <Button size="small" icon="pencil" onClick={() => setChanging(each)} label={`Change the exception for ${each.domain}`} />
                  <Button size="small" kind="danger" icon="trash" onClick={() => setEnding(each)} label={`Remove the exception for ${each.domain}`} />
                </div>
              )}
            </li>
          ))}
        </ul>
      )}
      {changing !== undefined && <OverrideDialog domain={changing?.domain ?? ""} before={changing} close={() => setChanging(undefined)} done={list.reload} />}
      {ending && <EndDialog of={ending} close={() => setEnding(null)} done={list.reload} />}
    </section>
  );
}

function EndDialog({ of, close, done }: { of: Override; close: () => void; done: () => void }) {
  const end = useAction(async () => {
    await api.delete(`/override/${segment(of.domain)}`);
    toast(`The exception for ${of.domain} is gone.`);
    done();
    close();
  });
  return (
    <Dialog
      title={`Remove the exception for ${of.domain}?`}
      close={close}
      footer={
        <>
          <Button onClick={close}>Keep it</Button>
          <Button kind="danger" icon="trash" busy={end.busy} onClick={() => void end.run()}>
            Remove
          </Button>
        </>
      }
    >
      <p>{of.holds ? "From then on mail goes out as the destination itself asks, at once and for every machine that shares the database." : "It is over already; nothing changes."}</p>
      {end.error && <Notice tone="bad">{end.error.message}</Notice>}
    </Dialog>
  );
}

export function OverrideDialog({ domain, before, close, done }: { domain: string; before: Override | null; close: () => void; done: () => void }) {
  const today = new Date(now()).toISOString().slice(0, 10);
  const [name, setName] = useState(domain);
  const [as, setAs] = useState<Override["as"]>(before?.as ?? "testing");
  const [mx, setMx] = useState((before?.mx ?? []).join("\n"));
  const [why, setWhy] = useState(before?.why ?? "");
  // The end is the first moment after it; a day stands for all of it.
  const [until, setUntil] = useState(before ? (before.until ? addDays(before.until.slice(0, 10), before.until.endsWith("T00:00:00Z") ? -1 : 0) : "") : addDays(today, 7));
  const [tried, setTried] = useState(false);
  const list = patterns(mx);
  const wrongs = {
    name: tried && name.trim() === "" ? "Which destination?" : null,
    why: tried && why.trim() === "" ? "Say why: an exception without a reason is one that nobody dares to remove." : null,
    mx: tried && as === "pin" && list.length === 0 ? "Which mail servers may be delivered to?" : null,
    until: until !== "" && (!isDay(until) || until < today) ? "This takes a day to come." : null,
  };
  const save = useAction(async () => {
    await api.put(`/override/${segment(name.trim().toLowerCase())}`, { as, why: why.trim(), ...(as === "pin" ? { mx: list } : {}), ...(until ? { until } : {}) });
    toast(before ? "The exception was changed." : "The exception holds from now on.");
    done();
    close();
  });
  const submit = (): void => {
    setTried(true);
    if (name.trim() === "" || why.trim() === "" || (as === "pin" && list.length === 0) || wrongs.until) return;
    void save.run();
  };
  const kinds: Override["as"][] = ["testing", "exempt", "require", "pin"];
  return (
    <Dialog
      title={before ? `Exception for ${before.domain}` : "Make an exception"}
      close={close}
      submit={submit}
      footer={
        <>
          <Button onClick={close}>Cancel</Button>
          <Button kind="primary" type="submit" busy={save.busy}>
            {before ? "Change it" : "Make it"}
          </Button>
        </>
      }
    >
      {!before && <TextField label="Destination" value={name} set={setName} wrong={wrongs.name} placeholder="partner.example" autocomplete="off" spellcheck={false} />}
      <Choices legend="What holds instead" value={as} set={setAs} options={kinds.map((value) => ({ value, words: overrideWords[value][0], more: overrideWords[value][1] }))} />
      {as === "pin" && <TextArea label="Mail servers" hint="One a line: mx1.partner.example or *.partner.example" value={mx} set={setMx} wrong={wrongs.mx} mono />}
      <TextArea label="Why" value={why} set={setWhy} wrong={wrongs.why} rows={2} />
      <TextField label="Until and with" type="date" min={today} value={until} set={setUntil} wrong={wrongs.until} hint="Leave it empty for one without an end. An end is better: it can be made longer." />
      {save.error && (
        <Notice tone="bad" title="It was not taken">
          {save.error.message}
        </Notice>
      )}
    </Dialog>
  );
}
