// SPDX-License-Identifier: Apache-2.0
// Which names tenants may add without showing in DNS that they are theirs.
import { useState } from "preact/hooks";
import { api, segment } from "../../api/client";
import type { AllowedName, AllowedNameList } from "../../api/types";
import { useAction, useResource } from "../../state/resource";
import { patterns } from "../sending/decision";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { TextArea, TextField } from "../../ui/field";
import { announce, toast } from "../../ui/live";
import { Bones, Failed, Notice } from "../../ui/page";
import { DayOf } from "../../ui/time";

/** Owner by owner, as the list comes. */
export function byOwner(names: AllowedName[]): { owner: string; names: AllowedName[] }[] {
  const out: { owner: string; names: AllowedName[] }[] = [];
  for (const each of names) {
    const last = out.at(-1);
    if (last?.owner === each.owner) last.names.push(each);
    else out.push({ owner: each.owner, names: [each] });
  }
  return out;
}

export function AllowedNamesCard() {
  const list = useResource<AllowedNameList>("allowed-names", (signal) => api.get("/allowed-names", { limit: 1000 }, signal));
  const [adding, setAdding] = useState(false);
  const remove = useAction(async (one: AllowedName) => {
    await api.delete(`/allowed-names/${segment(one.name)}`, { owner: one.owner });
    announce(`${one.owner} may no longer add ${one.name}.`);
    list.reload();
  });
  return (
    <section class="card" aria-labelledby="allowed-title">
      <header>
        <div>
          <h2 id="allowed-title">Names that tenants may add</h2>
          <p class="dim small">Every other name a tenant adds by a DNS record that shows that it is theirs.</p>
        </div>
        <Button size="small" icon="plus" onClick={() => setAdding(true)}>
          Allow names
        </Button>
      </header>
      {remove.error && (
        <div class="card-body">
          <Notice tone="bad">{remove.error.message}</Notice>
        </div>
      )}
      {list.error && !list.data ? (
        <Failed error={list.error} retry={list.reload} what="The list" />
      ) : !list.data ? (
        <div class="card-body">
          <Bones lines={2} />
        </div>
      ) : list.data.names.length === 0 ? (
        <p class="card-body soft">None is allowed yet.</p>
      ) : (
        <ul class="rows flush">
          {byOwner(list.data.names).map(({ owner, names }) => (
            <li key={owner}>
              <div class="grow">
                <strong>{owner}</strong>
                <ul class="stack-s" aria-label={`What ${owner} may add`}>
                  {names.map((each) => (
                    <li key={each.name} class="allowed-name">
                      <span class="grow">
                        <span class="mono break">{each.name}</span>{" "}
                        <span class="dim small">
                          since <DayOf at={each.at} />
                        </span>
                      </span>
                      <Button size="small" kind="danger" icon="trash" onClick={() => void remove.run(each)} label={`Allow ${owner} ${each.name} no longer`} />
                    </li>
                  ))}
                </ul>
              </div>
            </li>
          ))}
        </ul>
      )}
      {list.data?.next && <p class="card-body dim small">These are the first thousand; mailtight access tenant list has them all.</p>}
      {adding && <AllowDialog close={() => setAdding(false)} done={list.reload} />}
    </section>
  );
}

function AllowDialog({ close, done }: { close: () => void; done: () => void }) {
  const [owner, setOwner] = useState("");
  const [typed, setTyped] = useState("");
  const [tried, setTried] = useState(false);
  const names = patterns(typed);
  const allow = useAction(async () => {
    await api.post("/allowed-names", { owner: owner.trim(), names });
    toast(`${owner.trim()} may add ${names.length === 1 ? names[0] : `${names.length} names`}.`);
    done();
    close();
  });
  return (
    <Dialog
      title="Allow names"
      close={close}
      submit={() => {
        setTried(true);
        if (owner.trim() && names.length) void allow.run();
      }}
      footer={
        <>
          <Button onClick={close}>Cancel</Button>
          <Button kind="primary" type="submit" busy={allow.busy}>
            Allow
          </Button>
        </>
      }
    >
      <TextField label="Owner" value={owner} set={setOwner} wrong={tried && !owner.trim() ? "Whose are they?" : null} hint="The tenant, as with people and tokens." autocomplete="off" />
      <TextArea label="Names" value={typed} set={setTyped} mono rows={4} wrong={tried && !names.length ? "Which names?" : null} hint="One a line: example.com, or *.example.com for every name below it." />
      {allow.error && (
        <Notice tone="bad" title="It was not taken">
          {allow.error.message}
        </Notice>
      )}
    </Dialog>
  );
}
