// SPDX-License-Identifier: Apache-2.0
// Addresses that get no reports of ours.
import { useState } from "preact/hooks";
import { api, segment } from "../../api/client";
import { isDay } from "../../charts/days";
import { useAction, useResource } from "../../state/resource";
import { can, now } from "../../state/session";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { TextField } from "../../ui/field";
import { toast } from "../../ui/live";
import { Bones, Failed, Notice } from "../../ui/page";
import { DayOf } from "../../ui/time";

interface Address {
  who: string;
  why: string;
  since: string | null;
  until: string | null;
}
interface List {
  suppressed: Address[];
}

export function Suppressed() {
  const list = useResource<List>("suppressed", (signal) => api.get("/suppressed", undefined, signal));
  const [adding, setAdding] = useState(false);
  const allow = useAction(async (who: string) => {
    await api.delete(`/suppressed/${segment(who)}`);
    toast(`${who} gets reports again.`);
    list.reload();
  });
  return (
    <section class="card" aria-labelledby="suppressed-title">
      <header>
        <div>
          <h2 id="suppressed-title">Addresses that get nothing</h2>
          <p class="dim small">Because they asked for it, or because reports only bounce there.</p>
        </div>
        {can("operator") && (
          <Button size="small" icon="plus" onClick={() => setAdding(true)}>
            Add one
          </Button>
        )}
      </header>
      {list.error && !list.data ? (
        <Failed error={list.error} retry={list.reload} what="The list" />
      ) : !list.data ? (
        <div class="card-body">
          <Bones lines={2} />
        </div>
      ) : list.data.suppressed.length === 0 ? (
        <p class="card-body soft">None.</p>
      ) : (
        <ul class="rows flush">
          {list.data.suppressed.map((each) => (
            <li key={each.who}>
              <div class="grow">
                <p class="mono break">{each.who}</p>
                <p class="soft">{each.why}</p>
                <p class="dim small">
                  Since <DayOf at={each.since} />
                  {each.until && (
                    <>
                      , until <DayOf at={each.until} />
                    </>
                  )}
                </p>
              </div>
              {can("operator") && (
                <Button size="small" busy={allow.busy} onClick={() => void allow.run(each.who)}>
                  Send again
                </Button>
              )}
            </li>
          ))}
        </ul>
      )}
      {allow.error && <Notice tone="bad">{allow.error.message}</Notice>}
      {adding && <AddDialog close={() => setAdding(false)} done={list.reload} />}
    </section>
  );
}

function AddDialog({ close, done }: { close: () => void; done: () => void }) {
  const today = new Date(now()).toISOString().slice(0, 10);
  const [who, setWho] = useState("");
  const [why, setWhy] = useState("");
  const [until, setUntil] = useState("");
  const wrong = until !== "" && (!isDay(until) || until <= today) ? "This takes a day to come." : null;
  const add = useAction(async () => {
    await api.put(`/suppressed/${segment(who.trim().toLowerCase())}`, { ...(why.trim() ? { why: why.trim() } : {}), ...(until ? { until } : {}) });
    toast(`${who.trim()} gets no reports.`);
    done();
    close();
  });
  return (
    <Dialog
      title="Send nothing to an address"
      close={close}
      submit={() => {
        if (who.trim() && !wrong) void add.run();
      }}
      footer={
        <>
          <Button onClick={close}>Cancel</Button>
          <Button kind="primary" type="submit" busy={add.busy}>
            Send nothing there
          </Button>
        </>
      }
    >
      <TextField label="Address" value={who} set={setWho} hint="tls@partner.example, @partner.example for all of its addresses, or the host of an https address" autocomplete="off" spellcheck={false} />
      <TextField label="Why" value={why} set={setWhy} />
      <TextField label="Until and with" type="date" min={today} value={until} set={setUntil} wrong={wrong} hint="Leave it empty for one without an end." />
      {add.error && <Notice tone="bad">{add.error.message}</Notice>}
    </Dialog>
  );
}
