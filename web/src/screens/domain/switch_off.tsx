// SPDX-License-Identifier: Apache-2.0
// The ways out: a pause, switching off in the order that hurts nobody, and giving the domain up.
import { useState } from "preact/hooks";
import { api, segment } from "../../api/client";
import type { DomainView, Plan } from "../../api/types";
import { go } from "../../router";
import { useAction, useResource } from "../../state/resource";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { Choices, TextArea } from "../../ui/field";
import { toast } from "../../ui/live";
import { Bones, Notice } from "../../ui/page";
import { DayOf } from "../../ui/time";

type Open = "" | "off" | "remove";

export function SwitchOff({ view, changed }: { view: DomainView; changed: (view: DomainView) => void }) {
  const { wish, row } = view;
  const [open, setOpen] = useState<Open>("");
  const want = useAction(async (change: object, words: string) => {
    changed(await api.patch<DomainView>(`/domains/${segment(wish.domain)}`, { ...change, revision: wish.revision }));
    toast(words);
  });
  return (
    <section class="card">
      <header>
        <h2>Pause, switch off, give up</h2>
      </header>
      <ul class="outs">
        {wish.aim === "enforce" && (
          <li>
            <div class="grow">
              <h3>{wish.paused ? "It is paused" : "Pause"}</h3>
              <p class="small soft">Back to testing for a while, whatever the goal: when a mail server cannot be fixed soon.</p>
            </div>
            <Button icon={wish.paused ? "play" : "pause"} busy={want.busy} onClick={() => void want.run({ paused: !wish.paused }, wish.paused ? "It goes on." : "Paused: the plan leads back to testing.")}>
              {wish.paused ? "Go on" : "Pause"}
            </Button>
          </li>
        )}
        {wish.aim === "off" ? (
          <li>
            <div class="grow">
              <h3>It is being switched off</h3>
              <p class="small soft">You may still turn back: the plan then leads to testing again.</p>
            </div>
            <Button busy={want.busy} onClick={() => void want.run({ aim: "testing" }, "The plan leads to testing again.")}>
              Turn back
            </Button>
          </li>
        ) : (
          <li>
            <div class="grow">
              <h3>Switch MTA-STS off</h3>
              <p class="small soft">Senders remember the policy for as long as it says. The plan waits for them, so that no mail is held back.</p>
            </div>
            <Button kind="danger" onClick={() => setOpen("off")}>
              Switch off…
            </Button>
          </li>
        )}
        <li>
          <div class="grow">
            <h3>Give the domain up</h3>
            <p class="small soft">
              Mailtight looks after it no longer{row.mode && row.mode !== "none" ? ", which is safe only when somebody else serves its policy" : ""}. Its reports stay.
            </p>
          </div>
          <Button kind="danger" icon="trash" onClick={() => setOpen("remove")}>
            Give up…
          </Button>
        </li>
      </ul>
      {want.error && (
        <div class="card-body">
          <Notice tone="bad">{want.error.message}</Notice>
        </div>
      )}
      {open === "off" && (
        <OffDialog
          view={view}
          close={() => setOpen("")}
          changed={(now) => {
            setOpen("");
            changed(now);
          }}
        />
      )}
      {open === "remove" && <RemoveDialog domain={wish.domain} close={() => setOpen("")} />}
    </section>
  );
}

/** Shows how long each way takes before anything is decided. */
function OffDialog({ view, close, changed }: { view: DomainView; close: () => void; changed: (view: DomainView) => void }) {
  const domain = view.wish.domain;
  const [way, setWay] = useState<"none" | "expiry">("none");
  const plan = useResource<Plan>(`off ${domain} ${way}`, (signal) => api.get(`/domains/${segment(domain)}/plan`, { to: "off", by: way }, signal));
  const off = useAction(async () => {
    changed(await api.patch<DomainView>(`/domains/${segment(domain)}`, { aim: "off", off: way, revision: view.wish.revision }));
    toast("The plan leads to off now.");
  });
  const waits = plan.data?.steps.map((step) => step.not_before).filter((at): at is string => at !== null) ?? [];
  return (
    <Dialog
      title={`Switch MTA-STS off for ${domain}`}
      close={close}
      submit={() => void off.run()}
      footer={
        <>
          <Button onClick={close}>Keep it</Button>
          <Button kind="primary" type="submit" busy={off.busy}>
            Begin to switch off
          </Button>
        </>
      }
    >
      <Choices
        legend="How"
        value={way}
        set={setWay}
        options={[
          { value: "none", words: "Say none first (recommended)", more: "A policy that frees senders; most follow within a day. It stays until all have forgotten." },
          { value: "expiry", words: "Let it expire", more: "The record goes at once; the old mail servers must stay valid until the last copy has expired." },
        ]}
      />
      {plan.error ? (
        <Notice tone="bad">{plan.error.message}</Notice>
      ) : plan.data ? (
        <Notice icon="clock" title={waits.length ? "" : "It can be done at once"}>
          {waits.length > 0 && (
            <>
              {plan.data.steps.length} steps, the last wait ends on <DayOf at={[...waits].sort().at(-1)} />.
            </>
          )}
          {plan.data.warnings.map((one) => (
            <p key={one}>{one}</p>
          ))}
        </Notice>
      ) : (
        <Bones lines={2} />
      )}
      {off.error && <Notice tone="bad">{off.error.message}</Notice>}
    </Dialog>
  );
}

/** What senders may still hold is refused by the server first; a reason then forces it. */
function RemoveDialog({ domain, close }: { domain: string; close: () => void }) {
  const [reason, setReason] = useState("");
  const remove = useAction(async (force: boolean) => {
    await api.delete(`/domains/${segment(domain)}`, force ? { force: true, why: reason.trim() } : {});
    toast(`${domain} is no longer looked after.`);
    go("/");
  });
  const held = remove.error?.status === 409;
  return (
    <Dialog
      title={`Give ${domain} up`}
      close={close}
      submit={() => void remove.run(held)}
      footer={
        <>
          <Button onClick={close}>Keep it</Button>
          <Button kind="danger" type="submit" busy={remove.busy} disabled={held && reason.trim().length < 3}>
            {held ? "Give up all the same" : "Give up"}
          </Button>
        </>
      }
    >
      <p>Mailtight stops watching it, serving its policy and writing its records. Reports that came stay readable.</p>
      {remove.error && (
        <div role="alert">
          <Notice tone={held ? "attention" : "bad"} title={held ? "Senders may still hold its policy" : "It was not removed"}>
            {remove.error.message}
          </Notice>
        </div>
      )}
      {held && <TextArea label="The reason" hint="It stays in the log." value={reason} set={setReason} />}
    </Dialog>
  );
}
