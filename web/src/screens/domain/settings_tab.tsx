// SPDX-License-Identifier: Apache-2.0
// What is wanted of the domain. Only what was changed is sent; where somebody was faster, nothing is overwritten.
import { useEffect, useState } from "preact/hooks";
import { api, segment } from "../../api/client";
import type { DomainView, Wish } from "../../api/types";
import { can, session } from "../../state/session";
import { useAction } from "../../state/resource";
import { Button } from "../../ui/button";
import { Choices, SelectField, TextArea, TextField } from "../../ui/field";
import { toast } from "../../ui/live";
import { Notice } from "../../ui/page";
import { SwitchOff } from "./switch_off";
import { changeOf, fieldsOf, type Fields } from "./wish_form";

const hosts: [Wish["host"], string][] = [
  ["here", "Mailtight serves it, with its own certificate"],
  ["proxied", "Mailtight serves it behind your web server"],
  ["elsewhere", "Your own web server has the file"],
  ["delegated", "A provider answers, by CNAME"],
];
const dnsWays: [Wish["dns"], string][] = [
  ["hand", "You enter the records"],
  ["update", "Mailtight writes them (RFC 2136)"],
  ["hook", "A hook writes them"],
];

export function SettingsTab({ view, changed }: { view: DomainView; changed: (view: DomainView) => void }) {
  // What the form began with: the page asks again by itself, and what somebody else changed meanwhile is neither undone by
  // saving nor taken for a change of ours. With the revision of then, the server refuses (409).
  const [wish, begin] = useState(view.wish);
  const [fields, setFields] = useState<Fields>(() => fieldsOf(wish));
  const { change, wrong } = changeOf(wish, fields);
  const dirty = Object.keys(change).length > 0 || Object.keys(wrong).length > 0;
  const startFrom = (now: Wish) => {
    begin(now);
    setFields(fieldsOf(now));
  };
  useEffect(() => {
    if (view.wish.revision !== wish.revision && !dirty) startFrom(view.wish);
  }, [view.wish.revision, dirty]);
  const set =
    <K extends keyof Fields>(name: K) =>
    (value: Fields[K]) =>
      setFields((was) => ({ ...was, [name]: value }));
  const save = useAction(async () => {
    const now = await api.patch<DomainView>(`/domains/${segment(wish.domain)}`, { ...change, revision: wish.revision });
    changed(now);
    startFrom(now.wish);
    toast("Saved. The plan follows.");
  });
  if (!can("operator"))
    return (
      <div class="stack">
        <Notice icon="lock" title="Settings are changed by operators">
          You are signed in as a viewer.
        </Notice>
        <Said wish={wish} />
      </div>
    );
  return (
    <div class="stack">
      <form
        class="card"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (dirty && !Object.keys(wrong).length) void save.run();
        }}
      >
        <header>
          <h2>Settings</h2>
        </header>
        <div class="settings">
          {wish.aim !== "off" && (
            <Choices
              legend="Goal"
              value={fields.aim}
              set={set("aim")}
              options={[
                { value: "testing", words: "Testing", more: "Senders check and report. All mail is delivered." },
                { value: "enforce", words: "Enforce", more: "Senders deliver only over connections that they can trust. Mailtight gets there by way of testing." },
              ]}
            />
          )}
          <Choices
            legend="What Mailtight may do by itself"
            value={fields.leave}
            set={set("leave")}
            options={[
              { value: "nothing", words: "Only watch", more: "It says what is to be done, and does nothing." },
              { value: "records", words: "Serve policies, get certificates, write DNS", more: "Not change the mode, not remove anything." },
              { value: "all", words: "All that the plan allows", more: "Enforce too, when the evidence is there." },
            ]}
          />
          <div class="settings-pair">
            <SelectField label="Policy host" value={fields.host} set={set("host")} options={hosts} />
            <TextField label="mta-sts points at" hint="A name or an address. Empty: as configured." value={fields.policy_host} set={set("policy_host")} mono spellcheck={false} />
          </div>
          <div class="settings-pair">
            <SelectField label="DNS records" value={fields.dns} set={set("dns")} options={dnsWays} />
            <TextField label="Senders keep the policy for (days)" hint="Empty: a short time first, then longer, as it proves itself." value={fields.max_age} set={set("max_age")} wrong={wrong.max_age ?? null} inputMode="numeric" />
          </div>
          <TextArea label="Reports go to" hint="A mailbox or an https address a line. Empty: as published, or as configured." value={fields.rua} set={set("rua")} mono rows={2} />
          <details class="more" open={wish.mx.length + wish.mx_adding.length + wish.mx_removing.length > 0}>
            <summary>Mail servers of the policy</summary>
            <div class="stack settings-mx">
              <TextArea label="MX hosts in the policy" hint="One a line, such as mx1.example.com or *.example.com. Empty: those that DNS has." value={fields.mx} set={set("mx")} mono rows={3} />
              <div class="settings-pair">
                <TextArea label="To be added soon" hint="The policy names them first; then the plan says when to add their MX records." value={fields.mx_adding} set={set("mx_adding")} mono rows={2} />
                <TextArea label="To be removed" hint="They stay in the policy until no sender needs them." value={fields.mx_removing} set={set("mx_removing")} mono rows={2} />
              </div>
            </div>
          </details>
          <div class="settings-pair">
            <TextField label="Labels" hint="With commas between. The overview filters by them." value={fields.labels} set={set("labels")} />
            {session.value?.tenant === null && <TextField label="Owner" hint="The tenant who sees this domain. Empty: nobody but you." value={fields.owner} set={set("owner")} />}
          </div>
          {save.error && (
            <div role="alert">
              <Notice tone="bad" title={save.error.status === 409 ? "Somebody changed this domain in the meantime" : "It was not saved"}>
                {save.error.message}
                {save.error.status === 409 && " “Undo” shows what holds now; what you typed is lost then."}
              </Notice>
            </div>
          )}
        </div>
        <footer class="row-between">
          <span class="small soft">{dirty ? "Not saved yet" : "Everything is saved"}</span>
          <span class="row">
            {dirty && (
              <Button
                kind="quiet"
                onClick={() => {
                  startFrom(view.wish);
                  save.clear();
                }}
              >
                Undo
              </Button>
            )}
            <Button kind="primary" type="submit" busy={save.busy} disabled={!dirty || Object.keys(wrong).length > 0}>
              Save
            </Button>
          </span>
        </footer>
      </form>
      <SwitchOff view={view} changed={changed} />
    </div>
  );
}

const Said = ({ wish }: { wish: Wish }) => (
  <section class="card">
    <header>
      <h2>Settings</h2>
    </header>
    <dl class="facts">
      <dt>Goal</dt>
      <dd>{wish.aim}</dd>
      <dt>Policy host</dt>
      <dd>{hosts.find(([name]) => name === wish.host)?.[1]}</dd>
      <dt>DNS records</dt>
      <dd>{dnsWays.find(([name]) => name === wish.dns)?.[1]}</dd>
      <dt>Reports go to</dt>
      <dd>{wish.rua.join(", ") || "as configured"}</dd>
      <dt>Labels</dt>
      <dd>{wish.labels.join(", ") || "none"}</dd>
    </dl>
  </section>
);
