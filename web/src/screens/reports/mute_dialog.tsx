// SPDX-License-Identifier: Apache-2.0
// Muting a failure or an alarm: nothing tells of it until a day, and it says why.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { api } from "../../api/client";
import { addDays, dayLong, isDay } from "../../charts/days";
import { useAction } from "../../state/resource";
import { now } from "../../state/session";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { TextArea, TextField } from "../../ui/field";
import { toast } from "../../ui/live";
import { Notice } from "../../ui/page";

interface Given {
  title: string;
  words: ComponentChildren; // what it is, and what muting means
  body: { domain: string; result_type: string; mx: string } | { key: string };
  close: () => void;
  done: () => void;
}

export function MuteDialog({ title, words, body, close, done }: Given) {
  const today = new Date(now()).toISOString().slice(0, 10);
  const [until, setUntil] = useState(addDays(today, 14));
  const [why, setWhy] = useState("");
  const [tried, setTried] = useState(false);
  const mute = useAction(async () => {
    await api.post("/mutes", { ...body, why: why.trim(), ...(until ? { until } : {}) });
    return true;
  });
  const wrongDay = until !== "" && (!isDay(until) || until < today) ? "This takes a day to come." : null;
  const wrongWhy = tried && why.trim() === "" ? "Say why: whoever reads it next will want to know." : null;
  const submit = async (): Promise<void> => {
    setTried(true);
    if (wrongDay || why.trim() === "") return;
    if (!(await mute.run())) return;
    toast(until ? `Muted until ${dayLong(until)}.` : "Muted until somebody ends it.");
    done();
    close();
  };
  return (
    <Dialog
      title={title}
      close={close}
      submit={() => void submit()}
      footer={
        <>
          <Button onClick={close}>Cancel</Button>
          <Button kind="primary" icon="mute" type="submit" busy={mute.busy}>
            Mute
          </Button>
        </>
      }
    >
      <p class="soft">{words}</p>
      <div class="stack-s">
        <TextField label="Until and with" hint="Leave it empty to mute it until somebody ends it." type="date" min={today} value={until} set={setUntil} wrong={wrongDay} />
        <div class="row">
          {(
            [
              [7, "A week"],
              [14, "Two weeks"],
              [30, "A month"],
            ] as const
          ).map(([days, words]) => (
            <Button key={days} size="small" onClick={() => setUntil(addDays(today, days))}>
              {words}
            </Button>
          ))}
        </div>
      </div>
      <TextArea label="Why" value={why} set={setWhy} wrong={wrongWhy} hint="The hoster renews the certificate on Tuesday." rows={2} />
      {mute.error && (
        <Notice tone="bad" title="It could not be muted">
          {mute.error.message}
        </Notice>
      )}
    </Dialog>
  );
}
